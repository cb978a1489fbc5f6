"""From cells to facts: subject, time and fields of one kind, many rows at once.

A whole column is read in one go where nothing is wrong with it; where something is, each row is
looked at by itself, and every bad cell of it is reported.
"""

from __future__ import annotations

import hashlib
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from driveaway.facts import Draft, Kind
from driveaway.facts.base import Body
from driveaway.facts.wording import wrong as wording
from driveaway.launch.cells import check_text, is_risky
from driveaway.launch.imports.identifiers import Subjects
from driveaway.launch.imports.problems import Problem
from driveaway.launch.imports.rows import Proposal
from driveaway.launch.imports.times import Times
from driveaway.values.errors import BadValue, DriveawayError
from driveaway.values.ids import parse_battery_code
from driveaway.values.provinces import BY_CODE, province_code

_sorted = msgspec.json.Encoder(order="sorted")
_LONGEST_SOURCE = 500


@dataclass
class Wanted:
    """Facts of one kind that some rows ask for, as columns of cells.

    Attributes:
        kind: the kind.
        lines: the rows' places.
        subjects: subject cells.
        times: time cells.
        fields: field → cells (None: says nothing).
        sources: source of each fact, or None: made from its content.
        origin: field (and ``subject``, ``happened``) → name of the column, for problems.
        simulated: whether each fact is made up, or None: none is.
        corrects: source of the fact that each one replaces ("" for none), or None: none does.
        instants: the time cells are microseconds UTC already.
        shown: field → cells as they stood in the file, where ``fields`` has them converted.
    """

    kind: Kind
    lines: Sequence[int]
    subjects: Sequence[Any]
    times: Sequence[Any]
    fields: Mapping[str, Sequence[Any]]
    sources: Sequence[str] | None = None
    origin: Mapping[str, str] = field(default_factory=dict)
    simulated: Sequence[bool] | None = None
    corrects: Sequence[str] | None = None
    instants: bool = False
    shown: Mapping[str, Sequence[Any]] = field(default_factory=dict)


class FieldType(NamedTuple):
    """What a field holds: ``role`` is str, int, float, bool, list or struct; ``type`` as declared."""

    role: str
    type: Any
    default: Any
    required: bool
    optional: bool


@lru_cache(maxsize=256)
def field_types(body: type[Body]) -> dict[str, FieldType]:
    """The fields of a body."""
    hints = typing.get_type_hints(body, include_extras=False)
    found = {}
    for info in msgspec.structs.fields(body):
        hint = hints[info.name]
        optional = False
        if typing.get_origin(hint) in (types.UnionType, typing.Union):
            optional = True
            (hint,) = [a for a in typing.get_args(hint) if a is not type(None)]
        role = {int: "int", float: "float", bool: "bool"}.get(hint, "str")
        if typing.get_origin(hint) is tuple:
            inner = typing.get_args(hint)[0]
            role = "struct" if isinstance(inner, type) and issubclass(inner, msgspec.Struct) else "list"
        default = None if info.default is msgspec.NODEFAULT else info.default
        found[info.name] = FieldType(role, info.type, default, info.required, optional)
    return found


