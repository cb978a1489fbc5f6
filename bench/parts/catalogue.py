"""Every figure of the catalogue, with those of the dimensions ``trim`` and ``week`` that it has."""

from __future__ import annotations

from bench.measuring import tell
from driveaway.catalogue import FIGURES

if __name__ == "__main__":
    tell(figures={f.name: [d for d in ("trim", "week") if d in f.dimensions] for f in FIGURES})
