"""The availability of one function in the car, as a state machine.

::

    unavailable <--gate--> available --driver--> active <--border--> leaving
         ^                     ^                    |                   |
         +---------------------+----driver, ODD, ignition---------------+

**A gate decides only whether the next activation is allowed.** It moves the function between unavailable and
available, and announces that an opened place is being left. Only the driver, the car's own logic of the
operational design domain (ODD, ISO 34503; it hands over to the driver) and the ignition end a session: a
jump of the position, expired metadata, a clock that is wrong or a withdrawn release never does.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Literal

from driveaway.updates.gates.border import Borders, Leaving
from driveaway.updates.gates.expression import Within
from driveaway.updates.gates.judging import CarState, Judge, Reason, Verdict
from driveaway.updates.gates.policy import Policy
from driveaway.updates.gates.position import Fix, Limits, Track, follow
from driveaway.updates.gates.versions import Compare, compare
from driveaway.values.errors import Refused

Standing = Literal["valid", "expired", "withdrawn", "unverified"]
"""Of the signed metadata that the policy came with."""
By = Literal["driver", "odd", "ignition"]
_STANDINGS: Final[dict[str, str]] = {
    "expired": "metadata that has not expired",
    "withdrawn": "a release that is not withdrawn",
    "unverified": "a policy whose signatures are verified",
}


class State(StrEnum):
    """Of a function in the car; active and leaving are both switched on."""

    UNAVAILABLE = "unavailable"
    AVAILABLE = "available"
    ACTIVE = "active"
    LEAVING = "leaving"


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What the car knows at one moment.

    Attributes:
        car: its state; the position in it is not used, that comes from the fixes. ``now`` is None where the
            clock is not to be trusted (``plausible_time``).
        at: on the clock that never jumps, microseconds.
        odometer: m.
        fix: a new fix, if there is one.
        standing: of the policy's metadata.
    """

    car: CarState
    at: int
    odometer: float
    fix: Fix | None = None
    standing: Standing = "valid"


@dataclass(frozen=True)
class Session:
    """The state of one function.

    Attributes:
        state: see above.
        verdict: on the next activation.
        leaving: the border ahead, where one is announced.
        track: what is believed of the car's way.
        granted: the car as it was when it was switched on: borders are looked for with it, so that what
            changes meanwhile (the clock, a new policy's date) does not announce a border that is none.
        ended: who ended the last session.
    """

    state: State = State.UNAVAILABLE
    verdict: Verdict = field(default_factory=lambda: Verdict(None))
    leaving: Leaving | None = None
    track: Track = field(default_factory=Track)
    granted: CarState | None = None
    ended: By | None = None

    @property
    def on(self) -> bool:
        """Whether the function is switched on."""
        return self.state in (State.ACTIVE, State.LEAVING)


class Availability:
    """One policy, applied to sessions. A new policy takes a running session over as it is.

    Args:
        policy: from verified metadata; None: there is none, and nothing can be activated.
        order: how versions are compared.
    """

    def __init__(self, policy: Policy | None, order: Compare = compare) -> None:
        self.policy = policy
        self._limits = policy.limits if policy else Limits()
        self._judge = Judge(policy.gate, policy.places, order) if policy else None
        self._borders = Borders(self._judge, policy.places) if policy and self._judge else None

    def observe(self, session: Session, sight: Sight) -> Session:
        """The session after a look at the world. Whatever is seen, what is on stays on."""
        track = follow(session.track, sight.fix, self._limits) if sight.fix else session.track
        position = track.position(sight.at, sight.odometer, self._limits)
        car = replace(sight.car, position=position)
        verdict = self._verdict(car, sight.standing)
        if not session.on:
            state = State.AVAILABLE if verdict.eligible else State.UNAVAILABLE
            return replace(session, state=state, verdict=verdict, leaving=None, track=track)
        leaving = self._leaving(session, position, track, sight.odometer)
        state = State.ACTIVE if leaving is None else State.LEAVING
        return replace(session, state=state, verdict=verdict, leaving=leaving, track=track)

    def activate(self, session: Session, sight: Sight) -> Session:
        """The driver switches the function on.

        Raises:
            Refused: the gate is closed; the first reason is named.
        """
        session = self.observe(session, sight)
        if session.on:
            return session
        if session.state is not State.AVAILABLE:
            first = session.verdict.first
            raise Refused(
                f"the function is not available: {first or 'nothing opens it'}",
                code="function.unavailable",
                remedy="the reasons say what is needed",
            )
        return self.observe(
            replace(session, state=State.ACTIVE, granted=sight.car, ended=None), replace(sight, fix=None)
        )

    def end(self, session: Session, by: By) -> Session:
        """The driver, the ODD logic or the ignition switches the function off: the only ways."""
        if not session.on:
            return session
        state = State.AVAILABLE if session.verdict.eligible else State.UNAVAILABLE
        return replace(session, state=state, leaving=None, granted=None, ended=by)

    def _verdict(self, car: CarState, standing: Standing) -> Verdict:
        if self._judge is None:
            return Verdict(False, (Reason("gate.policy", "a policy", "none"),))
        if standing != "valid":
            return Verdict(False, (Reason(f"gate.{standing}", _STANDINGS[standing], standing),))
        return self._judge.verdict(car)

    def _leaving(
        self, session: Session, position: tuple[int, int] | None, track: Track, odometer: float
    ) -> Leaving | None:
        """What is announced. Without a believed position, what was announced stands."""
        fix, car = track.trusted, session.granted
        believed = fix is not None and track.elsewhere is None and position is not None
        if self._judge is None or self._borders is None or fix is None or car is None or not believed:
            return session.leaving
        verdict = self._judge.verdict(replace(car, position=position))
        if verdict.eligible:
            # Since the last fix the car may have gone towards the border all the way.
            here = replace(fix, accuracy=fix.accuracy + max(0.0, odometer - fix.odometer))
            return self._borders.ahead(car, here, self._limits)
        outside = any(
            isinstance(self._judge.conditions.leaves[number].leaf, Within) and not reason.unknown
            for number, reason in zip(verdict.conditions, verdict.reasons, strict=True)
        )
        return Leaving(0.0, 0.0) if outside else session.leaving


def plausible_time(clock: int | None, signed: int | None) -> int | None:
    """The clock's time, unless it lies before a time that verified metadata shows to be past.

    Args:
        clock: microseconds since 1970 UTC.
        signed: the newest time in verified metadata, alike.
    """
    return None if clock is None or (signed is not None and clock < signed) else clock
