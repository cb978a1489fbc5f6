"""Requests at a server in another process, and what they cost it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.measuring import ROOT

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_CONNECTIONS = 16
PACED_CONNECTIONS = 512
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
_PACED = """
delay = function() return 0.5 - %f * math.log(1 - math.random()) end
done = function(summary, latency)
  for _, share in ipairs({50, 99, 99.9}) do print("percentile", share, latency:percentile(share)) end
end
"""


@dataclass(frozen=True)
class Measured:
    """A run against a server.

    Attributes:
        requests: answered with 200.
        seconds: of the run.
        cpu: seconds of the server, user and system.
        latencies: seconds within which 50, 99 and 99.9% of the answers were there; only of a paced run.
    """

    requests: int
    seconds: float
    cpu: float
    latencies: tuple[float, ...] = ()

    @property
    def rate(self) -> float:
        """Requests a second of wall time."""
        return self.requests / self.seconds

    @property
    def each(self) -> float:
        """CPU seconds of a request."""
        return self.cpu / self.requests


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

    def flooded(
        self, cars: Sequence[tuple[str, str]], seconds: int, connections: int = _CONNECTIONS
    ) -> Measured:
        """Ask as fast as it answers, with wrk where it is installed."""
        if shutil.which("wrk") is None:
            return self._repeated(cars, seconds)
        return self._wrk(cars, seconds, connections, _SCRIPT)

    def paced(self, cars: Sequence[tuple[str, str]], rate: float, seconds: int) -> Measured | None:
        """Ask at about a rate, as many cars do: each connection waits for a random time after an answer.

        The times are exponential, so requests come at random and in bursts. None where wrk is not installed.
        """
        if shutil.which("wrk") is None:
            return None
        wait = PACED_CONNECTIONS / rate * 1000
        return self._wrk(cars, seconds, PACED_CONNECTIONS, _SCRIPT + (_PACED % wait).replace("%", "%%"))

    def _wrk(self, cars: Sequence[tuple[str, str]], seconds: int, connections: int, script: str) -> Measured:
        with tempfile.TemporaryDirectory() as folder:
            listed, written = Path(folder) / "cars", Path(folder) / "cars.lua"
            listed.write_text("".join(f"{path} {token}\n" for path, token in cars))
            written.write_text(script % (listed, urlsplit(self.url).netloc))
            options = ["-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(written)]
            cpu = self.cpu
            said = subprocess.run(
                ["wrk", *options, self.url], capture_output=True, text=True, check=True
            ).stdout
            cpu = self.cpu - cpu
        if "Non-2xx" in said:
            raise RuntimeError(said)
        found = re.search(r"(\d+) requests in ([\d.]+)(s|m)", said)
        if found is None:
            raise RuntimeError(said)
        latencies = tuple(int(one) / 1e6 for one in re.findall(r"^percentile\s+\S+\s+(\d+)", said, re.M))
        return Measured(int(found[1]), float(found[2]) * (60 if found[3] == "m" else 1), cpu, latencies)

    def _repeated(self, cars: Sequence[tuple[str, str]], seconds: int) -> Measured:
        cpu, started, answered = self.cpu, time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            answered += asyncio.run(_once(self.url, cars[:20_000], _CONNECTIONS))
        return Measured(answered, time.perf_counter() - started, self.cpu - cpu)


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
