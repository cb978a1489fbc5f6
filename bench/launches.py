"""Launch folders and simulated facts to measure with."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from driveaway.cases import RECORDS, write_record
from driveaway.demo import launch_record, launch_text, simulate
from driveaway.facts import Draft
from driveaway.facts.description import Description, read_description
from driveaway.launch.founding import found

CASE = "su7"
SEED = 1
_FACTS_AT_SCALE_1 = 500_000
"""A little less than the simulation makes."""


def scale_for(facts: int) -> float:
    """A scale at which the simulation makes at least so many facts."""
    return max(0.01, round(facts / _FACTS_AT_SCALE_1, 4))


def described(scale: float) -> Description:
    """The packaged launch at a scale."""
    return read_description(launch_text(CASE, scale), "launch.toml")


def drafts(facts: int) -> Iterator[Draft]:
    """The first facts, of every kind, of a simulated order book, in order of time.

    Raises:
        ValueError: the simulation makes fewer.
    """
    scale = scale_for(facts)
    made = 0
    for draft in islice(simulate(described(scale), seed=SEED, scale=scale), facts):
        made += 1
        yield draft
    if made < facts:
        raise ValueError(f"the simulation made {made} facts at scale {scale}, {facts} were wanted")


def make_folder(folder: Path, scale: float, url: str | None = None) -> None:
    """A launch folder of the packaged launch at a scale, with its public record in the book and no order."""
    from driveaway.launch.launch import open_launch

    launch = found(folder, CASE, book_url=url)
    (folder / "launch.toml").write_text(launch_text(CASE, scale), encoding="utf-8")
    record = list(launch_record(CASE, scale))
    for file in RECORDS:
        (folder / file).write_text(write_record(file, record, launch.zone), encoding="utf-8")
    launch.close()
    with open_launch(folder) as launch:
        launch.apply()


def batches(facts: int, size: int) -> Iterator[list[Draft]]:
    """The same facts, so many at a time."""
    stream = drafts(facts)
    while batch := list(islice(stream, size)):
        yield batch
