"""Files as batches: any form, the same ids each time, and a bad line or file hides no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq
import pytest

from driveaway.fleet.landing import sources, texts
from driveaway.values.errors import BadValue, NotFound
from tests.unit.fleet.kit import Kit, kit, row, table

ROWS = [row(car, trip) for car in (1, 2) for trip in (1, 2, 3)]


@pytest.fixture
def fleet(tmp_path) -> Kit:
    return kit(tmp_path)


def land(fleet: Kit, path: Path) -> list[Any]:
    landing = fleet.landing()
    return [landing.land(each) for each in sources.batches(sources.open_source(path))]


def write(path: Path, form: str) -> Path:
    whole = table(*ROWS)
    if form == "parquet":
        pq.write_table(whole, path, row_group_size=2)
    elif form == "csv":
        pv.write_csv(whole, path)
    elif form == "ndjson":
        path.write_text("\n".join(json.dumps(each) for each in ROWS) + "\n\n")
    else:
        new = pa.ipc.new_file if form == "arrow" else pa.ipc.new_stream
        with pa.OSFile(str(path), "wb") as file, new(file, whole.schema) as out:
            out.write_table(whole, max_chunksize=2)
    return path


@pytest.mark.parametrize("form", ["parquet", "csv", "ndjson", "arrow", "arrows"])
def test_forms(fleet, tmp_path, form):
    path = write(tmp_path / f"trips.{form}", form)
    (done,) = land(fleet, path)
    assert (done.rows, done.quarantined) == (6, {})
    assert fleet.stored() == sorted(ROWS, key=lambda each: (each["vin"], each["start"]))
    body = fleet.book.facts[0].body
    assert (body.door, body.origin) == ("file", f"trips.{form}")
    (again,) = land(fleet, path)
    assert again.duplicate


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_large_files_are_split(fleet, tmp_path, monkeypatch, form):
    monkeypatch.setattr(sources, "BATCH_ROWS", 4 if form == "arrow" else 3)
    path = write(tmp_path / f"trips.{form}", form)
    assert [done.rows for done in land(fleet, path)] == ([4, 2] if form == "arrow" else [2, 4])
    assert [done.duplicate for done in land(fleet, path)] == [True, True]
    # Split otherwise, they are other batches: no row is lost for having the id of another.
    monkeypatch.setattr(sources, "BATCH_ROWS", 10)
    assert [(done.duplicate, done.repeated) for done in land(fleet, path)] == [(False, 6)]


def test_batches_are_of_like_size(monkeypatch):
    monkeypatch.setattr(sources, "BATCH_ROWS", 500_000)
    assert sources._evenly([200_000] * 7) == [[0, 1], [2, 3, 4], [5, 6]]
    assert sources._evenly([700_000]) == [[0]]
    assert sources._evenly([]) == []
    assert sources._evenly([0, 0]) == [[0, 1]]


def test_a_row_group_of_any_size(fleet, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "BATCH_ROWS", 2)
    pq.write_table(table(*ROWS), tmp_path / "a.parquet")
    assert [done.rows for done in land(fleet, tmp_path / "a.parquet")] == [2, 2, 2]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.parquet", b"", "empty"),
        ("a.parquet", b"vin,trip", "no Parquet file"),
        ("a.parquet", b"PAR1abcd", "cannot be read"),
        ("a.arrow", b"ARROW1\0\0abc", "cannot be read"),
        ("a.csv", b"vin;trip\n1;2\n", "are missing"),
        ("a.csv", b"vin,trip\n\xff\xfe,2\n", ""),
    ],
)
def test_files_that_nobody_can_read(fleet, tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadValue) as bad:
        land(fleet, tmp_path / name)
    assert words in bad.value.message
    assert fleet.book.facts == []


def test_half_a_parquet_file(fleet, tmp_path):
    path = write(tmp_path / "trips.parquet", "parquet")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BadValue) as bad:
        land(fleet, path)
    assert bad.value.code == "trips.file"
    with pytest.raises(NotFound):
        land(fleet, tmp_path / "nothing.parquet")


def test_columns_that_nobody_knows_are_not_read(fleet, tmp_path):
    whole = table(*ROWS).append_column("driver", pa.array(["Li"] * 6))
    pq.write_table(whole, tmp_path / "a.parquet")
    (batch,) = sources.batches(sources.open_source(tmp_path / "a.parquet"))
    assert "driver" not in batch.table.column_names


def test_bad_lines_of_csv(fleet, tmp_path):
    path = write(tmp_path / "trips.csv", "csv")
    lines = path.read_text().splitlines()
    lines.insert(3, "too,few")
    lines[5] = lines[5].replace("20000", "twenty", 1)
    path.write_text("\n".join(lines))
    (done,) = land(fleet, path)
    assert done.rows == 5
    assert done.quarantined == {"trips.type": 1, "trips.unreadable": 1}
    unreadable = next(each for each in done.reasons if each.code == "trips.unreadable")
    assert unreadable.content == "too,few"
    assert "2 columns where" in unreadable.reason


def test_bad_lines_of_ndjson(fleet, tmp_path):
    lines = [json.dumps(each) for each in ROWS]
    lines[1] = "{oops"
    lines[2] = json.dumps(ROWS[2] | {"trip": {"a": 1}})
    lines[3] = json.dumps(ROWS[3] | {"distance_m": "many"})
    lines[4] = json.dumps(ROWS[4] | {"distance_m": 20000.0, "software": 1.5, "simulated": None, "extra": []})
    lines[5] = "[1]"
    (tmp_path / "a.ndjson").write_text("\n".join(lines))
    (done,) = land(fleet, tmp_path / "a.ndjson")
    assert done.rows == 2
    assert [(each.row, each.code) for each in done.reasons] == [
        (1, "trips.unreadable"), (2, "trips.unreadable"), (3, "trips.type"), (5, "trips.unreadable"),
    ]  # fmt: skip
    assert done.reasons[0].content == "{oops"


def test_lines_of_ndjson_with_different_fields(fleet, tmp_path):
    needed = ("vin", "trip", "start", "end", "distance_m")
    lines = [{name: ROWS[0][name] for name in needed}, *ROWS[1:]]
    (tmp_path / "a.ndjson").write_text("\n".join(json.dumps(each) for each in lines))
    (done,) = land(fleet, tmp_path / "a.ndjson")
    assert (done.rows, done.quarantined) == (len(ROWS), {})


def test_times_of_ndjson(fleet):
    given = [
        each | {"start": "2024-04-03T01:00:00+08:00", "end": "2024-04-02T17:30:00Z"} for each in ROWS[:1]
    ]
    piece = texts.read_ndjson("\n".join(map(json.dumps, given)).encode())
    assert piece.table.schema.field("start").type == pa.string()
    durations = [{k: v for k, v in each.items() if k != "end"} | {"duration_s": 1800} for each in ROWS]
    piece = texts.read_ndjson("\n".join(map(json.dumps, durations)).encode())
    assert "end" not in piece.table.column_names


def test_ndjson_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "PIECE", 500)
    path = write(tmp_path / "a.ndjson", "ndjson")
    pieces = list(texts.read_ndjson_file(path))
    assert len(pieces) > 1
    assert sum(len(piece.table) for piece in pieces) == 6
