"""Importing a file: what it is, what its rows ask for, what became of them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from driveaway.launch.imports.columnar import Columnar
from driveaway.launch.imports.events import Events
from driveaway.launch.imports.files import BrokenOff, Opened, opened
from driveaway.launch.imports.identifiers import Subjects
from driveaway.launch.imports.limits import Limits
from driveaway.launch.imports.lookups import load_tables
from driveaway.launch.imports.mapped import Mapped
from driveaway.launch.imports.mapping import Mapping, load_mapping
from driveaway.launch.imports.ordered import in_order_of_time
from driveaway.launch.imports.problems import ImportReport, Problem, Problems
from driveaway.launch.imports.recording import Recorder
from driveaway.launch.imports.rows import Proposals, Rows
from driveaway.launch.imports.separated import Separated
from driveaway.launch.imports.shaped import Shaped
from driveaway.launch.imports.shaping import Shaper
from driveaway.launch.imports.times import Times
from driveaway.launch.outputs import check_output
from driveaway.values.clock import moment, now, zone
from driveaway.values.errors import BadValue, DriveawayError

if TYPE_CHECKING:
    from driveaway.launch.launch import Launch

Progress = Callable[[int, int, int], None]
"""(bytes of the file done, bytes in all, rows)."""

BATCH = 25_000


class _Reader(Protocol):
    notes: list[str]
    blank: int

    def batches(self, size: int) -> Iterator[Rows]: ...


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

    Raises:
        NotFound: there is no such file or mapping.
        BadValue: the file cannot be read at all: empty, of no known format, without the columns needed.
        Unavailable: the book or the report cannot be written; importing again is safe.
    """
    path = Path(path)
    limits = limits or Limits()
    if kind is not None and mapping is not None:
        raise BadValue(
            "give a kind or a mapping, not both", code="import.twice", remedy="a mapping says the kinds"
        )
    folder = path.parent
    mapping_files = [] if mapping is None or isinstance(mapping, Mapping) else [Path(mapping)]
    if mapping is not None and not isinstance(mapping, Mapping):
        mapping, _ = load_mapping(mapping)
    stamp = moment(now()).strftime("%Y%m%dT%H%M%S_%f")
    if report is not None:
        target = Path(report)
        check_output(launch.folder, launch.data, target, path, *mapping_files)
    else:
        target = launch.data / "reports" / f"{path.name}-{stamp}.csv"
    declared = mapping.file.format if mapping is not None else None
    notes: list[str] = []
    kept = report is None
    with _calm(), opened(path, declared, limits) as file, Problems(target, folder=kept) as problems:
        source = _proposals(launch, file, kind, mapping, folder, limits, batch, notes)
        # The clock locks a reservation when a later fact of the order arrives: among rows of several kinds
        # its lock or cancellation must not come after that. So a file that is not in order of time is
        # put in order first.
        clocked = launch.description.rules.refundable_hours is not None
        in_order = mapping is None and in_order_of_time(file)
        sort = clocked and kind is None and not in_order
        recorder = Recorder(launch, problems, launch.data, batch, sort=sort, in_order=in_order)
        try:
            try:
                for proposals in source:
                    recorder.take(proposals)
                    if progress is not None:
                        progress(min(file.position(), file.size), file.size, recorder.seen)
            except BrokenOff as error:
                if not recorder.seen:
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
            dict(problems.counts), tuple(dict.fromkeys(notes)),
        )  # fmt: skip


@contextmanager
def _calm() -> Iterator[None]:
    """Look for cycles of garbage seldom: an import makes many objects and no cycles (measured: ×1.7)."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


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
    path = Path(path)
    limits = limits or Limits()
    if mapping is not None and not isinstance(mapping, Mapping):
        mapping, _ = load_mapping(mapping)
    declared = mapping.file.format if mapping is not None else None
    with _calm(), opened(path, declared, limits) as file:
        yield from _proposals(launch, file, kind, mapping, path.parent, limits, batch, [])


def _stopped(recorder: Recorder, error: DriveawayError) -> None:
    """The file could not be read to its end: the row after the last one is reported."""
    line = recorder.last + 1
    problem = Problem(line, "", "", error.code, f"reading stopped here: {error.message}", error.remedy)
    recorder.take(Proposals([line], [], [problem], []))


def _proposals(
    launch: Launch, file: Opened, kind: str | None, mapping: Mapping | None, folder: Path, limits: Limits,
    batch: int, notes: list[str],
) -> Iterator[Proposals]:  # fmt: skip
    description = launch.description
    place = str(file.path)
    regions = {region.code: region.name for region in description.regions}
    if mapping is None:
        subjects, times = Subjects(description.launch), Times()
    else:
        shape = mapping.time
        subjects = Subjects(mapping.name)
        tz = None if shape.zone is None else zone(shape.zone)
        times = Times(tz, shape.formats, end_of_days=shape.days == "end")
    shaper = Shaper(subjects, times, regions)
    if file.format == "ndjson" and mapping is None:
        yield from Events(file.stream, limits, subjects, times, kind).proposals(batch)
        return
    tables = {} if mapping is None else load_tables(mapping, folder, limits)
    if file.format == "ndjson":
        assert mapping is not None
        events = Events(file.stream, limits, subjects, times, None)
        mapped = Mapped(None, mapping, shaper, tables, description.currency, place)
        for rows in events.rows(batch):
            yield mapped.convert(rows)
        notes += mapped.notes
        return
    reader: Any
    if file.format == "parquet":
        reader = Columnar(file.path, limits)
        instants = frozenset(reader.instants)
    else:
        instants = frozenset()
        shaped = None if mapping is None else mapping.file
        reader = Separated(
            file.stream, limits, place, encoding=shaped.encoding if shaped else None,
            separator=shaped.separator if shaped else None, quote=shaped.quote if shaped else '"',
        )  # fmt: skip
    converter: Shaped | Mapped
    if mapping is not None:
        converter = Mapped(reader.names, mapping, shaper, tables, description.currency, place, instants)
    else:
        namespace = f"urn:driveaway:import:{_stem(file.path)}"
        converter = Shaped(reader.names, kind, shaper, namespace, place, instants)
    for rows in reader.batches(batch):
        yield converter.convert(rows)
    notes += [*reader.notes, *converter.notes]
    if reader.blank:
        notes.append(f"{reader.blank} blank lines")


def _stem(path: Path) -> str:
    name = path.name
    while (stem := Path(name).stem) != name:
        name = stem
    return name
