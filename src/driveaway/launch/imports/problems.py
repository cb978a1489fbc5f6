"""Per-row problems: collected, counted, and written to a report as they are found."""

from __future__ import annotations

import csv
from collections import Counter
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
    """The report: a CSV file that is made with the first problem."""

    def __init__(self, path: Path, *, folder: bool = True) -> None:
        """``folder``: make the folder that it stands in, when that is missing."""
        self.path = path
        self._make_folder = folder
        self.first: list[Problem] = []
        self.counts: Counter[str] = Counter()
        self._file: IO[str] | None = None
        self._writer: Any = None

    def __enter__(self) -> Problems:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, problem: Problem) -> None:
        """Write one problem.

        Raises:
            Unavailable: the report cannot be written.
        """
        self.counts[problem.code] += 1
        if len(self.first) < _KEPT:
            self.first.append(problem)
        try:
            if self._file is None:
                if self._make_folder:
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("w", encoding="utf-8", newline="")
                self._writer = csv.writer(self._file)
                self._writer.writerow(COLUMNS)
            self._writer.writerow([problem.line, *(disarmed(text) for text in problem[1:])])
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
