"""Operational tables of a simulation: what happens in them is recorded as if at the time it happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

from msgspec.structs import replace

from driveaway.book import writer
from driveaway.book.state.state import State
from driveaway.book.store import WriteTransaction
from driveaway.facts import Draft
from driveaway.launch.decide import LaunchDecider
from driveaway.launch.device import KINDS, DeviceDecider
from driveaway.launch.launch import Launch


def simulated_state(launch: Launch, salts: Callable[[int], bytes], source: str) -> State:
    """Operational tables whose changes append facts that are marked simulated.

    The same changes in the same order give the same facts, leaf by leaf, unlike ``launch.state``, which
    records at the machine's time, with random salts and sources.

    Args:
        launch: whose tables.
        salts: that many bytes, derived from the simulation's seed.
        source: what the sources of facts begin with that name none; a running number follows.
    """
    numbers = count(1)

    def append(transaction: WriteTransaction, drafts: Sequence[Draft]) -> Sequence[int]:
        marked = [
            replace(draft, simulated=True, source=draft.source or f"{source}{next(numbers)}")
            for draft in drafts
        ]
        by_cars = all(draft.kind in KINDS for draft in marked)
        decider = DeviceDecider() if by_cars else LaunchDecider(launch.description)
        return writer.append_within(
            transaction, marked, decider, clock=lambda draft: draft.happened, salts=salts
        )

    return State(launch.book.store, append)
