"""Taking in files of signals: trips under names of VSS, and telemetry that has to become trips first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from driveaway.fleet.doors.assembly import STOP_S
from driveaway.fleet.doors.kept import take_telemetry
from driveaway.fleet.doors.ndjson import read_ndjson
from driveaway.fleet.doors.rows import Clock
from driveaway.fleet.doors.vss import from_vss
from driveaway.fleet.landing.batch import Batch, Landed
from driveaway.fleet.landing.landing import Landing
from driveaway.launch.fleet.ingesting import FileTaken, Progress
from driveaway.launch.fleet.opening import fleet_folder, open_landing
from driveaway.values.clock import SECOND, now
from driveaway.values.errors import BadValue, Conflict, NotFound, Unavailable

if TYPE_CHECKING:
    from driveaway.launch.launch import Launch

_PART: Final = 32 << 20
"""Bytes that are read at once, up to the end of a line."""


@dataclass
class SignalsTaken(FileTaken):
    """What became of a file of signals.

    Attributes:
        messages: lines that were read.
        late: messages that lie before what was told of their car, or that came again.
        resets: times that an odometer fell.
        open: cars with a trip that is not over.
    """

    messages: int = 0
    late: int = 0
    resets: int = 0
    open: int = 0


def ingest_signals(
    launch: Launch,
    files: Sequence[Path],
    names: Literal["vss", "telemetry"],
    *,
    cruise: str | None = None,
    stop_s: int = STOP_S,
    finish: bool = False,
    simulated: bool = False,
    progress: Progress | None = None,
    clock: Callable[[], int] = now,
) -> list[SignalsTaken]:
    """Take in files of newline-delimited JSON; one that cannot be read stops no other.

    Args:
        launch: where to.
        files: in this order.
        names: a trip segment a line under names of VSS, or telemetry.
        cruise: function that cruise control counts as, in telemetry; None: none.
        stop_s: seconds that end a trip, in telemetry.
        finish: nothing follows the last file: trips that are open are over.
        simulated: everything was made up by a simulation.
        progress: called after each part.
        clock: microseconds since 1970 UTC.

    Raises:
        Unavailable: the disk is full or the book cannot be reached; giving all again is safe.
    """
    launch.book.edge()
    landing = open_landing(launch, clock)
    folder = fleet_folder(launch.data)
    out: list[SignalsTaken] = []
    try:
        for index, path in enumerate(files):
            taken = SignalsTaken(path)
            out.append(taken)
            try:
                for body, is_last in _parts(path):
                    if names == "vss":
                        taken.add(_land_vss(launch, landing, path, body, clock, simulated))
                    else:
                        done = take_telemetry(
                            folder,
                            body,
                            landing.land,
                            origin=path.name,
                            cruise=cruise,
                            stop_s=stop_s,
                            finish=finish and is_last and index == len(files) - 1,
                            simulated=simulated,
                        )
                        if done.landed is not None:
                            taken.add(done.landed)
                        taken.messages += done.lines
                        taken.late += done.late
                        taken.resets += done.resets
                        taken.open = done.open
                    if progress is not None:
                        progress(path.name, taken.rows + taken.repeated)
            except (BadValue, Conflict, NotFound) as error:
                taken.error = error.at(str(path))
    finally:
        landing.close()
    return out


def _land_vss(
    launch: Launch,
    landing: Landing,
    path: Path,
    body: bytes,
    clock: Callable[[], int],
    simulated: bool,
) -> Landed:
    tolerance = launch.description.fleet.plausible.clock_seconds * SECOND
    rows = read_ndjson(body, Clock(clock(), tolerance), from_vss)
    said = sha256(body).hexdigest()
    batch = Batch(
        f"vss-{said[:40]}",
        "file",
        rows.table,
        rows.rejects,
        origin=path.name,
        sha256=said,
        simulated=simulated,
        rows=rows.numbers,
    )
    return landing.land(batch)


def _parts(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Parts of a file that end with a line, and whether each is the last."""
    try:
        with path.open("rb") as file:
            body = file.read(_PART) + file.readline()
            while body:
                following = file.read(_PART) + file.readline()
                yield body, not following
                body = following
    except FileNotFoundError:
        raise NotFound(
            f"there is no file {path}", code="trips.no_file", remedy="look at the name; quote patterns"
        ) from None
    except OSError as error:
        raise Unavailable(
            error.strerror or str(error), code="trips.file", place=str(path), remedy="try again"
        ) from error
