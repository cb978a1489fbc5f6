"""The server process of the tests: the real server, before a room in memory that tests can reach into."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from driveaway.book.sqlite import SqliteStore
from driveaway.book.state.state import State
from driveaway.book.state.together import Together
from driveaway.updates.artifacts import ArtifactStore
from driveaway.updates.ddi.desk import DeviceDesk
from driveaway.web.device import serve as serving
from driveaway.web.device.app import DeviceDoor
from driveaway.web.device.options import DoorOptions, Limits, ServeOptions, Tls
from driveaway.web.http.limits import Rate
from tests.conformance.ddi import fake

NAMES = {"DoorOptions": DoorOptions, "Limits": Limits, "Path": Path, "Rate": Rate, "Tls": Tls}


class ReachableDoor(DeviceDoor):
    """Beside cars, who posts to ``/room`` is answered by the room itself."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/room":
            await super().__call__(scope, receive, send)
            return
        what, *arguments = json.loads((await receive())["body"])
        found = getattr(self._desk, what)
        body = msgspec.json.encode(found(*arguments) if callable(found) else found)
        length = b"%d" % len(body)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": body})


@contextmanager
def opened() -> Iterator[fake.FakeDesk]:
    """The room of a server process."""
    size = int(os.environ.get("FAKE_SIZE", "100000"))
    yield fake.FakeDesk(Path(os.environ["FAKE_FOLDER"]), size)


@contextmanager
def desk_over_a_book() -> Iterator[DeviceDesk]:
    """The real desk, over the book in the folder."""
    folder = Path(os.environ["FAKE_FOLDER"])
    store = SqliteStore(folder / "book.sqlite")
    # Facts about cars are not what these tests are about.
    state = State(store, lambda transaction, drafts: ())
    together = Together(state)
    desk = DeviceDesk(state, together, ArtifactStore(folder / "artifacts"))
    try:
        yield desk
    finally:
        desk.close()
        together.close()
        store.close()


def main() -> None:
    serving.DeviceDoor = ReachableDoor  # type: ignore[attr-defined]
    room = desk_over_a_book if os.environ.get("FAKE_BOOK") else opened
    named: dict[str, Any] = eval(f"dict({os.environ.get('FAKE_OPTIONS', '')})", NAMES)
    options = ServeOptions(room, port=0, **named)
    serving.serve(options, _say)


def _say(host: str, port: int) -> None:
    sys.stdout.write(f"{host} {port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
