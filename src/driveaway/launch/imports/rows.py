"""What readers hand to converters: rows column by column; and what converters hand on: proposals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from driveaway.facts import Draft
from driveaway.launch.imports.problems import Problem


@dataclass
class Rows:
    """Some rows of a file, column by column.

    Attributes:
        lines: where each row stands in the file (first physical line, or number of the row).
        columns: name → one cell a row; None where the file says nothing.
        problems: rows that could not be read at all; they are in no column.
    """

    lines: list[int]
    columns: dict[str, list[Any]]
    problems: list[Problem] = field(default_factory=list)


class Proposal(NamedTuple):
    """A fact that a row asks for.

    Attributes:
        draft: the fact.
        line: the row that it stands in.
        label: the subject as the file names it, for the report.
        corrects: source of the fact that it replaces, or "".
    """

    draft: Draft
    line: int
    label: str
    corrects: str = ""


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
