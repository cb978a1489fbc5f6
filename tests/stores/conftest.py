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
from driveaway.book.state.tables import operational
from driveaway.book.store import Store
from driveaway.launch.launch import Launch, open_launch
from tests.postgres import PostgresServer
from tests.stores.acts import LAUNCH_TOML, Place


@pytest.fixture(scope="session")
def one_database(postgres_server: PostgresServer) -> str:
    """The URL of a database with a book that tests take turns at: making one anew takes half a second."""
    url = postgres_server.create_database()
    store = open_store(url)
    store.create()
    store.close()
    return url


def empty(url: str) -> None:
    """Take every fact out of a PostgreSQL book, as only its owner can."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in ("fact", "fact_secret", "fact_key", "book_edge"):
            connection.execute(f"DELETE FROM {table}".encode())
        connection.execute("INSERT INTO book_edge VALUES (1, 0, 0, '')")
        names = ", ".join(operational.tables)
        connection.execute(f"TRUNCATE {names} RESTART IDENTITY".encode())


@pytest.fixture
def emptied_url(postgres_server: PostgresServer, one_database: str) -> str:
    """The same, with an empty book."""
    postgres_server.start()
    empty(one_database)
    return one_database


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
    url = request.getfixturevalue("emptied_url")

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
