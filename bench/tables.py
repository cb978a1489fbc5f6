"""Tables in Markdown, padded so that they read well in a terminal too; and how numbers are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from unicodedata import east_asian_width


@dataclass(frozen=True)
class Goal:
    """A yardstick, and what was measured."""

    what: str
    wanted: str
    measured: str
    met: bool


@dataclass
class Section:
    """What one group of measurements says.

    Attributes:
        name: as in ``--only``.
        text: Markdown.
        goals: yardsticks that it measured.
        wrong: answers that should agree and do not.
    """

    name: str
    text: str = ""
    goals: list[Goal] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Add a paragraph or a table."""
        self.text += ("\n\n" if self.text else "") + text.strip()

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Add a table."""
        self.add(table(headers, rows))


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table: the first column to the left, the others to the right."""
    columns = list(zip(headers, *rows, strict=True))
    widths = [max(3, *map(_width, column)) for column in columns]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell + " " * (width - _width(cell)) if index == 0 else " " * (width - _width(cell)) + cell
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "| " + " | ".join(padded) + " |"

    rule = ["-" * width if index == 0 else "-" * (width - 1) + ":" for index, width in enumerate(widths)]
    return "\n".join([line(headers), line(rule), *map(line, rows)])


def _width(text: str) -> int:
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def seconds(value: float) -> str:
    """A time in seconds, three significant digits."""
    return f"{value:.2f} s" if value < 10 else f"{value:,.1f} s" if value < 100 else f"{value:,.0f} s"


def milliseconds(value: float) -> str:
    """A time given in seconds, shown in milliseconds."""
    ms = value * 1000
    return f"{ms:.2f} ms" if ms < 10 else f"{ms:.1f} ms" if ms < 100 else f"{ms:,.0f} ms"


def rate(count: float, duration: float) -> str:
    """So many a second."""
    return f"{count / duration:,.0f}/s"


def mebibytes(value: float) -> str:
    """Bytes in MiB."""
    return f"{value / 2**20:,.0f} MiB"


def ratio(value: float, base: float) -> str:
    """How many times the base."""
    times = value / base
    return f"{times:.2f}×" if times < 10 else f"{times:,.0f}×"


def middle(values: Sequence[float]) -> float:
    """The median."""
    return float(median(values))


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]
