"""A launch folder as a server for staff tools opens it: its tables, artifacts and accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from driveaway.book import writer
from driveaway.book.state.state import State
from driveaway.facts import Draft
from driveaway.facts.updates import RolloutDecided
from driveaway.launch.accounts import Accounts
from driveaway.launch.device import DeviceDecider, DeviceLaunch
from driveaway.updates.artifacts import ArtifactStore
from driveaway.values.clock import now

DECIDED: Final = "rollout.decided"


class StaffDecider(DeviceDecider):
    """The rules for what a door for staff tools may append: how rollouts go on, and what cars bring about.

    The latter, because staff end actions whose cars do not answer.
    """

    def decide(self, draft: Draft) -> Sequence[Draft]:
        """The draft as it is.

        Raises:
            BadValue: it says something else than its kind.
            Refused: another kind, or a correction.
        """
        decided = draft.kind == DECIDED and draft.replaces is None and isinstance(draft.body, RolloutDecided)
        return (draft,) if decided else super().decide(draft)


@dataclass(frozen=True)
class Opened:
    """A launch that staff tools work on.

    Attributes:
        state: its operational tables.
        artifacts: where contents of files are.
        accounts: who may ask.
        simulated: whether all of it is a simulation.
    """

    state: State
    artifacts: ArtifactStore
    accounts: Accounts
    simulated: bool


@contextmanager
def opened(launch: DeviceLaunch, clock: Callable[[], int] = now) -> Iterator[Opened]:
    """A launch, opened for staff tools."""
    store = launch.store()
    try:
        state = State(
            store, lambda transaction, drafts: writer.append_within(transaction, drafts, StaffDecider())
        )
        yield Opened(state, ArtifactStore(launch.artifacts), Accounts(state, clock), launch.simulated)
    finally:
        store.close()
