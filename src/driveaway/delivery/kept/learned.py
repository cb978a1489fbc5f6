"""The level that a planner is asked for, learned from how a launch's own promises fared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driveaway.book.view import View
from driveaway.delivery.kept.calibration import adapted_level
from driveaway.delivery.kept.scoring import NEVER, Outcome, Promises, outcomes
from driveaway.delivery.kept.survival import Amounts
from driveaway.delivery.promises import fared

LEAST = 20
"""Promises that have to come due before anything is learned from them."""
_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Level:
    """Which quantile of the plan's dates is told as a window's last day.

    Attributes:
        nominal: the share of promises that is to be kept, 0–1.
        used: the level that the plan is asked for.
        promises: of that share whose last day has passed; nothing is learned from fewer than ``LEAST``.
        kept: of them.
    """

    nominal: float
    used: float
    promises: int
    kept: int

    @property
    def learned(self) -> bool:
        """Whether past promises were enough to learn from."""
        return self.promises >= LEAST and 0 < self.nominal < 1


def learned_level(view: View, nominal: float, today: int) -> Level:
    """The level to ask a plan for, from the first promise of each order at the same nominal share.

    A promise teaches once its last day has passed, kept or missed; until then it is one of those in
    flight, which make the steps smaller. One whose order was called off before teaches nothing.
    See ``calibration.AdaptiveLevel``.

    Args:
        view: what was known, and had happened.
        nominal: the share of promises that is to be kept.
        today: the first day of which nothing is known, days since 1 January 1970: promises given in the
            plan of that day know all days before it.
    """
    # A chance of 1 cannot be raised, and leaves no misses to be wanted.
    if not 0 < nominal < 1 or not view.holds(("promise.given",)):
        return Level(nominal, nominal, 0, 0)
    promises = _promises(view, nominal)
    over = promises.judged_by < today
    what = outcomes(promises, today - 1)
    settled = over & (what != Outcome.VOID)
    count, kept = int(settled.sum()), int((settled & (what == Outcome.KEPT)).sum())
    if count < LEAST:
        return Level(nominal, nominal, count, kept)
    past = promises.take(settled)
    used = adapted_level(
        nominal,
        past.given,
        past.judged_by,
        what[settled] == Outcome.MISSED,
        standing=promises.given[~over & (what != Outcome.VOID)],
    )
    return Level(nominal, round(used, _DIGITS), count, kept)


def _promises(view: View, nominal: float) -> Promises:
    """The first promise of each order that was to be kept with this chance, in the order of the book."""
    rows = fared(view, "first")
    rows = rows.filter((rows.confidence - nominal).abs() < 1e-6).order_by("seq")
    days = {"given": "day", "due": "due", "handed": "handed_on", "off": "called_off_on"}
    table, _ = view.run(rows.select(**{name: rows[column] for name, column in days.items()}))
    given, due, handed, off = (_numbers(table[name]) for name in days)
    # A window that ended before it was promised was missed on the day of the promise.
    return Promises.of(given, np.maximum(given, due), nominal, handed, cancelled=off)


def _numbers(days: pa.ChunkedArray) -> Amounts:
    """Days since 1 January 1970; infinite where there is none."""
    numbers = pc.fill_null(days.cast(pa.date32()).cast(pa.int32()).cast(pa.float64()), NEVER)
    return np.asarray(numbers.to_numpy())
