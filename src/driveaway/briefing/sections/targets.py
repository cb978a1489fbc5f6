"""Progress to each target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from driveaway import plots
from driveaway.briefing import texts
from driveaway.briefing.asking import Asked
from driveaway.briefing.numbers import Language
from driveaway.briefing.statement import Exhibit, Section, Sentence, Writer


def targets(writer: Writer) -> Section:
    """Every target set, what is reached of it, and what it was before."""
    desk, words = writer.desk, writer.words
    asked = desk.ask("targets.progress")
    title = texts.both("section.targets")
    if asked.unknown is not None or not asked.rows:
        key = "sentence.targets.progress" if asked.unknown is not None else "sentence.targets.none"
        return Section("targets", title, (writer.say(key, asked),))

    today = desk.known_until or desk.today

    def pace(row: Mapping[str, Any]) -> float | None:
        return passed(row, today)

    sentences = [said for row in asked.rows for said in _told(writer, asked, row)]
    if desk.known_until is not None:
        key = "sentence.targets.stale"
        text = texts.both(key, day=desk.known_until.isoformat())
        sentences.insert(0, writer.plain(key, text, known=False))
    exhibit = Exhibit(
        id="targets-progress",
        picture=plots.progress(
            asked.answer,
            words,
            title=words("plot.title.targets.progress"),
            label=lambda row: _capital(aim(row, words.language)),
            pace=pace,
        ),
        columns=tuple(words(f"column.{c}") for c in ("target", "reached", "share", "passed", "previous")),
        rows=tuple(
            (
                _capital(aim(row, words.language)),
                _reached(row, pace(row), words),
                "–" if row["share"] is None else words.number(row["share"], "percent"),
                "–" if (begun := pace(row)) is None else words.number(begun, "percent"),
                "–" if row.get("previous_amount") is None else words.number(row["previous_amount"], "count"),
            )
            for row in asked.rows
        ),
        evidence=(asked.evidence,),
    )
    return Section("targets", title, tuple(sentences), (exhibit,))


def _told(writer: Writer, asked: Asked, row: Mapping[str, Any]) -> Iterator[Sentence]:
    """What is reached of one target, and what it was before it was last changed."""
    desk = writer.desk
    begun = passed(row, desk.known_until or desk.today)
    known = "sentence.targets.unknown" if row["share"] is None else "sentence.targets.row"
    key = "sentence.targets.not_begun" if begun is None else known
    evidence = asked.evidence_of(desk.asker, row, "target")
    words = {language: aim(row, language) for language in texts.LANGUAGES}
    # Only what is reached may be simulated: the target itself is the maker's word.
    yield writer.say(
        key,
        asked,
        evidence=[evidence],
        simulated=evidence.simulated and key == "sentence.targets.row",
        aim=words,
        reached=row["value"],
        share=row["share"] or 0,
        passed=begun or 0,
        from_day=str(row["from_day"]),
    )
    before = row.get("previous_amount")
    if before is not None and before != row["amount"]:
        yield writer.say(
            "sentence.targets.raised" if row["amount"] > before else "sentence.targets.lowered",
            asked,
            evidence=[evidence],
            simulated=False,
            aim=words,
            previous=before,
            amount=row["amount"],
            set_on=str(row["set_on"]),
        )


def _reached(row: Mapping[str, Any], begun: float | None, words: texts.Texts) -> str:
    if row["value"] is not None:
        return words.number(row["value"], "count")
    return words("headline.unknown" if begun is not None else "plot.progress.not_begun")


def aim(row: Mapping[str, Any], language: Language) -> str:
    """What a target aims at, in words: more than 10,000 cars delivered, 1 June to 30 June 2024."""
    words = texts.Texts(language)
    key = f"aim.{row['measure']}"
    role = row.get("role")
    if f"{key}.{role}" in texts.table():
        key = f"{key}.{role}"
    measure = words(key) if key in texts.table() else str(row["measure"])
    return words(
        "aim.text",
        qualifier=words(f"qualifier.{str(row['qualifier']).replace(' ', '_')}"),
        amount=row["amount"],
        measure=measure,
        until=_span(row, words),
    )


def passed(row: Mapping[str, Any], today: date) -> float | None:
    """The share of a target's days that have passed by a day's end, None before its first day."""
    first, last = date.fromisoformat(str(row["from_day"])), date.fromisoformat(str(row["until_day"]))
    if today < first:
        return None
    return min(1.0, ((today - first).days + 1) / ((last - first).days + 1))


def _span(row: Mapping[str, Any], words: texts.Texts) -> str:
    first, last = date.fromisoformat(str(row["from_day"])), date.fromisoformat(str(row["until_day"]))
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31) and first.year == last.year:
        return words("aim.year", year=first.year)
    following = date.fromordinal(last.toordinal() + 1)
    if first.day == 1 and following.day == 1 and (first.year, first.month) == (last.year, last.month):
        return words("aim.month", month=words.number(first, "month"))
    return words("aim.days", first=first, last=last)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
