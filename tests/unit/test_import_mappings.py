"""Mapping files: what they say, what is wrong with them, and the packaged one on the real orders."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from driveaway.launch.imports import import_file
from driveaway.launch.imports.mapping import load_mapping, packaged, read_mapping
from driveaway.launch.imports.reference import mapping_page
from driveaway.values.errors import BadValue
from tests.imports import bare, codes, import_text, problems, strict
from tests.surroundings import MACHINE

LEAST = """
name = "shop"
[[facts]]
kind = "order.reserved"
subject = "nr"
happened = "at"
"""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("name =", "mapping.toml"),
        ("name = 'shop'", "mapping.shape"),
        (LEAST + "colour = 'x'", "mapping.shape"),
        (LEAST.replace("shop", "My Shop"), "slug.shape"),
        (LEAST.replace("order.reserved", "order.lost"), "kind.unknown"),
        (LEAST + "fields.colur = 'x'", "mapping.field"),
        (LEAST + "fields.trim = { column = 'x', values = 'none' }", "mapping.values"),
        (LEAST + "fields.trim = { column = 'x', lookup = 'none' }", "mapping.lookup"),
        (LEAST + "fields.trim = { column = 'x', constant = 'y' }", "mapping.source"),
        (LEAST + "fields.trim = { unit = 'km' }", "mapping.source"),
        (LEAST + "fields.price = { column = 'x', unit = 'miles' }", "mapping.shape"),
        (LEAST + "when = [{ column = 'x' }]", "mapping.condition"),
        (LEAST.replace('"order.reserved"', "{ column = 'x' }"), "mapping.kind"),
        (LEAST + LEAST.replace('name = "shop"', ""), "mapping.fact_name"),
        (LEAST + "[time]\nzone = 'Mars/Base'", "time.zone"),
        (LEAST + "[time]\nformats = ['ISO']", "mapping.time"),
        (LEAST + "[time]\nformats = []", "mapping.shape"),
        (LEAST + "[file]\nseparator = '::'", "mapping.shape"),
    ],
)
def test_a_wrong_mapping_says_where(text: str, code: str) -> None:
    with pytest.raises(BadValue) as caught:
        read_mapping(text, "shop.toml")
    assert caught.value.code == code
    assert caught.value.place == "shop.toml"


def test_the_packaged_mappings_are_sound() -> None:
    assert packaged() == ["olist"]
    for name in packaged():
        mapping, folder = load_mapping(name)
        assert mapping.name == name
        assert folder is None


def test_a_column_that_is_not_there(tmp_path: Path) -> None:
    with bare(tmp_path) as launch, pytest.raises(BadValue, match="at, nr") as caught:
        import_text(launch, "a,b\n1,2\n", mapping=read_mapping(LEAST, "m"))
    assert caught.value.code == "columns.missing"


@pytest.mark.parametrize(("code", "field", "cell", "stored"), [
    ("", "price = { column = 'x', unit = 'yuan' }", "1,234.50", 123450),
    ("", "price = { column = 'x', unit = 'major' }", "1234.5", 123450),
    ("", "price = { column = 'x', unit = 'major', currency = 'JPY' }", "1234", 1234),
    ("number.precision", "price = { column = 'x', unit = 'yuan' }", "0.001", None),
    ("money.negative", "price = { column = 'x', unit = 'yuan' }", "-1", None),
    ("number.shape", "price = { column = 'x', unit = 'yuan' }", "1,5", None),
    ("number.shape", "price = { column = 'x', unit = 'yuan' }", "about 5", None),
])  # fmt: skip
def test_units(tmp_path: Path, code: str, field: str, cell: str, stored: int | None) -> None:
    mapping = read_mapping(LEAST + f"fields.{field}\n", "m")
    with strict(tmp_path) as launch:
        report = import_text(launch, f'nr,at,x\n1,2024-04-01T00:00:00Z,"{cell}"\n', mapping=mapping)
        assert codes(report) == ([code] if code else [])
        if not code:
            assert next(launch.book.facts(0, 1)).body.price == stored  # type: ignore[attr-defined]


def test_a_row_that_no_fact_applies_to_is_not_lost(tmp_path: Path) -> None:
    mapping = read_mapping(LEAST + "when = [{ column = 'state', is = 'new' }]\n", "m")
    with bare(tmp_path) as launch:
        text = "nr,at,state\n1,2024-04-01T00:00:00Z,new\n2,2024-04-01T00:00:00Z,other\n"
        report = import_text(launch, text, mapping=mapping)
        assert [(p["line"], p["code"]) for p in problems(report)] == [("3", "row.no_fact")]


def test_the_first_of_several_columns_and_json_with_dots(tmp_path: Path) -> None:
    text = LEAST.replace('"nr"', '"order.nr"').replace('"at"', '["sent", "made"]')
    with bare(tmp_path) as launch:
        lines = '{"order": {"nr": "7"}, "made": "2024-04-01T00:00:00Z"}\n'
        lines += '{"order": {"nr": "8"}, "sent": "no"}\n[]\n3\n'
        report = import_text(launch, lines, "rows.ndjson", mapping=read_mapping(text, "m"))
        assert sorted((p["line"], p["code"]) for p in problems(report)) == [
            ("2", "time.shape"),
            ("4", "event.json"),
        ]
        assert report.facts == 1


def test_the_reference_page_names_every_attribute() -> None:
    page = mapping_page()
    for name in ("`separator`", "`zone`", "`lookup`", "`is_not`", "`pass_over`", "`[[facts]]`"):
        assert name in page


def test_the_real_orders_all_8135_accounted_for(tmp_path: Path) -> None:
    bench = MACHINE.get("DRIVEAWAY_BENCH") or os.environ.get("DRIVEAWAY_BENCH")
    if not bench:
        pytest.skip("DRIVEAWAY_BENCH does not name the folder of real data sets")
    file = Path(bench) / "delivery" / "olist" / "olist_orders_dataset.csv"
    with bare(tmp_path) as launch:
        report = import_file(launch, file, mapping="olist")
        assert report.rows == 8135
        assert (report.accepted, report.repeated, report.rejected) == (8118, 0, 17)
        assert Counter(codes(report)) == {
            "time.missing": 8,  # called delivered, without a time of delivery
            "order.handed_over_already": 6,  # called off after delivery
            "order.not_locked": 3,  # delivered before it was approved
        }
        assert all(problem["problem"] for problem in problems(report))
        cut = launch.at("2018-12-31")
        counts = {
            name: cut.figure(name).value for name in ("orders.reserved", "orders.locked", "cars.delivered")
        }
        assert counts == {"orders.reserved": 8135, "orders.locked": 7989, "cars.delivered": 5167}
        again = import_file(launch, file, mapping="olist")
        assert (again.facts, again.repeated, again.rejected) == (0, 8118, 17)


def test_a_folder_of_its_name_hides_no_packaged_mapping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from driveaway.cli import main

    with bare(tmp_path) as launch:
        folder = launch.folder
    (tmp_path / "olist").mkdir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("nothing,of,it\\n", encoding="utf-8")
    assert main(["import", "rows.csv", "--mapping", "olist", "--launch", str(folder)]) == 2
    # The mapping was found: what is missing is the table that it names.
    assert "olist_customers_dataset.csv" in capsys.readouterr().err
