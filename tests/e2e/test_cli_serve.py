"""The servers as processes: where they listen, what they load, how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from driveaway.cli import main
from driveaway.facts import Draft
from driveaway.facts.updates import FunctionActivated, FunctionClosed
from driveaway.launch.device import find_launch
from driveaway.values.clock import now
from driveaway.values.errors import BadValue, Refused
from tests.server import ROOT, Process, make_launch, serving, vin

HEAVY = {"alembic", "duckdb", "ibis", "numpy", "pyarrow", "rich", "sqlalchemy", "tuf"}


def test_a_device_server_is_light(tmp_path: Path) -> None:
    make_launch(tmp_path / "launch")
    asked = f"""
import sys
import driveaway.cli.serve, driveaway.web.device.serve
from driveaway.launch.device import find_launch
with find_launch({str(tmp_path / "launch")!r}).desk() as desk:
    desk.last_change()
    print(*{{name.partition(".")[0] for name in sys.modules}})
"""
    done = subprocess.run(
        [sys.executable, "-c", asked],
        capture_output=True, text=True, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": "src"},
    )  # fmt: skip
    assert not set(done.stdout.split()) & HEAVY


def test_a_server_listens_on_loopback_and_ends_when_told(tmp_path: Path) -> None:
    with serving(tmp_path / "launch") as server:
        status = Path(f"/proc/{server.pid}/status").read_text()
        kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        assert kib * 1024 < 175_000_000
        listening = subprocess.run(
            ["ss", "-ltnp"], capture_output=True, text=True, check=False
        ).stdout.splitlines()
        mine = [line for line in listening if f"pid={server.pid}," in line]
        assert all("127.0.0.1:" in line for line in mine)
        assert server.stop() == (0, "")


@pytest.mark.parametrize("workers", [1, 2])
def test_told_to_end_before_it_has_begun(tmp_path: Path, workers: int) -> None:
    launch = make_launch(tmp_path / "launch")
    asked = f"""
import os, signal
from driveaway.cli.serve import Room
from driveaway.launch.device import find_launch
from driveaway.web.device.options import ServeOptions
from driveaway.web.device.serve import serve
options = ServeOptions(Room(find_launch({str(launch.folder)!r})), port=0, workers={workers})
serve(options, lambda host, port: os.kill(os.getpid(), signal.SIGTERM))
print("ended")
"""
    done = subprocess.run(
        [sys.executable, "-c", asked], env={**os.environ, "PYTHONPATH": "src"},
        capture_output=True, text=True, check=True, cwd=ROOT, timeout=60,
    )  # fmt: skip
    assert done.stdout == "ended\n"


def test_interrupted_it_ends_as_well(tmp_path: Path) -> None:
    with serving(tmp_path / "launch") as server:
        assert server.stop(signal.SIGINT) == (0, "")


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    launch = make_launch(tmp_path / "launch")
    running = Process("serve", "device", "--port", 0, "--workers", 2, "--launch", launch.folder)
    end = time.monotonic() + 60
    while len(workers := _children(running.process.pid)) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    assert len(workers) >= 2
    time.sleep(1.5)
    running.kill()
    while any(_lives(pid) for pid in workers) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [pid for pid in workers if _lives(pid)]


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def _lives(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_server_and_worker_beside_each_other(tmp_path: Path) -> None:
    launch = make_launch(tmp_path / "launch")
    running = Process("serve", "--port", 0, "--launch", launch.folder)
    assert running.place.startswith("http://127.0.0.1:")
    end = time.monotonic() + 60
    while len(both := _children(running.process.pid)) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    assert len(both) == 2
    with launch.state() as state:
        # The worker leads.
        while not state.rows("SELECT holder FROM leases") and time.monotonic() < end:
            time.sleep(0.05)
        assert state.rows("SELECT holder FROM leases")
    code, said = running.stop()
    assert code == 0
    assert "Traceback" not in said
    assert not [pid for pid in both if _lives(pid)]


def test_when_one_ends_so_does_the_other(tmp_path: Path) -> None:
    launch = make_launch(tmp_path / "launch")
    running = Process("serve", "--port", 0, "--launch", launch.folder)
    end = time.monotonic() + 60
    while len(both := _children(running.process.pid)) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    os.kill(both[1], signal.SIGKILL)
    _, said = running.process.communicate(timeout=60)
    assert running.process.returncode == 3
    assert "one of them ended" in said
    assert not [pid for pid in both if _lives(pid)]


@pytest.mark.parametrize(
    ("options", "code", "exit_code"),
    [
        (["--host", "0.0.0.0"], "web.plain_http", 1),
        (["--host", "cars.example"], "web.host", 2),
        (["--tls-cert", "FILE"], "web.tls", 2),
        (["--tls-key", "FILE"], "web.tls", 2),
        (["--client-ca", "FILE"], "web.tls", 2),
        (["--client-cert-required"], "web.tls", 2),
        (["--launch", "nowhere"], "launch.missing", 2),
        (["--trusted-proxy", "proxy"], "web.trusted_proxies", 2),
    ],
)
def test_what_cannot_be_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], code: str, exit_code: int
) -> None:
    launch = make_launch(tmp_path / "launch")
    given = [str(launch.folder / "launch.toml") if word == "FILE" else word for word in options]
    # What is said of listening is the same at both doors; only cars show certificates.
    for door in ("device",) if "--client" in options[0] else ("device", "management"):
        assert main(["serve", door, "--launch", str(launch.folder), *given]) == exit_code
        assert f"[{code}]" in capsys.readouterr().err


def test_a_launch_without_a_book_is_not_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    launch = make_launch(tmp_path / "launch")
    (launch.data / "book.sqlite").unlink()
    assert main(["serve", "device", "--launch", str(launch.folder)]) == 2
    assert "[book.missing]" in capsys.readouterr().err


def test_a_device_server_records_what_cars_bring_about_and_nothing_else(tmp_path: Path) -> None:
    launch = make_launch(tmp_path / "launch")
    activated = Draft("function.activated", vin(1), now(), FunctionActivated(function="noa"))
    with launch.state() as state:
        with state.change() as change:
            assert change.append([activated]) == [1]
        with pytest.raises(Refused, match="does not record"), state.change() as change:
            change.append([Draft("function.closed", "noa", now(), FunctionClosed(reason="no"))])
        with pytest.raises(Refused, match="does not record"), state.change() as change:
            change.append([Draft("function.activated", vin(1), now(), activated.body, replaces=1)])
        with pytest.raises(BadValue, match="was given"), state.change() as change:
            change.append([Draft("function.activated", vin(1), now(), FunctionClosed(reason="no"))])


def test_what_happens_in_a_demo_is_simulated(tmp_path: Path) -> None:
    launch = make_launch(tmp_path / "launch")
    assert not launch.simulated
    (launch.folder / ".made-by-demo").touch()
    assert find_launch(launch.folder).simulated
