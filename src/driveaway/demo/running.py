"""Make the simulated launch: its folder, its book."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path

from msgspec.structs import replace

from driveaway.cases import RECORDS, case_description, write_record
from driveaway.demo.facts_of_cars import Handovers
from driveaway.demo.planning import planned
from driveaway.demo.scaling import launch_record, launch_text
from driveaway.demo.simulation import Simulated, simulated
from driveaway.demo.trips.arriving import Arrival, arrivals
from driveaway.demo.updates.fleet import Watched
from driveaway.facts import Draft
from driveaway.launch.applying import apply_drafts
from driveaway.launch.founding import found
from driveaway.launch.functions import FILE as FUNCTIONS
from driveaway.launch.launch import Launch, open_launch
from driveaway.launch.updates.opening import DEMO_MARKER
from driveaway.values.clock import local_day, now, parse_as_of, show, zone
from driveaway.values.errors import BadValue, Conflict, Refused

_BATCH = 20_000
CASE = "su7"
MARKER = DEMO_MARKER
"""A file in every folder that a demo made."""
_INCOMPLETE = "incomplete\n"
_SOURCES = ("urn:driveaway:demo:", "urn:driveaway:launch:")


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
        until: last day (or time) that is simulated, and the launch's ``today``; default: the end of the
            public record. After it no orders are simulated, but the announced updates are played.
        book_url: where the book is; default: in the folder.
        progress: called with (facts recorded, what is being done).

    Raises:
        Conflict: a launch stands in the folder already.
        BadValue: the scale or the date is out of range.
    """
    stop, today = parse_until(until)
    record_end = record_ends()
    launch = found(folder, CASE, book_url=book_url)
    (folder / MARKER).write_text(_INCOMPLETE, encoding="utf-8")
    if scale != 1 or today is not None:
        launch.close()
        (folder / "launch.toml").write_text(launch_text(CASE, scale, today), encoding="utf-8")
        record = list(launch_record(CASE, scale))
        for file in RECORDS:
            (folder / file).write_text(write_record(file, record, launch.zone), encoding="utf-8")
        launch = open_launch(folder, book_url=book_url)
    public, later = public_record(launch, record_end if stop is None else stop, record_end)
    watched = Watched()
    told = simulated(launch.description, seed=seed, scale=scale)
    drafts = heapq.merge(public, watched.watch(told.drafts(stop)), key=lambda draft: draft.happened)
    end = record_end if stop is None else min(stop, record_end)
    batches = [each for each in driven(launch, told, seed=seed, scale=scale) if each.at <= end]
    fill_and_land(launch, drafts, batches, told.handovers, seed=seed, progress=progress)
    if progress is not None:
        progress(launch.book.edge().size, "planning")
    # No order is simulated after the record: a plan of a later day would have nothing to go by.
    fill(launch, planned(launch, end), seed=seed, label="plan")
    if stop is not None and stop > record_end:
        if progress is not None:
            progress(launch.book.edge().size, "updates")
        play(launch, watched, later, stop, seed=seed)
    launch.book.log_head(force=True)
    (folder / MARKER).write_text(marker_text(seed, scale, until), encoding="utf-8")
    return launch


def parse_until(until: str | None) -> tuple[int | None, str | None]:
    """The instant at which a simulation stops, and the ``today`` that its launch has for it.

    Both are None where the whole record is simulated, ``today`` alone where the stop is the record's end.

    Raises:
        BadValue: no time, or one before orders opened: nothing could be told of it.
    """
    if until is None:
        return None, None
    description = case_description(CASE)
    tz = zone(description.zone)
    stop = parse_as_of(until, tz)
    opened = description.car.orders_open
    if opened is not None and stop < parse_as_of(opened, tz):
        raise BadValue(
            f"{until} is before {opened}, when orders opened",
            code="demo.until",
            remedy="give the day on which orders opened or a later one",
        )
    if description.today is not None and stop == parse_as_of(description.today, tz):
        return stop, None
    return stop, until if len(until) == len("2024-04-25") else show(stop, tz)


def beyond(until: str | None) -> str | None:
    """What a simulation to this day does not hold, in words; None where nothing is missing.

    Raises:
        BadValue: no time, or one before orders opened.
    """
    from driveaway.demo.updates.builds import LAST

    stop, _ = parse_until(until)
    tz = zone(case_description(CASE).zone)
    if stop is None or stop <= record_ends():
        return None
    last = min(stop, parse_as_of(LAST, tz))
    said = f"no orders and no handovers are simulated after the record, {show(record_ends(), tz)}"
    said += f"; the announced updates are played to {local_day(last, tz)}"
    return said + (f", nothing after it until {local_day(stop, tz)}" if last < stop else "")


