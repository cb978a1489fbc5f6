"""What a rollout does next, with the evidence: a function of what is known, and of nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec
import numpy as np

from driveaway.updates.rollouts.columns import NEVER, Cars, Flags, Health, Outcome
from driveaway.updates.rollouts.comparing import compare
from driveaway.updates.rollouts.findings import Finding, worst
from driveaway.updates.rollouts.growth import Allowed, Progress, allowed, raised_at
from driveaway.updates.rollouts.guarding import guard, silent
from driveaway.updates.rollouts.guards import Rules
from driveaway.updates.rollouts.order import cut_for
from driveaway.updates.rollouts.plans import Exponential

Action = Literal["advance", "hold", "pause", "abort", "finish"]


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """Which cars are open: those outside the holdout whose place is at most ``cut``.

    Attributes:
        cut: the place as 16 hexadecimal digits; "" opens none.
        segments: of these segments; of all where empty.
        cars: how many are open by it, those opened before included.
        newly: how many of them were not.
    """

    cut: str
    segments: tuple[str, ...] = ()
    cars: int
    newly: int

    def holds(self, place: int) -> bool:
        """Whether a place is open; a car that joins later asks the same."""
        return bool(self.cut) and place <= int(self.cut, 16)


@dataclass(frozen=True, slots=True)
class Standing:
    """A rollout as it stands. Times are microseconds since 1970 UTC.

    Attributes:
        rules: how it grows and what stops it.
        cars: those that it is for, the holdout included.
        health: reports about them.
        started: when it was started.
        now: the moment of the decision.
        segments: names of the segments that ``cars.segment`` numbers.
        opening: the newest opening of an earlier decision; None before the first.
        steps: when each stage or group was opened, by earlier decisions.
        holds: when it did not run, from and until, by earlier decisions; NEVER: it lasts.
        cleared: by name of the finding, when a person last cleared it with a reason.
        paused: why it is paused at this moment; "" if it runs.
        mark: what the book's mark was; only carried through.
        aside: open cars that can have no outcome: the release does not fit them as they are, or they had it
            before; None: there is none.
    """

    rules: Rules
    cars: Cars
    health: Health
    started: int
    now: int
    segments: tuple[str, ...] = ("all",)
    opening: Opening | None = None
    steps: tuple[int, ...] = ()
    holds: tuple[tuple[int, int], ...] = ()
    cleared: Mapping[str, int] = field(default_factory=dict)
    paused: str = ""
    mark: int | None = None
    aside: Flags | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is done, and all that it rests on: a fact as it stands.

    Attributes:
        action: advance (open more), hold (nothing more now), pause (until a person resumes), abort (for
            good), finish (all is open and has lasted: the holdout is released).
        as_of: the moment, microseconds since 1970 UTC.
        mark: of the book.
        reason: stable, in lower case: ``minimum_duration``, ``too_few_reported``, ``rate``, ``evidence``,
            ``triage``, ``paused``, ``complete``, or ``plan`` where more is opened.
        until: when it may be otherwise, at the earliest; None: not known.
        text: the reason in words.
        step, steps: the stage or group, and how many there are.
        opening: which cars are open from now on; None: as before.
        counts: cars, held_out, opened, offered, started, succeeded, declined, cancelled, failed, fallback,
            silent.
        findings: the evidence.
    """

    action: Action
    as_of: int
    mark: int | None = None
    reason: str
    until: int | None = None
    text: str
    step: int
    steps: int
    opening: Opening | None
    counts: dict[str, int]
    findings: tuple[Finding, ...]


def progress_of(standing: Standing, lost: Flags) -> Progress:
    """How far it has come, counted from the columns; ``lost`` are the cars that fell silent."""
    cars = standing.cars
    size = len(standing.segments)

    def counted(rows: Flags) -> tuple[int, ...]:
        return tuple(np.bincount(cars.segment[rows], minlength=size).tolist())

    free = ~cars.held_out
    opened = free & (cars.opened <= standing.now)
    awaited = opened if standing.aside is None else opened & ~standing.aside
    plan = standing.rules.growth
    raises: tuple[int, ...] = ()
    if isinstance(plan, Exponential):
        succeeded = np.where(cars.outcome == Outcome.SUCCEEDED, cars.finished, NEVER)
        raises = raised_at(
            plan,
            np.sort(cars.offered[cars.offered <= standing.now]).tolist(),
            np.sort(succeeded[succeeded <= standing.now]).tolist(),
        )
    return Progress(
        started=standing.started,
        segments=standing.segments,
        cars=counted(free),
        opened=counted(opened),
        reported=counted(awaited & ((cars.outcome != Outcome.PENDING) | lost)),
        last_opened=int(cars.opened[opened].max(initial=standing.started)),
        steps=standing.steps,
        raises=raises,
        holds=standing.holds,
        awaited=counted(awaited),
    )


