"""OR-Tools CP-SAT with a literal for each order, pool and week: ``… .cp_sat FILE SECONDS``.

Never in one process with SciPy's HiGHS.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from itertools import accumulate

import numpy as np
from ortools.sat.python import cp_model

_WHOLE = 1_000
"""Weights are counted in thousandths: CP-SAT wants whole numbers."""


def main(file: str, seconds: float) -> None:
    given = dict(np.load(file))
    pools, limits, kept = given["pools"], given["limits"], given["kept"]
    weeks = pools.shape[1]
    model = cp_model.CpModel()
    in_pool = defaultdict(list)
    in_limit = defaultdict(list)
    terms, factors, never = [], [], 0
    for signature, weight in zip(given["signature"], given["weight"], strict=True):
        whole = round(float(weight) * _WHOLE)
        never += whole * weeks
        mine = []
        for pool in np.flatnonzero(given["builds"][signature]):
            for week in range(weeks):
                chosen = model.new_bool_var("")
                mine.append(chosen)
                in_pool[pool, week].append(chosen)
                for limit in np.flatnonzero(given["uses"][signature]):
                    in_limit[limit, week].append(chosen)
                terms.append(chosen)
                factors.append(whole * (week - weeks))
        model.add_at_most_one(mine)
        if time.process_time() > seconds:
            print(json.dumps({"cost": None, "finished": False, "cpu": time.process_time()}))
            return
    for (pool, week), chosen in in_pool.items():
        model.add(sum(chosen) <= int(pools[pool, week]))
    for limit in range(len(limits)):
        use = [sum(in_limit[limit, week]) for week in range(weeks)]
        bounds = list(accumulate(limits[limit])) if kept[limit] else list(limits[limit])
        for week, (used, bound) in enumerate(zip(use, bounds, strict=True)):
            model.add((sum(use[: week + 1]) if kept[limit] else used) <= int(bound))
    model.minimize(cp_model.LinearExpr.weighted_sum(terms, factors))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(seconds - time.process_time(), 1.0)
    solver.parameters.num_workers = 2
    status = solver.solve(model)
    some = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    cost = (solver.objective_value + never) / _WHOLE if some else None
    print(json.dumps({"cost": cost, "finished": status == cp_model.OPTIMAL, "cpu": time.process_time()}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
