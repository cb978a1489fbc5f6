"""The disk is full: a clear error, nothing half written, and a retry that works once there is room."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from driveaway.book.backup import backup, restore
from driveaway.book.sqlite import SqliteStore
from driveaway.facts import Draft
from driveaway.launch.launch import Launch, open_launch
from driveaway.values.errors import Unavailable
from tests.faults.children import drafts_of
from tests.postgres import PostgresServer

_SMALL = 6 * 1024 * 1024


def _mounted(folder: Path) -> bool:
    """A small disk of its own at this folder, where this process may make one."""
    if os.geteuid() != 0:
        return False
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SMALL}", "tmpfs", folder], capture_output=True
    )
    return done.returncode == 0


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[bool]:
    folder.mkdir(parents=True, exist_ok=True)
    small = _mounted(folder)
    try:
        yield small
    finally:
        if small:
            subprocess.run(["umount", "-l", folder], check=True)


def _batch(number: int) -> list[Draft]:
    return [draft for each in range(number, number + 200) for draft in drafts_of(each)]


def _append_until_full(launch: Launch) -> int:
    """How many orders were accepted."""
    for number in range(0, 100_000, 200):
        try:
            launch.append(_batch(number))
        except Unavailable as error:
            assert error.code == "disk.full"  # noqa: PT017
            assert "again" in error.remedy  # noqa: PT017
            return number
    raise AssertionError("the disk never filled")


def test_sqlite(folder: Path) -> None:
    with _small_disk(folder / "data") as small, open_launch(folder) as launch:
        launch.book.store.create()
        room: Callable[[], object]
        if small:
            filler = folder / "data" / "filler"
            filler.write_bytes(bytes(_SMALL // 2))
            room = filler.unlink
        else:
            # Not allowed to mount: SQLite's own limit fails in the same place.
            assert isinstance(launch.book.store, SqliteStore)
            connection = launch.book.store.connection
            connection.execute("PRAGMA max_page_count = 500")
            room = lambda: connection.execute("PRAGMA max_page_count = 100000")  # noqa: E731
        accepted = _append_until_full(launch)
        assert launch.book.edge().size == 3 * accepted
        assert launch.book.verify().differences == []
        with pytest.raises(Unavailable):
            launch.append(_batch(accepted))
        room()
        launch.append(_batch(accepted))
        assert launch.book.edge().size == 3 * accepted + 600
        assert launch.book.verify().differences == []


def test_postgresql_on_a_small_disk(killing_server: PostgresServer, folder: Path, tmp_path: Path) -> None:
    url = killing_server.create_database()
    disk = killing_server.folder / "small"
    with _small_disk(disk) as small:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            if small:
                owner = (killing_server.folder / "data").stat()
                os.chown(disk, owner.st_uid, owner.st_gid)
                connection.execute(f"CREATE TABLESPACE small LOCATION '{disk}'".encode())
                name = url.partition("@/")[2].partition("?")[0]
                connection.execute(f'ALTER DATABASE "{name}" SET default_tablespace = small'.encode())
        with open_launch(folder, book_url=url) as launch:
            launch.book.edge()
            with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
                if small:
                    filler = disk / "filler"
                    filler.write_bytes(bytes(_SMALL // 3))
                else:
                    connection.execute(
                        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                        " IF (SELECT size FROM book_edge) > 2000 THEN"
                        " RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END IF;"
                        " RETURN NULL; END $$"
                    )
                    connection.execute(
                        "CREATE TRIGGER full_disk AFTER INSERT ON fact"
                        " FOR EACH STATEMENT EXECUTE FUNCTION full_disk()"
                    )
                accepted = _append_until_full(launch)
                assert launch.book.edge().size == 3 * accepted
                assert launch.book.verify().differences == []
                if small:
                    filler.unlink()
                else:
                    connection.execute("DROP TRIGGER full_disk ON fact")
            launch.append(_batch(accepted))
            assert launch.book.edge().size == 3 * accepted + 600
            assert launch.book.verify().differences == []
        killing_server.stop()


def test_a_backup_and_a_restore(folder: Path, tmp_path: Path) -> None:
    with open_launch(folder) as launch:
        launch.book.store.create()
        launch.append([draft for number in range(9_000) for draft in drafts_of(number)])
        with _small_disk(tmp_path / "disk") as small:
            if not small:
                return
            with pytest.raises(Unavailable) as full:
                backup(launch.book, folder, tmp_path / "disk" / "kept.zip")
            assert full.value.code == "disk.full"
            assert list((tmp_path / "disk").iterdir()) == []
            backup(launch.book, folder, tmp_path / "kept.zip")
            with pytest.raises(Unavailable) as full:
                restore(tmp_path / "kept.zip", tmp_path / "disk" / "again")
            assert full.value.code == "disk.full"
            assert list((tmp_path / "disk").iterdir()) == []
