"""Trips from a real broker: readers killed or away, brokers restarted, messages twice and unreadable."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from paho.mqtt.client import Client

from driveaway.fleet.landing.batch import Batch, Landed
from driveaway.launch.device import DeviceLaunch
from driveaway.values.errors import DriveawayError, Unavailable
from driveaway.web.mqtt.ingest import Ingester
from driveaway.web.mqtt.options import Subscription, read_broker
from driveaway.web.mqtt.session import Session
from tests.faults.reporting import (
    Broker,
    broker,
    facts,
    key,
    landed,
    lines,
    quarantined,
    reporting_launch,
    trip,
    wait_until,
)
from tests.server import Process

TOPIC = "driveaway/gateway/trips"


def process(launch: DeviceLaunch, running: Broker) -> Process:
    """A reader that can be killed."""
    return Process(
        "serve", "ingest", "--mqtt", running.url, "--launch", launch.folder, listens=r"trips: (\S+)"
    )


@contextmanager
def reading(
    launch: DeviceLaunch, running: Broker, subscription: Subscription | None = None
) -> Iterator[Ingester]:
    """A reader in this process."""
    subscription = subscription or Subscription()
    session = Session(read_broker(running.url), subscription)
    stop = threading.Event()
    with launch.landing() as landing:
        ingester = Ingester(session, landing, subscription, 300_000_000)
        thread = threading.Thread(target=ingester.run, args=(stop,))
        thread.start()
        session.start()
        try:
            assert session.subscribed.wait(30)
            yield ingester
        finally:
            stop.set()
            thread.join(30)
            session.stop()
        assert not thread.is_alive()


def publish(client: Client, numbers: range, size: int = 5, topic: str = TOPIC) -> None:
    """Messages of so many trips, each taken by the broker when this returns."""
    wait_until(client.is_connected)
    sent = [
        client.publish(topic, lines([trip(number) for number in range(first, first + size)]), qos=1)
        for first in range(numbers.start, numbers.stop, size)
    ]
    for each in sent:
        each.wait_for_publish(60)


def test_readers_killed_and_a_broker_restarted_lose_and_double_nothing(tmp_path: Path) -> None:
    launch = reporting_launch(tmp_path / "small")
    dice = random.Random(5)
    with broker(tmp_path) as running, running.publisher() as client:
        first = 0
        for restarts in (False, True):
            reader = process(launch, running)
            publish(client, range(first, first + 500))
            wait_until(lambda least=first: sum(landed(launch).values()) > least)
            publish(client, range(first + 500, first + 1_000))
            if restarts:
                running.stop()
                running.start()
                publish(client, range(first + 1_000, first + 1_500))
                wait_until(lambda least=first: sum(landed(launch).values()) >= least + 1_000)
            time.sleep(dice.uniform(0, 0.05))
            reader.kill()
            first += 1_500 if restarts else 1_000
        with reading(launch, running):
            wait_until(lambda: len(landed(launch)) == first)
    assert landed(launch) == dict.fromkeys(map(key, range(first)), 1)
    assert quarantined(launch) == {}


def _kept_while_away(folder: Path, settings: str) -> int:
    """Of 3,000 acknowledged messages that come while the reader is away, so many land."""
    launch = reporting_launch(folder / "small")
    with broker(folder, settings) as running, running.publisher() as client:
        with reading(launch, running):
            pass
        publish(client, range(3_000), size=1)
        with reading(launch, running):
            # One that comes last tells that all before it came.
            publish(client, range(5_000, 5_001), size=1)
            wait_until(lambda: key(5_000) in landed(launch))
    found = landed(launch)
    assert set(found.values()) == {1}
    return len(found) - 1


def test_a_brokers_default_drops_what_it_acknowledged_while_the_reader_is_away(tmp_path: Path) -> None:
    assert 1_000 <= _kept_while_away(tmp_path, "") <= 1_100


def test_the_documented_setting_keeps_all(tmp_path: Path) -> None:
    assert _kept_while_away(tmp_path, "max_queued_messages 0") == 3_000


def test_doubles_and_poison_hold_up_nothing(tmp_path: Path) -> None:
    launch = reporting_launch(tmp_path / "small")
    own = key(0)[0]
    with broker(tmp_path) as running, running.publisher() as client:
        with reading(launch, running):
            publish(client, range(20))
            publish(client, range(20))
            poison = (b"", b"\x00\xff", b"{}", b"[" * 5_000, b"\xff\xff\xff\xff\x10", bytes(2 << 20))
            for payload in poison:
                client.publish(TOPIC, payload, qos=1)
            client.publish(f"driveaway/{own}/trips", lines([trip(1_000), trip(1_001)]), qos=1)
            publish(client, range(2_000, 2_001), size=1)
            wait_until(lambda: key(2_000) in landed(launch))
        before = len(facts(launch))
        # All of it was acknowledged: nothing comes again.
        with reading(launch, running):
            publish(client, range(2_001, 2_002), size=1)
            wait_until(lambda: key(2_001) in landed(launch))
    assert landed(launch) == dict.fromkeys(map(key, [*range(20), 1_000, 2_000, 2_001]), 1)
    assert len(facts(launch)) == before + 1
    put_aside = quarantined(launch)
    assert put_aside.pop("trips.other_car") == 1
    assert sum(put_aside.values()) == len(poison)


def test_what_cannot_be_landed_now_is_not_acknowledged_and_lands_later(tmp_path: Path) -> None:
    launch = reporting_launch(tmp_path / "small")
    with broker(tmp_path) as running, running.publisher() as client:
        with reading(launch, running) as ingester:
            full = _Full(ingester._landing)
            ingester._landing = full
            publish(client, range(50))
            assert full.asked.wait(30)
        assert landed(launch) == {}
        with reading(launch, running):
            wait_until(lambda: len(landed(launch)) == 50)
    assert landed(launch) == dict.fromkeys(map(key, range(50)), 1)


def test_a_message_that_breaks_the_landing_is_put_aside_alone(tmp_path: Path) -> None:
    launch = reporting_launch(tmp_path / "small")
    with (
        broker(tmp_path) as running,
        running.publisher() as client,
        reading(launch, running) as ingester,
    ):
        ingester._landing = _Fragile(ingester._landing)
        publish(client, range(10))
        client.publish(TOPIC, lines([trip(777, city="breaks")]), qos=1)
        publish(client, range(10, 20))
        wait_until(lambda: len(landed(launch)) == 20)
        wait_until(lambda: quarantined(launch) == {"trips.message": 1})


class _Full:
    """A landing on a full disk."""

    def __init__(self, landing: object) -> None:
        self.asked = threading.Event()

    def land_all(self, batches: Sequence[Batch]) -> list[Landed | DriveawayError]:
        self.asked.set()
        raise Unavailable("no room", code="disk.full")


class _Fragile:
    """A landing with a defect."""

    def __init__(self, landing: object) -> None:
        self._landing = landing

    def land_all(self, batches: Sequence[Batch]) -> list[Landed | DriveawayError]:
        if any("breaks" in batch.table.column("city").to_pylist() for batch in batches):
            raise ZeroDivisionError
        return self._landing.land_all(batches)  # type: ignore[attr-defined, no-any-return]


def test_readers_of_a_group_share_the_messages(tmp_path: Path) -> None:
    launch = reporting_launch(tmp_path / "small")
    with broker(tmp_path) as running, running.publisher() as client:
        one, two = (Subscription(client_id=name, share="cars") for name in ("one", "two"))
        with reading(launch, running, one) as first, reading(launch, running, two) as second:
            publish(client, range(400), size=1)
            wait_until(lambda: len(landed(launch)) == 400)
        assert first.rows + second.rows == 400
        assert min(first.rows, second.rows) > 0
    assert landed(launch) == dict.fromkeys(map(key, range(400)), 1)


# --- the session alone ---


@contextmanager
def session(running: Broker, **more: str) -> Iterator[Session]:
    made = Session(read_broker(running.url), Subscription(**more))  # type: ignore[arg-type]
    made.start()
    try:
        yield made
    finally:
        made.stop()


def test_two_readers_of_one_name_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    # Brokers may say why they end a connection (MQTT 5.0 §3.1.4); this one only ends it, again and again.
    with broker(tmp_path) as running, session(running), session(running):
        wait_until(lambda: "--client-id" in caplog.text)


def test_a_broker_that_is_away_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with broker(tmp_path) as running:
        running.stop()
        with session(running) as waiting:
            wait_until(lambda: "cannot be reached" in caplog.text)
            running.start()
            assert waiting.subscribed.wait(30)
