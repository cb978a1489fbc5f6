"""A file that is read in a process of its own gives the same as one that is read here."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driveaway.facts import Draft
from driveaway.facts.base import Encoded
from driveaway.facts.orders import OrderReserved
from driveaway.launch.imports import beside, import_file
from driveaway.launch.imports.files import opened
from driveaway.launch.imports.limits import Limits
from driveaway.launch.imports.mapping import read_mapping
from driveaway.values.errors import BadValue, DriveawayError, NotFound, Unavailable
from tests.imports import ORDERS, STRICT, VIN, bare, contents, problems, reserved, strict, written

AT = "2024-03-28T22:00:00+08:00"
LATER = "2024-03-29T08:00:00.5Z"
ECUS = '[{""name"": ""BMS"", ""hardware"": ""1"", ""software"": ""2""}]'
MIXED = f"""kind,subject,happened,source,trim,colour,buyer,amount,currency,ecus,vin,purpose
order.reserved,{ORDERS[0]},{AT},urn:a/1,Pro,Blue,b-1,,,,,
deposit.taken,{ORDERS[0]},{AT},urn:a/2,,,,500000,CNY,,,
order.reserved,{ORDERS[1]},yesterday,urn:a/3,Pro,,,,,,,
order.locked,{ORDERS[2]},{LATER},urn:a/4,Max,,,,,,,
order.locked,{ORDERS[0]},{LATER},urn:a/5,,,,,,,,
car.built,{VIN},{LATER},urn:a/6,Pro,Blue,,,,"{ECUS}",,order
order.sold,{ORDERS[3]},{LATER},,,,,,,,,

order.reserved,{ORDERS[4]},{LATER},,Pro
"""
EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "urn:a",
    "type": "driveaway.order.reserved",
    "subject": ORDERS[0],
    "time": AT,
    "data": {"trim": "Pro", "buyer": "b-1"},
}


def _columns() -> bytes:
    table = pa.table(
        {
            "kind": ["order.reserved", "order.locked", "order.reserved"],
            "subject": [ORDERS[0], ORDERS[0], "O-WRONG"],
            "happened": pa.array([1711634400000000, 1711634500000000, 0], pa.timestamp("us", "UTC")),
            "options": pa.array([["tow bar"], None, None], pa.list_(pa.string())),
            "requeues": pa.array([None, None, None], pa.bool_()),
            "simulated": [True, True, False],
        }
    )
    out = pa.BufferOutputStream()
    pq.write_table(table, out)
    return bytes(out.getvalue())


FILES: dict[str, bytes] = {
    "rows.csv": MIXED.encode(),
    "rows.csv.gz": gzip.compress(MIXED.encode() * 60)[:-40],
    "rows.parquet": _columns(),
    "rows.ndjson": (json.dumps(EVENT) + "\n{}\nnot JSON\n").encode(),
}


def _imported(folder: Path, name: str, *, apart: bool) -> tuple[Any, ...]:
    with strict(folder, STRICT) as launch:
        path = written(folder, FILES[name], name)
        progress: list[tuple[int, int, int]] = []
        report = import_file(launch, path, progress=lambda *told: progress.append(told), beside=apart)
        assert launch.book.verify().differences == []
        return contents(launch), problems(report), report[:4], report.counts, report.notes, progress[-1]


@pytest.mark.parametrize("name", FILES)
def test_the_same_is_recorded_and_reported(tmp_path: Path, name: str) -> None:
    here = _imported(tmp_path / "here", name, apart=False)
    apart = _imported(tmp_path / "beside", name, apart=True)
    assert apart == here
    assert here[0]
    assert here[1]


def _error(folder: Path, content: bytes, name: str, *, apart: bool, **options: Any) -> DriveawayError:
    with bare(folder) as launch, pytest.raises(DriveawayError) as caught:
        import_file(launch, written(folder, content, name), beside=apart, **options)
    return caught.value


LOOKING = """name = "other"
lookups = [{ name = "t", file = "table.csv", key = "id", by = "id" }]
facts = [{ kind = "order.reserved", subject = "id", happened = "at" }]
"""


def test_errors_are_told_as_they_are(tmp_path: Path) -> None:
    for content, name, expected, options in (
        (b"a,a\n1,2\n", "twice.csv", BadValue, {"kind": "order.reserved"}),
        (b"PAR1 nothing", "damaged.parquet", BadValue, {"kind": "order.reserved"}),
        (b"id,at\n1,2024-01-01T00:00:00Z\n", "t.csv", NotFound, {"mapping": read_mapping(LOOKING, "m.toml")}),
    ):
        errors = [
            _error(tmp_path / f"{name}-{apart}", content, name, apart=apart, **options)
            for apart in (False, True)
        ]
        here, apart_error = ((type(e), e.message, e.code, e.remedy) for e in errors)
        assert here == apart_error
        assert isinstance(errors[0], expected)
        assert errors[1].place.replace("True", "False") == errors[0].place


DIES_AT_ONCE = "import os; os._exit(3)"
DIES_LATER = """
import os
import driveaway.launch.imports.beside as beside
send = beside._send
def once(out, frame, *, last=False):
    send(out, frame, last=last)
    os._exit(9)
