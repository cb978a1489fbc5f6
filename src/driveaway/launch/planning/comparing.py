"""What-if: the launch as it is beside the launch as it would be, on the same simulated futures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from driveaway.delivery.planning.problem import NO_DAY
from driveaway.delivery.whatif import Change, apply, parse, read_changes
from driveaway.launch.launch import Cut, Launch
from driveaway.launch.planning.proposing import MIDDLE, Proposal, propose
from driveaway.values.clock import local_day
from driveaway.values.errors import NotFound


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two proposals that differ in nothing but the changes.

    Attributes:
        changes: what differs.
        before: the launch as described.
        after: the launch with the changes.
        broken: open orders whose promise is kept before and missed after; ``mended``: the reverse.
        sooner: open orders whose handover at even odds comes earlier; ``later``: later.
        wait_days: (before, after) median days from the plan's first day to the handover, at even odds,
            over the orders that both hand over within the horizon.
    """

    changes: tuple[Change, ...]
    before: Proposal
    after: Proposal
    broken: tuple[str, ...]
    mended: tuple[str, ...]
    sooner: int
    later: int
    wait_days: tuple[float, float] | None


def changes_of(launch: Launch, cut: Cut, texts: Sequence[str]) -> tuple[Change, ...]:
    """Changes in the grammar, or in TOML files, as they are named.

    Raises:
        BadValue: one cannot be read; the place and the nearest forms are named.
        NotFound: a file that is named is not there.
    """
    today = local_day(cut.as_of, launch.zone)
    description = cut.description
    found: list[Change] = []
    for text in texts:
        if text.endswith(".toml"):
            path = Path(text)
            if not path.exists():
                raise NotFound(
                    f"there is no file {text}", code="whatif.file", remedy="name a TOML file of changes"
                )
            some = read_changes(path.read_text(encoding="utf-8"), text)
        else:
            some = parse(text, description, today)
        description = apply(description, some)
        found += some
    return tuple(found)


def compare(
    launch: Launch, cut: Cut, changes: tuple[Change, ...], *, seed: int = 1, paths: int | None = None
) -> Comparison:
    """Plan twice, with and without the changes, on common random numbers.

    Raises:
        BadValue, Refused: see ``propose``.
    """
    description = cut.description
    before = propose(launch, cut, description=description, seed=seed, paths=paths)
    after = propose(launch, cut, description=apply(description, changes), seed=seed, paths=paths)
    count = before.open
    ids = before.plan.demand.order_ids
    missed = [set(proposal.plan.breaches.order.tolist()) for proposal in (before, after)]
    days = [p.plan.promises.handed[p.level(MIDDLE), :count] for p in (before, after)]
    both = (days[0] != NO_DAY) & (days[1] != NO_DAY)
    waits = None
    if both.any():
        waits = (float(np.median(days[0][both])), float(np.median(days[1][both])))
    return Comparison(
        changes=changes,
        before=before,
        after=after,
        broken=tuple(str(ids[row]) for row in sorted(missed[1] - missed[0])),
        mended=tuple(str(ids[row]) for row in sorted(missed[0] - missed[1])),
        sooner=int((days[1] < days[0]).sum()),
        later=int((days[1] > days[0]).sum()),
        wait_days=waits,
    )
