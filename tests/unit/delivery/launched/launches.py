"""Simulated launches whose true course is hidden from the plan, and which of its promises they keep.

The order book is the demo's, at a hundredth of its size. The plan is made from it as
``launch.planning.proposing`` makes it. The truth is told by another program: it takes the description as
data and builds order by order, in plain Python. The one thing both share is the prior of ramps (whether
*it* is right is told by real launches, see ``bench.delivery.ramp``): the true ramp is one more path drawn
from it, with another seed.

Launches are a stratified sample: each of N draws its ramp from another of N equally likely slices of what
is possible, from the slowest to the fastest. The average over launches is that of independent ones, with
less luck in it; the spread over launches is theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import pyarrow as pa

from driveaway.delivery.demand import configurations_of, demand_of, local_days, with_arrivals
from driveaway.delivery.planning.plan import Plan, make_plan
from driveaway.delivery.planning.problem import NO_DAY, Amounts, Demand, Supply
from driveaway.delivery.ramp.forecasting import StatedRate, forecast
from driveaway.delivery.ramp.record import Record
from driveaway.delivery.supply import Notes, cancellations, plan_settings, priorities, region_codes, supply
from driveaway.delivery.supply.reading import number_of
from driveaway.demo.scaling import launch_text
from driveaway.demo.simulation import simulate
from driveaway.facts.description import Description, read_description
from driveaway.launch.planning.proposing import offered
from driveaway.values.clock import local_day, parse_as_of, parse_day, zone

SCALE = 0.01
AS_OF = date(2024, 4, 24)
LEVELS = (0.5, 0.8, 0.9)
GRID = tuple(np.arange(0.025, 1.0, 0.05).round(3).tolist())
"""Confidences from which the mean and the deviation of an order's forecast are read."""
PATHS = 400
TRUE_DAYS = 728
"""The truth goes on for two years, so that it is known of every promise whether it is kept."""
_TRUTHS = 200
_DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Course:
    """What truly happens; arrays over the plan's demand.

    Attributes:
        output: of the line on each day, cars, shape (days,).
        built: day on which each car is built; infinite where it never is.
        handed: day on which it is handed over.
        called_off: day on which its buyer called off; infinite where nobody did.
    """

    output: Amounts
    built: Amounts
    handed: Amounts
    called_off: Amounts


@dataclass(frozen=True)
class Launch:
    """A plan, and what came of it. Arrays over the open orders; days count from the day after the as-of.

    Attributes:
        plan: with promises at ``LEVELS`` and ``GRID``.
        open: how many orders are open; orders to come stand behind them in the plan's arrays.
        promised: day at each of ``LEVELS``; infinite where it lies beyond the plan, shape (levels, open).
        grid: day at each of ``GRID``, shape (grid, open).
        naive: day by "weeks by trim", shape (open,).
        actual: true day of the handover, infinite where the order was called off.
        called_off: day on which it was; infinite where it was not.
        course: the truth, with orders to come.
    """

    plan: Plan
    open: int
    promised: Amounts
    grid: Amounts
    naive: Amounts
    actual: Amounts
    called_off: Amounts
    course: Course


@cache
def described() -> Description:
    """The packaged launch at the small scale."""
    return read_description(launch_text("su7", SCALE))


def order_book(seed: int) -> tuple[pa.Table, list[tuple[date, int]]]:
    """Open firm orders as of ``AS_OF``, as ``open_orders`` tells them, and cars handed over by each day."""
    description = described()
    tz = zone(description.zone)
    orders: dict[str, dict[str, object]] = {}
    pegged: dict[str, str] = {}
    built: dict[str, int] = {}
    handed: dict[date, int] = {}
    for draft in simulate(description, seed=seed, scale=SCALE, until=parse_as_of(str(AS_OF), tz)):
        subject, body = draft.subject, draft.body
        if draft.kind == "order.locked":
            row = {name: getattr(body, name) for name in ("trim", "colour", "province", "edition")}
            orders[subject] = {**row, "order_id": subject, "queued": draft.happened}
        elif draft.kind == "order.changed" and subject in orders:
            orders[subject] |= {"trim": body.trim, "colour": body.colour}
            if body.requeues:
                orders[subject]["queued"] = draft.happened
        elif draft.kind == "order.cancelled":
            orders.pop(subject, None)
        elif draft.kind == "car.built":
            built[subject] = draft.happened
        elif draft.kind == "car.pegged":
            pegged[body.order] = subject
        elif draft.kind == "car.unpegged" and pegged.get(body.order) == subject:
            del pegged[body.order]
        elif draft.kind == "order.handed_over":
            del orders[subject]
            day = local_day(draft.happened, tz)
            handed[day] = handed.get(day, 0) + 1
    rows = sorted(orders.values(), key=lambda row: (row["queued"], row["order_id"]))
    for row in rows:
        row["built"] = built.get(pegged.get(str(row["order_id"]), ""))
    table = pa.Table.from_pylist(
        rows,
        pa.schema(
            [(name, pa.string()) for name in ("order_id", "trim", "colour", "edition", "province")]
            + [(name, pa.int64()) for name in ("queued", "built")]
        ),
    )
    for name in ("ready_day", "promised_last"):
        table = table.append_column(name, pa.nulls(len(rows), pa.string()))
    table = table.append_column("options", pa.array([""] * len(rows)))
    table = table.append_column("rank", pa.nulls(len(rows), pa.int64()))
    return table, [(day, sum(handed[d] for d in handed if d <= day)) for day in sorted(handed)]


