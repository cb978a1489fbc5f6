"""Figures about driving beside a count in plain Python, in every way in which they can be asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.facts import Draft
from driveaway.facts.trips import QuarantineSettled, TripSegment
from driveaway.facts.updates import VersionReported
from driveaway.fleet.figures import active as active_figures
from driveaway.fleet.figures import best
from driveaway.fleet.figures import sums as sum_figures
from driveaway.fleet.ledger import counting
from driveaway.launch.launch import Launch
from driveaway.values.clock import end_of_day, parse_instant
from driveaway.values.errors import BadValue
from tests.driving import Part, World, active, driven, last_of
from tests.laws.histories import empty_launch, few, vin
from tests.trips import land
from tests.unit.fleet.histories import DAYS, FIRST, Act, append, histories, play

_ROW = ("function", "level", "software", "city")


@contextmanager
def all_shown() -> Iterator[Launch]:
    """An empty launch in which no city is too rare to be shown."""

    def keep(rows: Sequence[dict[str, Any]], view: Any, beside: Sequence[str]) -> None:
        for row in rows:
            row.pop("cars", None)

    with pytest.MonkeyPatch.context() as patch, empty_launch() as launch:
        patch.setattr(active_figures, "hide_rare", keep)
        patch.setattr(sum_figures, "hide_rare", keep)
        yield launch


def of_car(world: World, part: Part, name: str) -> Any:
    if name == "trim":
        return world.trims.get(part.segment.vin)
    return part.day if name == "day" else getattr(part.segment, name)


sums_asked = st.fixed_dictionaries(
    {
        "name": st.sampled_from(("distance", "assisted_distance", "assisted_share", "energy_per_100km")),
        "window": st.sampled_from(("ever", "1d", "4d", "28d")),
        "function": st.sampled_from(("any", "parking", "parking|driven")),
        "by": st.lists(st.sampled_from(("day", "trim", "function", "level", "software", "city")), max_size=2,
                       unique=True),
    }
)  # fmt: skip


def sums(world: World, asked: dict[str, Any], mark: int, last: date) -> dict[tuple[Any, ...], Any]:
    first = date.min if asked["window"] == "ever" else last - timedelta(days=int(asked["window"][:-1]) - 1)
    parts = [part for part in world.parts(mark, last) if part.day >= first]
    wanted = None if asked["function"] == "any" else asked["function"].split("|")
    by = asked["by"]
    broad = [name for name in by if name not in ("function", "level")]
    ours = [part for part in parts if wanted is None or part.segment.function in wanted]
    keys = {tuple(of_car(world, part, name) for name in by) for part in ours if any(part.sums.values())}
    if broad == by and wanted is not None:
        keys |= {tuple(of_car(world, part, name) for name in by) for part in parts if any(part.sums.values())}
    out: dict[tuple[Any, ...], Any] = {}
    for key in keys or ({()} if not by and parts else set()):
        names = dict(zip(by, key, strict=True))
        above = [p for p in ours if all(of_car(world, p, n) == v for n, v in names.items())]
        below = [p for p in parts if all(of_car(world, p, n) == names[n] for n in broad)]

        def total(some: Sequence[Part], name: str) -> int:
            return sum(part.sums[name] for part in some)

        if asked["name"] == "distance":
            out[key] = total(above, "distance_m")
        elif asked["name"] == "assisted_distance":
            out[key] = total(above, "assisted_m")
        elif asked["name"] == "assisted_share":
            out[key] = _ratio(total(above, "assisted_m"), total(below, "distance_m"))
        else:
            out[key] = _ratio(100 * total(above, "energy_wh"), total(above, "energy_m"))
    return out


def _ratio(above: int, below: int) -> float | None:
    return above / below if below else None


@few(5)
@given(histories(), st.lists(sums_asked, min_size=4, max_size=6), st.integers(0, DAYS), st.data())
def test_sums(acts: list[Act], questions: list[dict[str, Any]], day: int, data: st.DataObject) -> None:
    last = FIRST + timedelta(days=day)
    with all_shown() as launch:
        world = play(launch, acts)
        size = launch.book.edge().size
        for question in questions:
            asked = dict(question)
            if asked["name"] == "energy_per_100km":
                asked |= {"function": "any", "by": [n for n in asked["by"] if n not in ("function", "level")]}
            mark = data.draw(st.sampled_from((size, size // 2)), label="mark")
            arguments = {"window": asked["window"]}
            if asked["name"] != "energy_per_100km":
                arguments["function"] = asked["function"]
            at = launch.at(end_of_day(last, launch.zone), mark=mark)
            answer = at.figure(f"fleet.{asked['name']}", by=asked["by"], **arguments)
            expected = sums(world, asked, mark, last)
            if not asked["by"]:
                if expected.get(()) is None:
                    assert answer.unknown, asked
                else:
                    assert answer.value == expected[()], asked
                continue
            found = {tuple(_typed(n, row[n]) for n in asked["by"]): row["value"] for row in answer.rows or ()}
            assert found == expected, asked


def _typed(name: str, value: Any) -> Any:
    return date.fromisoformat(value) if name == "day" else value


rates_asked = st.fixed_dictionaries(
    {
        "window": st.sampled_from(("ever", "1d", "3d", "28d")),
        "of": st.sampled_from(("delivered", "driven")),
        "function": st.sampled_from(("any", "parking", "driven", "parking|driven")),
        "least": st.sampled_from((1, 1, 600)),
        "by": st.lists(
            st.sampled_from(("day", "day", "trim", "city", "software", "level", "function")), max_size=3
        ).map(lambda names: list(dict.fromkeys(names))),
    }
)


def rate(
    world: World, asked: dict[str, Any], mark: int, last: date, day: date
) -> dict[tuple[Any, ...], tuple[int, int]]:
    """Group beside the day → (active, of how many), where there is any."""
    first = date(2000, 1, 1) if asked["window"] == "ever" else day - timedelta(int(asked["window"][:-1]) - 1)
    parts = world.parts(mark, last)
    below = driven(parts, first, day) if asked["of"] == "driven" else world.delivered(mark, day)
    names = [name for name in asked["by"] if name not in ("day", "function")]
    wanted = None if asked["function"] == "any" else asked["function"].split("|")
    functions: list[Any] = [None]
    if "function" in asked["by"]:
        known = {p.segment.function for p in parts if p.segment.function and p.sums["assisted_m"]}
        functions = sorted(known if wanted is None else known & set(wanted))
    where = {name: last_of(parts, first, day, name) for name in ("city", "software", "level")}

    def key_of(car: str) -> tuple[Any, ...]:
        return tuple(world.trims.get(car) if n == "trim" else where[n].get(car) for n in names)

    out: dict[tuple[Any, ...], tuple[int, int]] = {}
    for function in functions:
        cars = active(parts, first, day, wanted if function is None else [function], asked["least"]) & below
        keys = {key_of(car) for car in (cars if "level" in names else cars | below)} if names else {()}
        for key in keys:
            others = [place for place, name in enumerate(names) if name != "level"]
            of = sum(all(key_of(car)[i] == key[i] for i in others) for car in below)
            group = tuple(
                function if n == "function" else key[names.index(n)] for n in asked["by"] if n != "day"
            )
            out[group] = (sum(key_of(car) == key for car in cars), of)
    return {group: both for group, both in out.items() if both[1]}


@few(8)
@given(histories(), st.lists(rates_asked, min_size=3, max_size=4), st.integers(0, DAYS), st.data())
def test_rates(acts: list[Act], questions: list[dict[str, Any]], day: int, data: st.DataObject) -> None:
    last = FIRST + timedelta(days=day)
    with all_shown() as launch:
        world = play(launch, acts)
        size = launch.book.edge().size
        for asked in questions:
            mark = data.draw(st.sampled_from((size, size // 2)), label="mark")
            at = launch.at(end_of_day(last, launch.zone), mark=mark)
            arguments = {name: asked[name] for name in ("window", "of", "function")}
            arguments["at_least_m"] = str(asked["least"])
            answer = at.figure("fleet.active_rate", by=asked["by"], **arguments)
            rows: list[dict[str, Any]] = [dict(row) for row in answer.rows or ()]
            if not asked["by"]:
                expected = rate(world, asked, mark, last, last).get((), (0, 0))
                if answer.unknown is None:
                    assert answer.value == expected[0] / expected[1], asked
                else:
                    assert not expected[0], asked
                continue
            if answer.unknown is not None:
                # Nothing has landed at all, or nobody was there.
                assert not any(n for n, _ in rate(world, asked, mark, last, last).values()), asked
                continue
            days = {date.fromisoformat(row["day"]) for row in rows} if "day" in asked["by"] else {last}
            if "day" in asked["by"]:
                days |= {last - timedelta(days=n) for n in range(3)}
            for one in days:
                here = [r for r in rows if r.get("day", one.isoformat()) == one.isoformat()]
                found = {tuple(r[n] for n in asked["by"] if n != "day"): (r["active"], r["of"]) for r in here}
                expected_rows = rate(world, asked, mark, last, one)
                if "function" in asked["by"]:
                    # Which functions are shown where nobody was active is left open.
                    found = {group: both for group, both in found.items() if both[0]}
                    expected_rows = {group: both for group, both in expected_rows.items() if both[0]}
                assert found == expected_rows, (asked, one)


# --- single cases ---


def at(text: str) -> int:
    return parse_instant(f"2024-{text}+02:00", None)


def drive(car: int, day: int, metres: int, assisted: int = 0, *, trip: int = 1, **more: Any) -> TripSegment:
    more.setdefault("function", "highway_pilot" if assisted else None)
    return TripSegment(
        vin=vin(car), trip=trip, start=at(f"04-{day:02}T10:00"), end=at(f"04-{day:02}T11:00"),
        distance_m=metres, assisted_m=assisted, **more,
    )  # fmt: skip


def ask(launch: Launch, name: str, as_of: str = "2024-04-30", by: Sequence[str] = (), **more: str) -> Any:
    answer = launch.at(as_of).figure(f"fleet.{name}", by=by, **more)
    if answer.unknown is not None:
        return answer.unknown
    return answer.value if answer.rows is None else [dict(row) for row in answer.rows]


def test_a_day_that_is_not_over_does_not_count() -> None:
    with empty_launch() as launch:
        land(launch, "one", [drive(1, 3, 500)])
        assert ask(launch, "distance", "2024-04-03") == 500
        assert ask(launch, "distance", "2024-04-03T23:59:59.999999+02:00") == 500
        assert ask(launch, "distance", "2024-04-03T23:00:00+02:00") == "no trip of these days has landed"
        assert "holds no trips.landed" in ask(launch, "distance", "2024-04-02")


def test_a_function_may_be_named_as_a_sense_of_active_is() -> None:
    with empty_launch() as launch:
        trips = [drive(n, 3, 900, 700, trip=n, function=name) for n, name in ((1, "driven"), (2, "assisted"))]
        land(launch, "one", [*trips, drive(3, 3, 900)])
        for least in ("1", "600"):
            rows = ask(launch, "active_rate", by=["function"], of="driven", at_least_m=least)
            found = [(row["function"], row["active"], row["of"]) for row in rows]
            assert found == [("assisted", 1, 3), ("driven", 1, 3)], least


def test_the_longest_day_and_whose_it_was() -> None:
    with empty_launch() as launch:
        land(launch, "one", [drive(1, 3, 900, 700), drive(1, 3, 50, 50, trip=2), drive(2, 4, 800, 740)])
        answer = launch.at("2024-04-30").figure("fleet.most_in_one_day")
        assert answer.value == 750
        pseudonym = launch.at("2024-04-30").view.pseudonym(vin(1))
        assert answer.note == f"{pseudonym} on 2024-04-03"
        assert vin(1) not in str(answer.json())
        found = ask(launch, "most_in_one_day", metres="all", top="2")
        assert [(row["value"], row["day"]) for row in found] == [(950, "2024-04-03"), (800, "2024-04-04")]
        assert found[0]["car"] == pseudonym
        assert len(ask(launch, "most_in_one_day", by=["day"])) == 2
        assert ask(launch, "most_in_one_day", "2024-04-04", window="1d") == 740


@few(12)
@given(st.data())
def test_records(data: st.DataObject) -> None:
    acts = data.draw(histories())
    metres, name = data.draw(st.sampled_from((("all", "distance_m"), ("assisted", "assisted_m"))))
    window = data.draw(st.sampled_from(("ever", "4d")))
    function = data.draw(st.sampled_from(("any", "parking", "parking|driven")))
    top = data.draw(st.integers(1, 3))
    last = FIRST + timedelta(days=DAYS - 2)
    with pytest.MonkeyPatch.context() as patch, empty_launch() as launch:
        # Long rows are so few that days are told by them, or none are; few or no days are named.
        all_m, assisted_m = data.draw(st.sampled_from(((1, 1), (400, 100), (9_000, 9_000), (10**9, 10**9))))
        patch.setitem(counting.LONG_M, "distance_m", all_m)
        patch.setitem(counting.LONG_M, "assisted_m", assisted_m)
        patch.setattr(best, "_FEW", data.draw(st.sampled_from((0, 1000))))
        # Without room for equals, a record is looked for among promising days only.
        patch.setattr(best, "_TIES", 0)
        world = play(launch, acts)
        size = launch.book.edge().size
        mark = data.draw(st.sampled_from((size, size // 2)), label="mark")
        days: dict[tuple[str, date], int] = {}
        for part in world.parts(mark, last):
            counts = function == "any" or part.segment.function in function.split("|")
            if counts and (window == "ever" or part.day > last - timedelta(days=4)):
                key = (part.segment.vin, part.day)
                days[key] = days.get(key, 0) + part.sums[name]
        expected = sorted((n for n in days.values() if n > 0), reverse=True)[:top]
        at = launch.at(end_of_day(last, launch.zone), mark=mark)
        asked = {"metres": metres, "window": window, "function": function, "top": str(top)}
        answer = at.figure("fleet.most_in_one_day", **asked)
        if top == 1 or not expected:
            assert answer.value == (expected[0] if expected else None)
        else:
            assert [row["value"] for row in answer.rows or ()] == expected


def test_the_longest_day_may_begin_with_short_drives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(counting.LONG_M, "distance_m", 9_000)
    with empty_launch() as launch:
        for trip in range(3):
            land(launch, f"short-{trip}", [drive(1, 3, 8_000, trip=trip)])
        land(launch, "long", [drive(1, 3, 50_000, trip=9), drive(2, 3, 70_000), drive(3, 3, 60_000)])
        found = ask(launch, "most_in_one_day", metres="all", top="2")
        assert [row["value"] for row in found] == [74_000, 70_000]


def test_ends_of_assistance_are_told_apart() -> None:
    with empty_launch() as launch:
        trip = drive(1, 3, 500_000, 500_000, driver_overrides=3, system_deactivations=1)
        land(launch, "one", [trip, drive(2, 3, 9, driver_overrides=5)])
        assert ask(launch, "deactivations_per_1000km") == 2
        assert ask(launch, "deactivations_per_1000km", kind="driver_override", function="highway_pilot") == 6
        with pytest.raises(BadValue, match="one choice"):
            ask(launch, "deactivations_per_1000km", kind="driver_override|system_deactivation")
        found = launch.at("2024-04-30").figure("fleet.deactivations_per_1000km")
        assert str(found.note).startswith("ended by the system itself; 2024-04-03 to 2024-04-30; ")


def test_an_answer_says_what_was_chosen_or_left_to_its_default() -> None:
    with empty_launch() as launch:
        land(launch, "one", [drive(1, 3, 900, 700)])
        cut = launch.at("2024-04-30")
        for name, chosen, said in (
            (
                "active_rate",
                {"of": "driven"},
                "of driven cars, those with 1 m or more of any function in 28d",
            ),
            (
                "active_rate",
                {"of": "driven", "at_least_m": "1000", "window": "ever", "function": "highway_pilot"},
                "of driven cars, those with 1,000 m or more of highway_pilot ever",
            ),
            ("active_cars", {"of": "driven"}, "cars with 1 m or more of any function in 28d"),
        ):
            assert str(cut.figure(f"fleet.{name}", **chosen).note).partition(";")[0] == said


def test_a_city_of_few_cars_is_not_shown_and_cannot_be_told_from_the_others() -> None:
    with empty_launch() as launch:
        trips = [
            drive(n, 3, 100, 10, city=city) for n, city in enumerate(["A"] * 7 + ["B"] * 6 + ["C"] * 2, 1)
        ]
        land(launch, "one", trips)
        for name in ("distance", "active_rate", "active_cars"):
            arguments = {} if name == "distance" else {"of": "driven"}
            rows = {row["city"]: row for row in ask(launch, name, by=["city"], **arguments)}
            assert {city for city, row in rows.items() if row["value"] is None} == {"B", "C"}, name
            assert rows["C"]["suppressed"]
            assert "of" not in rows["C"]
            assert "few cars" in ask(launch, name, city="C", **arguments)
        assert ask(launch, "distance") == 1500


def test_retention_counts_only_weeks_that_are_over() -> None:
    with empty_launch() as launch:
        land(launch, "one", [drive(1, 1, 10, 5), drive(1, 9, 10, 5, trip=2), drive(2, 2, 10, 5)])
        land(launch, "late", [drive(1, 8, 10, 5, trip=3), drive(3, 20, 10, 5)])
        rows = ask(launch, "retention", "2024-04-22")
        assert [(row["active"], row["of"]) for row in rows] == [(2, 2), (1, 2), (0, 2)]
        assert ask(launch, "retention", "2024-04-22", weeks_after="1") == 0.5
        assert ask(launch, "retention", "2024-04-22", weeks_after="9") == "that week is not over for any car"


def reported(launch: Launch, car: int, day: int, release: str) -> None:
    body = VersionReported(version="2", release=release, agrees=True)
    append(launch, [Draft("version.reported", vin(car), at(f"04-{day:02}T09:00"), body)])


def test_before_and_after_a_release_are_the_same_cars() -> None:
    with empty_launch() as launch:
        reported(launch, 1, 10, "one-2")
        reported(launch, 2, 10, "one-2")
        reported(launch, 3, 29, "one-2")
        trips = [drive(1, 8, 100, 10), drive(1, 10, 7, 7, trip=2), drive(1, 12, 200, 100, trip=3)]
        trips += [drive(2, 8, 100, 50), drive(3, 8, 100, 50), drive(3, 29, 100, 50, trip=2)]
        land(launch, "one", trips)
        rows = ask(launch, "by_release", release="one-2", days="5")
        told = [(row["period"], row["cars"], row["distance_m"], row["value"]) for row in rows]
        assert sorted(told) == [("after", 1, 200, 0.5), ("before", 1, 100, 0.1)]
        assert "no car has reported to run one-9" in ask(launch, "by_release", release="one-9")
        assert ask(launch, "retention", since="release", release="one-2", weeks_after="0") == 0.5


def test_versions_beside_each_other() -> None:
    with empty_launch() as launch:
        land(launch, "one", [drive(1, 3, 100, 25, software="1"), drive(1, 4, 50, software="2", trip=2)])
        rows = ask(launch, "by_release")
        assert [(r["software"], r["distance_m"], r["value"]) for r in rows] == [
            ("1", 100, 0.25),
            ("2", 50, 0.0),
        ]


def test_what_was_put_aside_less_what_left() -> None:
    with empty_launch() as launch:
        land(launch, "one", [drive(1, 3, 9)], quarantined={"vin.check": 3, "trip.overlap": 2})
        land(launch, "two", [drive(1, 4, 9)], quarantined={"vin.check": 1}, door="http")
        assert ask(launch, "quarantined") == 6
        body = QuarantineSettled(outcome="discarded", code="vin.check", rows=2)
        append(launch, [Draft("trips.settled", "one", at("04-05T10:00"), body)])
        assert ask(launch, "quarantined") == 4
        assert ask(launch, "quarantined", code="vin.check") == 2
        rows = ask(launch, "quarantined", by=["door", "code"])
        told = [(row["door"], row["code"], row["value"]) for row in rows]
        assert told == [("file", "trip.overlap", 2), ("file", "vin.check", 1), ("http", "vin.check", 1)]


@pytest.mark.parametrize("window", ["28", "0d", "99999d", "d", "28D", "4w", ""])
def test_a_window_is_refused(window: str) -> None:
    with empty_launch() as launch, pytest.raises(BadValue, match="is not a window"):
        ask(launch, "active_rate", window=window)


def test_cars_of_several_days_are_no_sum() -> None:
    with empty_launch() as launch:
        land(launch, "one", [drive(1, 3, 9, 9)])
        with pytest.raises(BadValue, match="no sum"):
            ask(launch, "active_rate", of="driven", day="2024-04-03|2024-04-04")
        assert ask(launch, "active_rate", of="driven", day="2024-04-03") == 1
        assert len(ask(launch, "active_rate", of="driven", by=["day"], day="2024-04-03|2024-04-04")) == 2
