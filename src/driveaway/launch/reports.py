"""What cars report at a door, taken into the launch: trips, health, functions switched on.

Light until the first batch: only then Arrow is loaded, and what lands trips.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Meta

from driveaway.book import writer
from driveaway.book.state.state import Change
from driveaway.book.state.together import Together
from driveaway.book.store import Store
from driveaway.facts import Draft
from driveaway.facts.base import PlainName
from driveaway.facts.fleet import Fleet
from driveaway.facts.updates import FunctionActivated
from driveaway.launch.reporting import DeviceDecider
from driveaway.updates import health
from driveaway.updates.health import RefusedRow, RowsTaken
from driveaway.values.clock import SECOND, now
from driveaway.values.errors import BadValue, DriveawayError, Refused

if TYPE_CHECKING:
    from driveaway.fleet.doors.together import TogetherLanding
    from driveaway.fleet.landing.batch import Landed
    from driveaway.fleet.landing.landing import Landing

_EARLY: Final = 10**13
"""In April 1970: an instant before it is in another unit than microseconds."""


class Activation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A car switched a function on for the first time.

    Attributes:
        vin: the car.
        function: the function's slug.
        at: microseconds since 1970 UTC.
        version: of the function.
    """

    vin: PlainName
    function: PlainName
    at: Annotated[int, Meta(ge=_EARLY, le=2**62)]
    version: PlainName | None = None
    simulated: bool = False


class Reports:
    """Takes in what cars report. Safe from many threads."""

    def __init__(
        self,
        store: Store,
        together: Together,
        rules: Fleet,
        landing: Callable[[], AbstractContextManager[Landing]],
        *,
        clock: Callable[[], int] = now,
        simulated: bool = False,
    ) -> None:
        """``landing`` opens what lands trips, at the first batch.

        ``simulated``: whatever is reported here is a simulation.
        """
        self._store = store
        self._together = together
        self._rules = rules
        self._open = landing
        self._clock = clock
        self._simulated = simulated
        self._opening = Lock()
        self._opened = ExitStack()
        self._landing: TogetherLanding | None = None

    def close(self) -> None:
        """Land what is queued and let go."""
        self._opened.close()

    # --- trips ---

    def trips(
        self, body: bytes, media: str, key: str, vin: str | None, names: str, received: int
    ) -> Future[Landed]:
        """Read a batch and queue it; the future is done once nothing of it can be lost.

        Args:
            body: as unpacked.
            media: its media type.
            key: the sender's own id of the batch, never given to another.
            vin: the car that speaks; None: a gateway, for many cars.
            names: ``trips`` or ``vss``.
            received: now, microseconds since 1970 UTC.

        Raises:
            BadValue: the body is of no known form, or says nothing.
            Refused: a car speaks of another.
        """
        from driveaway.fleet.doors.reading import MEDIA, check_own, read_trips
        from driveaway.fleet.doors.rows import Clock
        from driveaway.fleet.landing.batch import Batch

        clock = Clock(received, self._rules.plausible.clock_seconds * SECOND)
        rows = read_trips(body, MEDIA[media], clock, "vss" if names == "vss" else "trips")
        if vin is not None:
            check_own(rows, vin)
        if not rows.table.num_rows and not rows.rejects:
            raise BadValue("the batch is empty", code="trips.empty", remedy="send at least one row")
        batch = Batch(
            # Two senders may choose the same id; the book knows each batch by one.
            f"{vin or 'gateway'}/{key}",
            "http",
            rows.table,
            rows.rejects,
            # No VIN: facts outlast the erasure of a car.
            origin="gateway" if vin is None else "car",
            sha256=_digest(body),
            simulated=self._simulated,
            rows=rows.numbers,
        )
        return self._together_landing().submit(batch)

    def _together_landing(self) -> TogetherLanding:
        with self._opening:
            if self._landing is None:
                from driveaway.fleet.doors.together import TogetherLanding

                landing = self._opened.enter_context(self._open())
                self._landing = TogetherLanding(landing.land_all)
                self._opened.callback(self._landing.close)
            return self._landing

    # --- health and functions ---

    def health(self, rows: Sequence[Any], vin: str | None) -> Future[RowsTaken]:
        """Land reports of health (``facts.health.CarHealth``), as ``updates.health.land`` does.

        Raises:
            Refused: a car speaks of another.
        """
        rows = self._own(rows, vin)
        at = self._clock()

        def change_it(change: Change) -> RowsTaken:
            return health.land(change, rows, at)

        return self._together.submit(change_it)

    def functions(self, rows: Sequence[Any], vin: str | None) -> RowsTaken:
        """Record that cars switched a function on for the first time (``Activation``), each once.

        Refused are rows that are none (``function.row``), that lie in the future (``function.future``), and
        whatever the book refuses: ``source.conflict`` where it was said with another content before.

        Raises:
            Refused: a car speaks of another.
            Unavailable: the book cannot be written; nothing was recorded.
        """
        latest = self._clock() + self._rules.plausible.clock_seconds * SECOND
        refused: list[RefusedRow] = []
        drafts: list[Draft] = []
        numbers: list[int] = []
        for number, row in enumerate(self._own(rows, vin)):
            try:
                said = msgspec.convert(row, Activation)
            except msgspec.ValidationError as error:
                refused.append(RefusedRow(number, "function.row", str(error)))
                continue
            if said.at > latest:
                refused.append(RefusedRow(number, "function.future", "it has not happened yet"))
                continue
            drafts.append(_draft(said, simulated=self._simulated))
            numbers.append(number)
        added = repeated = 0
        for number, outcome in zip(numbers, writer.append(self._store, drafts, DeviceDecider()), strict=True):
            if outcome.error is not None:
                refused.append(_refused(number, outcome.error))
            elif outcome.added:
                added += 1
            else:
                repeated += 1
        return RowsTaken(added, repeated, tuple(sorted(refused, key=lambda each: each.row)))

    def _own(self, rows: Sequence[Any], vin: str | None) -> Sequence[Any]:
        objects = [row for row in rows if isinstance(row, dict)]
        if vin is not None and any(row.get("vin", vin) != vin for row in objects):
            raise Refused(
                "a row is another car's",
                code="reports.other_car",
                remedy="a car reports of itself; a gateway shows the gateway's credential and no vin",
            )
        if not self._simulated:
            return rows
        return [row | {"simulated": True} if isinstance(row, dict) else row for row in rows]


def _draft(said: Activation, *, simulated: bool) -> Draft:
    return Draft(
        "function.activated",
        said.vin,
        said.at,
        FunctionActivated(function=said.function, version=said.version),
        source=f"urn:driveaway:car/{said.vin}/function/{said.function}",
        simulated=simulated or said.simulated,
    )


def _refused(number: int, error: DriveawayError) -> RefusedRow:
    return RefusedRow(number, error.code, error.message)


def _digest(body: bytes) -> str:
    from hashlib import sha256

    return sha256(body).hexdigest()
