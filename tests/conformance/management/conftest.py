"""One server process for all tests that need no options of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.management.tool import Server, Tool


@pytest.fixture(scope="session")
def staff(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server for staff, with an account of every kind."""
    server = Server(tmp_path_factory.mktemp("staff") / "launch")
    yield server
    code = server.stop()
    assert code == 0, server.log.read_text()
    assert "defect" not in server.log.read_text()


@pytest.fixture
def tool(staff: Server) -> Iterator[Tool]:
    """A tool whose account may do everything."""
    made = staff.tool()
    yield made
    made.close()
