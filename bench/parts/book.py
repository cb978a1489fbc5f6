"""Make the book of a simulated launch through the bulk route: FOLDER SCALE."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.launches import SEED
from bench.measuring import tell
from driveaway.demo.running import make_demo

if __name__ == "__main__":
    folder, scale = Path(sys.argv[1]), float(sys.argv[2])
    with make_demo(folder, seed=SEED, scale=scale) as launch:
        tell(facts=launch.book.edge().size)
