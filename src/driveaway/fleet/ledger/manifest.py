"""What a generation of the ledger consists of; published by replacing ``manifest.json``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

LAYOUT: Final = 4
FILE: Final = "manifest.json"


class Part(msgspec.Struct, frozen=True):
    """One Parquet file of a table: rows of days from ``first_day`` to ``last_day`` (days since 1970).

    ``scope`` is that of all its rows in the table of activity, else empty.
    """

    table: str
    scope: str
    file: str
    rows: int
    bytes: int
    first_day: int
    last_day: int


class Days(msgspec.Struct, frozen=True):
    """One file of active days of all cars in one scope: a 64-bit word a car, for 64 days from 64 × block.

    ``crc`` is that of the file (CRC-32): a wrong bit would not show by itself.
    """

    scope: str
    simulated: bool
    block: int
    file: str
    cars: int
    crc: int


class Counts(msgspec.Struct, frozen=True):
    """One file of how many rows each car has on each of 64 days from 64 × block: a byte each.

    ``crc`` is that of the file (CRC-32).
    """

    block: int
    file: str
    cars: int
    crc: int


class Manifest(msgspec.Struct, frozen=True):
    """A whole generation.

    Attributes:
        upto: last seq of the book that it takes into account.
        leaf: that fact's leaf, hexadecimal: a book that has another one there is another book.
        cars: so many were numbered.
        trips: segments that were folded.
    """

    layout: int
    zone: str
    upto: int
    leaf: str
    generation: int
    cars: int
    trips: int
    parts: tuple[Part, ...]
    days: tuple[Days, ...]
    counts: tuple[Counts, ...]

    @property
    def files(self) -> set[str]:
        """Names of all files."""
        return (
            {part.file for part in self.parts}
            | {days.file for days in self.days}
            | {counts.file for counts in self.counts}
        )


def empty(zone: str, generation: int = 0) -> Manifest:
    """Of a ledger that holds nothing."""
    return Manifest(LAYOUT, zone, 0, "", generation, 0, 0, (), (), ())


def read(folder: Path, zone: str) -> Manifest:
    """The manifest on disk; an empty one when it, or a file, is missing, damaged or of another layout."""
    try:
        found = msgspec.json.decode((folder / FILE).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError):
        return empty(zone)
    if found.layout != LAYOUT or found.zone != zone or disagrees(folder, found):
        return empty(zone, found.generation)
    return found


def disagrees(folder: Path, manifest: Manifest) -> str:
    """Which file does not agree with a manifest, in words; "" when all do. Sizes only."""
    sizes = {part.file: part.bytes for part in manifest.parts}
    sizes |= {days.file: 8 * days.cars for days in manifest.days}
    sizes |= {counts.file: 64 * counts.cars for counts in manifest.counts}
    for name, expected in sizes.items():
        try:
            size = (folder / name).stat().st_size
        except OSError:
            return f"{name} is missing"
        if size != expected:
            return f"{name} has {size} bytes, not {expected}"
    return ""


def publish(folder: Path, manifest: Manifest) -> None:
    """Make it the one that is read, at once for every reader."""
    temporary = folder / f"{FILE}.new"
    temporary.write_bytes(msgspec.json.encode(manifest))
    os.replace(temporary, folder / FILE)
