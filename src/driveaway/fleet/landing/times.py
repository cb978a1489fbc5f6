"""Times written as ISO 8601, many at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from driveaway.values.clock import parse_instant
from driveaway.values.errors import BadValue

# What Arrow reads as it stands: seconds, at most six digits behind them, an offset.
_USUAL: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:?[0-9]{2})$"
)


@dataclass(frozen=True)
class Read:
    """Instants of texts.

    Attributes:
        instants: microseconds since 1970 UTC, null where the text is; 0 where it is wrong.
        naive: texts without an offset.
        wrong: texts that are no time.
    """

    instants: pa.Array
    naive: NDArray[np.bool_]
    wrong: NDArray[np.bool_]


def instants(texts: pa.Array) -> Read:
    """Read a column of texts."""
    rows = len(texts)
    naive, wrong = np.zeros(rows, bool), np.zeros(rows, bool)
    texts = pc.utf8_trim_whitespace(texts)
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    if pc.all(pc.match_substring_regex(texts, _USUAL)).as_py() in (True, None):
        try:
            return Read(texts.cast(pa.timestamp("us", "UTC")).cast(pa.int64()), naive, wrong)
        except pa.ArrowInvalid:
            # One of them is a day that does not exist: which one is found below.
            pass
    out = np.zeros(rows, np.int64)
    for row, text in enumerate(texts.to_pylist()):
        if text is None:
            continue
        if text.isascii() and text.lstrip("-").isdigit() and len(text) < 19:
            out[row] = int(text)
            continue
        try:
            out[row] = parse_instant(text, None)
        except BadValue as error:
            (naive if error.code == "time.naive" else wrong)[row] = True
    return Read(pa.array(out, mask=texts.is_null().to_numpy(zero_copy_only=False)), naive, wrong)
