"""One index less: the unique one of score changes begins with the same columns."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.drop_index("ix_score_changes_lead", "score_changes")


def downgrade() -> None:
    """Go back to the one before."""
    op.create_index("ix_score_changes_lead", "score_changes", ["lead_id", "score"], unique=False)
