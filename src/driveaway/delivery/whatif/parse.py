"""From the text of a what-if to its changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from driveaway.delivery.whatif.applying import apply
from driveaway.delivery.whatif.changes import Change, check
from driveaway.delivery.whatif.forms import FORMS, Form
from driveaway.delivery.whatif.reader import Miss, Reader, nearest
from driveaway.delivery.whatif.vocabulary import Vocabulary, vocabulary
from driveaway.facts.description import Description
from driveaway.values.clock import local_day, now, parse_as_of, zone
from driveaway.values.errors import BadValue

_SEGMENT = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^;])+')
_TOKEN = re.compile(r"[a-z]{2,}|%")
_NAMES_SHOWN = 8
_PATTERNS_SHOWN = 3


def parse(
    text: str | Sequence[str], description: Description, as_of: date | None = None
) -> tuple[Change, ...]:
    """Read changes, ``;`` between them or each a text of its own.

    Each is read as the launch stands after those before it. A day without a year is the next one on or
    after the as-of, which is ``today`` of the description, else the clock's day, when it is not given.

    Raises:
        BadValue: a text that no form reads (its place, what was understood, and what comes nearest), or
            a change that the launch does not allow.
    """
    today = as_of or _today(description)
    changes: list[Change] = []
    for whole in (text,) if isinstance(text, str) else text:
        for part in _SEGMENT.finditer(whole):
            if not part[0].strip():
                continue
            change = _one(part[0], part.start(), whole, vocabulary(description), today)
            check(change, f"{part[0].strip()!r}")
            try:
                description = apply(description, (change,))
            except BadValue as error:
                raise error.at(f"{part[0].strip()!r}") from None
            changes.append(change)
    if not changes:
        raise BadValue(
            "no change is given",
            code="whatif.empty",
            remedy=f"for example: {'; '.join(form.example for form in FORMS[:3])}",
        )
    return tuple(changes)


def _today(description: Description) -> date:
    tz = zone(description.zone)
    return local_day(now() if description.today is None else parse_as_of(description.today, tz), tz)


def _one(text: str, offset: int, whole: str, words: Vocabulary, today: date) -> Change:
    tried: list[tuple[Form, Reader]] = []
    for form in FORMS:
        reader = Reader(text, today)
        try:
            change = form.read(reader, words)
            reader.end()
            return change
        except Miss:
            tried.append((form, reader))
    raise _unread(text, offset, whole, tried)


def _unread(text: str, offset: int, whole: str, tried: list[tuple[Form, Reader]]) -> BadValue:
    """The error of a text that no form reads, from the forms that got furthest."""
    start = len(text) - len(text.lstrip())
    furthest = max(reader.reached for _, reader in tried)
    best = [(form, reader) for form, reader in tried if reader.reached == furthest]
    wanted = list(dict.fromkeys(word for _, reader in best for word in reader.wanted))
    at = furthest
    while at < len(text) and text[at].isspace():
        at += 1
    found = re.compile(r"\S+").match(text, at)
    names = [*wanted, *(name for _, reader in best for name in reader.names)]
    near = nearest(found[0].strip(",.;"), names) if found is not None else []
    near += [name for name in nearest(text[at:].strip(), names) if name not in near]
    complaint = next((reader.complaint for _, reader in best if reader.complaint), "")
    understood = text[start:at].strip()
    column = offset + at + 1
    line = whole.replace("\n", " ").replace("\t", " ")
    says = complaint or (f"{found[0]!r} is not understood" if found is not None else "something is missing")
    message = (
        f"{says}\n  {line}\n  {' ' * (column - 1)}^\n"
        f"  understood: {understood or 'nothing'}; then expected: {_listed(wanted)}"
    )
    patterns = _closest(text, [form.pattern for form, _ in best])
    remedy = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    remedy += f"forms: {' | '.join(patterns)}"
    return BadValue(message, code="whatif.text", place=f"column {column}", remedy=remedy)


def _closest(text: str, patterns: list[str]) -> list[str]:
    """Up to three patterns, those first that share most words with the text and have fewest others."""
    said = set(_TOKEN.findall(text.lower()))

    def distance(pattern: str) -> float:
        words = set(_TOKEN.findall(pattern))
        return len(words - said) / 8 - len(words & said)

    return sorted(dict.fromkeys(patterns), key=distance)[:_PATTERNS_SHOWN]


def _listed(wanted: list[str]) -> str:
    shown = ", ".join(wanted[:_NAMES_SHOWN])
    return f"{shown} …" if len(wanted) > _NAMES_SHOWN else shown or "something else"
