"""Figures of driving beside peers: ``python -m bench.fleet.figures [--trips N,N] [--workdir DIR]``.

Driveaway answers from its ledger, made beforehand (``bench.fleet.ingest`` measures that); peers answer from
the raw trips, in the same run and on the same machine.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.fleet import prepared
from bench.fleet.peers import QUESTIONS
from bench.fleet.prepared import Size
from bench.measuring import Failed, note
from bench.tables import mebibytes, milliseconds, ratio, seconds, table

_PEERS = ("duckdb", "polars", "pandas", "pyspark")
_OURS = {
    QUESTIONS[0]: ("one_day", "fleet.active_rate"),
    QUESTIONS[1]: ("by_day", "fleet.active_rate"),
    QUESTIONS[2]: ("one_day", "fleet.assisted_distance"),
    QUESTIONS[3]: ("one_day", "fleet.most_in_one_day"),
}


def launch(workdir: Path, size: Size) -> Path:
    """A launch folder in which all drives have landed."""
    folder = workdir / f"launch-{size.name}"
    done = workdir / f"landed-{size.name}.complete"
    if not (done.exists() and folder.exists()):
        files = prepared.drives(workdir, size)
        folder = prepared.fresh_launch(workdir, size)
        note(f"landing {size.trips:,} segments")
        prepared.task("land", folder, files[0].parent)
        done.touch()
    return folder


def growth(said: dict[str, dict[str, Any]]) -> str:
    """One line a size: the dearest figure of one day, all figures of all days, memory."""
    heads = ["engine", "segments", "first answer", "dearest, one day", "all, one day", "all, 90 days",
             "again", "peak memory"]  # fmt: skip
    rows = []
    for key, each in said.items():
        engine, _, trips = key.partition("|")
        one = [row["wall"] for row in each["one_day"]]
        rows.append(
            [
                engine, trips, seconds(each["cold"]), milliseconds(max(one)), milliseconds(sum(one)),
                seconds(sum(value[0] for value in each["by_day"].values())), seconds(each["all_again"]),
                mebibytes(each["peak"]),
            ]
        )  # fmt: skip
    return table(heads, rows)


def each_figure(said: dict[str, Any]) -> str:
    """One line a figure."""
    rows = []
    for row in said["one_day"]:
        given = ", ".join(f"{name}={value}" for name, value in row["given"].items())
        days = said["by_day"].get(row["figure"])
        rows.append(
            [
                f"{row['figure']} {given}".strip(),
                milliseconds(row["wall"]),
                milliseconds(row["cpu"]),
                seconds(days[0]) if days and not row["given"].get("function") else "–",
            ]
        )
    return table(["figure", "one day", "its CPU", "by day, 90 days"], rows)


def beside(ours: dict[str, Any], files: Path) -> str:
    """The four questions, of every peer."""
    floor = prepared.peer("floor", files)
    note("peer floor")
    found: dict[str, dict[str, Any]] = {}
    for name in _PEERS:
        note(f"peer {name}")
        try:
            made = prepared.peer(name, files)
        except Failed as error:
            print(error, file=sys.stderr)
            continue
        found[name] = made.said
    rows = []
    for question in QUESTIONS:
        mine = _mine(ours, question)
        line = [question, "–" if mine is None else _both(mine, 0.0)]
        for name in _PEERS:
            answers = found.get(name, {}).get("answers", {})
            base = 0.0 if mine is None else mine[1]
            line.append(_both(answers[question][1:], base) if question in answers else "–")
        rows.append(line)
    reading = found.get("pandas", {}).get("reading")
    rows.append(["reading, before all", "–", "–", "–", _both(reading, 0.0) if reading else "–", "–"])
    rows.append(["peak memory", mebibytes(ours["peak"])] + [_peak(found.get(name)) for name in _PEERS])
    share = found.get("pandas", {}).get("share", 0.1)
    heads = [
        "question",
        "Driveaway",
        "DuckDB",
        "Polars",
        f"pandas on {share:.0%} of the cars",
        "PySpark local[2]",
    ]
    scan = floor.said["answers"]["scan"]
    after = f"Reading the three columns once (DuckDB): {seconds(scan[1])}, {seconds(scan[2])} of CPU."
    return table(heads, rows) + "\n\n" + after + "\n\n" + _agreement(ours, found)


def _mine(ours: dict[str, Any], question: str) -> Sequence[float] | None:
    """Wall and processor seconds."""
    kind, name = _OURS[question]
    if kind == "by_day":
        return list(ours["by_day"][name][:2])
    return next(([row["wall"], row["cpu"]] for row in ours["one_day"] if row["figure"] == name), None)


def _both(times: Sequence[float], base: float) -> str:
    """Wall and processor time, and how many times the processor time of another."""
    text = f"{seconds(times[0])}, CPU {seconds(times[1])}"
    return f"{text} ({ratio(times[1], base)})" if base else text


def _peak(found: dict[str, Any] | None) -> str:
    return "–" if found is None else mebibytes(found["peak"])


def _agreement(ours: dict[str, Any], found: dict[str, dict[str, Any]]) -> str:
    """Whether the peers agree among themselves, and with our metres but for drives over the last midnight."""
    whole = {name: each["answers"] for name, each in found.items() if name != "pandas"}
    same = all(len({each[q][0] for each in whole.values()}) <= 1 for q in QUESTIONS)
    mine = next(row["value"] for row in ours["one_day"] if row["figure"] == "fleet.assisted_distance")
    theirs = next(iter(whole.values()))[QUESTIONS[2]][0] if whole else None
    text = "The peers on all trips agree with each other." if same else "THE PEERS DO NOT AGREE."
    if theirs is not None:
        text += (
            f" Metres with assistance: {mine:,}, theirs {theirs:,} ({abs(mine - theirs) / theirs:.5%} apart:"
        )
        text += " drives over the last midnight, which they do not split)."
    return text


def main() -> None:
    given = prepared.arguments(__doc__ or "")
    with prepared.workdir(given.workdir) as workdir:
        said: dict[str, dict[str, Any]] = {}
        parts = []
        for size in given.sizes:
            folder = launch(workdir, size)
            for engine in ("duckdb", *given.engines):
                note(f"figures of {size.trips:,} segments on {engine}")
                said[f"{engine}|{size.trips:,}"] = prepared.task("figures", folder, engine).said
        largest = given.sizes[-1]
        ours = said[f"duckdb|{largest.trips:,}"]
        parts = [growth(said), each_figure(ours)]
        if not given.no_peers:
            parts.append(beside(ours, prepared.drives(workdir, largest)[0].parent))
    prepared.publish(given.into, "figures", "\n\n".join(parts))


if __name__ == "__main__":
    main()
