"""Exports: what leaves the book can come back as it was, without the person, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driveaway.facts import Draft
from driveaway.facts.cars import CarBuilt, ControlUnit
from driveaway.facts.launches import Withdrawn
from driveaway.facts.orders import BuyerDescribed, DepositTaken, OrderCancelled, OrderLocked, OrderReserved
from driveaway.launch.exports import export_facts
from driveaway.launch.imports import import_file
from driveaway.launch.launch import Launch
from driveaway.values.clock import parse_instant
from driveaway.values.errors import BadValue
from tests.imports import ORDERS, STRICT, VIN, contents, strict

A, B, C = ORDERS[:3]
AT = parse_instant("2024-03-28T22:00:00+08:00", None)
HOUR = 3_600_000_000


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """A book with everything that could be lost on the way."""
    with strict(tmp_path) as launch:
        launch.apply(happened=AT)
        ecus = (ControlUnit(name="brake", hardware="1", software="2"),)
        first = launch.append(
            [
                Draft(
                    "order.reserved",
                    A,
                    AT,
                    OrderReserved(trim="Pro", buyer="b-1", options=("roof",)),
                    "/shop/1",
                ),
                Draft("buyer.described", A, AT, BuyerDescribed(sex="female"), "bare-source"),
                Draft("order.reserved", B, AT, OrderReserved(trim="Max", channel="=1+1"), simulated=True),
                Draft("order.locked", B, AT + 1, OrderLocked(), "urn:x/y/2"),
                Draft("order.reserved", C, AT, OrderReserved(), "/shop/"),
                # After the 168 hours: the clock's own lock comes first.
                Draft(
                    "deposit.taken",
                    A,
                    AT + 200 * HOUR,
                    DepositTaken(amount=500_000, currency="CNY"),
                    "/pay/1",
                ),
                Draft("car.built", VIN, AT, CarBuilt(plant="p", trim="Pro", ecus=ecus), "/plant/1"),
            ]
        )
        seqs = {outcome.draft.source: outcome.seq for outcome in first}
        locked = seqs["urn:x/y/2"]
        launch.append(
            [Draft("order.locked", B, AT + 2, OrderLocked(rule="other"), "/fix/1", replaces=locked)]
        )
        launch.append(
            [Draft("fact.withdrawn", C, AT, Withdrawn(reason="a mistake"), "/fix/2", replaces=seqs["/shop/"])]
        )
        launch.append([Draft("order.cancelled", B, AT + 300 * HOUR, OrderCancelled(by="maker"), "/shop/9")])
        yield launch


def empty(folder: Path) -> Launch:
    return strict(folder / "other", STRICT)


def test_cloudevents_come_back_as_they_were(launch: Launch, tmp_path: Path) -> None:
    out = tmp_path / "all.ndjson"
    assert export_facts(launch, "cloudevents", out, personal=True) == launch.book.edge().size
    with empty(tmp_path) as other:
        report = import_file(other, out)
        assert report.all_accepted, report.first_problems
        assert contents(other) == contents(launch)
        assert import_file(other, out).facts == 0
    with empty(tmp_path / "one") as other:
        assert import_file(other, out, batch=1).all_accepted
        assert contents(other) == contents(launch)


def test_events_are_cloudevents(launch: Launch, tmp_path: Path) -> None:
    out = tmp_path / "all.ndjson"
    export_facts(launch, "cloudevents", out)
    events = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    for event in events:
        assert event["specversion"] == "1.0"
        assert event["source"]
        assert event["id"]
        assert event["time"].endswith("Z")
        # Names of CloudEvents attributes: lower-case letters and digits.
        assert all(name.isalnum() and name.islower() for name in event)
    assert len({(event["source"], event["id"]) for event in events}) == len(events)
    fixed = next(event for event in events if event.get("driveawayreplaces"))
    assert fixed["driveawayreplaces"] == "urn:x/y/2"
    assert [event["sequence"] for event in events] == sorted(event["sequence"] for event in events)
    assert sum(event.get("driveawaysimulated", False) for event in events) == 1


def test_the_person_stays_unless_asked_for(launch: Launch, tmp_path: Path) -> None:
    for form in ("cloudevents", "parquet", "csv"):
        for personal in (False, True):
            out = tmp_path / f"{form}-{personal}"
            export_facts(launch, form, out, personal=personal)
            files = [out] if out.is_file() else list(out.iterdir())
            if form == "parquet":
                names = {name for file in files for name in pq.read_schema(file).names}
                assert ("buyer" in names, "sex" in names) == (personal, personal)
            else:
                text = b"".join(file.read_bytes() for file in files)
                assert (b"b-1" in text, b"female" in text) == (personal, personal)


def test_parquet_has_standard_types(launch: Launch, tmp_path: Path) -> None:
    export_facts(launch, "parquet", tmp_path / "out", personal=True)
    table = pq.read_table(tmp_path / "out" / "order.reserved.parquet")
    assert table.schema.field("happened").type == pa.timestamp("us", "UTC")
    assert table.schema.field("trim").type == pa.string()
    assert not any(pa.types.is_dictionary(field.type) for field in table.schema)
    assert table.column("options").to_pylist()[0] == ["roof"]
    assert table.column("simulated").to_pylist() == [False, True, False]
    locked = pq.read_table(tmp_path / "out" / "order.locked.parquet")
    assert "urn:x/y/2" in locked.column("replaces").to_pylist()
    built = pq.read_table(tmp_path / "out" / "car.built.parquet").to_pylist()[0]
    assert built["ecus"][0]["software"] == "2"


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_table_comes_back_too(launch: Launch, tmp_path: Path, form: str) -> None:
    when = launch.when("2024-03-29")
    for kind in ("order.reserved", "car.built"):
        out = tmp_path / f"{kind}.{form}"
        written = export_facts(launch, form, out, kinds=[kind], when=when, personal=True)
        with empty(tmp_path / kind) as other:
            report = import_file(other, out, kind=kind)
            # A text that a spreadsheet would run comes back disarmed from CSV, and not from Parquet.
            refused = 1 if (form, kind) == ("parquet", "order.reserved") else 0
            assert report.facts == written - refused, report.first_problems
            assert report.counts == ({"text.formula": 1} if refused else {})
            theirs = {fact[3]: fact for fact in contents(launch)}
            for fact in contents(other):
                if fact[6] != theirs[fact[3]][6]:
                    assert (form, fact[6].channel) == ("csv", "'=1+1"), "only what was disarmed differs"


def test_csv_is_harmless_in_a_spreadsheet(launch: Launch, tmp_path: Path) -> None:
    export_facts(launch, "csv", tmp_path, kinds=["order.reserved"])
    with (tmp_path / "order.reserved.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["channel"] for row in rows] == ["", "'=1+1", ""]
    assert json.loads(rows[0]["options"]) == ["roof"]
    assert "buyer" not in rows[0]


def test_a_cut_holds_what_was_live_then(launch: Launch, tmp_path: Path) -> None:
    def sources(**cut: int) -> set[str]:
        out = tmp_path / "cut.ndjson"
        export_facts(launch, "cloudevents", out, when=launch.when("2024-03-29", **cut))
        events = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        assert not any("driveawayreplaces" in event for event in events)
        return {f"{event['source']}/{event['id']}" for event in events}

    now = sources()
    assert "/fix/1" in now
    assert not now & {"urn:x/y/2", "/fix/2", "/shop/9", "/pay/1"}
    before = sources(mark=6)
    assert "urn:x/y/2" in before
    assert "/fix/1" not in before


def test_what_cannot_be_exported(launch: Launch, tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="xlsx"):
        export_facts(launch, "xlsx", tmp_path / "a")
    with pytest.raises(BadValue, match=r"order\.lost"):
        export_facts(launch, "csv", tmp_path / "a", kinds=["order.lost"])
    (tmp_path / "file").write_text("")
    with pytest.raises(BadValue, match=r"output\.place"):
        export_facts(launch, "csv", tmp_path / "file" / "below")
    assert not list(tmp_path.glob("*.part"))
