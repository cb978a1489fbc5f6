"""Where commands may write: nothing of the launch is written over, no device is renamed over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from driveaway.launch.exports import export_facts
from driveaway.launch.founding import found
from driveaway.launch.imports import import_file
from driveaway.launch.outputs import check_output
from driveaway.values.errors import BadValue


def _refused(folder: Path, path: Path, *inputs: Path, within: bool = False) -> str:
    with pytest.raises(BadValue) as refused:
        check_output(folder, folder / "data", path, *inputs, folder=within)
    assert refused.value.code == "output.place"
    assert refused.value.remedy
    return refused.value.message


def test_places_that_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "launch"
    (folder / "data" / "reports").mkdir(parents=True)
    rows = tmp_path / "rows.csv"
    rows.write_text("a\n")
    os.link(rows, tmp_path / "hard.csv")
    (tmp_path / "soft.csv").symlink_to(folder / "launch.toml")
    os.mkfifo(tmp_path / "pipe")
    assert "data folder" in _refused(folder, folder / "data" / "book.sqlite")
    assert "data folder" in _refused(folder, folder / "data", within=True)
    for name in ("launch.toml", "driveaway.toml", "claims.csv", "events.csv", "tests.csv"):
        assert "own files" in _refused(folder, folder / name)
    assert "own files" in _refused(folder, tmp_path / "soft.csv")
    assert "reads" in _refused(folder, rows, rows)
    assert "reads" in _refused(folder, tmp_path / "hard.csv", rows)
    assert "plain file" in _refused(folder, tmp_path / "pipe")
    assert "plain file" in _refused(folder, Path("/dev/null"))
    assert "folder stands" in _refused(folder, tmp_path)
    assert "no such folder" in _refused(folder, tmp_path / "missing" / "out.csv")
    assert "no such folder" in _refused(folder, tmp_path / "missing" / "out", within=True)
    assert "not a folder" in _refused(folder, rows, within=True)


def test_places_that_are_fine(tmp_path: Path) -> None:
    (tmp_path / "data" / "reports").mkdir(parents=True)
    check_output(tmp_path, tmp_path / "data", tmp_path / "data" / "reports" / "rows.csv")
    check_output(tmp_path, tmp_path / "data", tmp_path / "briefing.html", tmp_path / "rows.csv")
    check_output(tmp_path, tmp_path / "data", tmp_path / "out", folder=True)
    check_output(tmp_path, tmp_path / "data", tmp_path, folder=True)


def test_exports_and_imports_ask(tmp_path: Path) -> None:
    with found(tmp_path / "launch", "new") as launch:
        launch.apply()
        before = launch.book.edge().size
        rows = tmp_path / "rows.csv"
        rows.write_text("subject\nx\n")
        for out in (launch.file, launch.data / "book.sqlite", tmp_path / "no" / "facts.ndjson"):
            with pytest.raises(BadValue, match=r"output\.place"):
                export_facts(launch, "cloudevents", out)
        with pytest.raises(BadValue, match=r"output\.place"):
            export_facts(launch, "csv", launch.data)
        for report in (rows, launch.file, Path("/dev/null"), tmp_path / "no" / "report.csv"):
            with pytest.raises(BadValue, match=r"output\.place"):
                import_file(launch, rows, kind="order.locked", report=report)
        assert not (tmp_path / "no").exists()
        assert rows.read_text() == "subject\nx\n"
        assert launch.book.edge().size == before
