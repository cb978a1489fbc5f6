"""One server process for all tests that need no options of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.ddi.server import Server

LIMITS = "car=Rate(10000, 10000), failures=Rate(1000, 10000), body=4096, body_seconds=1.0"
USUAL = f"door=DoorOptions(limits=Limits({LIMITS}))"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server with the fake room."""
    with Server(tmp_path_factory.mktemp("room"), USUAL) as running:
        yield running
