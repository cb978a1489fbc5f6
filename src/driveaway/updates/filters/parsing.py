r"""From text to an expression: the grammar of RSQL 2.1 with hawkBit's and our operators.

    or         = and { ( "," | " or " ) and }
    and        = term { ( ";" | " and " ) term }
    term       = "(" or ")" | field operator ( value | "(" value { "," value } ")" )
    field      = bare | quoted
    value      = bare | quoted
    bare       = one or more characters except " ' ( ) ; , = < > ! ~ and white space
    quoted     = ' or ", then any characters, \ before one that is meant as such, and the same quote

Operators and the words ``and`` and ``or`` are read in any case; white space may stand round everything.

Source: the grammar of https://github.com/jirutka/rsql-parser, which hawkBit uses.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

from driveaway.updates.filters.expressions import (
    SPELLINGS,
    WITH_LISTS,
    And,
    Comparison,
    Expression,
    Operator,
    Or,
)
from driveaway.values.errors import BadValue

LONGEST: Final = 65_536
"""Characters of a filter."""
DEEPEST: Final = 50
"""Parentheses inside each other."""
MOST_COMPARISONS: Final = 500
MOST_VALUES: Final = 5_000
"""Values of all comparisons together."""

_SPACE = re.compile(r"\s*")
_BARE = re.compile(r"[^\"'();,=<>!~\s]+")
_OPERATOR = re.compile(r"=[A-Za-z]*=|!=|[<>]=?")
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# What no store takes in a text: NUL, and halves of surrogate pairs.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_AROUND = 24


def parse(text: str) -> Expression:
    """Read a filter.

    Raises:
        BadValue: ``filter.syntax``, with the place, what stands there and what is expected;
            ``filter.size`` when it is longer, deeper or has more parts than the bounds above.
    """
    if len(text) > LONGEST:
        _too_big(f"the filter has {len(text):,} characters", f"at most {LONGEST:,}")
    bad = _UNSTORABLE.search(text)
    if bad is not None:
        _refuse(text, bad.start(), "a character that can be stored")
    reader = _Reader(text)
    expression = reader.any_of()
    if reader.at < len(text):
        _refuse(text, reader.at, "'and', 'or' or the end of the filter")
    return expression


class _Reader:
    """Reads from left to right; ``at`` always stands on what comes next, white space passed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = self.comparisons = self.values = 0
        self._pass_to(0)

    def any_of(self) -> Expression:
        parts: list[Comparison | And] = []
        while True:
            part = self.all_of()
            parts.extend(part.parts if isinstance(part, Or) else (part,))
            if not self._joined_by(",", "or"):
                return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def all_of(self) -> Expression:
        parts: list[Comparison | Or] = []
        while True:
            part = self.term()
            parts.extend(part.parts if isinstance(part, And) else (part,))
            if not self._joined_by(";", "and"):
                return parts[0] if len(parts) == 1 else And(tuple(parts))

    def term(self) -> Expression:
        if not self.text.startswith("(", self.at):
            return self.comparison()
        opened = self.at
        self.depth += 1
        if self.depth > DEEPEST:
            _too_big(f"{self.depth} parentheses stand inside each other", f"at most {DEEPEST}")
        self._pass_to(self.at + 1)
        inside = self.any_of()
        if not self.text.startswith(")", self.at):
            _refuse(self.text, self.at, f"')' for the '(' at character {opened + 1}, 'and' or 'or'")
        self.depth -= 1
        self._pass_to(self.at + 1)
        return inside

    def comparison(self) -> Comparison:
        self.comparisons += 1
        if self.comparisons > MOST_COMPARISONS:
            _too_big(f"the filter has over {MOST_COMPARISONS} comparisons", "use =in= for lists of values")
        start = self.at
        field = self.word("the name of a field, or '('")
        operator = self.operator(field)
        values_at = self.at
        if self.text.startswith("(", self.at):
            values = self.listed(operator)
        else:
            values = (self.word("a value", empty=True),)
        self.values += len(values)
        if self.values > MOST_VALUES:
            _too_big(f"the filter has over {MOST_VALUES:,} values", "use a tag or an attribute instead")
        return Comparison(field, operator, values, start, values_at)

    def operator(self, field: str) -> Operator:
        found = _OPERATOR.match(self.text, self.at)
        operator = None if found is None else SPELLINGS.get(found.group().lower())
        if found is None or operator is None:
            known = "==, !=, <, <=, >, >=, =in=, =out=, =li=, =is=, =not=, =vlt=, =vle=, =vgt=, =vge=, =veq="
            _refuse(self.text, self.at, f"an operator after {field!r}: {known}")
        self._pass_to(found.end())
        return operator

    def listed(self, operator: Operator) -> tuple[str, ...]:
        self._pass_to(self.at + 1)
        values = [self.word("a value", empty=True)]
        while self._joined_by(",", "or"):
            if operator not in WITH_LISTS:
                _refuse(self.text, self.at, f"one value after {operator.value}, lists go with =in= and =out=")
            values.append(self.word("a value", empty=True))
        if not self.text.startswith(")", self.at):
            _refuse(self.text, self.at, "',' or ')'")
        self._pass_to(self.at + 1)
        return tuple(values)

    def word(self, expected: str, *, empty: bool = False) -> str:
        """A bare or quoted text; an empty one only where ``empty`` says so."""
        if self.text[self.at : self.at + 1] in ("'", '"'):
            quoted = _QUOTED.match(self.text, self.at)
            if quoted is None:
                _refuse(self.text, self.at, f"a closing {self.text[self.at]} for this one")
            found = quoted.group(1) if quoted.group(1) is not None else quoted.group(2)
            word = _ESCAPED.sub(r"\1", found)
            if not word and not empty:
                _refuse(self.text, self.at, expected)
            self._pass_to(quoted.end())
            return word
        bare = _BARE.match(self.text, self.at)
        if bare is None:
            _refuse(self.text, self.at, expected)
        self._pass_to(bare.end())
        return bare.group()

    def _joined_by(self, sign: str, word: str) -> bool:
        if self.text.startswith(sign, self.at):
            self._pass_to(self.at + 1)
            return True
        bare = _BARE.match(self.text, self.at)
        if bare is not None and bare.group().lower() == word:
            self._pass_to(bare.end())
            return True
        return False

    def _pass_to(self, at: int) -> None:
        space = _SPACE.match(self.text, at)
        self.at = at if space is None else space.end()


def marked(text: str, at: int) -> str:
    """The surroundings of a place in a filter, with a mark before it."""
    before, after = text[max(0, at - _AROUND) : at], text[at : at + _AROUND]
    begin = "…" if at > _AROUND else ""
    end = "…" if at + _AROUND < len(text) else ""
    return "".join(c if c.isprintable() else "·" for c in f"{begin}{before}▸{after}{end}")


def _refuse(text: str, at: int, expected: str) -> NoReturn:
    found = "the end" if at >= len(text) else repr(text[at])
    raise BadValue(
        f"found {found} in the filter: {marked(text, at)}",
        code="filter.syntax",
        place=f"character {at + 1}",
        remedy=f"expected {expected}",
    )


def _too_big(what: str, remedy: str) -> NoReturn:
    raise BadValue(what, code="filter.size", remedy=remedy)
