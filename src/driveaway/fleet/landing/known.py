"""Rows that were landed before: the same again, or with other content."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driveaway.fleet.landing.checking import EPOCH
from driveaway.fleet.landing.columns import Sorted, pack_keys
from driveaway.fleet.landing.index import Index
from driveaway.fleet.landing.loops.codes import Code
from driveaway.fleet.landing.loops.runs import content_words, key_words, suspects

_DAY_BITS: Final = np.uint64(0xFFFF)


def known_rows(of: Sorted, index: Index) -> NDArray[np.bool_]:
    """Which rows are repetitions; rows with other content than before get a code.

    Of rows with the same VIN, trip and segment in one batch the first stands.

    Args:
        of: rows, none of which has a code; cars have the numbers of the index.
        index: what was landed.

    Returns:
        of every row, whether it says what was said before.
    """
    rows, car, code = of.rows, of.car, of.normal.code
    repeated, marked = np.zeros(len(code), bool), np.zeros(len(code), bool)
    if not suspects(car, rows, index.cars.records, marked):
        return repeated
    concerned = np.zeros(index.cars.count, bool)
    concerned[car[marked]] = True
    some = np.flatnonzero(concerned[car])
    # By key, and among equal keys as they arrived.
    some = some[np.lexsort((of.origin[some], rows.segment[some], rows.trip[some], car[some]))]
    same = np.zeros(len(some), bool)
    same[1:] = (
        (car[some[1:]] == car[some[:-1]])
        & (rows.trip[some[1:]] == rows.trip[some[:-1]])
        & (rows.segment[some[1:]] == rows.segment[some[:-1]])
    )
    leader = np.maximum.accumulate(np.where(same, 0, np.arange(len(some))))
    involved = marked[some] | same
    involved[leader[same]] = True
    chosen = some[involved]
    keys, words = fingerprints(of, chosen, index)
    stored, found = index.find(keys)
    other = found & (stored != words)
    if other.any():
        at = np.flatnonzero(other)
        found[at] = _confirmed(of, chosen[at], keys[at], stored[at], index)
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
    of: Sorted, which: NDArray[np.int64], index: Index
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Keys and content words of rows, for the index."""
    factors = index.factors
    return key_words(which, of.rows, factors), content_words(which, of.rows, of.words, of.day, factors)


def _confirmed(
    of: Sorted,
    which: NDArray[np.int64],
    keys: NDArray[np.uint64],
    stored: NDArray[np.uint64],
    index: Index,
) -> NDArray[np.bool_]:
    """Whether a stored row really has the same VIN, trip and segment, and not the same fingerprint alone."""
    out = np.zeros(len(which), bool)
    rows = of.rows
    days = (stored & _DAY_BITS).astype(np.int64)
    for number in np.unique(days):
        here = np.flatnonzero(days == number)
        here = here[np.argsort(keys[here], kind="stable")]
        wanted = keys[here]
        day = (EPOCH + timedelta(days=int(number))).isoformat()
        for share in index.shares([day]):
            table = index.read(share, ("vin", "trip", "segment"))
            high, low, code = pack_keys(table["vin"].combine_chunks())
            trip, segment = table["trip"].to_numpy(), table["segment"].to_numpy().astype(np.int32)
            there = rows._replace(
                high=_sealed(high), low=_sealed(low), trip=_sealed(trip), segment=_sealed(segment)
            )
            found = key_words(np.arange(len(code)), there, index.factors)
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


def _sealed(array: NDArray[Any]) -> NDArray[Any]:
    array = array.view()
    array.flags.writeable = False
    return array
