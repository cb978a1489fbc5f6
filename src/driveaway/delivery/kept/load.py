"""How full the pipeline is: an early warning that no delivered order can give yet."""

from __future__ import annotations

import numpy as np

from driveaway.delivery.kept.survival import Amounts

THROUGHPUT = 28
"""Days over which orders ended are averaged: four whole weeks."""
USUAL = 56
"""Days whose median is the usual wait."""


def load(started: Amounts, closed: Amounts, first: int, last: int) -> Amounts:
    """How long an order will wait at the present pace, as a multiple of what is usual, by day.

    J. D. C. Little's law (Operations Research 9, 1961, 383–387): wait = orders open / orders closed in a
    day. Taken at the beginning of each day, with one order added to both so that a beginning divides by
    nothing; relative to its median over the last 8 weeks.

    Args:
        started: time at which each order was placed, days, shape (orders,).
        closed: time at which it was delivered or called off, infinite while neither, shape (orders,).
        first: first day wanted.
        last: last day wanted.

    Returns:
        The multiple for the days first … last, 1 = as usual.
    """
    begin = min(first, int(np.floor(started.min()))) if len(started) else first
    length = last - begin + 1
    came = _by_day(started, begin, length)
    went = _by_day(closed, begin, length)
    ended = np.concatenate([np.zeros(1), np.cumsum(went)])
    backlog = np.cumsum(came) - came - (ended[:-1])
    days = np.arange(length)
    since = np.maximum(0, days - THROUGHPUT)
    pace = (ended[days] - ended[since] + 1) / THROUGHPUT
    wait = (backlog + 1) / pace
    padded = np.concatenate([np.full(USUAL, np.nan), wait])
    past = np.lib.stride_tricks.sliding_window_view(padded, USUAL)[:length]
    usual = np.full(length, wait[0])
    usual[1:] = np.nanmedian(past[1:], axis=1)
    return np.asarray((wait / usual)[first - begin :])


def _by_day(times: Amounts, begin: int, length: int) -> Amounts:
    inside = times[(times >= begin) & (times < begin + length)]
    return np.bincount(np.floor(inside).astype(np.int64) - begin, minlength=length).astype(np.float64)
