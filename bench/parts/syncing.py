"""The physical floor of an accepted fact: add 4 KiB to a file and fsync it: FOLDER COUNT."""

from __future__ import annotations

import os
import sys
import tempfile
import time

from bench.measuring import tell

if __name__ == "__main__":
    times: list[float] = []
    with tempfile.NamedTemporaryFile(dir=sys.argv[1]) as file:
        for _ in range(int(sys.argv[2])):
            started = time.perf_counter()
            os.write(file.fileno(), b"\0" * 4096)
            os.fsync(file.fileno())
            times.append(time.perf_counter() - started)
    tell(times=times)
