"""A body of trips in any of its forms, and whose trips they may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from driveaway.fleet.doors.arrow import read_arrow
from driveaway.fleet.doors.ndjson import read_ndjson
from driveaway.fleet.doors.rows import Clock, Rows
from driveaway.fleet.doors.vss import from_vss
from driveaway.values.errors import Refused

Form = Literal["ndjson", "arrow"]
Names = Literal["trips", "vss"]
MEDIA: Final[Mapping[str, Form]] = {
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/vnd.apache.arrow.stream": "arrow",
}
"""Media type → form of a body."""
_STREAM: Final = b"\xff\xff\xff\xff"


def form_of(body: bytes) -> Form:
    """The form of a body that comes without a media type: an Arrow stream begins with four bytes of ones."""
    return "arrow" if body.startswith(_STREAM) else "ndjson"


def read_trips(body: bytes, form: Form, clock: Clock, names: Names = "trips") -> Rows:
    """The rows of a body; ``names`` says how its fields are called, which only JSON has a choice of.

    Raises:
        BadValue: an Arrow stream that is none, or whose columns are others (``trips.arrow``,
            ``trips.column``).
    """
    if form == "arrow":
        return read_arrow(body, clock)
    return read_ndjson(body, clock, from_vss if names == "vss" else None)


def check_own(rows: Rows, vin: str) -> None:
    """See that a car speaks of itself alone.

    Raises:
        Refused: a row is another car's (``trips.other_car``).
    """
    column = rows.table.column("vin") if rows.table.num_rows else None
    if column is None or pa.types.is_null(column.type):
        return
    if pc.any(pc.not_equal(column, pa.scalar(vin, column.type))).as_py():
        raise Refused(
            "a row is another car's",
            code="trips.other_car",
            remedy="a car reports its own trips; a gateway shows the gateway's credential and no vin",
        )
