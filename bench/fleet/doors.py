"""Trips by HTTP and MQTT: rows a second, and processor time a row (``python -m bench.fleet.doors``).

The server and the reader are real processes of their own; whoever sends has everything made beforehand.
Wall time depends on what else the machine does: the server's processor seconds are the figure.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from driveaway.book.opening import open_store
from driveaway.book.state.state import State
from driveaway.fleet.doors.reading import read_trips
from driveaway.fleet.doors.rows import Clock
from driveaway.launch.device import DeviceLaunch, find_launch
from driveaway.updates.configuration import configure
from driveaway.values.clock import now
from driveaway.values.ids import make_vin
from tests.stores.acts import LAUNCH_TOML

_TOKEN = "bench" * 8
_TICKS = os.sysconf("SC_CLK_TCK")
_FIRST = now() - 86_400_000_000


def make_rows(first: int, count: int, cars: int = 20_000) -> list[dict[str, object]]:
    """Trips of many cars, each after its last."""
    out: list[dict[str, object]] = []
    for number in range(first, first + count):
        start = _FIRST + (number // cars) * 600_000_000
        out.append({
            "vin": make_vin("LNB", "SU7M0", 2024, "B", number % cars), "trip": number // cars, "start": start,
            "end": start + 500_000_000, "distance_m": 5_000, "assisted_m": 3_000, "level": 2,
            "function": "highway_pilot", "energy_wh": 800, "odometer_m": 5_000 * (number // cars + 1),
            "software": "su7-2024.5.1", "city": "Beijing",
        })  # fmt: skip
    return out


def as_lines(rows: Sequence[dict[str, object]]) -> bytes:
    """As newline-delimited JSON."""
    return b"".join(json.dumps(row, separators=(",", ":")).encode() + b"\n" for row in rows)


def as_stream(rows: Sequence[dict[str, object]]) -> bytes:
    """As an Arrow stream."""
    table = read_trips(as_lines(rows), "ndjson", Clock(now(), 0)).table
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


@contextmanager
def launched() -> Iterator[DeviceLaunch]:
    """An empty launch that takes trips of any car."""
    folder = Path(tempfile.mkdtemp(prefix="bench-doors-"))
    try:
        (folder / "data").mkdir()
        (folder / "launch.toml").write_text(LAUNCH_TOML + "\n[fleet]\ndelivered_only = false\n")
        launch = find_launch(folder)
        store = open_store(launch.book_url)
        store.create()
        with State(store).change() as change:
            configure(change, "authentication.gatewaytoken.enabled", True, now())
            configure(change, "authentication.gatewaytoken.key", _TOKEN, now())
        store.close()
        yield launch
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Command:
    """A command of the program, and what it has used."""

    def __init__(self, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "driveaway", *map(str, arguments)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()

    @property
    def cpu(self) -> float:
        """Processor seconds of all its threads so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def memory(self) -> int:
        """Megabytes at the most."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) // 1000
        return 0

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(60)


def _told(what: str, rows: int, wall: float, cpu: float, memory: int) -> None:
    print(
        f"| {what} | {rows:,} | {rows / wall:,.0f} | {cpu / rows * 1e6:.1f} | {rows / cpu:,.0f} | {memory} |",
        flush=True,
    )


def over_http(
    rows: int, size: int, connections: int, form: str, pack: Callable[[Sequence[dict[str, object]]], bytes]
) -> None:
    """Post batches of so many rows over so many connections."""
    bodies = [pack(make_rows(first, size)) for first in range(0, rows, size)]
    warm = pack(make_rows(10**9, 2))
    with launched() as launch:
        server = Command("serve", "device", "--port", 0, "--rate", 1e6, "--launch", launch.folder)
        port = int(server.said.split(":")[3].partition("/")[0])
        media = "x-ndjson" if form == "ndjson" else "vnd.apache.arrow.stream"
        todo = iter(range(len(bodies)))
        lock = threading.Lock()

        def post(connection: http.client.HTTPConnection, key: str, body: bytes) -> None:
            headers = {
                "Authorization": f"GatewayToken {_TOKEN}",
                "Content-Type": f"application/{media}",
                "Idempotency-Key": key,
            }
            connection.request("POST", "/DEFAULT/fleet/v1/trips", body, headers)
            answer = connection.getresponse()
            said = json.loads(answer.read())
            assert answer.status == 200, said
            assert not said["quarantined"] or key == "warm", said

        def work() -> None:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                with lock:
                    number = next(todo, None)
                if number is None:
                    return
                post(connection, f"batch-{number}", bodies[number])

        try:
            post(http.client.HTTPConnection("127.0.0.1", port, timeout=300), "warm", warm)
            before, begun = server.cpu, time.perf_counter()
            threads = [threading.Thread(target=work) for _ in range(connections)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            wall = time.perf_counter() - begun
            what = f"HTTP, {form}, {size:,} rows a request, {connections} connections"
            _told(what, rows, wall, server.cpu - before, server.memory)
        finally:
            server.stop()


def over_mqtt(rows: int, size: int, inflight: int) -> None:
    """Publish messages of so many rows through a mosquitto that keeps so many under way."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

    payloads = [as_lines(make_rows(first, size)) for first in range(0, rows, size)]
    with launched() as launch, _broker(launch.folder, inflight) as port:
        reader = Command("serve", "ingest", "--mqtt", f"mqtt://127.0.0.1:{port}", "--launch", launch.folder)
        sender = Client(CallbackAPIVersion.VERSION2, "bench", protocol=MQTTProtocolVersion.MQTTv5)
        sender.max_inflight_messages_set(1000)
        try:
            sender.connect("127.0.0.1", port)
            sender.loop_start()
            sender.publish("driveaway/warm/trips", as_lines(make_rows(10**9, 2)), qos=1)
            _until(launch, 1)
            before, begun = reader.cpu, time.perf_counter()
            for payload in payloads:
                sender.publish("driveaway/gateway/trips", payload, qos=1)
            _until(launch, rows)
            wall = time.perf_counter() - begun
            what = f"MQTT, {size} records a message, max_inflight_messages {inflight}"
            _told(what, rows, wall, reader.cpu - before, reader.memory)
        finally:
            sender.disconnect()
            sender.loop_stop()
            reader.stop()


