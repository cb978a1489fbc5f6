"""Targets for filters: as records for predicates and as rows of tables, and filters drawn at random."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from driveaway.updates.filters.expressions import And, Comparison, Expression, Operator, Or
from driveaway.updates.filters.filter import Clock
from driveaway.updates.filters.resources import TARGET_STATES
from driveaway.updates.versions import sort_key

CLOCK = Clock(now=1_717_000_000_123_456, overdue=1_716_999_000_000_000)
SCHEMA = """
CREATE TABLE distribution_sets (id INTEGER PRIMARY KEY, name TEXT, version TEXT, version_key TEXT);
CREATE TABLE targets (id INTEGER PRIMARY KEY, controller_id TEXT, name TEXT, description TEXT, address TEXT,
  created BIGINT, modified BIGINT, polled BIGINT, status TEXT, type TEXT, target_group TEXT,
  installed INTEGER, assigned INTEGER, auto_confirm INTEGER);
CREATE TABLE target_attributes (target INTEGER, key TEXT, value TEXT, version_key TEXT);
CREATE TABLE target_metadata (target INTEGER, key TEXT, value TEXT);
CREATE TABLE target_tags (target INTEGER, tag TEXT);
CREATE TABLE target_places (target INTEGER, place TEXT);
"""
COLUMNS = {
    "controllerid": "controller_id",
    "name": "name",
    "description": "description",
    "ipaddress": "address",
    "createdat": "created",
    "lastmodifiedat": "modified",
    "lastcontrollerrequestat": "polled",
    "updatestatus": "status",
    "type.key": "type",
    "group": "target_group",
    "autoconfirm": "auto_confirm",
}
KEYS = ["rev", "HW.Rev", "ecu version", "速"]
TEXTS = [
    "",
    "a",
    "A",
    "b",
    "ab",
    "aB",
    "a*b",
    "a%b",
    "a_b",
    "a!b",
    "a\\b",
    "a'b",
    'a"b',
    "测试",
    "Ü",
    "ü",
    "null",
    "1",
]
VERSIONS = ["1.2", "1.2.0", "v1.2.10", "1.2.9", "2.0.0-rc.1", "2.0.0", "2024-05-31", "2024.5.31", "red"]
PATTERNS = ["*", "a*", "*b", "A*B", "*a*", "a\\*b", "*\\\\*", "*%*", "a_*", "**", "*b*b", "*试", "a!*", "Ü*"]
words = st.one_of(st.sampled_from(TEXTS), st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=4))
MOMENTS = [CLOCK.now + step for step in (-1_000_001, -123_456, -1, 0, 1, 544, 8 * 10**10)]


Sets = list[tuple[str, str]]


def fleet(seed: int, size: int = 12) -> tuple[list[dict[str, Any]], Sets]:
    """Targets at random, and the name and version of sets 1, 2 and 3; by a seed, which is quick to draw."""
    chance = random.Random(seed)
    known = [(chance.choice(TEXTS), chance.choice(VERSIONS)) for _ in range(3)]

    def maybe(values: Sequence[Any]) -> Any:
        return chance.choice(values) if chance.random() < 0.75 else None

    def named(values: Sequence[str], most: int) -> dict[str, str]:
        return {key: chance.choice(values) for key in chance.sample(KEYS, chance.randint(0, most))}

    def some(values: Sequence[str]) -> list[str]:
        return chance.sample(values, chance.randint(0, 2))

    def target() -> dict[str, Any]:
        texts = {field: maybe(TEXTS) for field in ("name", "description", "ipaddress", "type.key", "group")}
        times = {field: chance.choice(MOMENTS) for field in ("createdat", "lastmodifiedat")}
        return (
            texts
            | times
            | {
                "controllerid": chance.choice(TEXTS),
                "lastcontrollerrequestat": maybe(MOMENTS),
                "updatestatus": chance.choice(TARGET_STATES),
                "autoconfirm": chance.randint(0, 1),
                "installed": maybe((1, 2, 3)),
                "assigned": maybe((1, 2, 3)),
                "attribute": named(TEXTS + VERSIONS, 3),
                "metadata": named(TEXTS, 2),
                "tag": some(TEXTS),
                "place": some(["110000", "city:suzhou", "320000"]),
            }
        )

    return [target() for _ in range(size)], known


seeds = st.integers(0, 2**32)


def record(target: Mapping[str, Any], known: Sets) -> dict[str, Any]:
    """A target as predicates see it: with the names and versions of its sets, and folded keys."""
    found = dict(target)
    for role in ("installed", "assigned"):
        if target[role] is not None:
            name, version = known[target[role] - 1]
            found |= {f"{role}ds.name": name, f"{role}ds.version": version}
    for field in ("attribute", "metadata"):
        found[field] = {key.lower(): value for key, value in target[field].items()}
    return found


def rows(all_targets: list[dict[str, Any]], known: Sets) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Statements with ``?`` that fill the tables."""
    for number, (name, version) in enumerate(known, 1):
        yield "INSERT INTO distribution_sets VALUES (?, ?, ?, ?)", (number, name, version, sort_key(version))
    names = [*COLUMNS.values(), "installed", "assigned"]
    marks = ", ".join("?" * (len(names) + 1))
    for number, target in enumerate(all_targets):
        values = [target[field] for field in (*COLUMNS, "installed", "assigned")]
        yield f"INSERT INTO targets (id, {', '.join(names)}) VALUES ({marks})", (number, *values)
        for key, value in target["attribute"].items():
            yield "INSERT INTO target_attributes VALUES (?, ?, ?, ?)", (number, key, value, sort_key(value))
        for key, value in target["metadata"].items():
            yield "INSERT INTO target_metadata VALUES (?, ?, ?)", (number, key, value)
        for tag in target["tag"]:
            yield "INSERT INTO target_tags VALUES (?, ?)", (number, tag)
        for place in target["place"]:
            yield "INSERT INTO target_places VALUES (?, ?)", (number, place)


