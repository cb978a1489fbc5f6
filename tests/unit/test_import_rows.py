"""What can be wrong with a row: each is reported with its place and remedy, and stops no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from driveaway.launch.imports.limits import Limits
from driveaway.values.errors import BadValue, NotFound
from tests.imports import ORDERS, VIN, bare, codes, contents, import_text, problems, reserved, strict

A, B, C = ORDERS[:3]
AT = "2024-03-28T22:00:00+08:00"
OUTLET = "subject,happened,role,province,city"
GOOD = f"{B},{AT},Pro"


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        (f"{A},2024-02-30T10:00:00+08:00,Pro", "time.shape", "happened"),
        (f"{A},2024-03-28T25:00:00+08:00,Pro", "time.shape", "happened"),
        (f"{A},yesterday,Pro", "time.shape", "happened"),
        (f"{A},,Pro", "time.missing", "happened"),
        (f"{A},2024-03-28T22:00:00,Pro", "time.naive", "happened"),
        (f"{A},2024-03-28,Pro", "time.naive", "happened"),
        (f"{A},1711634400,Pro", "time.shape", "happened"),
        (f"{A},1024-03-28T22:00:00+08:00,Pro", "time.range", "happened"),
        (f"{A},{AT},Plus", "order.trim", "trim"),
        (f"{A},{AT},=HYPERLINK()", "text.formula", "trim"),
        (f"{A},{AT},+1", "text.formula", "trim"),
        (f"{A},{AT},@SUM(1)", "text.formula", "trim"),
        (f"{A},{AT},＝1", "text.formula", "trim"),
        (f"{A},{AT},-2+3", "text.formula", "trim"),
        (f"{A},{AT},a\x07b", "text.control", "trim"),
        (f'{A},{AT},"a\nb"', "text.control", "trim"),
        (f"{A},{AT},{'x' * 201}", "field.length", "trim"),
        (f"{A[:-1]}{'0' if A[-1] != '0' else '1'},{AT},Pro", "order_id.check", "subject"),
        ("O-12,2024-03-28T22:00:00+08:00,Pro", "order_id.shape", "subject"),
        (f",{AT},Pro", "subject.missing", "subject"),
        (f"=1+1,{AT},Pro", "text.formula", "subject"),
        (f"{A},{AT}", "row.ragged", ""),
        (f"{A},{AT},Pro,more", "row.ragged", ""),
        (f'{A},{AT},"Pro"x', "row.quote", ""),
        (f"{A},{AT},Pr\0o", "line.nul", ""),
    ],
)
def test_a_bad_row_is_reported_and_stops_no_other(tmp_path: Path, row: str, code: str, column: str) -> None:
    with strict(tmp_path) as launch:
        report = import_text(launch, reserved(row, GOOD), kind="order.reserved")
        assert codes(report) == [code]
        (problem,) = problems(report)
        assert (problem["line"], problem["column"]) == ("2", column)
        assert problem["problem"]
        assert (report.accepted, report.rejected, report.facts) == (1, 1, 1)
        assert not report.all_accepted
        assert [fact[1] for fact in contents(launch)] == [B]


@pytest.mark.parametrize(
    ("kind", "header", "row", "code", "column"),
    [
        ("deposit.taken", "subject,happened,amount,currency", f"{B},{AT},-1,CNY", "money.negative", "amount"),
        ("deposit.taken", "subject,happened,amount,currency", f"{B},{AT},x,CNY", "field.type", "amount"),
        ("deposit.taken", "subject,happened,amount,currency", f"{B},{AT},1.5,CNY", "field.type", "amount"),
        ("deposit.taken", "subject,happened,amount,currency", f"{B},{AT},1,yuan", "field.form", "currency"),
        ("deposit.taken", "subject,happened,amount,currency", f"{B},{AT},,CNY", "field.missing", "amount"),
        ("car.built", "vin,happened,plant,trim", f"{VIN[:16]}2,{AT},p,Pro", "vin.check_digit", "vin"),
        ("car.built", "vin,happened,plant,trim", f"LNB,{AT},p,Pro", "vin.shape", "vin"),
        ("car.built", "vin,happened,plant,trim,purpose", f"{VIN},{AT},p,Pro,fun", "field.value", "purpose"),
        ("car.built", "vin,happened,plant,trim,battery_code", f"{VIN},{AT},p,Pro,1", "battery.shape",
         "battery_code"),
        ("order.reserved", "subject,happened,province", f"{A},{AT},Atlantis", "province.unknown", "province"),
        ("order.cancelled", "subject,happened,by", f"{B},{AT},nobody", "field.value", "by"),
        ("outlet.opened", OUTLET, f"Big Store,{AT},store,310000,x", "slug.shape", "subject"),
        ("outlet.opened", f"{OUTLET},latitude", f"s,{AT},store,310000,x,91", "field.range", "latitude"),
    ],
)  # fmt: skip
def test_a_bad_cell_names_its_column(
    tmp_path: Path, kind: str, header: str, row: str, code: str, column: str
) -> None:
    with strict(tmp_path) as launch:
        import_text(launch, reserved(GOOD), "first.csv", kind="order.reserved")
        report = import_text(launch, f"{header}\n{row}\n", kind=kind)
        (problem,) = problems(report)
        assert (problem["code"], problem["column"]) == (code, column)
        assert report.facts == 0


def test_every_bad_cell_of_a_row_is_reported_and_it_counts_once(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        header = "subject,happened,amount,currency"
        report = import_text(launch, f"{header}\nx y,now,-1,yuan\n", kind="deposit.taken")
        assert sorted(codes(report)) == ["field.form", "money.negative", "time.shape"]
        assert report.rejected == 1
        assert report.counts == {"field.form": 1, "money.negative": 1, "time.shape": 1}
        assert {problem.line for problem in report.first_problems} == {2}


def test_a_minus_stays_where_it_is_a_number_or_stands_alone(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        report = import_text(launch, reserved(f"{A},{AT},-12.5", f"{B},{AT},-"), kind="order.reserved")
        assert report.accepted == 2


def test_the_same_id_with_other_content_is_a_conflict(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        header = "id,subject,happened,trim"
        first = import_text(launch, f"{header}\n1,{A},{AT},Pro\n1,{B},{AT},Max\n", kind="order.reserved")
        assert (first.accepted, codes(first)) == (1, ["source.conflict"])
        assert problems(first)[0]["line"] == "3"


def test_importing_again_adds_nothing(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        for header, name in (("subject,happened,trim", "a.csv"), ("id,subject,happened,trim", "b.csv")):
            with_id = header.startswith("id")
            orders = ORDERS[10:13] if with_id else ORDERS[:3]
            lines = [f"{n}," * with_id + f"{order},{AT},Pro" for n, order in enumerate(orders)]
            text = reserved(*lines, header=header)
            assert import_text(launch, text, name, kind="order.reserved").accepted == 3
            again = import_text(launch, text, name, kind="order.reserved")
            assert (again.accepted, again.repeated, again.facts, again.all_accepted) == (0, 3, 0, True)


def test_without_ids_the_content_tells_rows_apart_whatever_the_file_is_called(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        text = reserved(f"{A},{AT},Pro", f"{A},{AT},Pro")
        report = import_text(launch, text, "a.csv", kind="order.reserved")
        assert (report.accepted, report.repeated) == (1, 1)
        assert import_text(launch, text, "b.csv", kind="order.reserved").repeated == 2


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
@pytest.mark.parametrize("batch", [1, 100])
def test_the_order_of_rows_does_not_matter(tmp_path: Path, order: tuple[int, ...], batch: int) -> None:
    rows = [
        f"order.reserved,{A},2024-03-28T22:00:00+08:00,",
        f"order.locked,{A},2024-03-29T22:00:00+08:00,",
        f"order.cancelled,{A},2024-04-20T22:00:00+08:00,changed their mind",
    ]
    with strict(tmp_path) as launch:
        text = "\n".join(["kind,subject,happened,reason", *(rows[i] for i in order)]) + "\n"
        report = import_text(launch, text, batch=batch)
        assert report.all_accepted, problems(report)
        assert sorted(fact[0] for fact in contents(launch)) == [
            "order.cancelled",
            "order.locked",
            "order.reserved",
        ]


def test_what_never_becomes_right_is_reported_at_the_end_and_nothing_else_is(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        rows = [
            f"order.handed_over,{A},2024-04-03T10:00:00+08:00",
            f"order.locked,{A},2024-03-29T10:00:00+08:00",
            f"order.reserved,{A},{AT}",
            f"order.locked,{C},{AT}",
        ]
        report = import_text(launch, "\n".join(["kind,subject,happened", *rows]) + "\n", batch=1)
        assert codes(report) == ["order.not_reserved"]
        assert problems(report)[0]["line"] == "5"
        assert report.accepted == 3


def test_an_unknown_kind_or_a_field_of_another_kind(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        text = f"kind,subject,happened,amount\norder.lost,{A},{AT},\norder.reserved,{A},{AT},5\n,{A},{AT},\n"
        report = import_text(launch, text)
        assert sorted(codes(report)) == ["field.unknown", "kind.unknown", "kind.unknown"]


def test_an_outlet_that_nobody_opened(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        opened = f"subject,happened,role,province,city\nsh-1,{AT},store,Shanghai,Shanghai\n"
        header = "subject,happened,outlet"
        before = import_text(launch, f"{header}\n{A},{AT},sh-9\n", kind="order.reserved")
        assert before.all_accepted, "as long as no outlet is known, any is taken"
        assert import_text(launch, opened, kind="outlet.opened").all_accepted
        report = import_text(launch, f"{header}\n{B},{AT},sh-1\n{C},{AT},sh-2\n", kind="order.reserved")
        assert [(p["code"], p["column"], p["value"]) for p in problems(report)] == [
            ("outlet.unknown", "outlet", "sh-2")
        ]


def test_an_outlet_that_opens_further_down(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        rows = [
            f"outlet.opened,sh-1,{AT},store,310000,Shanghai,",
            f"order.reserved,{A},{AT},,,,sh-2",
            f"outlet.opened,sh-2,{AT},store,310000,Shanghai,",
        ]
        text = "\n".join(["kind,subject,happened,role,province,city,outlet", *rows]) + "\n"
        assert import_text(launch, text, batch=1).all_accepted


def test_a_foreign_order_id_is_kept(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        assert import_text(launch, f"order_id,happened\nA/17,{AT}\n", kind="order.reserved").all_accepted
        locked = f"order_id,happened\nA/17,2024-04-01T00:00:00Z\nA/18,{AT}\n"
        report = import_text(launch, locked, kind="order.locked")
        facts = contents(launch)
        assert facts[0][1] == facts[1][1] != "A/17"
        assert facts[0][6].foreign_id == "A/17"
        (problem,) = problems(report)
        assert problem["value"] == "A/18"
        assert "A/18" in problem["problem"]


def test_a_list_and_a_structure_in_a_cell(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        ecus = '"[{""name"":""brake"",""hardware"":""1"",""software"":""2""}]"'
        text = f"vin,happened,plant,trim,options,ecus\n{VIN},{AT},p,Pro,wheels|roof,{ecus}\n"
        assert import_text(launch, text, kind="car.built").all_accepted
        body = contents(launch)[0][6]
        assert body.options == ("wheels", "roof")
        assert body.ecus[0].software == "2"


def test_the_report_is_safe_to_open_in_a_spreadsheet(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        report = import_text(launch, reserved(f"=cmd|'/c calc'!A0,{AT},Pro"), kind="order.reserved")
        assert problems(report)[0]["value"].startswith("'=")
        assert report.report_path is not None
        assert report.report_path.parent == launch.data / "reports"


def test_the_report_goes_where_it_is_told(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        report = import_text(launch, reserved("x,y,z"), kind="order.reserved", report=tmp_path / "here.csv")
        assert report.report_path == tmp_path / "here.csv"
        assert import_text(launch, reserved(f"{A},{AT},Pro"), kind="order.reserved").report_path is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "file.empty"),
        ("\n\n", "columns.none"),
        ("subject,happened,happened\n", "columns.duplicate"),
        ("subject,,happened\n", "columns.unnamed"),
        ("happened,trim\n", "columns.missing"),
        ("subject,trim\n", "columns.missing"),
        ("subject,happened,colur\n", "columns.unknown"),
        ("\x1f\x8b", "file.damaged"),
    ],
)
def test_a_file_that_cannot_be_read_at_all(tmp_path: Path, text: str, code: str) -> None:
    with bare(tmp_path) as launch, pytest.raises(BadValue) as caught:
        import_text(launch, text.encode("latin-1"), kind="order.reserved")
    assert caught.value.code == code
    assert caught.value.place


def test_a_misspelled_column_is_guessed(tmp_path: Path) -> None:
    with bare(tmp_path) as launch, pytest.raises(BadValue, match="'colour'"):
        import_text(launch, "subject,happened,colur\n", kind="order.reserved")


def test_nothing_says_the_kind(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        with pytest.raises(BadValue, match="--kind"):
            import_text(launch, "subject,happened\n")
        with pytest.raises(NotFound):
            import_text(launch, "a\n", mapping="nowhere.toml")
        with pytest.raises(BadValue, match="not both"):
            import_text(launch, "a\n", kind="order.locked", mapping="olist")


def test_a_header_alone_is_no_mistake(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        report = import_text(launch, "subject,happened\n", kind="order.reserved")
        assert (report.rows, report.all_accepted) == (0, True)
        assert report.notes == ("the file has a header and no rows",)
        report = import_text(launch, f"subject,happened\n{A},{AT}\n", kind="order.reserved")
        assert (report.rows, report.notes) == (1, ())


def test_surplus_cells_are_passed_over_where_they_are_empty(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        report = import_text(launch, reserved(f"{A},{AT},Pro,,", f"{B},{AT},Pro,,x"), kind="order.reserved")
        assert (report.accepted, codes(report)) == (1, ["row.ragged"])


def test_a_line_of_a_gigabyte_is_not_held(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        text = reserved(f"{A},{AT},Pro", f"{B},{AT},{'x' * 3_000_000}", f"{C},{AT},Pro")
        report = import_text(launch, text, kind="order.reserved", limits=Limits(line=1000))
        assert codes(report) == ["line.too_long"]
        (problem,) = problems(report)
        assert problem["line"] == "3"
        assert len(problem["value"]) <= 80
        assert report.accepted == 2


def test_a_quote_that_is_never_closed_loses_its_own_line_alone(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        rows = [f"{order},{AT},Pro" for order in ORDERS]
        rows[3] = f'{ORDERS[3]},{AT},"Pro'
        report = import_text(launch, reserved(*rows), kind="order.reserved", limits=Limits(record_lines=10))
        assert codes(report) == ["row.quote"]
        assert problems(report)[0]["line"] == "5"
        assert report.accepted == len(rows) - 1


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    seen: list[tuple[int, int, int]] = []
    with bare(tmp_path) as launch:
        text = reserved(*(f"{order},{AT},Pro" for order in ORDERS))
        import_text(launch, text, kind="order.reserved", batch=7, progress=lambda *at: seen.append(at))
    assert seen[-1] == (len(text), len(text), len(ORDERS))
    assert [rows for _, _, rows in seen] == sorted(rows for _, _, rows in seen)
