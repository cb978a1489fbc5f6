"""Proposals, promises and comparisons as plain data, for every door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from driveaway.catalogue import figure_named
from driveaway.delivery.kept.learned import LEAST, Level
from driveaway.delivery.planning.odds import BANDS
from driveaway.delivery.planning.problem import NO_DAY
from driveaway.delivery.supply import NOT_LIMITED
from driveaway.delivery.whatif import sentence, show, toml
from driveaway.facts.delivery import PlanAdopted
from driveaway.figures.answer import Answer
from driveaway.launch.planning.adopting import body_of
from driveaway.launch.planning.comparing import Comparison
from driveaway.launch.planning.landing import Landed
from driveaway.launch.planning.promising import Estimate, Quoted, Window
from driveaway.launch.planning.proposing import HIGH, LOW, MIDDLE, Proposal
from driveaway.values.clock import show as show_time


def of_proposal(proposal: Proposal) -> dict[str, Any]:
    """What a proposal expects: odds, weeks by trim, limit and region, what binds, what is not planned."""
    body = body_of(proposal, "")
    return {
        **of_plan(body),
        "simulated": proposal.simulated,
        "lp_gap": proposal.plan.master.gap,
        "targets": [_odds(proposal, row) for row in range(len(proposal.plan.odds))],
        "by_day": _by_day(proposal),
        "by_trim": _by_trim(proposal),
        "limits": _limits(proposal),
        "by_region": _by_region(proposal),
        "promise_level": of_level(proposal.asked),
        "problems": [str(problem) for problem in proposal.problems],
        "breaches": _breaches(proposal),
        "out_of_turn": _out_of_turn(proposal),
        "exceptions": _exceptions(proposal),
        "unplannable": [str(proposal.plan.demand.order_ids[row]) for row in proposal.plan.unplannable[:20]],
    }


def as_answer(proposal: Proposal) -> Answer:
    """What ``delivery.expected`` will answer once the proposal is adopted."""
    definition = figure_named("delivery.expected")
    rows = [
        _plain(week) | {"value": week.delivered, "low": week.delivered_low, "high": week.delivered_high}
        for week in body_of(proposal, "").weeks
    ]
    return Answer(
        name=definition.name,
        title=definition.title,
        unit=definition.unit,
        as_of=show_time(proposal.cut.as_of, proposal.zone),
        mark=proposal.cut.mark,
        definition=definition.version,
        rows=rows,
        simulated=proposal.simulated,
    )


def of_plan(body: PlanAdopted) -> dict[str, Any]:
    """What an adopted plan expects, as its fact says it."""
    return {
        "as_of": body.as_of,
        "mark": body.mark,
        "first_day": body.first_day,
        "days": body.days,
        "paths": body.paths,
        "seed": body.seed,
        "orders": body.orders,
        "unplannable_orders": body.unplannable,
        "cleared_by": body.cleared_by,
        "odds": [_plain(odds) for odds in body.odds],
        "weeks": [_plain(week) for week in body.weeks],
        "binding": [_plain(bound) for bound in body.binding],
        "at_risk_of_date": [_plain(risk) for risk in body.at_risk],
    }


def _plain(part: Any) -> dict[str, Any]:
    return {name: getattr(part, name) for name in part.__struct_fields__}


def _odds(proposal: Proposal, row: int) -> dict[str, Any]:
    odds = proposal.plan.odds[row]
    target = odds.target
    return {
        "target": target.name,
        "amount": int(target.amount),
        "qualifier": "more than" if target.strictly else "at least",
        "reached_already": target.already,
        "odds": odds.share,
        "odds_low": None if odds.interval is None else odds.interval.low,
        "odds_high": None if odds.interval is None else odds.interval.high,
        "expected": None if odds.expected is None else round(odds.expected),
        "unknown": odds.unknown,
    }


def _weeks(proposal: Proposal) -> list[str]:
    days = (proposal.day(int(first)) for first in proposal.plan.calendar.first)
    return [day.isoformat() for day in days if day is not None]


def _by_day(proposal: Proposal) -> list[dict[str, Any]]:
    """Cars built and handed over on each day: the 5th, 50th and 95th percentile over all paths."""
    plan = proposal.plan
    bands = [BANDS.index(level) for level in (LOW, MIDDLE, HIGH)]
    return [
        {
            "day": _day(proposal.day(number)),
            **{
                f"{name}{suffix}": round(float(found.bands[band, number]))
                for name, found in (("built", plan.built), ("delivered", plan.delivered))
                for suffix, band in zip(("_low", "", "_high"), bands, strict=True)
            },
        }
        for number in range(plan.supply.days)
    ]


def _exceptions(proposal: Proposal) -> list[dict[str, Any]]:
    """Orders that somebody put before or behind their turn, with the reason that was recorded."""
    columns = (proposal.orders[name].to_pylist() for name in ("order_id", "rank", "rank_reason"))
    return [
        {"order": order_id, "rank": rank, "reason": reason}
        for order_id, rank, reason in zip(*columns, strict=True)
        if rank is not None
    ]


def _by_trim(proposal: Proposal) -> dict[str, list[int]]:
    """Cars built of each trim in each week, when all goes as expected."""
    plan = proposal.plan
    out: dict[str, Any] = {}
    for row, configuration in enumerate(plan.demand.configurations):
        weeks = plan.weekly.built[row]
        if weeks.any():
            out[configuration.trim] = out.get(configuration.trim, 0) + weeks
    return {trim: [int(cars) for cars in weeks] for trim, weeks in sorted(out.items())}


def _limits(proposal: Proposal) -> dict[str, dict[str, list[Any]]]:
    plan = proposal.plan
    return {
        limit.name: {
            "used": [int(cars) for cars in plan.weekly.used[row]],
            "allowed": [
                None if cars >= NOT_LIMITED else round(float(cars), 1) for cars in plan.weekly.allowed[row]
            ],
        }
        for row, limit in enumerate(plan.supply.limits)
    }


def _by_region(proposal: Proposal) -> dict[str, list[int]]:
    """Cars handed over in each region and week, when all goes as expected."""
    plan = proposal.plan
    names = [*(region.code for region in plan.supply.regions), "unknown"]
    return {
        name: [int(cars) for cars in weeks]
        for name, weeks in zip(names, plan.weekly.handed, strict=True)
        if weeks.any()
    }


def _breaches(proposal: Proposal) -> list[dict[str, Any]]:
    found = proposal.plan.breaches
    return [
        {
            "order": str(proposal.plan.demand.order_ids[order]),
            "promised_until": _day(proposal.day(int(committed))),
            "expected": _day(proposal.day(int(handed))),
            "days": int(days),
        }
        for order, handed, committed, days in zip(
            found.order, found.handed, found.committed, found.days, strict=True
        )
    ]


def _out_of_turn(proposal: Proposal) -> dict[str, int]:
    """How many orders did not get the slot of their turn, by reason."""
    reasons, counts = np.unique(np.asarray(proposal.plan.out_of_turn.reason), return_counts=True)
    return {str(reason): int(count) for reason, count in zip(reasons, counts, strict=True)}


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _window(window: Window | None) -> list[str] | None:
    return None if window is None else [day.isoformat() for day in window]


def of_level(level: Level) -> dict[str, Any]:
    """The level of windows' last days: as it is to be kept, as it is asked of the plan, and from what."""
    return {
        "nominal": level.nominal,
        "used": level.used,
        "promises_due": level.promises,
        "promises_kept": level.kept,
        "learned": level.learned,
    }


