"""Per-row problems: collected, counted, and written to a report as they are found."""

from __future__ import annotations

import bisect
import csv
import io
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple

from driveaway.launch.cells import disarmed
from driveaway.values.errors import DriveawayError, Unavailable

COLUMNS = ("line", "column", "value", "code", "problem", "remedy")
_SHOWN = 80
_KEPT = 20


class Problem(NamedTuple):
    """One thing that is wrong with one row.

    Attributes:
        line: first physical line of the row; in a Parquet file the number of the row.
        column: the column, or "" where the whole row is meant.
        value: what stood there, shortened.
        code: stable, as in every error.
        problem: what is wrong.
        remedy: what to do.
    """

    line: int
    column: str
    value: str
    code: str
    problem: str
    remedy: str = ""

    def row(self) -> dict[str, Any]:
        """Column → text, as the report and the screen show it."""
        return dict(zip(COLUMNS, (str(self.line), *self[1:]), strict=True))

    @classmethod
    def of(cls, line: int, column: str, value: Any, error: DriveawayError) -> Problem:
        """An error as a problem of a row."""
        return cls(
            line, column, "" if value is None else shortened(value), error.code, error.message, error.remedy
        )


class ImportReport(NamedTuple):
    """What became of an import.

    Attributes:
        accepted: rows of which everything that was not known yet was recorded.
        repeated: rows that were in the book already, word for word.
        rejected: rows with at least one problem.
        passed_over: rows that the mapping leaves out on purpose.
        facts: facts added to the book.
        report_path: the report with one line per problem, or None when there was none.
        first_problems: the first problems, for the screen.
        counts: code → how many problems have it.
        notes: what was assumed or passed over, in words.
    """

    accepted: int
    repeated: int
    rejected: int
    facts: int
    report_path: Path | None
    passed_over: int = 0
    first_problems: tuple[Problem, ...] = ()
    counts: dict[str, int] = {}  # noqa: RUF012 - never changed
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows in all."""
        return self.accepted + self.repeated + self.rejected + self.passed_over

    @property
    def all_accepted(self) -> bool:
        """Whether no row was rejected; the exit code follows it."""
        return self.rejected == 0


def shortened(value: Any, longest: int = _SHOWN) -> str:
    """A value as a report shows it: one line, no control characters, not long."""
    text = value[: longest + 1] if isinstance(value, str) else str(value)
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


class Problems:
    """The report: a CSV file that is made with the first problem, and put in order of lines at the end."""

    def __init__(self, path: Path, *, folder: bool = True) -> None:
        """``folder``: make the folder that it stands in, when that is missing."""
        self.path = path
        self._make_folder = folder
        self.counts: Counter[str] = Counter()
        self._first: list[tuple[int, int, Problem]] = []
        self._file: IO[bytes] | None = None
        # Of each problem its line, and where it begins in the file: what a sort needs, and no more.
        self._lines, self._begins = array("q"), array("q")
        self._length = 0

    def __enter__(self) -> Problems:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            with self._reported():
                self._arrange()

    @property
    def first(self) -> list[Problem]:
        """The problems of the first lines, in their order."""
        return [problem for _, _, problem in self._first]

    def add(self, problem: Problem) -> None:
        """Write one problem.

        Raises:
            Unavailable: the report cannot be written.
        """
        self.counts[problem.code] += 1
        bisect.insort(self._first, (problem.line, len(self._lines), problem))
        del self._first[_KEPT:]
        with self._reported():
            if self._file is None:
                if self._make_folder:
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("wb")
                self._length = self._file.write(_row(COLUMNS))
            self._lines.append(problem.line)
            self._begins.append(self._length)
            row = _row([problem.line, *(disarmed(text) for text in problem[1:])])
            self._length += self._file.write(row)

    def _arrange(self) -> None:
        """Put the report in order of lines; what was held back to the end of the file was told last."""
        lines, begins = self._lines, self._begins
        order = sorted(range(len(lines)), key=lines.__getitem__)
        if all(place == row for place, row in enumerate(order)):
            return
        ends = [*begins[1:], self._length]
        part = self.path.with_name(f".{self.path.name}.part")
        try:
            with self.path.open("rb") as told, part.open("wb") as arranged:
                arranged.write(told.read(begins[0]))
                for row in order:
                    told.seek(begins[row])
                    arranged.write(told.read(ends[row] - begins[row]))
            part.replace(self.path)
        finally:
            part.unlink(missing_ok=True)

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable(
                f"the report cannot be written: {error.strerror}",
                code="import.report",
                place=str(self.path),
                remedy="name another place with --report; importing again is safe",
            ) from error

    @property
    def written(self) -> Path | None:
        """The report's path, if there was a problem."""
        return None if self._file is None else self.path


def _row(cells: Sequence[Any]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerow(cells)
    return out.getvalue().encode()
