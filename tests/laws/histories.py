"""Small random histories of a launch: orders, cars, outlets, targets, events, tests and updates.

Facts arrive late and out of order, and are corrected and withdrawn. What the rules refuse is left
out, so every book that a history makes is one that a launch can have.
"""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, Literal, NamedTuple

import msgspec
from hypothesis import Phase, settings
from hypothesis import strategies as st

from driveaway.book import writer
from driveaway.facts import Draft, Fact
from driveaway.facts import cars as c
from driveaway.facts import orders as o
from driveaway.facts import public as p
from driveaway.facts import updates as u
from driveaway.facts.launches import Withdrawn
from driveaway.facts.trips import QuarantineSettled, TripSegment, TripsLanded
from driveaway.launch.launch import Launch, open_launch
from driveaway.values.clock import SECOND, parse_instant
from driveaway.values.ids import make_vin, order_id
from tests.trips import bring, landed

# Clocks in this zone go forward on the third day of a history.
LAUNCH_TOML = """
launch = "laws"
zone = "Europe/Berlin"
currency = "EUR"
today = "2024-04-09"
suppress_under = 2

[car]
name = "Car"
orders_open = "2024-03-28T22:00:00+01:00"

[[editions]]
name = "founder"
quota = 3

[rules]
refundable_hours = 168
limit_per_person = 3
handover_needs = ["built", "pegged"]

[[targets]]
name = "deliveries"
set_on = "2024-03-28"
measure = "cars.delivered"
amount = 5
from_day = "2024-04-02"
until_day = "2024-04-08"

[[targets]]
name = "stores"
set_on = "2024-03-28"
measure = "outlets.open"
role = "store"
amount = 3
from_day = "2024-04-02"
until_day = "2024-04-08"
"""
START = parse_instant("2024-03-28T22:00:00+01:00", None)
MINUTE = 60 * SECOND
LAST = 13 * 24 * 60
"""Minutes from the start of a history to its end."""
TRIMS = ("Max", "Pro", "Standard")
COLOURS = ("Blue", "Green")
# Two cities bear one name, as happens in real life.
PLACES = (("320000", "Suzhou"), ("340000", "Suzhou"), ("320000", "Nanjing"), ("900001", "Elsewhere"))
OUTLETS = ("store-1", "store-2", "service-1")
OUTCOMES = ("installed", "installed", "failed", "silent", "fell_back", "cancelled", "downloaded")
DECISIONS = ("started", "advanced", "aborted")
FATES = ("reserved", "locked", "cancelled", "locked then cancelled", "handed over", "given back")


def few(examples: int) -> settings:
    """Each example costs about a second: few of them, and only at night many, made smaller if one fails."""
    nightly = settings.default is not None and settings.default.max_examples >= 1000
    phases = [Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if nightly else [])]
    return settings(max_examples=25 * examples if nightly else examples, phases=phases)


class Correct(NamedTuple):
    """A live fact gets another content, or another time."""

    pick: int
    minutes: int
    choice: int


class Withdraw(NamedTuple):
    """A live fact is taken back."""

    pick: int


class Landing(NamedTuple):
    """A batch of trips comes in."""

    name: str
    segments: tuple[TripSegment, ...]
    quarantined: Mapping[str, int]


Act = Draft | Correct | Withdraw | Landing
"""What somebody asks to record."""


@dataclass(frozen=True)
class Question:
    """One figure, asked in one way."""

    name: str
    by: tuple[str, ...]
    arguments: tuple[tuple[str, str], ...]


def at(minutes: int) -> int:
    return START + minutes * MINUTE


def vin(number: int) -> str:
    return make_vin("LNB", "SC3AB", 2024, "B", number)


