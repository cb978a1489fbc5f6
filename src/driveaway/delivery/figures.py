"""The room's figures: about targets, about the adopted plan, about promises."""

from __future__ import annotations

from driveaway.delivery import plans, promises, targets

FIGURES = (*targets.FIGURES, *plans.FIGURES, *promises.FIGURES)
