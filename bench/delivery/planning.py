"""Measure planning, beside other ways to plan the same orders: ``python -m bench.delivery.planning``.

Every measurement runs in a process of its own. Prints Markdown tables on stdout.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from bench.measuring import Failed, note, run
from bench.tables import Goal, Section, mebibytes, milliseconds, ratio, seconds, table

PEERS = {
    "demand by demand, backward then forward (frePPLe's published way, re-implemented)": "one_by_one",
    "OR-Tools CP-SAT, a literal an order, pool and week": "cp_sat",
    "linear program, a column an order, pool and week (SciPy's HiGHS)": "order_by_order",
}


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.delivery.planning", description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,100000", help="orders to compare at, joined by commas")
    parser.add_argument("--scale", default="100000,1000000", help="orders to plan alone, joined by commas")
    parser.add_argument(
        "--seconds", type=float, default=100.0, help="of CPU that a peer is given (default: 100)"
    )
    parser.add_argument("--paths", type=int, default=1_000)
    parser.add_argument("--part", choices=("plan", "quotas"), help=argparse.SUPPRESS)
    parser.add_argument("--orders", type=int, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Measure."""
    given = _arguments(arguments)
    if given.part == "plan":
        print(json.dumps(plan(given.orders, given.paths)))
        return 0
    if given.part == "quotas":
        print(json.dumps(quotas(given.orders)))
        return 0
    section = Section("planning")
    scale(section, [int(size) for size in given.scale.split(",") if size], given.paths)
    beside(section, [int(size) for size in given.sizes.split(",") if size], given.seconds)
    print(section.text)
    for goal in section.goals:
        print(f"- {'met' if goal.met else 'MISSED'}: {goal.what}: {goal.wanted}; {goal.measured}")
    for wrong in section.wrong:
        print(f"- WRONG: {wrong}")
    return 1 if section.wrong else 0


