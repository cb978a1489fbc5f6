"""The database goes away: a clear error, and a retry that is safe."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from driveaway.book.book import open_store
from driveaway.book.store import Edge, Store
from driveaway.launch.launch import open_launch
from driveaway.values.errors import BadValue, Conflict, Unavailable
from tests.faults.children import append_orders, drafts_of
from tests.faults.conftest import Child
from tests.postgres import PostgresServer
from tests.stores import acts


@pytest.fixture
def store(postgres_url: str) -> Iterator[Store]:
    store = open_store(postgres_url)
    store.create()
    yield store
    store.close()


def _cut(url: str) -> None:
    """End every other connection to the database, as a network or an administrator may."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_the_server_is_killed_while_it_appends(killing_server: PostgresServer, folder: Path) -> None:
    url = killing_server.create_database()
    store = open_store(url)
    store.create()
    store.close()
    child = Child(append_orders, str(folder), url, 0, 10**9, 3)
    safe = 0
    for _ in range(2):
        safe = child.wait_for("safe")
        killing_server.kill()
        assert child.wait_for("unavailable") == "store.unreachable"
        killing_server.start()
    child.wait_for("safe")
    said = child.kill()
    assert {value for word, value in said if word == "unavailable"} <= {"store.unreachable"}
    safe = max([safe, *(value for word, value in said if word == "safe")])
    with open_launch(folder, book_url=url) as launch:
        sources = [row.source for row in launch.book.store.rows(0, 10**9, 10**9)]
        assert len(set(sources)) == len(sources)
        assert {draft.source for number in range(safe) for draft in drafts_of(number)} <= set(sources)
        assert launch.book.verify().differences == []


def test_a_connection_lost_inside_an_append(store: Store, postgres_url: str) -> None:
    def interrupted() -> None:
        with store.write() as transaction:
            assert transaction.edge().size == 0
            _cut(postgres_url)
            transaction.insert([], [], Edge(1, 1, bytes(32)))

    with pytest.raises(Unavailable) as unavailable:
        interrupted()
    assert unavailable.value.code == "store.unreachable"
    assert "a retry is safe" in unavailable.value.remedy
    with store.write() as transaction:
        assert transaction.edge().size == 0


def test_a_connection_lost_between_two_is_made_again(folder: Path, store: Store, postgres_url: str) -> None:
    with open_launch(folder, book_url=postgres_url) as launch:
        launch.append(drafts_of(1))
        assert launch.book.edge().size == 3
        _cut(postgres_url)
        assert launch.book.edge().size == 3
        launch.append(drafts_of(2))
        _cut(postgres_url)
        launch.append(drafts_of(3))
        assert launch.book.edge().size == 9


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    store = open_store(f"postgresql://nobody:hidden@/none?host={tmp_path}")
    for ask in (store.edge, store.create, store.describe, lambda: store.rows(0, 1, 1)):
        with pytest.raises(Unavailable) as unavailable:
            ask()
        assert unavailable.value.code == "store.unreachable"
        assert "hidden" not in str(unavailable.value)
    assert "hidden" not in store.url


def test_a_book_of_a_newer_program(store: Store, postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    other = open_store(postgres_url)
    with pytest.raises(Unavailable) as unavailable:
        other.edge()
    assert unavailable.value.code == "store.revision"
    other.close()


def test_tables_are_made_where_there_are_none(postgres_url: str) -> None:
    with contextlib.closing(open_store(postgres_url)) as store:
        assert store.edge() == Edge(0, 0, b"")


def test_the_ways_to_write_an_address(postgres_url: str) -> None:
    rest = postgres_url.partition("://")[2]
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        with contextlib.closing(open_store(f"{scheme}://{rest}")) as store:
            assert store.edge().size == 0
    for wrong in ("postgresql://h/d?nonsense=1", "mysql://h/d"):
        with pytest.raises(BadValue):
            open_store(wrong)


def test_what_postgresql_cannot_store(folder: Path, store: Store, postgres_url: str) -> None:
    with open_launch(folder, book_url=postgres_url) as launch:
        with pytest.raises(BadValue):
            launch.append([acts.reserved(1, source="urn:\0")])
        launch.append([acts.reserved(1, city="a\0b")])
        assert launch.book.about(acts.order(1))[0].body.city == "a\0b"


def test_a_role_without_the_right_to_write(folder: Path, store: Store, postgres_url: str) -> None:
    plain = postgres_url.replace("+psycopg", "")
    role = "reader" + plain.partition("@/")[2].partition("?")[0]
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f'CREATE ROLE "{role}" LOGIN'.encode())
        connection.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{role}"'.encode())
    with open_launch(folder, book_url=plain.replace("//driveaway@", f"//{role}@")) as launch:
        assert launch.book.edge().size == 0
        with pytest.raises(Unavailable) as unavailable:
            launch.append(drafts_of(1))
        assert unavailable.value.code == "store.forbidden"


def test_a_commit_is_on_disk_before_anybody_is_told(store: Store, postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        name = postgres_url.partition("@/")[2].partition("?")[0]
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off'.encode())
    with contextlib.closing(open_store(postgres_url)) as other:
        assert other.describe()["synchronous_commit"] == "on"


def test_two_books_in_one_database(folder: Path, postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        for name in ("one", "two"):
            connection.execute(f"CREATE SCHEMA {name}".encode())
    stores = [open_store(f"{postgres_url}&options=-csearch_path%3D{name}") for name in ("one", "two")]
    # Each has a lock of its own: one may write while the other does.
    with stores[0].write() as first, stores[1].write() as second:
        assert first.edge() == second.edge() == Edge(0, 0, b"")
    for store in stores:
        store.close()


def test_a_raised_conflict_says_what(store: Store) -> None:
    with pytest.raises(Conflict) as conflict, store.write() as transaction:
        transaction.insert([], [], Edge(5, 5, bytes(32)))
    assert "the edge follows the facts" in conflict.value.message
