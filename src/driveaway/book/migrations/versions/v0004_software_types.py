"""Operational tables that came since: types of software that staff declare."""

from alembic import op

from driveaway.book.state.tables import operational

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables that are not there; none holds facts."""
    operational.create_all(op.get_bind())
