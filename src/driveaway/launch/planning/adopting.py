"""Adopting a proposal: its table is landed, and a fact says what the plan expects."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from driveaway.delivery.demand import local_days
from driveaway.delivery.planning.binding import pool_name
from driveaway.delivery.planning.odds import BANDS
from driveaway.delivery.planning.problem import NO_DAY
from driveaway.facts import Draft
from driveaway.facts.delivery import Binding, DateAtRisk, PlanAdopted, PlannedWeek, TargetOdds
from driveaway.launch.launch import Launch, Outcome
from driveaway.launch.planning.landing import INPUTS, column_of, days_column, land, plans_folder
from driveaway.launch.planning.proposing import HIGH, LOW, MIDDLE, Proposal
from driveaway.values.clock import show

_LOW, _MIDDLE, _HIGH = (BANDS.index(level) for level in (LOW, MIDDLE, HIGH))


def table_of(proposal: Proposal) -> pa.Table:
    """A row for every open order: what it is, its slot, and its dates at each confidence."""
    plan, first = proposal.plan, proposal.plan.supply.first_day
    columns = {
        name: proposal.orders[name]
        for name in ("order_id", "trim", "colour", "edition", "options", "province")
    }
    count = proposal.open
    columns["slot"] = days_column(plan.slot[:count], first)
    # The level that windows are asked at moves with how promises fare; the columns stay the same.
    told = {LOW, MIDDLE, HIGH, *proposal.settings.confidences, *proposal.settings.window}
    for confidence, days in zip(plan.promises.confidences, plan.promises.handed, strict=True):
        if float(confidence) not in told:
            continue
        columns[column_of(float(confidence))] = days_column(days[:count], first)
    return pa.table(columns).replace_schema_metadata({INPUTS: plan.master.mark.hex()})


def body_of(proposal: Proposal, table: str) -> PlanAdopted:
    """What the plan expects, as a fact says it.

    Args:
        proposal: the plan.
        table: digest of its landed table.
    """
    plan = proposal.plan
    first = proposal.day(0)
    assert first is not None
    cleared = int(np.max(plan.promises.handed[proposal.level(MIDDLE), : proposal.open], initial=0))
    cleared_by = None if cleared == NO_DAY else proposal.day(cleared)
    return PlanAdopted(
        as_of=show(proposal.cut.as_of, proposal.zone),
        mark=proposal.cut.mark,
        first_day=first.isoformat(),
        days=plan.supply.days,
        paths=proposal.settings.paths,
        seed=proposal.seed,
        orders=proposal.open,
        unplannable=int((plan.unplannable < proposal.open).sum()),
        table=table,
        cleared_by=None if cleared_by is None else cleared_by.isoformat(),
        weeks=tuple(weeks_of(proposal)),
        odds=tuple(odds_of(proposal)),
        binding=tuple(binding_of(proposal)),
        at_risk=tuple(at_risk_of(proposal)),
    )


def weeks_of(proposal: Proposal) -> Iterator[PlannedWeek]:
    """Cars of each week over all paths."""
    plan = proposal.plan
    built, handed = plan.built.weekly_bands, plan.delivered.weekly_bands
    for week, first in enumerate(plan.calendar.first.tolist()):
        day = proposal.day(first)
        assert day is not None
        yield PlannedWeek(
            first_day=day.isoformat(),
            built_low=round(built[_LOW, week]),
            built=round(built[_MIDDLE, week]),
            built_high=round(built[_HIGH, week]),
            delivered_low=round(handed[_LOW, week]),
            delivered=round(handed[_MIDDLE, week]),
            delivered_high=round(handed[_HIGH, week]),
        )


def odds_of(proposal: Proposal) -> Iterator[TargetOdds]:
    """Odds of each target that ends within the plan."""
    for odds in proposal.plan.odds:
        if odds.share is None or odds.bands is None:
            continue
        low, middle, high = (round(odds.bands[band]) for band in (_LOW, _MIDDLE, _HIGH))
        yield TargetOdds(target=odds.target.name, odds=odds.share, low=low, middle=middle, high=high)


def binding_of(proposal: Proposal) -> Iterator[Binding]:
    """What binds, with what it allows in the week and what is used of it."""
    plan = proposal.plan
    limits = {limit.name: row for row, limit in enumerate(plan.supply.limits)}
    for bound in plan.binding:
        day = proposal.day(int(plan.calendar.first[bound.week]))
        assert day is not None
        amount = used = 0.0
        if bound.kind == "limit":
            row = limits[bound.name]
            amount, used = plan.weekly.allowed[row, bound.week], plan.weekly.used[row, bound.week]
        elif bound.kind == "line":
            pool = next(
                p for p in range(plan.found.pools) if pool_name(plan.supply, plan.found, p) == bound.name
            )
            amount = plan.weekly.output[pool, bound.week]
            used = min(amount, plan.weekly.built[:, bound.week].sum())
        else:
            region = next(r for r, each in enumerate(plan.supply.regions) if each.code == bound.name)
            used = amount = float(plan.weekly.handed[region, bound.week])
        yield Binding(
            limit=bound.name,
            first_day=day.isoformat(),
            amount=round(float(amount), 1),
            used=round(float(used), 1),
            car_days=round(bound.car_days, 1),
        )


def at_risk_of(proposal: Proposal) -> Iterator[DateAtRisk]:
    """Orders handed over after a day that matters, for the dates within the plan's horizon.

    The error of a plan is shared by its orders, so the band takes all of them early or all late.
    """
    plan = proposal.plan
    days = plan.supply.days
    codes = np.array([region.code for region in plan.supply.regions])
    for date in proposal.dates:
        until = date.day - plan.supply.first_day
        if not 0 <= until < days:
            continue
        meant = date.covers[plan.demand.configuration]
        meant[proposal.open :] = False
        if date.regions:
            chosen = np.append(np.isin(codes, date.regions), False)
            meant &= chosen[plan.demand.region]
        locked = local_days(proposal.orders["queued"], proposal.description.zone)
        meant[: proposal.open] &= (locked >= date.locked[0]) & (locked <= date.locked[1])
        low, middle, high = (
            int((plan.promises.handed[proposal.level(level)][meant] > until).sum())
            for level in (LOW, MIDDLE, HIGH)
        )
        day = proposal.day(until)
        assert day is not None
        yield DateAtRisk(
            name=date.name,
            day=day.isoformat(),
            orders=int(meant.sum()),
            after_low=low,
            after=middle,
            after_high=high,
        )


def draft_of(launch: Launch, proposal: Proposal, *, at: int | None = None) -> Draft:
    """The fact that a proposal was adopted; its table is landed.

    Args:
        launch: where.
        proposal: the plan.
        at: when it was adopted; default: the as-of that it was made for.
    """
    digest = land(plans_folder(launch), table_of(proposal))
    body = body_of(proposal, digest)
    happened = proposal.cut.as_of if at is None else at
    subject = f"plan-{body.first_day}-{digest[:8]}"
    source = f"urn:driveaway:plan:{launch.description.launch}/{body.mark}/{digest}"
    return Draft("plan.adopted", subject, happened, body, source, simulated=proposal.simulated)


def adopt(launch: Launch, proposal: Proposal, *, at: int | None = None) -> Outcome:
    """Land a proposal and record that it was adopted; the same proposal again adds nothing."""
    (outcome,) = launch.append([draft_of(launch, proposal, at=at)])
    return outcome
