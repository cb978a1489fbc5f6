"""Why rows were put aside, in words, many at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from driveaway.fleet.landing.codes import why
from driveaway.values.clock import DAY, SECOND

_PLACE: Final = re.compile(r"\{([a-z_]+)\}")


def reasons(code: NDArray[np.uint8], columns: Mapping[str, pa.Array], now: int) -> pa.Array:
    """A sentence for each row.

    Args:
        code: of each row, none 0.
        columns: of the trips, with ``field`` and ``value`` (what could not be read) beside.
        now: when they arrived, microseconds since 1970 UTC.
    """
    out: list[pa.Array] = []
    rows: list[NDArray[np.int64]] = []
    for number in np.unique(code):
        at = np.flatnonzero(code == number)
        parts = _PLACE.split(why(int(number)).reason)
        pieces: list[pa.Array | pa.Scalar] = [
            _text(part, columns, at, now) if index % 2 else pa.scalar(part)
            for index, part in enumerate(parts)
        ]
        if len(pieces) == 1:
            out.append(pa.array([parts[0]] * len(at), pa.string()))
        else:
            out.append(
                pc.binary_join_element_wise(*pieces, "", null_handling="replace", null_replacement="?")
            )
        rows.append(at)
    if not out:
        return pa.array([], pa.string())
    place = np.argsort(np.concatenate(rows), kind="stable")
    return pa.concat_arrays(out).take(pa.array(place))


def names(code: NDArray[np.uint8]) -> pa.Array:
    """The stable name of each row's code."""
    return _of_code(code, lambda number: why(number).name)


def remedies(code: NDArray[np.uint8]) -> pa.Array:
    """What to do about each row."""
    return _of_code(code, lambda number: why(number).remedy)


def _of_code(code: NDArray[np.uint8], text: Callable[[int], str]) -> pa.Array:
    unique, inverse = np.unique(code, return_inverse=True)
    texts = pa.array([text(int(number)) for number in unique], pa.string())
    return texts.take(pa.array(inverse))


def _text(name: str, columns: Mapping[str, pa.Array], at: NDArray[np.int64], now: int) -> pa.Array:
    index = pa.array(at)
    if name in columns:
        return columns[name].take(index).cast(pa.string())
    start, end = (columns[side].take(index).to_numpy(zero_copy_only=False) for side in ("start", "end"))
    if name == "late_days":
        return pa.array((now - end) // DAY).cast(pa.string())
    length = {"before_s": start - end, "duration_s": end - start, "ahead_s": end - now}[name]
    return pa.array(length // SECOND).cast(pa.string())
