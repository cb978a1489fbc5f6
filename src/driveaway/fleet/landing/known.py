"""Rows that were landed before: the same again, or with other content."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driveaway.fleet.folder import FleetFolder
from driveaway.fleet.landing.checking import Checked
from driveaway.fleet.landing.columns import Prepared, pack_keys, text_words
from driveaway.fleet.landing.index import Index
from driveaway.fleet.landing.loops.codes import Code
from driveaway.fleet.landing.loops.rows import Rows
from driveaway.fleet.landing.loops.runs import content_words, key_words, suspects
from driveaway.fleet.landing.reading import read_rows

_DAY_BITS: Final = np.uint64(0xFFFF)
_EPOCH: Final = date(1970, 1, 1)


def known_rows(
    prepared: Prepared, checked: Checked, order: NDArray[np.int64], index: Index, folder: FleetFolder
) -> NDArray[np.bool_]:
    """Which rows are repetitions; rows with other content than before get a code.

    Of rows with the same VIN, trip and segment in one batch the first stands.

    Args:
        order: rows without a code, by car and time.
        index: what was landed; cars have the numbers of ``checked``.

    Returns:
        of every row, whether it says what was said before.
    """
    rows, code = prepared.rows, prepared.normal.code
    repeated = np.zeros(len(code), bool)
    marked = np.zeros(len(code), bool)
    cars = index.cars
    if not suspects(order, checked.car, rows, cars.last_trip, cars.last_segment, marked):
        return repeated
    concerned = np.zeros(cars.count, bool)
    concerned[checked.car[order[marked[order]]]] = True
    some = order[concerned[checked.car[order]]]
    # By key, and among equal keys as they arrived.
    some = some[np.lexsort((some, rows.segment[some], rows.trip[some], checked.car[some]))]
    same = np.zeros(len(some), bool)
    same[1:] = (
        (checked.car[some[1:]] == checked.car[some[:-1]])
        & (rows.trip[some[1:]] == rows.trip[some[:-1]])
        & (rows.segment[some[1:]] == rows.segment[some[:-1]])
    )
    leader = np.maximum.accumulate(np.where(same, 0, np.arange(len(some))))
    involved = marked[some] | same
    involved[leader[same]] = True
    chosen = some[involved]
    keys = key_words(chosen, rows, index.seed)
    words = content_words(
        chosen, _with_level(prepared, checked), text_words(prepared.normal), checked.since_1970, index.seed
    )
    stored, found = index.find(keys)
    other = found & (stored != words)
    if other.any():
        at = np.flatnonzero(other)
        found[at] = _confirmed(prepared, chosen[at], keys[at], stored[at], index, folder)
    repeated[chosen[found & (stored == words)]] = True
    code[chosen[found & (stored != words)]] = Code.RESENT_DIFFERS
    # What is not stored is held against the first of its key in this batch.
    place = np.full(len(some), -1, np.int64)
    place[involved] = np.arange(len(chosen))
    follows = np.flatnonzero(same)
    follows = follows[~found[place[follows]]]
    alike = words[place[follows]] == words[place[leader[follows]]]
    repeated[some[follows[alike]]] = True
    code[some[follows[~alike]]] = Code.RESENT_DIFFERS
    return repeated


def fingerprints(
    prepared: Prepared, checked: Checked, which: NDArray[np.int64], seed: np.uint64
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Keys and content words of rows, for the index."""
    keys = key_words(which, prepared.rows, seed)
    words = content_words(
        which, _with_level(prepared, checked), text_words(prepared.normal), checked.since_1970, seed
    )
    return keys, words


def _with_level(prepared: Prepared, checked: Checked) -> Rows:
    level = checked.level.view()
    level.flags.writeable = False
    return prepared.rows._replace(level=level)


def _confirmed(
    prepared: Prepared,
    which: NDArray[np.int64],
    keys: NDArray[np.uint64],
    stored: NDArray[np.uint64],
    index: Index,
    folder: FleetFolder,
) -> NDArray[np.bool_]:
    """Whether a stored row really has the same VIN, trip and segment, and not the same fingerprint alone."""
    out = np.zeros(len(which), bool)
    rows = prepared.rows
    days = (stored & _DAY_BITS).astype(np.int64)
    for number in np.unique(days):
        here = np.flatnonzero(days == number)
        here = here[np.argsort(keys[here], kind="stable")]
        wanted = keys[here]
        day = (_EPOCH + timedelta(days=int(number))).isoformat()
        for share in index.shares([day]):
            table = read_rows(folder, share.file, ("vin", "trip", "segment"))
            high, low, code = pack_keys(table["vin"].combine_chunks())
            trip = table["trip"].to_numpy()
            segment = table["segment"].to_numpy().astype(np.int32)
            some = rows._replace(
                high=_sealed(high), low=_sealed(low), trip=_sealed(trip), segment=_sealed(segment)
            )
            found = key_words(np.arange(len(code)), some, index.seed)
            left, right = np.searchsorted(wanted, found, "left"), np.searchsorted(wanted, found, "right")
            for at in np.flatnonzero(right > left):
                for mine in here[left[at] : right[at]]:
                    row = which[mine]
                    out[mine] |= bool(
                        rows.high[row] == high[at]
                        and rows.low[row] == low[at]
                        and rows.trip[row] == trip[at]
                        and rows.segment[row] == segment[at]
                    )
    return out


def _sealed(array: NDArray) -> NDArray:  # type: ignore[type-arg]
    array = array.view()
    array.flags.writeable = False
    return array
