"""The server that the other tests rest on: it keeps what was committed, whatever ends it."""

from __future__ import annotations

import os
import socket

import psycopg
import pytest
import sqlalchemy

from tests.postgres import PostgresServer
from tests.surroundings import NetworkClosed


def test_a_database_by_its_url(postgres_url: str) -> None:
    engine = sqlalchemy.create_engine(postgres_url)
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("SHOW fsync")).scalar_one() == "on"
        assert connection.execute(sqlalchemy.text("SHOW server_encoding")).scalar_one() == "UTF8"
    engine.dispose()


def test_two_databases_are_strangers(postgres_server: PostgresServer) -> None:
    first, second = postgres_server.create_database(), postgres_server.create_database()
    assert first != second
    for url in (first, second):
        postgres_server.drop_database(url)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_what_was_committed_survives(how: str) -> None:
    server = PostgresServer()
    try:
        server.start()
        connection = psycopg.connect(server.conninfo(), autocommit=True)
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (42)")
        getattr(server, how)()
        assert not server.running
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        connection.close()
        server.start()
        with psycopg.connect(server.conninfo()) as again:
            assert again.execute("SELECT n FROM kept").fetchall() == [(42,)]
    finally:
        server.close()
    assert not server.folder.exists()


def test_it_never_runs_as_root(postgres_server: PostgresServer) -> None:
    assert (postgres_server.folder / "data").stat().st_uid != 0 or os.geteuid() != 0


def test_other_machines_are_out_of_reach() -> None:
    with pytest.raises(NetworkClosed), socket.socket() as outward:
        outward.connect(("192.0.2.1", 80))
    with pytest.raises(NetworkClosed):
        socket.getaddrinfo("example.org", 80)