@st.composite
def _order(draw: st.DrawFn, number: int) -> list[Draft]:
    subject, simulated = order_id(number), draw(st.booleans())
    minutes = draw(st.integers(0, LAST - 3000))
    drafts: list[Draft] = []

    def say(kind: str, body: Any, *, about: str = subject, least: int = 0) -> None:
        nonlocal minutes
        # Often nothing lies between two facts: at the same moment the order of recording decides.
        minutes += least + draw(st.sampled_from((0, 0, 1, 700, 1500, 4000)))
        drafts.append(
            Draft(kind, about, at(minutes), body, f"urn:laws/{subject}/{len(drafts)}", simulated=simulated)
        )

    def configuration() -> dict[str, Any]:
        province, city = draw(st.sampled_from(PLACES))
        return {
            "trim": draw(st.sampled_from((*TRIMS, None))),
            "colour": draw(st.sampled_from((*COLOURS, None))),
            "province": province,
            "city": city,
            "outlet": draw(st.sampled_from((*OUTLETS, None))),
        }

    edition = draw(st.sampled_from((None, None, None, "founder")))
    buyer = draw(st.sampled_from((None, "B-1", "B-2")))
    say("order.reserved", o.OrderReserved(**configuration(), edition=edition, buyer=buyer))
    if draw(st.booleans()):
        body = o.BuyerDescribed(
            sex=draw(st.sampled_from(("female", "male", None))),
            phone_brand=draw(st.sampled_from(("Apple", "Xiaomi", None))),
            previous_brand=draw(st.sampled_from(("Audi", "BMW"))),
        )
        say("buyer.described", body)
    if draw(st.integers(0, 3)) == 0:
        say("order.changed", o.OrderChanged(**configuration()))
    fate = draw(st.sampled_from(FATES))
    if fate not in ("reserved", "cancelled"):
        chosen = configuration() if draw(st.integers(0, 3)) == 0 else {}
        say("order.locked", o.OrderLocked(**chosen))
        if draw(st.integers(0, 3)) == 0:
            say("order.changed", o.OrderChanged(**configuration(), requeues=draw(st.booleans())))
    if "cancelled" in fate:
        say("order.cancelled", o.OrderCancelled(by=draw(st.sampled_from(("buyer", "maker")))))
    if fate in ("handed over", "given back"):
        car = vin(number)
        say("car.built", c.CarBuilt(plant="one", trim=draw(st.sampled_from(TRIMS)), colour="Blue"), about=car)
        say("car.pegged", c.CarPegged(order=subject), about=car)
        say("order.handed_over", o.OrderHandedOver(vin=car, city=draw(st.sampled_from(("Nanjing", None)))))
        if fate == "given back":
            say("car.returned", c.CarReturned(order=subject), about=car)
    return drafts


@st.composite
def _others(draw: st.DrawFn) -> list[Draft]:
    """Stock cars, outlets, targets, events, tests: each kind sometimes missing altogether."""
    drafts: list[Draft] = []

    def say(kind: str, subject: str, body: Any) -> None:
        happened = at(draw(st.integers(0, LAST)))
        drafts.append(
            Draft(
                kind, subject, happened, body, f"urn:laws/other/{len(drafts)}", simulated=draw(st.booleans())
            )
        )

    for number in range(draw(st.integers(0, 2))):
        purpose: Literal["stock", "test"] = draw(st.sampled_from(("stock", "test")))
        say("car.built", vin(100 + number), c.CarBuilt(plant="two", trim="Max", purpose=purpose))
    for slug in draw(st.lists(st.sampled_from(OUTLETS), max_size=5)):
        if draw(st.integers(0, 2)) == 0:
            say("outlet.closed", slug, p.OutletClosed())
        else:
            province, city = draw(st.sampled_from(PLACES))
            role: Any = slug.partition("-")[0]
            say("outlet.opened", slug, p.OutletOpened(role=role, province=province, city=city))
    if drafts and draw(st.booleans()):
        # An outlet that moves: closed and opened again in the same minute.
        last = drafts[-1]
        if last.kind == "outlet.closed":
            body = p.OutletOpened(role="store", province="320000", city="Nanjing")
            drafts.append(Draft("outlet.opened", last.subject, last.happened, body, "urn:laws/moved"))
    for measure in draw(
        st.lists(st.sampled_from(("cars.delivered", "orders.locked_net", "outlets.cities")), max_size=2)
    ):
        amount = draw(st.integers(0, 9))
        say(
            "target.set",
            "goal",
            p.TargetSet(measure=measure, amount=amount, from_day="2024-04-01", until_day="2024-04-05"),
        )
    for number in range(draw(st.integers(0, 2))):
        say("event.held", f"show-{number}", p.EventHeld(title="A show"))
    for number in range(draw(st.integers(0, 2))):
        body = p.CarTested(
            car=draw(st.sampled_from(("Car", "Rival"))),
            rival=number == 1,
            tester="T",
            condition="winter",
            distance=draw(st.sampled_from((None, 0, 300_000))),
            claimed_distance=draw(st.sampled_from((None, 0, 500_000))),
            energy=draw(st.sampled_from((None, 60_000))),
            claimed_energy=draw(st.sampled_from((None, 70_000))),
        )
        say("test.measured", f"test-{number}", body)
    return drafts