def stored(all_targets: list[dict[str, Any]], known: Sets) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    for statement, values in rows(all_targets, known):
        connection.execute(statement, values)
    return connection


_EQUALS = (Operator.EQUAL, Operator.NOT_EQUAL, Operator.IS, Operator.IS_NOT, Operator.LIKE)
_LISTS = (Operator.IN, Operator.OUT)
_ORDERS = (Operator.LESS, Operator.LESS_OR_EQUAL, Operator.GREATER, Operator.GREATER_OR_EQUAL)
_VERSIONS = tuple(Operator(f"=v{how}=") for how in ("lt", "le", "gt", "ge", "eq"))
_TEXT_FIELDS = ["id", "NAME", "description", "ipaddress", "type", "Group", "tag", "place", "assignedds.name"]
_TEXT_FIELDS += [f"{field}.{key}" for field in ("attribute", "metadata") for key in KEYS]
_VERSION_FIELDS = ["installedds.version", "assignedDS.version", *(f"attribute.{key}" for key in KEYS)]
_TIME_FIELDS = ["createdat", "lastmodifiedat", "lastControllerRequestAt"]
_TIMES = [
    "1717000000123",
    "1717000000122",
    "${NOW_TS}",
    "${overdue_ts}",
    "2024-05-29T16:26:40.123456Z",
    "2024-05-30",
]


def _comparison(fields: list[str], operators: tuple[Operator, ...], values: st.SearchStrategy[str]) -> Any:
    return st.builds(
        lambda field, operator, value: Comparison(field, operator, (value,)),
        st.sampled_from(fields),
        st.sampled_from(operators),
        values,
    )


def _listing(fields: list[str], values: st.SearchStrategy[str]) -> Any:
    return st.builds(
        lambda field, operator, some: Comparison(field, operator, tuple(some)),
        st.sampled_from(fields),
        st.sampled_from(_LISTS),
        st.lists(values, min_size=1, max_size=4),
    )


_wild = st.one_of(words, st.sampled_from(PATTERNS), st.sampled_from(["110000", "CITY:*", "NULL"]))
_states = st.sampled_from([*TARGET_STATES, "IN_SYNC"])
_nothing = st.sampled_from(["", "*"])
_comparisons = st.one_of(
    _comparison(_TEXT_FIELDS, _EQUALS, _wild),
    _comparison(_TEXT_FIELDS, _ORDERS, words),
    _listing(_TEXT_FIELDS, _wild),
    _comparison(_VERSION_FIELDS, _VERSIONS, st.sampled_from(VERSIONS[:-1])),
    _comparison(_TIME_FIELDS, _EQUALS + _ORDERS, st.sampled_from(_TIMES)),
    _comparison([*_TIME_FIELDS, "status", "autoconfirm"], _EQUALS, _nothing),
    _listing(_TIME_FIELDS, st.sampled_from(_TIMES)),
    _comparison(["updatestatus"], _EQUALS, _states),
    _listing(["status"], _states),
    _comparison(["autoconfirm"], _EQUALS, st.sampled_from(["true", "False"])),
)


def _joined(parts: list[Expression], both: bool) -> Expression:
    """As reading would give it: an ``And`` holds no ``And``, an ``Or`` no ``Or``."""
    kind = And if both else Or
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,))]
    return kind(tuple(flat))  # type: ignore[arg-type]


expressions = st.recursive(
    _comparisons,
    lambda inner: st.builds(_joined, st.lists(inner, min_size=2, max_size=3), st.booleans()),
    max_leaves=6,
)
