"""What a download costs: by sendfile, in chunks, and by nginx. ``python -m bench.updates.downloading``.

One worker each, over loopback, a file in the page cache, four readers at a time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from bench.machine import describe
from bench.tables import table
from bench.updates import room
from bench.updates.load import Child, Measured

PORT = 18081
SIZE = 256 << 20
READERS = 4
RUNS = 3
RANGE = 128 << 10
_URL = f"http://127.0.0.1:{PORT}"
_ARTIFACT = "/DEFAULT/controller/v1/CAR000000/softwaremodules/1/artifacts/os.swu"
_NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 256; }}
http {{
  access_log off; sendfile on; tcp_nopush on; sendfile_max_chunk 1m;
  server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


@contextmanager
def nginx(folder: Path, executable: str) -> Iterator[Child]:
    """nginx, one process, with sendfile."""
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=PORT))
    command = [executable, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with Child(command, _URL) as child:
        child.ready("/os.swu", "x")
        yield child


@contextmanager
def door(folder: Path, what: str) -> Iterator[Child]:
    """The device door."""
    command = [sys.executable, "-m", "bench.updates.servers", what, str(PORT)]
    with Child(command, _URL, {room.FOLDER: str(folder)}) as child:
        child.ready("/health", "x")
        yield child


def fetch(path: str, token: str, ranges: int = 0) -> None:
    """Read the file and throw it away, as a whole or in so many closed ranges on one connection."""
    host = urlsplit(_URL)
    buffer = bytearray(1 << 20)
    with socket.create_connection((host.hostname, host.port)) as connection:
        for number in range(max(1, ranges)):
            span = f"Range: bytes={number * RANGE}-{(number + 1) * RANGE - 1}\r\n" if ranges else ""
            lines = (
                f"GET {path} HTTP/1.1\r\nHost: {host.netloc}\r\nAuthorization: TargetToken {token}\r\n{span}"
            )
            connection.sendall(f"{lines}\r\n".encode())
            got, head = connection.recv_into(buffer), -1
            head = bytes(buffer[:got]).find(b"\r\n\r\n")
            left = (RANGE if ranges else SIZE) - (got - head - 4)
            while left:
                got = connection.recv_into(buffer)
                if not got:
                    raise RuntimeError("the server ended the connection")
                left -= got


def measure(child: Child, path: str, ranges: int = 0) -> Measured:
    """The run of median cost; a request is one reader's whole file, or all its ranges."""
    runs = []
    for _ in range(RUNS):
        cpu, started = child.cpu, time.perf_counter()
        arguments = (path, room.token(0), ranges)
        readers = [threading.Thread(target=fetch, args=arguments) for _ in range(READERS)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        runs.append(Measured(READERS, time.perf_counter() - started, child.cpu - cpu))
    return sorted(runs, key=lambda run: run.cpu)[RUNS // 2]


def main() -> None:
    """Measure and print."""
    load = os.getloadavg()[0]
    rows: list[list[str]] = []

    def add(name: str, run: Measured, size: int) -> None:
        gigabytes = READERS * size / 1e9
        rows.append(
            [
                name,
                f"{run.cpu / gigabytes:.3f}",
                f"{gigabytes / run.cpu:.1f}",
                f"{gigabytes / run.seconds:.2f}",
            ]
        )

    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        room.make(folder, 1, [0], content=hashlib.shake_128(b"os").digest(SIZE))
        for what, name in (("door", "device door, sendfile"), ("chunks", "device door, in chunks")):
            with door(folder, what) as child:
                before = child.memory
                add(name, measure(child, _ARTIFACT), SIZE)
                add(f"{name}, ranges of 128 KiB", measure(child, _ARTIFACT, 512), 512 * RANGE)
                rows[-2].append(f"{(child.memory - before) / 1e6:.0f}")
                rows[-1].append("")
        executable = shutil.which("nginx")
        if executable is not None:
            stored = next(path for path in (folder / "artifacts").rglob("*") if path.is_file())
            os.link(stored, folder / "os.swu")
            folder.chmod(0o755)
            (folder / "os.swu").chmod(0o644)
            with nginx(folder, executable) as child:
                add("nginx, sendfile", measure(child, "/os.swu"), SIZE)
                add("nginx, sendfile, ranges of 128 KiB", measure(child, "/os.swu", 512), 512 * RANGE)
                rows[-2].append("")
                rows[-1].append("")
    print(describe(load))
    print()
    print(table(["", "CPU s/GB", "GB/CPU s", "GB/s, wall", "memory, MB more"], rows))


if __name__ == "__main__":
    main()
