"""Requests at a server in another process, and what they cost it."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import uvloop

from bench.measuring import ROOT

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_CONNECTIONS = 16
_LINES = 256
_SCRIPT = """
local lines, wait = {}, 0
for line in io.lines("%s") do lines[#lines + 1] = line end
local requests, place = {}, 0
for k, line in ipairs(lines) do
  local path, token = line:match("(%%S+) (%%S+)")
  requests[k] = wrk.format("GET", path, {
    ["Host"] = "%s", ["Authorization"] = "TargetToken " .. token
  })
end
request = function() place = place %% #requests + 1; return requests[place] end
"""


@dataclass(frozen=True)
class Measured:
    """A run against a server.

    Attributes:
        requests: answered with 200.
        seconds: of the run.
        cpu: seconds of the server, user and system.
        late: seconds from when a request was due to its answer, in order; only of a run at a fixed rate.
        sent_late: seconds by which requests were sent late, at the 99th percentile.
    """

    requests: int
    seconds: float
    cpu: float
    late: tuple[float, ...] = ()
    sent_late: float = 0.0

    @property
    def rate(self) -> float:
        """Requests a second of wall time."""
        return self.requests / self.seconds

    @property
    def each(self) -> float:
        """CPU seconds of a request."""
        return self.cpu / self.requests

    def percentile(self, share: float) -> float:
        """Seconds within which this share of the answers was there."""
        return self.late[min(len(self.late) - 1, int(share * len(self.late)))]


class Child:
    """A server process; ``url`` is where it answers."""

    def __init__(
        self, command: Sequence[str], url: str, environment: Mapping[str, str] | None = None
    ) -> None:
        self.url = url
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the child is
        self._process = subprocess.Popen(
            command, stdout=self._said, stderr=self._said, cwd=ROOT, env={**os.environ, **(environment or {})}
        )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()

    @property
    def cpu(self) -> float:
        """Seconds of CPU that the process has taken."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    @property
    def memory(self) -> int:
        """Bytes that the process holds."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * _PAGE

    def ready(self, path: str, token: str, seconds: float = 60) -> None:
        """Wait until it answers a path with 200.

        Raises:
            RuntimeError: it does not.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._process.poll() is None:
            try:
                asyncio.run(_once(self.url, [(path, token)], 1))
                return
            except (OSError, RuntimeError):
                time.sleep(0.1)
        self._said.seek(0)
        raise RuntimeError(self._said.read()[-2000:].decode(errors="replace"))

    def once(self, cars: Sequence[tuple[str, str]]) -> Measured:
        """Ask each path once, over some connections at the same time."""
        cpu, started = self.cpu, time.perf_counter()
        answered = asyncio.run(_once(self.url, cars, _CONNECTIONS))
        return Measured(answered, time.perf_counter() - started, self.cpu - cpu)

    def flooded(self, cars: Sequence[tuple[str, str]], seconds: int) -> Measured:
        """Ask as fast as it answers, with wrk where it is installed."""
        wrk = shutil.which("wrk")
        if wrk is None:
            return self._repeated(cars, seconds)
        with tempfile.TemporaryDirectory() as folder:
            listed, script = Path(folder) / "cars", Path(folder) / "cars.lua"
            listed.write_text("".join(f"{path} {token}\n" for path, token in cars))
            script.write_text(_SCRIPT % (listed, urlsplit(self.url).netloc))
            options = ["-t1", f"-c{_CONNECTIONS}", f"-d{seconds}s", "-s", str(script)]
            cpu = self.cpu
            said = subprocess.run(
                [wrk, *options, self.url], capture_output=True, text=True, check=True
            ).stdout
            cpu = self.cpu - cpu
        if "Non-2xx" in said:
            raise RuntimeError(said)
        found = re.search(r"(\d+) requests in ([\d.]+)(s|m)", said)
        if found is None:
            raise RuntimeError(said)
        return Measured(int(found[1]), float(found[2]) * (60 if found[3] == "m" else 1), cpu)

    def _repeated(self, cars: Sequence[tuple[str, str]], seconds: int) -> Measured:
        cpu, started, answered = self.cpu, time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            answered += asyncio.run(_once(self.url, cars[:20_000], _CONNECTIONS))
        return Measured(answered, time.perf_counter() - started, self.cpu - cpu)

    def paced(self, cars: Sequence[tuple[str, str]], rate: float, seconds: float) -> Measured:
        """Ask at a fixed rate, whether answers come or not; how late each answer was."""
        cpu, started = self.cpu, time.perf_counter()
        late, sent = uvloop.run(_paced(self.url, cars, rate, seconds))
        return Measured(len(late), time.perf_counter() - started, self.cpu - cpu, tuple(sorted(late)), sent)


def _request(host: str, path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: TargetToken {token}\r\n\r\n".encode()


async def _answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode())
    found = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    await reader.readexactly(int(found[1]) if found else 0)


async def _once(url: str, cars: Sequence[tuple[str, str]], connections: int) -> int:
    host = urlsplit(url)

    async def work(share: Sequence[tuple[str, str]]) -> int:
        reader, writer = await asyncio.open_connection(host.hostname, host.port)
        try:
            for path, token in share:
                writer.write(_request(host.netloc, path, token))
                await _answer(reader)
        finally:
            writer.close()
        return len(share)

    shares = [cars[place::connections] for place in range(connections)]
    return sum(await asyncio.gather(*(work(share) for share in shares if share)))


class _Line(asyncio.Protocol):
    """One connection that asks one thing at a time, with as little work as can be."""

    def __init__(self, free: deque[_Line], late: list[float]) -> None:
        self._free = free
        self._late = late
        self._due = 0.0
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._free.append(self)

    def ask(self, request: bytes, due: float) -> None:
        self._due = due
        cast(asyncio.Transport, self._transport).write(request)

    def data_received(self, data: bytes) -> None:
        received = self._received + data
        head = received.find(b"\r\n\r\n")
        if head < 0:
            self._received = received
            return
        place = received.find(b"content-length: ") + 16
        if len(received) < head + 4 + int(received[place : received.find(b"\r", place)]):
            self._received = received
            return
        if not received.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(received.decode())
        self._received = b""
        self._late.append(time.perf_counter() - self._due)
        self._free.append(self)

    def close(self) -> None:
        cast(asyncio.Transport, self._transport).close()


async def _paced(
    url: str, cars: Sequence[tuple[str, str]], rate: float, seconds: float
) -> tuple[list[float], float]:
    """Seconds from when each request was due to its answer; how late requests were sent (99th percentile).

    The latter is this generator's own lateness, or that no connection was free.
    """
    host = urlsplit(url)
    loop = asyncio.get_running_loop()
    requests = [_request(host.netloc, path, token) for path, token in cars[:20_000]]
    free: deque[_Line] = deque()
    late: list[float] = []
    sent_late: list[float] = []
    lines = [_Line(free, late) for _ in range(_LINES)]
    for line in lines:
        await loop.create_connection(lambda made=line: made, host.hostname, host.port)
    gc.disable()
    start = time.perf_counter() + 0.1
    number, total = 0, int(rate * seconds)
    while number < total:
        now = time.perf_counter()
        while number < total and free and (due := start + number / rate) <= now:
            free.popleft().ask(requests[number % len(requests)], due)
            sent_late.append(now - due)
            number += 1
        await asyncio.sleep(0.0005)
    while len(late) < total:
        await asyncio.sleep(0.01)
    gc.enable()
    for line in lines:
        line.close()
    return late, sorted(sent_late)[int(0.99 * len(sent_late))]
