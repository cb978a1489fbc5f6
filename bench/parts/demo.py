"""The parts of a demo, one after another as the command does them: FOLDER SCALE."""

from __future__ import annotations

import sys
import time
from collections import deque
from pathlib import Path

started = time.perf_counter()

from bench.launches import SEED, described  # noqa: E402
from bench.measuring import tell  # noqa: E402
from driveaway.briefing import brief, render_html  # noqa: E402
from driveaway.demo import simulate  # noqa: E402
from driveaway.demo.running import make_demo  # noqa: E402
from driveaway.launch.launch import open_launch  # noqa: E402

if __name__ == "__main__":
    folder, scale = Path(sys.argv[1]), float(sys.argv[2])
    imported = time.perf_counter()
    deque(simulate(described(scale), seed=SEED, scale=scale), maxlen=0)
    simulated = time.perf_counter()
    make_demo(folder, seed=SEED, scale=scale).close()
    recorded = time.perf_counter()
    with open_launch(folder) as launch:
        facts = launch.book.mirror.catch_up().upto
        mirrored = time.perf_counter()
        written = brief(launch.at())
        briefed = time.perf_counter()
        render_html(written)
        drawn = time.perf_counter()
    alone = simulated - imported
    tell(
        facts=facts,
        parts={
            "loading the program": imported - started,
            "simulating": alone,
            "checking, hashing and recording": recorded - simulated - alone,
            "columnar mirror": mirrored - recorded,
            "briefing": briefed - mirrored,
            "pictures and page": drawn - briefed,
        },
    )
