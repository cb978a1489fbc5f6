"""What runs in a process of its own and is killed there. Each says over its pipe what it was told is safe."""

from __future__ import annotations

import random
import time
from multiprocessing.connection import Connection
from pathlib import Path

from driveaway.book import mirror
from driveaway.book.mirror import Mirror
from driveaway.facts import Draft
from driveaway.launch.imports import import_file
from driveaway.launch.launch import open_launch
from driveaway.values.errors import Unavailable
from tests.stores import acts


def drafts_of(number: int) -> list[Draft]:
    """What is recorded of one order."""
    return [acts.reserved(number, number), acts.taken(number, number), acts.locked(number, number + 1)]


def append_orders(pipe: Connection, folder: str, url: str, first: int, last: int, seed: int) -> None:
    """Append order after order in batches of any size; say which number is safe after each commit.

    What cannot be appended now is tried again, as a caller would.
    """
    dice = random.Random(seed)
    with open_launch(folder, book_url=url) as launch:
        launch.book.edge()
        pipe.send(("ready", first))
        while first < last:
            until = min(last, first + dice.choice((1, 1, 2, 7, 40, 150)))
            drafts = [draft for number in range(first, until) for draft in drafts_of(number)]
            try:
                launch.append(drafts, patient=dice.random() < 0.5)
            except Unavailable as error:
                pipe.send(("unavailable", error.code))
                time.sleep(0.05)
                continue
            pipe.send(("safe", until))
            first = until
    pipe.send(("done", last))


def import_orders(pipe: Connection, folder: str, url: str, file: str) -> None:
    """Import a file in small batches."""
    with open_launch(folder, book_url=url) as launch:
        pipe.send(("ready", 0))
        report = import_file(launch, Path(file), kind="order.reserved", batch=50)
    pipe.send(("done", report.facts))


def catch_up(pipe: Connection, folder: str, url: str) -> None:
    """Bring the mirror up in many small steps."""
    mirror._BATCH, mirror._FULL = 60, 200
    with open_launch(folder, book_url=url) as launch:
        launch.book.edge()
        pipe.send(("ready", 0))
        Mirror(launch.book.store, launch.book.folder / "mirror", launch.zone).catch_up()
    pipe.send(("done", 0))