def plan(size: int, paths: int) -> dict[str, float | str]:
    """Plan, plan again a day later, and quote, in this process."""
    import numpy as np

    from bench.delivery.problem import next_day, problem
    from driveaway.delivery.planning.odds import Target
    from driveaway.delivery.planning.plan import make_plan

    # Compiled loops are read from their cache once.
    make_plan(*problem(500), paths=4)
    demand, supply = problem(size)
    targets = [
        Target("month", "handed", 38, 67, size * 0.05, strictly=True),
        Target("year", "handed", 0, 251, size * 0.5),
    ]
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wall, cpu = time.perf_counter(), time.process_time()
    first = make_plan(demand, supply, paths=paths, targets=targets)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    later, tomorrow = next_day(demand, supply, first.slot)
    again_wall, again_cpu = time.perf_counter(), time.process_time()
    second = make_plan(later, tomorrow, paths=paths, targets=targets, previous=first)
    again_wall, again_cpu = time.perf_counter() - again_wall, time.process_time() - again_cpu
    kept = dict(zip(demand.order_ids, first.slot, strict=True))
    was = np.array([kept[order] for order in later.order_ids])
    now = np.where(second.slot > tomorrow.days, was, second.slot + 1)
    quote = time.perf_counter()
    for nth in range(100):
        first.quote(demand.configurations[nth % 54], supply.regions[nth % 31].code)
    quote = (time.perf_counter() - quote) / 100
    return {
        "wall": wall,
        "cpu": cpu,
        "again_wall": again_wall,
        "again_cpu": again_cpu,
        "quote": quote,
        "before": held * 1024,
        "gap": first.master.gap,
        "way": first.master.way,
        "again_way": second.master.way,
        "later": float((now > was).mean()),
        "other_week": float((now // 7 != was // 7).mean()),
    }


def quotas(size: int) -> dict[str, float]:
    """Place all orders: quotas, whole cars by day and a slot for each, without dates at confidences."""
    import numpy as np

    from bench.delivery.problem import problem
    from driveaway.delivery.planning.capacity import calendar, expected, in_whole_cars
    from driveaway.delivery.planning.plan import BUCKETS
    from driveaway.delivery.planning.queue import queue
    from driveaway.delivery.planning.repair import schedule
    from driveaway.delivery.planning.signatures import lead_groups, ranks, signatures, timing

    def place(orders: int) -> tuple[float, float, float]:
        demand, supply = problem(orders)
        started = time.process_time()
        found, cal = signatures(demand, supply), calendar(supply)
        times = timing(demand, supply, lead_groups(demand, supply))
        order, _ = ranks(demand)
        signature = found.of[demand.configuration]
        line = queue(
            np.ones(orders, bool),
            order,
            signature,
            times.release,
            times.due,
            demand.priority,
            len(found),
            BUCKETS,
        )
        master = schedule(line, in_whole_cars(expected(supply, found, cal), supply, cal), found, cal)
        return time.process_time() - started, master.cost, master.bound

    place(500)
    cpu, cost, bound = place(size)
    return {"cpu": cpu, "cost": cost, "bound": bound}


def scale(section: Section, sizes: list[int], paths: int) -> None:
    """Plan, promise and count odds alone."""
    rows = []
    for size in sizes:
        note(f"planning {size:,} orders")
        done = run(
            [
                sys.executable,
                "-m",
                __spec__.name,
                "--part",
                "plan",
                "--orders",
                str(size),
                "--paths",
                str(paths),
            ]
        )
        said = done.said
        rows.append(
            [
                f"{size:,}",
                seconds(said["cpu"]),
                seconds(said["wall"]),
                seconds(said["again_cpu"]),
                seconds(said["again_wall"]),
                mebibytes(done.peak),
                milliseconds(said["quote"]),
                f"{said['gap']:.3%}",
                f"{said['later']:.2%}",
                f"{said['other_week']:.2%}",
            ]
        )
        within = {100_000: 3.0, 1_000_000: 15.0}.get(size)
        if within:
            section.goals.append(
                Goal(f"{size:,} orders", f"< {within:g} s", seconds(said["wall"]), said["wall"] < within)
            )
            section.goals.append(
                Goal(
                    f"{size:,} orders, a day later",
                    "< 2 s",
                    seconds(said["again_wall"]),
                    said["again_wall"] < 2,
                )
            )
            section.goals.append(Goal("memory", "< 2 GB", mebibytes(done.peak), done.peak < 2e9))
        section.goals.append(Goal("a quote", "< 50 ms", milliseconds(said["quote"]), said["quote"] < 0.05))
    if rows:
        section.add(
            f"Plan, promises at three confidences from {paths:,} paths and odds of two targets: 52 weeks, "
            "two lines, six limits, 31 regions. Gap: to the optimum of the linear program. Later: orders "
            "with a later slot in the plan of the next day (0.3% cancelled)."
        )
        headers = [
            "orders",
            "CPU",
            "wall",
            "next day, CPU",
            "wall",
            "peak",
            "a quote",
            "gap",
            "later",
            "other week",
        ]
        section.table(headers, rows)


def beside(section: Section, sizes: list[int], limit: float) -> None:
    """Place the same orders in other ways."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            file = Path(folder) / f"{size}.npz"
            run([sys.executable, "-m", "bench.delivery.problem", str(size), file])
            note(f"placing {size:,} orders")
            ours = run([sys.executable, "-m", __spec__.name, "--part", "quotas", "--orders", str(size)]).said
            gap = ours["cost"] / ours["bound"] - 1
            rows.append([f"{size:,}", "**quotas by signature**", seconds(ours["cpu"]), "1", f"{gap:+.3%}"])
            for name, module in PEERS.items():
                note(f"placing {size:,} orders: {module}")
                said = _peer(module, file, limit)
                if said is None or not said["finished"]:
                    cpu = f"did not finish in {limit:g} s"
                    times, least = f"> {ratio(limit, ours['cpu'])}", limit / ours["cpu"]
                else:
                    cpu, times = seconds(said["cpu"]), ratio(said["cpu"], ours["cpu"])
                    least = said["cpu"] / ours["cpu"]
                cost = said and said["cost"]
                rows.append(["", name, cpu, times, f"{cost / ours['bound'] - 1:+.3%}" if cost else "none"])
                if size == 10_000:
                    section.goals.append(
                        Goal(f"10,000 orders, faster than {module}", "100×", times, least >= 100)
                    )
                if said and said["finished"] and cost and cost < ours["bound"] * (1 - 1e-5):
                    section.wrong.append(
                        f"{module} costs {cost:,.1f}, less than the bound {ours['bound']:,.1f}"
                    )
    if rows:
        section.add(
            "The same orders, lines and limits; CPU seconds until every order has its place (peers: with the "
            "start of the process, some 0.2 s). Cost: weighted car-weeks of waiting, above the optimum of "
            "the linear program. Dates at confidences and odds are not part of it. Demand by demand works "
            "on bare arrays of days, which is kinder to it than the product it stands for."
        )
        section.add(table(["orders", "", "CPU", "times ours", "cost"], rows))


def _peer(module: str, file: Path, limit: float) -> dict[str, float] | None:
    """What a peer says; None when it was ended for taking more than its time."""
    # The kernel ends what does not heed its own limit.
    inner = (
        "import resource, runpy, sys; "
        f"resource.setrlimit(resource.RLIMIT_CPU, ({int(limit) + 20}, {int(limit) + 25})); "
        f"sys.argv = ['', {str(file)!r}, '{limit}']; "
        f"runpy.run_module('bench.delivery.peers.{module}', run_name='__main__')"
    )
    try:
        said: dict[str, float] = run([sys.executable, "-c", inner]).said
    except Failed:
        return None
    return said


if __name__ == "__main__":
    raise SystemExit(main())
