"""The server process of the tests: the real server over a launch folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from driveaway.launch.device import find_launch
from driveaway.launch.management import opened
from driveaway.web.http.limits import Rate
from driveaway.web.management.calls import Desk
from driveaway.web.management.options import Limits, ManagementOptions, Opened, ServeOptions
from driveaway.web.management.serve import serve

LARGEST = 300_000


@contextmanager
def room(folder: str) -> Iterator[Opened]:
    """The room of a server process; its artifacts are small."""
    with opened(find_launch(folder)) as launch:
        desk = Desk(launch.state, launch.artifacts, largest=LARGEST, simulated=launch.simulated)
        yield Opened(desk, launch.accounts)


def main() -> None:
    failures = os.environ.get("MANAGEMENT_FAILURES")
    rate = Rate(0.01, int(failures)) if failures else Rate(1000, 10_000)
    door = ManagementOptions(limits=Limits(failures=rate, body=100_000, body_seconds=2.0))
    serve(ServeOptions(partial(room, sys.argv[1]), door, port=0), _say)


def _say(host: str, port: int) -> None:
    sys.stdout.write(f"listens at {host} {port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
