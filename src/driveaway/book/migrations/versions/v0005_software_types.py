"""An operational table: types of software that staff declare."""

from alembic import op

from driveaway.book.state.tables import operational

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; a new book has it already, with the others."""
    operational.tables["software_types"].create(op.get_bind(), checkfirst=True)