class Shaper:
    """Makes facts of cells.

    Attributes:
        subjects: reads subjects.
        times: reads times.
        regions: code → name of the provinces beside GB/T 2260's.
    """

    def __init__(self, subjects: Subjects, times: Times, regions: Mapping[str, str] | None = None) -> None:
        self.subjects = subjects
        self.times = times
        self.regions = dict(regions or {})

    def shape(self, wanted: Wanted) -> tuple[list[Proposal], list[Problem]]:
        """The facts that can be made, in the order of the rows, and what is wrong with the others."""
        count = len(wanted.lines)
        kind = wanted.kind
        faults: dict[int, list[Problem]] = {}

        def fault(row: int, name: str, value: Any, error: DriveawayError) -> None:
            column = wanted.origin.get(name, name)
            faults.setdefault(row, []).append(Problem.of(wanted.lines[row], column, value, error))

        subjects, foreign = self._subjects(wanted, fault)
        times = self.times.column(wanted.times, instants=wanted.instants)
        for row, at in enumerate(times):
            if isinstance(at, BadValue):
                fault(row, "happened", wanted.times[row], at)
        columns = self._columns(wanted, fault)

        def told(row: int, name: str, value: Any, error: DriveawayError) -> None:
            # The cell as it stood, not what it was read as.
            stood = wanted.shown.get(name, wanted.fields.get(name))
            fault(row, name, value if stood is None or value == "" else stood[row], error)

        if foreign and "foreign_id" in field_types(kind.body):
            given = columns.get("foreign_id") or [None] * count
            columns["foreign_id"] = [
                foreign.get(row) if cell is None else cell for row, cell in enumerate(given)
            ]
        bodies = self._bodies(kind, columns, count, told)
        simulated = wanted.simulated or [False] * count
        corrects = wanted.corrects or [""] * count
        proposals: list[Proposal] = []
        name = kind.name
        sources, origin = wanted.sources, wanted.origin
        for row, (line, subject, at, body) in enumerate(
            zip(wanted.lines, subjects, times, bodies, strict=True)
        ):
            if row in faults or body is None or isinstance(at, BadValue):
                continue
            source = sources[row] if sources is not None else ""
            if not source:
                source = content_source(name, subject, at, body, corrects[row])
            draft = Draft(name, subject, at, body, source, None, simulated[row])
            proposals.append(Proposal(draft, line, foreign.get(row, subject), corrects[row], origin))
        return proposals, [problem for row in sorted(faults) for problem in faults[row]]

    def _subjects(
        self, wanted: Wanted, fault: Callable[[int, str, Any, DriveawayError], None]
    ) -> tuple[list[str], dict[int, str]]:
        foreign: dict[int, str] = {}
        role = wanted.kind.subject
        mask = self.subjects.column(role, wanted.subjects)
        if mask is not None and all(mask):
            return list(wanted.subjects), foreign
        read: list[str] = []
        for row, cell in enumerate(wanted.subjects):
            subject = ""
            try:
                if cell is None or str(cell).strip() == "":
                    raise BadValue(
                        "there is no subject", code="subject.missing", remedy="say what the fact is about"
                    )
                check_text(str(cell))
                subject, other = self.subjects.read(role, str(cell))
                if not 0 < len(subject) <= 200 or (other is not None and len(other) > 200):
                    raise BadValue(
                        "the subject is too long", code="subject.long", remedy="at most 200 characters"
                    )
                if other is not None:
                    foreign[row] = other
            except BadValue as error:
                fault(row, "subject", cell, error)
            read.append(subject)
        return read, foreign

    def _columns(
        self, wanted: Wanted, fault: Callable[[int, str, Any, DriveawayError], None]
    ) -> dict[str, list[Any]]:
        known = field_types(wanted.kind.body)
        columns: dict[str, list[Any]] = {}
        for name, given in wanted.fields.items():
            expected = known[name]
            if expected.role in ("list", "struct"):
                values: set[Any] = set()
                cells = [(c.strip() or None) if type(c) is str else c for c in given]
            else:
                if any(isinstance(cell, list | dict) for cell in given):
                    given = [_single(row, name, cell, fault) for row, cell in enumerate(given)]
                values = set(given)
                plain = {v: v.strip() or None for v in values if type(v) is str}
                if all(text == stripped for text, stripped in plain.items()):
                    cells = list(given)
                else:
                    cells = [plain[c] if type(c) is str else c for c in given]
                    values = set(cells)
                values.discard(None)
            if not values and expected.role not in ("list", "struct"):
                if expected.required:
                    columns[name] = cells
                continue
            reader = self._reader(name, expected)
            if reader is not None:
                self._read(cells, name, reader, fault)
            elif expected.role == "str" and any(is_risky(v) if type(v) is str else True for v in values):
                self._read(cells, name, _plain_text, fault)
            if not expected.optional and not expected.required:
                cells = [expected.default if c is None else c for c in cells]
            columns[name] = cells
        return columns

    def _reader(self, name: str, expected: FieldType) -> Callable[[Any], Any] | None:
        """How a cell of this field is read, where there is more to it than its type."""
        if expected.role in ("list", "struct"):
            return _several if expected.role == "list" else _structures
        if name == "order":
            return lambda cell: self.subjects.order(_plain_text(cell))[0]
        if name == "vin":
            return lambda cell: self.subjects.read("vin", _plain_text(cell))[0]
        if name == "battery_code":
            return lambda cell: parse_battery_code(_plain_text(cell))
        if name == "province":
            return self._province
        return None

    def _province(self, cell: Any) -> str:
        text = _plain_text(cell)
        return text if text in BY_CODE else province_code(text, self.regions)

    @staticmethod
    def _read(
        cells: list[Any],
        name: str,
        reader: Callable[[Any], Any],
        fault: Callable[[int, str, Any, DriveawayError], None],
    ) -> None:
        seen: dict[Any, Any] = {}
        for row, cell in enumerate(cells):
            if cell is None:
                continue
            try:
                if type(cell) is str:
                    if cell not in seen:
                        seen[cell] = reader(cell)
                    cells[row] = seen[cell]
                else:
                    cells[row] = reader(cell)
            except BadValue as error:
                fault(row, name, cell, error)
                cells[row] = None

    @staticmethod
    def _bodies(
        kind: Kind,
        columns: dict[str, list[Any]],
        count: int,
        fault: Callable[[int, str, Any, DriveawayError], None],
    ) -> Sequence[Body | None]:
        names = tuple(columns)
        rows = zip(*columns.values(), strict=True) if columns else [()] * count
        contents = [dict(zip(names, row, strict=True)) for row in rows]
        try:
            bodies: list[Body] = msgspec.convert(contents, list[kind.body], strict=False)  # type: ignore[name-defined]
        except msgspec.ValidationError:
            return [_body(kind, content, row, fault) for row, content in enumerate(contents)]
        return bodies


