"""Whether the database still refuses what an append-only book refuses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from driveaway.book.schema import POSTGRESQL_TRIGGERS, SQLITE_TRIGGERS

_TRIGGER: Final = re.compile(r"CREATE TRIGGER (\w+)")
_FUNCTION: Final = re.compile(r"CREATE FUNCTION (\w+)\(\).*?\$\$(.*)\$\$", re.DOTALL)


def unguarded_sqlite(there: Mapping[str, str]) -> list[str]:
    """Names of triggers that are gone or say something else; ``there``: name → SQL as stored."""
    return [
        name
        for sql in SQLITE_TRIGGERS
        for name in _TRIGGER.findall(sql)
        if _plain(there.get(name, "")) != _plain(sql)
    ]


def unguarded_postgresql(triggers: Iterable[str], functions: Mapping[str, str]) -> list[str]:
    """Names of triggers that are gone or switched off, and of functions that say something else.

    Args:
        triggers: names of those that work.
        functions: name → source.
    """
    found = set(triggers)
    missing = [n for sql in POSTGRESQL_TRIGGERS for n in _TRIGGER.findall(sql) if n not in found]
    changed = [
        name
        for sql in POSTGRESQL_TRIGGERS
        for name, source in _FUNCTION.findall(sql)
        if _plain(functions.get(name, "")) != _plain(source)
    ]
    return missing + changed


def _plain(sql: str) -> str:
    return " ".join(sql.split())