@st.composite
def _updates(draw: st.DrawFn) -> list[Draft]:
    """What became of updates and functions, of known cars and of others; each kind may be missing."""
    drafts: list[Draft] = []

    def say(kind: str, subject: str, minutes: int, body: Any) -> None:
        source = f"urn:laws/updates/{len(drafts)}"
        drafts.append(Draft(kind, subject, at(minutes), body, source, simulated=draw(st.booleans())))

    cars, times = st.integers(1, 3).map(vin), st.integers(0, LAST)
    for action in range(draw(st.integers(0, 4))):
        car, minutes = draw(cars), draw(times)
        release = draw(st.sampled_from(("one-1", "one-2")))
        for later in range(draw(st.sampled_from((1, 1, 2)))):
            outcome: Any = draw(st.sampled_from(OUTCOMES))
            body = u.UpdateFinished(
                action=action,
                release=release,
                outcome=outcome,
                rollout=draw(st.sampled_from(("wave", None))),
                to_version="2",
                verified=outcome == "installed" and draw(st.integers(0, 3)) == 0,
            )
            say("update.finished", car, minutes + later, body)
        for _ in range(draw(st.integers(0, 2))):
            minutes += draw(st.sampled_from((0, 1, 700)))
            known = draw(st.integers(0, 3)) > 0
            report = u.VersionReported(
                version=draw(st.sampled_from(("1", "2"))),
                release=release if known else None,
                action=action if known else None,
                agrees=draw(st.booleans()) if known else None,
            )
            say("version.reported", car, minutes, report)
    for _ in range(draw(st.integers(0, 4))):
        function = draw(st.sampled_from(("city_navigation", "city-navigation", "parking")))
        say("function.activated", draw(cars), draw(times), u.FunctionActivated(function=function))
    for _ in range(draw(st.integers(0, 3))):
        decision: Any = draw(st.sampled_from(DECISIONS))
        counts = {name: draw(st.integers(0, 9)) for name in ("opened", "succeeded", "failed")}
        decided = u.RolloutDecided(decision=decision, release="one-1", **counts)
        say("rollout.decided", draw(st.sampled_from(("wave", "other"))), draw(times), decided)
    return drafts


