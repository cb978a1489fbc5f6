"""Measure Driveaway beside its peers: ``python -m bench.run``.

Prints Markdown tables on stdout and what it is doing on stderr. Ends with 1 when answers that should
agree do not; a goal that is missed is said and is no error.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import demo, figures, importing, machine, single
from bench.measuring import Failed
from bench.prepared import Bench
from bench.tables import Goal, Section, table

SECTIONS: dict[str, tuple[str, Callable[[Bench], Section]]] = {
    "import": ("Import", importing.measure),
    "figures": ("Figures and the briefing", figures.measure),
    "append": ("Appending one fact", single.measure),
    "demo": ("Demo", demo.measure),
}
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.run", description="Measure Driveaway beside its peers."
    )
    parser.add_argument("--only", help="sections, joined by commas: " + ", ".join(SECTIONS))
    parser.add_argument("--facts", type=int, default=1_000_000, help="facts to import (default: 1,000,000)")
    parser.add_argument(
        "--scale",
        type=float,
        default=8.2,
        help="of the book that figures are asked of (default: 8.2: 1,000,000 orders)",
    )
    parser.add_argument("--demo-scale", type=float, default=1.0, help="of the demo (default: 1)")
    parser.add_argument("--appends", type=int, default=1_000, help="single appends (default: 1,000)")
    parser.add_argument("--no-postgres", action="store_true", help="leave PostgreSQL out")
    parser.add_argument(
        "--workdir", type=Path, help="keep and reuse what is measured with here (default: a new folder)"
    )
    parser.add_argument("--keep", action="store_true", help="keep the new folder")
    parser.add_argument("--into", type=Path, help="also write the result between the marks of this page")
    found = parser.parse_args(arguments)
    found.only = list(SECTIONS) if found.only is None else found.only.split(",")
    strange = [name for name in found.only if name not in SECTIONS]
    if strange:
        parser.error(f"no section {strange[0]!r}: " + ", ".join(SECTIONS))
    if found.into is not None and BEGIN not in found.into.read_text(encoding="utf-8"):
        parser.error(f"{found.into} has no line {BEGIN}")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the sections asked for."""
    given = _arguments(arguments)
    load = os.getloadavg()[0]
    workdir = given.workdir or Path(tempfile.mkdtemp(prefix="bench-", dir="."))
    workdir.mkdir(parents=True, exist_ok=True)
    bench = Bench(
        workdir=workdir.resolve(),
        facts=given.facts,
        scale=given.scale,
        demo_scale=given.demo_scale,
        appends=given.appends,
        postgres=not given.no_postgres,
    )
    sections: list[Section] = []
    try:
        for name in given.only:
            try:
                sections.append(SECTIONS[name][1](bench))
            except Failed as error:
                print(f"section {name} could not be measured: {error}", file=sys.stderr)
    finally:
        if given.workdir is None and not given.keep:
            shutil.rmtree(workdir, ignore_errors=True)
    text = _page(machine.describe(load), sections)
    print(text)
    complete = len(sections) == len(given.only)
    if given.into is not None and complete:
        page = given.into.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        given.into.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    wrong = [line for section in sections for line in section.wrong]
    for line in wrong:
        print(f"wrong: {line}", file=sys.stderr)
    return 1 if wrong or not complete else 0


def _page(described: str, sections: list[Section]) -> str:
    goals = [goal for section in sections for goal in section.goals]
    parts = ["## Machine", described]
    if goals:
        parts += ["## Goals", table(["", "goal", "measured", ""], [_goal(goal) for goal in goals])]
    for section in sections:
        parts += [f"## {SECTIONS[section.name][0]}", section.text]
    return "\n\n".join(parts)


def _goal(goal: Goal) -> list[str]:
    return [goal.what, goal.wanted, goal.measured, "met" if goal.met else "MISSED"]


if __name__ == "__main__":
    sys.exit(main())
