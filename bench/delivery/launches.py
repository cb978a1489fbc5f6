"""Promises to buyers of simulated launches: kept as often as they say, and no wider than needed?

``python -m bench.delivery.launches [N]`` plans N launches (500), lets each take its hidden course and
prints the share of promises kept, its spread over launches, and the loss beside other ways of promising.
How launches are made stands in ``tests/unit/delivery/launched/launches.py``. A third of a second for each.
"""

from __future__ import annotations

import sys
import time

from bench.tables import table
from driveaway.delivery.kept.launches import Beside, KeptByLaunch
from tests.unit.delivery.launched.judging import Judged, judged
from tests.unit.delivery.launched.launches import LEVELS, launches

BLIND = 50
"""Most launches that are planned once more as if their ramp were no question."""


def shares(found: Judged) -> str:
    """Share kept at each confidence, and how it differs between launches."""
    headers = ["promised", "kept, mean of launches", "95% interval", "nine launches of ten", "worst"]
    return table(
        [*headers, "keep 95% or more", "keep less than half"],
        [[f"{level:.0%}", *_spread(found.kept[level])] for level in LEVELS],
    )


def _spread(kept: KeptByLaunch) -> list[str]:
    low, high = kept.middle
    return [
        f"{kept.mean:.1%}",
        "" if kept.interval is None else f"{kept.interval.low:.1%} to {kept.interval.high:.1%}",
        f"{low:.0%} to {high:.0%}",
        f"{kept.least:.0%}",
        f"{(kept.share >= 0.95).mean():.0%}",
        f"{(kept.share < 0.5).mean():.0%}",
    ]


def ways(found: Judged) -> str:
    """Each way's promises to the same orders."""
    return table(
        ["way", "kept", "mean days", "pinball", "more than the plan's (95% interval)"],
        [[f"{level:.0%} {way.name}", *_cost(way)] for level in LEVELS for way in found.beside[level]],
    )


def _cost(way: Beside) -> list[str]:
    between = way.interval
    more = "" if between is None else f"{way.more:+.2f} ({between.low:+.2f} to {between.high:+.2f})"
    return [f"{way.kept:.1%}", f"{way.wait:.0f}", f"{way.pinball:.2f}", more]


def main() -> None:
    """Print the tables."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    if count < 2:
        sys.exit("at least two launches, to see how they differ")
    begin = time.process_time()
    found = judged(launches(count))
    took = time.process_time() - begin
    print(f"{count} simulated launches, {found.orders:,} open orders, {took:.0f} CPU s\n")
    print(shares(found))
    print(
        f"\nWithout a promise, because its day lies beyond the plan: {found.without:.1%}; "
        f"called off before they were built: {found.called_off:.1%}\n"
    )
    print(ways(found))
    print(
        "\nThese are orders that were not called off and whose forecast up to 97.5% lies within the plan; "
        f"of {found.undated:.1%} it does not"
    )
    few = min(count, BLIND)
    print(f"\nThe ramp taken as expected, as if it were no question ({few} launches)\n")
    print(shares(judged(launches(few, ramp_known=True))))


if __name__ == "__main__":
    main()