beside._send = once
beside.main()
"""


@pytest.mark.parametrize("program", [DIES_AT_ONCE, DIES_LATER])
def test_a_reader_that_dies_is_no_end_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    rows = reserved(*(f"{order},{AT},Pro" for order in ORDERS))
    path = written(tmp_path, rows)
    with bare(tmp_path) as launch:
        with monkeypatch.context() as patch:
            patch.setattr(beside, "_PROGRAM", program)
            with pytest.raises(Unavailable) as caught:
                import_file(launch, path, kind="order.reserved", batch=10, beside=True)
        assert caught.value.code == "import.reader"
        report = import_file(launch, path, kind="order.reserved", beside=True)
        assert report.accepted + report.repeated == len(ORDERS)
        assert len(contents(launch)) == len(ORDERS)


def test_only_a_large_file_is_worth_it(tmp_path: Path) -> None:
    for name, size, expected in (
        ("small.csv", 1_000_000, False),
        ("large.csv", 9_000_000, True),
        ("small.parquet", 1_000_000, False),
        ("large.parquet", 2_000_000, True),
    ):
        path = written(tmp_path, b"a" * size, name)
        with opened(path, None, Limits()) as file:
            assert beside.is_large(file) is expected


IMPORTING = """
import sys
from driveaway.launch.imports import import_file
from driveaway.launch.launch import open_launch
with open_launch(sys.argv[1]) as launch:
    import_file(launch, sys.argv[2], kind="order.reserved", batch=50, beside=True)
"""


def test_no_reader_is_left_when_the_import_is_killed(tmp_path: Path) -> None:
    rows = reserved(*(f"id-{number},{AT},Pro" for number in range(200_000)))
    path = written(tmp_path, rows)
    with bare(tmp_path) as launch:
        folder = launch.folder
    with subprocess.Popen([sys.executable, "-c", IMPORTING, str(folder), str(path)]) as process:
        readers = _children(process.pid)
        deadline = time.monotonic() + 30
        while not readers and time.monotonic() < deadline:
            time.sleep(0.02)
            readers = _children(process.pid)
        assert readers
        process.send_signal(signal.SIGKILL)
    while any(map(_runs, readers)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(_runs, readers))


def _children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


def test_what_was_encoded_holds_for_that_very_body_only(tmp_path: Path) -> None:
    body, other = OrderReserved(trim="Pro", buyer="b-1"), OrderReserved(trim="Max")
    mine = Encoded(body, '{"trim":"Pro"}', '{"buyer":"b-1"}')
    with bare(tmp_path) as launch:
        launch.append([Draft("order.reserved", ORDERS[0], 1, body, "urn:a", encoded=mine)])
        launch.append([Draft("order.reserved", ORDERS[1], 1, other, "urn:b", encoded=mine)])
        assert [fact.body for fact in launch.book.facts(0, 2)] == [body, other]
        assert launch.book.verify().differences == []
