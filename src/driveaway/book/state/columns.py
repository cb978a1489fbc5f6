"""Columns of operational tables, once, for both stores."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, SmallInteger, Text

# SQLite's rowid alias must be declared INTEGER; ids of what is gone are never given again.
_Id = BigInteger().with_variant(Integer, "sqlite")


def row_id() -> Column[int]:
    """The id of a row, given by the database."""
    return Column("id", _Id, primary_key=True, autoincrement=True)


def reference(name: str, *, nullable: bool = False) -> Column[int]:
    """The id of a row elsewhere."""
    return Column(name, BigInteger, nullable=nullable)


def text(name: str, *, default: str | None = "") -> Column[str]:
    """A text; without a default it may be missing."""
    return Column(name, Text, nullable=default is None, server_default=default)


def binary_text(name: str) -> Column[str]:
    """A text whose plain binary order counts, whatever the database's language is."""
    plain = Text().with_variant(Text(collation="C"), "postgresql")
    return Column(name, plain, nullable=False, server_default="")


def flag(name: str, default: int = 0) -> Column[int]:
    """0 or 1."""
    return Column(name, SmallInteger, nullable=False, server_default=str(default))


def time(name: str, *, nullable: bool = False) -> Column[int]:
    """Microseconds since 1970 in UTC."""
    return Column(name, BigInteger, nullable=nullable)


def number(name: str, *, default: int | None = 0) -> Column[int]:
    """A whole number; without a default it may be missing."""
    return Column(
        name, BigInteger, nullable=default is None, server_default=None if default is None else str(default)
    )
