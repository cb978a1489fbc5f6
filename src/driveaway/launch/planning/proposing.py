"""A proposal: the plan of all open firm orders as of a date, from the book and the description."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from msgspec.structs import replace as with_attributes

from driveaway.book.view import View
from driveaway.delivery.demand import configurations_of, demand_of, local_days, with_arrivals
from driveaway.delivery.kept.learned import Level, learned_level
from driveaway.delivery.planning.odds import Target
from driveaway.delivery.planning.plan import Plan, make_plan
from driveaway.delivery.planning.problem import NO_DAY, Amounts, Configuration, Supply
from driveaway.delivery.plans import last_plan
from driveaway.delivery.supply import (
    DateInTime,
    Notes,
    cancellations,
    dates,
    plan_settings,
    priorities,
    region_codes,
    supply,
)
from driveaway.delivery.supply.reading import day_of, number_of
from driveaway.facts.description import Description
from driveaway.facts.planning import Planning
from driveaway.launch.launch import Cut, Launch
from driveaway.launch.planning import ramping
from driveaway.launch.planning.landing import Landed, landed
from driveaway.orders.open import open_orders
from driveaway.values.clock import local_day, parse_day
from driveaway.values.errors import BadValue, Refused

LOW, MIDDLE, HIGH = 0.05, 0.5, 0.95
"""Confidences of the bands that every plan is told with."""
_COUNTED = {"cars.delivered": "handed", "cars.built": "built"}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A plan with what it rests on.

    Attributes:
        cut: the book that it was made from.
        description: the launch as described, or as it would be in a what-if.
        settings: how it was made.
        orders: the open firm orders, as ``orders.open`` gives them, in the order of the plan's demand, where
            orders that are still to come follow them.
        plan: the plan itself.
        dates: days that matter to buyers.
        problems: what of the description made no sense and how the plan went on.
        simulated: whether any order that it serves is simulated.
        seed: of its draws.
        previous: the plan adopted before it, None where there is none.
        asked: the level of the windows' last days, learned from how past promises fared.
    """

    cut: Cut
    description: Description
    settings: Planning
    orders: pa.Table
    plan: Plan
    dates: tuple[DateInTime, ...]
    problems: tuple[BadValue, ...]
    simulated: bool
    seed: int
    previous: Landed | None
    asked: Level

    @property
    def zone(self) -> ZoneInfo:
        """Of its days."""
        return self.cut.view.zone

    def day(self, number: int) -> date | None:
        """A day of the horizon as a date; None where it is not within it."""
        if number == NO_DAY:
            return None
        return day_of(int(number) + self.plan.supply.first_day)

    @property
    def open(self) -> int:
        """How many orders are open; those still to come stand behind them in the plan's arrays."""
        return int(self.orders.num_rows)

    def level(self, confidence: float) -> int:
        """Row of a confidence in the plan's promises."""
        return int(np.abs(self.plan.promises.confidences - confidence).argmin())


def propose(
    launch: Launch,
    cut: Cut,
    *,
    description: Description | None = None,
    seed: int = 1,
    paths: int | None = None,
    stable: bool = True,
) -> Proposal:
    """Plan every open firm order in a cut.

    Args:
        launch: the launch, whose landed plans are read.
        cut: the book as of a date.
        description: another description than the one that held, in a what-if.
        seed: of the draws; the same seed draws the same futures.
        paths: simulated futures; None: as ``launch.toml`` says.
        stable: keep to the plan adopted before, where nothing speaks against it.

    Raises:
        BadValue: the horizon makes no sense.
        Refused: nothing can be planned: no firm order waits, or no line builds anything.
    """
    view = cut.view
    described = cut.description if description is None else description
    notes = Notes()
    settings = plan_settings(described, notes)
    settings = with_attributes(settings, paths=paths or settings.paths)
    first_day = number_of(local_day(view.when.as_of + 1, view.zone))
    days = 7 * settings.horizon_weeks
    orders = open_orders(view)
    if not orders.num_rows:
        raise Refused(
            "no firm order waits for its car by then",
            code="delivery.no_orders",
            remedy="choose a later as-of, or record reservations and locks first",
        )
    ordered, row = configurations_of(orders)
    configurations = (*ordered, *(c for c in offered(described) if c not in set(ordered)))
    codes = region_codes(described)
    modelled = supply(described, configurations, first_day, days, codes)
    previous = _previous(launch, view) if stable else None
    demand = demand_of(
        orders,
        configurations,
        row,
        regions=codes,
        first_day=first_day,
        ranks=priorities(described, configurations, notes),
        cancels=cancellations(described, notes),
        lock_days=local_days(orders["queued"], described.zone),
        built_days=local_days(orders["built"], described.zone),
        frozen={} if previous is None else previous.frozen(first_day, settings.frozen_days),
    )
    ranks = demand.priority.max(initial=0)
    arrivals = settings.arrivals_per_day * settings.scale
    demand = with_arrivals(demand, arrivals, first_day, days, int(ranks), seed)
    used, factors = _ramped(cut, described, settings, modelled.supply, seed)
    asked = _asked(view, settings, first_day)
    levels = sorted({LOW, MIDDLE, HIGH, *settings.confidences, *settings.window, asked.used})
    plan = make_plan(
        demand,
        used,
        confidences=levels,
        paths=settings.paths,
        seed=seed,
        targets=list(_targets(cut, described, first_day, changed=description is not None)),
        previous=None if previous is None else previous.adopted,
        factors=factors,
    )
    return Proposal(
        cut=cut,
        description=described,
        settings=settings,
        orders=orders,
        plan=plan,
        dates=dates(described, configurations, notes),
        problems=(*modelled.problems, *notes.problems),
        simulated=any(orders["simulated"].to_pylist()),
        seed=seed,
        previous=previous,
        asked=asked,
    )


def offered(description: Description) -> Sequence[Configuration]:
    """Every configuration that a new buyer may ask for, without options."""
    trims = [trim.name for trim in description.trims]
    return [Configuration(trim, colour) for trim, colour in product(trims, (None, *description.colours))]


def _asked(view: View, settings: Planning, first_day: int) -> Level:
    """The level of windows' last days; never below that of their first days."""
    low, high = settings.window
    level = learned_level(view, high, first_day)
    return replace(level, used=max(level.used, low))


def _previous(launch: Launch, view: View) -> Landed | None:
    fact = last_plan(view)
    return None if fact is None else landed(launch, fact)


def _ramped(
    cut: Cut, description: Description, settings: Planning, known: Supply, seed: int
) -> tuple[Supply, Amounts | None]:
    """The supply, and the factors of its output on each path where the ramp is learned from peers."""
    if settings.ramp != "peers":
        return known, None
    return ramping.from_peers(cut, description, settings, known, seed)


def _targets(cut: Cut, description: Description, first_day: int, *, changed: bool) -> Iterator[Target]:
    """Targets of cars built or handed over, with what was reached before the plan's first day."""
    answer = cut.figure("targets.progress")
    amounts = {target.name: target.amount for target in description.targets} if changed else {}
    for row in answer.rows or ():
        measure = _COUNTED.get(row["measure"])
        if measure is None or row["role"] is not None:
            continue
        yield Target(
            name=row["target"],
            measure=measure,  # type: ignore[arg-type]
            from_day=number_of(parse_day(row["from_day"])) - first_day,
            until_day=number_of(parse_day(row["until_day"])) - first_day,
            amount=amounts.get(row["target"], row["amount"]),
            strictly=row["qualifier"] == "more than",
            already=int(row["value"] or 0),
        )
