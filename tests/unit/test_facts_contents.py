"""What a fact says is held to the calendar, the currencies, the catalogue and the outlets, at every door."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import driveaway
from driveaway.facts import KINDS, kind_named
from driveaway.facts.wording import wrong
from driveaway.launch import recording
from driveaway.launch.exports import export_facts
from driveaway.launch.imports import import_file
from driveaway.launch.launch import Launch
from driveaway.values.errors import BadValue, DriveawayError, Refused
from tests.imports import ORDERS, STRICT, VIN, bare, contents, import_text, problems, strict

AT = "2024-03-28T22:00:00+08:00"
A, B, C = ORDERS[:3]
TARGET = {"measure": "orders.locked", "amount": "9", "from_day": "2024-04-01", "until_day": "2024-04-30"}
CLAIM = {"speaker": "x", "said": "y", "qualifier": "about", "as_of": "2024-04-24", "figure": "orders.locked"}
PROMISE = {"first_day": "2024-06-01", "last_day": "2024-06-07", "confidence": "0.9"}


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Sells in CNY; A is locked."""
    with strict(tmp_path) as launch:
        for kind in ("order.reserved", "order.locked"):
            recording.record(launch, kind, A, {}, at=launch.parse_time(AT))
        yield launch


@pytest.mark.parametrize(
    ("kind", "good", "field", "value", "code"),
    [
        ("target.set", TARGET, "from_day", "2024-02-30", "time.day"),
        ("target.set", TARGET, "until_day", "2025-13-01", "time.day"),
        ("target.set", TARGET, "until_day", "2024-03-31", "target.days"),
        ("target.set", TARGET, "measure", "nope", "figure.unknown"),
        ("target.set", TARGET, "measure", "trials.range_kept", "target.measure"),
        ("claim.made", CLAIM, "as_of", "2024-02-30", "time.day"),
        ("claim.made", CLAIM, "as_of", "yesterday", "time.shape"),
        ("claim.made", CLAIM, "figure", "nope", "figure.unknown"),
        ("promise.given", PROMISE, "first_day", "2024-02-30", "time.day"),
        ("promise.given", PROMISE, "last_day", "2024-06-31", "time.day"),
        ("promise.given", PROMISE, "last_day", "2024-05-31", "promise.window"),
        ("handover.postponed", {"until_day": "2024-05-01"}, "until_day", "2024-02-30", "time.day"),
        ("deposit.taken", {"amount": "100", "currency": "CNY"}, "currency", "XXQ", "money.currency"),
        ("order.changed", {"price": "100", "currency": "CNY"}, "currency", "XXQ", "money.currency"),
        ("order.changed", {"price": "100", "currency": "CNY"}, "currency", "EUR", "order.currency"),
    ],
)
def test_both_doors_refuse_it_and_take_what_is_right(
    launch: Launch, kind: str, good: dict[str, str], field: str, value: str, code: str
) -> None:
    subject = A if kind_named(kind).subject == "order" else "some-name"
    bad, at = good | {field: value}, launch.parse_time("2024-04-02T10:00")
    with pytest.raises(DriveawayError) as caught:
        recording.record(launch, kind, subject, bad, at=at)
    assert caught.value.code == code
    assert caught.value.remedy

    lines = [",".join(["subject", "happened", *bad])]
    lines += [",".join([subject, "2024-04-02T10:00:00+08:00", *row.values()]) for row in (bad, good)]
    report = import_text(launch, "\n".join(lines) + "\n", kind=kind)
    (problem,) = problems(report)
    assert (problem["line"], problem["column"], problem["value"]) == ("2", field, value)
    assert (problem["code"], bool(problem["remedy"])) == (code, True)
    assert (report.accepted, report.rejected) == (1, 1)


def test_a_plan_of_impossible_days() -> None:
    from driveaway.facts.delivery import PlanAdopted, PlannedWeek
    from driveaway.facts.description import read_description
    from driveaway.launch.contents import check_contents

    numbers = dict.fromkeys(
        ("built_low", "built", "built_high", "delivered_low", "delivered", "delivered_high"), 1
    )
    rest = dict.fromkeys(("mark", "days", "paths", "seed", "orders", "unplannable"), 1)
    description = read_description(STRICT, "here")

    def plan(day: str, week: str) -> PlanAdopted:
        weeks = (PlannedWeek(first_day=week, **numbers),)
        return PlanAdopted(as_of="2024-04-24", first_day=day, table="x", weeks=weeks, **rest)

    check_contents(plan("2024-04-24", "2024-04-29"), description)
    for days, field in ((("2024-04-31", "2024-04-29"), "first_day"), (("2024-04-24", "2024-02-30"), "weeks")):
        with pytest.raises(BadValue) as caught:
            check_contents(plan(*days), description)
        assert caught.value.field == field


