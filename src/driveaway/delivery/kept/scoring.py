"""How promises fared: kept, missed, still open, or void; by cohort and by confidence.

Times are days from any origin, whole or with fractions, in one zone. With whole days a promise is kept
by a handover on its last day, and that day has passed at an as-of of the day itself, since an as-of
takes in the whole of its day.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from driveaway.delivery.kept.survival import Amounts
from driveaway.figures.answer import Interval
from driveaway.figures.statistics import LEVEL, wilson
from driveaway.values.errors import BadValue

Outcomes = NDArray[np.int8]
NEVER = float("inf")


class Outcome(IntEnum):
    """What became of a promise."""

    OPEN = 0
    """Its day has not passed and the car is not handed over: nothing is known yet."""
    KEPT = 1
    MISSED = 2
    VOID = 3
    """The order was called off while the promise still stood: nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Promises:
    """Promises, one a row; an order may have several, at other times or confidences.

    Attributes:
        given: when each was given, shape (promises,).
        due: its last day, or the day of its quantile, shape (promises,).
        level: its nominal confidence, 0–1, shape (promises,).
        delivered: handover, infinite while there is none, shape (promises,).
        cancelled: when the order was called off, infinite if it was not, shape (promises,).
        excused_until: where the buyer asked for a later day or was not ready, the day from which the
            handover was in the maker's hands again: a delay by the buyer breaks no promise, so the later
            of this and ``due`` counts; minus infinity where there was none, shape (promises,).
        opens: first day of the window, shape (promises,); only its width is looked at: a car that comes
            before its window keeps the promise.
    """

    given: Amounts
    due: Amounts
    level: Amounts
    delivered: Amounts
    cancelled: Amounts
    excused_until: Amounts
    opens: Amounts

    @classmethod
    def of(
        cls,
        given: ArrayLike,
        due: ArrayLike,
        level: ArrayLike,
        delivered: ArrayLike,
        *,
        cancelled: ArrayLike = NEVER,
        excused_until: ArrayLike = -NEVER,
        opens: ArrayLike | None = None,
    ) -> Promises:
        """Promises from arrays or numbers, which are repeated for each promise.

        Days that never came may be infinite or not a number. Without ``opens`` a window begins when it
        was given.

        Raises:
            BadValue: ``delivery.promise``: a promise has no time, a date before it was given, or a
                confidence outside 0–1.
        """
        rows = np.broadcast_arrays(
            *(
                np.asarray(part, dtype=np.float64)
                for part in (given, due, level, delivered, cancelled, excused_until)
            ),
            np.asarray(given if opens is None else opens, dtype=np.float64),
        )
        start, end, share, done, off, excused, begin = (np.atleast_1d(row) for row in rows)
        wrong = np.flatnonzero(~((end >= start) & np.isfinite(end) & (share > 0) & (share < 1)))
        if len(wrong):
            raise BadValue(
                f"{len(wrong)} promises have no day, a day before they were given, "
                "or a confidence outside 0 to 1",
                code="delivery.promise",
                place=f"promise {wrong[0]}",
                remedy="leave out orders for which no promise was given",
            )
        return cls(
            start,
            end,
            share,
            np.where(np.isnan(done), NEVER, done),
            np.where(np.isnan(off), NEVER, off),
            np.where(np.isnan(excused), -NEVER, excused),
            begin,
        )

    def __len__(self) -> int:
        return len(self.given)

    @property
    def judged_by(self) -> Amounts:
        """The day that decides: the last day, or a later one that the buyer asked for."""
        return np.maximum(self.due, self.excused_until)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Promises:
        """Some of the promises."""
        return Promises(*(getattr(self, part.name)[rows] for part in fields(self)))


def outcomes(promises: Promises, as_of: float) -> Outcomes:
    """What became of each promise as far as it is known at ``as_of`` (what happened then included).

    A promise is scored when the car is handed over, or when its day passes without that. What happens
    after ``as_of`` is not looked at. A promise given after it is open.
    """
    limit = promises.judged_by
    delivered = promises.delivered <= as_of
    gone = (promises.cancelled <= as_of) & (promises.cancelled < np.minimum(promises.delivered, limit))
    result = np.full(len(promises), Outcome.OPEN, dtype=np.int8)
    result[delivered & (promises.delivered <= limit)] = Outcome.KEPT
    result[(limit <= as_of) & (promises.delivered > limit)] = Outcome.MISSED
    result[delivered & (promises.delivered > limit)] = Outcome.MISSED
    result[gone] = Outcome.VOID
    result[promises.given > as_of] = Outcome.OPEN
    return result


