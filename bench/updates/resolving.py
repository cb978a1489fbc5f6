"""Processor time of resolving a release: 1,000 configurations of 50 modules, and a fleet grouped to them.

``python -m bench.updates.resolving [--cars N]``.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from driveaway.book.sqlite import SqliteStore
from driveaway.book.state.state import State
from driveaway.launch.updates.resolving import told_resolution
from driveaway.updates import releases, sets, software
from driveaway.updates.releases import About, Need, Record, Terms
from driveaway.updates.resolving.resolution import resolve
from driveaway.updates.resolving.stepping import Car
from driveaway.updates.resolving.universe import Bringing, Brought, Universe

MODULES = 50
VERSIONS = 10
PLATFORM = 5
CONFIGURATIONS = 1_000
UNITS = tuple(f"unit-{number}" for number in range(8))


def universe(draw: random.Random) -> tuple[Universe, Bringing]:
    """Each module in ten versions, in releases of three modules; the newest release brings five.

    Five modules are a platform: they need each other, the other 45 need one or two of them.
    """
    known, found = {}, []
    for module in range(MODULES):
        for version in range(1, VERSIONS + 1):
            known[f"m{module}", f"{version}.0"] = About((UNITS[module % len(UNITS)],))

    def brought(module: int, version: int) -> Brought:
        others = draw.sample([each for each in range(PLATFORM) if each != module], draw.randint(1, 2))
        needs = [Need(f"m{other}", f"{max(1, version - 2)}.0") for other in others]
        if module < PLATFORM and draw.random() < 0.2:
            needs.append(Need(f"m{draw.randrange(PLATFORM, MODULES)}", f"{version + 3}.0", conflicts=True))
        least = f"{version - 3}.0" if version > 4 else None
        return Brought(f"m{module}", f"{version}.0", Terms(least, needs=tuple(needs)))

    for version in range(2, VERSIONS + 1):
        for first in range(0, MODULES, 3):
            three = tuple(brought(module, version) for module in range(first, min(first + 3, MODULES)))
            found.append(Bringing(len(found) + 1, f"r-{len(found) + 1}", True, three))
    goal = Bringing(
        len(found) + 1, "goal", False, tuple(brought(module, VERSIONS) for module in range(0, MODULES, 10))
    )
    return Universe([*found, goal], known), goal


def configurations(draw: random.Random) -> Iterator[dict[str, str]]:
    """What cars run: some behind with all, some with a part; each is another."""
    for _ in range(CONFIGURATIONS):
        usual = draw.randint(VERSIONS // 2, VERSIONS)
        yield {
            f"m{module}": f"{usual if draw.random() < 0.8 else draw.randint(1, VERSIONS)}.0"
            for module in range(MODULES)
        }


def resolving() -> None:
    """Resolve each configuration once."""
    draw = random.Random(7)
    all_, goal = universe(draw)
    cars = [Car.of(all_, frozenset(UNITS), runs) for runs in configurations(draw)]
    verdicts: Counter[str] = Counter()
    slowest, begun = 0.0, time.process_time()
    for car in cars:
        before = time.process_time()
        verdicts[resolve(all_, goal, car).verdict] += 1
        slowest = max(slowest, time.process_time() - before)
    spent = time.process_time() - begun
    print(f"{CONFIGURATIONS:,} configurations of {MODULES} modules, {len(all_.releases):,} releases")
    print(f"  {spent:.2f} s of processor time, {1000 * spent / len(cars):.2f} ms each")
    print(f"  the slowest {1000 * slowest:.1f} ms; {dict(verdicts.most_common())}")


def grouping(cars: int) -> None:
    """A fleet in SQLite, whose cars have 200 configurations of five modules: grouped and resolved."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "book.sqlite")
        store.create()
        state, at = State(store), 1
        with state.change() as change:
            made = []
            for name in ("a", "b", "c", "d", "e"):
                module = software.create_module(change, name, "9.0", "os", at)
                releases.set_about(change, module.id, About(("hpc",)), at)
                made.append(module.id)
            found = sets.create_set(change, "goal", "1", "os", made, at)
            terms = {"a": Terms(needs=(Need("b", "2.0"),)), "c": Terms("3.0")}
            releases.write_record(change, found.id, Record(terms=terms, published=at), at)
        for first in range(0, cars, 10_000):
            with state.change() as change:
                numbers = range(first, min(first + 10_000, cars))
                change.run_many(
                    "INSERT INTO targets (id, controller_id, created, modified) VALUES (:id, :vin, 1, 1)",
                    [{"id": number + 1, "vin": f"V{number:08d}"} for number in numbers],
                )
                change.run_many(
                    "INSERT INTO target_attributes (target, key, value) VALUES (:target, :key, :value)",
                    [
                        {"target": number + 1, "key": key, "value": value}
                        for number in numbers
                        for key, value in said(number % 200)
                    ],
                )
        begun = time.process_time()
        told = told_resolution(state, found.id, "controllerid==*", at)
        spent = time.process_time() - begun
        store.close()
    print(f"{cars:,} cars of {len(told['rows'])} configurations in SQLite")
    print(f"  {spent:.2f} s of processor time to group and resolve; {told['verdicts']}")


def said(kind: int) -> Iterator[tuple[str, str]]:
    """What a car of a kind says."""
    yield "hardware", "hpc" if kind % 2 else "hpc,adas"
    for place, name in enumerate(("a", "b", "c", "d", "e")):
        yield f"{name}.version", f"{1 + (kind // 2 + place * (kind // 10)) % 9}.{kind % 3}"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cars", type=int, default=100_000)
    given = parser.parse_args()
    resolving()
    grouping(given.cars)


if __name__ == "__main__":
    main()
