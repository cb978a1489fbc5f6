"""The ledger beside a count in plain Python, at every mark, however the batches came."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driveaway.facts.trips import TripSegment
from driveaway.launch.launch import Launch, open_launch
from driveaway.values.clock import parse_instant
from driveaway.values.errors import Unavailable
from tests.driving import World, active, driven
from tests.laws.histories import empty_launch, few, vin
from tests.trips import land
from tests.unit.fleet.histories import DAYS, FIRST, Act, histories, play

END = "2024-05-01"
_KEYS = ("function", "level", "software", "city", "simulated")
_SUMS = (
    "segments", "distance_m", "assisted_m", "duration_s", "energy_wh", "energy_m", "driver_overrides",
    "system_deactivations",
)  # fmt: skip


def rows(launch: Launch, name: str, mark: int | None = None) -> list[dict[str, Any]]:
    view = launch.at(END, mark=mark).view
    return view.run(view.landed(name))[0].to_pylist()


def sums(launch: Launch, mark: int) -> dict[tuple[Any, ...], list[int]]:
    """(VIN, day, what tells rows apart) → sums of the ledger, those that are not all 0."""
    vins = {row["car"]: row["vin"] for row in rows(launch, "cars", mark)}
    out: dict[tuple[Any, ...], list[int]] = {}
    for row in rows(launch, "ledger", mark):
        key = (vins[row["car"]], row["day"], *(row[name] for name in _KEYS))
        out[key] = [a + row[name] for a, name in zip(out.get(key, [0] * 8), _SUMS, strict=True)]
    return {key: values for key, values in out.items() if any(values)}


def brute(world: World, mark: int) -> dict[tuple[Any, ...], list[int]]:
    out: dict[tuple[Any, ...], list[int]] = {}
    for part in world.parts(mark, date.max):
        key = (part.segment.vin, part.day, *(getattr(part.segment, name) for name in _KEYS))
        out[key] = [a + part.sums[name] for a, name in zip(out.get(key, [0] * 8), _SUMS, strict=True)]
    return {key: values for key, values in out.items() if any(values)}


def distinct(found: list[dict[str, Any]], scope: str, start: date, last: date) -> int:
    """Distinct cars in a window, by the rule of the table of activity."""
    return sum(
        row["weight"]
        for row in found
        if row["scope"] == scope
        and start <= row["day"] <= last
        and (row["previous"] is None or row["previous"] < start)
    )


def compare(launch: Launch, world: World, mark: int) -> None:
    whole = brute(world, mark)
    assert sums(launch, mark) == whole
    over_cars: dict[tuple[Any, ...], list[int]] = {}
    for (_, *key), values in whole.items():
        known = over_cars.get(tuple(key), [0] * 8)
        over_cars[tuple(key)] = [a + b for a, b in zip(known, values, strict=True)]
    daily: dict[tuple[Any, ...], list[int]] = {}
    for row in rows(launch, "daily", mark):
        key = [row["day"], *(row[name] for name in _KEYS)]
        known = daily.get(tuple(key), [0] * 8)
        daily[tuple(key)] = [a + row[name] for a, name in zip(known, _SUMS, strict=True)]
    assert {key: values for key, values in daily.items() if any(values)} == {
        key: values for key, values in over_cars.items() if any(values)
    }
    found, parts = rows(launch, "activity", mark), world.parts(mark, date.max)
    held: dict[tuple[Any, ...], list[int]] = {}
    for row in found:
        net = held.setdefault((row["scope"], row["car"], row["day"]), [0, 0])
        net[0] += row["weight"]
        net[1] += row["weight"] * row["simulated"]
    assert all(net in ([0, 0], [1, 0], [1, 1]) for net in held.values())
    for first in range(-1, DAYS):
        for days in (1, 3, 28):
            start = FIRST + timedelta(days=first)
            last = start + timedelta(days=days - 1)
            assert distinct(found, "driven", start, last) == len(driven(parts, start, last))
            assert distinct(found, "assisted", start, last) == len(active(parts, start, last, None))
            for function, scope in (("parking", "parking"), ("driven", "function driven")):
                expected = active(parts, start, last, [function])
                assert distinct(found, scope, start, last) == len(expected)


@few(6)
@given(histories(), st.data())
def test_every_mark_says_what_a_count_says(acts: list[Act], data: st.DataObject) -> None:
    with empty_launch() as launch:
        world = play(launch, acts)
        size = launch.book.edge().size
        compare(launch, world, size)
        compare(launch, world, data.draw(st.integers(0, size), label="mark"))
        held = {name: Counter(map(repr, named(launch, name))) for name in ("ledger", "activity")}

        # Deleted, it comes back from what is there now: compacted files with each row's batch.
        assert launch.book.landed is not None
        launch.book.landed.drop()
        again = {name: Counter(map(repr, named(launch, name))) for name in ("ledger", "activity")}
        assert again == held
        assert launch.book.landed.problem() == ""


def named(launch: Launch, name: str) -> list[tuple[Any, ...]]:
    """Rows with VINs instead of numbers, which depend on how much was read at a time."""
    vins = {row["car"]: row["vin"] for row in rows(launch, "cars")}
    return [(vins[row.pop("car")], *sorted(row.items())) for row in rows(launch, name)]


@few(4)
@given(histories(), st.randoms(use_true_random=False))
def test_any_order_and_any_split_give_the_same(acts: list[Act], random: Any) -> None:
    with empty_launch() as launch:
        world = play(launch, acts)
        whole = sums(launch, launch.book.edge().size)
        left = [s for _, gone, batch in world.landed if gone is None for s in batch]
        windows = [(s, s + timedelta(days=d)) for s in (FIRST, FIRST + timedelta(4)) for d in (0, 2, 6)]
        found = rows(launch, "activity")
        counts = [distinct(found, scope, *w) for w in windows for scope in ("driven", "assisted")]
    random.shuffle(left)
    with empty_launch() as other:
        number = 0
        while left:
            size = random.randint(1, len(left))
            land(other, f"again-{number}", left[:size])
            left, number = left[size:], number + 1
            if random.random() < 0.3:
                rows(other, "ledger")
        assert sums(other, other.book.edge().size) == whole
        found = rows(other, "activity")
        assert [distinct(found, s, *w) for w in windows for s in ("driven", "assisted")] == counts


def at(text: str) -> int:
    return parse_instant(f"2024-{text}", None)


def drive(start: str, end: str, metres: int, **more: Any) -> TripSegment:
    return TripSegment(vin=vin(1), trip=1, start=at(start), end=at(end), distance_m=metres, **more)


def test_a_drive_over_midnight_counts_on_both_days_and_loses_nothing() -> None:
    with empty_launch() as launch:
        land(launch, "one", [drive("04-02T23:00+02:00", "04-03T01:30+02:00", 100_001, energy_wh=-7)])
        found = {row["day"].day: row for row in rows(launch, "ledger")}
        assert {day: row["distance_m"] for day, row in found.items()} == {2: 40_000, 3: 60_001}
        assert {day: row["energy_wh"] for day, row in found.items()} == {2: -3, 3: -4}
        assert {day: row["duration_s"] for day, row in found.items()} == {2: 3_600, 3: 5_400}
        assert {day: row["segments"] for day, row in found.items()} == {2: 1, 3: 0}


def test_an_evening_falls_on_its_local_day_and_the_day_of_23_hours_is_one() -> None:
    with empty_launch() as launch:
        # Midnight in Berlin is 23:00 of the day before in UTC; on 31 March, clocks go from 2 to 3.
        land(launch, "one", [drive("03-30T22:59+00:00", "03-30T23:00+00:00", 10)])
        land(launch, "two", [drive("03-30T23:00+00:00", "03-31T22:00+00:00", 23_000)])
        land(launch, "three", [drive("03-31T22:00+00:00", "03-31T22:00:01+00:00", 1)])
        found = {row["day"].isoformat(): row["distance_m"] for row in rows(launch, "ledger")}
        assert found == {"2024-03-30": 10, "2024-03-31": 23_000, "2024-04-01": 1}


def test_metres_that_would_overflow_64_bits_on_the_way_are_exact() -> None:
    from driveaway.fleet.ledger.loops.folding import share_of

    for amount, part, whole in (
        (2**62 + 1, 3, 7),
        (-(2**62) - 1, 3, 7),
        (10**15 + 3, 86_399_999_999, 10**11),
    ):
        assert share_of(amount, part, whole) == amount * part // whole
    assert share_of(-1, 0, 5) == 0
    assert share_of(-1, 5, 5) == -1


def test_small_batches_make_few_files() -> None:
    with empty_launch() as launch:
        for number in range(40):
            land(
                launch,
                f"batch-{number}",
                [drive(f"04-02T{10 + number % 9}:00+02:00", "04-03T00:00+02:00", 5)],
            )
            rows(launch, "ledger")
        assert launch.book.landed is not None
        assert len(launch.book.landed.paths("ledger")) < 16
        assert len(list((launch.data / "fleet" / "ledger").iterdir())) < 80
        assert sum(row["distance_m"] for row in rows(launch, "ledger")) == 200
        assert len(rows(launch, "ledger")) == 40


@pytest.mark.parametrize("pattern", ["ledger-*", "activity-*", "cars-*", "*.u64", "manifest.json"])
@pytest.mark.parametrize("harm", ["delete", "shorten", "flip"])
def test_a_damaged_file_comes_back(pattern: str, harm: str) -> None:
    with empty_launch() as launch:
        trips = [drive("04-02T10:00+02:00", "04-02T11:00+02:00", 70, function="parking", assisted_m=9)]
        land(launch, "one", trips)
        before = rows(launch, "ledger") + rows(launch, "activity") + rows(launch, "cars")
        path = next((launch.data / "fleet" / "ledger").glob(pattern))
        if harm == "delete":
            path.unlink()
        elif harm == "shorten":
            os.truncate(path, path.stat().st_size // 2)
        else:
            path.write_bytes(b"x" * path.stat().st_size)
        with open_launch(launch.folder) as other:
            assert rows(other, "ledger") + rows(other, "activity") + rows(other, "cars") == before
            # It goes on from there, a day that lands late.
            land(other, "two", [drive("04-01T10:00+02:00", "04-01T11:00+02:00", 5)])
            last = [row for row in rows(other, "activity") if row["seq"] == other.book.edge().size]
            assert [(row["day"].day, row["weight"]) for row in last] == [(1, 1), (2, -1), (2, 1)]
        # One that was open all the while, too.
        assert [row for row in rows(launch, "activity") if row["seq"] == launch.book.edge().size] == last


def test_lost_trips_are_told_with_their_file() -> None:
    with empty_launch() as launch:
        land(launch, "one", [drive("04-02T10:00+02:00", "04-02T11:00+02:00", 70)])
        file = launch.data / "fleet" / "trips" / "2024-04-02" / "one.parquet"
        file.unlink()
        with pytest.raises(Unavailable, match=r"one\.parquet"):
            rows(launch, "ledger")


def test_a_book_that_was_restored_gets_a_ledger_of_its_own() -> None:
    with empty_launch() as launch, empty_launch() as other:
        land(launch, "one", [drive("04-02T10:00+02:00", "04-02T11:00+02:00", 70)])
        land(other, "two", [drive("04-02T10:00+02:00", "04-02T11:00+02:00", 90)])
        assert total_metres(launch) == 70
        shutil.copytree(launch.data / "fleet" / "ledger", other.data / "fleet" / "ledger")
        assert total_metres(other) == 90


def total_metres(launch: Launch) -> int:
    return sum(row["distance_m"] for row in rows(launch, "ledger"))
