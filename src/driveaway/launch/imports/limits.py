"""How much of a file is believed before it is taken for an attack or an accident."""

from __future__ import annotations

from typing import NamedTuple

KIB, MIB, GIB = 1024, 1024**2, 1024**3


class Limits(NamedTuple):
    """Limits of an import.

    Attributes:
        line: longest line, bytes; a longer one is reported and skipped without being held.
        record_lines: most physical lines in one row (line breaks inside quotes).
        unpacked: most bytes that a compressed file may unpack to.
        ratio: most bytes out per byte in, judged once ``ratio_from`` bytes came out.
        ratio_from: see ``ratio``.
        blank_lines: most lines in a row that say nothing: more than a sheet has rows.
        lookup_rows: most rows of a look-up table, which is held in memory.
    """

    line: int = MIB
    record_lines: int = 200
    unpacked: int = 64 * GIB
    ratio: int = 200
    ratio_from: int = 32 * MIB
    blank_lines: int = 2_000_000
    lookup_rows: int = 5_000_000
