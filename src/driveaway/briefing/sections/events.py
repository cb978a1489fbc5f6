"""Events on the order curve: what was held when, and the orders of the days around it."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from driveaway import plots
from driveaway.briefing import texts
from driveaway.briefing.statement import Exhibit, Section, Sentence, Writer
from driveaway.facts.public import EventHeld
from driveaway.values import clock


def events(writer: Writer) -> Section:
    """The cumulative order curve with its events; before and after are told, no cause is."""
    desk, words = writer.desk, writer.words
    around = desk.ask("publicity.locks_around_event")
    curve = desk.ask("orders.locked_per_day")
    held = [
        (clock.local_day(fact.happened, desk.zone).isoformat(), fact.subject, fact.body)
        for fact in desk.facts("event.held")
        if isinstance(fact.body, EventHeld)
    ]
    titles = {slug: {"en": body.title, "zh": body.title_zh or body.title} for _, slug, body in held}
    by_event: dict[str, list[Mapping[str, Any]]] = {}
    for row in around.rows:
        by_event.setdefault(str(row["event"]), []).append(row)
    sentences: list[Sentence] = []
    if around.unknown is not None:
        sentences.append(writer.say("sentence.publicity.unknown", around))
    table: list[tuple[str, ...]] = []
    for event, rows in by_event.items():
        title = titles.get(event, dict.fromkeys(texts.LANGUAGES, str(rows[0]["title"])))
        before = [row["value"] or 0 for row in rows if row["offset_days"] < 0]
        after = [row["value"] or 0 for row in rows if row["offset_days"] > 0]
        day = next((str(row["day"]) for row in rows if row["offset_days"] == 0), None)
        if day is None or not before or not after:
            continue
        values: dict[str, Any] = {
            "before": fmean(before),
            "after": fmean(after),
            "n_before": len(before),
            "n_after": len(after),
        }
        sentences.append(writer.say("sentence.publicity.event", around, title=title, day=day, **values))
        table.append(
            (
                words.number(day, "day"),
                title[words.language],
                words.number(values["before"], "count"),
                words.number(values["after"], "count"),
            )
        )
    if by_event:
        sentences.append(writer.say("sentence.publicity.no_cause", around, simulated=False))
    exhibits: tuple[Exhibit, ...] = ()
    if curve.rows:
        exhibits = (
            Exhibit(
                id="publicity-curve",
                picture=plots.cumulative(
                    curve.answer,
                    words,
                    title=words("plot.title.publicity"),
                    events=[plots.Event(day, titles[slug][words.language]) for day, slug, _ in held],
                ),
                columns=tuple(words(f"column.{c}") for c in ("day", "event", "before", "after")),
                rows=tuple(table),
                evidence=(curve.evidence, around.evidence),
            ),
        )
    return Section("events", texts.both("section.events"), tuple(sentences), exhibits)
