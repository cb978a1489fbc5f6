"""The book: facts, their secrets, their keys, and the tree's edge."""

from alembic import op

from driveaway.book.schema import POSTGRESQL_TRIGGERS, SQLITE_TRIGGERS, edge, metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table, then the triggers that refuse what an append-only book refuses."""
    bind = op.get_bind()
    metadata.create_all(bind)
    op.bulk_insert(edge, [{"only": 1, "size": 0, "recorded": 0, "peaks": b""}])
    for statement in SQLITE_TRIGGERS if bind.dialect.name == "sqlite" else POSTGRESQL_TRIGGERS:
        op.execute(statement)
