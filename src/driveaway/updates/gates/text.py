"""A gate as one line of text, read and shown.

::

    gate  = all { "or" all }            all  = part { "and" part }
    part  = "not" part | "(" gate ")" | "always" | "never" | condition
    condition = "place" "in" list       | "trim" "in" list | "market" "in" list
              | "hardware" "." NAME ( "in" list | OP NUMBER | "=" VALUE )
              | "software" "." NAME OP VERSION
              | "assisted_metres" OP NUMBER
              | "entitlement" NAME | "training" NAME | "from" TIME | "until" TIME
    list  = "[" VALUE { "," VALUE } "]"         OP = ">=" | ">" | "<=" | "<" | "=" | "!="

A value with spaces or other signs stands in double quotes. A day means its first moment after ``from``, and
all of it after ``until``, in the zone given; a full time means itself.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn
from zoneinfo import ZoneInfo

from driveaway.updates.gates.expression import (
    ALWAYS,
    COMPARISONS,
    DEEPEST,
    NEVER,
    All,
    Amount,
    Any_,
    Assisted,
    Comparison,
    Entitlement,
    From,
    Gate,
    Kind,
    Leaf,
    Market,
    Not,
    Software,
    Training,
    Trim,
    Until,
    Within,
    checked,
    values,
)
from driveaway.values.clock import end_of_day, parse_day, parse_instant, show, start_of_day
from driveaway.values.errors import BadValue

_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<quoted>"[^"]*")|(?P<op>>=|<=|!=|>|<|=)|(?P<sign>[()\[\],])|(?P<word>[^\s"()\[\],<>=!]+)"""
)
_PLAIN = re.compile(r"[\w.:+/-]+")
_NUMBER = re.compile(r"[0-9][0-9_]*")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_WORDS: Final = frozenset({"and", "or", "not", "in", "always", "never"})
_KINDS: Final = (
    "place, trim, market, hardware.NAME, software.NAME, assisted_metres, entitlement, training, from, until"
)


def parse(text: str, zone: ZoneInfo | None = None, place: str = "") -> Gate:
    """Read a gate from its line of text.

    Args:
        text: the line.
        zone: of days after ``from`` and ``until``; None: only times with an offset are read.
        place: where it stands, for error messages.

    Raises:
        BadValue: it is not a gate; the column is named.
    """
    try:
        return checked(_Reader(text, zone).gate())
    except BadValue as error:
        raise error.at(place) from error.__cause__


def parse_time(text: str, zone: ZoneInfo | None, *, last: bool) -> int:
    """A day or a time, in microseconds since 1970 UTC.

    Args:
        text: a day, or ISO 8601 with an offset.
        zone: of a day.
        last: whether a day means its last moment, not its first.

    Raises:
        BadValue: neither, or a day without a zone.
    """
    if not _DAY.fullmatch(text):
        return parse_instant(text, zone)
    if zone is None:
        raise BadValue(
            f"{text} is a day, and no zone is given",
            code="gate.zone",
            remedy="write a full time with its offset",
        )
    return (end_of_day if last else start_of_day)(parse_day(text), zone)


def show_gate(gate: Gate) -> str:
    """The line of text of a gate; reading it gives the gate again."""
    return _shown(gate, 0)