def level_text(told: Mapping[str, Any]) -> str:
    """``of_level`` as a line."""
    nominal, due = told["nominal"], told["promises_due"]
    if not told["learned"]:
        return f"level {nominal:g}: {due:,} promises came due, {LEAST} are needed to learn from them"
    share = told["promises_kept"] / due
    return (
        f"level {told['used']:g} for {nominal:.0%}: learned from {due:,} promises that came due,"
        f" {share:.1%} of them kept"
    )


def of_estimate(estimate: Estimate) -> dict[str, Any]:
    """An order's estimate, its promise, why that late, and how it moved."""
    first = estimate.history[0] if estimate.history else None
    known = first is not None and first.day is not None and estimate.last is not None
    moved = (estimate.last - first.day).days if known else None  # type: ignore[operator, union-attr]
    return {
        "order": estimate.order_id,
        "trim": estimate.configuration.trim,
        "colour": estimate.configuration.colour,
        "region": estimate.region,
        "estimate": {f"p{level * 100:g}": _day(day) for level, day in estimate.dates.items()},
        "window": _window(estimate.window),
        "level": of_level(estimate.level),
        "built": estimate.built,
        "slot": _day(estimate.slot),
        "held_back_by": [{"limit": name, "days": days} for name, days in estimate.held_by],
        "ahead_in_queue": estimate.ahead[0],
        "ahead_overall": estimate.ahead[1],
        "committed": _window(estimate.committed),
        "committed_is_kept": estimate.keeps,
        "history": [
            {"plan": told.plan, "on": told.on.isoformat(), "last_day": _day(told.day)}
            for told in estimate.history
        ],
        "moved_days": moved,
        "reason": estimate.reason,
        "simulated": estimate.simulated,
    }


