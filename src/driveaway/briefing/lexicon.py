"""The dated lexicon: words that a statement may not use from a date on, each with its rule."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

_HYPHENS = frozenset("‐‑‒–—−-－")
_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")


@dataclass(frozen=True)
class Entry:
    """One line of the lexicon.

    Attributes:
        id: stable slug.
        language: ``en`` or ``zh``.
        pattern: what is looked for; ``unless`` takes a match back where it covers it.
        applies_to: what the rule speaks of.
        since: first day on which the rule holds.
        rule: the rule in words, ``rule_zh`` in Chinese.
        reference: where it stands.
        say_instead: what may be said.
        over: the number found must exceed this, where the entry is about a number.
    """

    id: str
    language: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None
    applies_to: str
    since: date
    rule: str
    rule_zh: str
    reference: str
    say_instead: str
    over: Decimal | None


@dataclass(frozen=True)
class Flag:
    """One word in a statement that a rule speaks against; ``start`` and ``end`` count its characters."""

    entry: str
    word: str
    start: int
    end: int
    applies_to: str
    since: date
    rule: str
    rule_zh: str
    reference: str
    say_instead: str

    def json(self) -> dict[str, Any]:
        """As one JSON object."""
        return {
            "entry": self.entry,
            "word": self.word,
            "start": self.start,
            "end": self.end,
            "applies_to": self.applies_to,
            "since": self.since.isoformat(),
            "rule": self.rule,
            "rule_zh": self.rule_zh,
            "reference": self.reference,
            "say_instead": self.say_instead,
        }


def check(text: str, on: date) -> list[Flag]:
    """The words of a statement made on a day that the rules of that day speak against.

    Looks through compatibility forms of letters, any hyphen, and invisible characters.
    """
    plain, places = _plain(text)
    flags = [flag for entry in entries() if on >= entry.since for flag in _found(entry, text, plain, places)]
    return sorted(flags, key=lambda flag: (flag.start, flag.end, flag.entry))


def entries() -> tuple[Entry, ...]:
    """The whole lexicon."""
    return _entries()


@cache
def _entries() -> tuple[Entry, ...]:
    content = tomllib.loads(resources.files(__package__).joinpath("lexicon.toml").read_text("utf-8"))
    return tuple(
        Entry(
            id=line["id"],
            language=line["language"],
            pattern=re.compile(line["pattern"]),
            unless=re.compile(line["unless"]) if "unless" in line else None,
            applies_to=line["applies_to"],
            since=line["from"],
            rule=line["rule"],
            rule_zh=line["rule_zh"],
            reference=line["reference"],
            say_instead=line["say_instead"],
            over=Decimal(line["over"]) if "over" in line else None,
        )
        for line in content["entry"]
    )


def _found(entry: Entry, text: str, plain: str, places: list[int]) -> Iterator[Flag]:
    denied = [m.span() for m in entry.unless.finditer(plain)] if entry.unless else []
    for match in entry.pattern.finditer(plain):
        if any(low <= match.start() and match.end() <= high for low, high in denied):
            continue
        if entry.over is not None and _number(match) <= entry.over:
            continue
        start, end = places[match.start()], places[match.end() - 1] + 1
        yield Flag(
            entry=entry.id,
            word=text[start:end],
            start=start,
            end=end,
            applies_to=entry.applies_to,
            since=entry.since,
            rule=entry.rule,
            rule_zh=entry.rule_zh,
            reference=entry.reference,
            say_instead=entry.say_instead,
        )


def _number(match: re.Match[str]) -> Decimal:
    found = match.group("number") or match.group("number2")
    return Decimal(found.replace(",", ""))


def _plain(text: str) -> tuple[str, list[int]]:
    """The text as the patterns expect it, with each character's place in the original."""
    out: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if character in _INVISIBLE:
            continue
        if character in _HYPHENS:
            character = "-"
        elif character.isspace():
            character = " "
        if character == " " and out and out[-1] == " ":
            continue
        for folded in unicodedata.normalize("NFKC", character).lower():
            out.append(folded)
            places.append(place)
    return "".join(out), places
