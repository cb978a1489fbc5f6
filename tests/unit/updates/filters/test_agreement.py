"""A filter gives one answer, asked of a record, of SQLite and of PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driveaway.updates.filters.expressions import Expression
from driveaway.updates.filters.filter import Filter
from driveaway.updates.filters.resources import target_fields
from tests.unit.updates.filters.targets import (
    CLOCK,
    SCHEMA,
    Sets,
    expressions,
    fleet,
    record,
    rows,
    seeds,
    stored,
)

TARGETS = target_fields()
SHANGHAI = ZoneInfo("Asia/Shanghai")


def _by_predicate(wanted: Filter, some: list[dict[str, Any]], known: Sets) -> list[int]:
    return [number for number, one in enumerate(some) if wanted.matches(record(one, known), CLOCK)]


@given(st.lists(expressions, min_size=1, max_size=4), seeds)
def test_a_record_and_sqlite_agree(several: list[Expression], seed: int) -> None:
    some, known = fleet(seed)
    with closing(stored(some, known)) as connection:
        for expression in several:
            wanted = Filter(str(expression), TARGETS, SHANGHAI)
            where = wanted.where("sqlite", CLOCK)
            sql = f"SELECT id FROM targets t WHERE {where.sql} ORDER BY id"
            found = [number for (number,) in connection.execute(sql, where.parameters)]
            assert found == _by_predicate(wanted, some, known), str(wanted)


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    url = re.sub(r"^postgresql\+\w+", "postgresql", postgres_url)
    with psycopg.connect(url) as connection:
        connection.execute(SCHEMA.replace("version_key TEXT", 'version_key TEXT COLLATE "C"'))
        connection.commit()
        yield connection


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(several=st.lists(expressions, min_size=1, max_size=4), seed=seeds)
def test_a_record_and_postgresql_agree(
    postgres: psycopg.Connection[tuple[Any, ...]], several: list[Expression], seed: int
) -> None:
    some, known = fleet(seed)
    try:
        for statement, values in rows(some, known):
            postgres.execute(statement.replace("?", "%s"), values)
        for expression in several:
            wanted = Filter(str(expression), TARGETS, SHANGHAI)
            where = wanted.where("postgresql", CLOCK)
            sql = re.sub(r":(p[0-9]+)", r"%(\1)s", where.sql.replace("%", "%%"))
            found = postgres.execute(f"SELECT id FROM targets t WHERE {sql} ORDER BY id", where.parameters)
            assert [number for (number,) in found] == _by_predicate(wanted, some, known), str(wanted)
    finally:
        postgres.rollback()
