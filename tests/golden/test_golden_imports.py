"""Imports whose every fact and every problem is written down: tests/golden/imports/CASE.

``DRIVEAWAY_TEST_REWRITE=1`` writes them anew; read the difference before it is committed.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import msgspec
import pytest

from driveaway.launch.founding import found
from driveaway.launch.imports import import_file
from driveaway.launch.launch import open_launch
from driveaway.values.clock import show

CASES = Path(__file__).parent / "imports"


def outcome(folder: Path, case: Path, *, beside: bool = False) -> tuple[str, str]:
    """The facts and the report."""
    told = tomllib.loads((case / "case.toml").read_text(encoding="utf-8"))
    mapping = told["mapping"]
    if mapping.endswith(".toml"):
        mapping = case / mapping
    found(folder, told["launch"]).close()
    file = folder / "launch.toml"
    currency = told.get("currency", "CNY")
    file.write_text(file.read_text(encoding="utf-8").replace('"CNY"', f'"{currency}"'), encoding="utf-8")
    with open_launch(folder) as launch:
        report = import_file(launch, case / told["file"], mapping=mapping, beside=beside)
        lines = [
            f"{fact.kind} {fact.body.foreign_id if hasattr(fact.body, 'foreign_id') else fact.subject} "
            f"{show(fact.happened)} {fact.source} {msgspec.json.encode(fact.body).decode()}"
            for fact in launch.book.facts(0, launch.book.edge().size)
        ]
        totals = f"{report.accepted} accepted, {report.repeated} repeated, {report.rejected} rejected, "
        totals += f"{report.passed_over} passed over"
        problems = report.report_path.read_text(encoding="utf-8") if report.report_path else ""
        again = import_file(launch, case / told["file"], mapping=mapping)
        assert again.facts == 0
        assert again.rejected == report.rejected
    return "\n".join([*sorted(lines), totals, *report.notes]) + "\n", problems.replace("\r\n", "\n")


@pytest.mark.parametrize("case", sorted(p for p in CASES.iterdir() if p.is_dir()), ids=lambda p: p.name)
def test_imports(tmp_path: Path, case: Path) -> None:
    facts, problems = outcome(tmp_path / "launch", case)
    if os.environ.get("DRIVEAWAY_TEST_REWRITE"):
        (case / "facts.txt").write_text(facts, encoding="utf-8")
        (case / "report.csv").write_text(problems, encoding="utf-8")
    assert facts == (case / "facts.txt").read_text(encoding="utf-8")
    assert problems == (case / "report.csv").read_text(encoding="utf-8")
