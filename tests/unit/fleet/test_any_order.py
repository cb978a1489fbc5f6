"""Any split into batches and any order of arrival give the same rows; cells are what the room calls cells."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from driveaway.fleet.cells import cell
from driveaway.fleet.landing.batch import Landed
from driveaway.fleet.landing.compaction import compact
from driveaway.fleet.landing.normal import normalise
from driveaway.fleet.landing.runs import Held, find, merged, write_run
from driveaway.values.clock import HOUR, SECOND
from tests.unit.fleet.kit import DAY, KM, MIDNIGHT, Kit, batch, kit, row, table

_ACTS = ("land", "land", "land", "close", "drop", "another", "compact")


@st.composite
def drives(draw: st.DrawFn) -> list[dict[str, Any]]:
    """What a few cars drove over some days, in order: consistent, some of it bad in itself."""
    out = []
    for car in range(1, draw(st.integers(1, 4)) + 1):
        at, odometer = MIDNIGHT + draw(st.integers(0, 30)) * HOUR, 1_000 * KM
        for trip in range(draw(st.integers(0, 6))):
            at += draw(st.sampled_from((0, 1, 3600, 20 * 3600, 50 * 3600))) * SECOND
            length = draw(st.sampled_from((600, 3600, 7 * 3600))) * SECOND
            odometer += 10 * KM
            one = row(
                car, trip, start=at, end=at + length, distance_m=10 * KM, odometer_m=odometer,
                segment=draw(st.sampled_from((0, 0, 7))),
            )  # fmt: skip
            bad = draw(st.sampled_from(({}, {}, {}, {}, {"distance_m": -1}, {"vin": "?"}, {"end": at - 1})))
            out.append(one | bad)
            at += length
    return out


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[tuple[str, list[int]]]]:
    """Rows, and in which batches they come, some more than once."""
    rows = draw(drives())
    order = draw(st.permutations(range(len(rows))))
    again = draw(st.lists(st.sampled_from(order), max_size=6)) if order else []
    queue = [*order, *again]
    out = []
    while queue:
        size = draw(st.integers(1, 8))
        out.append((draw(st.sampled_from(_ACTS)), queue[:size]))
        del queue[:size]
    return rows, out


def plain(fleet: Kit) -> list[dict[str, Any]]:
    return [{name: value for name, value in each.items() if name != "seq"} for each in fleet.stored()]


@settings(max_examples=20)
@given(arrivals())
def test_any_order(history):
    rows, parts = history
    with TemporaryDirectory() as one, TemporaryDirectory() as two:
        whole, split = kit(Path(one)), kit(Path(two))
        if rows:
            done = whole.landing().land(batch("whole", *rows))
            bad = {i for i, each in enumerate(rows) if each["distance_m"] < 0 or each["end"] < each["start"]
                   or each["vin"] == "?"}  # fmt: skip
            assert done.rows == len(rows) - len(bad)
        landing = split.landing()
        total: Counter[str] = Counter()
        for number, (act, chosen) in enumerate(parts):
            middle = len(chosen) // 2
            pieces = [each for each in (chosen[:middle], chosen[middle:]) if each]
            batches = [batch(f"b-{number}-{n}", *(rows[i] for i in piece)) for n, piece in enumerate(pieces)]
            for each in landing.land_all(batches):
                assert isinstance(each, Landed)
                total.update(rows=each.rows, repeated=each.repeated, aside=each.put_aside)
            if act == "close":
                landing.close()
            elif act == "drop":
                landing.index.drop()
            elif act == "another":
                landing = split.landing()
            elif act == "compact":
                compact(landing, many=2, whole=True)
        assert plain(split) == plain(whole)
        assert total["rows"] == len(plain(whole))
        assert sum(total.values()) == sum(len(chosen) for _, chosen in parts)


@given(st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=1, max_size=20))
def test_cells(positions):
    rows = [row(1, 1) | {"latitude": y, "longitude": x} for y, x in positions]
    found = normalise(table(*rows), simulated=False, places=None).columns["cell"].to_pylist()
    assert found == [cell(y, x, datum="WGS-84") for y, x in positions]


words = st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=40)


@given(words, words, words)
def test_runs(tmp_path_factory, one, two, asked):
    def run(keys: list[int]) -> Held:
        array = np.array(keys, np.uint64)
        return Held.of(array, array ^ np.uint64(7))

    both = merged(run(one), run([key for key in two if key not in one]))
    stored = write_run(tmp_path_factory.mktemp("runs") / "run", [both, run([]), run([])])
    known = sorted({*one, *two})
    wanted = np.array([*asked, *known], np.uint64)
    for runs in ([both], [stored], [run(one), run(two)]):
        found, there = find(runs, wanted)
        assert there.tolist() == [key in known for key in wanted.tolist()]
        assert (found[there] == wanted[there] ^ np.uint64(7)).all()
    assert both.keys.tolist() == known


def test_days_far_apart(tmp_path):
    fleet = kit(tmp_path)
    rows = [row(1, n, start=MIDNIGHT + n * DAY, odometer_m=None) for n in range(15)]
    assert fleet.landing().land(batch("one", *rows)).rows == 15
    assert len(list(fleet.folder.trips.iterdir())) == 15
