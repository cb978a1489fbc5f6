"""Rate limits: a token bucket in one number."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a second in the long run, and ``burst`` at once."""

    per_second: float
    burst: int

    @property
    def interval(self) -> float:
        """Seconds that one costs."""
        return 1.0 / self.per_second

    @property
    def tolerance(self) -> float:
        """Seconds by which who asks may be ahead."""
        return (self.burst - 1) / self.per_second


def admitted(due: float, now: float, rate: Rate) -> tuple[float, float]:
    """One more at ``now``, where the bucket is said by when its next one would be ``due``.

    The generic cell rate algorithm (ITU-T I.371, annex A, virtual scheduling): a token bucket whose state
    is one time, 0.0 for a bucket that is full.

    Returns:
        The bucket's new state, and the seconds to wait: 0.0 when the one is admitted; else the state is
        as it was.
    """
    start = max(due, now)
    wait = start - now - rate.tolerance
    if wait > 0:
        return due, wait
    return start + rate.interval, 0.0


class Buckets:
    """Buckets by key, at most ``most``: what was not asked of for longest is forgotten first."""

    def __init__(self, rate: Rate, most: int = 100_000) -> None:
        self._rate = rate
        self._most = most
        self._due: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._due)

    def take(self, key: str, now: float) -> float:
        """Take one; the seconds to wait when there is none, else 0.0."""
        due, wait = admitted(self._due.get(key, 0.0), now, self._rate)
        self._due[key] = due
        self._due.move_to_end(key)
        if len(self._due) > self._most:
            self._due.popitem(last=False)
        return wait

    def empty(self, key: str, now: float) -> float:
        """The seconds until there is one again, 0.0 when there is; takes none."""
        due = self._due.get(key)
        return 0.0 if due is None else admitted(due, now, self._rate)[1]
