"""Tests beside rivals: measured and claimed, whoever comes first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driveaway import plots
from driveaway.briefing import texts
from driveaway.briefing.asking import Asked
from driveaway.briefing.statement import Exhibit, Section, Sentence, Writer


def trials(writer: Writer) -> Section:
    """Range kept and consumption, each car beside the others of the same tester and condition."""
    desk, words = writer.desk, writer.words
    kept, used = desk.ask("trials.range_kept"), desk.ask("trials.consumption")
    sentences = [
        *_ranked(writer, kept, "trials.range_kept", best_is_high=True),
        *_ranked(writer, used, "trials.consumption", best_is_high=False),
    ]
    exhibits = [
        Exhibit(
            id=name.replace(".", "-").replace("_", "-"),
            picture=plots.measured(
                asked.answer,
                words,
                title=words(f"plot.title.{name}"),
                percent=percent,
                group=lambda row: _heading(row, words),
            ),
            columns=tuple(
                words(f"column.{c}")
                for c in ("car", "condition", "tester", "measured", "claimed", "result", "grade")
            ),
            rows=tuple(
                (
                    str(row["car"]),
                    words.number(row["condition"], "condition"),
                    words.number(row["tester"], "speaker"),
                    *(_distances(row, words) if percent else _consumptions(row, words)),
                    "–"
                    if row["value"] is None
                    else words.number(row["value"], "percent" if percent else "number"),
                    str(row.get("grade") or "–"),
                )
                for row in asked.rows
            ),
            evidence=(asked.evidence,),
        )
        for name, asked, percent in (
            ("trials.range_kept", kept, True),
            ("trials.consumption", used, False),
        )
        if asked.rows
    ]
    return Section("trials", texts.both("section.trials"), tuple(sentences), tuple(exhibits))


def _ranked(writer: Writer, asked: Asked, name: str, *, best_is_high: bool) -> list[Sentence]:
    if asked.unknown is not None or not asked.rows:
        return [writer.say(f"sentence.{name}", asked)] if asked.unknown is not None else []
    out = []
    for row in asked.rows:
        if row["rival"] or row["value"] is None:
            continue
        group = [
            other["value"]
            for other in asked.rows
            if other["value"] is not None and _comparable(other) == _comparable(row)
        ]
        better = sum(value > row["value"] if best_is_high else value < row["value"] for value in group)
        values: Mapping[str, Any] = {
            "car": row["car"],
            "tester": row["tester"],
            "condition": row["condition"],
            "kept": row["value"],
            "distance": row.get("distance_m") or 0,
            "claimed": row.get("claimed_distance_m") or 0,
            "cycle": row.get("claimed_cycle") or "",
            "rank": better + 1,
            "of": len(group),
        }
        kind = "ranked" if len(group) > 1 else "alone"
        if row.get("basis") == "claimed":
            kind = "claimed" if row.get("measured") is None else "claimed.beside"
        key = f"sentence.{name}.{kind}"
        out.append(writer.say(key, asked, **values))
    return out


def _comparable(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Cars that share this can be ranked: one tester and condition, or all by their makers' figures."""
    if row.get("basis") == "claimed":
        return ("claimed",)
    return (str(row["condition"]), str(row["tester"]))


def _heading(row: Mapping[str, Any], words: texts.Texts) -> str:
    if row.get("basis") == "claimed":
        return words("trials.claimed")
    return f"{words.number(row['condition'], 'condition')} · {words.number(row['tester'], 'speaker')}"


def _distances(row: Mapping[str, Any], words: texts.Texts) -> tuple[str, str]:
    return _distance(words, row.get("distance_m")), _distance(words, row.get("claimed_distance_m"))


def _consumptions(row: Mapping[str, Any], words: texts.Texts) -> tuple[str, str]:
    """Measured and claimed: a claimed value is no test, and what was not measured is unknown."""
    is_claimed = row.get("basis") == "claimed"
    measured = row.get("measured") if is_claimed else row["value"]
    return (
        words("headline.unknown") if measured is None else words.number(measured, "number"),
        words.number(row["value"], "number") if is_claimed and row["value"] is not None else "–",
    )


def _distance(words: texts.Texts, metres: Any) -> str:
    return "–" if metres is None else words.number(metres, "km")
