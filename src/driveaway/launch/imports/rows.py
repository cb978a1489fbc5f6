"""What readers hand to converters: rows column by column; and what converters hand on: proposals."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from driveaway.facts import Draft
from driveaway.launch.imports.problems import Problem


class Columns(Mapping[str, list[Any]]):
    """Columns by name, made into lists of cells only when asked for: a wide file is mostly empty."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._made: dict[str, list[Any]] = {}

    def __getitem__(self, name: str) -> list[Any]:
        if name not in self._made:
            self._made[name] = self._cells(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def _cells(self, name: str) -> list[Any]:
        raise KeyError(name)

    def is_blank(self, name: str) -> bool:
        """Whether no cell of this column says anything."""
        column = self[name]
        return not any(column) and all(cell is None or cell == "" for cell in column)

    def picked(self, indexes: Sequence[int]) -> Columns:
        """The same columns of some rows only."""
        return _Picked(self, indexes)


class Cells(Columns):
    """Columns that are lists already."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        super().__init__(columns)
        self._made = columns
        self._blank: dict[str, bool] = {}

    def is_blank(self, name: str) -> bool:
        """Whether no cell of this column says anything."""
        if name not in self._blank:
            self._blank[name] = super().is_blank(name)
        return self._blank[name]


class _Picked(Columns):
    def __init__(self, whole: Columns, indexes: Sequence[int]) -> None:
        super().__init__(whole)
        self._whole, self._indexes = whole, indexes

    def _cells(self, name: str) -> list[Any]:
        column = self._whole[name]
        return [column[index] for index in self._indexes]

    def is_blank(self, name: str) -> bool:
        """Whether no cell of this column says anything."""
        return self._whole.is_blank(name) or super().is_blank(name)


@dataclass
class Rows:
    """Some rows of a file, column by column.

    Attributes:
        lines: where each row stands in the file (first physical line, or number of the row).
        columns: name → one cell a row; None where the file says nothing.
        problems: rows that could not be read at all; they are in no column.
    """

    lines: list[int]
    columns: Columns
    problems: list[Problem] = field(default_factory=list)

    def picked(self, indexes: Sequence[int]) -> Rows:
        """Some of the rows; the problems stay behind."""
        return Rows([self.lines[index] for index in indexes], self.columns.picked(indexes))


class Proposal(msgspec.Struct, frozen=True, gc=False):
    """A fact that a row asks for.

    Attributes:
        draft: the fact.
        line: the row that it stands in.
        label: the subject as the file names it, for the report.
        corrects: source of the fact that it replaces, or "".
        origin: field (and ``subject``, ``source`` …) → the column that it was read from, where that has
            another name. Rows share it.
    """

    draft: Draft
    line: int
    label: str
    corrects: str = ""
    origin: Mapping[str, str] = {}


class Proposals(NamedTuple):
    """What some rows ask for.

    Attributes:
        lines: every row that was read, its own problems included.
        facts: what they ask for.
        problems: what could not be read.
        passed_over: lines that the mapping passes over on purpose.
        in_order: the facts stand in the order in which a book recorded them, and are taken in it.
    """

    lines: list[int]
    facts: list[Proposal]
    problems: list[Problem]
    passed_over: list[int]
    in_order: bool = False
