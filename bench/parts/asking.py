"""Ask one figure, first as a fresh process does and then again: FOLDER NAME [DIMENSION…]."""

from __future__ import annotations

import sys
import time

from bench.caches import forget
from bench.measuring import tell
from driveaway.figures.answer import Answer
from driveaway.launch.launch import open_launch

_AGAIN = 5

if __name__ == "__main__":
    folder, name, *dimensions = sys.argv[1:]
    forget(folder)
    started = time.perf_counter()
    with open_launch(folder) as launch:

        def ask(*by: str) -> tuple[float, Answer]:
            begun = time.perf_counter()
            answer = launch.at().figure(name, by=by)
            return time.perf_counter() - begun, answer

        _, first = ask()
        cold = time.perf_counter() - started
        warm = {"": [ask()[0] for _ in range(_AGAIN)]}
        for dimension in dimensions:
            ask(dimension)
            warm[dimension] = [ask(dimension)[0] for _ in range(_AGAIN)]
        tell(cold=cold, warm=warm, unknown=first.unknown)
