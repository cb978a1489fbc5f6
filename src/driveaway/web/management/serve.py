"""The server for staff tools: one or several processes over one listening socket."""

from __future__ import annotations

from contextlib import ExitStack

from driveaway.web.http.listening import Listening, run
from driveaway.web.management.app import ManagementDoor
from driveaway.web.management.options import ServeOptions


class Opening:
    """Opens the room and makes the application, in the process that serves."""

    def __init__(self, options: ServeOptions) -> None:
        self._options = options

    def __call__(self) -> ManagementDoor:
        """The application; it closes the room when the server stops."""
        opened = ExitStack()
        desk, accounts = opened.enter_context(self._options.room())
        return ManagementDoor(desk, accounts, self._options.door, opened.close)


def serve(options: ServeOptions, listening: Listening | None = None) -> None:
    """Serve until told to stop (SIGTERM, SIGINT); requests under way are ended first.

    ``listening`` is told the address and the port, which matters where port 0 lets the system choose.

    Raises:
        BadValue: an option cannot be.
        Refused: credentials would cross a network in the clear.
        Unavailable: the address is not free, or not this machine's.
    """
    options.check()
    run(Opening(options), options, listening)
