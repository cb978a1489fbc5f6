"""Families of events, each in columns, merged into one stream of drafts in order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from driveaway.facts.base import Body, Draft

_STRIDE: Final = 20_000
"""Drafts of one family that are made at a time, so that memory stays flat."""

Rows = NDArray[np.int64]
Maker = Callable[[Rows], tuple[Sequence[str], Sequence[Body]]]


@dataclass(frozen=True)
class Family:
    """Events of one kind.

    Attributes:
        kind: name of the kind.
        happened: times, microseconds since 1970 UTC, sorted.
        rows: the row that each time belongs to.
        make: gives subjects and bodies of some rows.
    """

    kind: str
    happened: Rows
    rows: Rows
    make: Maker


def family(kind: str, happened: Rows, make: Maker, rows: Rows | None = None) -> Family:
    """A family from unsorted times; without ``rows`` each time stands for its own index."""
    order = np.argsort(happened, kind="stable")
    return Family(kind, happened[order], order if rows is None else rows[order], make)


def merge(families: Sequence[Family], source: str, until: int | None = None) -> Iterator[Draft]:
    """All events in order of time; at equal times in the order of the families.

    ``source`` is followed by a running number. What happened after ``until`` is left out, and
    what comes before it does not depend on it.
    """
    times = [f.happened if until is None else f.happened[f.happened <= until] for f in families]
    marks = [t[_STRIDE - 1 :: _STRIDE] for t in times] + [t[-1:] for t in times]
    number = 0
    reached = [0] * len(families)
    for mark in np.unique(np.concatenate(marks)) if marks else ():
        kinds: list[str] = []
        subjects: list[str] = []
        bodies: list[Body] = []
        stamps = []
        for index, group in enumerate(families):
            stop = int(np.searchsorted(times[index], mark, "right"))
            start, reached[index] = reached[index], stop
            if start == stop:
                continue
            made = group.make(group.rows[start:stop])
            subjects += made[0]
            bodies += made[1]
            kinds += [group.kind] * (stop - start)
            stamps.append(times[index][start:stop])
        joined = np.concatenate(stamps)
        order = np.argsort(joined, kind="stable")
        for at, happened in zip(order.tolist(), joined[order].tolist(), strict=True):
            number += 1
            yield Draft(kinds[at], subjects[at], happened, bodies[at], f"{source}{number}", None, True)
