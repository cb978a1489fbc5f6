"""Importing a file: what it is, what its rows ask for, what became of them."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from driveaway.launch.imports.beside import Beside, is_large
from driveaway.launch.imports.files import BrokenOff, Opened, opened
from driveaway.launch.imports.limits import Limits
from driveaway.launch.imports.mapping import Mapping, load_mapping
from driveaway.launch.imports.ordered import in_order_of_time
from driveaway.launch.imports.problems import ImportReport, Problem, Problems
from driveaway.launch.imports.reading import Here, Reading, Source, never_collect
from driveaway.launch.imports.recording import Recorder
from driveaway.launch.imports.rows import Proposals
from driveaway.launch.outputs import check_output
from driveaway.values.clock import moment, now
from driveaway.values.errors import BadValue, DriveawayError

if TYPE_CHECKING:
    from driveaway.launch.launch import Launch

Progress = Callable[[int, int, int], None]
"""(bytes of the file done, bytes in all, rows)."""

BATCH = 50_000
_TURN = 0.0001
"""Seconds for which a thread keeps Python's lock while another one wants it."""


def import_file(
    launch: Launch,
    path: str | Path,
    *,
    kind: str | None = None,
    mapping: str | Path | Mapping | None = None,
    report: str | Path | None = None,
    progress: Progress | None = None,
    batch: int = BATCH,
    limits: Limits | None = None,
    beside: bool | None = None,
) -> ImportReport:
    """Record what a file says; a row that cannot be recorded is reported and stops no other.

    CSV (also compressed with gzip, zip or zstd), Parquet, or NDJSON. Importing the same file again
    adds nothing. The order of the rows does not matter: what cannot stand yet is tried again when
    the whole file was read.

    Args:
        launch: where to.
        path: the file.
        kind: kind of every row, whose columns are then named like the fields of the kind.
        mapping: a mapping file, the name of a packaged one, or a mapping.
        report: where the report of problems goes; left out: ``reports/`` in the data folder.
        progress: called after each batch.
        batch: facts recorded at once.
        limits: how long a line may be, and how much a file may unpack to.
        beside: read in a process of its own; left out: when the file is large.

    Raises:
        NotFound: there is no such file or mapping.
        BadValue: the file cannot be read at all: empty, of no known format, without the columns needed.
        Unavailable: the book or the report cannot be written; importing again is safe.
    """
    path = Path(path)
    if kind is not None and mapping is not None:
        raise BadValue(
            "give a kind or a mapping, not both", code="import.twice", remedy="a mapping says the kinds"
        )
    mapping_files = [] if mapping is None or isinstance(mapping, Mapping) else [Path(mapping)]
    if mapping is not None and not isinstance(mapping, Mapping):
        mapping, _ = load_mapping(mapping)
    stamp = moment(now()).strftime("%Y%m%dT%H%M%S_%f")
    if report is not None:
        target = Path(report)
        check_output(launch.folder, launch.data, target, path, *mapping_files)
    else:
        target = launch.data / "reports" / f"{path.name}-{stamp}.csv"
    reading = Reading(path, kind, mapping, limits or Limits(), batch, launch.description)
    kept = report is None
    with (
        _calm(),
        opened(path, reading.declared, reading.limits) as file,
        Problems(target, folder=kept) as problems,
        closing(_source(reading, file, is_large(file) if beside is None else beside)) as source,
    ):
        # The clock locks a reservation when a later fact of the order arrives: among rows of several kinds
        # its lock or cancellation must not come after that. So a file that is not in order of time is
        # put in order first.
        clocked = launch.description.rules.refundable_hours is not None
        in_order = mapping is None and in_order_of_time(file)
        sort = clocked and kind is None and not in_order
        recorder = Recorder(launch, problems, launch.data, batch, sort=sort, in_order=in_order)
        try:
            try:
                for proposals in source.proposals():
                    recorder.take(proposals)
                    if progress is not None:
                        progress(min(source.position(), file.size), file.size, recorder.seen)
            except BrokenOff as error:
                # What is taken for a bomb is a problem of the file's next row, however much came before it.
                if not recorder.seen and error.code != "file.bomb":
                    raise
                _stopped(recorder, error)
            recorder.finish()
        finally:
            recorder.close()
        if progress is not None:
            progress(file.size, file.size, recorder.seen)
        accepted, repeated, rejected, passed = recorder.totals()
        return ImportReport(
            accepted, repeated, rejected, recorder.facts, problems.written, passed, tuple(problems.first),
            dict(problems.counts), tuple(dict.fromkeys(source.notes)),
        )  # fmt: skip


def _source(reading: Reading, file: Opened, beside: bool) -> Source:
    return Beside(reading) if beside else Here(reading, file)


@contextmanager
def _calm() -> Iterator[None]:
    before, interval = gc.get_threshold(), sys.getswitchinterval()
    never_collect()
    # Who appends holds the book's lock: it must not wait long for a turn while the next rows are unpacked.
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        sys.setswitchinterval(interval)


def read_file(
    launch: Launch,
    path: str | Path,
    *,
    kind: str | None = None,
    mapping: str | Path | Mapping | None = None,
    batch: int = BATCH,
    limits: Limits | None = None,
) -> Iterator[Proposals]:
    """What a file asks for, without recording anything: to check a file or a mapping, or to measure.

    Raises:
        NotFound, BadValue: as ``import_file``.
    """
    if mapping is not None and not isinstance(mapping, Mapping):
        mapping, _ = load_mapping(mapping)
    reading = Reading(Path(path), kind, mapping, limits or Limits(), batch, launch.description)
    with _calm(), opened(reading.path, reading.declared, reading.limits) as file:
        yield from Here(reading, file).proposals()


def _stopped(recorder: Recorder, error: DriveawayError) -> None:
    """The file could not be read to its end: the row after the last one is reported."""
    line = recorder.last + 1
    problem = Problem(line, "", "", error.code, f"reading stopped here: {error.message}", error.remedy)
    recorder.take(Proposals([line], [], [problem], []))
