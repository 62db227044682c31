"""What comes back after messages, the mailboxes it comes to, and the fuses of campaigns."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None

HANDED_OVER = sa.text("committed_at IS NOT NULL")


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "returns",
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("lead_id", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("fault", sa.String(), nullable=False),
        sa.Column("address_hash", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_returns_message_id")),
        sa.PrimaryKeyConstraint("message_id", "kind", name=op.f("pk_returns")),
    )
    op.create_index("ix_returns_address", "returns", ["address_hash", "kind"], unique=False)
    op.create_index("ix_returns_sent", "returns", ["sent_at"], unique=False)
    with op.batch_alter_table("returns", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_returns_lead_id"), ["lead_id"], unique=False)
    op.create_table(
        "fuses",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("blown_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_fuses")),
    )
    op.create_table(
        "mailboxes",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("validity", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_mailboxes")),
    )
    op.create_index(
        "ix_messages_campaign_committed", "messages", ["campaign", "committed_at"], unique=False,
        sqlite_where=HANDED_OVER, postgresql_where=HANDED_OVER,
    )  # fmt: skip


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_index("ix_messages_campaign_committed", "messages")
    op.drop_table("mailboxes")
    op.drop_table("fuses")
    op.drop_table("returns")