def problem(seed: int) -> tuple[Demand, Supply, int, Record]:
    """Demand, supply, how many orders are open, and the record at the size of the real launch."""
    description = described()
    settings = plan_settings(description, Notes())
    first_day = number_of(AS_OF + timedelta(1))
    orders, handed = order_book(seed)
    ordered, row = configurations_of(orders)
    configurations = (*ordered, *(c for c in offered(description) if c not in set(ordered)))
    codes = region_codes(description)
    days = 7 * settings.horizon_weeks
    demand = demand_of(
        orders,
        configurations,
        row,
        regions=codes,
        first_day=first_day,
        ranks=priorities(description, configurations, Notes()),
        cancels=cancellations(description, Notes()),
        lock_days=local_days(orders["queued"], description.zone),
        built_days=local_days(orders["built"], description.zone),
        frozen={},
    )
    arrivals = settings.arrivals_per_day * settings.scale
    last = int(demand.priority.max())
    record = Record(handed[0][0], tuple((day, round(count / SCALE)) for day, count in handed))
    return (
        with_arrivals(demand, arrivals, first_day, days, last, seed),
        supply(description, configurations, first_day, days, codes).supply,
        len(orders),
        record,
    )


def ramp(record: Record, known: Supply, waiting: int, paths: int, seed: int) -> Amounts:
    """Factors of the lines' output on paths drawn from the prior, shape (paths, days)."""
    (plant,) = described().plants
    stated = StatedRate(parse_day(plant.daily_output_on), plant.daily_output / SCALE)
    capacity = np.sum([line.output for line in known.lines], axis=0) / SCALE
    return forecast(
        record, capacity, as_of=AS_OF, open_orders=waiting / SCALE, paths=paths, seed=seed, stated=stated
    ).factors()


def planned(
    seed: int, paths: int, levels: Sequence[float], *, ramp_known: bool = False
) -> tuple[Plan, int, Record]:
    """The plan, made as ``propose`` makes it from a book; ``ramp_known``: as if its ramp were no question."""
    demand, known, waiting, record = problem(seed)
    factors = None if ramp_known else ramp(record, known, waiting, paths, seed)
    lines = tuple(replace(line, ramp_spread=0.0) for line in known.lines)
    plan = make_plan(
        demand,
        replace(known, lines=lines),
        confidences=levels,
        paths=paths,
        seed=seed,
        factors=factors,
    )
    return plan, waiting, record


def launch(seed: int, at: float, paths: int = PATHS, *, ramp_known: bool = False) -> Launch:
    """Plan a launch, then let it take its course.

    Args:
        seed: of its order book and its plan; its truth is drawn from another stream.
        at: where among the possible courses its ramp lies, 0 (the slowest) to 1.
        paths: of the plan.
        ramp_known: the plan takes the ramp as it expects it to be, the truth does not.
    """
    levels = sorted({*LEVELS, *GRID})
    plan, waiting, record = planned(seed, paths, levels, ramp_known=ramp_known)
    handed = plan.promises.handed[:, :waiting]
    days = np.where(handed == NO_DAY, np.inf, handed)
    course = truth(plan, waiting, record, np.random.default_rng([seed, 2]), at)
    return Launch(
        plan=plan,
        open=waiting,
        promised=days[[levels.index(level) for level in LEVELS]],
        grid=days[[levels.index(level) for level in GRID]],
        naive=weeks_by_trim(plan, waiting),
        actual=course.handed[:waiting],
        called_off=course.called_off[:waiting],
        course=course,
    )


def launches(count: int, *, ramp_known: bool = False) -> Iterator[Launch]:
    """So many launches, seeds from 1, one from each slice of what is possible."""
    random = np.random.default_rng(count)
    places = (random.permutation(count) + random.random(count)) / count
    for nth, at in enumerate(places.tolist()):
        yield launch(nth + 1, at, ramp_known=ramp_known)


