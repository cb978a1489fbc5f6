"""Telemetry taken in: samples into trips, with what is open of each car kept from one file to the next."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa

from driveaway.fleet.columns import TRIPS
from driveaway.fleet.doors.assembly import STOP_S, CarState, Piece, assemble
from driveaway.fleet.doors.telemetry import read_telemetry
from driveaway.fleet.folder import FleetFolder
from driveaway.fleet.landing.batch import Batch, Door, Landed
from driveaway.values.errors import Unavailable

_FILE: Final = "telemetry.msgpack"
_DECODER: Final = msgspec.msgpack.Decoder(dict[str, CarState])


@dataclass(frozen=True)
class TelemetryTaken:
    """What became of a body of telemetry.

    Attributes:
        landed: what became of the trips that are over; None: there were none, and nothing was put aside.
        lines: messages that were read.
        late: samples that lie before what was told, or came before.
        resets: times that an odometer fell.
        open: cars with a trip that is not over.
    """

    landed: Landed | None
    lines: int
    late: int
    resets: int
    open: int


def take_telemetry(
    folder: FleetFolder,
    body: bytes,
    land: Callable[[Batch], Landed],
    *,
    door: Door = "file",
    origin: str | None = None,
    cruise: str | None = None,
    stop_s: int = STOP_S,
    finish: bool = False,
    simulated: bool = False,
) -> TelemetryTaken:
    """Read messages, land the trips that are over, keep what is open.

    What is kept is written after the trips have landed: when it could not be, the same messages given again
    make the same trips, which are there already. One process at a time; others wait.

    Args:
        folder: of the fleet's data.
        body: newline-delimited JSON (``telemetry``).
        land: lands a batch.
        door, origin: said of the batch.
        cruise: function that cruise control counts as; None: none.
        stop_s: seconds that end a trip.
        finish: nothing follows: trips that are open are over too.
        simulated: every message was made up.

    Raises:
        Unavailable: nothing can be written now.
        DriveawayError: what ``land`` raises.
    """
    given, rejects, lines = read_telemetry(body, cruise)
    with _held(folder) as path:
        states = _read(path)
        pieces: list[Piece] = []
        late = resets = 0
        for vin in sorted(given.keys() | states.keys() if finish else given):
            done = assemble(
                vin, states.get(vin, CarState()), given.get(vin, ()), stop_s=stop_s, finish=finish
            )
            states[vin] = done.state
            pieces += done.pieces
            late += done.late
            resets += done.resets
        landed = None
        if pieces or rejects:
            said = sha256(msgspec.json.encode([pieces, rejects])).hexdigest()
            numbers = range(lines, lines + len(pieces)) if rejects else None
            batch = Batch(
                f"telemetry-{said[:40]}",
                door,
                table_of_pieces(pieces),
                rejects,
                origin=origin,
                sha256=said,
                simulated=simulated,
                rows=numbers,
            )
            landed = land(batch)
        _write(path, states)
    return TelemetryTaken(landed, lines, late, resets, sum(bool(state.open) for state in states.values()))


def forget_car(folder: FleetFolder, vin: str) -> None:
    """Take a car out of what is kept of open trips.

    Raises:
        Unavailable: it cannot be read or written now.
    """
    if not (folder.root / _FILE).exists():
        return
    with _held(folder) as path:
        states = _read(path)
        if states.pop(vin, None) is not None:
            _write(path, states)


def table_of_pieces(pieces: list[Piece]) -> pa.Table:
    """Segments as a table with the columns of ``TRIPS`` and where each began."""
    columns = [pa.array([getattr(piece.segment, each.name) for piece in pieces], each.type) for each in TRIPS]
    table = pa.Table.from_arrays(columns, schema=TRIPS)
    for name in ("latitude", "longitude"):
        table = table.append_column(name, pa.array([getattr(piece, name) for piece in pieces], pa.float64()))
    return table


@contextmanager
def _held(folder: FleetFolder) -> Iterator[Path]:
    try:
        folder.root.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder.root / "telemetry.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise _unavailable(error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder.root / _FILE
    finally:
        os.close(lock)


def _read(path: Path) -> dict[str, CarState]:
    try:
        return _DECODER.decode(path.read_bytes())
    except FileNotFoundError:
        return {}
    except msgspec.DecodeError as error:
        raise Unavailable(
            "what is kept of open trips cannot be read",
            code="telemetry.kept",
            place=str(path),
            remedy="delete the file; trips that were open begin at the next message",
        ) from error


def _write(path: Path, states: dict[str, CarState]) -> None:
    temporary = path.with_suffix(".new")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "wb") as file:
            file.write(msgspec.msgpack.encode(states))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise _unavailable(error) from error


def _unavailable(error: OSError) -> Unavailable:
    return Unavailable(
        f"what is kept of open trips cannot be written: {error.strerror}",
        code="telemetry.kept",
        remedy="make room, then give the same files again",
    )
