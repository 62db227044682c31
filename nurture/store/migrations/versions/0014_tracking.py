"""Clicks with their verdicts; of consents whose address it was, and until when they hold."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "clicks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("lead_id", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("network", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("program", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("sign", sa.String(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ruled", sa.String(), nullable=True),
        sa.Column("ruled_by", sa.String(), nullable=False),
        sa.Column("ruled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_clicks_lead_id")),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_clicks_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clicks")),
    )
    with op.batch_alter_table("clicks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_clicks_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index("ix_clicks_message_at", ["message_id", "at"], unique=False)
        batch_op.create_index("ix_clicks_network_at", ["network", "at"], unique=False)
        batch_op.create_index(
            "ix_clicks_until",
            ["until"],
            unique=False,
            sqlite_where=sa.text("until IS NOT NULL"),
            postgresql_where=sa.text("until IS NOT NULL"),
        )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("address_hash", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.alter_column("address_hash", server_default=None)


def downgrade() -> None:
    """Go back to the one before."""
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_column("expires_at")
        batch_op.drop_column("address_hash")
    op.drop_table("clicks")
