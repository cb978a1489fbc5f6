"""An Answer: a figure's value as of a date, with everything needed to check it."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from driveaway.figures.rounding import cell

Value = int | float | str | None
_SAFE_INTEGER = 2**53
_FORMULA: Final = frozenset("=+-@\t\r＝＋－＠")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


@dataclass(frozen=True)
class Interval:
    """An interval of an estimate at a confidence level (0–1)."""

    low: float
    high: float
    level: float


@dataclass(frozen=True)
class Answer:
    """What a figure says.

    Attributes:
        name: the figure.
        unit: of ``value`` (and of the column ``value`` in ``rows``).
        as_of: ISO 8601 time, what had happened by then counts.
        mark: last ``seq`` of the book that was seen.
        definition: version of the figure's definition.
        title: the figure's short public name.
        value: the single value, or None when there are rows instead or it is unknown.
        rows: one mapping a group when asked by dimensions, or the figure's own table; else None.
        interval: where the value is estimated.
        unknown: the reason why there is no value, else None.
        simulated: True when any counted row is simulated.
        sql: what ran.
        parameters: the figure's parameters and filters that were given.
        note: a caveat that belongs to the figure wherever it is shown.
    """

    name: str
    unit: str
    as_of: str
    mark: int
    definition: int
    title: str = ""
    value: Value = None
    rows: Sequence[Mapping[str, Any]] | None = None
    interval: Interval | None = None
    unknown: str | None = None
    simulated: bool = False
    sql: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None

    def json(self) -> dict[str, Any]:
        """The one JSON object that every door gives; integers beyond 2⁵³ become strings."""
        out: dict[str, Any] = {"name": self.name}
        if self.unknown is not None:
            out |= {"value": None, "unknown": self.unknown}
        elif self.rows is not None:
            out["rows"] = [{k: _safe(v) for k, v in row.items()} for row in self.rows]
        else:
            out["value"] = _safe(self.value)
        out["unit"] = self.unit
        if self.interval is not None:
            out["interval"] = {
                "low": self.interval.low,
                "high": self.interval.high,
                "level": self.interval.level,
            }
        out |= {
            "as_of": self.as_of,
            "mark": self.mark,
            "definition": self.definition,
            "simulated": self.simulated,
        }
        if self.parameters:
            out["parameters"] = dict(self.parameters)
        if self.note:
            out["note"] = self.note
        return out

    def table(self) -> list[dict[str, Any]]:
        """The answer as rows, a single value as one row."""
        if self.unknown is not None:
            return [{"value": None, "unknown": self.unknown}]
        if self.rows is not None:
            return [dict(row) for row in self.rows]
        row: dict[str, Any] = {"value": self.value}
        if self.interval is not None:
            row |= {"low": self.interval.low, "high": self.interval.high}
        return [row]

    def csv(self) -> str:
        """The answer as CSV, each row with its unit, as-of, mark, definition and whether it is simulated.

        Text that a spreadsheet would run as a formula is quoted with '; true and false are lower case,
        and a fraction has six decimals or, below 1, six digits (the JSON has all).
        """
        evidence = {"unit": self.unit, "as_of": self.as_of, "mark": self.mark, "definition": self.definition}
        evidence["simulated"] = self.simulated
        rows = [
            {**row, **evidence, "simulated": row.get("simulated", self.simulated)} for row in self.table()
        ]
        out = io.StringIO()
        if rows:
            columns = list(dict.fromkeys(key for row in rows for key in row))
            # The library leaves a lone carriage return unquoted, which readers take for a line's end.
            broken = any(isinstance(v, str) and "\r" in v for row in rows for v in row.values())
            writer = csv.DictWriter(out, columns, lineterminator="\n")
            if broken:
                writer = csv.DictWriter(out, columns, lineterminator="\n", quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows({k: csv_cell(v) for k, v in row.items()} for row in rows)
        return out.getvalue()


def disarm(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection; full-width forms, too).

    A text that is a number, such as ``-18``, is no formula and stays as it is.
    """
    if isinstance(value, str) and value[:1] in _FORMULA and not _NUMBER.fullmatch(value):
        return "'" + value
    return value


def csv_cell(value: Any) -> Any:
    """A value as a CSV of ours has it: disarmed, true or false in lower case, a fraction rounded."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return cell(value) if isinstance(value, float) and math.isfinite(value) else disarm(value)


def _safe(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _SAFE_INTEGER:
        return str(value)
    return value
