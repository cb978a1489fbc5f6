"""Keys of sources that count up lie side by side."""

from alembic import op

from driveaway.book.schema import SQLITE_TRIGGERS
from driveaway.book.sqlite_insert import source_key

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEEP = "fact_keep"


def upgrade() -> None:
    """Give every fact of an SQLite book its new key; PostgreSQL has its index over the whole source."""
    bind = op.get_bind()
    if bind.dialect.name != "sqlite":
        return
    (keep,) = (trigger for trigger in SQLITE_TRIGGERS if f"TRIGGER {_KEEP} " in trigger)
    connection = bind.connection.driver_connection
    assert connection is not None
    connection.create_function("source_key", 1, source_key, deterministic=True)
    op.execute(f"DROP TRIGGER {_KEEP}")
    op.execute("UPDATE fact SET source_key = source_key(source)")
    op.execute(keep)
