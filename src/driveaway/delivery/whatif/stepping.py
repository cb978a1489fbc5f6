"""What holds over time, changed between two days: amounts with steps, and things that come and go.

Days are texts ``YYYY-MM-DD``, which sort as days do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import TypeVar

from msgspec.structs import replace

from driveaway.facts.planning import Centre, Shift

Value = TypeVar("Value")
Held = TypeVar("Held", bound=Shift | Centre)


def day_after(day: str) -> str:
    """The next day."""
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def day_before(day: str) -> str:
    """The day before."""
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def stepped(
    base: Value,
    steps: Sequence[tuple[str, Value]],
    first: str | None,
    last: str | None,
    change: Callable[[Value], Value],
) -> tuple[Value, tuple[tuple[str, Value], ...]]:
    """A value that steps over time, changed from the first day to the last; before and after it stays."""
    ordered = sorted(steps, key=lambda step: step[0])

    def held(day: str) -> Value:
        return next((value for start, value in reversed(ordered) if start <= day), base)

    out: dict[str, Value] = {}
    if first is not None:
        out[first] = change(held(first))
    for start, value in ordered:
        inside = (first is None or start >= first) and (last is None or start <= last)
        out[start] = change(value) if inside else value
    if last is not None:
        out.setdefault(day_after(last), held(day_after(last)))
    return (change(base) if first is None else base), tuple(sorted(out.items(), key=lambda step: step[0]))


def reshaped(
    items: Sequence[Held], first: str | None, last: str | None, change: Callable[[Held], Held | None]
) -> tuple[Held, ...]:
    """Things in force over time, changed (or taken away, by None) from the first day to the last.

    One that reaches beyond is cut in up to three; what it is before and after stays as it was.
    """
    out: list[Held] = []
    for item in items:
        start, end = item.from_day, item.until_day
        if (last is not None and start is not None and start > last) or (
            first is not None and end is not None and end < first
        ):
            out.append(item)
            continue
        item = _dated(item)
        if first is not None and (start is None or start < first):
            out.append(replace(item, until_day=day_before(first)))
            start = first
        until = last if last is not None and (end is None or end > last) else end
        changed = change(replace(item, from_day=start, until_day=until))
        if changed is not None:
            out.append(changed)
        if until != end and last is not None:
            out.append(replace(item, from_day=day_after(last)))
    return tuple(out)


def _dated(item: Held) -> Held:
    """A shift that is cut keeps the first day of its ramp."""
    if isinstance(item, Shift) and item.ramp is not None and item.ramp.from_day is None:
        return replace(item, ramp=replace(item.ramp, from_day=item.from_day))
    return item
