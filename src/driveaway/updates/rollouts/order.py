"""The random order of the cars of a rollout, and its holdout: by keyed hash, the same for ever.

A car's place depends on the rollout's seed and its own identifier alone: not on other cars, nor on the
order in which they arrive. A car that joins later falls into its place. This is what lets the cars that
are not opened yet stand as a control for those that are: the places are an experiment's random assignment.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from driveaway.updates.rollouts.siphash import siphash
from driveaway.values.errors import BadValue

Places = NDArray[np.uint64]

Purpose = Literal["feature", "quality", "security", "recall"]
"""What a rollout is for. Nobody is held back from a security fix or a recall."""

DEFAULT_HOLDOUT = 0.05
"""Share of cars that stay behind as a concurrent control until the campaign ends."""


def _key(seed: str, use: bytes) -> bytes:
    return blake2b(seed.encode(), digest_size=16, person=use).digest()


def places(seed: str, identifiers: Sequence[str] | NDArray[np.bytes_]) -> Places:
    """Each car's place in the order: uniform over 64 bits, smallest first.

    Args:
        seed: the rollout's; the same seed gives the same order on every machine.
        identifiers: VINs or controller ids, shape ``n``.
    """
    return siphash(_key(seed, b"rollout place"), identifiers)


def holdout_share(purpose: Purpose, share: float = DEFAULT_HOLDOUT) -> float:
    """The share that is held back: none of a recall or a security fix.

    Raises:
        BadValue: the share is not at least 0 and below 1.
    """
    if not 0 <= share < 1:
        raise BadValue(
            f"a holdout of {share:g} is not a share",
            code="rollout.holdout",
            remedy="at least 0 and below 1, such as 0.05",
            field="holdout",
        )
    return 0.0 if purpose in ("security", "recall") else share


def held_out(
    seed: str, identifiers: Sequence[str] | NDArray[np.bytes_], share: float = DEFAULT_HOLDOUT
) -> NDArray[np.bool_]:
    """Which cars are held back: each with this chance, by a key of its own, fixed for the campaign.

    Independent of the places. A larger share holds back the same cars and more. In a small fleet the
    number may differ from ``share`` times ``n``, as coins do.
    """
    drawn = siphash(_key(seed, b"rollout holdout"), identifiers)
    return drawn < np.uint64(int(share * 2**64))


def cut_for(among: Places, cars: int) -> int:
    """The place up to which (included) exactly ``cars`` of these places are open.

    Args:
        among: places of the cars outside the holdout, in any order, shape ``n``.
        cars: how many to open; more than there are opens all of them.

    Returns:
        -1 for none, 2⁶⁴ − 1 for all, so that a car that joins later is open too.
    """
    if cars <= 0:
        return -1
    if cars >= len(among):
        return 2**64 - 1
    return int(np.partition(among, cars - 1)[cars - 1])
