"""Formats, encodings, separators, compression: what a file is made of."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driveaway.launch.imports import import_file
from driveaway.launch.imports.limits import Limits
from driveaway.launch.imports.mapping import read_mapping
from driveaway.values.errors import BadValue, NotFound
from tests.imports import ORDERS, bare, codes, contents, import_text, problems, reserved, written

A, B, C = ORDERS[:3]
AT = "2024-03-28T22:00:00+08:00"
CHINESE = reserved(f"{A},{AT},海湾蓝", f"{B},{AT},橄榄绿")


def trims(launch: Any) -> list[str]:
    return [fact[6].trim for fact in contents(launch)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str, ends: str) -> None:
    with bare(tmp_path) as launch:
        report = import_text(launch, CHINESE.replace("\n", ends).encode(encoding), kind="order.reserved")
        assert report.all_accepted
        assert trims(launch) == ["海湾蓝", "橄榄绿"]
        assert bool(report.notes) == (encoding == "gb18030")


def test_mixed_line_ends_a_last_line_without_one_and_blank_lines(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        text = f"subject,happened\r\n{A},{AT}\r{B},{AT}\n\n,,\n{C},{AT}"
        report = import_text(launch, text, kind="order.reserved")
        assert (report.accepted, report.rejected) == (3, 0)
        assert report.notes == ("2 blank lines",)


def test_one_line_in_another_encoding(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        lines = [CHINESE.encode(), f"{C},{AT},海湾蓝\n".encode("gb18030")]
        report = import_text(launch, b"".join(lines), kind="order.reserved")
        assert codes(report) == ["encoding.invalid"]
        assert problems(report)[0]["line"] == "4"
        assert report.accepted == 2


def test_latin_1_is_taken_only_when_declared(tmp_path: Path) -> None:
    content = f"number,when,model\n7,{AT},Élan\n8,{AT},Señor\n".encode("latin-1")
    text = """
        name = "shop"
        {}
        [[facts]]
        kind = "order.reserved"
        subject = "number"
        happened = "when"
        fields.trim = "model"
    """
    with bare(tmp_path) as launch:
        with pytest.raises(BadValue) as caught:
            import_text(launch, content, mapping=read_mapping(text.format(""), "m"))
        assert caught.value.code == "encoding.undeclared"
        mapping = read_mapping(text.format('file = { encoding = "latin-1" }'), "m")
        assert import_text(launch, content, mapping=mapping).accepted == 2
        assert trims(launch) == ["Élan", "Señor"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators(tmp_path: Path, separator: str) -> None:
    with bare(tmp_path) as launch:
        text = reserved(f"{A},{AT},Pro").replace(",", separator)
        assert import_text(launch, text, kind="order.reserved").accepted == 1


def test_line_breaks_inside_quotes_do_not_shift_the_lines(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        text = f'subject,happened,trim\n{A},{AT},"Pro\nMax"\n{B},{AT},"a ""b"""\nx y,{AT},Pro\n'
        report = import_text(launch, text, kind="order.reserved")
        assert [(p["line"], p["code"]) for p in problems(report)] == [("2", "text.control")]
        assert trims(launch)[0] == 'a "b"'


