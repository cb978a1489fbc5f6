"""The reference client against the real server, over loopback; both write to disk as ever."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from driveaway.updates.car.client import Car
from driveaway.updates.car.memory import Identity, Memory
from driveaway.updates.car.parts import unsigned
from driveaway.updates.model import Target
from tests.server import Server, serving

IMAGE = b"an image " * 20_000


class Driven:
    """A car, and short ways to drive it."""

    def __init__(self, server: Server, folder: Path, target: Target) -> None:
        self.server, self.folder, self.vin = server, folder, target.controller_id
        folder.mkdir()
        Memory(folder).name(
            Identity(
                controller_id=self.vin,
                server=server.url,
                credential=f"TargetToken {target.security_token}",
                attributes={"trim": "Max"},
                signed=False,
            )
        )
        self.car = self.started()
        self.rounds("nothing to do")

    def started(self, **options: Any) -> Car:
        """The car, started anew."""
        self.car = Car(self.folder, options.pop("verify", unsigned), **options)
        return self.car

    def rounds(self, until: str, seconds: float = 10) -> list[str]:
        """Poll until this was done; what was done."""
        end, did = time.monotonic() + seconds, [""]
        while not did[-1].startswith(until):
            assert time.monotonic() < end, did[-20:]
            did.append(self.car.round().did)
            if did[-1] == did[-2]:
                # The server hears of changes by others every 50 ms.
                time.sleep(0.01)
        return did

    @property
    def version(self) -> str | None:
        held = self.car.held
        return None if held is None else held.version

    def outcomes(self) -> list[str]:
        return [fact.body.outcome for fact in self.server.facts(self.vin)]  # type: ignore[attr-defined]

    def said(self, action: int) -> list[str]:
        """The states under which the car's messages about an action are kept, oldest first."""
        rows = self.server.state.rows(
            "SELECT status FROM action_statuses WHERE action = :action AND digest <> '' ORDER BY id",
            action=action,
        )
        return [row[0] for row in rows]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server") / "launch") as server:
        yield server


@pytest.fixture
def driven(server: Server, tmp_path: Path) -> Driven:
    server.start()
    return Driven(server, tmp_path / "car", server.enter())


@pytest.fixture
def release(server: Server, request: pytest.FixtureRequest) -> Callable[..., int]:
    """Makes a release of this test's own module; its id."""
    name = request.node.name.replace("[", "-").replace("]", "")

    def make(version: str = "1.0.0", content: bytes = IMAGE, **more: bytes) -> int:
        return server.release(name, version, {"os.swu": content + version.encode(), **more})

    return make
