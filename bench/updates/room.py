"""A room with many cars, for the servers that are measured: the real desk over SQLite."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from driveaway.book.sqlite import SqliteStore
from driveaway.book.state.state import State
from driveaway.book.state.together import Together
from driveaway.updates import assigning, registry, sets, software
from driveaway.updates.artifacts import ArtifactStore
from driveaway.updates.assigning import Terms
from driveaway.updates.configuration import configure
from driveaway.updates.ddi.desk import DeviceDesk
from driveaway.values.clock import now

FOLDER = "DRIVEAWAY_BENCH_ROOM"
"""The setting by which a server is told the room's folder."""
_AT_ONCE = 5000


def name(number: int) -> str:
    """A car's id."""
    return f"CAR{number:06d}"


def token(number: int) -> str:
    """A car's token."""
    return hashlib.sha256(b"%d" % number).hexdigest()[:48]


def polls(numbers: Sequence[int]) -> list[tuple[str, str]]:
    """Paths and tokens of cars' polls."""
    return [(f"/DEFAULT/controller/v1/{name(number)}", token(number)) for number in numbers]


def make(
    folder: Path, cars: int, assigned: Sequence[int] = (), *, content: bytes = b"software" * 1000
) -> None:
    """Enter cars; those ``assigned`` are to get a release."""
    store = SqliteStore(folder / "book.sqlite")
    store.create()
    state = State(store)
    artifacts = ArtifactStore(folder / "artifacts")
    at = now()
    for first in range(0, cars, _AT_ONCE):
        with state.change() as change:
            for number in range(first, min(first + _AT_ONCE, cars)):
                registry.create(change, name(number), at, token=token(number))
            change.run("UPDATE targets SET attributes_requested = 0")
    stored = artifacts.put([content])
    with state.change() as change:
        module = software.create_module(change, "os", "2.0", "os", at)
        software.add_artifact(change, module.id, "os.swu", stored, at)
        release = sets.create_set(change, "os", "2.0", "os", [module.id], at).id
        configure(change, "releases.unsigned.enabled", True, at)
    for first in range(0, len(assigned), _AT_ONCE):
        with state.change() as change:
            chosen = [name(number) for number in assigned[first : first + _AT_ONCE]]
            assigning.assign(change, release, chosen, Terms(), at)
    store.close()


@contextmanager
def opened() -> Iterator[DeviceDesk]:
    """The desk over the room that was made."""
    folder = Path(os.environ[FOLDER])
    store = SqliteStore(folder / "book.sqlite")
    together = Together(State(store))
    desk = DeviceDesk(State(store), together, ArtifactStore(folder / "artifacts"))
    try:
        yield desk
    finally:
        desk.close()
        together.close()
        store.close()
