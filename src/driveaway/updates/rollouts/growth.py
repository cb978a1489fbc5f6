"""How many cars a rollout may have opened by now, and why not more: a function of plan and progress."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Literal

import msgspec

from driveaway.updates.rollouts.columns import NEVER, SECOND
from driveaway.updates.rollouts.plans import DAY, ByGroups, ByRate, ByStages, Exponential, Group, Plan, Stage

_MINUTE = 60 * SECOND


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a rollout has come. Times are microseconds since 1970 UTC.

    Attributes:
        started: when the rollout was started.
        segments: names; ``cars``, ``opened`` and ``reported`` have one number for each.
        cars: outside the holdout.
        opened: of them, opened.
        reported: of those, with an outcome or silent for too long.
        awaited: of those opened, which can have an outcome; None: all.
        last_opened: when the last car was opened; ``started`` if none was.
        steps: when each stage or group was opened, the first one first.
        raises: when the rate of an exponential plan was raised, the first one first.
        holds: from when until when the rollout did not run (on hold or paused), in order; a hold that
            lasts ends at NEVER.
    """

    started: int
    segments: tuple[str, ...] = ("all",)
    cars: tuple[int, ...]
    opened: tuple[int, ...]
    reported: tuple[int, ...]
    last_opened: int
    steps: tuple[int, ...] = ()
    raises: tuple[int, ...] = ()
    holds: tuple[tuple[int, int], ...] = ()
    awaited: tuple[int, ...] | None = None

    def running(self, start: int, end: int) -> int:
        """Microseconds between two moments in which the rollout ran."""
        held = sum(max(0, min(end, to) - max(start, since)) for since, to in self.holds)
        return max(0, end - start - held)

    def after(self, start: int, running: int, now: int) -> int:
        """When the rollout has run this long since ``start`` (which is past), if it is not held again."""
        return now + running - self.running(start, now)


Wait = Literal["", "minimum_duration", "too_few_reported", "rate", "complete"]
"""Why not more."""


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    """How many cars may be open by now.

    Attributes:
        step: stage or group, from 1; 1 for plans without.
        steps: how many there are.
        cars: outside the holdout, over all segments named, those open already included.
        segments: to which ``cars`` belong; all of them where empty.
        whole: whether cars of these segments that join later are open at once.
        waits: why not more; "complete": all that the plan opens is open.
        until: when more may be, at the earliest, microseconds since 1970 UTC; None: not known.
        text: the same in words.
    """

    step: int
    steps: int
    cars: int
    segments: tuple[str, ...] = ()
    whole: bool = False
    waits: Wait
    until: int | None = None
    text: str


def allowed(plan: Plan, now: int, progress: Progress) -> Allowed:
    """How many cars may have been opened by now, and why not more.

    Args:
        plan: how the rollout grows.
        now: microseconds since 1970 UTC.
        progress: how far it has come; the same progress gives the same answer.
    """
    match plan:
        case ByStages():
            return _by_stages(plan, now, progress)
        case ByRate():
            unit = 3600 if plan.per == "hour" else DAY
            pieces = [(progress.started, plan.cars / (unit * SECOND))]
            return _by_rate(plan, pieces, f"{plan.cars:,} cars per {plan.per}", now, progress)
        case Exponential():
            pieces = _rates(plan, progress)
            return _by_rate(plan, pieces, f"{pieces[-1][1] * _MINUTE:,.4g} cars per minute", now, progress)
        case ByGroups():
            return _by_groups(plan, now, progress)


def earliest(plan: Plan, now: int, progress: Progress) -> tuple[int, ...]:
    """When each stage or group opens at the earliest, or was opened: all that goes before it must last.

    What waits for reports, for evidence or for a person opens later. Plans without steps have one entry,
    the start.

    Args:
        plan: how the rollout grows.
        now: microseconds since 1970 UTC.
        progress: its start, and when steps were opened and the rollout did not run.
    """
    match plan:
        case ByStages(stages=found):
            lasting = [step.minimum_s for step in found]
        case ByGroups(groups=named):
            lasting = [step.minimum_s for step in named]
        case _:
            return (progress.started,)
    out = list(progress.steps[: len(lasting)])
    for number in range(len(out), len(lasting)):
        if number == 0:
            out.append(max(now, progress.started))
        elif number == len(progress.steps):
            out.append(max(now, progress.after(out[-1], lasting[number - 1] * SECOND, now)))
        else:
            out.append(out[-1] + lasting[number - 1] * SECOND)
    return tuple(out)


class _Waiting(msgspec.Struct, frozen=True):
    waits: Wait
    until: int | None
    text: str


def _waiting(step: Stage | Group, opened_at: int, reported: float, now: int, progress: Progress) -> _Waiting:
    """Whether a step may be followed by the next."""
    ran = progress.running(opened_at, now)
    if ran < step.minimum_s * SECOND:
        until = progress.after(opened_at, step.minimum_s * SECOND, now)
        return _Waiting("minimum_duration", until, f"lasts at least {_hours(step.minimum_s)}")
    if reported < step.reported:
        limit = step.at_most_s
        if limit is not None and ran >= limit * SECOND:
            return _Waiting("", None, "")
        later = None if limit is None else progress.after(opened_at, limit * SECOND, now)
        text = f"{reported:.1%} of the opened cars that it fits have reported, {step.reported:.1%} are needed"
        return _Waiting("too_few_reported", later, text)
    return _Waiting("", None, "")


