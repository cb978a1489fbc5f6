"""Keys of sources that count up lie side by side."""

from alembic import op
from sqlalchemy import Connection, text

from driveaway.book.schema import SQLITE_TRIGGERS
from driveaway.book.sqlite_insert import source_key

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEEP = "fact_keep"


def upgrade() -> None:
    """Give every fact of an older book its new key."""
    bind = op.get_bind()
    if bind.dialect.name != "sqlite":
        _upgrade_postgresql(bind)
        return
    (keep,) = (trigger for trigger in SQLITE_TRIGGERS if f"TRIGGER {_KEEP} " in trigger)
    connection = bind.connection.driver_connection
    assert connection is not None
    connection.create_function("source_key", 1, source_key, deterministic=True)
    op.execute(f"DROP TRIGGER {_KEEP}")
    op.execute("UPDATE fact SET source_key = source_key(source)")
    op.execute(keep)


def _upgrade_postgresql(bind: Connection) -> None:
    """PostgreSQL looks sources up in its index over the whole of them; a copy of the book does not."""
    op.execute(f"ALTER TABLE fact DISABLE TRIGGER {_KEEP}")
    after = 0
    select = text("SELECT seq, source FROM fact WHERE seq > :after ORDER BY seq LIMIT 10000")
    while rows := bind.execute(select, {"after": after}).all():
        bind.execute(
            text("UPDATE fact SET source_key = :key WHERE seq = :seq"),
            [{"seq": seq, "key": source_key(source)} for seq, source in rows],
        )
        after = rows[-1][0]
    op.execute(f"ALTER TABLE fact ENABLE TRIGGER {_KEEP}")
