"""What a simulated fleet came to: answers, how long they took, and how updates ended."""

from __future__ import annotations

import math
from collections import Counter
from typing import Final

_STEP: Final = math.log(1.02)
_SHORTEST: Final = 1e-5


class Latencies:
    """How long answers took, in steps of 2%: small, whatever their number."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.total = 0
        self.longest = 0.0

    def add(self, seconds: float) -> None:
        """One more answer."""
        self._counts[max(0, round(math.log(max(seconds, _SHORTEST) / _SHORTEST) / _STEP))] += 1
        self.total += 1
        self.longest = max(self.longest, seconds)

    def percentile(self, share: float) -> float | None:
        """Seconds within which this share of the answers came; None where none did."""
        left = share * self.total
        for step in sorted(self._counts):
            left -= self._counts[step]
            if left <= 0:
                return min(self.longest, _SHORTEST * math.exp(step * _STEP))
        return None


class Counts:
    """What is counted of a fleet.

    Attributes:
        requests: answered, by what was asked.
        statuses: answers by status.
        lost: requests whose line broke; they are made again.
        ended: updates by how the car said that they ended; ``silent`` did not say.
        latencies: of all answers.
    """

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.lost = 0
        self.ended: Counter[str] = Counter()
        self.latencies = Latencies()
