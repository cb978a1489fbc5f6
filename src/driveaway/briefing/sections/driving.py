"""What the delivered cars drive: who uses assistance, how far, the longest day; by day, trim and city."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from driveaway import plots
from driveaway.briefing import texts
from driveaway.briefing.asking import Asked
from driveaway.briefing.statement import Exhibit, Section, Sentence, Writer
from driveaway.values.errors import NotFound

_CITIES = 8


def driving(writer: Writer) -> Section | None:
    """Active cars, distance with assistance and the longest day; None where no trip has landed."""
    desk = writer.desk
    if not _has_trips(writer):
        return None
    driven = desk.ask("fleet.distance")
    assisted, share = desk.ask("fleet.assisted_distance"), desk.ask("fleet.assisted_share", window="ever")
    sentences: list[Sentence] = [
        writer.say(
            "sentence.fleet.active_rate",
            desk.ask("fleet.active_rate"),
            desk.ask("fleet.active_cars"),
            active=desk.ask("fleet.active_cars").answer.value,
        ),
        writer.say(
            "sentence.fleet.assisted_distance",
            assisted,
            driven,
            share,
            driven=driven.answer.value,
            share=share.answer.value,
        ),
        *_longest(writer),
        *_ended(writer),
    ]
    exhibits = (_by_day(writer), _by_trim(writer), _by_city(writer))
    made = tuple(exhibit for exhibit in exhibits if exhibit is not None)
    return Section("driving", texts.both("section.driving"), tuple(sentences), made)


def _has_trips(writer: Writer) -> bool:
    """Whether any trip has landed; that a launch has none is no gap to be told of."""
    try:
        return writer.desk.asker.figure("fleet.distance").unknown is None
    except NotFound:
        return False


def _longest(writer: Writer) -> list[Sentence]:
    """The longest day with assistance of any car; the car itself is not told."""
    desk = writer.desk
    asked, by_day = desk.ask("fleet.most_in_one_day"), desk.ask("fleet.most_in_one_day", by=("day",))
    days = [row for row in by_day.rows if row["value"] and row["value"] == asked.answer.value]
    if not days:
        return []
    return [writer.say("sentence.fleet.most_in_one_day", asked, day=str(days[0]["day"]))]


def _ended(writer: Writer) -> list[Sentence]:
    """How often the system ended assistance, and how often the driver did: never added."""
    desk = writer.desk
    kinds = ("system_deactivation", "driver_override")
    system, driver = (desk.ask("fleet.deactivations_per_1000km", kind=kind) for kind in kinds)
    if system.unknown is not None or driver.unknown is not None:
        return []
    return [
        writer.say(
            "sentence.fleet.deactivations",
            system,
            driver,
            system=system.answer.value,
            driver=driver.answer.value,
        )
    ]


def _by_day(writer: Writer) -> Exhibit | None:
    desk, words = writer.desk, writer.words
    asked = desk.ask("fleet.assisted_distance", by=("day",))
    if not asked.rows:
        return None
    rows = [{**row, "value": round((row["value"] or 0) / 1000)} for row in asked.rows]
    return Exhibit(
        id="fleet-assisted-per-day",
        picture=plots.per_day(
            replace(asked.answer, rows=rows), words, title=words("plot.title.fleet.assisted_per_day")
        ),
        columns=(words("column.day"), words("column.assisted")),
        rows=tuple(
            (words.number(str(row["day"]), "day"), words.number(row["value"] or 0, "km"))
            for row in asked.rows
        ),
        evidence=(asked.evidence,),
    )


def _by_trim(writer: Writer) -> Exhibit | None:
    words = writer.words
    asked = writer.desk.ask("fleet.active_rate", by=("trim",))
    if not asked.rows:
        return None
    return Exhibit(
        id="fleet-active-by-trim",
        picture=plots.ranked(
            [(words("column.trim"), "trim", asked.answer)],
            words,
            title=words("plot.title.fleet.active_rate"),
            note=words("plot.ranked.active"),
            style="percent",
        ),
        columns=tuple(words(f"column.{name}") for name in ("trim", "share", "using", "delivered")),
        rows=tuple(
            (
                str(row["trim"]),
                _shown(writer, row, "value", "percent"),
                _shown(writer, row, "active", "count"),
                _shown(writer, row, "of", "count"),
            )
            for row in asked.rows
        ),
        evidence=(asked.evidence,),
    )


def _by_city(writer: Writer) -> Exhibit | None:
    words = writer.words
    asked: Asked = writer.desk.ask("fleet.assisted_distance", by=("city",))
    shown = [row for row in asked.rows if row.get("city") is not None and row["value"] is not None]
    if not shown:
        return None
    shown.sort(key=lambda row: (-row["value"], str(row["city"])))
    hidden = sum(bool(row.get("suppressed")) for row in asked.rows)
    rest = [(words("column.more", n=hidden), words("plot.shares.suppressed"))] if hidden else []
    return Exhibit(
        id="fleet-assisted-by-city",
        picture=plots.ranked(
            [(words("column.city"), "city", replace(asked.answer, rows=shown))],
            words,
            title=words("plot.title.fleet.assisted_distance"),
            note=words("plot.ranked.distance"),
            style="km",
            most=_CITIES,
        ),
        columns=(words("column.city"), words("column.assisted")),
        rows=(*((str(row["city"]), words.number(row["value"], "km")) for row in shown), *rest),
        evidence=(asked.evidence,),
    )


def _shown(writer: Writer, row: Mapping[str, Any], name: str, style: str) -> str:
    value = row.get(name)
    if value is None:
        return writer.words("plot.shares.suppressed") if row.get("suppressed") else "–"
    return writer.words.number(value, style)