@st.composite
def _driving(draw: st.DrawFn) -> list[tuple[int, Landing | Draft]]:
    """Batches of trips, late ones among them, and what became of rows that were put aside."""
    out: list[tuple[int, Landing | Draft]] = []
    for number in range(draw(st.integers(0, 3))):
        segments: list[TripSegment] = []
        for trip in range(draw(st.integers(1, 4))):
            start = at(draw(st.integers(0, LAST)))
            metres = draw(st.sampled_from((0, 1, 900, 60_000)))
            function = draw(st.sampled_from((None, "highway_pilot", "parking")))
            segment = TripSegment(
                vin=vin(draw(st.integers(1, 4))),
                trip=number * 10 + trip,
                start=start,
                end=start + draw(st.sampled_from((1, 45, 600))) * MINUTE,
                distance_m=metres,
                assisted_m=0 if function is None else metres - metres // 3,
                function=function,
                level=None if function is None else 2,
                system_deactivations=draw(st.integers(0, 1)),
                energy_wh=draw(st.sampled_from((None, 150))),
                software=draw(st.sampled_from((None, "1", "2"))),
                city=draw(st.sampled_from((None, "Nanjing", "Suzhou"))),
                simulated=draw(st.booleans()),
            )
            segments.append(segment)
        aside = draw(st.sampled_from(({}, {"trip.backwards": 2}, {"trip.backwards": 1, "vin.check": 3})))
        name = f"batch-{number}"
        happened = min(segment.start for segment in segments)
        out.append((happened, Landing(name, tuple(segments), aside)))
        if aside and draw(st.booleans()):
            settled = QuarantineSettled(outcome="discarded", code="trip.backwards", rows=1)
            later = happened + 700 * MINUTE
            out.append((later, Draft("trips.settled", name, later, settled, f"urn:laws/settled/{number}")))
    return out


@st.composite
def histories(draw: st.DrawFn, orders: int = 6) -> list[Act]:
    """Acts in order of their recording."""
    lives = [draw(_order(number)) for number in range(1, 1 + draw(st.integers(0, orders)))]
    drafts = [draft for life in [*lives, draw(_others()), draw(_updates())] for draft in life]
    late = st.sampled_from((0, 0, 0, 0, 0, 0, 0, 3000, 20_000))
    timed = [(draft.happened + draw(late) * MINUTE, number, draft) for number, draft in enumerate(drafts)]
    acts: list[Act] = [draft for _, _, draft in sorted(timed, key=lambda item: item[:2])]
    for _, act in draw(_driving()):
        acts.insert(draw(st.integers(0, len(acts))), act)
    corrections = st.builds(
        Correct, st.integers(0, 99), st.sampled_from((0, 0, 1, -60, 1500, -4000)), st.integers(0, 99)
    )
    withdrawals = st.builds(Withdraw, st.integers(0, 99))
    for change in draw(st.lists(st.one_of(corrections, corrections, withdrawals), min_size=2, max_size=8)):
        acts.insert(draw(st.integers(0, len(acts))), change)
    return acts


@st.composite
def cuts(draw: st.DrawFn) -> tuple[list[Act], int]:
    """A history and an as-of: just when a fact happened, or any minute from before it to after it."""
    acts = draw(histories())
    times = [act.happened for act in acts if isinstance(act, Draft)]
    if times and draw(st.booleans()):
        return acts, draw(st.sampled_from(times))
    return acts, at(draw(st.integers(-600, LAST + 3000)))


def questions(figures: Sequence[Any]) -> st.SearchStrategy[list[Question]]:
    """Every figure once, each time by other dimensions and with other arguments."""
    return st.tuples(*(_question(figure) for figure in figures)).map(list)


@st.composite
def _question(draw: st.DrawFn, figure: Any) -> Question:
    by: tuple[str, ...] = ()
    if figure.dimensions and draw(st.booleans()):
        by = tuple(draw(st.lists(st.sampled_from(figure.dimensions), max_size=2, unique=True)))
    arguments = [
        (parameter.name, draw(_argument(parameter)))
        for parameter in figure.parameters
        if draw(st.integers(0, 2)) == 0
    ]
    return Question(figure.name, by, tuple(arguments))


def _argument(parameter: Any) -> st.SearchStrategy[str]:
    if parameter.choices:
        return st.sampled_from(parameter.choices)
    if parameter.type == "whole number":
        return st.integers(1, 20).map(str)
    if parameter.type == "day":
        return st.sampled_from(("2024-03-31", "2024-04-02"))
    own = {
        "window": ("ever", "1d", "7d", "28d"),
        "function": ("any", "parking", "highway_pilot|parking"),
        "release": ("one-1", "one-2", "nothing like it"),
    }
    if parameter.name == "function" and "one of" not in parameter.meaning and "|" not in parameter.meaning:
        own["function"] = ("any", "parking")
    return st.sampled_from(own.get(parameter.name, ("female", "Apple", "Audi|BMW", "nothing like it")))


