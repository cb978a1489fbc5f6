"""Make the simulated launch: its folder, its book."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from msgspec.structs import replace

from driveaway.cases import RECORDS, write_record
from driveaway.demo.planning import planned
from driveaway.demo.scaling import launch_record, launch_text
from driveaway.demo.simulation import simulate
from driveaway.facts import Draft
from driveaway.launch.applying import apply_drafts
from driveaway.launch.founding import found
from driveaway.launch.launch import Launch, open_launch
from driveaway.values.clock import parse_as_of
from driveaway.values.errors import Conflict

_BATCH = 20_000
CASE = "su7"
MARKER = ".made-by-demo"
"""A file in every folder that a demo made: such a folder may be made anew."""


def marker_text(seed: int, scale: float, until: str | None) -> str:
    """What the marker says once the demo is complete."""
    return f"seed {seed}, scale {scale:g}, until {until or 'the end'}\n"


def make_demo(
    folder: Path,
    *,
    seed: int = 1,
    scale: float = 1.0,
    until: str | None = None,
    book_url: str | None = None,
    progress: Callable[[int, str], None] | None = None,
) -> Launch:
    """Make the folder of the packaged launch and fill its book with simulated orders.

    The order-level facts are simulated and marked so; claims, events, tests and targets are public
    record. Facts are recorded as if each had been recorded when it happened, with salts derived from
    the seed, so that the same seed gives the same book, leaf by leaf.

    Args:
        folder: a new folder.
        seed: of the simulation.
        scale: size of the launch against the real one.
        until: last day (or time) that is simulated.
        book_url: where the book is; default: in the folder.
        progress: called with (facts recorded, what is being done).

    Raises:
        Conflict: a launch stands in the folder already.
        BadValue: the scale or the date is out of range.
    """
    launch = found(folder, CASE, book_url=book_url)
    (folder / MARKER).write_text("incomplete\n", encoding="utf-8")
    if scale != 1:
        launch.close()
        (folder / "launch.toml").write_text(launch_text(CASE, scale), encoding="utf-8")
        record = list(launch_record(CASE, scale))
        for file in RECORDS:
            (folder / file).write_text(write_record(file, record, launch.zone), encoding="utf-8")
        launch = open_launch(folder, book_url=book_url)
    stop = None if until is None else parse_as_of(until, launch.zone)
    public = _public(launch)
    drafts: Iterable[Draft] = heapq.merge(
        public,
        simulate(launch.description, seed=seed, scale=scale, until=stop),
        key=lambda draft: draft.happened,
    )
    fill(launch, drafts, seed=seed, progress=progress)
    if progress is not None:
        progress(launch.book.edge().size, "planning")
    fill(launch, planned(launch, stop), seed=seed, label="plan")
    launch.book.log_head(force=True)
    (folder / MARKER).write_text(marker_text(seed, scale, until), encoding="utf-8")
    return launch


def _public(launch: Launch) -> list[Draft]:
    """The public record in order of time; the description holds from its first moment on."""
    drafts = apply_drafts(launch, None, 0)
    start = min(draft.happened for draft in drafts if draft.kind != "launch.described")
    drafts = [replace(d, happened=start) if d.kind == "launch.described" else d for d in drafts]
    return sorted(drafts, key=lambda draft: (draft.happened, draft.kind != "launch.described"))


def fill(
    launch: Launch,
    drafts: Iterable[Draft],
    *,
    seed: int,
    label: str = "demo",
    progress: Callable[[int, str], None] | None = None,
) -> int:
    """Record drafts, each as if at the time it happened; how many facts there are then.

    Raises:
        DriveawayError: the rules refuse one, which would be a defect of the simulation.
    """
    salts = _Salts(seed, label)
    stream: Iterator[Draft] = iter(drafts)
    done = 0
    while batch := list(islice(stream, _BATCH)):
        outcomes = launch.append(
            batch, atomic=True, clock=lambda draft: draft.happened, salts=salts, checked=True
        )
        if not all(outcome.added for outcome in outcomes):
            raise Conflict("this launch holds the simulation already", code="demo.repeated")
        done += len(batch)
        if progress is not None:
            progress(done, "recording")
    return done


class _Salts:
    """Bytes derived from a seed (SHAKE-256 in counter mode): enough for a demo, never for real data."""

    def __init__(self, seed: int, label: str) -> None:
        self._seed, self._label, self._calls = seed, label, 0

    def __call__(self, count: int) -> bytes:
        self._calls += 1
        return hashlib.shake_256(f"driveaway {self._label} {self._seed} {self._calls}".encode()).digest(count)