class _Reader:
    def __init__(self, text: str, zone: ZoneInfo | None) -> None:
        self.text, self.zone, self.level = text, zone, 0
        self.tokens: list[tuple[str, str, int]] = []
        at = 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                self.fail(f"{text[at]!r} is not understood", at)
            if found.lastgroup != "space":
                self.tokens.append((str(found.lastgroup), found[0], at))
            at = found.end()
        self.tokens.append(("end", "", len(text)))
        self.next = 0

    def gate(self) -> Gate:
        gate = self.any()
        if self.kind != "end":
            self.fail(f"{self.token!r} is not expected here; 'and' or 'or' joins conditions")
        return gate

    def any(self) -> Gate:
        parts = [self.all()]
        while self.took("or"):
            parts.append(self.all())
        return parts[0] if len(parts) == 1 else Any_(tuple(parts))

    def all(self) -> Gate:
        parts = [self.part()]
        while self.took("and"):
            parts.append(self.part())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def part(self) -> Gate:
        self.level += 1
        if self.level > DEEPEST:
            self.fail(f"more than {DEEPEST} levels")
        try:
            if self.took("not"):
                return Not(self.part())
            if self.took("("):
                gate = self.any()
                self.need(")")
                return gate
            if self.took("always"):
                return ALWAYS
            return NEVER if self.took("never") else self.condition()
        finally:
            self.level -= 1

    def condition(self) -> Leaf:
        at, kind, word = self.at, self.kind, self.token
        if kind != "word" or word in _WORDS:
            self.fail(f"a condition is expected, not {word!r}" if word else "a condition is missing")
        self.next += 1
        subject, dot, name = word.partition(".")
        try:
            if dot and subject == "hardware":
                return self.hardware(name)
            if dot and subject == "software":
                return Software(name, self.comparison(), self.value("a version"))
            match word:
                case "place":
                    return Within(self.list())
                case "trim":
                    return Trim(self.list())
                case "market":
                    return Market(self.list())
                case "assisted_metres":
                    return Assisted(self.comparison(), self.number())
                case "entitlement":
                    return Entitlement(self.value("a name"))
                case "training":
                    return Training(self.value("a name"))
                case "from":
                    return From(parse_time(self.value("a time"), self.zone, last=False))
                case "until":
                    return Until(parse_time(self.value("a time"), self.zone, last=True))
                case _:
                    self.fail(f"{word!r} is no condition: {_KINDS}", at)
        except BadValue as error:
            if error.code != "gate.text":
                error.message = f"column {at + 1}: {error.message}"
            raise

    def hardware(self, name: str) -> Leaf:
        if self.token == "in":
            return Kind(name, self.list())
        compared = self.comparison()
        if _NUMBER.fullmatch(self.token) and self.kind == "word":
            return Amount(name, compared, self.number())
        if compared != "=":
            self.fail("what is not a number can only be equal: = VALUE, or in [VALUE, …]")
        return Kind(name, (self.value("a value"),))

    @property
    def kind(self) -> str:
        return self.tokens[self.next][0]

    @property
    def token(self) -> str:
        return self.tokens[self.next][1]

    @property
    def at(self) -> int:
        return self.tokens[self.next][2]

    def took(self, word: str) -> bool:
        if self.token == word:
            self.next += 1
            return True
        return False

    def need(self, word: str) -> None:
        if not self.took(word):
            self.fail(f"{word!r} is expected" + (f", not {self.token!r}" if self.token else ""))

    def comparison(self) -> Comparison:
        word = self.token
        if word not in COMPARISONS:
            self.fail(f"one of {' '.join(COMPARISONS)} is expected" + (f", not {word!r}" if word else ""))
        self.next += 1
        return word

    def number(self) -> int:
        if not _NUMBER.fullmatch(self.token):
            self.fail(f"a whole number is expected, not {self.token!r}")
        self.next += 1
        return int(self.tokens[self.next - 1][1].replace("_", ""))

    def value(self, what: str) -> str:
        if self.kind not in ("word", "quoted"):
            self.fail(f"{what} is expected" + (f", not {self.token!r}" if self.token else ""))
        self.next += 1
        return self.tokens[self.next - 1][1].strip('"')

    def list(self) -> tuple[str, ...]:
        self.need("in")
        self.need("[")
        found = [self.value("a value")]
        while self.took(","):
            found.append(self.value("a value"))
        self.need("]")
        return values(*found)

    def fail(self, message: str, at: int | None = None) -> NoReturn:
        column = (self.at if at is None else at) + 1
        raise BadValue(
            f"column {column}: {message}", code="gate.text",
            remedy='such as: place in [city:beijing] and trim in [Pro, Max] and software.vehicle >= 1.4.0',
        )  # fmt: skip


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and text not in _WORDS else f'"{text}"'


def _list(among: tuple[str, ...]) -> str:
    return f"in [{', '.join(_quoted(text) for text in among)}]"


def _shown(gate: Gate, binding: int) -> str:
    """Text of a gate; ``binding`` is 0 where "or" may stand bare, 1 for "and", 2 for single parts."""
    match gate:
        case All(of=()):
            return "always"
        case Any_(of=()):
            return "never"
        case All(of=parts):
            # Brackets stand only where they matter.
            text = " and ".join(_shown(part, 2) for part in parts)
            return f"({text})" if binding > 1 else text
        case Any_(of=parts):
            text = " or ".join(_shown(part, 1) for part in parts)
            return f"({text})" if binding > 0 else text
        case Not(of=part):
            return f"not {_shown(part, 2)}"
        case Within(places=codes):
            return f"place {_list(codes)}"
        case Trim(among=among):
            return f"trim {_list(among)}"
        case Market(among=among):
            return f"market {_list(among)}"
        case Amount(hardware=name, compared=compared, to=to):
            return f"hardware.{name} {compared} {to}"
        case Kind(hardware=name, among=among):
            return f"hardware.{name} {_list(among)}"
        case Software(unit=unit, compared=compared, to=version):
            return f"software.{unit} {compared} {_quoted(version)}"
        case Assisted(compared=compared, to=to):
            return f"assisted_metres {compared} {to}"
        case Entitlement(name=name):
            return f"entitlement {name}"
        case Training(name=name):
            return f"training {name}"
        case From(at=at):
            return f"from {show(at).replace('+00:00', 'Z')}"
        case Until(at=at):
            return f"until {show(at).replace('+00:00', 'Z')}"
