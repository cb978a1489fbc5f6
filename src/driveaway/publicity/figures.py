"""Figures about events."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from driveaway.book.view import View
from driveaway.facts.public import EventHeld
from driveaway.figures.figure import Days, figure
from driveaway.figures.measure import Computed, Measure, Unknown
from driveaway.values.clock import end_of_day, local_day

NOT_A_CAUSE = (
    "Descriptive only: what else happened on these days is not taken out, so a cause is not identified."
)


@figure(
    "publicity.locks_around_event",
    title="Locked orders around an event",
    title_zh="活动前后锁单量",
    unit="orders",
    evidence=("event.held",),
    dimensions=("event",),
)
def locks_around_event(view: View, *, days: Days = 3) -> Measure:
    """Firm orders on each day from so many days before an event to so many after; day 0 is the event's.

    A day that has not ended by the as-of is left out: its few hours would look like a drop.

    Descriptive only: what else happened on these days is not taken out, so a cause is not identified.

    Args:
        days: how many days on each side.
    """
    events = view.facts("event.held")
    if not events:
        return Unknown("the book holds no event.held by this date")
    locks = view.table("order.locked")
    table = locks.group_by("day").aggregate(value=locks.count(), simulated=locks.simulated.any())
    by_day = {row["day"]: row for row in view.run(table)[0].to_pylist()}
    if not by_day:
        return Unknown("the book holds no order.locked by this date")
    last = local_day(view.when.as_of, view.zone)
    if view.when.as_of < end_of_day(last, view.zone):
        last -= timedelta(days=1)
    simulated = any(row["simulated"] for row in by_day.values())
    rows: list[dict[str, Any]] = []
    for event in events:
        assert isinstance(event.body, EventHeld)
        on = local_day(event.happened, view.zone)
        for offset in range(-days, days + 1):
            day = on + timedelta(days=offset)
            if min(by_day) <= day <= last:
                count = int(by_day[day]["value"]) if day in by_day else 0
                rows.append(
                    {
                        "event": event.subject,
                        "title": event.body.title,
                        "day": day.isoformat(),
                        "offset_days": offset,
                        "value": count,
                        "simulated": simulated,
                    }
                )
    return Computed(rows, NOT_A_CAUSE)


FIGURES = (locks_around_event,)
