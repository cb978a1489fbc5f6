"""Changes of limits and of parts that arrive."""

from __future__ import annotations

from datetime import date, timedelta

from msgspec.structs import replace

from driveaway.delivery.whatif.changes import LimitTo, PartArrival
from driveaway.delivery.whatif.reader import nearest
from driveaway.delivery.whatif.stepping import day_after, day_before, stepped
from driveaway.delivery.whatif.vocabulary import vocabulary
from driveaway.facts.description import Description
from driveaway.facts.planning import Arrival, Limit, Part, Step
from driveaway.values.errors import BadValue


def limited(description: Description, change: LimitTo) -> Description:
    """A limit or part at another level for a time; cars that had no limit get one.

    Raises:
        BadValue: nothing of that name, or no level that a percentage could change.
    """
    words = vocabulary(description)
    name = words.subjects.get(change.limit)
    if name is None:
        near = nearest(change.limit, words.subjects) or list(words.subjects)
        raise BadValue(
            f"there is no limit, part or car {change.limit!r}",
            code="whatif.subject",
            remedy=f"did you mean {' or '.join(map(repr, near[:3]))}?"
            if near
            else "describe it in launch.toml",
        )
    if any(limit.name == name for limit in description.limits):
        limits = tuple(
            _changed(limit, change) if limit.name == name else limit for limit in description.limits
        )
        return replace(description, limits=limits)
    if any(part.name == name for part in description.parts):
        parts = tuple(_supplied(part, change) if part.name == name else part for part in description.parts)
        return replace(description, parts=parts)
    if change.amount is None or change.per is None:
        raise BadValue(
            f"{name!r} has no limit that could be raised, lowered or lifted",
            code="whatif.no_limit",
            remedy=f"give an amount: {name} 300 per day; limits are: "
            + (", ".join(limit.name for limit in description.limits) or "none"),
        )
    new = Limit(
        name=name,
        amount=change.amount,
        per=change.per,
        covers=words.cars[name],
        from_day=change.from_day,
        until_day=change.until_day,
    )
    return replace(description, limits=(*description.limits, new))


def _changed(limit: Limit, change: LimitTo) -> Limit:
    factor = 1 + (change.percent or 0) / 100
    if change.percent is None and change.per not in (None, limit.per):
        raise BadValue(
            f"{limit.name!r} is a limit per {limit.per}",
            code="whatif.per",
            remedy=f"give an amount per {limit.per}",
        )

    def level(before: float | None) -> float | None:
        if change.percent is None:
            return change.amount
        return None if before is None else before * factor

    base, steps = limit.amount, [(step.from_day, step.amount) for step in limit.steps]
    if change.percent is None:
        # A level that is given holds outside the limit's own days, too: those become steps.
        base, steps = _unbounded(limit, base, steps)
        limit = replace(limit, from_day=None, until_day=None)
    amount, changed = stepped(base, steps, change.from_day, change.until_day, level)
    return replace(
        limit, amount=amount, steps=tuple(Step(from_day=day, amount=value) for day, value in changed)
    )


def _unbounded(
    limit: Limit, base: float | None, steps: list[tuple[str, float | None]]
) -> tuple[float | None, list[tuple[str, float | None]]]:
    if limit.from_day is not None:
        before = day_before(limit.from_day)
        base, outside = stepped(base, steps, None, before, lambda _: None)
        steps = list(outside)
    if limit.until_day is not None:
        base, outside = stepped(base, steps, day_after(limit.until_day), None, lambda _: None)
        steps = list(outside)
    return base, steps


def _supplied(part: Part, change: LimitTo) -> Part:
    if change.percent is None:
        raise BadValue(
            f"{part.name!r} is a part that arrives and is kept",
            code="whatif.part",
            remedy=f"say a percentage, or: {part.name} 5000 arrive on DAY",
        )
    factor = 1 + change.percent / 100
    arrivals: list[Arrival] = []
    for arrival in part.arrivals:
        for piece in _cut(arrival, change.from_day, change.until_day):
            inside = (change.from_day is None or piece.day >= change.from_day) and (
                change.until_day is None or piece.day <= change.until_day
            )
            arrivals.append(replace(piece, amount=piece.amount * factor) if inside else piece)
    return replace(part, arrivals=tuple(arrivals))


def _cut(arrival: Arrival, first: str | None, last: str | None) -> list[Arrival]:
    """Repeated arrivals in pieces that lie before, between and after two days, each in its old rhythm."""
    pieces = [arrival]
    for edge in (first, None if last is None else day_after(last)):
        if edge is None or arrival.every_days is None or arrival.every_days < 1:
            continue
        piece = pieces[-1]
        start, at = date.fromisoformat(piece.day), date.fromisoformat(edge)
        if at <= start or (piece.until_day is not None and piece.until_day < edge):
            continue
        missed = -(-(at - start).days // arrival.every_days)
        following = (start + timedelta(days=missed * arrival.every_days)).isoformat()
        pieces[-1:] = [replace(piece, until_day=day_before(edge))]
        if piece.until_day is None or following <= piece.until_day:
            pieces.append(replace(piece, day=following))
    return pieces


def arrived(description: Description, change: PartArrival) -> Description:
    """More of a part arrives on a day.

    Raises:
        BadValue: there is no such part.
    """
    names = [part.name for part in description.parts]
    if change.part not in names:
        near = nearest(change.part, names) or names
        raise BadValue(
            f"there is no part {change.part!r}",
            code="whatif.no_part",
            remedy=f"did you mean {' or '.join(near)}?" if near else "describe it under [[parts]]",
        )
    arrival = Arrival(day=change.day, amount=change.amount)
    parts = tuple(
        replace(part, arrivals=(*part.arrivals, arrival)) if part.name == change.part else part
        for part in description.parts
    )
    return replace(description, parts=parts)
