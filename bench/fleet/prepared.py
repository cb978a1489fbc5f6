"""What the fleet's benches share: sizes, drives that are made once, launch folders with their cars."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from bench.fleet.generate import FIRST, write
from bench.measuring import Run, note, run
from driveaway.book import writer
from driveaway.facts import Draft
from driveaway.facts.cars import CarBuilt
from driveaway.facts.orders import OrderHandedOver
from driveaway.launch.launch import open_launch
from driveaway.values.ids import order_id

ZONE_SECONDS = 8 * 3600
"""Asia/Shanghai, all year."""
DAYS = 90
_CARS_PER = 250
"""Segments of a car in 90 days."""
_LAUNCH = """
launch = "bench"
zone = "Asia/Shanghai"
currency = "CNY"

[car]
name = "Car"

[[trims]]
name = "Standard"

[[trims]]
name = "Pro"

[[trims]]
name = "Max"

[fleet]
plausible = { late_days = 4000 }

[[fleet.functions]]
name = "lane_centring"
level = 2

[[fleet.functions]]
name = "highway_pilot"
level = 2

[[fleet.functions]]
name = "city_navigation"
level = 2
trims = ["Pro", "Max"]

[[fleet.functions]]
name = "parking"
level = 2
"""


@dataclass(frozen=True)
class Size:
    """So many segments of so many cars in 90 days."""

    trips: int

    @property
    def cars(self) -> int:
        """As many as make each drive as much as at every other size."""
        return max(100, self.trips // _CARS_PER)

    @property
    def name(self) -> str:
        """For folders."""
        return f"{self.trips}"


class _Anything:
    """Rules that allow everything: the cars are handed over without the orders before it."""

    seen = -1

    def prepare(self, drafts: Sequence[Draft], reader: writer.Reader, size: int) -> None:
        return

    def decide(self, draft: Draft) -> Sequence[Draft]:
        return (draft,)


def drives(workdir: Path, size: Size) -> list[Path]:
    """The files of a size, in order of days; ``cars.parquet`` stands beside them."""
    note(f"making {size.trips:,} segments of {size.cars:,} cars")
    return write(workdir / f"drives-{size.name}", size.trips, size.cars, DAYS)


def fresh_launch(workdir: Path, size: Size) -> Path:
    """A launch folder whose cars were built and handed over, and in which no trip has landed."""
    kept, folder = workdir / f"cars-{size.name}", workdir / f"launch-{size.name}"
    if not (kept / "complete").exists():
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        note(f"recording {size.cars:,} cars")
        _record(kept, drives(workdir, size)[0].parent / "cars.parquet")
        (kept / "complete").touch()
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(kept, folder)
    return folder


def _record(folder: Path, cars: Path) -> None:
    (folder / "launch.toml").write_text(_LAUNCH, encoding="utf-8")
    table = pq.read_table(cars)
    days = table["handed"].cast("int32").to_numpy().astype(np.int64)
    at = ((days * 86_400 + 12 * 3600 - ZONE_SECONDS) * 1_000_000).tolist()
    columns = zip(
        table["vin"].to_pylist(), table["trim"].to_pylist(), table["city"].to_pylist(), at, strict=True
    )
    drafts: list[Draft] = []
    with open_launch(folder) as launch:
        launch.book.store.create()
        launch.apply()
        for number, (vin, trim, city, handed) in enumerate(columns):
            drafts.append(
                Draft("car.built", vin, handed - 10**12, CarBuilt(plant="p", trim=trim), simulated=True)
            )
            taken = OrderHandedOver(vin=vin, city=city)
            drafts.append(Draft("order.handed_over", order_id(number), handed, taken, simulated=True))
            if len(drafts) >= 20_000:
                writer.append(launch.book.store, drafts, _Anything(), atomic=True)
                drafts.clear()
        if drafts:
            writer.append(launch.book.store, drafts, _Anything(), atomic=True)
        # Cars that were asked about before: the book's columns are no part of what is measured.
        launch.book.mirror.catch_up()


def task(name: str, *arguments: object) -> Run:
    """Run one task of ``bench.fleet.tasks`` in a process of its own."""
    return run([sys.executable, "-m", "bench.fleet.tasks", name, *map(str, arguments)])


def peer(name: str, *arguments: object) -> Run:
    """Run one peer of ``bench.fleet.peers`` in a process of its own."""
    return run([sys.executable, "-m", "bench.fleet.peers", name, *map(str, arguments)])


def arguments(what: str) -> argparse.Namespace:
    """The options that both benches have."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument(
        "--trips", default="2000000", help="sizes, joined by commas: 10000000,30000000,100000000 shows growth"
    )
    parser.add_argument("--workdir", type=Path, help="keep and reuse drives and launches here")
    parser.add_argument("--into", type=Path, help="also write the result between the marks of this page")
    parser.add_argument("--engines", default="", help="Spark masters to ask as well, joined by commas")
    parser.add_argument("--no-peers", action="store_true", help="leave the peers out")
    found = parser.parse_args()
    found.sizes = [Size(int(text)) for text in found.trips.split(",")]
    found.engines = [text for text in found.engines.split(",") if text]
    return found


@contextmanager
def workdir(given: Path | None) -> Iterator[Path]:
    """The folder that was named, or one that goes away."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="bench-", dir=".") as folder:
        yield Path(folder).resolve()


def publish(page: Path | None, name: str, text: str) -> None:
    """Print a result, and write it between the marks of a page.

    Raises:
        ValueError: the page has no such marks.
    """
    print(text)
    if page is None:
        return
    begin, end = f"<!-- fleet {name}: begin -->", f"<!-- fleet {name}: end -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{page} has no lines {begin} and {end}")
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


__all__ = ["DAYS", "FIRST", "ZONE_SECONDS", "Size", "arguments", "drives", "fresh_launch", "peer", "publish",
           "task", "workdir"]  # fmt: skip
