"""The desk at which cars ask what there is to do and say what became of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from driveaway.book.state.state import Change, State
from driveaway.book.state.together import Together
from driveaway.updates import assigning, changes, registry, reports, sets
from driveaway.updates.actions import acting, log
from driveaway.updates.artifacts import ArtifactStore
from driveaway.updates.configuration import Configuration
from driveaway.updates.ddi import documents, messages
from driveaway.updates.ddi.credentials import Credential, Gate
from driveaway.updates.ddi.documents import Moment
from driveaway.updates.ddi.links import Links
from driveaway.updates.ddi.polled import Polled, PollInterval, VersionKeys, WindowOpen, always_closed
from driveaway.updates.ddi.shelf import Shelf, artifact_named
from driveaway.updates.model import Action, ActionStatus, Artifact, Outcome, Target
from driveaway.updates.registry import Mode
from driveaway.updates.rows import ACTION, TARGET, TARGET_WIDTH, action_of, target_of
from driveaway.updates.seen import LastSeen
from driveaway.values.clock import SECOND, now
from driveaway.values.errors import NotFound

_FIRST: Final = 5 * SECOND
_WAITING: Final = 60 * SECOND
"""So long the documents of a car that is just being entered, or waits for its window, are good for."""
_EXPOSED: Final = (
    f"SELECT {TARGET}, {ACTION} FROM targets t LEFT JOIN actions a ON a.target = t.id AND a.active = 1"
    " WHERE t.controller_id = :controller_id ORDER BY a.weight DESC, a.id"
)
EVERYONE: Final = changes.EVERYONE


class DeviceDesk:
    """What cars may ask and say, whatever door they come by. Safe from many threads.

    Reads are answered from what is committed; whatever is said is a future that is done once it is on
    disk, or fails with the error that the door turns into a status.
    """

    def __init__(
        self,
        state: State,
        together: Together,
        artifacts: ArtifactStore,
        *,
        clock: Callable[[], int] = now,
        window_open: WindowOpen = always_closed,
        poll_interval: PollInterval | None = None,
        version_keys: VersionKeys | None = None,
        simulated: bool = False,
    ) -> None:
        """``simulated``: what cars say at this desk is a simulation, and its facts say so."""
        self._state = state
        self._together = together
        self._artifacts = artifacts
        self._clock = clock
        self._window_open = window_open
        self._poll_interval = poll_interval or self._configured_interval
        self._version_keys = version_keys or (lambda given: {})
        self._simulated = simulated
        self._configuration = Configuration(state)
        self._gate = Gate(state)
        self._shelf = Shelf(state)
        self._seen = LastSeen(together)

    def close(self) -> None:
        """Write what is noted of last polls and stop; the ``Together`` given stays open."""
        self._seen.close()

    @property
    def configuration(self) -> Configuration:
        """What is set, as last read."""
        return self._configuration

    # --- who speaks ---

    def authenticate(self, controller_id: str, credential: Credential, *, download: bool = False) -> bool:
        """Whether who shows this may speak for a car; ``download``: only fetch an artifact for it."""
        return self._gate.admits(self._configuration, controller_id, credential, download=download)

    def seen(self, controller_id: str, address: str, at: int) -> None:
        """Note that a car polled; written later, with others."""
        self._seen.add(controller_id, address, at)

    def changed_since(self, seq: int) -> tuple[int, list[str]]:
        """The number of the last change, and the cars whose documents may have changed since one.

        ``EVERYONE`` among them means all cars. What this desk keeps at hand is brought up to date: call
        it often, from one place in a process.
        """
        last, changed = changes.since(self._state, seq)
        if EVERYONE in changed:
            self._configuration = Configuration(self._state)
            self._shelf.clear()
            self._gate.forget_all()
        for controller_id in changed:
            self._gate.forget(controller_id)
        return last, changed

    def last_change(self) -> int:
        """The number of the latest change, to begin with."""
        return changes.last(self._state)

    # --- what there is to do ---

    def base(self, controller_id: str, links: Links, address: str) -> Polled:
        """What there is to do for a car; one that polls for the first time is entered.

        Raises:
            BadValue: that can be no controller id.
        """
        at = self._clock()
        target, action = self._exposed(controller_id)
        if target is None:
            registry.check_controller_id(controller_id)
            self._together.submit(lambda change: registry.register(change, controller_id, address, at))
            sleep = self._poll_interval(controller_id, None, None)
            return Polled(documents.first_base(sleep, links), at + _FIRST)
        moment = None if action is None else self._moment(action, at)
        sleep = self._poll_interval(controller_id, target, None if moment is None else moment.opens)
        until = None if moment is None else moment.until
        if moment is not None and moment.opens is not None:
            # The nearer its window, the sooner a car is to poll again.
            until = min(moment.opens, at + _WAITING)
        return Polled(documents.base(target, action, moment, sleep, links), until)

    def deployment(
        self, controller_id: str, action_id: int, history: int, links: Links
    ) -> messages.Deployment:
        """What a car is to install; noted, once, as fetched.

        Raises:
            NotFound: no such action of this car, or it is not offered: it is cancelled, waits for a
                confirmation or for its window.
        """
        _, action = acting.find(self._state, action_id, controller_id)
        moment = self._moment(action, self._clock())
        waits = action.status in (ActionStatus.WAIT_FOR_CONFIRMATION, ActionStatus.SCHEDULED)
        if documents.is_canceling(action) or waits or (action.active and not moment.offered):
            raise _not_offered(action_id)
        if action.status is ActionStatus.RUNNING and action.heard is None:
            at = self._clock()
            self._together.submit(lambda change: acting.mark_retrieved(change, action_id, at))
        said = log.history(self._state, action_id, history)
        return documents.deployment(action, moment, self._shelf.pieces(action.distribution_set), said, links)

    def feedback(self, controller_id: str, action_id: int, feedback: messages.ActionFeedback) -> Future[None]:
        """Take what a car says about a deployment; the same said again adds nothing.

        Fails with NotFound (no such action of this car, or it waits) or Refused (``action.closed``,
        ``quota.statuses``).
        """
        report = messages.report_of(feedback, "u")
        at = self._clock()
        return self._together.submit(
            lambda change: acting.take_report(
                change, controller_id, action_id, report, at, simulated=self._simulated
            )
        )

    # --- cancelling ---

    def cancellation(self, controller_id: str, action_id: int) -> messages.CancelDocument:
        """The request to stop an action.

        Raises:
            NotFound: no such action of this car, or nobody asked to stop it.
        """
        _, action = acting.find(self._state, action_id, controller_id)
        if not documents.is_canceling(action):
            raise _not_offered(action_id)
        return documents.cancellation(action)

    def cancel_feedback(
        self, controller_id: str, action_id: int, feedback: messages.ActionFeedback
    ) -> Future[None]:
        """Take what a car says about a cancellation.

        Fails with NotFound (no such action of this car) or Refused (``action.closed``,
        ``action.not_canceling``, ``quota.statuses``).
        """
        report = messages.report_of(feedback, "c")
        at = self._clock()
        return self._together.submit(
            lambda change: acting.take_cancel_report(
                change, controller_id, action_id, report, at, simulated=self._simulated
            )
        )

    # --- what is installed ---

    def installed(
        self, controller_id: str, action_id: int, history: int, links: Links
    ) -> messages.Deployment:
        """What a car installed.

        Raises:
            NotFound: no such action of this car, or it goes on, or was cancelled.
        """
        _, action = acting.find(self._state, action_id, controller_id)
        if action.active or action.status in (ActionStatus.CANCELED, ActionStatus.SCHEDULED):
            raise _not_offered(action_id)
        said = log.history(self._state, action_id, history)
        moment = self._moment(action, self._clock())
        return documents.deployment(action, moment, self._shelf.pieces(action.distribution_set), said, links)

    def put_installed(self, controller_id: str, installed: messages.InstalledBase) -> Future[bool]:
        """Take what a car says it runs already; True where that was not known.

        Fails with NotFound (no such car or distribution set) or Refused (it is not complete, or the car signs
        what it runs).
        """
        at = self._clock()

        def change_it(change: Change) -> bool:
            reports.check_unsigned(change, controller_id)
            found = sets.set_named(change, installed.name, installed.version)
            made = assigning.assign_offline(
                change, found.id, [controller_id], at, initiated_by=controller_id, simulated=self._simulated
            )
            return bool(made.actions)

        return self._together.submit(change_it)

    # --- confirming ---

    def confirmation_base(self, controller_id: str, links: Links) -> messages.ConfirmationBase:
        """How a car confirms, and what waits for it.

        Raises:
            NotFound: there is no such car.
        """
        target, action = self._exposed(controller_id)
        if target is None:
            raise NotFound(
                f"there is no target {controller_id[:80]!r}", code="target.unknown", remedy="poll first"
            )
        moment = None if action is None else self._moment(action, self._clock())
        return documents.confirmation_base(target, action, moment, links)

    def confirmation(
        self, controller_id: str, action_id: int, links: Links, history: int = 0
    ) -> messages.ConfirmationDocument:
        """An action that waits for the car's confirmation.

        Raises:
            NotFound: no such action of this car, or it waits for none.
        """
        _, action = acting.find(self._state, action_id, controller_id)
        if action.status is not ActionStatus.WAIT_FOR_CONFIRMATION:
            raise _not_offered(action_id)
        said = log.history(self._state, action_id, history)
        moment = self._moment(action, self._clock())
        pieces = self._shelf.pieces(action.distribution_set)
        return documents.confirmation(action, moment, pieces, said, links)

    def confirm(
        self, controller_id: str, action_id: int, feedback: messages.ConfirmationFeedback
    ) -> Future[None]:
        """Take a car's confirmation or its denial.

        Fails with NotFound (no such action of this car, or it waits for none) or Refused
        (``action.closed``, ``quota.statuses``).
        """
        report = messages.report_of_confirmation(feedback)
        at = self._clock()
        agreed = feedback.confirmation == "confirmed"
        return self._together.submit(
            lambda change: acting.confirm(change, controller_id, action_id, agreed, at, report=report)
        )

    def activate_auto_confirm(
        self, controller_id: str, request: messages.AutoConfirmRequest | None = None
    ) -> Future[None]:
        """Confirm whatever comes without asking, and what waits now. Fails with NotFound: no such car."""
        asked = request or messages.AutoConfirmRequest()
        at = self._clock()
        return self._together.submit(
            lambda change: acting.auto_confirm(
                change, controller_id, at, initiator=asked.initiator or "", remark=asked.remark or ""
            )
        )

    def deactivate_auto_confirm(self, controller_id: str) -> Future[None]:
        """Ask again before each action. Fails with NotFound: no such car."""
        at = self._clock()
        return self._together.submit(lambda change: acting.ask_to_confirm(change, controller_id, at))

    # --- what a car says about itself ---

    def put_attributes(self, controller_id: str, data: messages.ConfigData) -> Future[None]:
        """Take a car's attributes.

        Fails with NotFound (no such car), BadValue (one cannot be kept) or Refused
        (``quota.attributes``; ``report.…``: its signed report does not count).
        """
        at = self._clock()
        given = messages.attributes_of(data)
        attribute = self._configuration.text("verification.attribute")
        mode = data.mode or Mode.MERGE

        def change_it(change: Change) -> None:
            taken = reports.admitted(change, controller_id, given, mode, data.signed, attribute, at)
            registry.put_attributes(
                change,
                controller_id,
                taken,
                mode,
                at,
                version_attribute=attribute,
                version_keys=self._version_keys(dict(taken)),
                simulated=self._simulated,
            )

        return self._together.submit(change_it)

    # --- artifacts ---

    def module_artifacts(
        self, controller_id: str, module_id: int, links: Links
    ) -> list[messages.ArtifactDocument]:
        """The files of a module that the car may have.

        Raises:
            NotFound: the module belongs to no active or installed action of this car.
        """
        return [documents.artifact(found, links) for found in self._allowed(controller_id, module_id)]

    def artifact(self, controller_id: str, module_id: int, filename: str) -> tuple[Artifact, Path]:
        """A file that the car may have, and where its content stands.

        Raises:
            NotFound: the module belongs to no active or installed action of this car, has no such file,
                or the content is not in the store.
        """
        found = artifact_named(self._allowed(controller_id, module_id), filename)
        return found, self._artifacts.existing(found.sha256)

    def _allowed(self, controller_id: str, module_id: int) -> tuple[Artifact, ...]:
        rows = self._state.rows(
            "SELECT a.distribution_set FROM targets t JOIN actions a ON a.target = t.id"
            " WHERE t.controller_id = :controller_id AND ((a.active = 1 AND a.status NOT IN"
            " (:canceling, :waiting)) OR a.id = t.installed_action OR a.outcome = :downloaded)"
            " ORDER BY a.active DESC, a.id DESC",
            controller_id=controller_id,
            canceling=ActionStatus.CANCELING.value,
            waiting=ActionStatus.WAIT_FOR_CONFIRMATION.value,
            downloaded=Outcome.DOWNLOADED.value,
        )
        for (distribution_set,) in dict.fromkeys(rows):
            found = self._shelf.artifacts(distribution_set, module_id)
            if found is not None:
                return found
        raise NotFound(
            f"module {module_id} is not for this car",
            code="module.not_offered",
            remedy="follow the links offered",
        )

    # --- how things stand ---

    def _exposed(self, controller_id: str) -> tuple[Target | None, Action | None]:
        """A car, and of its active actions the one it sees: the heaviest, of these the oldest."""
        rows = self._state.rows(f"{_EXPOSED} LIMIT 1", controller_id=controller_id)
        if not rows:
            return None, None
        row = rows[0]
        action = action_of(row[TARGET_WIDTH:]) if row[TARGET_WIDTH] is not None else None
        return target_of(row[:TARGET_WIDTH]), action

    def _moment(self, action: Action, at: int) -> Moment:
        window: tuple[bool, int | None] = (True, None)
        if action.window_schedule and action.heard is None:
            window = self._window_open(
                action.window_schedule, action.window_duration, action.window_timezone, at
            )
        return documents.moment_of(action, at, window)

    def _configured_interval(self, controller_id: str, target: Target | None, opens: int | None) -> str:
        """The first part of what is set, without jitter and overrides."""
        return self._configuration.text("pollingTime").strip()[: len("HH:MM:SS")]


def _not_offered(action_id: int) -> NotFound:
    return NotFound(
        f"action {action_id} is not offered so",
        code="action.not_offered",
        remedy="poll, and follow the links offered",
    )
