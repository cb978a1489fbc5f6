"""What all tests share: a PostgreSQL server, a closed network, one set of habits for hypothesis."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import PostgresServer
from tests.surroundings import NOWHERE, PROXIES, close_network

settings.register_profile("usual", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("nightly", settings.get_profile("usual"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))

close_network()


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting, colour, width or proxy of the machine leaks into a test."""
    for name in list(os.environ):
        if name.startswith("DRIVEAWAY_") and not name.startswith("DRIVEAWAY_TEST_"):
            monkeypatch.delenv(name)
    for name in PROXIES:
        monkeypatch.setenv(name, NOWHERE)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "110")
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "LINES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL, one for each test process, started by the first test that asks."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of an empty database, dropped after the test."""
    postgres_server.start()
    url = postgres_server.create_database()
    yield url
    postgres_server.start()
    postgres_server.drop_database(url)
