"""The database itself refuses to change what is recorded, whoever asks and however."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest

from driveaway.launch.doctor import _launch
from driveaway.launch.launch import Launch
from tests.stores import acts
from tests.stores.acts import Place

_COLUMNS = (
    "seq, kind, version, subject, happened, recorded, source, replaces, simulated, body, leaf, source_key"
)
_SAME = f"INTO fact ({_COLUMNS}) SELECT {_COLUMNS} FROM fact WHERE seq = 1"


def _forged(seq: int, source: str, replaces: str = "replaces") -> str:
    """An INSERT of the first fact again, with other values of these columns."""
    columns = "kind, version, subject, happened, recorded"
    rest = "simulated, body, leaf, source_key"
    row = f"SELECT {seq}, {columns}, {source}, {replaces}, {rest} FROM fact WHERE seq = 1"
    return f"INSERT INTO fact ({_COLUMNS}) {row}"


_BOTH = [
    "UPDATE fact SET body = '{}' WHERE seq = 1",
    "UPDATE fact SET seq = 9 WHERE seq = 2",
    "UPDATE fact SET recorded = 0",
    "DELETE FROM fact WHERE seq = 2",
    "DELETE FROM fact",
    f"INSERT {_SAME}",
    f"INSERT {_SAME} ON CONFLICT (seq) DO UPDATE SET body = '{{}}'",
    _forged(3, "source"),
    _forged(5, "source || 1"),
    "UPDATE fact_secret SET salt = leaf FROM fact WHERE fact.seq = fact_secret.seq",
    "DELETE FROM fact_secret WHERE seq = 1",
    "INSERT INTO fact_secret (seq, salt) SELECT 2, salt FROM fact_secret WHERE seq = 1"
    " ON CONFLICT (seq) DO UPDATE SET personal = NULL",
    "UPDATE fact_key SET key = 'buyer:other'",
    "DELETE FROM fact_key",
    "INSERT INTO fact_key (key, seq) VALUES ('buyer:other', 1)",
    "UPDATE book_edge SET size = 1",
    "UPDATE book_edge SET size = 7",
    "UPDATE book_edge SET peaks = (SELECT salt FROM fact_secret WHERE seq = 1)",
    "UPDATE book_edge SET recorded = 0, size = size + 1",
    "DELETE FROM book_edge",
    "INSERT INTO book_edge VALUES (2, 0, 0, (SELECT salt FROM fact_secret WHERE seq = 1))",
]
_SQLITE = [
    f"INSERT OR REPLACE {_SAME}",
    f"REPLACE {_SAME}",
    f"INSERT OR IGNORE {_SAME}",
    "UPDATE OR REPLACE fact SET seq = 1 WHERE seq = 2",
    "INSERT OR REPLACE INTO fact_secret (seq, salt) SELECT 1, salt FROM fact_secret WHERE seq = 2",
    "INSERT OR REPLACE INTO fact_key (key, seq) VALUES ('buyer:b-1', 1)",
    "INSERT OR REPLACE INTO book_edge SELECT * FROM book_edge",
]
_POSTGRESQL = [
    "TRUNCATE fact",
    "TRUNCATE fact, fact_secret, fact_key, book_edge CASCADE",
    "TRUNCATE fact_secret",
    "TRUNCATE fact_key",
    "TRUNCATE book_edge",
    "MERGE INTO fact f USING (VALUES (1)) v(n) ON f.seq = v.n WHEN MATCHED THEN DELETE",
    "MERGE INTO fact f USING (VALUES (1)) v(n) ON f.seq = v.n WHEN MATCHED THEN UPDATE SET body = '{}'",
    "WITH gone AS (DELETE FROM fact RETURNING seq) SELECT count(*) FROM gone",
]


def _content(place: Place) -> list[object]:
    return [
        place.sql(f"SELECT * FROM {table} ORDER BY 1, 2")
        for table in ("fact", "fact_secret", "fact_key", "book_edge")
    ]


def test_whatever_the_statement(place: Place, launch: Launch, subtests: pytest.Subtests) -> None:
    launch.append([acts.reserved(1, buyer="b-1"), acts.taken(1)])
    before = _content(place)
    for statement in _BOTH + (_SQLITE if place.engine == "sqlite" else _POSTGRESQL):
        with subtests.test(statement):
            with pytest.raises(
                (sqlite3.IntegrityError, psycopg.errors.RaiseException, psycopg.IntegrityError)
            ):
                place.sql(statement)
            assert _content(place) == before
    assert launch.book.verify().differences == []
    launch.append([acts.locked(1)])
    assert launch.book.edge().size == 3


def test_a_second_replacement_is_refused_by_the_index_too(place: Place, launch: Launch) -> None:
    launch.append([acts.reserved(1)])
    launch.append([acts.reserved(1, source="urn:x/2", replaces=1, colour="green")])
    with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError)):
        place.sql(_forged(3, "'urn:x/3'", "1"))
    assert launch.book.edge().size == 2


def _guards(launch: Launch) -> tuple[str, str]:
    ((state, found),) = [(f.state, f.found) for f in _launch(launch) if f.what == "guards"]
    return state, found


def test_the_doctor_sees_that_a_guard_is_gone(place: Place, launch: Launch) -> None:
    assert _guards(launch)[0] == "good"
    if place.engine == "sqlite":
        (sql,) = place.sql("SELECT sql FROM sqlite_master WHERE name = 'fact_stay'")[0]
        place.sql("DROP TRIGGER fact_stay")
        assert _guards(launch) == ("bad", "the database no longer refuses changes: fact_stay gone or changed")
        place.sql(str(sql).replace("SELECT RAISE(ABORT, 'book: facts are never deleted')", "SELECT 1"))
        assert _guards(launch)[0] == "bad"
        return
    ((source,),) = place.sql("SELECT prosrc FROM pg_proc WHERE proname = 'book_refuse'")
    head = "CREATE OR REPLACE FUNCTION book_refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
    try:
        place.sql("ALTER TABLE fact DISABLE TRIGGER fact_keep")
        assert _guards(launch) == ("bad", "the database no longer refuses changes: fact_keep gone or changed")
        place.sql("ALTER TABLE fact ENABLE TRIGGER fact_keep")
        place.sql(f"{head} BEGIN RETURN NULL; END $$")
        assert "book_refuse" in _guards(launch)[1]
    finally:
        place.sql("ALTER TABLE fact ENABLE TRIGGER fact_keep")
        place.sql(f"{head}{source}$$".replace("%", "%%"))
    assert _guards(launch)[0] == "good"
