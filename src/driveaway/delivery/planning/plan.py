"""Plan: slots for all open orders, dates at confidences, odds of targets."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from driveaway.delivery.planning import binding as binds
from driveaway.delivery.planning.binding import Binding
from driveaway.delivery.planning.capacity import (
    Calendar,
    Capacity,
    calendar,
    expected,
    in_whole_cars,
    less_frozen,
)
from driveaway.delivery.planning.checking import check
from driveaway.delivery.planning.explain import Explaining, Explanation, explaining
from driveaway.delivery.planning.future import look
from driveaway.delivery.planning.handover import planned
from driveaway.delivery.planning.odds import Odds, Outlook, Target, odds, outlook
from driveaway.delivery.planning.problem import NO_DAY, Amounts, Configuration, Counts, Demand, Supply
from driveaway.delivery.planning.quantiles import Promises
from driveaway.delivery.planning.queue import Queue, queue
from driveaway.delivery.planning.quotas import Worth, worth
from driveaway.delivery.planning.quote import Quote, Quoting
from driveaway.delivery.planning.repair import Master, room, schedule
from driveaway.delivery.planning.results import (
    Adopted,
    Breaches,
    Weekly,
    breaches,
    count_by_day,
    exceptions,
    previous_by_day,
    weekly,
)
from driveaway.delivery.planning.signatures import (
    LeadGroups,
    Signatures,
    Timing,
    lead_groups,
    ranks,
    signatures,
    timing,
)
from driveaway.delivery.planning.slots import OutOfTurn

CONFIDENCES = (0.5, 0.8, 0.9)
BUCKETS = 12
"""Lock buckets of the program of quotas."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A proposal. Days count from ``supply.first_day``; all arrays over orders are in ``demand``'s order.

    Attributes:
        demand: what was planned.
        supply: with what.
        calendar: its weeks.
        found: signatures.
        groups: lead groups.
        slot: day on which each car is built when all goes as expected; ``NO_DAY`` where not within the
            horizon; negative where it is built already, shape (orders,).
        handed: day on which it is handed over then.
        place: of each order in its signature's queue, 1 is the first; 0 where it is in none.
        signature: of each order, -1 where no line builds it.
        master: how slots were found, with cost, bound and gap.
        weekly: cars by week.
        binding: what binds in which week, and its worth.
        promises: dates of each order at the confidences.
        built: distribution of cars built.
        delivered: distribution of cars handed over.
        odds: of each target.
        out_of_turn: who did not get the slot of their turn, and why.
        breaches: promises that are missed.
        unplannable: orders whose configuration no line builds; they stop nobody else.
        overfull: cars with frozen slots that exceed what can be built, by signature and day; they keep
            their slots, shape (signatures, days).
        unknown_regions: orders without a region, dated with the mixture of all.
    """

    demand: Demand
    supply: Supply
    calendar: Calendar
    found: Signatures
    groups: LeadGroups
    slot: Counts
    handed: Counts
    place: Counts
    signature: Counts
    master: Master
    weekly: Weekly
    binding: list[Binding]
    promises: Promises
    built: Outlook
    delivered: Outlook
    odds: list[Odds]
    out_of_turn: OutOfTurn
    breaches: Breaches
    unplannable: Counts
    overfull: Counts
    unknown_regions: int
    quoting: Quoting
    explaining: Explaining

    def quote(
        self, configuration: Configuration | int, region: str | None = None, priority: int | None = None
    ) -> Quote:
        """Dates for a buyer who has not ordered; see ``Quoting.quote``."""
        return self.quoting.quote(configuration, region, priority)

    def explain(self, order: int) -> Explanation:
        """Why the order at an index is built when it is."""
        if self.place[order] == 0:
            return Explanation(int(self.slot[order]), int(self.handed[order]), (), 0, 0)
        return self.explaining.explain(
            int(self.signature[order]), int(self.slot[order]), int(self.handed[order]), int(self.place[order])
        )

    def adopted(self) -> Adopted:
        """What a later plan needs to move few."""
        demand = self.demand
        return Adopted(
            self.supply.first_day, demand.configurations, demand.configuration, self.slot, self.master.mark
        )


def make_plan(
    demand: Demand,
    supply: Supply,
    *,
    confidences: Sequence[float] = CONFIDENCES,
    paths: int = 1_000,
    seed: int = 1,
    targets: Sequence[Target] = (),
    previous: Plan | Adopted | None = None,
    factors: Amounts | None = None,
    buckets: int = BUCKETS,
    seconds: float = 5.0,
) -> Plan:
    """Plan all open orders.

    Args:
        demand: the open orders. ``slot`` below 0: the car was built so many days before day 0 and only
            its lead time is left.
        supply: what can be built, carried and handed over.
        confidences: of the promises.
        paths: of the future.
        seed: of the draws; the same seed draws the same for the same names.
        targets: whose odds are asked.
        previous: an earlier plan, to move few.
        factors: of all lines' output on each path and day, shape (paths, days); None: 1.
        buckets: lock buckets of the program of quotas.
        seconds: time limit of each search for whole cars.

    Raises:
        BadValue: see ``check``.
        Unavailable: the solver found no quotas within its time.
    """
    check(demand, supply)
    found, groups, cal = signatures(demand, supply), lead_groups(demand, supply), calendar(supply)
    times = timing(demand, supply, groups)
    order, rank = ranks(demand)
    signature = found.of[demand.configuration] if len(demand) else np.zeros(0, np.int64)
    done = demand.slot < 0
    frozen = (signature >= 0) & ~done & (demand.slot < cal.days)
    waiting = (signature >= 0) & ~done & ~frozen

    total = expected(supply, found, cal)
    capacity = in_whole_cars(total, supply, cal)
    fixed = count_by_day(signature[frozen], demand.slot[frozen], len(found), cal.days)
    left, _, over = less_frozen(capacity, found, fixed)
    due = np.where((demand.committed < cal.days) & (times.due < cal.days), times.due, NO_DAY)
    line = queue(waiting, order, signature, times.release, due, demand.priority, len(found), buckets)
    kept = previous.adopted() if isinstance(previous, Plan) else previous
    before = None if kept is None else previous_by_day(kept, demand, supply, found, fixed)
    mark = kept.mark if kept is not None and kept.first_day == supply.first_day else b""
    with ThreadPoolExecutor(1) as beside:
        # What binds is priced beside all else: the solver does not hold Python's lock.
        prices = beside.submit(_prices, line, left, found, cal)
        master = schedule(line, left, found, cal, before, mark, seconds)
        slot = np.full(len(demand), NO_DAY, np.int64)
        slot[done | frozen] = demand.slot[done | frozen]
        slot[line.orders] = master.slot
        handed = planned(demand, supply, groups, times, slot, rank)
        future = look(
            demand, supply, cal, found, groups, times, master.prefer, total, slot, signature, order, rank,
            np.array(confidences, np.float64), paths, seed, factors,
        )  # fmt: skip
    by_day = fixed + master.built
    return Plan(
        demand=demand,
        supply=supply,
        calendar=cal,
        found=found,
        groups=groups,
        slot=slot,
        handed=handed,
        place=future.place,
        signature=signature,
        master=master,
        weekly=weekly(demand, supply, cal, found, slot, handed, by_day, capacity),
        binding=_binding(demand, supply, cal, found, groups, times, slot, handed, prices.result()),
        promises=future.promises,
        built=outlook(future.built, cal),
        delivered=outlook(future.handed, cal),
        odds=[odds(target, future.built, future.handed) for target in targets],
        out_of_turn=exceptions(demand, times, slot, order, signature, frozen),
        breaches=breaches(demand, handed, cal.days),
        unplannable=np.flatnonzero((signature < 0) & ~done),
        overfull=over,
        unknown_regions=int((demand.region < 0).sum()),
        quoting=future.quoting,
        explaining=explaining(supply, found, capacity, by_day, slot),
    )


def _prices(line: Queue, left: Capacity, found: Signatures, cal: Calendar) -> Worth | None:
    """What one more unit of everything is worth; None where nobody waits."""
    if not len(line):
        return None
    count = np.diff(line.start).astype(np.float64)
    return worth(count, room(line, left, found, cal), found)


def _binding(
    demand: Demand,
    supply: Supply,
    cal: Calendar,
    found: Signatures,
    groups: LeadGroups,
    times: Timing,
    slot: Counts,
    handed: Counts,
    prices: Worth | None,
) -> list[Binding]:
    listed = [] if prices is None else binds.binding(supply, found, prices)
    if (groups.limited >= 0).any():
        built = slot != NO_DAY
        arrival = np.where(built, np.where(built, slot, 0) + groups.days[times.group], NO_DAY)
        arrival = np.maximum(np.maximum(arrival, demand.ready), 0)
        listed += binds.handover_binding(supply, groups, times.group, arrival, handed, cal)
    return listed
