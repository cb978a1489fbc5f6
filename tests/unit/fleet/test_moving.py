"""What leaves: tags of residency, assessments, pseudonyms, blank places."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driveaway.book.book import open_store
from driveaway.facts.launches import SubjectErased
from driveaway.fleet.exporting import export
from driveaway.fleet.residency import TAG, check_residency, read_tag
from driveaway.launch import moving
from driveaway.launch.launch import Launch, open_launch
from driveaway.values.errors import BadValue, NotFound, Refused
from tests.driven import land, segment
from tests.stores import acts

HOME = acts.LAUNCH_TOML + '\n[fleet]\nresidency = "CN"\nsuppress_under = 2\n'
BASIS = {"legal_basis": "PIPL art. 38", "by": "the privacy officer"}


def _open(folder: Path, text: str) -> Launch:
    folder.mkdir(exist_ok=True)
    (folder / "launch.toml").write_text(text)
    store = open_store(f"sqlite:///{folder / 'data' / 'book.sqlite'}")
    store.create()
    store.close()
    return open_launch(folder)


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    with _open(tmp_path / "one", HOME) as launch:
        for trip, day in ((1, 1), (2, 2), (3, 3)):
            rows = [
                segment(acts.car(n), trip, acts.at(24 * day), city=city, cell=cell, odometer_m=1000 * n)
                for n, city, cell in (
                    (1, "Beijing", "39.9,116.4"),
                    (2, "Beijing", "39.9,116.4"),
                    (3, "Beijing", "40.0,116.4"),
                    (4, "Lhasa", "29.6,91.1"),
                    (5, "Wuhan", "30.5,114.3"),
                    (6, "Wuhan", "30.5,114.3"),
                )
            ]
            land(launch, f"batch-{trip}", rows)
        yield launch


def _assess(launch: Launch, **more: Any) -> None:
    fields = {"from_region": "CN", "to_region": "DE", "what": ("trips",), "valid_until": "2199-12-31"}
    moving.assess(launch, BASIS | fields | more, slug=more.pop("slug", None))


def test_nothing_leaves_without_an_assessment(launch: Launch, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"

    def go(to: str = "DE", what: str = "trips", **more: Any) -> moving.Moved:
        return moving.export_fleet(launch, launch.at("2024-04-30"), to, what, out, **more)

    def refused(**more: Any) -> str:
        with pytest.raises(Refused) as error:
            go(**more)
        assert error.value.code == "residency.refused"
        assert not out.exists()
        said = f"--to DE --what trips{' --identified' if more.get('identified') else ''} …"
        assert said in str(error.value.remedy)
        return error.value.message

    refused()
    _assess(launch, valid_until="2024-01-01")
    assert "ended on 2024-01-01" in refused()
    _assess(launch, what=("daily",), valid_until="2199-01-01")
    assert "covers daily alone" in refused()
    _assess(launch, to_region="FR")
    refused()
    _assess(launch)
    assert "covers no VINs" in refused(identified=True)
    moved = go()
    assert moved.assessment is not None
    assert moved.assessment.subject == "cn-de-2199-12-31"
    out.unlink()
    _assess(launch, identified=True, valid_until="2199-06-30")
    assert go(identified=True).written.cars == 6
    assert go(to="CN").assessment is None
    with pytest.raises(BadValue):
        go(what="names")
    with pytest.raises(BadValue):
        go(to="germany")


def test_what_is_in_an_export(launch: Launch, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    moved = moving.export_fleet(launch, launch.at("2024-03-30"), "CN", "trips", out)
    rows = pq.read_table(out).to_pylist()
    # Days that were over: launch day is the 28th, the batches begin on the 29th.
    assert (moved.written.rows, moved.written.cars, len(rows)) == (12, 6, 12)
    assert not {"vin", "odometer_m", "seq"} & set(rows[0])
    assert len({row["pseudonym"] for row in rows}) == 6
    assert not any(acts.car(n).encode() in out.read_bytes() for n in range(1, 7))
    # One car alone in Lhasa; a city hidden alone could be told from a total, so that Wuhan is, too.
    assert {row["city"] for row in rows} == {"Beijing", None}
    # Of Beijing's two cells one is rare, and with it the other.
    assert {row["cell"] for row in rows} == {None}
    assert moved.written.hidden == 12
    again = tmp_path / "again.parquet"
    moving.export_fleet(launch, launch.at("2024-03-30"), "CN", "trips", again)
    other = pq.read_table(again).column("pseudonym").to_pylist()
    assert not set(other) & {row["pseudonym"] for row in rows}


def test_daily_sums(launch: Launch, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    cut = launch.at("2024-03-30")
    moved = moving.export_fleet(launch, cut, "CN", "daily", out, identified=True)
    rows = pq.read_table(out).to_pylist()
    assert (moved.written.rows, moved.written.cars) == (12, 6)
    assert sum(row["distance_m"] for row in rows) == cut.figure("fleet.distance").value == 12_000
    assert {row["city"] for row in rows} == {"Beijing", None}
    assert {row["vin"] for row in rows} == {acts.car(n) for n in range(1, 7)}


def test_what_an_erased_car_drove_is_no_longer_counted(launch: Launch) -> None:
    before = launch.at("2024-03-31").figure("fleet.distance")
    assert before.value == 18_000
    assert "erased" not in (before.note or "")
    launch.erase(acts.car(1), "art. 17")
    for _ in range(2):
        after = launch.at("2024-03-31").figure("fleet.distance")
        assert after.value == 15_000
        assert (after.note or "").endswith("; 1 car was erased since")
        launch.book.mirror.drop()
    assert "erased" not in (launch.at(2**51).figure("fleet.distance").note or "")


def test_a_mark_cuts_batches_and_an_erased_car_is_gone(launch: Launch, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    first = launch.book.edge().size - 2
    cut = launch.at("2024-04-30", mark=first)
    assert moving.export_fleet(launch, cut, "CN", "trips", out).written.rows == 6
    launch.erase(acts.car(1), "art. 17")
    assert [f.body.trips for f in launch.book.about(acts.car(1)) if isinstance(f.body, SubjectErased)] == [3]
    assert moving.export_fleet(launch, cut, "CN", "trips", out).written.rows == 5
    assert moving.export_fleet(launch, launch.at("2024-04-30"), "CN", "trips", out).written.rows == 15
    with pytest.raises(NotFound):
        moving.export_fleet(launch, launch.at("2024-03-28"), "CN", "trips", out)


def test_a_folder_of_another_region_is_not_opened(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    with _open(folder, HOME) as launch:
        assert read_tag(launch.data / "fleet") is None
        land(launch, "batch", [segment(acts.car(1), 1, acts.at(24))])
    open_launch(folder).close()
    tag = folder / "data" / "fleet" / TAG
    assert tag.read_text() == '{"residency":"CN"}'
    for text in (HOME.replace('"CN"', '"DE"'), acts.LAUNCH_TOML):
        (folder / "launch.toml").write_text(text)
        with pytest.raises(Refused) as refused:
            open_launch(folder)
        assert refused.value.code == "residency.differs"
    (folder / "launch.toml").write_text(HOME)
    open_launch(folder).close()
    tag.write_text("{")
    with pytest.raises(Refused) as refused:
        open_launch(folder)
    assert refused.value.code == "residency.unreadable"


def test_data_without_a_region_may_be_given_one(tmp_path: Path) -> None:
    check_residency(tmp_path / "none", "CN")
    assert not (tmp_path / "none").exists()
    (tmp_path / "data").mkdir()
    check_residency(tmp_path / "data", None)
    assert read_tag(tmp_path / "data") is None
    check_residency(tmp_path / "data", "CN")
    check_residency(tmp_path / "data", "CN")
    with pytest.raises(Refused):
        check_residency(tmp_path / "data", None)


drives = st.lists(
    st.tuples(st.integers(1, 9), st.sampled_from([None, *"ABCD"]), st.sampled_from([None, *"xyz"])),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60)
@given(drives, st.integers(0, 4), st.integers(1, 7))
def test_no_place_of_few_cars_and_none_that_a_total_gives_away(
    rows: list[tuple[int, str | None, str | None]], least: int, size: int
) -> None:
    table = pa.table(
        {
            "vin": [f"VIN{car}" for car, _, _ in rows],
            "city": pa.array([city for _, city, _ in rows], pa.string()),
            "cell": pa.array([cell for _, _, cell in rows], pa.string()),
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.parquet"
        written = export(lambda: iter([table.slice(n, size) for n in range(0, len(rows), size)]), out,
                         least=least, identified=True)  # fmt: skip
        shown = pq.read_table(out).to_pylist()
    assert written.rows == len(shown) == len(rows)
    assert written.cars == len({car for car, _, _ in rows})
    hidden_rows = 0
    cities: dict[str, set[str]] = {}
    cells: dict[tuple[str | None, str], set[str]] = {}
    lost: dict[str, set[str]] = {}
    for (car, city, cell), row in zip(rows, shown, strict=True):
        assert row["vin"] == f"VIN{car}"
        assert row["city"] in (None, city)
        assert row["cell"] in (None, cell)
        hidden_rows += (row["city"], row["cell"]) != (city, cell)
        if row["city"] is not None:
            cities.setdefault(row["city"], set()).add(row["vin"])
        elif city is not None:
            lost.setdefault(city, set()).add(row["vin"])
            assert row["cell"] is None
        if row["cell"] is not None:
            cells.setdefault((city, row["cell"]), set()).add(row["vin"])
    assert written.hidden == hidden_rows
    assert all(len(cars) >= least for cars in cities.values())
    assert all(len(cars) >= least for cars in cells.values())
    if lost and cities:
        assert len(lost) > 1
        assert sum(map(len, lost.values())) >= least