def record_ends() -> int:
    """When the public record ends: the case's own ``today``. No order is simulated after it."""
    description = case_description(CASE)
    assert description.today is not None
    return parse_as_of(description.today, zone(description.zone))


def holds_demo(folder: Path, seed: int, scale: float, until: str | None) -> bool:
    """Whether a folder holds just this demo, complete; else whatever a demo left in it may go.

    Raises:
        Refused: the folder holds another demo, or one that was cut off beside things of a person's own.
    """
    if not (folder / MARKER).exists():
        return False
    made = (folder / MARKER).read_text(encoding="utf-8")
    if made == marker_text(seed, scale, until):
        return True
    remedy = "--force deletes all that is in the folder; --dir takes another one"
    if made != _INCOMPLETE:
        raise Refused(
            f"another demo is here ({made.strip()})", code="demo.other", place=str(folder), remedy=remedy
        )
    if others := foreign(folder):
        raise Refused(
            f"a demo was cut off here, and beside it there are {others}",
            code="demo.foreign",
            place=str(folder),
            remedy=remedy,
        )
    return False


def foreign(folder: Path) -> str | None:
    """What in a demo's folder the demo did not make, in words; None when all of it may be deleted.

    Raises:
        DriveawayError: the launch cannot be opened.
    """
    own = {MARKER, "launch.toml", FUNCTIONS, ".gitignore", "briefing.html", "data", "keys", *RECORDS}
    if others := sorted(path.name for path in folder.iterdir() if path.name not in own):
        return f"files of your own ({', '.join(others)})"
    if not (folder / "data").exists():
        return None
    with open_launch(folder) as launch:
        for fact in launch.book.facts(0, launch.book.edge().size):
            if not (fact.simulated or fact.source.startswith(_SOURCES)):
                return f"facts of your own (the first: {fact.kind} {fact.subject})"
    return None


def public_record(launch: Launch, end: int, record_end: int) -> tuple[list[Draft], list[Draft]]:
    """The public record in order of time, and what comes after its end.

    The description holds from the first moment on.
    Functions are opened as simulated time comes to it, so those that open after ``end`` are not there.
    """
    drafts = apply_drafts(launch, None, now(), begins=0)
    drafts = [d for d in drafts if not d.kind.startswith("function.") or d.happened <= end]
    start = min(d.happened for d in drafts if d.kind != "launch.described" and d.happened)
    drafts = [
        replace(d, happened=start) if d.kind == "launch.described" or not d.happened else d for d in drafts
    ]
    drafts.sort(key=lambda draft: (draft.happened, draft.kind != "launch.described"))
    ended = [draft for draft in drafts if draft.happened <= record_end]
    return ended, drafts[len(ended) :]


def play(launch: Launch, watched: Watched, later: Sequence[Draft], stop: int, *, seed: int) -> None:
    """Play the updates that the maker announced, up to a moment after the record's end."""
    from driveaway.demo.updates.playing import Play

    def append(drafts: Sequence[Draft]) -> int:
        return fill(launch, drafts, seed=seed, label=f"functions {drafts[0].happened}")

    Play(launch, watched, later, seed=seed, salts=_Salts(seed, "updates"), append=append).run(stop)


def driven(launch: Launch, told: Simulated, *, seed: int, scale: float) -> list[Arrival]:
    """What the delivered cars drove until the record ends, as it arrived; nothing where numba is missing."""
    if find_spec("numba") is None:  # pragma: no cover - the plain install
        return []
    last = local_day(record_ends(), launch.zone) - timedelta(days=1)
    return arrivals(launch.description, told.handovers, told.places, last, seed=seed, scale=scale)


def fill_and_land(
    launch: Launch,
    drafts: Iterable[Draft],
    batches: Sequence[Arrival],
    handovers: Handovers,
    *,
    seed: int,
    progress: Callable[[int, str], None] | None = None,
) -> None:
    """Record drafts and land batches of trips in order of time.

    Raises:
        DriveawayError: the rules refuse one, which would be a defect of the simulation.
    """
    stream = iter(drafts)
    waiting: list[Draft] = []

    def until(at: int) -> Iterator[Draft]:
        for draft in chain(waiting[:], stream):
            if draft.happened > at:
                waiting[:] = [draft]
                return
            yield draft
        waiting.clear()

    if batches:
        from driveaway.demo.trips.landing import TripLanding

        with closing(TripLanding(launch, handovers, _Salts(seed, "trips"))) as landing:
            for batch in batches:
                fill(launch, until(batch.at), seed=seed, label=batch.name, progress=progress)
                landing.land(batch)
    fill(launch, chain(waiting, stream), seed=seed, progress=progress)


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