# --- books ---


@cache
def _template() -> Path:
    folder = Path(mkdtemp(prefix="laws-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "launch.toml").write_text(LAUNCH_TOML, encoding="utf-8")
    # Pseudonyms are the same in all of them.
    (folder / "data" / "fleet").mkdir(parents=True)
    (folder / "data" / "fleet" / "pseudonyms.key").write_bytes(bytes(32))
    with open_launch(folder) as launch:
        launch.book.store.create()
    return folder


@contextmanager
def empty_launch() -> Iterator[Launch]:
    """A launch whose book is empty, in a folder that goes away."""
    with TemporaryDirectory(prefix="laws-") as parent:
        folder = Path(parent) / "laws"
        shutil.copytree(_template(), folder)
        with open_launch(folder) as launch:
            yield launch


def play(launch: Launch, acts: Sequence[Act]) -> int:
    """Record what the rules allow; how many acts they refused."""
    refused = 0
    for act in acts:
        if isinstance(act, Landing):
            act = landed(launch, act.name, act.segments, quarantined=act.quarantined)
        draft = act if isinstance(act, Draft) else _change(launch, act)
        if draft is None:
            continue
        (outcome,) = launch.append([draft], atomic=False)
        refused += outcome.error is not None
    return refused


def _change(launch: Launch, act: Correct | Withdraw) -> Draft | None:
    size = launch.book.edge().size
    facts = list(launch.book.facts(0, size))
    replaced = {fact.replaces for fact in facts}
    live = [
        f for f in facts if f.seq not in replaced and f.kind not in ("launch.described", "fact.withdrawn")
    ]
    if not live:
        return None
    old = live[act.pick % len(live)]
    if isinstance(act, Withdraw):
        return Draft(
            "fact.withdrawn", old.subject, old.happened, Withdrawn(reason="laws"), replaces=old.seq,
            simulated=old.simulated,
        )  # fmt: skip
    # A batch happened when its first trip did.
    minutes = 0 if old.kind == "trips.landed" else act.minutes
    happened = old.happened + minutes * MINUTE
    return Draft(
        old.kind, old.subject, happened, _other(old, act.choice), replaces=old.seq, simulated=old.simulated
    )


def _other(old: Fact, choice: int) -> Any:
    """Another content of the same kind."""
    fields = old.body.__struct_fields__
    changes: dict[str, Any] = {}
    if "trim" in fields:
        changes["trim"] = TRIMS[choice % len(TRIMS)]
    if "city" in fields:
        changes["city"] = "Nanjing"
    if "sex" in fields:
        changes["sex"] = ("female", "male")[choice % 2]
    if "agrees" in fields and old.body.action is not None:  # type: ignore[attr-defined]
        changes["agrees"] = bool(choice % 2)
    if "outcome" in fields:
        known = OUTCOMES if old.kind == "update.finished" else ("released", "discarded")
        changes["outcome"] = known[choice % len(known)]
    if "decision" in fields:
        changes["decision"] = DECISIONS[choice % len(DECISIONS)]
    if "function" in fields:
        changes["function"] = ("city_navigation", "parking")[choice % 2]
    if "amount" in fields:
        changes["amount"] = choice
    return msgspec.structs.replace(old.body, **changes)


class _Anything:
    """Rules that allow everything."""

    seen = -1

    def prepare(self, drafts: Sequence[Draft], reader: writer.Reader, size: int) -> None:
        return

    def decide(self, draft: Draft) -> Sequence[Draft]:
        return (draft,)


@contextmanager
def launch_of(facts: Sequence[Fact]) -> Iterator[Launch]:
    """A launch whose book holds just these facts, recorded in this order."""
    with empty_launch() as launch:
        drafts = [Draft(f.kind, f.subject, f.happened, f.body, simulated=f.simulated) for f in facts]
        for fact in facts:
            if isinstance(fact.body, TripsLanded):
                bring(launch, fact.body)
        writer.append(launch.book.store, drafts, _Anything(), atomic=True)
        yield launch
