"""A car loses power at any step, at any change of its disk: it runs old software or new, and reports once."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from driveaway.updates.car.client import Car
from driveaway.updates.car.memory import Identity, Memory
from driveaway.updates.car.parts import unsigned
from tests.faults.cars import Disk, PowerCut, drive_until
from tests.faults.conftest import Child
from tests.server import ROOT, Server, serving

STEPS = ("downloading", "downloaded", "installed", "remembered", "switched", "booted", "reported")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("power") / "launch") as server:
        yield server


@pytest.fixture(scope="module")
def disk() -> Disk:
    return Disk()


class Powered:
    """A car that has version 1 and is given version 2."""

    def __init__(self, server: Server, folder: Path, name: str, size: int = 100_000) -> None:
        self.server, self.folder = server, folder
        target = server.enter()
        self.vin = target.controller_id
        Memory(folder).name(
            Identity(
                controller_id=self.vin,
                server=server.url,
                credential=f"TargetToken {target.security_token}",
                signed=False,
            )
        )
        (self.first,) = server.assign(server.release(name, "1", {"a": b"1" * 1000, "b": b"1"}), self.vin)
        self.ends("1")
        files = {"a": b"2" * size, "b": b"2" * 1000}
        (self.second,) = server.assign(server.release(name, "2", files), self.vin)
        time.sleep(0.1)

    def ends(self, version: str, outcomes: tuple[str, ...] = ("installed",)) -> None:
        """With power from now on: the car comes to rest with this version, and has said so once."""
        car = Car(self.folder, unsigned)
        end = time.monotonic() + 20
        while car.round().did != "nothing to do" or len(self.outcomes()) < len(outcomes):
            assert time.monotonic() < end
        held = car.held
        assert held is not None
        assert held.version == version
        assert car.slots.verify(str(car.slots.running))
        assert self.outcomes() == outcomes
        assert car.memory.pending() is None
        car.close()

    def outcomes(self) -> tuple[str, ...]:
        return tuple(fact.body.outcome for fact in self.server.facts(self.vin))  # type: ignore[attr-defined]

    def said_ended(self) -> int:
        rows = self.server.state.rows(
            "SELECT COUNT(*) FROM action_statuses WHERE action = :action AND status IN ('finished', 'error')"
            " AND digest <> ''",
            action=self.second,
        )
        return int(rows[0][0])


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step(server: Server, tmp_path: Path, step: str) -> None:
    powered = Powered(server, tmp_path, f"step-{step}")
    child = Child(drive_until, str(tmp_path), step, True)
    child.wait_for("ready")
    assert [word for word, _ in child.rest()] == []
    powered.ends("2", ("installed", "installed"))
    assert powered.said_ended() == 1


@pytest.mark.parametrize("step", ["booted", "fell back", "reported"])
def test_killed_while_the_new_software_does_not_come_up(server: Server, tmp_path: Path, step: str) -> None:
    powered = Powered(server, tmp_path, f"bad-{step.replace(' ', '-')}")
    killed = 0
    for _ in range(3):
        child = Child(drive_until, str(tmp_path), step, False)
        child.wait_for("ready")
        killed += "done" not in [word for word, _ in child.rest()]
    assert killed
    powered.ends("1", ("installed", "failed"))
    assert powered.said_ended() == 1


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.nightly)])
def test_cut_at_any_change_of_the_disk(server: Server, disk: Disk, tmp_path: Path, every: int) -> None:
    whole = Powered(server, tmp_path / "whole", f"whole-{every}")
    with disk.watched(whole.folder):
        whole.ends("2", ("installed", "installed"))
    assert disk.changes > 20
    for cut in range(disk.changes % every, disk.changes, every):
        powered = Powered(server, tmp_path / str(cut), f"cut-{every}-{cut}")
        with disk.watched(powered.folder, cut), pytest.raises(PowerCut):
            powered.ends("2", ("installed", "installed"))
        powered.ends("2", ("installed", "installed"))
        assert powered.said_ended() == 1


@pytest.mark.parametrize("kills", [2, pytest.param(40, marks=pytest.mark.nightly)])
def test_the_program_is_killed_at_any_time(server: Server, tmp_path: Path, kills: int) -> None:
    powered = Powered(server, tmp_path, f"program-{kills}", size=20_000_000)
    dice = random.Random(kills)
    command = [sys.executable, "-m", "driveaway", "car", "run", str(tmp_path), "--once"]
    for _ in range(kills):
        running = subprocess.Popen(
            command, cwd=ROOT / "src", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 30
        while not (tmp_path / "download").exists() and running.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        time.sleep(dice.uniform(0, 0.1))
        running.kill()
        running.wait()
    powered.ends("2", ("installed", "installed"))
    assert powered.said_ended() == 1
