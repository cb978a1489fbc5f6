"""Intervals of shares."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

from driveaway.figures.answer import Interval

LEVEL = 0.95


def wilson(hits: int, people: int, level: float = LEVEL) -> Interval:
    """Wilson's score interval of a share (E. B. Wilson, JASA 22, 1927; no continuity correction).

    Raises:
        ValueError: there are no people, or more hits than people.
    """
    if people <= 0 or not 0 <= hits <= people:
        raise ValueError(f"{hits} of {people} is not a share")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share = hits / people
    centre = (share + z * z / (2 * people)) / (1 + z * z / people)
    half = z / (1 + z * z / people) * sqrt(share * (1 - share) / people + z * z / (4 * people * people))
    return Interval(max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share)), level)
