"""Deliveries to come: what the adopted plan expects, the odds of targets, what was promised."""

from __future__ import annotations

from driveaway import plots
from driveaway.briefing import texts
from driveaway.briefing.asking import Asked
from driveaway.briefing.sections.targets import aim
from driveaway.briefing.statement import Exhibit, Section, Sentence, Writer

_WEEKS = 13
_PROMISES = 3


def deliveries(writer: Writer) -> Section:
    """The plan's picture, the odds of each delivery target, what holds back, and three promises."""
    desk, words = writer.desk, writer.words
    expected = desk.ask("delivery.expected")
    title = texts.both("section.deliveries")
    if expected.unknown is not None or not expected.rows:
        return Section("deliveries", title, (writer.say("sentence.deliveries.none", expected),))
    sentences = [*_odds(writer), *_weeks(writer, expected), *_backlog(writer), *_binding(writer)]
    sentences += _promises(writer)
    if desk.known_until is not None:
        key = "sentence.deliveries.stale"
        text = texts.both(key, day=desk.known_until.isoformat())
        sentences.insert(0, writer.plain(key, text, known=False))
    exhibit = Exhibit(
        id="delivery-expected",
        picture=plots.by_week(expected.answer, words, title=words("plot.title.delivery.expected")),
        columns=tuple(words(f"column.{c}") for c in ("week", "expected", "low", "high", "built")),
        rows=tuple(
            (
                words.number(str(row["first_day"]), "day"),
                *(words.number(row[name], "count") for name in names),
            )
            for names in (("value", "low", "high", "built"),)
            for row in expected.rows[:_WEEKS]
        ),
        evidence=(expected.evidence,),
    )
    return Section("deliveries", title, tuple(sentences), (exhibit,))


def _odds(writer: Writer) -> list[Sentence]:
    asked, set_ = writer.desk.ask("delivery.target_odds"), writer.desk.ask("targets.progress")
    targets = {row["target"]: row for row in set_.rows}
    return [
        writer.say(
            "sentence.deliveries.odds", asked,
            aim={language: aim(targets[row["target"]], language) for language in texts.LANGUAGES},
            odds=row["value"], low=row["cars_low"], high=row["cars_high"],
        )
        for row in asked.rows
        if row["target"] in targets
    ]  # fmt: skip


def _weeks(writer: Writer, expected: Asked) -> list[Sentence]:
    rows = expected.rows
    whole = rows[1] if len(rows) > 1 else rows[0]
    return [
        writer.say(
            "sentence.deliveries.week", expected, first_day=str(whole["first_day"]), value=whole["value"],
            low=whole["low"], high=whole["high"],
        )
    ]  # fmt: skip


def _backlog(writer: Writer) -> list[Sentence]:
    asked = writer.desk.ask("delivery.backlog_weeks")
    if asked.unknown is not None or not asked.rows:
        return [writer.say("sentence.deliveries.backlog_open", asked)]
    (row,) = asked.rows
    key = "sentence.deliveries.backlog_open" if row["cleared_by"] is None else "sentence.deliveries.backlog"
    return [writer.say(key, asked, orders=row["orders"], weeks=row["value"], cleared_by=row["cleared_by"])]


def _binding(writer: Writer) -> list[Sentence]:
    """The limits that hold back, those that bind in the most weeks first."""
    asked = writer.desk.ask("delivery.binding")
    if not asked.rows:
        return []
    weeks: dict[str, int] = {}
    for row in asked.rows:
        weeks[row["limit"]] = weeks.get(row["limit"], 0) + 1
    names = sorted(weeks, key=lambda name: (-weeks[name], name))
    limits = {language: texts.Texts(language)("list.separator").join(names) for language in texts.LANGUAGES}
    return [writer.say("sentence.deliveries.binding", asked, limits=limits)]


def _promises(writer: Writer) -> list[Sentence]:
    asked = writer.desk.ask("delivery.promises")
    return [
        writer.say(
            "sentence.deliveries.promise", asked, trim=row["trim"], value=row["value"], day=str(row["day"]),
            first_day=row["first_day"], last_day=row["last_day"], confidence=row["confidence"],
        )
        for row in asked.rows[:_PROMISES]
    ]  # fmt: skip
