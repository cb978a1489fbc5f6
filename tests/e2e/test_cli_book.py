"""The book at the command line: corrected, asked, checked, erased, saved, moved."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from driveaway.book.backup import restore
from driveaway.catalogue import FIGURES
from driveaway.launch.launch import open_launch
from driveaway.values.clock import show
from tests.e2e.shell import Shell, vin

MAX = ("--trim", "Max", "--colour", "Blue")
CLAIMS = """claim,published,speaker,said,figure,arguments,qualifier,value,unit,as_of
locks,2024-04-25,The maker,More than 1 locked order,orders.locked,,more than,{value},orders,2024-04-24
future,2024-04-25,The maker,A word about the weather,,,exactly,,,2024-04-24
"""


@pytest.fixture
def book(shell: Shell) -> Shell:
    """Three orders, two of them locked, one handed over."""
    for number in range(3):
        order = shell.reserve(*MAX, "--city", "Hangzhou", "--province", "330000", "--buyer", f"B-{number}")
        if number:
            shell.done("orders", "lock", order, "--at", f"2024-03-3{number - 1}T10:00")
        if number == 2:
            shell.done("record", "buyer.described", order, "sex=female", "--at", "2024-04-01T10:00")
            shell.done("cars", "build", vin(1), "plant=one", "trim=Max", "--at", "2024-04-02T10:00")
            shell.done("cars", "peg", vin(1), f"order={order}", "--at", "2024-04-02T11:00")
            shell.done("orders", "pay", order, "299900", "--at", "2024-04-02T12:00")
            shell.done("orders", "handover", order, "--vin", vin(1), "--at", "2024-04-03T10:00")
    return shell


def facts(shell: Shell, kind: str) -> list[int]:
    with open_launch(shell.folder) as launch:
        return [f.seq for f in launch.book.facts(0, launch.book.edge().size) if f.kind == kind]


def test_a_correction_leaves_old_marks_as_they_were(book: Shell) -> None:
    before, first = book.mark(), facts(book, "order.reserved")[0]
    asked = ("figure", "orders.reserved", "--by", "trim", "--format", "json")
    old = book(*asked).json()
    assert old["rows"] == [{"trim": "Max", "value": 3, "simulated": False}]

    book.done("correct", first, "trim=Pro")
    assert {row["trim"]: row["value"] for row in book(*asked).json()["rows"]} == {"Max": 2, "Pro": 1}
    assert book(*asked, "--mark", before).json() == old

    second = book.mark()
    book.done("withdraw", second, "--reason", "never happened")
    assert book.value("orders.reserved") == 2
    assert book.value("orders.reserved", "--mark", second) == 3
    assert book(*asked, "--mark", before).json() == old
    book.refused("fact.replaced", "correct", second, "trim=Max")

    # A lock rests on its reservation.
    error = book.refused("order.not_reserved", "withdraw", facts(book, "order.reserved")[1], "--reason", "x")
    assert "could then not stand" in error


def test_a_late_fact_and_the_time_of_knowing(book: Shell) -> None:
    before = book.mark()
    with open_launch(book.folder) as launch:
        known_at = launch.book.edge().recorded
    book.reserve(*MAX, at="2024-03-29T09:00")
    asked = ("orders.reserved", "--as-of", "2024-03-29T10:00")
    assert book.value(*asked) == 4
    assert book.value(*asked, "--mark", before) == 3
    assert book.value(*asked, "--known-at", show(known_at)) == 3
    # Nothing had happened, or nothing was known: that is not 0.
    assert book.value("orders.reserved", "--as-of", "2024-03-28") is None
    assert book.value("orders.reserved", "--known-at", "1999-01-01") is None
    book.refused("mark.twice", "figure", *asked, "--mark", 1, "--known-at", "2024-01-01", exit_code=2)
    book.refused("mark.range", "figure", *asked, "--mark", before + 9, exit_code=2)
    negative = book("figure", *asked, "--mark=-1")
    assert (negative.code, negative.out) == (2, "")


def test_the_doors_agree(book: Shell) -> None:
    """Every figure: what Python says is what the command line says, in each form."""
    bys = [figure.dimensions[:1] for figure in FIGURES]
    with open_launch(book.folder) as launch:
        cut = launch.at("2024-04-24", mark=9)
        answers = [cut.figure(figure.name, by=by) for figure, by in zip(FIGURES, bys, strict=True)]
    for number, (figure, by, expected) in enumerate(zip(FIGURES, bys, answers, strict=True)):
        asked = [
            "figure",
            figure.name,
            "--as-of",
            "2024-04-24",
            "--mark",
            9,
            *(["--by", ",".join(by)] if by else []),
        ]
        said = book(*asked, "--format", "json")
        assert (said.code, said.err) == (0, ""), figure.name
        assert said.json() == expected.json()
        if number % 3:  # every form of every figure would only cost time
            continue
        assert book(*asked, "--format", "csv").out == expected.csv()
        table = book(*asked).out
        assert "mark 9" in table
        assert expected.as_of in table
        if expected.unknown:
            assert f"unknown, {expected.unknown}" in table


def test_every_figure_is_listed(book: Shell) -> None:
    assert [row["name"] for row in book("figures", "--format", "json").json()] == [f.name for f in FIGURES]
    lines = book("figures", "--format", "csv").out.splitlines()
    assert lines[0] == "name,unit,dimensions,arguments,definition"
    assert len(lines) == len(FIGURES) + 1
    assert "orders.locked" in book("figures").out


def test_what_ran_is_shown_on_request(book: Shell) -> None:
    said = book("figure", "orders.locked", "--sql", "--format", "json")
    assert said.json()["value"] == 2
    assert "SELECT" in said.err


def test_claims_that_agree_and_disagree(book: Shell) -> None:
    (book.folder / "claims.csv").write_text(CLAIMS.format(value=1), encoding="utf-8")
    book.done("apply")
    said = book("claims")
    assert said.code == 0
    assert "1 agrees, 1 cannot be checked" in said.out
    assert [claim["verdict"] for claim in book("claims", "--format", "json").json()] == [
        "agrees", "cannot be checked",
    ]  # fmt: skip

    # "More than 2" is not met by 2. The edited line corrects what it said before.
    before = book.mark()
    (book.folder / "claims.csv").write_text(CLAIMS.format(value=2), encoding="utf-8")
    assert "claim.made locks: corrected" in book.done("apply")
    said = book("claims", "--format", "csv")
    assert said.code == 1
    assert "disagrees" in said.out
    assert book("claims", "--mark", before).code == 0
    assert "the book holds all of it already" in book.done("apply")


def test_a_line_that_is_gone_is_named(book: Shell) -> None:
    (book.folder / "claims.csv").write_text(CLAIMS.format(value=1), encoding="utf-8")
    book.done("apply")
    (book.folder / "claims.csv").write_text(CLAIMS.splitlines()[0] + "\n", encoding="utf-8")
    said = book("apply")
    assert said.code == 0
    assert "claim.made locks stands in the book and no longer in the folder" in said.err
    assert book("claims").code == 0


def test_targets_are_corrected_and_raised(book: Shell) -> None:
    file = book.folder / "launch.toml"
    text = file.read_text(encoding="utf-8")
    asked = ("figure", "targets.progress", "--format", "json")
    before = book.mark()
    file.write_text(text.replace("amount = 10", "amount = 100"), encoding="utf-8")
    assert "target.set deliveries-april: corrected" in book.done("apply")
    (row,) = book(*asked).json()["rows"]
    assert (row["amount"], row["previous_amount"]) == (100, None)
    assert book(*asked, "--mark", before).json()["rows"][0]["amount"] == 10

    # The edit is taken back.
    file.write_text(text, encoding="utf-8")
    assert "target.set deliveries-april: corrected" in book.done("apply")
    assert book(*asked).json()["rows"][0]["amount"] == 10

    # Set again at another time: it was raised.
    more = text[text.index("[[targets]]") :].replace("2024-03-28", "2024-04-10").replace("= 10\n", "= 20\n")
    file.write_text(f"{text}\n{more}", encoding="utf-8")
    assert "target.set deliveries-april: recorded" in book.done("apply")
    (row,) = book(*asked).json()["rows"]
    assert (row["amount"], row["previous_amount"]) == (20, 10)

    file.write_text(text.replace("cars.delivered", "cars.deliverd"), encoding="utf-8")
    error = book.refused("figure.unknown", "apply", exit_code=2)
    assert "launch.toml target deliveries-april" in error
    assert "cars.delivered" in error
    file.write_text(text.replace('until_day = "2024-04-30"', 'until_day = "2024-03-30"'), encoding="utf-8")
    book.refused("target.days", "apply", exit_code=2)


@pytest.mark.parametrize("suffix", ["html", "md", "json"])
def test_a_briefing_in_every_form(suffix: str, book: Shell, tmp_path: Path) -> None:
    file = tmp_path / f"briefing.{suffix}"
    assert book.done("brief", "--out", file) == f"{file}\n"
    text = file.read_text(encoding="utf-8")
    if suffix == "json":
        assert json.loads(text)["mark"] == book.mark()
    else:
        assert "firm orders" in text


def test_a_briefing_on_the_terminal(book: Shell) -> None:
    assert "Example: launch briefing" in book.done("brief")
    assert "锁单" in book.done("brief", "--language", "zh")
    book.refused("brief.format", "brief", "--out", "x.pdf", exit_code=2)


def test_erasing_a_buyer_keeps_the_tree(book: Shell) -> None:
    root = book("verify", "--format", "json").json()["root"]
    asked = ("buyers.share", "sex=female")
    order = book.reserve(*MAX, "--buyer", "B-7")
    assert "shredded" in book.done("erase", order, "--reason", "asked", "--yes")
    size = book.mark()
    assert "nothing was recorded" in book.done("erase", order, "--reason", "again", "--yes")
    assert book.mark() == size
    assert "shredded; the tree still verifies" in book.done("erase", "B-2", "--reason", "asked", "--yes")
    said = book("verify", "--format", "json")
    assert said.code == 0
    assert said.json()["erased"] > 0
    assert said.json()["differences"] == []
    assert said.json()["root"] != root
    assert book.value(*asked) is None
    assert "(erased)" in book.done(
        "order", book.done("erase", "B-1", "--reason", "x", "--yes").split()[3].rstrip(",")
    )
    assert "female" not in (book.folder / "data" / "book.sqlite").read_bytes().decode("latin-1")
    assert book.value("orders.locked") == 2
    book.refused("subject.missing", "erase", "B-99", "--reason", "x", "--yes", exit_code=2)


def test_tampering_is_found(book: Shell) -> None:
    said = book("verify")
    assert said.code == 0
    assert "the book is whole" in said.out
    with closing(sqlite3.connect(book.folder / "data" / "book.sqlite")) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("""UPDATE fact SET body = replace(body, '"Max"', '"Pro"') WHERE seq = 3""")
    said = book("verify")
    assert said.code == 1
    assert "differs from fact 3" in said.out
    assert "the book was changed" in said.out


def test_a_backup_comes_back(book: Shell, tmp_path: Path) -> None:
    asked = ("figure", "orders.locked", "--by", "trim", "--format", "json")
    before = book(*asked).json()
    file, folder = tmp_path / "book.backup", tmp_path / "restored"
    root = book("verify", "--format", "json").json()["root"]
    assert root in book.done("backup", file)
    written = file.read_bytes()
    book.refused("backup.exists", "backup", file, exit_code=2)
    assert file.read_bytes() == written
    assert root in book.done("backup", file, "--force")
    assert "restored and verified" in book.done("restore", file, "--launch", folder)
    again = Shell(folder, book._capsys)
    assert again(*asked).json() == before
    assert again("verify", "--format", "json").json()["root"] == root
    assert again("restore", file, "--launch", folder).code == 1


def test_what_is_exported_is_imported_again(book: Shell, tmp_path: Path) -> None:
    file, folder = tmp_path / "facts.ndjson", tmp_path / "other"
    book.done("correct", facts(book, "order.reserved")[0], "trim=Pro")
    book.done("export", "--format", "cloudevents", "--personal", "--out", file)
    assert all(json.loads(line)["specversion"] == "1.0" for line in file.read_text("utf-8").splitlines())
    folder.mkdir()
    (folder / "launch.toml").write_text((book.folder / "launch.toml").read_text("utf-8"), encoding="utf-8")
    other = Shell(folder, book._capsys)
    other.done("apply")
    assert " 0 rejected" in other.done("import", file)
    assert " 0 rows accepted" in f" {other.done('import', file)}"
    for name in ("orders.reserved", "orders.locked", "cars.delivered", "buyers.share"):
        asked = ("figure", name, "--by", "sex" if name == "buyers.share" else "trim", "--format", "json")
        assert other(*asked).json()["rows"] == book(*asked).json()["rows"]


def test_rejected_rows_are_reported(book: Shell, tmp_path: Path) -> None:
    file = tmp_path / "rows.ndjson"
    fact = {"subject": "O-000000001Y", "body": {"trim": "Max"}}
    rows = [
        fact | {"kind": "order.locked", "happened": "2024-04-01T10:00:00+08:00"},
        fact | {"kind": "order.reserved", "happened": "2024-04-01T09:00:00+08:00"},
        {"kind": "nothing"},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    said = book("import", file)
    assert said.code == 1
    assert "2 rows accepted, 0 known already, 1 rejected" in said.out
    assert "line 3" in said.out
    assert book.value("orders.locked") == 3


def test_the_doctor_looks_at_everything(book: Shell) -> None:
    said = book("doctor", "--format", "json")
    assert said.code == 0
    findings = {finding["what"]: finding for finding in said.json()}
    assert {"program", "launch", "store", "book", "mirror", "heads", "disk"} <= findings.keys()
    assert "bad" not in {finding["state"] for finding in findings.values()}

    assert findings["guards"]["state"] == "good"
    text = (book.folder / "launch.toml").read_text("utf-8")
    (book.folder / "launch.toml").write_text(text.replace('"Example"', '"Another"'), encoding="utf-8")
    assert "driveaway apply" in book("doctor").out
    (book.folder / "launch.toml").write_text("launch = 3", encoding="utf-8")
    assert book("doctor").code == 1
    (book.folder / "launch.toml").write_text(text, encoding="utf-8")
    (book.folder / "data" / "book.sqlite").write_bytes(b"nonsense" * 1000)
    said = book("doctor")
    assert said.code == 1
    assert "driveaway restore" in said.out


def test_data_is_for_its_owner_alone(book: Shell, tmp_path: Path) -> None:
    """A new book and its folder are private whatever the umask; older ones are left and warned of."""
    data, file = book.folder / "data", book.folder / "data" / "book.sqlite"

    def mode(path: Path) -> int:
        return path.stat().st_mode & 0o777

    def access() -> dict[str, str]:
        findings = book("doctor", "--format", "json").json()
        return {finding["what"]: finding for finding in findings}["access"]

    assert (mode(data), mode(file)) == (0o700, 0o600)
    book.value("orders.locked")
    assert {mode(each) for each in data.glob("book.sqlite*")} == {0o600}
    assert access()["state"] == "good"
    book.done("backup", tmp_path / "book.backup")
    assert mode(tmp_path / "book.backup") == 0o600
    file.chmod(0o644)
    assert access()["state"] == "good"  # nobody else gets into its folder
    data.chmod(0o755)
    found = access()
    assert found["state"] == "note"
    assert "tokens" in found["found"]
    assert f"chmod 600 {file}" in found["remedy"]
    assert f"chmod 700 {data}" in found["remedy"]
    file.chmod(0o600)
    assert "tokens" not in access()["found"]
    assert (mode(data), mode(file)) == (0o755, 0o600)
    restore(tmp_path / "book.backup", tmp_path / "again")
    assert mode(tmp_path / "again" / "data") == 0o700
    assert mode(tmp_path / "again" / "data" / "book.sqlite") == 0o600


def test_the_doctor_says_when_the_book_lost_what_the_mirror_has(book: Shell) -> None:
    book.value("orders.locked")
    size = book.mark()
    with closing(sqlite3.connect(book.folder / "data" / "book.sqlite")) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("DELETE FROM fact WHERE seq > ?", [size - 4])
        database.execute("UPDATE book_edge SET size = ?", [size - 4])
    findings = {f["what"]: f for f in book("doctor", "--format", "json").json()}
    assert findings["mirror"]["state"] == "bad"
    assert "4 facts that the book holds no longer" in findings["mirror"]["found"]
    assert findings["guards"]["state"] == "bad"


def test_a_description_may_be_dated(book: Shell) -> None:
    text = (book.folder / "launch.toml").read_text("utf-8")
    (book.folder / "launch.toml").write_text(text.replace('"Example"', '"Later"'), encoding="utf-8")
    assert "launch.described" in book.done("apply", "--at", "2024-04-10T00:00")
    with open_launch(book.folder) as launch:
        names = [launch.at(day).description.car.name for day in ("2024-04-09", "2024-04-10")]
    assert names == ["Example", "Later"]


def test_the_help_of_record_says_the_fields(book: Shell) -> None:
    every = book("record", "--help").out
    assert "driveaway record outlet.opened" in every
    assert "measure, amount, from_day, until_day" in " ".join(every.split())
    one = " ".join(book("record", "target.set", "--help").out.split())
    assert "measure=… needed" in one
    assert "qualifier=… may be left out; one of exactly, more than, at least, about" in one


def test_a_folder_without_its_book_gets_an_empty_one(shell: Shell, tmp_path: Path) -> None:
    """A launch folder is kept in git, and its book is not."""
    folder = tmp_path / "cloned"
    folder.mkdir()
    (folder / "launch.toml").write_text((shell.folder / "launch.toml").read_text("utf-8"), encoding="utf-8")
    cloned = Shell(folder, shell._capsys)
    cloned.refused("book.missing", "figure", "orders.locked", exit_code=2)
    said = cloned("apply")
    assert said.code == 0
    assert "made an empty book" in said.err
    assert cloned.value("orders.locked") is None
