"""Write the briefing with its pictures, first as a fresh process does and then again: FOLDER."""

from __future__ import annotations

import sys
import time

from bench.caches import forget
from bench.measuring import tell
from driveaway.briefing import brief, render_html
from driveaway.launch.launch import open_launch

_AGAIN = 3

if __name__ == "__main__":
    forget(sys.argv[1])
    started = time.perf_counter()
    with open_launch(sys.argv[1]) as launch:
        written = brief(launch.at())
        size = len(render_html(written).encode())
        first = time.perf_counter() - started
        writing, drawing = [], []
        for _ in range(_AGAIN):
            begun = time.perf_counter()
            written = brief(launch.at())
            between = time.perf_counter()
            render_html(written)
            writing.append(between - begun)
            drawing.append(time.perf_counter() - between)
    tell(first=first, writing=writing, drawing=drawing, sentences=len(written.sentences), bytes=size)
