"""The demo's trips through the ordinary landing, each batch recorded when it arrived."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from driveaway.book.reading import fact_of
from driveaway.demo.facts_of_cars import Handovers
from driveaway.demo.trips.arriving import Arrival
from driveaway.facts import Draft, Fact
from driveaway.fleet.landing.batch import Batch
from driveaway.fleet.landing.landing import Landing
from driveaway.launch.fleet.opening import BookOfTrips, fleet_folder
from driveaway.launch.launch import Launch, Outcome
from driveaway.values.errors import Conflict


class TripLanding:
    """Lands arrivals in order. Close it at the end.

    What it reads of the book it knows already: the demo alone writes there. So the mirror need not follow
    after each batch.

    Args:
        launch: where to.
        handovers: the cars.
        salts: random bytes of the facts.
    """

    def __init__(self, launch: Launch, handovers: Handovers, salts: Callable[[int], bytes]) -> None:
        self._launch, self._salts = launch, salts
        self._now = 0
        self._book = _Known(launch)
        self._landing = Landing(
            fleet_folder(launch.data),
            self._append,
            _Delivered(handovers),
            launch.description.fleet,
            launch.zone,
            lambda: self._now,
            book=self._book,
        )

    def land(self, arrival: Arrival) -> int:
        """Land a batch as if at the time at which it arrived; how many facts there are then.

        Raises:
            Conflict: a row was put aside, which would be a defect of the simulation.
        """
        self._now = arrival.at
        batch = Batch(arrival.name, "demo", arrival.table, origin="simulated", simulated=True)
        landed = self._landing.land(batch)
        if landed.put_aside or landed.repeated or landed.duplicate:
            raise Conflict(
                f"{arrival.name} was not taken in whole: {dict(landed.quarantined)}",
                code="demo.trips",
                remedy="a defect of the demo",
            )
        return landed.seq

    def close(self) -> None:
        """Write down what the landing knows."""
        self._landing.close()

    def _append(self, drafts: Sequence[Draft]) -> Sequence[Outcome]:
        outcomes = self._launch.append(
            drafts, atomic=True, clock=lambda _: self._now, salts=self._salts, checked=True
        )
        self._book.add(outcomes)
        return outcomes


class _Known(BookOfTrips):
    """The book, of which the facts about trips are known as they are appended."""

    def __init__(self, launch: Launch) -> None:
        super().__init__(launch.book.store, launch.book.mirror)
        self._launch = launch
        self._facts: list[Fact] = []

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Take note of what was appended."""
        seqs = [outcome.seq for outcome in outcomes if outcome.seq is not None]
        self._facts += map(fact_of, self._launch.book.store.by_seq(seqs))

    def since(self, seq: int) -> tuple[int, Sequence[Fact]]:
        """As for every book."""
        return self._launch.book.edge().size, [fact for fact in self._facts if fact.seq > seq]

    def erased(self) -> Sequence[str]:
        """No simulated car is erased while it is made."""
        return ()


class _Delivered:
    """The cars that are handed over, known from the start: none drives before."""

    def __init__(self, handovers: Handovers) -> None:
        self._vins, self._at = pa.array(handovers.vins, pa.string()), pa.array(handovers.at)

    def changed(self, version: object, *, at_once: bool) -> tuple[object, pa.Array, pa.Array] | None:
        return None if version else (True, self._vins, self._at)
