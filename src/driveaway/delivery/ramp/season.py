"""What a time of the year does to a month's handovers in China."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache

import numpy as np

from driveaway.delivery.ramp.types import Amounts
from driveaway.values.errors import BadValue

FEATURES = ("spring_festival", "january", "february", "march", "december")
"""Names of the columns of `features`."""

_FESTIVAL = (
    "2018-02-16 2019-02-05 2020-01-25 2021-02-12 2022-02-01 2023-01-22 2024-02-10 2025-01-29 2026-02-17 "
    "2027-02-06 2028-01-26 2029-02-13 2030-02-03 2031-01-23 2032-02-11 2033-01-31 2034-02-19 2035-02-08"
)
_ABOUT = 7
_MONTHS = (1, 2, 3, 12)


@cache
def _festival_days() -> tuple[frozenset[date], int, int]:
    firsts = [date.fromisoformat(text) for text in _FESTIVAL.split()]
    days = frozenset(day + timedelta(shift) for day in firsts for shift in range(-_ABOUT, _ABOUT + 1))
    return days, firsts[0].year, firsts[-1].year


def features(spans: Sequence[tuple[date, date]]) -> Amounts:
    """For each span of days the share of its days that lie at a special time of the year.

    Columns are named by `FEATURES`: within seven days of the first day of the Spring Festival; in January,
    February, March, December.

    Args:
        spans: first and last day of each, both included.

    Returns:
        Shares, shape (spans, features).

    Raises:
        BadValue: a day lies outside the years whose festivals are tabulated (`delivery.season_unknown`).
    """
    festival, earliest, latest = _festival_days()
    rows = np.zeros((len(spans), len(FEATURES)))
    for row, (first, last) in zip(rows, spans, strict=True):
        if first.year < earliest or last.year > latest:
            raise BadValue(
                f"the Spring Festival is tabulated for {earliest} to {latest} only",
                code="delivery.season_unknown",
                place=f"{first} to {last}",
                remedy="ask for the forecast without seasons",
            )
        days = [first + timedelta(shift) for shift in range((last - first).days + 1)]
        row[0] = sum(day in festival for day in days)
        row[1:] = [sum(day.month == month for day in days) for month in _MONTHS]
        row /= len(days)
    return rows
