"""Life cycles of actions at random, the database beside a small model of what hawkBit's protocol says."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from driveaway.launch.launch import Launch
from driveaway.updates.actions import log, steering
from driveaway.updates.configuration import configure
from driveaway.updates.ddi import messages
from driveaway.updates.model import ActionType, Outcome, TargetStatus
from driveaway.values.errors import DriveawayError
from tests.stores.acts import Place
from tests.stores.garage import VINS, Garage, garage

CARS = VINS[:2]
WAYS = st.sampled_from(
    ["proceeding", "resumed", "rejected", "download", "downloaded", "canceled", *["closed"] * 4]
)
ENDS = st.sampled_from(["success", "failure", "none"])
CAR = st.sampled_from(CARS)


@dataclass
class Modelled:
    """An action as it should be."""

    id: int
    car: str
    release: int
    type: ActionType
    weight: int
    state: str = "running"
    outcome: str | None = None
    entries: int = 1
    heard: bool = False
    said: set[Any] = field(default_factory=set)
    answered: set[Any] = field(default_factory=set)

    @property
    def active(self) -> bool:
        return self.outcome is None

    def close(self, state: str, outcome: str) -> None:
        self.state, self.outcome = state, outcome


class Lives(RuleBasedStateMachine):
    """What cars and operators do, in any order."""

    actions = Bundle("actions")

    def __init__(self, open_garage: Callable[[], tuple[Garage, ExitStack]]) -> None:
        super().__init__()
        self.g, self.stack = open_garage()
        self.g.enter(*CARS)
        self.releases = [self.g.release(version) for version in ("1", "2", "3")]
        self.known: dict[int, Modelled] = {}
        self.installed: dict[str, int | None] = dict.fromkeys(CARS)
        self.assigned: dict[str, int | None] = dict.fromkeys(CARS)
        # The book forgets nothing of earlier examples.
        self.before = {car: len(self.g.facts(car)) for car in CARS}
        self.outcomes: dict[str, list[str]] = {car: [] for car in CARS}
        self.auto: set[str] = set()
        self.several = self.confirming = False

    def teardown(self) -> None:
        self.stack.close()

    def of(self, car: str) -> list[Modelled]:
        """The active actions of a car, the one that it sees first."""
        mine = (one for one in self.known.values() if one.car == car and one.active)
        return sorted(mine, key=lambda one: (-one.weight, one.id))

    def ended(self, one: Modelled, state: str, outcome: str) -> None:
        """An action is over: the car follows."""
        one.close(state, outcome)
        self.outcomes[one.car].append(outcome)
        following = self.of(one.car)
        if outcome == "installed":
            self.installed[one.car] = one.release
            if not following:
                self.assigned[one.car] = one.release
        elif outcome != "downloaded":
            fallback = None if outcome in ("failed", "silent") else self.installed[one.car]
            self.assigned[one.car] = following[0].release if following else fallback

    def holds(self, car: str, release: int) -> bool:
        """Whether the newest that the car was asked about a release is a download, done or under way."""
        about = [one for one in self.known.values() if (one.car, one.release) == (car, release)]
        return any(
            one.type is ActionType.DOWNLOAD_ONLY
            and ((one.active and one.state != "canceling") or one.outcome == "downloaded")
            and not any(
                other.id > one.id and (other.active or other.outcome == "installed") for other in about
            )
            for one in about
        )

    def tried(self, ask: Callable[[], Any], code: str | None) -> None:
        """Do it, and see that it is refused with this code, or not at all."""
        found = None
        try:
            ask()
        except DriveawayError as error:
            found = error.code
        assert found == code

    # --- operators ---

    @initialize(several=st.booleans(), confirming=st.sampled_from([False, False, True]))
    def set_up(self, several: bool, confirming: bool) -> None:
        self.several, self.confirming = several, confirming
        with self.g.state.change() as change:
            configure(change, "multi.assignments.enabled", several, self.g.at)
            configure(change, "user.confirmation.flow.enabled", confirming, self.g.at)
        self.g.catch_up()

    @rule(
        target=actions,
        car=CAR,
        release=st.integers(0, 2),
        kind=st.sampled_from([ActionType.FORCED, ActionType.SOFT, ActionType.DOWNLOAD_ONLY]),
        weight=st.sampled_from([10, 500, 1000]),
    )
    def assign(self, car: str, release: int, kind: ActionType, weight: int) -> int:
        wanted = self.releases[release]
        installs = kind is not ActionType.DOWNLOAD_ONLY
        holds = installs and self.holds(car, wanted)
        made = self.g.assigned(wanted, car, type=kind, weight=weight)
        if not self.several and self.assigned[car] == wanted and not holds:
            assert not made.actions
            assert made.already == 1
            return 0
        if installs:
            # What was only to be downloaded goes on under the new action.
            for older in sorted(self.of(car), key=lambda one: one.id):
                same = (older.type, older.release) == (ActionType.DOWNLOAD_ONLY, wanted)
                if same and older.state != "canceling":
                    older.entries += 1
                    self.ended(older, "canceled", "cancelled")
        if not self.several:
            for older in self.of(car):
                if older.state != "canceling":
                    older.state = "canceling"
                    older.answered.clear()
                    older.entries += 1
        new = Modelled(made.actions[car], car, wanted, kind, weight)
        if self.confirming and car not in self.auto:
            new.state = "wait_for_confirmation"
        self.known[new.id] = new
        self.assigned[car] = wanted
        return new.id

    @rule(action=actions, force=st.booleans())
    def cancel(self, action: int, force: bool) -> None:
        one = self.known.get(action)

        def ask() -> None:
            with self.g.state.change() as change:
                steering.cancel(change, action, self.g.at, force=force)

        if one is None:
            self.tried(ask, "action.unknown")
        elif not one.active:
            self.tried(ask, "action.closed")
        elif force:
            self.tried(ask, None if one.state == "canceling" else "action.not_canceling")
            if one.state == "canceling":
                one.entries += 1
                self.ended(one, "canceled", "cancelled")
        else:
            self.tried(ask, "action.canceling" if one.state == "canceling" else None)
            if one.state != "canceling":
                one.state = "canceling"
                one.answered.clear()
                one.entries += 1

    @rule(action=actions, really=st.sampled_from([False, False, False, True]))
    def give_up(self, action: int, really: bool) -> None:
        one = self.known.get(action)
        if one is None or not really:
            return
        with self.g.state.change() as change:
            closed = steering.give_up(change, [action], Outcome.SILENT, ["no word"], self.g.at)
        assert closed == one.active
        if one.active:
            one.entries += 1
            self.ended(one, "error", "silent")

    # --- cars ---

    @rule(action=actions, execution=WAYS, finished=ENDS, time=st.integers(1, 3))
    def say(self, action: int, execution: str, finished: str, time: int) -> None:
        one = self.known.get(action)
        if one is None:
            return
        key = (execution, finished, time)

        def ask() -> None:
            self.g.say(one.car, action, execution, finished, time=str(time))

        if key in one.said:
            self.tried(ask, None)
            return
        fetched = one.outcome == "downloaded" and one.state == "downloaded"
        if one.state == "wait_for_confirmation":
            self.tried(ask, "action.waiting")
            return
        if not one.active and not (fetched and execution == "closed"):
            self.tried(ask, "action.closed")
            return
        self.tried(ask, None)
        one.said.add(key)
        one.heard = True
        one.entries += 1
        alone = one.type is ActionType.DOWNLOAD_ONLY
        if execution == "closed" and finished == "failure":
            self.ended(one, "error", "failed")
        elif execution == "closed":
            self.ended(one, "finished", "skipped" if alone and not fetched else "installed")
        elif execution == "canceled":
            self.ended(one, "canceled", "cancelled")
        elif execution == "downloaded" and alone:
            self.ended(one, "downloaded", "downloaded")
        elif one.state != "canceling":
            states = {"rejected": "warning", "download": "download", "downloaded": "downloaded"}
            one.state = states.get(execution, "running")

    @rule(action=actions, execution=WAYS, finished=ENDS, time=st.integers(1, 2))
    def answer(self, action: int, execution: str, finished: str, time: int) -> None:
        """To a request to cancel."""
        one = self.known.get(action)
        if one is None:
            return
        key = (execution, finished, time)

        def ask() -> None:
            self.g.answer(one.car, action, execution, finished, time=str(time))

        if key in one.answered:
            self.tried(ask, None)
            return
        if one.state != "canceling":
            self.tried(ask, "action.not_canceling" if one.active else "action.closed")
            return
        self.tried(ask, None)
        one.answered.add(key)
        one.heard = True
        one.entries += 1
        if execution == "closed" and finished != "failure":
            self.ended(one, "canceled", "cancelled")
        elif execution in ("closed", "rejected"):
            one.state = "running"

    @rule(action=actions, agreed=st.booleans(), code=st.integers(1, 2))
    def confirm(self, action: int, agreed: bool, code: int) -> None:
        one = self.known.get(action)
        if one is None:
            return
        said = messages.ConfirmationFeedback(confirmation="confirmed" if agreed else "denied", code=code)

        def ask() -> None:
            self.g.settled(self.g.desk.confirm(one.car, action, said))

        if ("confirm", agreed, code) in one.said:
            self.tried(ask, None)
        elif one.state == "wait_for_confirmation":
            self.tried(ask, None)
            one.said.add(("confirm", agreed, code))
            one.entries += 1
            one.state = "running" if agreed else one.state
        else:
            self.tried(ask, "action.not_waiting" if one.active else "action.closed")

    @rule(car=CAR, place=st.integers(0, 2), finished=ENDS, time=st.integers(1, 9))
    def finish(self, car: str, place: int, finished: str, time: int) -> None:
        """A car brings one of its actions to an end, most often not the one that it should."""
        mine = self.of(car)
        if not mine:
            return
        one = mine[place % len(mine)]
        if one.state == "wait_for_confirmation":
            self.confirm(one.id, True, time)
        elif one.state == "canceling" and place:
            self.answer(one.id, "closed", finished, time)
        else:
            self.say(one.id, "closed", finished, time)

    @rule(car=CAR, on=st.booleans())
    def auto_confirm(self, car: str, on: bool) -> None:
        desk = self.g.desk
        self.g.settled(desk.activate_auto_confirm(car) if on else desk.deactivate_auto_confirm(car))
        if not on:
            self.auto.discard(car)
            return
        self.auto.add(car)
        for one in self.of(car):
            if one.state == "wait_for_confirmation":
                one.state = "running"
                one.entries += 1

    @rule(car=CAR)
    def poll_and_fetch(self, car: str) -> None:
        """A car does what its one link says."""
        links = self.g.base(car)
        exposed = {"deploymentBase", "cancelAction", "confirmationBase"} & links.keys()
        first = next(iter(self.of(car)), None)
        if first is None:
            assert not exposed
            return
        wanted = {"canceling": "cancelAction", "wait_for_confirmation": "confirmationBase"}
        assert exposed == {wanted.get(first.state, "deploymentBase")}
        assert f"/{first.id}" in links[exposed.pop()]
        if "deploymentBase" in links:
            self.g.desk.deployment(car, first.id, 0, self.g.links(car))
            self.g.settled()
            if first.state == "running" and not first.heard:
                first.state = "retrieved"
                first.entries += 1

    # --- what holds always ---

    @invariant()
    def the_database_says_the_same(self) -> None:
        for one in self.known.values():
            stored = self.g.action(one.id)
            assert (stored.status, stored.active) == (one.state, one.active), one
            assert stored.outcome == one.outcome
            assert len(log.entries(self.g.state, one.id, limit=1000)) == one.entries, one
        counted = self.g.state.rows("SELECT COUNT(*) FROM actions")
        assert counted == [(len(self.known),)]

    @invariant()
    def cars_follow(self) -> None:
        for car in CARS:
            target = self.g.target(car)
            assert (target.installed, target.assigned) == (self.installed[car], self.assigned[car])
            assert (target.status is TargetStatus.PENDING) == bool(self.of(car))

    @invariant()
    def nothing_is_lost(self) -> None:
        for car in CARS:
            facts = [fact.body.outcome for fact in self.g.facts(car)[self.before[car] :]]  # type: ignore[attr-defined]
            assert facts == self.outcomes[car]


def test_lives_of_actions(launch: Launch, tmp_path: Path, place: Place) -> None:
    def open_garage() -> tuple[Garage, ExitStack]:
        stack = ExitStack()
        return stack.enter_context(garage(launch, tmp_path)), stack

    run_state_machine_as_test(
        lambda: Lives(open_garage),
        settings=settings(
            max_examples=15 if place.engine == "sqlite" else 3,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert launch.book.verify().differences == []
