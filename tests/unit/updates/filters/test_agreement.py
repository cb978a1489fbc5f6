"""A filter gives one answer, asked of a record, of SQLite and of PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings

from driveaway.updates.filters.expressions import Expression
from driveaway.updates.filters.filter import Filter
from driveaway.updates.filters.resources import target_fields
from tests.unit.updates.filters.targets import CLOCK, SCHEMA, expressions, record, rows, sets, stored, targets

TARGETS = target_fields()
SHANGHAI = ZoneInfo("Asia/Shanghai")


def _by_predicate(wanted: Filter, some: list[dict[str, Any]], known: list[tuple[str, str]]) -> list[int]:
    return [number for number, one in enumerate(some) if wanted.matches(record(one, known), CLOCK)]


@settings(max_examples=400)
@given(expressions, targets, sets)
def test_a_record_and_sqlite_agree(
    expression: Expression, some: list[dict[str, Any]], known: list[tuple[str, str]]
) -> None:
    wanted = Filter(str(expression), TARGETS, SHANGHAI)
    where = wanted.where("sqlite", CLOCK)
    connection = stored(some, known)
    try:
        found = connection.execute(
            f"SELECT id FROM targets t WHERE {where.sql} ORDER BY id", where.parameters
        )
        assert [number for (number,) in found] == _by_predicate(wanted, some, known)
    finally:
        connection.close()


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    url = re.sub(r"^postgresql\+\w+", "postgresql", postgres_url)
    with psycopg.connect(url) as connection:
        connection.execute(re.sub(r"version_key TEXT", 'version_key TEXT COLLATE "C"', SCHEMA))
        connection.commit()
        yield connection


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(expression=expressions, some=targets, known=sets)
def test_a_record_and_postgresql_agree(
    postgres: psycopg.Connection[tuple[Any, ...]],
    expression: Expression,
    some: list[dict[str, Any]],
    known: list[tuple[str, str]],
) -> None:
    wanted = Filter(str(expression), TARGETS, SHANGHAI)
    where = wanted.where("postgresql", CLOCK)
    for statement, values in rows(some, known):
        postgres.execute(statement.replace("?", "%s"), values)
    sql = re.sub(r":(p[0-9]+)", r"%(\1)s", where.sql.replace("%", "%%"))
    found = postgres.execute(f"SELECT id FROM targets t WHERE {sql} ORDER BY id", where.parameters).fetchall()
    postgres.rollback()
    assert [number for (number,) in found] == _by_predicate(wanted, some, known)
