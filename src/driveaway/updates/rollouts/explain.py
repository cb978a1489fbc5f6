"""Why one car gets a release, or not: reasons in a fixed order, each with what it rests on."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from driveaway.updates.rollouts.columns import Outcome

Code = Literal[
    "up_to_date",
    "not_targeted",
    "excluded_version",
    "below_minimum_version",
    "not_compatible",
    "release_first",
    "unsolvable",
    "gate",
    "rollout_ended",
    "rollout_paused",
    "rollout_not_started",
    "held_out",
    "wave_not_open",
    "another_rollout_first",
    "failed_before",
    "declined",
    "cancelled",
    "awaits_confirmation",
    "window_closed",
    "silent",
    "not_asked_yet",
    "installing",
    "downloaded",
    "offered",
]
"""In the order in which they are asked: the first one that says no is the answer."""

_FAILURES: Final = {
    Outcome.FAILED: "failed to install",
    Outcome.FALLBACK: "came back on its old slot",
    Outcome.SILENT: "began to install and did not come back in its time",
}
RolloutState: TypeAlias = Literal["planned", "running", "held", "paused", "aborted", "finished"]
"""Of a rollout; "held": no further car is opened, those that are open are served."""


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One reason.

    Attributes:
        code: stable; doors may say it in another language.
        gets_it: whether the car gets the release as far as this reason goes.
        text: in words.
        until: when it may be otherwise, at the earliest, microseconds since 1970 UTC; None: not known.
    """

    code: Code
    gets_it: bool = False
    text: str
    until: int | None = None


