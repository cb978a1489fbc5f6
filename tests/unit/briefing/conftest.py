"""An asker in memory: a launch with realistic numbers, answered without a book."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest

from driveaway.facts.base import Body, Fact
from driveaway.facts.description import Car, Description
from driveaway.facts.public import CarTested, ClaimMade, EventHeld, TargetSet
from driveaway.figures.answer import Answer, Interval
from driveaway.values import clock
from driveaway.values.errors import NotFound
from driveaway.values.provinces import PROVINCES
from tests.unit.briefing.planned import ANSWERS

ZONE = clock.zone("Asia/Shanghai")
FIRST = date(2024, 3, 28)
LAST = date(2024, 4, 24)


@dataclass(frozen=True)
class Info:
    name: str
    title: str
    title_zh: str
    unit: str
    definition: str
    version: int = 1


@dataclass
class Launch:
    """Answers by figure; a test replaces what it needs."""

    description: Description
    as_of: int
    mark: int = 512_345
    launch_dir_label: str = "launches/su7"
    answers: dict[str, Callable[[int, tuple[str, ...], Mapping[str, str]], dict[str, Any]]] = field(
        default_factory=dict
    )
    recorded: dict[str, list[Fact]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def figure(
        self, name: str, *, by: Sequence[str] = (), as_of: int | None = None, **arguments: str
    ) -> Answer:
        self.asked.append(name)
        if name not in self.answers:
            raise NotFound(f"there is no figure {name!r}", remedy="driveaway figures lists them")
        at = self.as_of if as_of is None else as_of
        said = self.answers[name](at, tuple(by), arguments)
        return Answer(
            name=name,
            as_of=clock.show(at, ZONE),
            mark=self.mark,
            definition=1,
            parameters=arguments,
            sql="SELECT …",
            **({"unit": "count"} | said),
        )

    def facts(self, kind: str) -> Sequence[Fact]:
        return [f for f in self.recorded.get(kind, []) if f.happened <= self.as_of]

    def definition(self, name: str) -> Info:
        if name not in self.answers:
            raise NotFound(f"there is no figure {name!r}")
        return Info(
            name,
            name.replace(".", " ").replace("_", " "),
            f"指标{name}",
            "count",
            f"What {name} counts, by the launch's own days.",
        )

    def record(self, kind: str, subject: str, when: str, body: Body) -> None:
        facts = self.recorded.setdefault(kind, [])
        happened = clock.parse_instant(when, ZONE)
        facts.append(
            Fact(
                seq=1000 + len(facts),
                kind=kind,
                version=1,
                subject=subject,
                happened=happened,
                recorded=happened,
                source=f"test/{subject}",
                replaces=None,
                simulated=False,
                body=body,
            )
        )

    def alone(self) -> Launch:
        """A copy whose answers and facts can be changed."""
        return replace(
            self,
            answers=dict(self.answers),
            recorded={k: list(v) for k, v in self.recorded.items()},
            asked=[],
        )


def days(at: int) -> list[date]:
    end = min(clock.local_day(at, ZONE), LAST)
    return [FIRST + timedelta(days=i) for i in range((end - FIRST).days + 1)]


_LOCKS = {
    date(2024, 3, 28): 5100,
    date(2024, 3, 29): 4200,
    date(2024, 3, 31): 5000,
    date(2024, 4, 4): 5600,
    date(2024, 4, 5): 6300,
}


def locks(at: int) -> list[dict[str, Any]]:
    rows, total = [], 0
    for i, day in enumerate(days(at)):
        value = _LOCKS.get(day, 1900 + int(900 * math.sin(i / 2.2)))
        if day == LAST:
            value = 75_723 - total
        total += value
        rows.append({"day": day.isoformat(), "value": value, "cumulative": total})
    return rows


def handovers(at: int) -> list[dict[str, Any]]:
    rows, total = [], 0
    for day in days(at):
        value = 0 if day < date(2024, 4, 3) else 90 + 17 * (day - date(2024, 4, 3)).days
        if day == LAST:
            value = 5_781 - total
        total += value
        rows.append({"day": day.isoformat(), "value": value, "cumulative": total})
    return rows


_TESTS = (
    ("Comet S7 Max", "mixed route", "Road Test Weekly", False, 643_000, 800_000, 15.7, "B"),
    ("Tesla Model 3 LR", "mixed route", "Road Test Weekly", True, 568_000, 713_000, 13.8, "B"),
    ("NIO ET5", "mixed route", "Road Test Weekly", True, 464_000, 640_000, 16.1, "B"),
    ("Zeekr 001", "mixed route", "Road Test Weekly", True, 406_000, 656_000, 21.2, "B"),
    ("Comet S7", "highway", "the maker", False, 495_000, 700_000, 14.9, "B"),
)


def range_kept(at: int, by: tuple[str, ...], arguments: Mapping[str, str]) -> dict[str, Any]:
    rows = [
        {
            "car": c,
            "condition": k,
            "tester": t,
            "rival": r,
            "value": d / full,
            "distance_m": d,
            "claimed_distance_m": full,
            "claimed_cycle": "CLTC",
            "grade": g,
        }
        for c, k, t, r, d, full, _, g in _TESTS
    ]
    if "car" in arguments:
        rows = [row for row in rows if row["car"] == arguments["car"]]
        if len(rows) == 1:
            return {"unit": "share", "value": rows[0]["value"]}
    return {"unit": "share", "rows": rows}


def consumption(at: int, by: tuple[str, ...], arguments: Mapping[str, str]) -> dict[str, Any]:
    return {
        "unit": "kWh/100 km",
        "rows": [
            {
                "car": c,
                "condition": k,
                "tester": t,
                "rival": r,
                "value": v,
                "distance_m": d,
                "claimed_distance_m": None,
                "grade": g,
            }
            for c, k, t, r, d, _, v, g in _TESTS
        ],
    }


_SHARES: dict[str, list[tuple[str, float | None]]] = {
    "sex": [("female", 0.28), ("male", 0.72)],
    "phone_brand": [("Apple", 0.519), ("Xiaomi", 0.241), ("Huawei", 0.15), ("Vivo", 0.06), ("Nokia", None)],
    "previous_brand": [
        ("BMW", 0.101),
        ("Audi", 0.094),
        ("Mercedes-Benz", 0.095),
        ("none", 0.31),
        ("Volkswagen", 0.09),
        ("Toyota", 0.08),
        ("Honda", 0.07),
    ],
}


def share(at: int, by: tuple[str, ...], arguments: Mapping[str, str]) -> dict[str, Any]:
    n = 75_723
    if by:
        rows: list[dict[str, Any]] = []
        for name, value in _SHARES[by[0]]:
            if value is None:
                rows.append({by[0]: name, "value": None, "suppressed": True, "simulated": True})
            else:
                rows.append(
                    {
                        by[0]: name,
                        "value": value,
                        "low": value - 0.003,
                        "high": value + 0.003,
                        "people": int(n * value),
                        "simulated": True,
                    }
                )
        return {"unit": "share", "rows": rows, "simulated": True}
    ((dimension, wanted),) = arguments.items()
    value = sum(v or 0 for name, v in _SHARES[dimension] if name in wanted.split("|"))
    return {
        "unit": "share",
        "value": value,
        "interval": Interval(value - 0.003, value + 0.003, 0.95),
        "simulated": True,
    }


_COVERED = {
    "110000": 8,
    "120000": 2,
    "310000": 9,
    "320000": 7,
    "330000": 6,
    "440000": 9,
    "510000": 4,
    "500000": 2,
    "420000": 3,
    "430000": 2,
    "610000": 2,
    "410000": 1,
    "370000": 3,
    "350000": 1,
}


def provinces(at: int, by: tuple[str, ...], arguments: Mapping[str, str]) -> dict[str, Any]:
    if by:
        return {
            "rows": [
                {"province": p.code, "value": _COVERED.get(p.code, 0), "simulated": False} for p in PROVINCES
            ]
        }
    return {"value": len(_COVERED)}


def targets(at: int, by: tuple[str, ...], arguments: Mapping[str, str]) -> dict[str, Any]:
    delivered = handovers(at)[-1]["cumulative"]
    return {
        "simulated": True,
        "rows": [
            {
                "target": "year-2024",
                "measure": "cars.delivered",
                "role": None,
                "qualifier": "at least",
                "amount": 100_000,
                "value": delivered,
                "share": delivered / 100_000,
                "from_day": "2024-01-01",
                "until_day": "2024-12-31",
                "set_on": "2024-04-23",
                "previous_amount": 76_000,
                "said": "100,000 this year",
            },
            {
                "target": "june-2024",
                "measure": "cars.delivered",
                "role": None,
                "qualifier": "more than",
                "amount": 10_000,
                "value": 0,
                "share": 0.0,
                "from_day": "2024-06-01",
                "until_day": "2024-06-30",
                "set_on": "2024-04-25",
                "previous_amount": None,
                "said": None,
            },
            {
                "target": "stores-2024",
                "measure": "outlets.open",
                "role": "store",
                "qualifier": "exactly",
                "amount": 219,
                "value": 59,
                "share": 59 / 219,
                "from_day": "2024-01-01",
                "until_day": "2024-12-31",
                "set_on": "2024-04-25",
                "previous_amount": 211,
                "said": None,
            },
        ],
    }


_EVENTS = (
    ("technology-launch", "2023-12-28T14:00", "Technology launch", "技术发布会"),
    ("launch", "2024-03-28T19:00", "Launch, orders open at 22:00", "上市发布会，22:00开放预订"),
    ("founder-two", "2024-03-31T12:00", "Second founder edition announced", "创始版第二轮"),
    ("first-delivery", "2024-04-03T10:00", "First delivery ceremony", "首批交付仪式"),
    ("livestream", "2024-04-18T16:00", "Livestream from the delivery centre", "交付中心直播"),
    ("window", "2024-04-19T10:00", "24-hour window to change configuration", "24小时改配窗口"),
    ("investor-day", "2024-04-23T14:00", "Investor day", "投资者日"),
)


def around(at: int, by: tuple[str, ...], arguments: Mapping[str, str]) -> dict[str, Any]:
    by_day = {row["day"]: row["value"] for row in locks(at)}
    rows = []
    for slug, when, title, _ in _EVENTS:
        day = date.fromisoformat(when[:10])
        for offset in range(-7, 8):
            there = (day + timedelta(days=offset)).isoformat()
            if there in by_day:
                rows.append(
                    {
                        "event": slug,
                        "title": title,
                        "day": there,
                        "offset_days": offset,
                        "value": by_day[there],
                    }
                )
    return {"rows": rows, "note": "A cause is not identified.", "simulated": True}


def _value(number: float, **more: Any) -> Callable[..., dict[str, Any]]:
    return lambda at, by, arguments: {"value": number, "simulated": True} | more


def build() -> Launch:
    launch = Launch(
        description=Description(
            launch="comet-s7",
            zone="Asia/Shanghai",
            currency="CNY",
            car=Car(
                name="Comet S7",
                name_zh="彗星S7",
                maker="Comet",
                orders_open="2024-03-28T22:00:00+08:00",
                deliveries_open="2024-04-03",
            ),
        ),
        as_of=clock.parse_instant("2024-04-25T09:20:00+08:00", ZONE),
    )
    launch.answers = {
        "orders.reserved": _value(121_408),
        "orders.locked": lambda at, by, a: {"value": locks(at)[-1]["cumulative"], "simulated": True},
        "orders.lock_rate": _value(0.6237, unit="share", interval=Interval(0.621, 0.6264, 0.95)),
        "orders.cancelled": _value(38_901),
        "orders.waiting": _value(69_942),
        "orders.locked_per_day": lambda at, by, a: {"rows": locks(at), "simulated": True},
        "orders.wait_days": lambda at, by, a: {
            "unit": "days",
            "rows": [
                {"quantile": q, "value": v}
                for q, v in ((0.1, 6.5), (0.25, 8.0), (0.5, 11.5), (0.75, 16.0), (0.9, 19.5))
            ],
            "simulated": True,
        },
        "cars.built": _value(7_012),
        "cars.delivered": lambda at, by, a: {"value": handovers(at)[-1]["cumulative"], "simulated": True},
        "cars.delivered_per_day": lambda at, by, a: {"rows": handovers(at), "simulated": True},
        "cars.delivered_since_launch_days": lambda at, by, a: {
            "value": handovers(at)[-1]["cumulative"],
            "simulated": True,
        },
        "targets.progress": targets,
        **ANSWERS,
        "outlets.open": lambda at, by, a: (
            provinces(at, by, a) if by else {"value": {"store": 59, "service": 41}.get(a.get("role", ""), 0)}
        ),
        "outlets.cities": lambda at, by, a: {"value": {"store": 29, "service": 22}.get(a.get("role", ""), 0)},
        "outlets.provinces_covered": provinces,
        "buyers.share": share,
        "trials.range_kept": range_kept,
        "trials.consumption": consumption,
        "publicity.locks_around_event": around,
    }
    for slug, when, title, title_zh in _EVENTS:
        launch.record("event.held", slug, when, EventHeld(title=title, title_zh=title_zh))
    launch.record(
        "target.set",
        "year-2024",
        "2024-04-23T10:00",
        TargetSet(measure="cars.delivered", amount=100_000, from_day="2024-01-01", until_day="2024-12-31"),
    )
    for car, condition, tester, rival, metres, claimed, _, grade in _TESTS:
        launch.record(
            "test.measured",
            car.lower().replace(" ", "-"),
            "2024-04-10T12:00",
            CarTested(
                car=car,
                rival=rival,
                tester=tester,
                condition=condition,
                distance=metres,
                claimed_distance=claimed,
                claimed_cycle="CLTC",
                grade=grade,
            ),
        )
    event = "China Securities Journal, 25 April 2024; https://example.org/press-event"
    for slug, when, body in (
        (
            "locked-40000",
            "2024-04-03T11:00",
            ClaimMade(
                speaker="The maker",
                said="More than 40,000 orders are locked.",
                said_zh="锁单超过4万。",
                figure="orders.locked",
                qualifier="more than",
                value="30000",
                as_of="2024-04-03",
                reference=event,
                by_construction=True,
            ),
        ),
        (
            "locked-75723",
            "2024-04-25T09:20",
            ClaimMade(
                speaker="The maker",
                said="75,723 orders were locked by 24 April.",
                said_zh="截至4月24日锁单75723台。",
                figure="orders.locked",
                qualifier="exactly",
                value="75723",
                as_of="2024-04-24",
                reference=event,
                by_construction=True,
            ),
        ),
        (
            "delivered-5781",
            "2024-04-25T09:20",
            ClaimMade(
                speaker="The maker",
                said="5,781 cars were delivered within 28 days after its release.",
                said_zh="上市28天交付5781台。",
                figure="cars.delivered",
                qualifier="exactly",
                value="5781",
                as_of="2024-04-24",
                reference=event,
                by_construction=True,
            ),
        ),
        (
            "women-28",
            "2024-04-25T09:20",
            ClaimMade(
                speaker="The maker",
                said="28% of those who locked an order are women.",
                figure="buyers.share",
                arguments="sex=female",
                qualifier="exactly",
                value="28",
                percent=True,
                as_of="2024-04-24",
                reference=event,
            ),
        ),
        (
            "year-target",
            "2024-04-25T09:20",
            ClaimMade(
                speaker="The maker",
                said="We aim at 100,000 cars this year.",
                qualifier="at least",
                value="100000",
                as_of="2024-04-24",
                why_not="It is an aim; the year is not over.",
                reference=event,
            ),
        ),
        (
            "assisted-1400",
            "2024-04-25T09:20",
            ClaimMade(
                speaker="The maker",
                said="One owner covered 1,400 km in a single day with assisted driving.",
                qualifier="exactly",
                value="1400",
                unit="km",
                as_of="2024-04-24",
                why_not="No trips of these cars are in the book.",
                reference=event,
            ),
        ),
        (
            "stores",
            "2024-03-25T09:00",
            ClaimMade(
                speaker="A blogger",
                said="They have about 60 stores.",
                figure="outlets.open",
                arguments="role=store",
                qualifier="about",
                value="60",
                as_of="2024-03-25",
                grade="C",
            ),
        ),
        (
            "best",
            "2024-04-25T09:20",
            ClaimMade(
                speaker="The maker",
                said="Nothing but Tesla keeps more: 82% of the claimed range.",
                figure="trials.range_kept",
                arguments="car=Comet S7 Max",
                qualifier="exactly",
                value="82",
                percent=True,
                as_of="2024-04-24",
                grade="B",
                reference=event,
            ),
        ),
    ):
        launch.record("claim.made", slug, when, body)
    return launch


@pytest.fixture
def launch() -> Launch:
    """A launch of its own for each test."""
    return build()
