"""Messages found by the name that providers give back."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_index("ix_messages_name", "messages", [sa.text("substr(message_id, 2, 32)")])


def downgrade() -> None:
    """Go back."""
    op.drop_index("ix_messages_name", "messages")
