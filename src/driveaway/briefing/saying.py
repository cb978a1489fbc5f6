"""One figure as a sentence that may be said, in English and Chinese, read against the lexicon."""

from __future__ import annotations

from collections.abc import Mapping

from driveaway.briefing import texts
from driveaway.briefing.asking import Asked, Asker, Desk
from driveaway.briefing.statement import Sentence, Words, Writer, figure_title
from driveaway.figures.answer import Answer
from driveaway.values.errors import BadValue

_STYLES = {"share": "percent", "days": "decimal", "kWh/100 km": "number", "m": "km"}


def say(asker: Asker, name: str, arguments: Mapping[str, str]) -> Sentence:
    """The sentence of a figure that has one value; unknown, with the reason, where it has none.

    Args:
        asker: the book, cut at an as-of and a mark.
        name: the figure.
        arguments: its parameters, and dimensions as filters.

    Raises:
        NotFound: no such figure.
        BadValue: the figure has rows, not one value.
    """
    # A number of days that is the figure's own default is said, too.
    for parameter in getattr(asker.definition(name), "parameters", ()):
        if parameter.name == "days" and parameter.default is not None:
            arguments = {"days": str(parameter.default), **arguments}
    desk = Desk(asker)
    asked = desk.ask_with(name, arguments)
    if asked.unknown is None and asked.answer.value is None:
        raise BadValue(
            f"{name} gives rows, not one value",
            code="say.rows",
            remedy="give arguments that leave one value, or use driveaway figure",
        )
    writer = Writer(desk, texts.Texts("en"))
    if asked.unknown is not None:
        return writer.say("say.value", asked)
    return writer.plain("say.value", _text(asked), [asked.evidence])


def _text(asked: Asked) -> Words:
    answer = asked.answer
    style = _STYLES.get(answer.unit, "count")
    title = figure_title(asked)
    interval = answer.interval
    out: dict[str, str] = {}
    for language in texts.LANGUAGES:
        words = texts.Texts(language)
        tail = ""
        if interval is not None:
            tail = words("sentence.interval", level=interval.level, low=interval.low, high=interval.high)
        out[language] = words(
            "say.simulated" if answer.simulated else "say.value",
            title=title[language],
            value=words.number(answer.value, style),
            unit=_unit(answer, language),
            interval=tail,
            as_of=answer.as_of,
        )
    return out


def _unit(answer: Answer, language: str) -> str:
    """A unit's word behind the number; nothing where the number carries its sign or unit."""
    unit = answer.unit
    one = texts.table().get(f"unit.one.{unit}") if answer.value == 1 else None
    known = one or texts.table().get(f"unit.{unit}")
    if known is not None:
        return known[language]
    return "" if unit in ("share", "m") else f" {unit}"