def of_quote(quoted: Quoted) -> dict[str, Any]:
    """A date for a buyer who has not ordered yet."""
    return {
        "trim": quoted.configuration.trim,
        "colour": quoted.configuration.colour,
        "region": quoted.region,
        "estimate": {f"p{level * 100:g}": _day(day) for level, day in quoted.dates.items()},
        "window": _window(quoted.window),
        "level": of_level(quoted.level),
        "ahead_in_queue": quoted.ahead,
    }


def of_comparison(found: Comparison) -> dict[str, Any]:
    """Two plans side by side."""
    before, after = of_proposal(found.before), of_proposal(found.after)
    return {
        "changes": [{"said": sentence(change), "text": show(change)} for change in found.changes],
        "toml": toml(found.changes),
        "simulated": found.before.simulated,
        "as_of": show_time(found.before.cut.as_of, found.before.zone),
        "mark": found.before.cut.mark,
        "targets": [
            {
                "target": old["target"],
                "amount_before": old["amount"],
                "amount_after": new["amount"],
                "odds_before": old["odds"],
                "odds_after": new["odds"],
                "expected_before": old["expected"],
                "expected_after": new["expected"],
            }
            for old, new in zip(before["targets"], after["targets"], strict=True)
        ],
        "cleared_by": [before["cleared_by"], after["cleared_by"]],
        "wait_days": None if found.wait_days is None else list(found.wait_days),
        "sooner": found.sooner,
        "later": found.later,
        "promises_broken": list(found.broken),
        "promises_mended": list(found.mended),
        "weeks": [
            {
                "first_day": old["first_day"],
                "delivered_before": old["delivered"],
                "delivered_after": new["delivered"],
            }
            for old, new in zip(before["weeks"], after["weeks"], strict=True)
        ],
        "problems": sorted({*before["problems"], *after["problems"]}),
    }


def of_difference(proposal: Proposal, adopted: Landed) -> dict[str, Any]:
    """A proposal beside the plan last adopted: how odds and slots moved."""
    body = adopted.fact.body
    assert isinstance(body, PlanAdopted)
    old = {odds.target: odds.odds for odds in body.odds}
    was = dict(zip(adopted.table["order_id"].to_pylist(), adopted.table["slot"].to_pylist(), strict=True))
    moves: list[int] = []
    new = gone = 0
    slots = proposal.plan.slot[: proposal.open].tolist()
    ids = proposal.orders["order_id"].to_pylist()
    for order_id, slot in zip(ids, slots, strict=True):
        before, after = was.get(order_id), proposal.day(slot) if slot != NO_DAY else None
        if order_id not in was:
            new += 1
        elif before is not None and after is not None:
            moves.append((after - before).days)
    gone = len(was.keys() - set(ids))
    return {
        "adopted": adopted.name,
        "targets": [
            {"target": odds["target"], "odds_adopted": old.get(odds["target"]), "odds_now": odds["odds"]}
            for odds in (_odds(proposal, row) for row in range(len(proposal.plan.odds)))
        ],
        "orders_new": new,
        "orders_gone": gone,
        "slots_unmoved": sum(move == 0 for move in moves),
        "slots_earlier": sum(move < 0 for move in moves),
        "slots_later": sum(move > 0 for move in moves),
        "latest_move_days": max(moves, default=0),
        "simulated": proposal.simulated,
    }


def weeks_of_trims(proposal: Proposal) -> Sequence[dict[str, Any]]:
    """A row for each week: cars built of each trim, and what each limit uses of what it allows."""
    trims, limits = _by_trim(proposal), _limits(proposal)

    def used(limit: Mapping[str, Sequence[Any]], week: int) -> str:
        most = limit["allowed"][week]
        return f"{limit['used'][week]:,}" + ("" if most is None else f" of {most:,.0f}")

    return [
        {"week from": day, **{trim: cars[week] for trim, cars in trims.items()}}
        | {name: used(limit, week) for name, limit in limits.items()}
        for week, day in enumerate(_weeks(proposal))
    ]
