"""Trips by HTTP to a server that is killed, restarted or out of room: what is acknowledged is there, once."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from tests.faults.reporting import compiled, facts, key, landed, lines, trip, wait_until
from tests.server import Server

GATEWAY = "gateway" * 6
SIZE = 20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    compiled()
    server = Server(tmp_path / "small")
    file = tmp_path / "small" / "launch.toml"
    file.write_text(file.read_text() + "\n[fleet]\ndelivered_only = false\n")
    server.set("authentication.gatewaytoken.enabled", True)
    server.set("authentication.gatewaytoken.key", GATEWAY)
    server.start()
    yield server
    server.close()


def post(pool: urllib3.PoolManager, server: Server, number: int) -> urllib3.BaseHTTPResponse:
    """The number-th batch."""
    return pool.request(
        "POST",
        f"{server.url}/DEFAULT/fleet/v1/trips",
        body=lines([trip(each) for each in range(number * SIZE, (number + 1) * SIZE)]),
        headers={
            "Authorization": f"GatewayToken {GATEWAY}",
            "Content-Type": "application/x-ndjson",
            "Idempotency-Key": f"batch-{number}",
        },
        retries=False,
        timeout=120,
    )


def test_a_server_killed_and_restarted_under_load_loses_and_doubles_nothing(server: Server) -> None:
    acknowledged: set[int] = set()
    todo = iter(range(10_000))
    lock = threading.Lock()
    ending = threading.Event()

    def send() -> None:
        pool = urllib3.PoolManager()
        while not ending.is_set():
            with lock:
                number = next(todo)
            while number not in acknowledged:
                try:
                    answer = post(pool, server, number)
                except (urllib3.exceptions.HTTPError, OSError):
                    # Nobody knows whether it was taken in: it is sent again.
                    if ending.wait(0.05):
                        return
                    continue
                assert answer.status == 200, answer.data
                with lock:
                    acknowledged.add(number)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for stop in (server.kill, server.stop):
            before = len(acknowledged)
            wait_until(lambda least=before: len(acknowledged) >= least + 15)
            stop()
            server.start()
        before = len(acknowledged)
        wait_until(lambda: len(acknowledged) >= before + 15)
    finally:
        ending.set()
        for thread in threads:
            thread.join()
    found = landed(server.launch)
    assert set(found.values()) == {1}
    assert {key(number * SIZE + each) for number in acknowledged for each in range(SIZE)} <= set(found)
    assert len(found) % SIZE == 0
    pool = urllib3.PoolManager()
    for number in sorted(acknowledged)[::7]:
        assert post(pool, server, number).json()["duplicate"] is True
    assert landed(server.launch) == found


def test_without_room_nothing_is_acknowledged_until_there_is(server: Server, tmp_path: Path) -> None:
    pool = urllib3.PoolManager()
    assert post(pool, server, 0).status == 200
    trips = server.launch.data / "fleet"
    server.stop()
    kept = tmp_path / "kept"
    trips.rename(kept)
    trips.mkdir()
    mounted = os.geteuid() == 0 and (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", trips], capture_output=True
        ).returncode
        == 0
    )
    if not mounted:
        pytest.skip("this user may not mount a small disk")
    try:
        subprocess.run(["cp", "-a", f"{kept}/.", trips], check=True)
        server.start()
        filler = trips / "filler"
        accepted = [0]
        for number in range(1, 400):
            answer = post(pool, server, number)
            if answer.status != 200:
                break
            accepted.append(number)
            if number == 3:
                filler.write_bytes(b"x" * 1024 * _free(trips))
        assert answer.status == 503
        assert answer.json()["code"] == "disk.full"
        assert answer.headers["retry-after"]
        assert len(facts(server.launch)) == len(accepted)
        filler.unlink()
        again = post(pool, server, accepted[-1] + 1)
        assert again.status == 200, again.data
        assert again.json()["rows"] == SIZE
        count = (len(accepted) + 1) * SIZE
        assert landed(server.launch) == dict.fromkeys(map(key, range(count)), 1)
    finally:
        server.stop()
        subprocess.run(["umount", "-l", trips], check=True)


def _free(folder: Path) -> int:
    """Kilobytes."""
    found = os.statvfs(folder)
    return max(0, found.f_bavail * found.f_frsize // 1024)
