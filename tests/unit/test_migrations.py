"""A book made by an older program is brought up to date when it is opened."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from driveaway.book.schema import SQLITE_TRIGGERS
from driveaway.book.store import SCHEMA_REVISION
from driveaway.facts import Draft
from driveaway.facts.orders import OrderReserved
from driveaway.launch.hooks.managing import add_hook
from driveaway.launch.launch import open_launch
from driveaway.updates import types
from driveaway.updates.management import declaring
from driveaway.values.errors import Conflict
from tests.imports import ORDERS, bare


def test_sources_recorded_under_older_keys_are_still_known(tmp_path: Path) -> None:
    draft = Draft("order.reserved", ORDERS[0], 1, OrderReserved(trim="Pro"), "urn:a/1")
    with bare(tmp_path) as launch:
        folder = launch.folder
        launch.append([draft])
    (keep,) = (trigger for trigger in SQLITE_TRIGGERS if "TRIGGER fact_keep " in trigger)
    with closing(sqlite3.connect(folder / "data" / "book.sqlite")) as connection, connection:
        connection.execute("DROP TRIGGER fact_keep")
        connection.execute("UPDATE fact SET source_key = 12345")
        connection.execute(keep)
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    with open_launch(folder) as launch:
        (again,) = launch.append([draft])
        assert not again.added
        with pytest.raises(Conflict):
            launch.append([Draft("order.reserved", ORDERS[1], 1, OrderReserved(), "urn:a/1")])
        assert launch.book.verify().differences == []
    with closing(sqlite3.connect(folder / "data" / "book.sqlite")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (SCHEMA_REVISION,)
        with pytest.raises(sqlite3.DatabaseError, match="never updated"):
            connection.execute("UPDATE fact SET source_key = 1")


def test_a_book_from_before_webhooks_gets_their_table(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        folder = launch.folder
        launch.book.edge()
    with closing(sqlite3.connect(folder / "data" / "book.sqlite")) as connection, connection:
        connection.execute("DROP TABLE webhooks")
        connection.execute("UPDATE alembic_version SET version_num = '0003'")
    with open_launch(folder) as launch:
        hook = add_hook(launch, "crm", "https://example.com/", ["release.published"], by="")
        assert (hook.cursor, hook.state) == (launch.book.edge().size, "delivering")


def test_a_book_from_before_declared_types_gets_their_table(tmp_path: Path) -> None:
    with bare(tmp_path) as launch:
        folder = launch.folder
        launch.book.edge()
    with closing(sqlite3.connect(folder / "data" / "book.sqlite")) as connection, connection:
        connection.execute("DROP TABLE software_types")
        connection.execute("UPDATE alembic_version SET version_num = '0004'")
    with open_launch(folder) as launch:
        with launch.state.change() as change:
            made = declaring.declare(change, "module", "radar", "Radar", 1)
        assert types.declared(launch.state, "module") == [made]
