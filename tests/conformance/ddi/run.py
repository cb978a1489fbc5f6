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


def main() -> None:
    serving.DeviceDoor = ReachableDoor  # type: ignore[attr-defined]
    named: dict[str, Any] = eval(f"dict({os.environ.get('FAKE_OPTIONS', '')})", NAMES)
    options = ServeOptions(opened, port=0, **named)
    serving.serve(options, _say)


def _say(host: str, port: int) -> None:
    sys.stdout.write(f"{host} {port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
