"""The row store behind a URL, without the engines that read it column by column."""

from __future__ import annotations

from pathlib import Path

from driveaway.book.store import Store
from driveaway.values.errors import BadValue


def open_store(url: str) -> Store:
    """The row store behind a URL: ``sqlite:///path`` or ``postgresql://…``.

    Raises:
        BadValue: another scheme, or PostgreSQL's driver is not installed.
    """
    if url.startswith("sqlite:///"):
        from driveaway.book.sqlite import SqliteStore

        return SqliteStore(Path(url.removeprefix("sqlite:///")))
    if url.startswith(("postgresql://", "postgresql+psycopg://", "postgres://")):
        try:
            from driveaway.book.postgres import PostgresStore
        except ImportError as error:
            raise BadValue(
                "PostgreSQL needs its driver",
                code="store.driver",
                remedy="pip install 'driveaway[postgres]'",
            ) from error
        return PostgresStore(url)
    raise BadValue(
        f"{url!r} is not a store",
        code="store.url",
        remedy="sqlite:///FILE or postgresql://USER@HOST/DATABASE",
    )
