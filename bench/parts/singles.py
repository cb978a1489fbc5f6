"""Append facts one by one at a steady pace, alone or while a process imports: FOLDER COUNT EVERY [FILE]."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from bench.measuring import tell
from driveaway.facts import Draft
from driveaway.facts.orders import OrderReserved
from driveaway.launch.launch import Launch, open_launch
from driveaway.values.clock import now
from driveaway.values.ids import new_order_id
from driveaway.values.money import parse_money

_UNDER_WAY = 2_000
"""Facts that the importer has recorded before the first append counts."""


def _reserve(launch: Launch) -> None:
    description = launch.description
    trim, price = description.trims[0], description.trims[0].price
    body = OrderReserved(
        trim=trim.name, colour=description.colours[0],
        price=None if price is None else parse_money(price, description.currency),
        currency=None if price is None else description.currency,
        province="310000", city="Shanghai",
    )  # fmt: skip
    launch.append([Draft("order.reserved", new_order_id(), now(), body, simulated=True)])


def _importer(file: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "driveaway", "import", file, "--launch", folder]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def _measure(launch: Launch, importer: subprocess.Popen[bytes] | None) -> None:
    for _ in range(20):
        _reserve(launch)
    before = launch.book.edge().size
    while importer is not None and launch.book.edge().size < before + _UNDER_WAY:
        if importer.poll() is not None:
            raise SystemExit("the import ended before it was under way: give it more facts")
        time.sleep(0.01)
    times: list[float] = []
    size, started = launch.book.edge().size, time.perf_counter()
    due = started
    while len(times) < count:
        time.sleep(max(0.0, due - time.perf_counter()))
        begun = time.perf_counter()
        _reserve(launch)
        took = time.perf_counter() - begun
        if importer is not None and importer.poll() is not None:
            break
        times.append(took)
        due = max(due + every, begun)
    if not times:
        raise SystemExit("the import ended before an append was measured: give it more facts")
    wall = time.perf_counter() - started
    tell(times=times, wall=wall, imported=launch.book.edge().size - size - len(times))


if __name__ == "__main__":
    folder, count, every = str(Path(sys.argv[1]).resolve()), int(sys.argv[2]), float(sys.argv[3])
    with open_launch(folder) as opened:
        importing = _importer(sys.argv[4]) if len(sys.argv) > 4 else None
        try:
            _measure(opened, importing)
        finally:
            if importing is not None:
                importing.terminate()
                importing.wait()
