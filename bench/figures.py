"""Section ``figures``: every figure, the briefing, and the same questions asked of peers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.measuring import Run, note, part
from bench.prepared import Bench
from bench.questions import PER_DAY, WAITING
from bench.tables import Goal, Section, mebibytes, middle, milliseconds, rate, ratio, seconds

_WARM_SECONDS = 0.150
_BRIEFING_SECONDS = 3.0
_MEMORY = 1.5e9


def measure(bench: Bench) -> Section:
    """Measure figures, the briefing, and peers."""
    section = Section("figures")
    folder, made = bench.book()
    note("making the columnar mirror")
    mirror = part("mirror", folder)
    facts, orders = mirror.said["facts"], mirror.said["orders"]
    section.add(
        f"A book of {facts:,} facts about {orders:,} orders (the demo at scale {bench.scale:g}); "
        "each row a process of its own."
    )
    _making(section, made, mirror)
    _catalogue(section, folder)
    _briefing(section, folder)
    _peers(bench, section, folder, mirror.said["when"], facts)
    return section


def _making(section: Section, made: Run | None, mirror: Run) -> None:
    facts = mirror.said["facts"]
    rows = []
    if made is not None:
        cells = [seconds(made.wall), seconds(made.cpu), rate(facts, made.wall), mebibytes(made.peak)]
        rows.append(["book: simulated, checked, hashed, recorded", *cells])
        section.goals.append(_memory("making the book", made))
    wall = mirror.said["wall"]
    cells = [seconds(wall), seconds(mirror.cpu), rate(facts, wall), mebibytes(mirror.peak)]
    rows.append([f"columnar mirror from nothing ({mebibytes(mirror.said['bytes'])})", *cells])
    section.goals.append(_memory("columnar mirror", mirror))
    section.table(["", "wall", "CPU", "facts", "peak memory"], rows)


def _memory(what: str, run: Run) -> Goal:
    return Goal(f"memory, {what}", "< 1.5 GB", mebibytes(run.peak), run.peak < _MEMORY)


def _catalogue(section: Section, folder: Path) -> None:
    rows: list[list[str]] = []
    slowest: tuple[float, str] = (0.0, "")
    peak: Run | None = None
    unknown: list[str] = []
    for name, dimensions in part("catalogue").said["figures"].items():
        note(f"asking {name}")
        run = part("asking", folder, name, *dimensions)
        said = run.said
        if said["unknown"]:
            unknown.append(f"{name} is unknown here: {said['unknown']}")
        cells = []
        for by in ("", "trim", "week"):
            if by not in said["warm"]:
                cells.append("")
                continue
            warm = middle(said["warm"][by])
            slowest = max(slowest, (warm, f"{name} by {by}" if by else name))
            cells.append(milliseconds(warm) + (" (slow)" if warm > _WARM_SECONDS else ""))
        rows.append([name, *cells, milliseconds(said["cold"]), seconds(run.wall), mebibytes(run.peak)])
        peak = run if peak is None or run.peak > peak.peak else peak
    section.add(
        "Warm: median of 5 in an open launch. Cold: the first answer of a fresh process, from opening "
        "the launch on, its files dropped from the page cache. Process: that and all warm questions, "
        "with the start of Python."
    )
    section.table(["figure", "warm", "by trim", "by week", "cold", "process", "peak memory"], rows)
    if unknown:
        section.add("\n".join(f"- {line}" for line in unknown))
    section.goals.append(
        Goal(
            "slowest figure, warm",
            f"< {milliseconds(_WARM_SECONDS)}",
            f"{milliseconds(slowest[0])} ({slowest[1]})",
            slowest[0] < _WARM_SECONDS,
        )
    )
    if peak is not None:
        section.goals.append(_memory("figures", peak))


def _briefing(section: Section, folder: Path) -> None:
    note("writing the briefing")
    run = part("briefing", folder)
    said = run.said
    writing, drawing = middle(said["writing"]), middle(said["drawing"])
    section.table(
        [f"briefing ({said['sentences']} sentences, {said['bytes'] / 1000:,.0f} kB of HTML)", "wall"],
        [
            ["warm: figures, claims and sentences", seconds(writing)],
            ["warm: pictures and page", seconds(drawing)],
            ["warm, whole (median of 3)", seconds(writing + drawing)],
            [
                "fresh process, opening the launch included, files not in the page cache",
                seconds(said["first"]),
            ],
        ],
    )
    for what, took in (
        ("full briefing, warm", writing + drawing),
        ("full briefing, fresh process", said["first"]),
    ):
        section.goals.append(
            Goal(what, f"< {_BRIEFING_SECONDS:g} s", seconds(took), took < _BRIEFING_SECONDS)
        )
    section.goals.append(_memory("briefing", run))


def _peers(bench: Bench, section: Section, folder: Path, as_of: int, mark: int) -> None:
    note("asking peers: copying the facts for plain SQL")
    plain = bench.workdir / "plain.sqlite"
    plain.unlink(missing_ok=True)
    copied = part("sql_copy", folder, plain)
    runs: dict[str, Run] = {}
    for name, arguments in {
        "Driveaway": ("ours", folder, as_of, mark),
        "pandas, Parquet read for each answer": ("frames", folder, as_of, mark, "files"),
        "pandas, columns kept in memory": ("frames", folder, as_of, mark, "memory"),
        "SQL over SQLite's JSON": ("sql", plain, as_of, mark),
        "folding in Python, the way beancount does": ("folding", folder, as_of, mark),
        "physical floor: columns read and counted": ("floor", folder),
    }.items():
        note(f"asking peers: {name}")
        module, *rest = arguments
        runs[name] = part(str(module), *rest)
    plain.unlink()
    section.add(
        "The same questions, the same machine, the same cut (as-of, mark, replaced facts out); answers are "
        "medians of repeated ones. Plain SQL has a table of its own with indexes, made in "
        f"{seconds(copied.wall)}; the fold keeps an entry a fact in memory. "
        "The floor reads the columns needed with pyarrow, and counts without cut or join."
    )
    for question, title in (
        (WAITING, "locked orders neither cancelled nor handed over, by trim"),
        (PER_DAY, "locked orders per day"),
    ):
        section.table(
            [title, "answer", "/ ours", "/ floor", "loading before", "peak memory"],
            _rows(question, runs, section),
        )


def _rows(question: str, runs: dict[str, Run], section: Section) -> list[list[str]]:
    ours: dict[str, Any] = runs["Driveaway"].said[question]
    base = middle(ours["again"])
    floor = middle(next(run for name, run in runs.items() if "floor" in name).said[question]["again"])
    rows = []
    for name, run in runs.items():
        said = run.said[question]
        if "floor" not in name and said["answer"] != ours["answer"]:
            section.wrong.append(f"{question}: {name} answers {said['answer']}, ours is {ours['answer']}")
        took = middle(said["again"])
        loading = run.said["loading"]
        rows.append(
            [
                name,
                milliseconds(took),
                ratio(took, base),
                ratio(took, floor),
                seconds(loading) if loading else "",
                mebibytes(run.peak),
            ]
        )
    return rows
