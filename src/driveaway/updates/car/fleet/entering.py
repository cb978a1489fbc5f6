"""Entering simulated cars as targets, all at once."""

from __future__ import annotations

from typing import Final

from driveaway.book.state.state import State
from driveaway.updates import changes
from driveaway.updates.car.fleet.member import Member
from driveaway.updates.model import TargetStatus
from driveaway.updates.outcomes import SIMULATED
from driveaway.updates.registry import new_token
from driveaway.values.ids import make_vin

_AT_ONCE: Final = 10_000
MOST: Final = 999_999
_INSERT: Final = (
    "INSERT INTO targets (controller_id, name, description, type, security_token, status, address,"
    " created, modified, polled) VALUES (:id, :id, '', :type, :token, :status, '', :at, :at, NULL)"
    " ON CONFLICT (controller_id) DO NOTHING"
)


def simulated_vin(number: int) -> str:
    """The VIN of a simulated car: its manufacturer is made up."""
    return make_vin("S1M", "FLEET", 2024, "0", number)


def enter(state: State, cars: int, at: int, tenant: str = "DEFAULT") -> list[Member]:
    """Enter so many simulated cars, each with a token of its own; those that are there already keep theirs.

    They are entered as targets of the type ``simulated``, and the facts about them say so.
    """
    for first in range(1, cars + 1, _AT_ONCE):
        with state.change() as change:
            change.run_many(
                _INSERT,
                [
                    {
                        "id": simulated_vin(number),
                        "type": SIMULATED,
                        "token": new_token(),
                        "status": TargetStatus.UNKNOWN.value,
                        "at": at,
                    }
                    for number in range(first, min(first + _AT_ONCE, cars + 1))
                ],
            )
            changes.tell_everyone(change, at)
    rows = state.rows(
        "SELECT controller_id, security_token FROM targets WHERE type = :type ORDER BY id LIMIT :cars",
        type=SIMULATED,
        cars=cars,
    )
    return [Member(controller_id, token, tenant) for controller_id, token in rows]
