"""Helpers of the tests of imports and exports."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from driveaway.launch.founding import found
from driveaway.launch.imports import ImportReport, import_file
from driveaway.launch.launch import Launch, open_launch
from driveaway.values.ids import make_vin, order_id

ORDERS = [order_id(n) for n in range(1, 40)]
VIN = make_vin("LNB", "SEDAN", 2024, "B", 1)
STRICT = """
launch = "small"
zone = "Asia/Shanghai"
currency = "CNY"
colours = ["Blue", "Red"]
car = { name = "Small" }
rules = { refundable_hours = 168 }
regions = [{ code = "900001", name = "Elsewhere" }]
trims = [{ name = "Pro" }, { name = "Max" }]
"""


def bare(folder: Path) -> Launch:
    """A launch that sells anything, with an empty book."""
    return found(folder / "bare", "bare")


def strict(folder: Path, text: str = STRICT) -> Launch:
    """A launch with trims, colours and a clock rule, with an empty book."""
    folder = folder / "strict"
    folder.mkdir(parents=True)
    (folder / "launch.toml").write_text(text, encoding="utf-8")
    launch = open_launch(folder)
    launch.book.store.create()
    return launch


def written(folder: Path, content: str | bytes, name: str = "rows.csv") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def import_text(launch: Launch, content: str | bytes, name: str = "rows.csv", **options: Any) -> ImportReport:
    """Import a file with this content."""
    return import_file(launch, written(launch.folder, content, name), **options)


def reserved(*lines: str, header: str = "subject,happened,trim") -> str:
    """CSV of reservations."""
    return "\n".join([header, *lines]) + "\n"


def problems(report: ImportReport) -> list[dict[str, str]]:
    """The report's lines."""
    if report.report_path is None:
        return []
    with report.report_path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def codes(report: ImportReport) -> list[str]:
    """Code of each problem, in order."""
    return [problem["code"] for problem in problems(report)]


def contents(launch: Launch) -> list[tuple[Any, ...]]:
    """Every fact of the book without what the book itself gave it."""
    facts = launch.book.facts(0, launch.book.edge().size)
    return [(f.kind, f.subject, f.happened, f.source, f.replaces, f.simulated, f.body) for f in facts]
