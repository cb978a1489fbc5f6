"""Small files become one with the same rows; readers of either see a whole."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from driveaway.fleet.landing.compaction import Compacted, compact, sweep
from driveaway.values.clock import now
from driveaway.values.errors import Unavailable
from tests.unit.fleet.kit import DAY, MIDNIGHT, Kit, batch, kit, row, vin


@pytest.fixture
def fleet(tmp_path) -> Kit:
    return kit(tmp_path)


def fill(fleet: Kit) -> None:
    landing = fleet.landing()
    for number in range(1, 6):
        landing.land(batch(f"b-{number}", row(number, 1), row(1, 10 + number)))
    landing.land_all([batch(f"c-{number}", row(number, 2, start=MIDNIGHT + DAY)) for number in (7, 8)])


def test_small_files_become_one(fleet):
    fill(fleet)
    before = fleet.stored()
    landing = fleet.landing()
    assert compact(landing) == []
    assert compact(landing, many=2) == [Compacted("2024-04-03", 5, 10)]
    after = fleet.stored()
    assert [{k: v for k, v in each.items() if k != "seq"} for each in after] == [
        {k: v for k, v in each.items() if k != "seq"} for each in before
    ]
    assert {(each["vin"], each["trip"]): each["seq"] for each in after if "seq" in each} == {
        **{(vin(number), 1): number for number in range(1, 6)},
        **{(vin(1), 10 + number): number for number in range(1, 6)},
    }
    fact = fleet.book.facts[-1]
    assert fact.kind == "trips.compacted"
    assert len(fact.body.replaced) == 5
    # Those that have the old names can still read them.
    assert all((fleet.folder.trips / name).exists() for name in fact.body.replaced)
    assert compact(landing, many=2) == []


def test_compacted_rows_are_known_and_compacted_again(fleet):
    fill(fleet)
    compact(fleet.landing(), many=2)
    for landing in (fleet.landing(), fleet.landing()):
        landing.index.drop()
        done = landing.land(batch(f"d-{len(fleet.book.facts)}", row(3, 1), row(2, 1, distance_m=1)))
        assert (done.repeated, done.quarantined) == (1, {"trips.resent_differs": 1})
    fleet.landing().land(batch("e", row(9, 3)))
    landing = fleet.landing()
    assert compact(landing, whole=True, many=2, day="2024-04-03") == [Compacted("2024-04-03", 2, 11)]
    day = [each for each in fleet.stored() if "seq" in each]
    assert sorted(each["seq"] for each in day)[-1] == 11 or len(day) == 11


def test_sweeping(fleet):
    fill(fleet)
    landing = fleet.landing()
    compact(landing, many=2)
    files = lambda: {path.name for path in (fleet.folder.trips / "2024-04-03").iterdir()}  # noqa: E731
    (fleet.folder.trips / "2024-04-03" / "half.parquet").write_bytes(b"PAR1")
    (fleet.folder.staging / "half.123").write_bytes(b"")
    (fleet.folder.quarantine).mkdir()
    (fleet.folder.quarantine / "nobody.parquet").write_bytes(b"PAR1")
    fleet.now = now()
    assert sweep(landing) == 1
    assert len(files()) == 7
    fleet.now += DAY
    assert sweep(landing) == 7
    assert len(files()) == 1
    assert len(fleet.stored()) == 12
    assert sweep(landing) == 0


def test_a_compaction_that_was_stopped(fleet):
    fill(fleet)
    before = fleet.stored()
    landing = fleet.landing()
    fleet.book.fail = Unavailable("gone", code="store.unreachable")
    with pytest.raises(Unavailable):
        compact(landing, many=2)
    assert fleet.stored() == before
    assert len(compact(fleet.landing(), many=2)) == 1
    (name,) = [file.file for file in fleet.book.facts[-1].body.files]
    assert pq.read_metadata(fleet.folder.trips / name).num_rows == 10
