"""An operational table: webhooks."""

from alembic import op

from driveaway.book.state.tables import operational

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; a new book has it already, with the others."""
    operational.tables["webhooks"].create(op.get_bind(), checkfirst=True)
