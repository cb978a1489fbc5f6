"""One look of the worker at a rollout: read what is known, decide, and do it in one change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from driveaway.book.state.state import Change, State
from driveaway.updates import assigning
from driveaway.updates.rollouts import keeping, members
from driveaway.updates.rollouts.columns import Cars
from driveaway.updates.rollouts.decision import Decision, Standing, decide
from driveaway.updates.rollouts.members import Members
from driveaway.updates.rollouts.plan import Rollout, RolloutStatus

_OFFERED_AT_ONCE: Final = 5_000
"""Actions made in one change: some 0.3 s, so that whoever else writes gets a turn."""
WORKER: Final = "worker"


@dataclass
class Driver:
    """Drives one rollout. One process does it at a time: the worker that holds the lease.

    Attributes:
        state: the operational tables.
        rollout: id of the rollout.
        simulated: whether the cars are simulated; its facts then say so.
    """

    state: State
    rollout: int
    simulated: bool = False
    _members: Members | None = field(default=None, repr=False)

    def look(self, now: int) -> Decision | None:
        """Enter new cars, decide, and do what was decided; None where the rollout does not run."""
        rollout = keeping.find_rollout(self.state, self.rollout)
        if rollout.status is RolloutStatus.READY and rollout.start_at is not None and rollout.start_at <= now:
            with self.state.change() as change:
                keeping.start(change, rollout, now, by=WORKER, simulated=self.simulated)
            rollout = keeping.find_rollout(self.state, self.rollout)
        if rollout.status is not RolloutStatus.RUNNING:
            return None
        self._enter(rollout, now)
        decision = decide(self.standing(rollout, now))
        with self.state.change() as change:
            self._act(change, rollout, decision, now)
        self.serve(now)
        return decision

    def standing(self, rollout: Rollout, now: int) -> Standing:
        """The rollout as it stands, from the tables."""
        if self._members is None:
            self._members = Members(self.rollout, rollout.plan.success)
        cars: Cars = self._members.read(self.state, now)
        health = self._members.health(self.state)
        record = rollout.record
        return Standing(
            rules=rollout.plan.rules,
            cars=cars,
            health=health,
            started=record.started if record.started is not None else now,
            now=now,
            segments=self._members.segments,
            opening=record.opening,
            steps=record.steps,
            holds=record.holds,
            cleared=record.cleared,
            paused=rollout.reason if rollout.status is RolloutStatus.PAUSED else "",
        )

    def serve(self, now: int) -> int:
        """Give open cars their action, some at a time; how many got one."""
        given = 0
        while True:
            with self.state.change() as change:
                rollout = keeping.find_rollout(change, self.rollout)
                if rollout.status not in (RolloutStatus.RUNNING, RolloutStatus.FINISHED):
                    return given
                waiting = members.unserved(change, rollout, _OFFERED_AT_ONCE)
                if waiting:
                    self._assign(change, rollout, waiting, now)
            given += len(waiting)
            if len(waiting) < _OFFERED_AT_ONCE:
                return given

    def _assign(self, change: Change, rollout: Rollout, waiting: list[tuple[int, str]], now: int) -> None:
        terms = rollout.plan.terms(rollout.id, rollout.approved_by or rollout.created_by)
        made = assigning.assign(
            change,
            rollout.distribution_set,
            [controller_id for _, controller_id in waiting],
            terms,
            now,
            most=None,
            simulated=self.simulated,
        )
        # A car that has it assigned already gets no action: 0 says that it was looked at.
        change.run_many(
            "UPDATE rollout_members SET action = :action WHERE rollout = :rollout AND target = :target",
            [
                {"rollout": rollout.id, "target": target, "action": made.actions.get(controller_id, 0)}
                for target, controller_id in waiting
            ],
        )

    def _enter(self, rollout: Rollout, now: int) -> None:
        while True:
            with self.state.change() as change:
                entered = members.enter(change, rollout, now)
            if entered == 0:
                return

    def _act(self, change: Change, rollout: Rollout, decision: Decision, now: int) -> None:
        said = self.simulated
        if decision.action == "pause":
            keeping.pause(change, rollout, now, reason=decision.text, decision=decision, simulated=said)
        elif decision.action == "abort":
            keeping.abort(change, rollout, now, reason=decision.text, decision=decision, simulated=said)
        elif decision.action == "finish":
            members.release_holdout(change, rollout, now)
            keeping.note(change, rollout, decision, now, status=RolloutStatus.FINISHED, simulated=said)
        else:
            if decision.opening is not None:
                members.open_places(change, rollout, decision.opening, now)
            keeping.note(change, rollout, decision, now, simulated=said)
