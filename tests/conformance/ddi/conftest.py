"""One server process for all tests that need no options of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.ddi.certificates import Authority
from tests.conformance.ddi.server import Server

LIMITS = "car=Rate(10000, 10000), failures=Rate(1000, 10000), body=4096, body_seconds=1.0"
USUAL = f"door=DoorOptions(limits=Limits({LIMITS}))"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server with the fake room."""
    with Server(tmp_path_factory.mktemp("room"), USUAL) as running:
        yield running


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``ca``, ``server``, ``car`` (CAR000001), ``other`` (CAR000002); ``stranger`` of another issuer."""
    folder = tmp_path_factory.mktemp("certificates")
    cars = Authority(folder, "Cars CA")
    cars.issue("ca", "", authority=True)
    cars.issue("server", "localhost")
    cars.issue("car", "CAR000001")
    cars.issue("other", "CAR000002")
    Authority(folder, "Cars CA").issue("stranger", "CAR000001")
    return folder
