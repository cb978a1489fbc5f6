"""Bring a store's tables to the revision that this program expects."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from driveaway.book.store import SCHEMA_REVISION
from driveaway.values.errors import Unavailable


def migrate(url: sa.URL | str) -> None:
    """Create or upgrade the tables behind an SQLAlchemy URL. Imports Alembic, so it is called rarely.

    Raises:
        Unavailable: the database cannot be reached, or was upgraded by a newer program.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                # Waiting for ever behind a long query would stop the programs that still run.
                connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(1685223425)")
            config.attributes["connection"] = connection
            command.upgrade(config, SCHEMA_REVISION)
    except CommandError as error:
        raise Unavailable(str(error), code="store.revision", remedy="update this program") from error
    except sa.exc.SQLAlchemyError as error:
        raise Unavailable(str(error.__cause__ or error), code="store.unreachable") from error
    finally:
        engine.dispose()
