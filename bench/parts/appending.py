"""Append simulated facts through the launch, with every check and hash but no file: FOLDER FACTS BATCH."""

from __future__ import annotations

import sys
import time

from bench.launches import batches
from bench.measuring import tell
from driveaway.launch.launch import open_launch

if __name__ == "__main__":
    folder, facts, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    wall = cpu = 0.0
    added = 0
    with open_launch(folder) as launch:
        for batch in batches(facts, size):
            started, worked = time.perf_counter(), time.process_time()
            outcomes = launch.append(batch, atomic=False, patient=True)
            wall += time.perf_counter() - started
            cpu += time.process_time() - worked
            added += sum(outcome.added for outcome in outcomes)
    if added != facts:
        raise SystemExit(f"{facts - added} of {facts} facts were not added")
    tell(wall=wall, cpu=cpu)