def decide(standing: Standing) -> Decision:
    """What to do now. The same standing gives the same decision."""
    rules, cars, now = standing.rules, standing.cars, standing.now
    findings = compare(
        rules,
        cars,
        standing.health,
        segments=standing.segments,
        started=standing.started,
        now=now,
        cleared=standing.cleared.get("comparisons"),
    ) + guard(rules, cars, standing.health, now=now, cleared=standing.cleared)
    return conclude(standing, findings)


def conclude(standing: Standing, findings: tuple[Finding, ...]) -> Decision:
    """The decision that follows from findings, whichever rule made them, and from the plan."""
    cars, now = standing.cars, standing.now
    lost = silent(cars, standing.rules, now)
    progress = progress_of(standing, lost)
    verdict = worst(findings)
    plan = allowed(standing.rules.growth, now, progress)
    action, reason, until, text = _judged(standing, findings, plan)
    opening = None
    if action == "hold" and verdict == "clear" and not standing.paused:
        wider = _opening(standing, plan)
        if wider.newly or len(standing.steps) < plan.step:
            action, reason, opening = "advance", "plan", wider
        elif plan.waits == "complete":
            action = "finish"
    steps = plan.step if action in ("advance", "finish") else max(1, len(standing.steps))
    return Decision(
        action=action,
        as_of=now,
        mark=standing.mark,
        reason=reason,
        until=until,
        text=text,
        step=steps,
        steps=plan.steps,
        opening=opening,
        counts=counts(cars, lost, now),
        findings=findings,
    )


def _judged(
    standing: Standing, findings: tuple[Finding, ...], plan: Allowed
) -> tuple[Action, str, int | None, str]:
    """Action, reason, until and text, before it is known whether the plan opens more."""
    verdict = worst(findings)
    grave = [finding for finding in findings if finding.verdict == verdict]
    said = "; ".join(f"{finding.name}: {finding.text}" for finding in grave)
    if verdict == "abort":
        return "abort", "evidence", None, said
    if standing.paused:
        return "hold", "paused", None, standing.paused
    if verdict == "pause":
        return "pause", "evidence", None, said
    if verdict == "hold":
        ends = [finding.until for finding in grave if finding.until is not None]
        return "hold", "triage", min(ends, default=None), said
    return "hold", plan.waits, plan.until, plan.text


def _opening(standing: Standing, plan: Allowed) -> Opening:
    """What the plan opens; never less than what an earlier decision opened of the same segments."""
    cars, before = standing.cars, standing.opening
    free = ~cars.held_out
    if plan.segments:
        numbers = [standing.segments.index(name) for name in plan.segments if name in standing.segments]
        free &= np.isin(cars.segment, numbers)
    cut = 2**64 - 1 if plan.whole else cut_for(cars.place[free], plan.cars)
    if before is not None and before.cut and before.segments == plan.segments:
        cut = max(cut, int(before.cut, 16))
    if cut < 0:
        return Opening(cut="", segments=plan.segments, cars=0, newly=0)
    inside = free & (cars.place <= np.uint64(cut))
    newly = int((inside & (cars.opened > standing.now)).sum())
    return Opening(cut=f"{cut:016x}", segments=plan.segments, cars=int(inside.sum()), newly=newly)


def counts(cars: Cars, lost: Flags, now: int) -> dict[str, int]:
    """How many cars are how far; ``lost`` are those that fell silent and were not given up yet."""
    outcomes = np.bincount(cars.outcome, minlength=len(Outcome))
    return {
        "cars": len(cars),
        "held_out": int(cars.held_out.sum()),
        "opened": int((cars.opened <= now).sum()),
        "offered": int((cars.offered <= now).sum()),
        "started": int((cars.started <= now).sum()),
        "succeeded": int(outcomes[Outcome.SUCCEEDED]),
        "declined": int(outcomes[Outcome.DECLINED]),
        "cancelled": int(outcomes[Outcome.CANCELLED]),
        "failed": int(outcomes[Outcome.FAILED]),
        "fallback": int(outcomes[Outcome.FALLBACK]),
        "silent": int(lost.sum()) + int(outcomes[Outcome.SILENT]),
    }
