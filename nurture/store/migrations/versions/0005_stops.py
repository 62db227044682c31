"""Why a person stopped a journey."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    with op.batch_alter_table("journeys", schema=None) as batch_op:
        batch_op.add_column(sa.Column("stopped_because", sa.String(), nullable=True))


def downgrade() -> None:
    """Go back to the one before."""
    with op.batch_alter_table("journeys", schema=None) as batch_op:
        batch_op.drop_column("stopped_because")