def _awaited(progress: Progress) -> tuple[int, ...]:
    return progress.opened if progress.awaited is None else progress.awaited


def _hours(seconds: int) -> str:
    return f"{seconds / 3600:g} h"


def _by_stages(plan: ByStages, now: int, progress: Progress) -> Allowed:
    cars, awaited, reported = sum(progress.cars), sum(_awaited(progress)), sum(progress.reported)
    step = len(progress.steps)
    waiting = _Waiting("", None, "")
    if step:
        last = plan.stages[step - 1]
        waiting = _waiting(last, progress.steps[-1], reported / awaited if awaited else 1.0, now, progress)
    if not waiting.waits:
        if step == len(plan.stages):
            waiting = _Waiting("complete", None, "all stages are open and have lasted")
        else:
            step += 1
            until = progress.after(now, plan.stages[step - 1].minimum_s * SECOND, now)
            waiting = _Waiting("minimum_duration", until, "just opened")
    share = plan.stages[step - 1].share
    return Allowed(
        step=step,
        steps=len(plan.stages),
        cars=ceil(share * cars - 1e-9),
        whole=share == 1,
        waits=waiting.waits,
        until=waiting.until,
        text=f"stage {step} of {len(plan.stages)}, {share:.0%} of the cars: {waiting.text}",
    )


def _rates(plan: Exponential, progress: Progress) -> list[tuple[int, float]]:
    """From when on which rate holds, in cars a microsecond."""
    pieces = []
    rate = plan.base_per_minute
    for moment in (progress.started, *progress.raises):
        pieces.append((moment, min(rate, plan.maximum_per_minute) / _MINUTE))
        rate *= plan.increment_factor
        if rate > plan.maximum_per_minute * plan.increment_factor:
            break
    return pieces


def _by_rate(
    plan: ByRate | Exponential,
    pieces: Sequence[tuple[int, float]],
    said: str,
    now: int,
    progress: Progress,
) -> Allowed:
    total = sum(progress.cars)
    ends = [start for start, _ in pieces[1:]] + [now]
    due = sum(
        rate * progress.running(start, min(end, now)) for (start, rate), end in zip(pieces, ends, strict=True)
    )
    cars = min(total, int(due + 1e-6))
    if cars >= total:
        open_now = sum(progress.opened) >= total
        left = plan.then_s * SECOND - (progress.running(progress.last_opened, now) if open_now else 0)
        return Allowed(
            step=1,
            steps=1,
            cars=total,
            whole=True,
            waits="minimum_duration" if left > 0 else "complete",
            until=now + left if left > 0 else None,
            text="all cars may be open" if left > 0 else "all cars are open, and it has lasted",
        )
    until = now + ceil((cars + 1 - due) / pieces[-1][1])
    return Allowed(
        step=1, steps=1, cars=cars, waits="rate", until=until, text=f"{cars:,} of {total:,} cars at {said}"
    )


def _by_groups(plan: ByGroups, now: int, progress: Progress) -> Allowed:
    number = {name: index for index, name in enumerate(progress.segments)}

    def counted(group: Group, column: tuple[int, ...]) -> int:
        return sum(column[number[name]] for name in group.segments if name in number)

    step = len(progress.steps)
    waiting = _Waiting("", None, "")
    if step:
        last = plan.groups[step - 1]
        awaited = counted(last, _awaited(progress))
        share = counted(last, progress.reported) / awaited if awaited else 1.0
        waiting = _waiting(last, progress.steps[-1], share, now, progress)
    if not waiting.waits:
        if step == len(plan.groups):
            waiting = _Waiting("complete", None, "all groups are open and have lasted")
        else:
            step += 1
            until = progress.after(now, plan.groups[step - 1].minimum_s * SECOND, now)
            waiting = _Waiting("minimum_duration", until, "just opened")
    reached = plan.groups[:step]
    names = ", ".join(plan.groups[step - 1].segments)
    return Allowed(
        step=step,
        steps=len(plan.groups),
        cars=sum(counted(group, progress.cars) for group in reached),
        segments=tuple(name for group in reached for name in group.segments),
        whole=True,
        waits=waiting.waits,
        until=waiting.until,
        text=f"group {step} of {len(plan.groups)} ({names}): {waiting.text}",
    )


def raised_at(plan: Plan, notified: Sequence[int], succeeded: Sequence[int]) -> tuple[int, ...]:
    """When an exponential plan's rate was raised: at each so-many-th car told, or succeeded.

    Args:
        plan: any; () unless exponential.
        notified, succeeded: the moments, in order; NEVER for cars that were not.
    """
    if not isinstance(plan, Exponential):
        return ()
    every, moments = (
        (plan.every_notified, notified)
        if plan.every_notified is not None
        else (plan.every_succeeded, succeeded)
    )
    assert every is not None
    return tuple(int(moment) for moment in moments[every - 1 :: every] if moment != NEVER)