def _body(
    kind: Kind, content: dict[str, Any], row: int, fault: Callable[[int, str, Any, DriveawayError], None]
) -> Body | None:
    try:
        return msgspec.convert(content, kind.body, strict=False)
    except msgspec.ValidationError as error:
        found = False
        for name, expected in field_types(kind.body).items():
            value = content.get(name)
            if value is None:
                if expected.required:
                    found = True
                    problem = BadValue(
                        f"{name} is missing", code="field.missing", remedy=f"{kind.name} needs it"
                    )
                    fault(row, name, "", problem)
                continue
            try:
                msgspec.convert(value, expected.type, strict=False)
            except msgspec.ValidationError as wrong:
                found = True
                fault(row, name, value, _said(kind, name, value, wrong))
        if not found:
            # Inside a list or a structure.
            said = kind.wrong(error)
            fault(row, said.field, content.get(said.field, ""), said)
        return None


def _said(kind: Kind, name: str, value: Any, error: msgspec.ValidationError) -> BadValue:
    """What is wrong with one cell."""
    if ">= 0" in str(error) and name in ("amount", "price"):
        remedy = "a repayment is a fact of its own (deposit.refunded), with a positive amount"
        if name == "price":
            remedy = "a price is positive: what the buyer pays in all"
        return BadValue("money is never negative", code="money.negative", remedy=remedy)
    said = wording(kind.body, error, name)
    message = said.message
    if said.code == "value":
        message = f"{str(value)[:80]!r} is not a value of {name}"
    elif said.code == "type" and isinstance(value, str):
        # Every cell of a text file is text: what was wanted says more.
        message = f"this is not {said.remedy.removeprefix('give ')}"
    return BadValue(message, code=f"field.{said.code}", remedy=said.remedy)


def _plain_text(cell: Any) -> str:
    text = cell if type(cell) is str else str(cell)
    check_text(text)
    return text


def _single(row: int, name: str, cell: Any, fault: Callable[[int, str, Any, DriveawayError], None]) -> Any:
    """A cell of a field that holds one value; a list or a structure there is a problem of the row."""
    if not isinstance(cell, list | dict):
        return cell
    what = "a list" if isinstance(cell, list) else "a structure"
    error = BadValue(f"{what} stands where one value belongs", code="field.type", remedy="give one value")
    fault(row, name, cell, error)
    return None


def _several(cell: Any) -> Any:
    """A list: a JSON list of texts, or texts with | between them."""
    if type(cell) is str:
        cell = _json(cell) if cell.startswith("[") else [part.strip() for part in cell.split("|")]
    for part in cell:
        if type(part) is str:
            check_text(part)
    return tuple(cell)


def _structures(cell: Any) -> Any:
    content = _json(cell) if type(cell) is str else cell
    return tuple(
        {k: v for k, v in one.items() if v is not None} if isinstance(one, dict) else one for one in content
    )


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise BadValue(
            "this is not a JSON list", code="field.json", remedy='write ["a", "b"], or a|b for texts'
        ) from error


def content_source(kind: str, subject: str, happened: int, body: Body, corrects: str = "") -> str:
    """The source of a fact whose row has no id: the same content is the same fact."""
    text = b"\x1f".join(
        (kind.encode(), subject.encode(), str(happened).encode(), corrects.encode(), _sorted.encode(body))
    )
    return f"urn:driveaway:content/{hashlib.sha256(text).hexdigest()[:40]}"


def check_source(text: str) -> str:
    """A source as a file gives it.

    Raises:
        BadValue: too long, or with control characters.
    """
    if len(text) > _LONGEST_SOURCE or not text.isprintable():
        raise BadValue(
            "the source is too long or not plain text",
            code="source.form",
            remedy=f"at most {_LONGEST_SOURCE} characters, none of them a control character",
        )
    return text
