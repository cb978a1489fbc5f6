"""Wording traps: a claim may be true and still be understood as more than it says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from driveaway.briefing import texts
from driveaway.briefing.asking import Desk
from driveaway.facts.public import ClaimMade
from driveaway.values import clock
from driveaway.values.errors import BadValue

_PERIOD = re.compile(r"\b\d+(?:st|nd|rd|th)?[- ](?:days?|weeks?)\b|[0-9一二三四五六七八九十]+(?:天|周)")


@dataclass(frozen=True)
class Trap:
    """What the wording of a claim hides and the book shows.

    ``target``: the target that was another before, where that is the trap, else None; ``changed``
    says in a few words how, by language.
    """

    text: Mapping[str, str]
    target: str | None = None
    changed: Mapping[str, str] | None = None


def wording_traps(desk: Desk, body: ClaimMade) -> Iterator[Trap]:
    """The traps that the book itself shows.

    Two are looked for: a number of deliveries counted over a period that began before the first
    handover, and a target that was another before.
    """
    try:
        at = clock.parse_as_of(body.as_of, desk.zone)
    except BadValue:
        return
    if _speaks_of_period(body):
        yield from _late_first_handover(desk, min(at, desk.asker.as_of))
    yield from _raised_target(desk, body)


def _speaks_of_period(body: ClaimMade) -> bool:
    """Deliveries "within 28 days", as a figure or in words."""
    if body.figure == "cars.delivered_since_launch_days":
        return True
    if not (body.figure or "").startswith("cars.delivered"):
        return False
    return any(_PERIOD.search(text) for text in (body.said, body.said_zh or ""))


def _late_first_handover(desk: Desk, at: int) -> Iterator[Trap]:
    opened = desk.asker.description.car.orders_open
    if opened is None:
        return
    launch_day = clock.local_day(clock.parse_as_of(opened, desk.zone), desk.zone)
    last_day = clock.local_day(at, desk.zone)
    first = next(
        (
            date.fromisoformat(str(row["day"]))
            for row in desk.ask("cars.delivered_per_day", as_of=at).rows
            if row.get("value")
        ),
        None,
    )
    if first is not None and launch_day < first < last_day:
        yield Trap(
            texts.both(
                "trap.late_first_handover",
                launch_day=launch_day,
                first=first,
                last=last_day,
                days_since_launch=(last_day - launch_day).days + 1,
                days_since_first=(last_day - first).days + 1,
            )
        )


def _raised_target(desk: Desk, body: ClaimMade) -> Iterator[Trap]:
    speaks_of_target = body.figure in (None, "", "targets.progress")
    if not speaks_of_target or body.value is None or not desk.facts("target.set"):
        return
    for row in desk.ask("targets.progress").rows:
        if row.get("previous_amount") not in (None, row["amount"]) and _is_said(row, body):
            before, now = row["previous_amount"], row["amount"]
            values = {"amount": now, "previous": before, "set_on": str(row["set_on"])}
            yield Trap(
                texts.both("trap.target_raised" if now > before else "trap.target_lowered", **values),
                target=str(row["target"]),
                changed=texts.both("trap.target_changed", **values),
            )


def _is_said(row: Mapping[str, Any], body: ClaimMade) -> bool:
    if body.arguments and f"target={row['target']}" in body.arguments.split("&"):
        return True
    return not body.percent and body.value in (str(row["amount"]), str(row["previous_amount"]))
