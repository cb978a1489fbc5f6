"""Foreign rows, read by a mapping."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from driveaway.facts import kind_named
from driveaway.launch.imports.lookups import Tables
from driveaway.launch.imports.mapping import Condition, FactShape, Mapping, Source
from driveaway.launch.imports.problems import Problem
from driveaway.launch.imports.rows import Proposal, Proposals, Rows
from driveaway.launch.imports.shaping import Shaper, Wanted, check_source, field_types
from driveaway.values.errors import BadValue, DriveawayError
from driveaway.values.money import minor_digits

_FACTORS: Final[dict[str, Decimal]] = {
    unit: Decimal(factor)
    for unit, factor in (
        ("m", 1), ("km", 1000), ("mi", "1609.344"), ("Wh", 1), ("kWh", 1000), ("MWh", 1_000_000), ("s", 1),
        ("min", 60), ("h", 3600), ("fen", 1), ("cents", 1), ("minor", 1), ("yuan", 100), ("euro", 100),
        ("dollar", 100), ("percent", "0.01"),
    )
}  # fmt: skip
_POINT: Final = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,2})?")
_COMMA: Final = re.compile(r"[-+]?(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?")

Fault = Callable[[int, str, Any, DriveawayError], None]


class Mapped:
    """Converts rows by a mapping.

    Attributes:
        notes: what was assumed or passed over.
    """

    def __init__(
        self, names: Sequence[str] | None, mapping: Mapping, shaper: Shaper, tables: Tables, currency: str,
        place: str, instants: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        """Check the header; ``names`` None: a file without one.

        Raises:
            BadValue: a column that the mapping names is missing.
        """
        self._mapping, self._shaper, self._tables, self._currency = mapping, shaper, tables, currency
        self._instants = instants
        self._passed: Counter[str] = Counter()
        self._unused: list[str] = []
        self._empty = {"", *mapping.file.empty}
        needed = mapping.columns()
        if names is not None:
            missing = sorted(needed - set(names))
            if missing:
                raise BadValue(
                    f"the mapping {mapping.name} names columns that are not there: {', '.join(missing)}",
                    code="columns.missing", place=place, remedy=f"the file has: {', '.join(names)}",
                )  # fmt: skip
            self._unused = [name for name in names if name not in needed]

    @property
    def notes(self) -> list[str]:
        """What was passed over."""
        notes = [f"{count} rows passed over: {why}" for why, count in self._passed.items()]
        if self._unused:
            notes.append(f"columns that the mapping does not use: {', '.join(self._unused)}")
        return notes

    def convert(self, rows: Rows) -> Proposals:
        """What the rows ask for."""
        problems = list(rows.problems)
        lines = [*rows.lines, *(problem.line for problem in problems)]
        count = len(rows.lines)
        columns = {name: [self._cleaned(c) for c in column] for name, column in rows.columns.items()}
        for name in self._mapping.columns() - columns.keys():
            columns[name] = [None] * count
        passed: list[int] = []
        left = [True] * count
        for rule in self._mapping.pass_over:
            for index in self._rows(rule.when, columns, left):
                left[index] = False
                passed.append(rows.lines[index])
                self._passed[rule.why] += 1
        said: set[int] = set()
        found: list[tuple[int, int, Proposal]] = []
        for order, shape in enumerate(self._mapping.facts):
            indexes = self._rows(shape.when, columns, left)
            said.update(indexes)
            if indexes:
                facts, wrong = self._facts(shape, indexes, rows, columns)
                found += [(fact.line, order, fact) for fact in facts]
                problems += wrong
        if len(said) < sum(left):
            error = BadValue(
                "no fact of the mapping applies to this row", code="row.no_fact",
                remedy="add a [[facts]] for it, or a [[pass_over]] that says why it is left out",
            )  # fmt: skip
            problems += [
                Problem.of(rows.lines[i], "", "", error) for i in range(count) if left[i] and i not in said
            ]
        found.sort(key=lambda item: item[:2])
        return Proposals(lines, [item[2] for item in found], problems, passed)

    def _cleaned(self, cell: Any) -> Any:
        if type(cell) is str:
            cell = cell.strip()
            return None if cell in self._empty else cell
        return cell

    def _rows(
        self, when: Sequence[Condition], columns: dict[str, list[Any]], left: Sequence[bool]
    ) -> list[int]:
        indexes = [index for index, still in enumerate(left) if still]
        for condition in when:
            column = columns[condition.column]
            if condition.empty is not None:
                indexes = [i for i in indexes if (column[i] is None) == condition.empty]
            else:
                given = condition.is_ if condition.is_ is not None else condition.is_not
                values = {given} if isinstance(given, str) else set(given or ())
                wanted = condition.is_ is not None
                indexes = [i for i in indexes if (_text(column[i]) in values) == wanted]
        return indexes

    def _facts(
        self, shape: FactShape, indexes: Sequence[int], rows: Rows, columns: dict[str, list[Any]]
    ) -> tuple[list[Proposal], list[Problem]]:
        lines = [rows.lines[i] for i in indexes]
        problems: list[Problem] = []
        bad: set[int] = set()

        def fault(row: int, column: str, value: Any, error: DriveawayError) -> None:
            bad.add(row)
            problems.append(Problem.of(lines[row], column, value, error))

        def take(source: str | Source | tuple[str, ...]) -> tuple[list[Any], str]:
            return self._take(source, indexes, columns, fault)

        subjects, subject_column = take(shape.subject)
        times, time_column = take(shape.happened)
        instants = self._are_instants(shape.happened)
        sources = self._sources(shape, indexes, columns, lines, fault)
        kinds: list[Any]
        kinds = [shape.kind] * len(lines) if isinstance(shape.kind, str) else take(shape.kind)[0]
        kind_column = _label(shape.kind) if isinstance(shape.kind, Source) else ""
        cells: dict[str, list[Any]] = {}
        origin = {"subject": subject_column, "happened": time_column}
        if sources is not None:
            origin["source"] = shape.id or self._mapping.id or ""
        for name, source in shape.fields.items():
            cells[name], origin[name] = take(source)
        shown = {
            name: [columns[column][i] for i in indexes]
            for name, source in shape.fields.items()
            if (column := _one_column(source)) is not None
        }
        facts: list[Proposal] = []
        for kind_name in dict.fromkeys(kinds):
            chosen = [r for r, name in enumerate(kinds) if name == kind_name and r not in bad]
            if kind_name is None:
                error = BadValue(
                    "nothing says what kind of fact this is",
                    code="kind.unknown",
                    remedy="give `kind` a value for this row",
                )
                for row in chosen:
                    fault(row, kind_column, "", error)
                continue
            kind = kind_named(kind_name)
            types = field_types(kind.body)
            wanted = Wanted(
                kind, [lines[r] for r in chosen], [subjects[r] for r in chosen], [times[r] for r in chosen],
                {name: [column[r] for r in chosen] for name, column in cells.items() if name in types},
                [f"{sources[r]}/{shape.name or kind_name}" for r in chosen] if sources is not None else None,
                origin, instants=instants,
                shown={name: [column[r] for r in chosen] for name, column in shown.items()},
            )  # fmt: skip
            made, wrong = self._shaper.shape(wanted)
            facts += made
            problems += wrong
        return facts, problems

    def _are_instants(self, happened: str | tuple[str, ...] | Source) -> bool:
        if isinstance(happened, Source):
            if happened.column is None or happened.lookup is not None:
                return False
            happened = happened.column
        return {happened} <= self._instants if isinstance(happened, str) else set(happened) <= self._instants

    def _sources(
        self,
        shape: FactShape,
        indexes: Sequence[int],
        columns: dict[str, list[Any]],
        lines: Sequence[int],
        fault: Fault,
    ) -> list[str] | None:
        column = shape.id or self._mapping.id
        if column is None:
            return None
        sources = []
        for row, index in enumerate(indexes):
            own = _text(columns[column][index])
            sources.append(f"urn:driveaway:import:{self._mapping.name}/{own}")
            try:
                if not own:
                    raise BadValue("the row has no id", code="source.missing", remedy="give it one")
                check_source(sources[-1])
            except BadValue as error:
                fault(row, column, own, error)
        return sources

    def _take(
        self,
        source: str | Source | tuple[str, ...],
        indexes: Sequence[int],
        columns: dict[str, list[Any]],
        fault: Fault,
    ) -> tuple[list[Any], str]:
        """The cells of a value, and the name of its column for problems."""
        if not isinstance(source, Source):
            source = Source(column=source)
        label = _label(source)
        if source.constant is not None:
            return [source.constant] * len(indexes), label
        assert source.column is not None
        names = (source.column,) if isinstance(source.column, str) else source.column
        if source.lookup is not None:
            table = self._tables[source.lookup]
            by = columns[table.by]
            cells: list[Any] = []
            for row, index in enumerate(indexes):
                try:
                    found = table.find(_text(by[index]), names)
                    cells.append(self._cleaned(found))
                except BadValue as error:
                    fault(row, table.by, by[index], error)
                    cells.append(None)
        elif len(names) == 1:
            column = columns[names[0]]
            cells = [column[i] for i in indexes]
        else:
            cells = [next((columns[n][i] for n in names if columns[n][i] is not None), None) for i in indexes]
        if source.values is not None:
            cells = self._translated(source, cells, label, fault)
        if source.unit is not None:
            cells = self._converted(source, cells, label, fault)
        elif self._mapping.file.decimal == ",":
            cells = [self._number_text(cell) for cell in cells]
        return cells, label

    def _translated(self, source: Source, cells: list[Any], label: str, fault: Fault) -> list[Any]:
        table = self._mapping.values[source.values or ""]
        out: list[Any] = []
        for row, cell in enumerate(cells):
            text = _text(cell)
            if cell is None or text in table:
                out.append(None if cell is None else table[text] or None)
            elif source.otherwise == "refuse":
                error = BadValue(
                    f"{text[:80]!r} has no translation", code="value.unknown",
                    remedy=f"add it to [values.{source.values}]",
                )  # fmt: skip
                fault(row, label, cell, error)
                out.append(None)
            else:
                out.append(cell if source.otherwise == "keep" else None)
        return out

    def _converted(self, source: Source, cells: list[Any], label: str, fault: Fault) -> list[Any]:
        if source.unit == "major":
            factor = Decimal(10) ** minor_digits(source.currency or self._currency)
        else:
            factor = _FACTORS[source.unit or ""]
        out: list[Any] = []
        for row, cell in enumerate(cells):
            try:
                out.append(
                    None if cell is None else self._scaled(cell, factor, share=source.unit == "percent")
                )
            except BadValue as error:
                fault(row, label, cell, error)
                out.append(None)
        return out

    def _scaled(self, cell: Any, factor: Decimal, *, share: bool) -> int | float:
        text = str(cell)
        form = _COMMA if self._mapping.file.decimal == "," and isinstance(cell, str) else _POINT
        if not form.fullmatch(text):
            raise BadValue(
                f"{text[:80]!r} is not a number",
                code="number.shape",
                remedy="digits, with the decimal sign of the mapping",
            )
        plain = text.replace(".", "").replace(",", ".") if form is _COMMA else text.replace(",", "")
        try:
            scaled = Decimal(plain) * factor
        except InvalidOperation as error:
            raise BadValue(
                f"{text[:80]!r} is not a number",
                code="number.shape",
                remedy="digits, with the decimal sign of the mapping",
            ) from error
        if share:
            return float(scaled)
        if abs(scaled) > 2**53 or scaled != scaled.to_integral_value():
            raise BadValue(
                f"{text[:80]} is no whole number of the unit that is stored", code="number.precision",
                remedy="metres, watt-hours, seconds and minor units of money are whole",
            )  # fmt: skip
        return int(scaled)

    @staticmethod
    def _number_text(cell: Any) -> Any:
        if isinstance(cell, str) and _COMMA.fullmatch(cell) and "," in cell:
            return cell.replace(".", "").replace(",", ".")
        return cell


def _label(source: Source) -> str:
    if source.column is None:
        return ""
    return source.column if isinstance(source.column, str) else " | ".join(source.column)


def _text(cell: Any) -> str:
    return cell if type(cell) is str else "" if cell is None else str(cell)


def _one_column(source: str | Source | tuple[str, ...]) -> str | None:
    """The one column of the file that a value is read from; None where there is another way to it."""
    if isinstance(source, Source):
        if source.lookup is not None or source.constant is not None:
            return None
        source = source.column or ()
    return source if isinstance(source, str) else None
