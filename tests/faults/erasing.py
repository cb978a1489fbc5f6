"""Erasing a car in a process that is killed right before its n-th act on the disk."""

from __future__ import annotations

import os
import signal
import sys
from multiprocessing.connection import Connection

from driveaway.launch.launch import open_launch
from driveaway.values.errors import Refused

_ACTS = frozenset({"open", "os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.truncate"})


def erase_car(pipe: Connection, folder: str, url: str, vin: str, stop: int) -> None:
    """Erase, and stop as a machine does that loses its power before its n-th act below the fleet's folder."""
    with open_launch(folder, book_url=url) as launch:
        launch.book.mirror.catch_up()
        root = str(launch.data / "fleet")
        done = 0

        def count(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal done
            if event in _ACTS and arguments and str(arguments[0]).startswith(root):
                if done == stop:
                    os.kill(os.getpid(), signal.SIGKILL)
                done += 1

        sys.addaudithook(count)
        pipe.send(("ready", 0))
        try:
            launch.erase(vin, "art. 17")
        except Refused as error:
            pipe.send(("refused", error.code))
        stop = -1
    pipe.send(("done", done))
