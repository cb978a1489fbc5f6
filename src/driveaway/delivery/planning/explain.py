"""Why an order gets its slot and not an earlier one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driveaway.delivery.planning.binding import pool_name
from driveaway.delivery.planning.capacity import Capacity
from driveaway.delivery.planning.problem import NO_DAY, Counts, Supply
from driveaway.delivery.planning.signatures import Signatures


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an order is built when it is.

    Attributes:
        slot: day of the horizon; ``NO_DAY`` where none within it.
        handed: day of the handover when all goes as expected; ``NO_DAY`` beyond the horizon.
        held_by: names of what held its queue back, most days first, each with its working days.
        ahead: orders before it in its own queue (same signature).
        ahead_overall: orders of any configuration with an earlier slot.
    """

    slot: int
    handed: int
    held_by: tuple[tuple[str, int], ...]
    ahead: int
    ahead_overall: int


@dataclass(frozen=True, slots=True)
class Explaining:
    """What is kept of a plan to explain from.

    Attributes:
        names: of limits, then of pools of lines.
        held: days up to and including each day on which a queue was held back by a name, shape
            (signatures, names, days).
        slots: of all orders, sorted.
    """

    names: tuple[str, ...]
    held: Counts
    slots: Counts

    def explain(self, signature: int, slot: int, handed: int, place: int) -> Explanation:
        """Explain one order."""
        last = min(slot, self.held.shape[2]) - 1
        days = self.held[signature, :, last] if last >= 0 else np.zeros(len(self.names), np.int64)
        order = np.argsort(-days, kind="stable")
        held_by = tuple((self.names[index], int(days[index])) for index in order if days[index])
        return Explanation(slot, handed, held_by, place - 1, int(np.searchsorted(self.slots, slot)))


def explaining(
    supply: Supply, found: Signatures, capacity: Capacity, by_day: Counts, slot: Counts
) -> Explaining:
    """Find what is used up on each day.

    A queue is held back by the limits it uses that are used up on a day; where none is, by the lines that
    could build it, if they are full. Days without any output hold nobody back more than others.

    Args:
        supply: names.
        found: signatures.
        capacity: in whole cars, frozen slots included.
        by_day: cars of each signature on each day, shape (signatures, days).
        slot: of all orders.
    """
    names = [limit.name for limit in supply.limits]
    names += [pool_name(supply, found, pool) for pool in range(found.pools)]
    signatures, days = by_day.shape
    full = np.zeros((signatures, len(names), days), np.bool_)
    working = np.zeros((signatures, days), np.bool_)
    for limit in range(len(supply.limits)):
        used = found.uses[:, limit]
        full[used, limit] = _used_up(capacity, limit, by_day[used].sum(axis=0))
    by_limit = np.asarray(full.any(axis=1))
    # Pools that share signatures are full together when all that they can build, together, is built.
    for s in range(signatures):
        able = found.builds[s]
        output = capacity.pools[able].sum(axis=0)
        working[s] = output > 0
        rivals = found.builds[:, able].any(axis=1)
        everything = capacity.pools[found.builds[rivals].any(axis=0)].sum(axis=0)
        busy = by_day[rivals].sum(axis=0) >= np.minimum(output, everything) - 0.5
        full[s, len(supply.limits) :][able] = busy & ~by_limit[s]
    full &= working[:, None, :]
    return Explaining(tuple(names), np.cumsum(full, axis=2), np.sort(slot[slot != NO_DAY]))


def _used_up(capacity: Capacity, limit: int, used: Counts) -> np.ndarray:
    left = 0.0
    found = np.zeros(len(used), np.bool_)
    for day in range(len(used)):
        if capacity.fresh[limit, day]:
            left = 0.0
        left = max(left + capacity.limits[limit, day] - used[day], 0.0)
        found[day] = left < 1
    return found
