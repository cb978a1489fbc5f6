"""The program of quotas with a column for each order, pool and week: ``… .order_by_order FILE SECONDS``.

Solved as a linear program by SciPy's HiGHS, so that it has the same optimum as the program by signature.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array


def main(file: str, seconds: float) -> None:
    given = dict(np.load(file))
    pools, limits, kept = given["pools"], given["limits"], given["kept"]
    weeks = pools.shape[1]
    orders = len(given["weight"])
    builds = given["builds"][given["signature"]]
    order, pool = (np.repeat(index, weeks) for index in np.nonzero(builds))
    week = np.tile(np.arange(weeks), len(order) // weeks)
    column = np.arange(len(order))
    rows = [order, orders + pool * weeks + week]
    columns = [column, column]
    bounds = [np.ones(orders), pools.reshape(-1)]
    first = orders + pools.size
    for limit in range(len(limits)):
        using = column[given["uses"][given["signature"][order], limit]]
        rows.append(first + week[using])
        columns.append(using)
        if kept[limit]:
            for later in range(1, weeks):
                early = using[week[using] < weeks - later]
                rows.append(first + week[early] + later)
                columns.append(early)
        bounds.append(np.cumsum(limits[limit]) if kept[limit] else limits[limit])
        first += weeks
    places = (np.concatenate(rows), np.concatenate(columns))
    matrix = coo_array((np.ones(len(places[0])), places), shape=(first, len(column))).tocsr()
    answer = linprog(
        given["weight"][order] * (week - weeks),
        A_ub=matrix,
        b_ub=np.concatenate(bounds),
        method="highs",
        options={"time_limit": max(seconds - time.process_time(), 1.0)},
    )
    cost = None if answer.x is None else float(answer.fun + given["weight"].sum() * weeks)
    print(json.dumps({"cost": cost, "finished": answer.status == 0, "cpu": time.process_time()}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
