"""Several e-processes together: one decision over metrics, and which models or cities are concerned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from driveaway.updates.rollouts.evidence import Floats

_CAP = 30.0
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Path:
    """An e-process over time.

    Attributes:
        known: when each step became known, microseconds since 1970 UTC, never falling, shape ``n``.
        log_e: its logarithm after each step, shape ``n``; 0 before the first.
    """

    known: NDArray[np.int64]
    log_e: Floats

    @property
    def last(self) -> float:
        """Logarithm of the e-process now."""
        return float(self.log_e[-1]) if len(self.log_e) else 0.0

    @property
    def highest(self) -> float:
        """Logarithm of the highest value that the e-process ever had, the start included."""
        return max(0.0, float(self.log_e.max())) if len(self.log_e) else 0.0

    def reached(self, alpha: float) -> int | None:
        """When it first was at least 1/alpha; None: never."""
        over = self.log_e >= -log(alpha)
        return int(self.known[int(over.argmax())]) if over.any() else None


def mean(paths: Sequence[Path], weights: Sequence[float]) -> Path:
    """The weighted mean of e-processes, step by step: an e-process itself, however they depend.

    The mean is at least each one times its weight: so it stops whenever Bonferroni's rule, one of ``m``
    at ``alpha/m``, stops (weights 1/m), and often earlier. The processes are averaged at the same moments,
    not at their own highest points: the mean of those would not be an e-process. (V. Vovk, R. Wang,
    Annals of Statistics 49, 2021, prop. 3.1.) Weights that sum to less than 1 leave a stake in hand. A
    single process counts as at most e³⁰, which is far beyond any decision and keeps the sum exact.

    Raises:
        ValueError: weights are negative, sum to more than 1, or are not one for each process.
    """
    if len(weights) != len(paths) or any(weight < 0 for weight in weights) or sum(weights) > 1 + 1e-9:
        raise ValueError("one weight for each process, none negative, their sum at most 1")
    if len(paths) == 1 and weights[0] == 1:
        return paths[0]
    known = [path.known for path in paths] or [np.empty(0, dtype=np.int64)]
    gains = [np.empty(0)]
    for path, weight in zip(paths, weights, strict=True):
        values = np.exp(np.minimum(np.concatenate(([0.0], path.log_e)), _CAP))
        gains.append(weight * np.diff(values))
    moments = np.concatenate(known)
    order = np.argsort(moments, kind="stable")
    total = 1.0 + np.cumsum(np.concatenate(gains)[order])
    return Path(moments[order], np.log(np.maximum(total, _LEAST)))


def bonferroni(paths: Sequence[Path], alpha: float) -> tuple[int, ...]:
    """Which of ``m`` e-processes ever reached m/alpha: with chance at most alpha any of the harmless."""
    return tuple(index for index, path in enumerate(paths) if path.reached(alpha / len(paths)) is not None)


def e_bh(log_e: Sequence[float], alpha: float) -> tuple[int, ...]:
    """Which of several e-values to call harmful, with a false discovery rate of at most alpha.

    The k largest, for the largest k for which all of them are at least m/(alpha·k): e-BH (R. Wang,
    A. Ramdas, "False discovery rate control with e-values", JRSS B 84, 2022), valid however they depend.

    Args:
        log_e: logarithms of the e-processes as they stand at one moment (not their highest values).
        alpha: false discovery rate.
    """
    order = np.argsort(-np.asarray(log_e, dtype=np.float64), kind="stable")
    rank = np.arange(1, len(order) + 1)
    enough = np.asarray(log_e, dtype=np.float64)[order] >= np.log(len(order) / (alpha * rank))
    if not enough.any():
        return ()
    return tuple(sorted(order[: int(np.flatnonzero(enough)[-1]) + 1].tolist()))
