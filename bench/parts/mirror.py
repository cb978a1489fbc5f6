"""Make the columnar mirror of a book anew: FOLDER."""

from __future__ import annotations

import sys
import time

from bench.measuring import tell
from driveaway.launch.launch import open_launch

if __name__ == "__main__":
    with open_launch(sys.argv[1]) as launch:
        launch.book.mirror.drop()
        started = time.perf_counter()
        manifest = launch.book.mirror.catch_up()
        wall = time.perf_counter() - started
    size = sum(file.stat().st_size for file in launch.book.mirror.folder.glob("*.parquet"))
    orders = sum(segment.rows for segment in manifest.segments.get("order.reserved", ()))
    tell(facts=manifest.upto, orders=orders, wall=wall, bytes=size, when=launch.when().as_of)