class Record(NamedTuple):
    """How a set of promises fared.

    Attributes:
        cohort: what they have in common.
        promises: all of them.
        kept: scored and kept.
        missed: scored and missed.
        open: not known yet.
        void: called off while they stood.
        share: kept of those scored, None when none is scored.
        interval: Wilson's interval of it. It takes promises to be independent; orders of one week share
            their delays, so the truth may lie further away.
        passed: promises whose day has passed, not void.
        share_passed: kept of those whose day has passed. While some of a cohort are open, ``share``
            flatters it: those kept early are known first. This one does not.
        wait: mean of the days promised (last day − given) of those scored.
        width: mean width of the windows (last day − first day) of those scored.
        pinball: mean pinball loss of the promised day as a quantile at its confidence, in days, of
            those scored; cars that are still not handed over count with their wait so far.
        not_handed_over: missed ones without a handover yet: with any, ``pinball`` is a lower bound.
    """

    cohort: Hashable
    promises: int
    kept: int
    missed: int
    open: int
    void: int
    share: float | None
    interval: Interval | None
    passed: int
    share_passed: float | None
    wait: float | None
    width: float | None
    pinball: float | None
    not_handed_over: int


def record(
    promises: Promises,
    as_of: float,
    cohorts: NDArray[np.generic] | Sequence[Hashable] | None = None,
    *,
    level: float = LEVEL,
) -> list[Record]:
    """How promises fared by ``as_of``, by cohort.

    Args:
        promises: of any confidences; scores of several confidences in one cohort are mixed, so take one
            confidence, or make it part of the cohort.
        as_of: what had happened by then counts; promises given later are left out.
        cohorts: a label for each promise, such as its month, trim or region; None: all are one, "all".
        level: of the intervals.

    Returns:
        A record for each cohort that has promises, in the order of the labels.
    """
    labels = np.full(len(promises), "all") if cohorts is None else np.asarray(cohorts)
    if labels.shape != (len(promises),):
        raise BadValue("every promise belongs to one cohort", code="delivery.cohort")
    known = promises.given <= as_of
    promises, labels = promises.take(known), labels[known]
    names, which = np.unique(labels, return_inverse=True)
    result = outcomes(promises, as_of)
    late = (result == Outcome.MISSED) & (promises.delivered > as_of)
    scored = (result == Outcome.KEPT) | (result == Outcome.MISSED)
    passed = scored & (promises.judged_by <= as_of)
    reached = np.minimum(promises.delivered, as_of)
    # What the buyer asked for is no error of the forecast.
    loss = pinball(promises.judged_by, reached, promises.level)

    def total(rows: NDArray[np.bool_], of: Amounts | None = None) -> Amounts:
        amounts = None if of is None else of[rows]
        return np.bincount(which[rows], weights=amounts, minlength=len(names)).astype(np.float64)

    everything = np.ones(len(promises), dtype=np.bool_)
    counts = [total(everything), *(total(result == part) for part in Outcome), total(scored)]
    passing, kept_passed, still = total(passed), total(passed & (result == Outcome.KEPT)), total(late)
    sums = [total(scored, of) for of in (promises.due - promises.given, promises.due - promises.opens, loss)]
    records = []
    for place, name in enumerate(names.tolist()):
        count, still_open, kept, missed, void, judged = (int(part[place]) for part in counts)
        wait, width, mean_loss = (float(part[place]) / judged if judged else None for part in sums)
        over = int(passing[place])
        records.append(
            Record(
                name,
                count,
                kept,
                missed,
                still_open,
                void,
                kept / judged if judged else None,
                wilson(kept, judged, level) if judged else None,
                over,
                int(kept_passed[place]) / over if over else None,
                wait,
                width,
                mean_loss,
                int(still[place]),
            )
        )
    return records


class CurvePoint(NamedTuple):
    """One confidence of a calibration curve.

    Attributes:
        nominal: the confidence that was promised.
        kept: share kept of those scored.
        interval: Wilson's interval of it.
        scored: how many were scored.
    """

    nominal: float
    kept: float
    interval: Interval
    scored: int


def calibration_curve(promises: Promises, as_of: float, *, level: float = LEVEL) -> list[CurvePoint]:
    """Nominal confidence beside the share kept, for each confidence that was promised.

    Only promises whose day has passed are counted: at high confidences the day is far away, and those
    kept early would be all that is known of them.

    Args:
        promises: at as many confidences as are wanted, one a row.
        as_of: what had happened by then counts.
        level: of the intervals.
    """
    over = promises.take(promises.judged_by <= as_of)
    records = record(over, as_of, np.round(over.level, 9), level=level)
    return [
        CurvePoint(float(str(part.cohort)), part.share, part.interval, part.kept + part.missed)
        for part in records
        if part.share is not None and part.interval is not None
    ]


def pinball(quantile: Amounts, actual: Amounts, level: float | Amounts) -> Amounts:
    """Pinball loss of each quantile, in the unit of both (Koenker and Bassett, Econometrica 46, 1978).

    A day too late costs ``level``, a day too early 1 − ``level``; the true quantile has the least mean.
    """
    late = actual - quantile
    return np.asarray(np.maximum(level * late, (np.asarray(level) - 1) * late))