def weeks_by_trim(plan: Plan, waiting: int) -> Amounts:
    """One figure of weeks for everybody who waits for a trim, as sellers quote it.

    Orders that wait for the trim ÷ its share of the stated weekly output, or what its scarcest part allows.
    """
    (plant,) = described().plants
    trims = np.array([car.trim for car in plan.demand.configurations])[plan.demand.configuration[:waiting]]
    days = np.zeros(waiting)
    for trim in np.unique(trims):
        share = float((trims == trim).mean())
        row = next(nth for nth, car in enumerate(plan.demand.configurations) if car.trim == trim)
        allowed = [limit.amount[0] for limit in plan.supply.limits if limit.covers[row] and limit.amount[0]]
        weekly = 7 * min(share * plant.daily_output, *allowed, 1e9)
        days[trims == trim] = 7 * np.ceil((trims == trim).sum() / weekly)
    return days


def truth(plan: Plan, waiting: int, record: Record, random: np.random.Generator, at: float) -> Course:
    """Let the launch take its course."""
    demand = plan.demand
    known = supply(
        described(), demand.configurations, plan.supply.first_day, TRUE_DAYS, region_codes(described())
    ).supply
    (line,) = known.lines
    factors = ramp(record, known, waiting, _TRUTHS, int(random.integers(2**31, 2**32)))
    # Slowest first, by the mean day on which the open orders could be built.
    by_speed = np.argsort(np.minimum(np.cumsum(factors * line.output, axis=1), waiting).sum(axis=1))
    output = line.output * factors[by_speed[int(at * _TRUTHS)]] * _wavering(line.spread, known, random)
    called_off = _called_off(demand, random)
    built = _build(plan, known, output, called_off, random)
    called_off[built <= called_off] = np.inf
    ways = zip(demand.region.tolist(), built.tolist(), strict=True)
    handed = np.array([_handed(known, region, day, random) for region, day in ways])
    return Course(output, built, handed, called_off)


def _wavering(spread: float, known: Supply, random: np.random.Generator) -> Amounts:
    """A factor for each calendar week, on each of its days."""
    weeks = (known.first_day + np.arange(TRUE_DAYS) + 3) // 7
    weeks -= weeks[0]
    return np.exp(spread * random.standard_normal(weeks[-1] + 1) - spread**2 / 2)[weeks]


def _called_off(demand: Demand, random: np.random.Generator) -> Amounts:
    """Day on which each buyer loses patience, if the car is not built before."""
    first = int(demand.locked.min() // _DAY_US)
    out = np.full(len(demand), np.inf)
    hazard = -np.log1p(-demand.cancels[np.minimum(np.arange(TRUE_DAYS + 400), len(demand.cancels) - 1)])
    until = np.concatenate([[0.0], np.cumsum(hazard)])
    start = number_of(AS_OF + timedelta(1))
    assert first > start - 400
    for nth, instant in enumerate(demand.locked.tolist()):
        age = start - instant // _DAY_US
        held = max(age, 0)
        day = int(np.searchsorted(until, until[held] + random.exponential())) - 1 - held + max(-age, 0)
        if day < TRUE_DAYS:
            out[nth] = day
    return out


def _build(
    plan: Plan, known: Supply, output: Amounts, called_off: Amounts, random: np.random.Generator
) -> Amounts:
    """Build in the order of the plan's slots: whoever can be built now is. A car may take two days."""
    demand = plan.demand
    assert {limit.period for limit in known.limits} == {"day"}
    allowed = [(limit.amount * _wavering(limit.spread, known, random)).tolist() for limit in known.limits]
    uses = [
        [nth for nth, limit in enumerate(known.limits) if limit.covers[kind]]
        for kind in range(len(demand.configurations))
    ]
    kinds = demand.configuration.tolist()
    locked = (demand.locked // _DAY_US - known.first_day).tolist()
    built = np.where(demand.slot < 0, demand.slot, np.inf).astype(float)
    turn = sorted(
        np.flatnonzero(demand.slot == NO_DAY).tolist(),
        key=lambda order: (plan.slot[order], demand.priority[order], demand.locked[order]),
    )
    left = dict.fromkeys(turn, 1.0)
    for day in range(TRUE_DAYS):
        spare, rest = float(output[day]), [limit[day] for limit in allowed]
        for order in list(left):
            if spare <= 1e-9:
                break
            if called_off[order] < day:
                del left[order]
            elif locked[order] <= day:
                part = min([left[order], spare, *(rest[limit] for limit in uses[kinds[order]])])
                spare -= part
                for limit in uses[kinds[order]]:
                    rest[limit] -= part
                left[order] -= part
                if left[order] <= 1e-9:
                    built[order] = day
                    del left[order]
    return built


def _handed(known: Supply, region: int, built: float, random: np.random.Generator) -> float:
    """Day built and the days to a region; of a car that is on its way, those that are still possible."""
    if built == np.inf:
        return np.inf
    assert region >= 0
    least = max(0, int(-built))
    chances = np.cumsum(known.regions[region].lead)
    if len(chances) <= least:
        return 0.0
    passed = chances[least - 1] if least else 0.0
    lead = int(np.searchsorted(chances, passed + random.random() * (1 - passed)))
    return built + min(lead, len(chances) - 1)
