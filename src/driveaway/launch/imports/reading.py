"""What a file asks for, row by row, before any rule of the book is asked."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from driveaway.facts.description import Description
from driveaway.launch.imports.columnar import Columnar
from driveaway.launch.imports.events import Events
from driveaway.launch.imports.files import Opened
from driveaway.launch.imports.identifiers import Subjects
from driveaway.launch.imports.limits import Limits
from driveaway.launch.imports.lookups import load_tables
from driveaway.launch.imports.mapped import Mapped
from driveaway.launch.imports.mapping import Mapping
from driveaway.launch.imports.rows import Proposals, Rows
from driveaway.launch.imports.separated import Separated
from driveaway.launch.imports.shaped import Shaped
from driveaway.launch.imports.shaping import Shaper
from driveaway.launch.imports.times import Times
from driveaway.values.clock import zone


class Reading(NamedTuple):
    """How a file is to be read.

    Attributes:
        path: the file.
        kind: kind of every row, or None: the rows or the mapping say it.
        mapping: what foreign columns mean, or None.
        limits: how long a line may be, and how much a file may unpack to.
        batch: rows read at once.
        description: the launch, whose currency and provinces the rows mean.
    """

    path: Path
    kind: str | None
    mapping: Mapping | None
    limits: Limits
    batch: int
    description: Description

    @property
    def declared(self) -> Any:
        """The format that the mapping declares, if it does."""
        return None if self.mapping is None else self.mapping.file.format


def never_collect() -> None:
    """Do not look for cycles of garbage: an import makes many objects and no cycles.

    Measured: a third of the time; and each look holds Python's lock for tens of milliseconds, for which
    whoever waits for the book would wait too.
    """
    gc.set_threshold(0, 0, 0)


class _Reader(Protocol):
    notes: list[str]
    blank: int

    def batches(self, size: int) -> Iterator[Rows]: ...


class Source(Protocol):
    """What a file asks for.

    Attributes:
        notes: what was assumed; complete once everything was read.
    """

    notes: list[str]

    def proposals(self) -> Iterator[Proposals]:
        """What the rows ask for, some rows at a time.

        Raises:
            NotFound, BadValue: the file cannot be read at all, or a table that its mapping names.
            BrokenOff: it cannot be read further.
        """
        ...

    def position(self) -> int:
        """Bytes of the file that were read so far."""
        ...

    def close(self) -> None:
        """Nothing more is wanted."""
        ...


class Here:
    """A file that is read in this process."""

    def __init__(self, reading: Reading, file: Opened) -> None:
        self._reading, self._file = reading, file
        self.notes: list[str] = []

    def position(self) -> int:
        """Bytes of the file that were read so far."""
        return int(self._file.position())

    def proposals(self) -> Iterator[Proposals]:
        """What the rows ask for, some rows at a time."""
        return _proposals(self._reading, self._file, self.notes)

    def close(self) -> None:
        """Nothing more is wanted; the file is closed by who opened it."""


def _proposals(reading: Reading, file: Opened, notes: list[str]) -> Iterator[Proposals]:
    _, kind, mapping, limits, batch, description = reading
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
    tables = {} if mapping is None else load_tables(mapping, reading.path.parent, limits)
    if file.format == "ndjson":
        assert mapping is not None
        events = Events(file.stream, limits, subjects, times, None)
        mapped = Mapped(None, mapping, shaper, tables, description.currency, place)
        for rows in events.rows(batch):
            yield mapped.convert(rows)
        notes += mapped.notes
        return
    reader: _Reader
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
    empty = True
    for rows in reader.batches(batch):
        empty = False
        yield converter.convert(rows)
    if empty:
        notes.append("the file has a header and no rows")
    notes += [*reader.notes, *converter.notes]
    if reader.blank:
        notes.append(f"{reader.blank} blank lines")


def _stem(path: Path) -> str:
    name = path.name
    while (stem := Path(name).stem) != name:
        name = stem
    return name
