"""Who alone may do something for a while: one row for each thing, in the operational tables.

Clocks of the machines should agree to within a small part of a lease. Where they do not, nothing is done
twice all the same: whoever writes asks in the same transaction whether the lease is still its own.
(C. Gray, D. Cheriton, "Leases: an efficient fault-tolerant mechanism", SOSP 1989.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from driveaway.book.state.state import Change, State
from driveaway.values.clock import SECOND
from driveaway.values.errors import Conflict

SECONDS: Final = 60
_TAKE: Final = (
    "INSERT INTO leases (name, holder, until) VALUES (:name, :holder, :until) ON CONFLICT (name) DO UPDATE"
    " SET holder = excluded.holder, until = excluded.until"
    " WHERE leases.holder = excluded.holder OR leases.until <= :now"
)


@dataclass
class Lease:
    """A lease that one holder has, or waits for.

    Attributes:
        state: the operational tables.
        name: of what is leased.
        holder: who asks; unique for each process and start.
        clock: microseconds since 1970 UTC.
        seconds: how long it holds without being renewed.
    """

    state: State
    name: str
    holder: str
    clock: Callable[[], int]
    seconds: int = SECONDS
    _until: int = field(default=0, repr=False)

    def take(self) -> bool:
        """Take or renew it; False: another holder has it. Waiting for it never takes the write lock."""
        now = self.clock()
        rows = self.state.rows("SELECT holder, until FROM leases WHERE name = :name", name=self.name)
        if rows and rows[0][0] != self.holder and rows[0][1] > now:
            self._until = 0
            return False
        with self.state.change() as change:
            return self._taken(change, now)

    @property
    def held(self) -> bool:
        """Whether it is held, as far as its holder can know without asking."""
        return self.clock() < self._until

    def fence(self, change: Change) -> None:
        """See inside a change that it is still held, and renew it where a third of its time has passed.

        Raises:
            Conflict: it was lost; nothing of the change may stand.
        """
        now = self.clock()
        rows = change.rows("SELECT holder FROM leases WHERE name = :name", name=self.name)
        if not rows or rows[0][0] != self.holder:
            self._until = 0
            raise Conflict(
                f"{self.name} was taken over by {rows[0][0] if rows else 'nobody'}",
                code="lease.lost",
                remedy="wait until it is free again",
            )
        if now > self._until - self.seconds * SECOND * 2 // 3:
            self._taken(change, now)

    def release(self) -> None:
        """Let the next one have it at once; nothing where it is not held."""
        self._until = 0
        with self.state.change() as change:
            change.run(
                "DELETE FROM leases WHERE name = :name AND holder = :holder",
                name=self.name,
                holder=self.holder,
            )

    def _taken(self, change: Change, now: int) -> bool:
        until = now + self.seconds * SECOND
        taken = change.run(_TAKE, name=self.name, holder=self.holder, until=until, now=now) > 0
        self._until = until if taken else 0
        return taken