class CarSituation(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about one car and one rollout. Times are microseconds since 1970 UTC.

    Attributes:
        release: the version that is rolled out.
        running: the version that the car reported last; None: none yet.
        targeted: whether the rollout's filter names the car.
        excluded: whether the release excludes the version that the car runs.
        minimum: the version that the release needs first, where the car runs an older one.
        incompatible: why its hardware or modules do not fit; "" if they do.
        before: releases that bring what is lacking, in the order in which they are to be taken; "" if none.
        unsolvable: why no release that is published brings it; "" where that is not so.
        gate: why a gate of place, hardware, trim, entitlement or training is closed; "" if open.
        rollout: how the rollout stands.
        why: why it is held, paused or aborted.
        held_out: whether the car is in the holdout.
        place: its place among the cars outside the holdout as a share, 0 for the first.
        opened: when its place was opened; None: not yet.
        opens_in: stage that opens its place, and how many there are; None: the plan has none.
        stage: stage that is open.
        next_step: when the next stage may open at the earliest; None: not known.
        first: the rollout of greater weight that is before it; "" if none.
        window_opens: when its window (local night, maintenance) opens next; None: it is open.
        outcome: of the installation.
        attempts_left: how many retries are left after a failure.
        retry_at: when the next one is.
        unconfirmed: whether the owner's consent is waited for.
        offered: when it was told; None: not yet.
        started: when its installation began; None: not yet.
        silent: whether it fell silent after that.
        seen: when it was last heard of; None: never.
        holds: whether it has downloaded the release and not installed it.
    """

    release: str
    running: str | None = None
    targeted: bool = True
    excluded: bool = False
    minimum: str = ""
    incompatible: str = ""
    before: str = ""
    unsolvable: str = ""
    gate: str = ""
    rollout: RolloutState = "running"
    why: str = ""
    held_out: bool = False
    place: float = 0.0
    opened: int | None = None
    opens_in: tuple[int, int] | None = None
    stage: int = 0
    next_step: int | None = None
    first: str = ""
    window_opens: int | None = None
    outcome: Outcome = Outcome.PENDING
    attempts_left: int = 0
    retry_at: int | None = None
    unconfirmed: bool = False
    offered: int | None = None
    started: int | None = None
    silent: bool = False
    seen: int | None = None
    holds: bool = False


def explain(car: CarSituation) -> tuple[Reason, ...]:
    """All reasons that hold, in the fixed order; the first one is the answer.

    A car that gets the release has one reason, which says how far it is.
    """
    if car.running != car.release and car.outcome == Outcome.SUCCEEDED and car.holds:
        text = f"it has downloaded {car.release}, and was not asked to install it"
        return (Reason(code="downloaded", gets_it=True, text=text),)
    if car.outcome == Outcome.SUCCEEDED or car.running == car.release:
        return (Reason(code="up_to_date", gets_it=True, text=f"it runs {car.release}"),)
    reasons = [*_release(car), *_rollout(car), *_car(car)]
    return tuple(reasons) or (_on_its_way(car),)


def _release(car: CarSituation) -> list[Reason]:
    """What the release says."""
    out = []
    if not car.targeted:
        out.append(Reason(code="not_targeted", text="the rollout's filter does not name it"))
    if car.excluded:
        out.append(
            Reason(code="excluded_version", text=f"{car.release} excludes cars that run {car.running}")
        )
    if car.minimum:
        runs = car.running or "no known version"
        text = f"{car.release} needs {car.minimum} first, and it runs {runs}"
        out.append(Reason(code="below_minimum_version", text=text))
    if car.incompatible:
        out.append(Reason(code="not_compatible", text=car.incompatible))
    if car.before:
        out.append(Reason(code="release_first", text=f"it can take {car.release} after {car.before}"))
    if car.unsolvable:
        out.append(Reason(code="unsolvable", text=f"nothing published helps: {car.unsolvable}"))
    if car.gate:
        out.append(Reason(code="gate", text=car.gate))
    return out


def _rollout(car: CarSituation) -> list[Reason]:
    """What the rollout says."""
    out = []
    because = f": {car.why}" if car.why else ""
    if car.rollout in ("aborted", "finished"):
        out.append(Reason(code="rollout_ended", text=f"the rollout is {car.rollout}{because}"))
    if car.rollout == "paused":
        out.append(Reason(code="rollout_paused", text=f"the rollout is paused{because}"))
    if car.rollout == "planned":
        out.append(
            Reason(code="rollout_not_started", text="the rollout has not started", until=car.next_step)
        )
    if car.held_out:
        text = "it is in the holdout, which stays behind as a control until the campaign ends"
        out.append(Reason(code="held_out", text=text))
    elif car.opened is None:
        at = f"its place is at {car.place:.1%} of the cars"
        if car.opens_in is not None:
            at = f"wave {car.opens_in[0]} of {car.opens_in[1]} is not open yet (now {car.stage}); {at}"
        at += "; it has downloaded it already" if car.holds else ""
        held = f"; the rollout is held{because}" if car.rollout == "held" else ""
        out.append(Reason(code="wave_not_open", text=at + held, until=car.next_step))
    if car.first:
        out.append(Reason(code="another_rollout_first", text=f"{car.first} has the greater weight"))
    return out


def _car(car: CarSituation) -> list[Reason]:
    """What the car, or its owner, says."""
    out = []
    if car.outcome in _FAILURES:
        how = _FAILURES[car.outcome]
        again = "it is tried again" if car.attempts_left else "it is not tried again by itself"
        until = car.retry_at if car.attempts_left else None
        out.append(Reason(code="failed_before", text=f"it {how}; {again}", until=until))
    if car.outcome == Outcome.DECLINED:
        out.append(Reason(code="declined", text="the owner declined"))
    if car.outcome == Outcome.CANCELLED:
        out.append(Reason(code="cancelled", text="it was cancelled for this car"))
    if car.unconfirmed:
        out.append(Reason(code="awaits_confirmation", text="the owner has not consented yet"))
    if car.window_opens is not None and car.started is None:
        text = "its window is closed: the link is withheld"
        out.append(Reason(code="window_closed", text=text, until=car.window_opens))
    if car.silent:
        out.append(Reason(code="silent", text="it began to install and has not been heard of in its time"))
    return out


def _on_its_way(car: CarSituation) -> Reason:
    if car.started is not None:
        return Reason(code="installing", gets_it=True, text="it is installing, or about to report")
    if car.offered is not None:
        return Reason(code="offered", gets_it=True, text="it was told and has not begun to install")
    heard = "it was never heard of" if car.seen is None else "it is told when it asks next"
    return Reason(code="not_asked_yet", gets_it=car.seen is not None, text=heard)
