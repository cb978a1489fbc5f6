"""What a person can type wrongly at the command line has a code, a remedy and an exit code of its own."""

from __future__ import annotations

import io
import json
import sqlite3
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driveaway.cli import main
from driveaway.launch.founding import found
from driveaway.launch.imports import import_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A launch folder."""
    with found(tmp_path / "launch", "su7") as launch:
        launch.apply()
    return tmp_path / "launch"


@pytest.mark.parametrize(
    "arguments",
    [
        ["figure", "orders.locked", "--as-of", "9999-12-31"],
        ["figure", "orders.locked", "--as-of", "0001-01-01"],
        ["figure", "orders.locked", "trim=\udcff"],
        ["export", "--format", "csv", "--out", "out", "--mark", "-4"],
        ["export", "--format", "csv", "--out", "out", "--mark", "99999"],
    ],
)
def test_what_cannot_be_meant(
    folder: Path, arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    assert main([*arguments, "--launch", str(folder)]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert not (folder.parent / "out").exists()


def test_a_folder_without_a_name(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["new", ""]) == 2
    assert "argument.empty" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["new", str(tmp_path / "file")]) == 2


@pytest.mark.parametrize("name", ["launch.toml", "claims.csv", "driveaway.toml"])
def test_files_in_another_encoding(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / name).write_bytes("# 小米\n".encode("gbk"))
    assert main(["apply", "--launch", str(folder)]) == 2
    said = capsys.readouterr().err
    assert name in said
    assert "Traceback" not in said


def test_a_terminal_without_chinese(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", screen)
    assert main(["brief", "--language", "zh", "--launch", str(folder)]) == 0
    screen.flush()
    assert b"?" in screen.buffer.getvalue()  # type: ignore[attr-defined]


def test_a_book_with_odd_types(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sqlite3.connect(folder / "data" / "book.sqlite") as book:
        for (name,) in book.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            book.execute(f"DROP TRIGGER {name}")
        book.execute("UPDATE fact SET body = x'ff00', happened = 'then' WHERE seq = 2")
        book.execute("UPDATE fact_secret SET salt = 'text' WHERE seq = 3")
    assert main(["verify", "--launch", str(folder)]) == 1
    said = capsys.readouterr()
    assert "differs from fact 2" in said.out
    assert "Traceback" not in said.err


def test_brackets_without_end(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "deep.ndjson"
    file.write_text('{"data":' + "[" * 100_000 + "]" * 100_000 + "}\n[" + "[" * 100_000 + "\n")
    assert main(["import", str(file), "--launch", str(folder)]) == 1


def test_a_list_where_a_text_belongs(folder: Path, tmp_path: Path) -> None:
    from driveaway.launch.launch import open_launch

    file = tmp_path / "rows.parquet"
    content = {
        "subject": ["a-1", "a-2"],
        "happened": ["2024-03-28T22:00:00+08:00"] * 2,
        "trim": [["Pro"], ["Max"]],
    }
    pq.write_table(pa.table(content), file)
    with open_launch(folder) as launch:
        report = import_file(launch, file, kind="order.reserved")
    assert report.rejected == 2
    assert report.first_problems[0].column == "trim"


def test_problems_stand_in_order_of_lines(folder: Path, tmp_path: Path) -> None:
    from driveaway.launch.launch import open_launch

    file = tmp_path / "rows.csv"
    when = "2024-03-28T22:00:00+08:00"
    lines = [f"x-{n},{when},Pro" if n % 2 else f"x-{n},{when},Ultra" for n in range(30)]
    file.write_text("subject,happened,trim\n" + "\n".join([*lines, "x,never,Pro", *lines[::-1]]) + "\n")
    with open_launch(folder) as launch:
        report = import_file(launch, file, kind="order.changed")
    shown = [problem.line for problem in report.first_problems]
    assert shown == sorted(shown)
    assert report.report_path is not None
    written = [int(row.split(",")[0]) for row in report.report_path.read_text().splitlines()[1:]]
    assert written == sorted(written)
    assert len(written) == 61


def test_figures_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["figures", "--format", "json", "--launch", str(folder)]) == 0
    told = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert "trim" in told["orders.locked"]["dimensions"]
    assert all(isinstance(one["arguments"], list) for one in told.values())
    assert main(["figures", "--launch", str(folder / "missing")]) == 2
    assert main(["words", "a car", "--launch", str(folder)]) == 0
    assert main(["words", "a car", "--launch", str(folder / "missing")]) == 2


def test_every_recording_command_takes_a_source(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--launch", str(folder)]
    at = ["--at", "2024-03-29T12:00:00+08:00"]
    assert main(["orders", "reserve", "--trim", "Max", *at, *where]) == 0
    order = capsys.readouterr().out.strip()
    for words in (["orders", "lock", order], ["orders", "cancel", order, "--reason", "moved"]):
        for _ in range(2):
            assert main([*words, "--source", f"urn:x/{words[1]}", *at, *where]) == 0, capsys.readouterr()
        assert "known already" in capsys.readouterr().out
    for command in ("change", "pay", "handover", "lock", "reserve", "cancel"):
        assert main(["orders", command, "--help"]) == 0
        assert "--source" in capsys.readouterr().out
    assert main(["cars", "peg", "--help"]) == 0
    assert "--source" in capsys.readouterr().out
