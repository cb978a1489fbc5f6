"""Servers that are measured, each in a process: ``python -m bench.updates.servers bare|door|chunks PORT``."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn

from bench.updates import room
from driveaway.web.device.options import DoorOptions, Limits, ServeOptions
from driveaway.web.device.serve import serve
from driveaway.web.http import files
from driveaway.web.http.limits import Rate

_BODY = (
    b'{"config":{"polling":{"sleep":"00:05:00"}},"_links":{"confirmationBase":{"href":'
    b'"http://127.0.0.1:18080/DEFAULT/controller/v1/CAR000001/confirmationBase"}}}'
)
_HEADERS = [(b"content-type", b"application/hal+json"), (b"content-length", b"%d" % len(_BODY))]
_START = {"type": "http.response.start", "status": 200, "headers": _HEADERS}
_END = {"type": "http.response.body", "body": _BODY}


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """As little as an ASGI application can do: the same bytes for everybody."""
    if scope["type"] == "http":
        await send(_START)
        await send(_END)


def main() -> None:
    """Serve until told to stop."""
    what, port = sys.argv[1], int(sys.argv[2])
    if what == "bare":
        uvicorn.run(
            bare,
            port=port,
            interface="asgi3",
            lifespan="off",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            log_level="error",
        )
    else:
        if what == "chunks":
            # As over TLS, or under a server that cannot send files by itself.
            files.SENDFILE = ""  # type: ignore[misc]
        # One client asks for all cars, far more often than cars do.
        limits = Limits(car=Rate(1e6, 1_000_000), downloads=Rate(1e6, 1_000_000))
        serve(ServeOptions(room.opened, DoorOptions(limits=limits), port=port))


if __name__ == "__main__":
    main()
