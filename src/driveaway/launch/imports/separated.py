"""Separated values (RFC 4180 and its relatives): rows with the line they begin in, each with its own fate."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import IO, Any

from driveaway.launch.imports.encodings import encoding_of
from driveaway.launch.imports.files import BrokenOff
from driveaway.launch.imports.limits import Limits
from driveaway.launch.imports.lines import Block, blocks, too_blank
from driveaway.launch.imports.problems import Problem, shortened
from driveaway.launch.imports.rows import Cells, Rows
from driveaway.values.errors import BadValue, DriveawayError

SEPARATORS = (",", ";", "\t", "|")
_SAMPLE = 64 * 1024


class _EndOfRow(Exception):
    """A quoted cell does not end within the lines allowed."""


class _Feed:
    """Lines for the CSV reader, which remembers those of the row being read: they may be read again."""

    def __init__(self, source: Iterator[Block], most: int) -> None:
        self._source = source
        self._most = most
        self._again: deque[tuple[int, str]] = deque()
        self._block: Iterator[tuple[int, str | None]] = iter(())
        self._errors: dict[int, tuple[DriveawayError, str]] = {}
        self.row: list[tuple[int, str]] = []
        self.problems: list[Problem] = []

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if len(self.row) >= self._most:
            raise _EndOfRow
        item = self._again.popleft() if self._again else self._fresh()
        self.row.append(item)
        return item[1] + "\n"

    def _fresh(self) -> tuple[int, str]:
        while True:
            for number, line in self._block:
                if line is not None:
                    return number, line
                error, shown = self._errors[number]
                self.problems.append(Problem.of(number, "", shown, error))
            block = next(self._source)
            self._errors = block.errors
            self._block = iter(list(enumerate(block.lines, block.first)))

    def begin(self) -> None:
        """The next line begins a row."""
        self.row.clear()

    def give_up(self) -> tuple[int, str]:
        """The row's first line is lost; the others are read again as rows of their own."""
        self._again.extendleft(reversed(self.row[1:]))
        return self.row[0]


class Separated:
    """A file of separated values.

    Attributes:
        names: the header's cells.
        notes: what was assumed.
    """

    def __init__(
        self,
        stream: IO[bytes],
        limits: Limits,
        place: str,
        *,
        encoding: str | None = None,
        separator: str | None = None,
        quote: str = '"',
    ) -> None:
        """Read the header.

        Raises:
            BadValue: no header, columns of the same name, or an encoding that has to be declared.
        """
        sample = _peek(stream)
        found = encoding_of(sample, encoding)
        self.notes = [found.note] if found.note else []
        self._place = place
        self._feed = _Feed(blocks(stream, found, limits), limits.record_lines)
        self._options: dict[str, Any] = {"strict": True, "quotechar": quote, "delimiter": ","}
        self._options["delimiter"] = separator or self._sniffed()
        csv.field_size_limit(max(limits.line * 2, csv.field_size_limit()))
        self._reader = csv.reader(self._feed, **self._options)
        self._limits = limits
        self.blank = 0
        self.names = self._header()

    def _sniffed(self) -> str:
        try:
            line = next(self._feed)
        except StopIteration:
            return ","
        self._feed._again.appendleft(self._feed.row.pop())
        outside = "".join(line.split('"')[::2])
        return max(SEPARATORS, key=outside.count)

    def _header(self) -> list[str]:
        while True:
            row = self._row()
            if row is None:
                raise BadValue(
                    "the file has no header",
                    code="columns.none",
                    place=self._place,
                    remedy="name the columns in the first line",
                )
            if isinstance(row, Problem):
                raise BadValue(
                    f"the header cannot be read: {row.problem}",
                    code=row.code,
                    place=self._place,
                    remedy=row.remedy,
                )
            if row[1]:
                break
        names = [name.strip() for name in row[1]]
        while names and not names[-1]:
            names.pop()
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice or not all(names):
            said = (
                f"the column {twice[0]!r} stands there twice"
                if twice and twice[0]
                else "a column has no name"
            )
            raise BadValue(
                said,
                code="columns.duplicate" if twice and twice[0] else "columns.unnamed",
                place=self._place,
                remedy="give every column a name of its own",
            )
        return names

    def _row(self) -> tuple[int, list[str]] | Problem | None:
        feed = self._feed
        feed.begin()
        try:
            cells = next(self._reader)
        except StopIteration:
            return None
        except (csv.Error, _EndOfRow) as error:
            self._reader = csv.reader(feed, **self._options)
            line, text = feed.give_up()
            endless = isinstance(error, _EndOfRow) or "unexpected end" in str(error)
            problem = (
                "a quote is opened and not closed" if endless else f"the line is not well-formed: {error}"
            )
            return Problem(
                line,
                "",
                shortened(text),
                "row.quote",
                problem,
                'write a quote inside a quoted cell twice: ""',
            )
        return feed.row[0][0], cells

    def batches(self, size: int) -> Iterator[Rows]:
        """The rows, about ``size`` at a time."""
        width = len(self.names)
        feed = self._feed
        done = False
        blank = 0
        broken: BrokenOff | None = None
        while not done:
            lines: list[int] = []
            rows: list[list[str]] = []
            problems: list[Problem] = []
            while len(rows) < size:
                try:
                    row = self._row()
                except BrokenOff as error:
                    broken, row = error, None
                if row is None:
                    done = True
                    break
                if isinstance(row, Problem):
                    problems.append(row)
                    continue
                line, cells = row
                if not any(cells):
                    self.blank += 1
                    blank += 1
                    if blank > self._limits.blank_lines:
                        broken, done = too_blank(self._limits), True
                        break
                    continue
                blank = 0
                if len(cells) != width:
                    if any(cells[width:]) or len(cells) < width:
                        problems.append(self._ragged(line, cells))
                        continue
                    del cells[width:]
                lines.append(line)
                rows.append(cells)
            problems += feed.problems
            feed.problems = []
            columns: dict[str, list[Any]] = dict(
                zip(
                    self.names,
                    map(list, zip(*rows, strict=True)) if rows else ([] for _ in self.names),
                    strict=True,
                )
            )
            if lines or problems:
                yield Rows(lines, Cells(columns), problems)
        if broken is not None:
            raise broken

    def _ragged(self, line: int, cells: list[str]) -> Problem:
        return Problem(
            line,
            "",
            shortened(self._options["delimiter"].join(cells)),
            "row.ragged",
            f"the row has {len(cells)} cells, the header {len(self.names)}",
            "look for a separator inside a cell: such a cell needs quotes",
        )


def _peek(stream: IO[bytes]) -> bytes:
    peek = getattr(stream, "peek", None)
    assert peek is not None
    sample: bytes = peek(_SAMPLE)
    return sample[:_SAMPLE]
