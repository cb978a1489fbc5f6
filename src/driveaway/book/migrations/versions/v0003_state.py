"""Operational tables: targets, software, actions, rollouts, accounts."""

from alembic import op

from driveaway.book.state.tables import operational

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; none holds facts."""
    operational.create_all(op.get_bind())
