"""Figures about targets."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from driveaway.book.view import View
from driveaway.facts.public import TargetSet
from driveaway.figures.answer import Answer
from driveaway.figures.compute import Ask
from driveaway.figures.figure import figure
from driveaway.figures.measure import Computed, Measure
from driveaway.values.clock import end_of_day, local_day, parse_day, show, start_of_day
from driveaway.values.errors import BadValue, NotFound


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
    answers: dict[Any, Answer] = {}
    for name, fact in latest.items():
        body = fact.body
        days = _days(body, view.zone)
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
            "begun": not isinstance(days, str) and days[0] <= view.when.as_of,
            "simulated": fact.simulated,
        }
        if isinstance(days, str):
            row["unknown"] = days
        elif days[0] > view.when.as_of:
            row["unknown"] = f"its first day is {body.from_day}, after {show(view.when.as_of, view.zone)}"
        else:
            reached = _reached(ask, answers, body, min(view.when.as_of, days[1]))
            if isinstance(reached, str):
                row["unknown"] = reached
            else:
                count, simulated = reached
                row |= {"value": count, "share": count / body.amount if body.amount else None}
                row["simulated"] = fact.simulated or simulated
        rows.append(row)
    return Computed(rows)


def _days(target: TargetSet, zone: ZoneInfo) -> tuple[int, int] | str:
    """First and last instant of a target, or why there are none: a wrong one hides no other."""
    try:
        return start_of_day(parse_day(target.from_day), zone), end_of_day(parse_day(target.until_day), zone)
    except BadValue as error:
        return f"its days cannot be read: {error.message}"


def _reached(ask: Ask, answers: dict[Any, Answer], target: TargetSet, until: int) -> tuple[int, bool] | str:
    """How much of a target is reached and whether that is simulated, or why it is not known.

    A stock is read at the end, all else is counted over the target's days. Targets of the same measure
    share one answer: events are asked for by day, once.
    """
    try:
        stock = ask.definition(target.measure).counts == "stock"
        key = (target.measure, target.role, until if stock else None)
        if key not in answers:
            by = () if stock else ("day",)
            arguments = {} if target.role is None else {"role": target.role}
            answers[key] = ask(target.measure, as_of=until if stock else None, by=by, **arguments)
    except (NotFound, BadValue) as error:
        return f"its measure cannot be asked: {error.message}"
    answer = answers[key]
    if answer.unknown is not None:
        return answer.unknown
    if answer.unit == "share":
        return f"{target.measure} is a share, and no amount of it can be reached"
    if answer.rows is None:
        return int(answer.value or 0), answer.simulated
    days = [row for row in answer.rows if target.from_day <= row["day"] <= target.until_day]
    return sum(int(row["value"]) for row in days), any(row["simulated"] for row in days)


FIGURES = (progress,)
