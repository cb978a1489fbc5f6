"""What a briefing is made of: sentences with their evidence, exhibits, sections."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from driveaway.briefing import lexicon, texts
from driveaway.briefing.asking import Asked, Desk, Evidence
from driveaway.briefing.lexicon import Flag
from driveaway.plots import Picture

Words = Mapping[str, str]
"""A text by language."""

_NOT_RECORDED = re.compile(
    r"the book holds no (?P<kind>[\w.]+)(?: with the role (?P<role>\w+))? by this date"
)


@dataclass(frozen=True)
class Sentence:
    """One statement, with the figures it rests on and the words in it that a rule speaks against.

    ``simulated``: a number in it counts simulated rows.
    """

    id: str
    text: Words
    evidence: tuple[Evidence, ...] = ()
    flags: tuple[Flag, ...] = ()
    known: bool = True
    simulated: bool = False

    def json(self) -> dict[str, Any]:
        """As one JSON object."""
        return {
            "id": self.id,
            "text": dict(self.text),
            "known": self.known,
            "simulated": self.simulated,
            "flags": [flag.json() for flag in self.flags],
            "evidence": [evidence.json() for evidence in self.evidence],
        }


@dataclass(frozen=True)
class Exhibit:
    """A picture with the same numbers as a table, in the briefing's language.

    A table's columns are headings, its cells texts that are ready to be shown.
    """

    id: str
    picture: Picture
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    evidence: tuple[Evidence, ...]

    def json(self) -> dict[str, Any]:
        """As one JSON object; the picture by its words."""
        return {
            "id": self.id,
            "title": self.picture.title,
            "description": self.picture.description,
            "simulated": self.picture.simulated,
            "columns": list(self.columns),
            "rows": [list(row) for row in self.rows],
            "evidence": [evidence.json() for evidence in self.evidence],
        }


@dataclass(frozen=True)
class Headline:
    """One large number at the top: the number, what it counts, and its sentence."""

    number: Words
    label: Words
    sentence: Sentence

    def json(self) -> dict[str, Any]:
        """As one JSON object."""
        return {
            "number": dict(self.number),
            "label": dict(self.label),
            "sentence": self.sentence.json(),
        }


@dataclass(frozen=True)
class Section:
    """A part of the briefing."""

    id: str
    title: Words
    sentences: tuple[Sentence, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()

    def json(self) -> dict[str, Any]:
        """As one JSON object."""
        return {
            "id": self.id,
            "title": dict(self.title),
            "sentences": [sentence.json() for sentence in self.sentences],
            "exhibits": [exhibit.json() for exhibit in self.exhibits],
        }


@dataclass
class Writer:
    """Writes sentences at a desk, in both languages, and reads each against the lexicon."""

    desk: Desk
    words: texts.Texts
    used: set[str] = field(default_factory=set)

    def say(
        self,
        key: str,
        *asked: Asked,
        simulated: bool | None = None,
        evidence: Sequence[Evidence] | None = None,
        **values: Any,
    ) -> Sentence:
        """The sentence of a template; unknown when one of its answers is, with the reason.

        The template's own values may use ``value`` for the first answer's single value.

        Args:
            key: of the template.
            asked: the answers it rests on.
            simulated: whether its numbers count simulated rows; default: whether its evidence does.
            evidence: what it rests on, where that is narrower than the whole answers.
            values: for the template's fields.
        """
        missing = next((a for a in asked if a.unknown is not None), None)
        if missing is not None:
            text = texts.both(
                "sentence.unknown", title=figure_title(missing), reason=sentence(missing.unknown)
            )
        else:
            if asked and asked[0].answer.value is not None:
                values.setdefault("value", asked[0].answer.value)
            text = texts.both(key, **values)
            interval = asked[0].answer.interval if asked else None
            if interval is not None:
                tail = texts.both(
                    "sentence.interval", level=interval.level, low=interval.low, high=interval.high
                )
                text = {
                    language: text[language][:-1] + tail[language] + text[language][-1]
                    for language in text  # before the full stop
                }
        shown = [a.evidence for a in asked] if evidence is None or missing is not None else evidence
        return self.plain(key, text, shown, known=missing is None, simulated=simulated)

    def plain(
        self,
        key: str,
        text: Words,
        evidence: Sequence[Evidence] = (),
        *,
        known: bool = True,
        simulated: bool | None = None,
    ) -> Sentence:
        """A sentence whose text is at hand; it is simulated as its evidence is, unless told."""
        flags = tuple(flag for t in text.values() for flag in lexicon.check(t, self.desk.today))
        # What is not known has no number that could be simulated.
        told = known and any(e.simulated for e in evidence) if simulated is None else simulated
        return Sentence(self._id(key), text, tuple(evidence), flags, known, told)

    def _id(self, key: str) -> str:
        base = key.replace("_", "-").replace(".", "-")
        name, number = base, 1
        while name in self.used:
            number += 1
            name = f"{base}-{number}"
        self.used.add(name)
        return name


def sentence(reason: str | None) -> dict[str, str]:
    """A reason as one sentence by language: a capital at its start, a full stop at its end.

    The commonest reason, that nothing was recorded, is said in Chinese too; others stay as they are.
    """
    text = (reason or "").strip().rstrip(".。")
    said = f"{text[:1].upper()}{text[1:]}." if text else ""
    out: dict[str, str] = {"en": said, "zh": said}
    if found := _NOT_RECORDED.fullmatch(text):
        chinese = texts.Texts("zh")
        role = found["role"]
        more = chinese("list.bracketed", text=chinese.number(role, "name")) if role else ""
        out["zh"] = chinese("reason.not_recorded", kind=found["kind"] + more)
    return out


def figure_title(asked: Asked) -> dict[str, str]:
    """A figure's short name by language, with its arguments."""
    evidence, out = asked.evidence, {}
    for language, title in (("en", evidence.title), ("zh", evidence.title_zh)):
        words = texts.Texts(language)
        values = [_argument(words, name, text) for name, text in evidence.arguments.items()]
        more = words("list.bracketed", text=words("list.separator").join(values)) if values else ""
        out[language] = title + more
    return out


def _argument(words: texts.Texts, name: str, text: str) -> str:
    """An argument's value in words: female, 女性; a number of days says that it is one."""
    if name == "days" and text.isdecimal():
        return words("argument.days", n=int(text))
    return words("list.or").join(words.number(part, "name") for part in text.split("|"))
