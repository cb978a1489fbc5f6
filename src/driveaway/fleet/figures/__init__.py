"""Definitions of figures about driving: expressions over the daily ledger and the book's facts."""

from __future__ import annotations

from driveaway.figures.figure import Figure
from driveaway.fleet.figures import active, aside, best, driving, incidents, keeping

FIGURES: tuple[Figure, ...] = (
    *active.FIGURES,
    *driving.FIGURES,
    *best.FIGURES,
    *keeping.FIGURES,
    *aside.FIGURES,
    *incidents.FIGURES,
)
