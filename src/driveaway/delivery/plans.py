"""Figures that read the plan last adopted; unknown where none was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from driveaway.book.view import View
from driveaway.facts import Fact
from driveaway.facts.delivery import PlanAdopted
from driveaway.figures.compute import Ask
from driveaway.figures.figure import figure
from driveaway.figures.measure import Computed, Measure, Unknown
from driveaway.values.clock import local_day

_NONE = "no plan had been adopted by then (driveaway plan --adopt)"
_WEEKS = 4


def last_plan(view: View) -> Fact | None:
    """The plan last adopted in the cut."""
    adopted = view.facts("plan.adopted")
    return adopted[-1] if adopted else None


def _of_plan(view: View, rows_of: Callable[[PlanAdopted], list[dict[str, Any]]]) -> Measure:
    """Some rows of the plan last adopted."""
    fact = last_plan(view)
    if fact is None:
        return Unknown(_NONE)
    assert isinstance(fact.body, PlanAdopted)
    return Computed([{**row, "simulated": fact.simulated} for row in rows_of(fact.body)], note=_note(fact))


def _note(fact: Fact) -> str:
    body = fact.body
    assert isinstance(body, PlanAdopted)
    return (
        f"a forecast from {body.paths:,} simulated paths, plan {fact.subject} (fact {fact.seq}), which"
        f" rests on the book as of {body.as_of} at mark {body.mark}"
    )


@figure(
    "delivery.expected",
    title="Handovers expected by week",
    title_zh="每周预计交付量",
    unit="cars",
    evidence=("plan.adopted",),
    dimensions=("week",),
)
def expected(view: View) -> Measure:
    """Cars that the adopted plan expects to be built and handed over in each week.

    ``value`` is the middle of all simulated paths for handovers, ``low`` and ``high`` their 5th and 95th
    percentile: nine paths in ten lie between them.
    """
    return _of_plan(
        view,
        lambda plan: [
            {
                "week": _week(week.first_day),
                "first_day": week.first_day,
                "value": week.delivered,
                "low": week.delivered_low,
                "high": week.delivered_high,
                "built": week.built,
                "built_low": week.built_low,
                "built_high": week.built_high,
            }
            for week in plan.weeks
        ],
    )


def _week(day: str) -> str:
    year, week, _ = date.fromisoformat(day).isocalendar()
    return f"{year}-W{week:02d}"


@figure(
    "delivery.target_odds",
    title="Odds of each delivery target",
    title_zh="交付目标达成概率",
    unit="share",
    evidence=("plan.adopted",),
    dimensions=("target",),
)
def target_odds(view: View) -> Measure:
    """How likely the adopted plan reaches each target of cars delivered.

    ``value`` is the share of simulated paths that reach it; ``cars_low``, ``cars`` and ``cars_high`` are the
    5th, 50th and 95th percentile of what the target counts, cars delivered before the plan included.
    """
    return _of_plan(
        view,
        lambda plan: [
            {
                "target": odds.target,
                "value": odds.odds,
                "cars_low": odds.low,
                "cars": odds.middle,
                "cars_high": odds.high,
            }
            for odds in plan.odds
        ],
    )


@figure(
    "delivery.binding",
    title="What holds deliveries back",
    title_zh="交付瓶颈",
    unit="days of waiting",
    evidence=("plan.adopted",),
    dimensions=("limit", "week"),
)
def binding(view: View) -> Measure:
    """The limits that hold the adopted plan back, by week, and what one more car of each would spare.

    ``value`` is the dual price of the limit: days of waiting, all orders together, that one more car of
    it in that week would spare. ``amount`` is what the limit allows and ``used`` what the plan uses.
    """
    return _of_plan(
        view,
        lambda plan: [
            {
                "limit": bound.limit,
                "week": _week(bound.first_day),
                "value": bound.car_days,
                "amount": bound.amount,
                "used": bound.used,
            }
            for bound in plan.binding
        ],
    )


@figure(
    "delivery.at_risk_of_date",
    title="Orders at risk of missing a date that matters",
    title_zh="可能错过关键日期的订单",
    unit="orders",
    evidence=("plan.adopted",),
    dimensions=("date",),
)
def at_risk_of_date(view: View) -> Measure:
    """Open orders that the adopted plan hands over after a day that matters to their buyers.

    Such a day ends a subsidy or a tax rule; ``launch.toml`` names it. ``value`` is the middle of all
    simulated paths, ``low`` and ``high`` their 5th and 95th percentile, ``orders`` how many were open.
    """
    fact = last_plan(view)
    if fact is not None and isinstance(fact.body, PlanAdopted) and not fact.body.at_risk:
        end = date.fromisoformat(fact.body.first_day) + timedelta(days=fact.body.days - 1)
        return Unknown(f"no date that launch.toml names lies within the plan, which ends on {end}")
    return _of_plan(
        view,
        lambda plan: [
            {
                "date": risk.name,
                "day": risk.day,
                "value": risk.after,
                "low": risk.after_low,
                "high": risk.after_high,
                "orders": risk.orders,
            }
            for risk in plan.at_risk
        ],
    )


@figure(
    "delivery.backlog_weeks",
    title="Backlog in weeks of output",
    title_zh="积压周数",
    unit="weeks",
    evidence=("plan.adopted", "order.locked"),
)
def backlog_weeks(view: View, *, ask: Ask) -> Measure:
    """Firm orders that wait for their car, over what the adopted plan builds in a week.

    The output is the mean of the middle of the four whole weeks after the as-of; ``low`` and ``high`` take
    the 95th and 5th percentile of output. ``cleared_by`` is the day by which half of all simulated paths
    have handed over every order that was open when the plan was made.
    """
    fact = last_plan(view)
    if fact is None:
        return Unknown(_NONE)
    plan = fact.body
    assert isinstance(plan, PlanAdopted)
    waiting = ask("orders.waiting")
    if waiting.value is None:
        return Unknown(waiting.unknown or "no order waits")
    today = local_day(view.when.as_of, view.zone)
    last = date.fromisoformat(plan.first_day) + timedelta(days=plan.days - 7)
    begins = [(date.fromisoformat(week.first_day), week) for week in plan.weeks]
    weeks = [week for day, week in begins if today < day <= last and day.weekday() == 0][:_WEEKS]
    if len(weeks) < _WEEKS:
        return Unknown(f"the plan has no {_WEEKS} whole weeks after the as-of; adopt a newer one")
    low, middle, high = (
        sum(getattr(week, name) for week in weeks) / len(weeks)
        for name in ("built_high", "built", "built_low")
    )
    if not middle:
        return Unknown("the plan builds nothing in the four weeks after the as-of")
    row = {
        "value": float(waiting.value) / middle,
        "low": float(waiting.value) / low,
        "high": float(waiting.value) / high if high else None,
        "orders": int(waiting.value),
        "cleared_by": plan.cleared_by,
        "simulated": fact.simulated or waiting.simulated,
    }
    return Computed([row], note=_note(fact))


FIGURES = (expected, target_odds, binding, at_risk_of_date, backlog_weeks)