def test_an_unknown_outlet_is_refused_at_every_door(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        recording.record(launch, "order.reserved", A, {"outlet": "free"}, at=launch.parse_time(AT))
        where = {"role": "store", "province": "310000", "city": "Shanghai"}
        recording.record(launch, "outlet.opened", "sh-1", where, at=launch.parse_time(AT))
        with pytest.raises(Refused, match="no outlet 'nowhere'") as caught:
            recording.record(launch, "order.reserved", B, {"outlet": "nowhere"}, at=launch.parse_time(AT))
        assert (caught.value.code, caught.value.field) == ("outlet.unknown", "outlet")
        recording.record(launch, "order.reserved", B, {"outlet": "sh-1"}, at=launch.parse_time(AT))
        # What was recorded before any outlet was known may still be corrected, and changed elsewhere.
        recording.correct(launch, 1, {"trim": "x"})
        changed = {"trim": "y", "outlet": "free"}
        recording.record(launch, "order.changed", A, changed, at=launch.parse_time("2024-03-29T10:00"))
        with pytest.raises(Refused):
            recording.correct(launch, 4, {"outlet": "nowhere"})
        with pytest.raises(Refused):
            recording.record(launch, "order.locked", B, {"outlet": "nowhere"})


def test_what_every_door_took_an_empty_launch_takes_again(tmp_path: Path) -> None:
    with bare(tmp_path / "one") as one, bare(tmp_path / "two") as two:
        recording.record(one, "order.reserved", A, {"outlet": "free"}, at=one.parse_time(AT))
        where = {"role": "store", "province": "310000", "city": "Shanghai"}
        recording.record(one, "outlet.opened", "sh-1", where, at=one.parse_time(AT))
        for number, order in enumerate((B, C)):
            outlet = ("nowhere", "sh-1")[number]
            try:
                recording.record(one, "order.reserved", order, {"outlet": outlet}, at=one.parse_time(AT))
            except Refused:
                assert outlet == "nowhere"
        export_facts(one, "cloudevents", tmp_path / "all.ndjson", personal=True)
        report = import_file(two, tmp_path / "all.ndjson")
        assert report.all_accepted, problems(report)
        assert contents(two) == contents(one)
        assert len(contents(one)) == 3


def test_a_refused_row_names_the_column_of_the_file_and_what_stands_in_it(tmp_path: Path) -> None:
    mapping = tmp_path / "shop.toml"
    mapping.write_text(
        'name = "shop"\nid = "nr"\n[[facts]]\nkind = "order.reserved"\nsubject = "order"\n'
        'happened = "when"\nfields.trim = "model"\nfields.colour = "paint"\n',
        encoding="utf-8",
    )
    rows = [f"1,{A},{AT},Ultra,Blue", f"2,{A},{AT},Pro,Pink", f"3,{A},{AT},Pro,Blue", f"3,{B},{AT},Pro,Red"]
    text = "\n".join(["nr,order,when,model,paint", *rows]) + "\n"
    for beside in (False, True):
        with strict(tmp_path / f"beside-{beside}") as launch:
            report = import_text(launch, text, mapping=mapping, beside=beside)
            found = [(p["line"], p["column"], p["value"], p["code"]) for p in problems(report)]
            assert found[:2] == [
                ("2", "model", "Ultra", "order.trim"),
                ("3", "paint", "Pink", "order.colour"),
            ]
            assert found[2][:2] == ("5", "nr")
            assert found[2][2].startswith("urn:driveaway:import:shop/3")
            assert found[2][3] == "source.conflict"


def test_a_row_held_back_to_the_end_still_names_its_column(launch: Launch) -> None:
    header = "vin,happened,order"
    report = import_text(launch, f"{header}\n{VIN},{AT},{B}\n", kind="car.pegged")
    (problem,) = problems(report)
    assert (problem["code"], problem["column"], problem["value"]) == ("car.not_built", "vin", VIN)


_RAISED = frozenset({"BadValue", "Refused", "NotFound", "Conflict", "BrokenOff", "_refuse"})
_REPORTED = (
    "values", "orders/checks.py", "outlets/rules.py", "facts/kinds.py", "launch/imports", "launch/decide.py",
    "launch/contents.py", "launch/outlets.py", "launch/checking.py", "launch/cells.py",
)  # fmt: skip


def test_every_problem_of_a_row_has_a_remedy() -> None:
    """All that a row can be refused for is raised in these modules."""
    root = Path(driveaway.__file__).parent
    files = [
        f
        for part in _REPORTED
        for f in ([root / part] if part.endswith(".py") else (root / part).glob("*.py"))
    ]
    seen, without = 0, []
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id not in _RAISED:
                continue
            seen += 1
            given = {word.arg: word.value for word in node.keywords}
            remedy = node.args[2] if node.func.id == "_refuse" and len(node.args) > 2 else given.get("remedy")
            if remedy is None or (isinstance(remedy, ast.Constant) and not remedy.value):
                without.append(f"{file.name}:{node.lineno}")
    assert seen > 150
    assert without == []


@pytest.mark.parametrize(
    ("kind", "content", "field", "words", "remedy"),
    [
        ("claim.made", {}, "speaker", "speaker is missing", "needed: speaker, said"),
        ("target.set", {"colour": "x"}, "colour", "no field 'colour'", "possible: qualifier"),
        ("test.measured", {"distance": "far"}, "distance", "not a whole number", "give a whole number"),
        ("deposit.taken", {"currency": "yuan"}, "currency", "another form", "ISO 4217"),
        ("outlet.opened", {"role": "shop"}, "role", "'shop' is none", "store, service, delivery"),
        ("outlet.opened", {"latitude": 91}, "latitude", "more than 90", "90 or less"),
        ("deposit.taken", {"amount": -1}, "amount", "less than 0", "0 or more"),
        ("outlet.opened", {"city": ""}, "city", "empty", "write something"),
        ("outlet.opened", {"city": "x" * 201}, "city", "too long", "200 characters"),
        ("car.built", {"options": 7}, "options", "not a list", "give a list"),
    ],
)
def test_no_type_and_no_pattern_reaches_a_person(
    kind: str, content: dict[str, object], field: str, words: str, remedy: str
) -> None:
    import msgspec

    body = KINDS[kind].body
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(content, body)
    said = wrong(body, caught.value)
    assert (said.field, words in said.message, remedy in said.remedy) == (field, True, True), said

    assert "`" not in said.message + said.remedy


def test_a_launch_sells_in_a_currency_that_there_is(tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="'XXQ' is not a currency") as caught:
        strict(tmp_path, STRICT.replace('"CNY"', '"XXQ"'))
    assert caught.value.place.endswith("launch.toml")