def zipped(**members: str | bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return buffer.getvalue()


def packed(kind: str, content: str, name: str = "rows.csv") -> bytes:
    if kind == "gz":
        return gzip.compress(content.encode())
    if kind == "zip":
        return zipped(**{name: content})
    return bytes(pa.Codec("zstd").compress(content.encode(), asbytes=True))


@pytest.mark.parametrize("kind", ["gz", "zip", "zst"])
def test_compressed_files(tmp_path: Path, kind: str) -> None:
    with bare(tmp_path) as launch:
        report = import_text(launch, packed(kind, CHINESE), f"rows.csv.{kind}", kind="order.reserved")
        assert report.accepted == 2
        again = import_text(launch, CHINESE, kind="order.reserved")
        assert again.repeated == 2, "the same content, packed or not"


@pytest.mark.parametrize("kind", ["gz", "zip", "zst"])
def test_a_zip_bomb_is_stopped_and_what_was_read_before_it_stands(tmp_path: Path, kind: str) -> None:
    with bare(tmp_path) as launch:
        bomb = packed(kind, reserved(f"{A},{AT},Pro") + ",,\n" * 2_000_000)
        limits = Limits(ratio_from=300_000, ratio=50)
        report = import_text(launch, bomb, f"rows.csv.{kind}", kind="order.reserved", limits=limits)
        assert codes(report) == ["file.bomb"]
        assert "reading stopped here" in problems(report)[0]["problem"]
        assert (report.accepted, report.all_accepted) == (1, False)
        total = import_text(
            launch, bomb, f"rows.csv.{kind}", kind="order.reserved", limits=Limits(unpacked=500_000)
        )
        assert codes(total) == ["file.bomb"]


@pytest.mark.parametrize("kind", ["gz", "zip", "zst"])
@pytest.mark.parametrize(("name", "line"), [("rows.csv", "\n"), ("rows.csv", ",,\n"), ("rows.ndjson", " \n")])
def test_a_file_that_goes_on_without_a_row_is_stopped_early(
    tmp_path: Path, kind: str, name: str, line: str
) -> None:
    header = "subject,happened,trim\n" if name.endswith("csv") else ""
    content = packed(kind, header + line * 1_000_000, name)
    with bare(tmp_path) as launch:
        limits = Limits(blank_lines=50_000)
        report = import_text(launch, content, f"{name}.{kind}", kind="order.reserved", limits=limits)
        (problem,) = problems(report)
        assert (problem["code"], report.all_accepted) == ("file.bomb", False)
        assert "50,000 lines in a row say nothing" in problem["problem"]
        # As many as a sheet has rows are no bomb.
        assert import_text(launch, content, f"{name}.{kind}", kind="order.reserved").all_accepted


@pytest.mark.parametrize("kind", ["gz", "zip", "zst"])
def test_a_bomb_without_a_row_ends_as_one_with_rows(tmp_path: Path, kind: str) -> None:
    with bare(tmp_path) as launch:
        limits = Limits(unpacked=500_000)
        bomb = packed(kind, "\n" * 1_000_000)
        report = import_text(launch, bomb, f"rows.csv.{kind}", kind="order.reserved", limits=limits)
        assert (codes(report), report.rejected) == (["file.bomb"], 1)


def test_the_remedy_for_several_files_in_a_zip_is_one_that_works(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        with pytest.raises(BadValue) as caught:
            import_text(launch, zipped(a_csv="x", b_csv="y"), "a.zip", kind="order.reserved")
        assert caught.value.remedy == "unpack it and import each file by itself"


def test_a_file_that_was_cut_off(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        text = reserved(*(f"{order},{AT},Pro" for order in ORDERS))
        whole = gzip.compress(text.encode(), 0)
        report = import_text(launch, whole[:-20], "rows.csv.gz", kind="order.reserved", batch=5)
        assert codes(report)[-1] == "file.damaged"
        assert not report.all_accepted


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (gzip.compress(gzip.compress(b"a")), "a.csv.gz", "file.nested"),
        (zipped(a_zip=zipped(b_csv="x")), "a.zip", "file.nested"),
        (gzip.compress(b""), "a.csv.gz", "file.empty"),
        (zipped(a_csv="x", b_csv="y"), "a.zip", "file.zip_members"),
        (zipped(), "a.zip", "file.zip_members"),
        (b"BZh91AY", "a.csv", "file.packing"),
        (b"PAR1 and no more", "a.parquet", "file.damaged"),
        (b"hello", "a.doc", "file.format"),
        (b"a\0,\0b\0\n\0", "a.csv", "encoding.undeclared"),
    ],
    # A compressed file carries the time, so its bytes name no test: two workers would not agree.
    ids=[
        "gzip in gzip",
        "zip in zip",
        "empty gzip",
        "two members",
        "no member",
        "bzip2",
        "half parquet",
        "document",
        "utf-16 unmarked",
    ],
)
def test_files_that_are_refused(tmp_path: Path, content: bytes, name: str, code: str) -> None:
    with bare(tmp_path) as launch, pytest.raises(BadValue) as caught:
        import_text(launch, content, name, kind="order.reserved")
    assert caught.value.code == code


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        with pytest.raises(NotFound):
            import_file(launch, tmp_path / "nothing.csv", kind="order.reserved")
        with pytest.raises(BadValue):
            import_file(launch, tmp_path, kind="order.reserved")


def parquet(folder: Path, columns: dict[str, Any]) -> Path:
    path = folder / "rows.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_parquet(tmp_path: Path) -> None:
    at = datetime(2024, 3, 28, 14, tzinfo=UTC)
    with bare(tmp_path) as launch:
        columns = {
            "subject": [A, B, C],
            "happened": pa.array([at] * 3, pa.timestamp("ms", "Asia/Shanghai")),
            "trim": pa.array(["Pro", None, "=1"]).dictionary_encode(),
            "price": pa.array([29_990_000, None, 1], pa.int32()),
            "options": [["roof"], [], None],
        }
        report = import_file(launch, parquet(tmp_path, columns), kind="order.reserved")
        assert [(p["line"], p["column"], p["code"]) for p in problems(report)] == [
            ("3", "trim", "text.formula")
        ]
        first, second = contents(launch)
        assert first[2] == int(at.timestamp()) * 1_000_000
        assert (first[6].price, first[6].options) == (29_990_000, ("roof",))
        assert (second[6].trim, second[6].price) == (None, None)


@pytest.mark.parametrize(
    ("times", "code"),
    [
        (pa.array([datetime(2024, 3, 28)], pa.timestamp("us")), "time.naive"),  # noqa: DTZ001
        (pa.array([1711634400]), "time.number"),
        (pa.array([None], pa.timestamp("us", "UTC")), "time.missing"),
        (pa.array([-(2**62)], pa.int64()).cast(pa.timestamp("us", "UTC")), "time.range"),
    ],
)
def test_times_in_parquet(tmp_path: Path, times: pa.Array, code: str) -> None:
    with bare(tmp_path) as launch:
        report = import_file(
            launch, parquet(tmp_path, {"subject": [A], "happened": times}), kind="order.reserved"
        )
        assert codes(report) == [code]


EVENT = {
    "specversion": "1.0", "type": "driveaway.order.reserved", "source": "/shop", "id": "1", "subject": A,
    "time": "2024-03-28T14:00:00Z", "data": {"trim": "Pro"}, "some": "extension",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code", "column"),
    [
        ({}, None, None),
        ({"specversion": "0.3"}, "event.version", "specversion"),
        ({"type": "com.example.other"}, "kind.unknown", "type"),
        ({"id": ""}, "event.incomplete", ""),
        ({"subject": None}, "subject.missing", "subject"),
        ({"subject": "O-1"}, "order_id.shape", "subject"),
        ({"time": "2024-03-28T14:00:00"}, "time.naive", "time"),
        ({"time": None}, "time.missing", "time"),
        ({"data": {"trim": 7}}, "event.shape", "trim"),
        ({"data": {"colur": "x"}}, "event.shape", "colur"),
        ({"data": {"trim": "a\0"}}, "text.control", "data"),
        ({"data_base64": "AA=="}, "event.data", "data_base64"),
        ({"datacontenttype": "text/xml"}, "event.data", "datacontenttype"),
    ],
)
def test_cloudevents(tmp_path: Path, change: dict[str, Any], code: str | None, column: str) -> None:
    event = {k: v for k, v in {**EVENT, **change}.items() if v is not None}
    with bare(tmp_path) as launch:
        good = {**EVENT, "id": "2", "subject": B}
        text = json.dumps(event) + "\n" + json.dumps(good) + "\n"
        report = import_text(launch, text, "rows.ndjson")
        assert [(p["line"], p["code"], p["column"]) for p in problems(report)] == (
            [("1", code, column)] if code else []
        )
        assert (B, "/shop/2") in {(fact[1], fact[3]) for fact in contents(launch)}


def test_batches_plain_facts_and_broken_lines(tmp_path: Path) -> None:
    plain = {
        "kind": "order.reserved",
        "subject": C,
        "happened": AT,
        "body": {"trim": "Max"},
        "simulated": True,
    }
    lines = [
        json.dumps([EVENT, {**EVENT, "id": "2", "subject": B}]), "", json.dumps(plain), "{", '"text"',
        "[[1]]",
        json.dumps({"subject": C}),
    ]  # fmt: skip
    with bare(tmp_path) as launch:
        report = import_text(launch, "\n".join(lines) + "\n", "rows.jsonl")
        assert [(p["line"], p["code"]) for p in problems(report)] == [
            ("4", "event.json"), ("5", "event.shape"), ("6", "event.shape"), ("7", "event.shape"),
        ]  # fmt: skip
        assert [fact[1] for fact in contents(launch)] == [A, B, C]
        assert contents(launch)[2][5] is True


def test_a_correction_finds_what_it_corrects_by_its_source(tmp_path: Path) -> None:
    other = {**EVENT, "id": "2", "data": {"trim": "Max"}, "driveawayreplaces": "/shop/1"}
    missing = {**EVENT, "id": "3", "driveawayreplaces": "/shop/9"}
    with bare(tmp_path) as launch:
        lines = [json.dumps(one) for one in (other, missing, EVENT)]
        report = import_text(launch, "\n".join(lines), "rows.ndjson")
        assert [(p["line"], p["code"]) for p in problems(report)] == [("2", "fact.missing")]
        assert [(fact[3], fact[4]) for fact in contents(launch)] == [("/shop/1", None), ("/shop/2", 1)]


def test_an_erasure_is_not_imported_over_a_person(tmp_path: Path) -> None:
    reservation = {**EVENT, "data": {"buyer": "b-1"}}
    erasure = {**EVENT, "id": "2", "type": "driveaway.subject.erased", "data": {"reason": "asked"}}
    with bare(tmp_path) as launch:
        report = import_text(
            launch, json.dumps(reservation) + "\n" + json.dumps(erasure), "rows.ndjson", batch=1
        )
        assert codes(report) == ["import.erasure"]


MEASURE = """
import resource, sys
from pathlib import Path
from driveaway.launch.imports import import_file
from driveaway.launch.launch import open_launch
launch = open_launch(sys.argv[1])
for name in sys.argv[2:]:
    report = import_file(launch, name, kind="order.reserved", batch=1_000)
    assert report.all_accepted
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    from driveaway.values.ids import order_id

    with bare(tmp_path) as launch:
        folder = launch.folder
    names = []
    # After the first file the book is read through its mirror: both that are compared load the engine.
    for name, first, count in (("warm", 0, 3_000), ("small", 10_000, 2_000), ("large", 20_000, 20_000)):
        text = reserved(*(f"{order_id(first + n)},{AT},Pro" for n in range(count)))
        names.append(str(written(tmp_path, text, f"{name}.csv")))
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(folder), *names], capture_output=True, text=True, check=True
    )
    _, small, large = map(int, done.stdout.split())
    assert large - small < 40, f"{small} MB for 2,000 rows, {large} MB for 20,000"