def _until(launch: DeviceLaunch, rows: int) -> None:
    from driveaway.book.reading import fact_of

    store = launch.store()
    seen = landed = 0
    try:
        while landed < rows:
            time.sleep(0.05)
            edge = store.edge().size
            for row in store.rows(seen, edge, edge):
                body = fact_of(row).body
                landed += getattr(body, "rows", 0) + sum(
                    each.rows for each in getattr(body, "quarantined", ())
                )
            seen = edge
    finally:
        store.close()


@contextmanager
def _broker(folder: Path, inflight: int) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = folder / "mosquitto.conf"
    settings.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
        f"max_inflight_messages {inflight}\n"
    )
    broker = subprocess.Popen(
        ["mosquitto", "-c", settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        broker.terminate()
        broker.wait()


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.fleet.doors", description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--only", choices=["http", "mqtt"])
    given = parser.parse_args()
    print("| door | rows | rows/s wall | CPU µs/row | rows per CPU s | MB at most |")
    print("|---|---:|---:|---:|---:|---:|")
    if given.only != "mqtt":
        over_http(given.rows, 1_000, 8, "ndjson", as_lines)
        over_http(given.rows, 5_000, 8, "ndjson", as_lines)
        over_http(given.rows, 1_000, 8, "arrow", as_stream)
        over_http(given.rows // 20, 10, 32, "ndjson", as_lines)
    if given.only != "http":
        over_mqtt(given.rows, 50, 20)
        over_mqtt(given.rows, 50, 1_000)


if __name__ == "__main__":
    main()
