"""A launch whose cars report, what they send, and what there is of it; a broker of its own."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from driveaway.book.reading import fact_of
from driveaway.facts import Fact
from driveaway.facts.trips import TripsLanded
from driveaway.fleet.doors.ndjson import read_ndjson
from driveaway.fleet.doors.rows import Clock
from driveaway.fleet.landing.batch import Batch
from driveaway.launch.device import DeviceLaunch
from driveaway.values.clock import now
from tests.server import make_launch, vin

DAY = 86_400_000_000
FIRST = now() - 3 * DAY
Key = tuple[str, int]


def trip(number: int, **more: Any) -> dict[str, Any]:
    """The number-th trip: of one of ten cars, each after its last."""
    start = FIRST + (number // 10) * 10_000_000
    return {
        "vin": vin(number % 10),
        "trip": number // 10,
        "start": start,
        "end": start + 5_000_000,
        "distance_m": 100,
        **more,
    }


def key(number: int) -> Key:
    return vin(number % 10), number // 10


def lines(rows: Sequence[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@cache
def compiled() -> None:
    """See that the loops that land trips are compiled: processes that are timed must not wait for it."""
    with tempfile.TemporaryDirectory() as folder:
        launch = _launch(Path(folder) / "small")
        rows = [trip(number, odometer_m=number) for number in range(50)]
        rows += [trip(3), trip(60, end=0), trip(61, distance_m=10**9)]
        with launch.landing() as landing:
            for part in (rows, rows[:20], [trip(70, start=5, end=9)]):
                table = read_ndjson(lines(part), Clock(now(), 0)).table
                landing.land_all([Batch(f"warm-{len(part)}", "http", table)])


def reporting_launch(folder: Path) -> DeviceLaunch:
    """A launch that takes trips of any car."""
    compiled()
    return _launch(folder)


def _launch(folder: Path) -> DeviceLaunch:
    launch = make_launch(folder)
    file = folder / "launch.toml"
    file.write_text(file.read_text() + "\n[fleet]\ndelivered_only = false\n")
    return launch


def facts(launch: DeviceLaunch) -> list[Fact]:
    """Facts about batches."""
    store = launch.store()
    try:
        found = [fact_of(row) for row in store.rows(0, 10**9, 10**9)]
    finally:
        store.close()
    return [fact for fact in found if isinstance(fact.body, TripsLanded)]


def landed(launch: DeviceLaunch) -> Counter[Key]:
    """How often each trip is in a file that a fact names."""
    found: Counter[Key] = Counter()
    for fact in facts(launch):
        assert isinstance(fact.body, TripsLanded)
        for file in fact.body.files:
            table = pq.read_table(launch.data / "fleet" / "trips" / file.file)
            rows = table.slice(file.first, file.rows)
            assert rows.num_rows == file.rows
            found.update(zip(rows["vin"].to_pylist(), rows["trip"].to_pylist(), strict=True))
    return found


def quarantined(launch: DeviceLaunch) -> Counter[str]:
    """Rows put aside, by code."""
    found: Counter[str] = Counter()
    for fact in facts(launch):
        assert isinstance(fact.body, TripsLanded)
        found.update({each.code: each.rows for each in fact.body.quarantined})
    return found


def wait_until(condition: Any, seconds: float = 120) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


# --- the broker ---


class Broker:
    """A mosquitto with settings of a test's own, which can be stopped and started again."""

    def __init__(self, folder: Path, settings: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        folder.mkdir(exist_ok=True)
        self._file = folder / "mosquitto.conf"
        self._file.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nuser root\n{settings}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["mosquitto", "-c", self._file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self._answers)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    @contextmanager
    def publisher(self) -> Iterator[Client]:
        """Who publishes with QoS 1 and goes on trying."""
        client = Client(CallbackAPIVersion.VERSION2, "sender", protocol=MQTTProtocolVersion.MQTTv5)
        client.max_inflight_messages_set(1000)
        client.reconnect_delay_set(1, 1)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        try:
            yield client
        finally:
            client.disconnect()
            client.loop_stop()


@contextmanager
def broker(folder: Path, settings: str = "max_queued_messages 0") -> Iterator[Broker]:
    """A running broker; the test is passed over where there is no mosquitto."""
    if shutil.which("mosquitto") is None:
        pytest.skip("mosquitto is not installed")
    running = Broker(folder / "broker", settings)
    running.start()
    try:
        yield running
    finally:
        running.stop()
