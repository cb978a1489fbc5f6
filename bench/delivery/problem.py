"""Open orders and supply of a given size, made up to measure: ``python -m bench.delivery.problem N FILE``.

54 configurations (3 trims × 9 colours × with or without LiDAR), two lines (the second cannot build one
trim and begins later), six limits (by day, by week and by arrivals), 31 regions, 52 weeks. Lines build
about 80% of the orders within the horizon.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np

from driveaway.delivery.planning.problem import NO_DAY, Configuration, Demand, Limit, Line, Region, Supply

FIRST = 19_837  # a Wednesday
WEEKS, REGIONS = 52, 31
_MICROSECONDS = 1_000_000
_DAY = 86_400


def problem(size: int, seed: int = 1) -> tuple[Demand, Supply]:
    """So many open orders, and lines and limits in proportion."""
    random = np.random.default_rng(seed)
    configurations = tuple(
        Configuration(trim, f"colour{colour}", None, ("lidar",) if lidar else ())
        for trim in ("standard", "pro", "max")
        for colour in range(9)
        for lidar in (False, True)
    )
    trim = np.repeat(np.arange(3), 18)
    colour = np.tile(np.repeat(np.arange(9), 2), 3)
    lidar = np.tile([False, True], 27)
    days = WEEKS * 7
    daily = 0.97 * size / (days * 6 / 7)
    day = np.arange(days)
    works = (FIRST + day + 3) % 7 != 6
    ramp = np.minimum(1.0, 0.4 + 0.6 * day / 120)

    def limit(name: str, covers: np.ndarray, period: str, share: float, spread: float = 0.0) -> Limit:
        each = daily * share * (6 if period == "week" else 1)
        return Limit(name, covers, period, np.full(days, each), spread)  # type: ignore[arg-type]

    lines = (
        Line("plant/1", np.ones(54, bool), np.where(works, 0.6 * daily * ramp, 0.0), 0.1, 0.15),
        Line("plant/2", trim < 2, np.where(works & (day > 100), 0.6 * daily, 0.0), 0.1, 0.15),
    )
    limits = (
        limit("lidar", lidar, "week", 0.40, 0.1),
        limit("battery 101 kWh", trim == 2, "week", 0.25, 0.1),
        limit("max", trim == 2, "day", 0.28),
        limit("green", colour == 3, "day", 0.08),
        limit("wheels", (colour < 3) & (trim > 0), "arrivals", 0.20, 0.1),
        limit("seat", trim == 1, "week", 0.50, 0.05),
    )
    regions = []
    for nth in range(REGIONS):
        lead = np.arange(40.0)
        chance = np.exp(-0.5 * ((lead - 4 - nth % 12) / (1 + nth / 20)) ** 2) * (lead > 1)
        regions.append(Region(f"{110_000 + nth}", chance / chance.sum()))
    weight = random.random(54) + 0.2
    none = np.full(size, NO_DAY)
    demand = Demand(
        order_ids=np.char.add("O-", np.char.zfill(random.permutation(size).astype(str), 10)),
        locked=((FIRST - 30) * _DAY + random.integers(0, 28 * _DAY, size)) * _MICROSECONDS,
        priority=(random.random(size) > 0.05).astype(np.int64),
        configuration=random.choice(54, size, p=weight / weight.sum()),
        region=random.integers(0, REGIONS, size),
        configurations=configurations,
        committed=none,
        slot=none,
        ready=np.zeros(size, np.int64),
        cancels=np.full(30, 0.0005),
    )
    return demand, Supply(FIRST, days, lines, limits, tuple(regions), np.full(days, 0.01))


def next_day(demand: Demand, supply: Supply, slot: np.ndarray) -> tuple[Demand, Supply]:
    """A day later: its cars are built, 0.3% of the orders have cancelled, slots of a week are frozen."""
    random = np.random.default_rng(2)
    left = np.flatnonzero((slot > 0) & (random.random(len(slot)) >= 0.003))
    planned = slot[left]
    planned = np.where(planned == NO_DAY, NO_DAY, planned - 1)
    rows = {
        name: getattr(demand, name)[left]
        for name in ("order_ids", "locked", "priority", "configuration", "region", "committed", "ready")
    }
    later = replace(demand, slot=np.where(planned < 7, planned, NO_DAY), **rows)
    tomorrow = Supply(
        supply.first_day + 1,
        supply.days - 1,
        tuple(replace(line, output=line.output[1:].copy()) for line in supply.lines),
        tuple(replace(limit, amount=limit.amount[1:].copy()) for limit in supply.limits),
        supply.regions,
        None if supply.stops is None else supply.stops[1:].copy(),
    )
    return later, tomorrow


def write(size: int, file: str) -> None:
    """Write the problem as arrays that peers read, with the capacities that the planner reckons with."""
    from driveaway.delivery.planning.capacity import calendar, expected, in_whole_cars
    from driveaway.delivery.planning.plan import BUCKETS
    from driveaway.delivery.planning.queue import queue
    from driveaway.delivery.planning.repair import room
    from driveaway.delivery.planning.signatures import lead_groups, ranks, signatures, timing

    demand, supply = problem(size)
    found, cal = signatures(demand, supply), calendar(supply)
    times = timing(demand, supply, lead_groups(demand, supply))
    order, _ = ranks(demand)
    signature = found.of[demand.configuration]
    everybody = np.ones(size, bool)
    line = queue(everybody, order, signature, times.release, times.due, demand.priority, len(found), BUCKETS)
    capacity = in_whole_cars(expected(supply, found, cal), supply, cal)
    weekly = room(line, capacity, found, cal)
    np.savez(
        file,
        rank=line.rank,
        weight=line.weight,
        signature=line.signature,
        builds=found.builds,
        uses=found.uses,
        pools=weekly.pools,
        limits=weekly.limits,
        kept=weekly.kept,
        week=cal.week,
        daily_pools=capacity.pools,
        daily_limits=capacity.limits,
        fresh=capacity.fresh,
    )


if __name__ == "__main__":
    write(int(sys.argv[1]), sys.argv[2])
