"""Whatever a file holds: an import reports, or refuses the file, and every row is accounted for."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from driveaway.launch.cells import disarmed, is_risky
from driveaway.launch.imports.encodings import Encoding
from driveaway.launch.imports.identifiers import well_formed_orders, well_formed_vins
from driveaway.launch.imports.limits import Limits
from driveaway.launch.imports.lines import blocks
from driveaway.launch.imports.times import Times
from driveaway.values.errors import BadValue
from driveaway.values.ids import parse_order_id, parse_vin
from tests.imports import ORDERS, bare, import_text

FEW = settings(max_examples=25)
CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", "=1", "-5", "2024-03-28T22:00:00+08:00", "2024-02-30", "order.reserved", *ORDERS[:3]]
    ),
)
HEADERS = st.lists(
    st.sampled_from(["kind", "subject", "happened", "trim", "amount", "id", "source", "x"]),
    min_size=1,
    max_size=5,
)


@FEW
@given(
    content=st.binary(max_size=400),
    name=st.sampled_from(["a.csv", "a.ndjson", "a.parquet", "a.csv.gz", "a.zip"]),
)
def test_any_bytes(content: bytes, name: str) -> None:
    # A refused file is one of our own errors, anything else a defect.
    with (
        tempfile.TemporaryDirectory() as folder,
        bare(Path(folder)) as launch,
        contextlib.suppress(BadValue),
    ):
        import_text(launch, content, name, kind="order.reserved")


@FEW
@given(header=HEADERS, rows=st.lists(st.lists(CELLS, max_size=6), max_size=8), packed=st.booleans())
def test_any_table(header: list[str], rows: list[list[str]], packed: bool) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    content = text.getvalue().encode("utf-8", "replace")
    with tempfile.TemporaryDirectory() as folder, bare(Path(folder)) as launch:
        try:
            report = import_text(
                launch, gzip.compress(content) if packed else content, "a.csv.gz" if packed else "a.csv"
            )
        except BadValue:
            return
        added = launch.book.edge().size
        assert report.facts == added
        assert report.rows <= len(rows) + content.count(b"\n") + content.count(b"\r")
        assert (report.report_path is None) == report.all_accepted
        again = import_text(launch, content, "a.csv")
        assert again.facts == 0, "importing again adds nothing"
        assert launch.book.edge().size == added


@given(
    data=st.lists(
        st.sampled_from([b"a", b"bc" * 30, b"\n", b"\r\n", b"\r", "é".encode(), b"\xff", b"\x00"]),
        max_size=60,
    ),
    size=st.integers(1, 50),
)
def test_lines_are_counted_and_bounded(data: list[bytes], size: int) -> None:
    content = b"".join(data)

    class Drips(io.BytesIO):
        def read1(self, _: int | None = -1, /) -> bytes:
            return self.read(size)

    found: list[Any] = []
    for block in blocks(Drips(content), Encoding("utf-8"), Limits(line=100)):
        assert block.first == len(found) + 1
        found += block.lines
        for number, (error, shown) in block.errors.items():
            assert block.lines[number - block.first] is None
            assert error.code in ("line.too_long", "encoding.invalid", "line.nul")
            assert len(shown) <= 400
    assert all(line is None or len(line.encode()) <= 100 for line in found)
    expected = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n").split(b"\n")
    if content and all(len(line) <= 100 for line in expected):
        assert [None if line is None else line.encode() for line in found] == [
            None if b"\xff" in line or b"\x00" in line else line for line in expected
        ]


@given(
    texts=st.lists(
        st.text(alphabet="O-0123456789ABCHJKLXZ\u0660", min_size=12, max_size=12), min_size=1, max_size=5
    )
)
def test_many_order_ids_agree_with_one(texts: list[str]) -> None:
    texts = [*texts, ORDERS[0]]
    for text, good in zip(texts, well_formed_orders(texts) or [False] * len(texts), strict=True):
        if good:
            assert parse_order_id(text) == text
    assert well_formed_orders([str(order) for order in ORDERS]) == [True] * len(ORDERS)


@given(texts=st.lists(st.text(alphabet="0123456789ABLNXZ", min_size=17, max_size=17), min_size=1, max_size=5))
def test_many_vins_agree_with_one(texts: list[str]) -> None:
    mask = well_formed_vins(texts)
    assert mask is not None
    for text, good in zip(texts, mask, strict=True):
        try:
            assert (parse_vin(text) == text) == good
        except BadValue:
            assert not good


@given(
    cells=st.lists(
        st.one_of(st.text(max_size=30), st.integers(), st.floats(), st.datetimes(), st.dates(), st.none())
    )
)
def test_any_time(cells: list[Any]) -> None:
    for found in Times(formats=("iso", "%d/%m/%Y", "epoch-s")).column(cells):
        assert isinstance(found, int | BadValue)


@given(text=st.text())
def test_disarmed_text_is_not_run(text: str) -> None:
    safe = disarmed(text)
    assert safe in (text, "'" + text)
    assert safe[:1] not in ("=", "+", "@", "\t", "\r")
    if not is_risky(text):
        assert safe == text
