"""Each test of this folder runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from driveaway.book.book import open_store
from driveaway.book.store import Store
from driveaway.launch.launch import Launch, open_launch
from tests.stores.acts import LAUNCH_TOML, Place


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a book may be: nothing there yet."""
    if request.param == "sqlite":
        path = tmp_path / "small" / "data" / "book.sqlite"

        def in_sqlite(sql: str, /, *values: Any) -> list[Any]:
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute("PRAGMA recursive_triggers = ON")
                return connection.execute(sql, values).fetchall()

        return Place(f"sqlite:///{path}", "sqlite", in_sqlite)
    url = request.getfixturevalue("postgres_url")

    def in_postgresql(sql: str, /, *values: Any) -> list[Any]:
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            cursor = connection.execute(sql.replace("?", "%s").encode(), values)
            return cursor.fetchall() if cursor.description else []

    return Place(url, "postgresql", in_postgresql)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """An empty book's row store."""
    store = open_store(place.url)
    store.create()
    yield store
    store.close()


@pytest.fixture
def launch(place: Place, tmp_path: Path, store: Store) -> Iterator[Launch]:
    """An open launch with an empty book."""
    folder = tmp_path / "small"
    folder.mkdir(exist_ok=True)
    (folder / "launch.toml").write_text(LAUNCH_TOML)
    with open_launch(folder, book_url=place.url) as launch:
        yield launch
