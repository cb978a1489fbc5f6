"""Figures about targets."""

from __future__ import annotations

from typing import Any

from driveaway.book.view import View
from driveaway.figures.compute import Ask
from driveaway.figures.figure import figure
from driveaway.figures.measure import Computed, Measure
from driveaway.values.clock import end_of_day, local_day, parse_day, show, start_of_day

# Measures that count a stock are read at the end; all others are counted over the target's days.
_STOCKS = ("outlets.",)


@figure(
    "targets.progress",
    title="Progress to targets",
    title_zh="目标进度",
    unit="of the target's measure",
    evidence=("target.set",),
    dimensions=("target", "measure"),
)
def progress(view: View, *, ask: Ask) -> Measure:
    """Every target as last set by the as-of, and how far it is reached.

    A target of events (such as cars delivered) is counted over its own days; a target of a stock (such
    as outlets open) is read at the as-of. ``share`` is reached over aimed at; ``previous_amount`` is
    what the target was before it was last changed.
    """
    latest: dict[str, Any] = {}
    previous: dict[str, int] = {}
    for fact in view.facts("target.set"):
        if fact.subject in latest:
            previous[fact.subject] = latest[fact.subject].body.amount
        latest[fact.subject] = fact
    rows: list[dict[str, Any]] = []
    for name, fact in latest.items():
        body = fact.body
        start, end = (
            start_of_day(parse_day(body.from_day), view.zone),
            end_of_day(parse_day(body.until_day), view.zone),
        )
        arguments = {} if body.role is None else {"role": body.role}
        row: dict[str, Any] = {
            "target": name,
            "measure": body.measure,
            "role": body.role,
            "qualifier": body.qualifier,
            "amount": body.amount,
            "value": None,
            "share": None,
            "from_day": body.from_day,
            "until_day": body.until_day,
            "set_on": local_day(fact.happened, view.zone).isoformat(),
            "previous_amount": previous.get(name),
            "said": body.said,
            "begun": start <= view.when.as_of,
            "simulated": fact.simulated,
        }
        reached = ask(body.measure, as_of=min(view.when.as_of, end), **arguments)
        if start > view.when.as_of:
            row["unknown"] = f"its first day is {body.from_day}, after {show(view.when.as_of, view.zone)}"
        elif reached.unknown is not None:
            row["unknown"] = reached.unknown
        else:
            count = int(reached.value or 0)
            if not body.measure.startswith(_STOCKS):
                before = ask(body.measure, as_of=start - 1, **arguments)
                count -= int(before.value or 0)
            row |= {"value": count, "share": count / body.amount if body.amount else None}
            row["simulated"] = fact.simulated or reached.simulated
        rows.append(row)
    return Computed(rows)


FIGURES = (progress,)
