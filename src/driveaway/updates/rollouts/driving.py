"""One look of the worker at a rollout: read what is known, decide, and do it in short changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import msgspec

from driveaway.book.state.state import Change, State
from driveaway.updates import assigning
from driveaway.updates.assigning import Terms, Window
from driveaway.updates.fitting import unfit
from driveaway.updates.model import ActionType
from driveaway.updates.rollouts import groups, keeping, members, tending
from driveaway.updates.rollouts.decision import Decision, Standing, decide
from driveaway.updates.rollouts.plan import Rollout, RolloutStatus
from driveaway.updates.rollouts.plans import ByGroups
from driveaway.updates.rollouts.reading import Members
from driveaway.updates.rollouts.thresholding import decide_by_thresholds
from driveaway.values.clock import SECOND
from driveaway.values.errors import Conflict

_OFFERED_AT_ONCE: Final = 2_500
"""Actions made in one change: some 0.15 s, so that whoever else writes gets a turn."""
_NEW_CARS_EVERY: Final = 60 * SECOND
"""Every car there is may have to be looked at to find those that joined."""
_PREPARED: Final = (RolloutStatus.READY, RolloutStatus.WAITING_FOR_APPROVAL)
WORKER: Final = "worker"


@dataclass
class Driver:
    """Drives one rollout. One process does it at a time: the worker that holds the lease.

    If two do all the same, the book's write lock and the rollout's record keep them apart: what one has
    decided, the other does not decide again.

    Attributes:
        state: the operational tables.
        rollout: id of the rollout.
        simulated: whether the cars are simulated; its facts then say so.
        fence: called first in every change; it raises where this process may not write any more.
    """

    state: State
    rollout: int
    simulated: bool = False
    fence: Callable[[Change], None] | None = None
    _members: Members | None = field(default=None, repr=False)
    _entered: int = field(default=-_NEW_CARS_EVERY, repr=False)
    # Open cars without an action: what does not fit them as they are, and what had it; None: not known yet.
    _unfit: set[int] | None = field(default=None, repr=False)
    _had_it: set[int] | None = field(default=None, repr=False)

    def look(self, now: int) -> Decision | None:
        """Enter new cars, decide, and do what was decided.

        Returns:
            The decision; None where the rollout does not run, cars only download yet, or somebody else
            decided meanwhile.
        """
        rollout = keeping.find_rollout(self.state, self.rollout)
        if rollout.plan.hawkbit and not rollout.record.grouped and rollout.status in _PREPARED:
            self._enter(rollout, now)
            rollout = keeping.find_rollout(self.state, self.rollout)
        if rollout.status is RolloutStatus.READY and rollout.start_at is not None and rollout.start_at <= now:
            with self._change() as change:
                keeping.start(change, rollout, now, by=WORKER, simulated=self.simulated)
        self._settle(now)
        rollout = keeping.find_rollout(self.state, self.rollout)
        if rollout.status is not RolloutStatus.RUNNING:
            if rollout.status is RolloutStatus.FINISHED and rollout.record.settling is not None:
                self.serve(now)
                self._settle(now)
            return None
        rollout = self._enter(rollout, now)
        installs = rollout.plan.installs_from
        if installs is not None and now < installs:
            self.download(now)
            return None
        standing = self.standing(rollout, now)
        decision = (
            decide_by_thresholds(standing, rollout.plan.hawkbit) if rollout.plan.hawkbit else decide(standing)
        )
        try:
            with self._change() as change:
                self._act(change, rollout, standing, decision, now)
        except Conflict as conflict:
            if conflict.code != "rollout.changed":
                raise
            return None
        self._settle(now)
        self.serve(now)
        self._settle(now)
        return decision

    def standing(self, rollout: Rollout, now: int) -> Standing:
        """The rollout as it stands, from the tables."""
        if self._members is None:
            self._members = Members(self.rollout, rollout.plan.succeeds)
        cars = self._members.read(self.state, now)
        health = self._members.health(self.state)
        record = rollout.record
        return Standing(
            rules=rollout.plan.rules,
            cars=cars,
            health=health,
            started=now if rollout.begun is None else rollout.begun,
            now=now,
            segments=self._members.segments,
            opening=record.opening,
            steps=record.steps,
            holds=record.holds,
            cleared=record.cleared,
            paused=rollout.reason if rollout.status is RolloutStatus.PAUSED else "",
            aside=self._members.flags(self._aside(rollout)),
        )

    def _aside(self, rollout: Rollout) -> set[int]:
        """Open cars that can have no outcome, as they stood when they were last served."""
        if self._had_it is None:
            self._had_it = members.had_it(self.state, rollout)
        if self._unfit is None:
            self._unfit, last = set(), 0
            while some := [row[0] for row in members.unserved(self.state, rollout, _OFFERED_AT_ONCE, last)]:
                self._unfit |= unfit(self.state, rollout.distribution_set, some).keys()
                last = some[-1]
        return self._unfit | self._had_it

    def serve(self, now: int) -> int:
        """Give open cars that the release fits their action, some at a time; how many were looked at.

        The others are looked at again the next time: they may report another version until then.
        """
        given, last = 0, 0
        misfits: set[int] = set()
        rollout = keeping.find_rollout(self.state, self.rollout)
        while first := members.unserved(self.state, rollout, _OFFERED_AT_ONCE, last):
            before, last = last, first[-1][0]
            # Asked outside the change, which others wait for; a car checks for itself in any case.
            ids = [row[0] for row in first]
            wrong = unfit(self.state, rollout.distribution_set, ids).keys()
            misfits |= wrong
            fitting = set(ids) - wrong
            if not fitting:
                continue
            with self._change() as change:
                rollout = keeping.find_rollout(change, self.rollout)
                if rollout.status not in (RolloutStatus.RUNNING, RolloutStatus.FINISHED):
                    return given
                rows = members.unserved(change, rollout, _OFFERED_AT_ONCE, before)
                waiting = [row for row in rows if row[0] in fitting]
                if waiting:
                    self._assign(change, rollout, waiting, now)
            given += len(waiting)
        self._unfit = misfits
        return given

    def download(self, now: int) -> int:
        """Ask cars that the release fits to download it, before it is installed anywhere; how many."""
        given, last = 0, 0
        rollout = keeping.find_rollout(self.state, self.rollout)
        growth = rollout.plan.rules.growth
        named = (
            {each for group in growth.groups for each in group.segments}
            if isinstance(growth, ByGroups)
            else None
        )
        while cars := members.to_download(self.state, rollout, _OFFERED_AT_ONCE, last):
            before, last = last, cars[-1][0]
            wanted = [target for target, _, segment in cars if named is None or segment in named]
            fitting = set(wanted) - unfit(self.state, rollout.distribution_set, wanted).keys()
            with self._change() as change:
                rollout = keeping.find_rollout(change, self.rollout)
                if rollout.status is not RolloutStatus.RUNNING:
                    return given
                left = members.to_download(change, rollout, _OFFERED_AT_ONCE, before)
                terms = Terms(
                    type=ActionType.DOWNLOAD_ONLY,
                    weight=rollout.plan.weight,
                    confirmation=False,
                    rollout=rollout.id,
                    initiated_by=rollout.approved_by or rollout.created_by,
                )
                made = assigning.assign(
                    change,
                    rollout.distribution_set,
                    [controller_id for target, controller_id, _ in left if target in fitting],
                    terms,
                    now,
                    most=None,
                    checked=True,
                    simulated=self.simulated,
                )
            given += len(made.actions)
        return given

    def tend(self, now: int) -> tending.Tended:
        """Give up silent cars, note those that fell back, try again what failed: some at a time."""
        tended = tending.Tended()
        while True:
            rollout = keeping.find_rollout(self.state, self.rollout)
            if rollout.status not in tending.TENDED:
                return tended
            due = tending.due(self.state, rollout, now)
            if not any(due):
                return tended
            with self._change() as change:
                tended += tending.tend(change, due, now, simulated=self.simulated)
            if not due.more:
                return tended

    @contextmanager
    def _change(self) -> Iterator[Change]:
        with self.state.change() as change:
            if self.fence is not None:
                self.fence(change)
            yield change

    def _settle(self, now: int) -> None:
        if keeping.find_rollout(self.state, self.rollout).record.settling is None:
            return
        more = True
        while more:
            with self._change() as change:
                more = keeping.settle(change, self.rollout, now)

    def _assign(
        self, change: Change, rollout: Rollout, waiting: list[tuple[int, str, str, int]], now: int
    ) -> None:
        ids = {group.position: group.id for group in groups.all_groups(change, rollout.id)}
        step = len(rollout.record.steps)
        nights = self._nights(change, rollout, [row[0] for row in waiting], now)
        alike: dict[tuple[int, Window | None], list[tuple[int, str]]] = {}
        for target, controller_id, segment, held_out in waiting:
            group = groups.position_of(rollout.plan, step, segment, bool(held_out))
            alike.setdefault((group, nights.get(target)), []).append((target, controller_id))
        for (position, night), cars in alike.items():
            terms = self._terms(rollout, position, ids.get(position), night)
            made = assigning.assign(
                change,
                rollout.distribution_set,
                [controller_id for _, controller_id in cars],
                terms,
                now,
                most=None,
                checked=True,
                simulated=self.simulated,
            )
            if self._had_it is not None:
                self._had_it |= {target for target, vin in cars if vin not in made.actions}
            # A car that has it assigned already gets no action: 0 says that it was looked at.
            change.run_many(
                "UPDATE rollout_members SET action = :action WHERE rollout = :rollout AND target = :target",
                [
                    {"rollout": rollout.id, "target": target, "action": made.actions.get(controller_id, 0)}
                    for target, controller_id in cars
                ],
            )

    def _terms(self, rollout: Rollout, position: int, group: int | None, night: Window | None) -> Terms:
        terms = rollout.plan.terms(rollout.id, rollout.approved_by or rollout.created_by)
        confirmation = terms.confirmation
        if rollout.plan.hawkbit and rollout.plan.hawkbit[position].confirmation is not None:
            confirmation = rollout.plan.hawkbit[position].confirmation
        return msgspec.structs.replace(
            terms, rollout_group=group, window=night or terms.window, confirmation=confirmation
        )

    def _nights(self, change: Change, rollout: Rollout, targets: list[int], now: int) -> dict[int, Window]:
        """The window of each car that installs by night only, by the clock where it is."""
        night = rollout.plan.night
        if night is None:
            return {}
        zones = tending.values_of(change, targets, night.attribute) if night.attribute else {}
        windows = {name: night.window(now, name) for name in {"", *zones.values()}}
        return {target: windows[zones.get(target, "")] for target in targets}

    def _enter(self, rollout: Rollout, now: int) -> Rollout:
        """Enter cars, and with hawkBit's groups divide them, once."""
        if rollout.record.grouped or self._entered <= now < self._entered + _NEW_CARS_EVERY:
            return rollout
        last = 0
        while cars := members.strangers(self.state, rollout, now, last):
            with self._change() as change:
                members.enter(change, keeping.find_rollout(change, rollout.id), cars, now)
            last = cars[-1][0]
        self._entered = now
        if not rollout.plan.hawkbit:
            return rollout
        for part in members.divide(self.state, rollout, now):
            with self._change() as change:
                change.run_many(members.MARK, part)
        with self._change() as change:
            keeping.note_grouped(change, rollout)
            grouped = keeping.find_rollout(change, rollout.id)
            standing = self.standing(grouped, now)
            groups.count(change, rollout.id, groups.totals(rollout.plan, standing).tolist())
        self._members = None
        return grouped

    def _act(
        self, change: Change, rollout: Rollout, standing: Standing, decision: Decision, now: int
    ) -> None:
        said = self.simulated
        if decision.action == "pause":
            keeping.pause(change, rollout, now, reason=decision.text, decision=decision, simulated=said)
        elif decision.action == "abort":
            keeping.abort(change, rollout, now, reason=decision.text, decision=decision, simulated=said)
        elif decision.action == "finish":
            keeping.note(change, rollout, decision, now, status=RolloutStatus.FINISHED, simulated=said)
        else:
            keeping.note(change, rollout, decision, now, simulated=said)
        groups.refresh(change, rollout.id, rollout.plan, standing, decision)
