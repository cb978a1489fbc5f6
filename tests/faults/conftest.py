"""Processes that can be killed, and the stores that they are killed in."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from driveaway.book.book import open_store
from driveaway.launch.launch import Launch, open_launch
from tests.postgres import PostgresServer
from tests.stores.acts import LAUNCH_TOML

# Children are forked from a server that has imported everything: a kill costs no start of Python.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.faults.children", "tests.faults.trips"])


class Child:
    """A process that runs a function, and what it said."""

    def __init__(self, run: Callable[..., None], *arguments: Any) -> None:
        self._pipe, theirs = _context.Pipe(duplex=False)
        self._process = _context.Process(target=run, args=(theirs, *arguments), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def pipe(self) -> Connection:
        return self._pipe

    def wait_for(self, word: str, seconds: float = 60) -> Any:
        """What it said with this word; what it says before is passed over."""
        while self._pipe.poll(seconds):
            said, value = self._pipe.recv()
            if said == word:
                return value
        raise AssertionError(f"it never said {word!r}")

    def kill(self) -> list[tuple[str, Any]]:
        """``kill -9``, and all that it had said by then."""
        self._process.kill()
        return self.rest()

    def rest(self) -> list[tuple[str, Any]]:
        """All that it says until its end."""
        said = []
        with contextlib.suppress(EOFError, OSError):
            while self._pipe.poll(60):
                said.append(self._pipe.recv())
        self._process.join(60)
        self._pipe.close()
        return said


@pytest.fixture
def killing_server() -> Iterator[PostgresServer]:
    """A server of this test alone."""
    server = PostgresServer()
    server.start()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty book."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'small' / 'data' / 'book.sqlite'}"
    else:
        url = request.getfixturevalue("postgres_url")
    store = open_store(url)
    store.create()
    store.close()
    return url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A launch folder."""
    folder = tmp_path / "small"
    folder.mkdir(exist_ok=True)
    (folder / "launch.toml").write_text(LAUNCH_TOML)
    return folder


@pytest.fixture
def launch(folder: Path, url: str) -> Iterator[Launch]:
    """The launch as seen from here."""
    with open_launch(folder, book_url=url) as launch:
        yield launch
