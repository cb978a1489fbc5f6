"""Demand by demand, backward then forward: the way of working that frePPLe publishes, re-implemented.

Its documentation describes a heuristic that plans one demand after another by priority and due date, each
first backward from its due date and, where that fails, forward from today. This is those few lines over
the same lines and limits, not frePPLe itself: ``python -m bench.delivery.peers.one_by_one FILE``.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import chain

import numpy as np

_WISHED = 56
"""Days from now on which every buyer would like the car to be built."""


def main(file: str) -> None:
    given = dict(np.load(file))
    week, fresh, weight = given["week"], given["fresh"], given["weight"]
    pools = given["daily_pools"].tolist()
    days = len(week)
    # What a limit still allows: in its own day or week, or in stock from a day on.
    windows, rest = [], []
    for row in range(len(fresh)):
        window = np.cumsum(fresh[row])
        windows.append(window.tolist())
        rest.append(np.bincount(window, weights=given["daily_limits"][row]).tolist())
    arrivals = {
        row: np.cumsum(given["daily_limits"][row]).tolist()
        for row in range(len(fresh))
        if not fresh[row].any()
    }
    used_by = [np.flatnonzero(uses).tolist() for uses in given["uses"]]
    built_by = [np.flatnonzero(builds).tolist() for builds in given["builds"]]
    cost = 0.0
    for nth in np.argsort(given["rank"]):
        signature = given["signature"][nth]
        for day in chain(range(_WISHED, -1, -1), range(_WISHED + 1, days)):
            if all(
                arrivals[limit][day] >= 1 and min(arrivals[limit][day:]) >= 1
                if limit in arrivals
                else rest[limit][windows[limit][day]] >= 1
                for limit in used_by[signature]
            ):
                pool = next((pool for pool in built_by[signature] if pools[pool][day] >= 1), None)
                if pool is not None:
                    break
        else:
            cost += weight[nth] * (int(week[-1]) + 1)
            continue
        pools[pool][day] -= 1
        for limit in used_by[signature]:
            if limit in arrivals:
                arrivals[limit][day:] = [left - 1 for left in arrivals[limit][day:]]
            else:
                rest[limit][windows[limit][day]] -= 1
        cost += weight[nth] * int(week[day])
    print(json.dumps({"cost": cost, "finished": True, "cpu": time.process_time()}))


if __name__ == "__main__":
    main(sys.argv[1])
