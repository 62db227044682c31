"""Orders, thanks, stages, recommendations, rewards and needs."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "needs",
        sa.Column("lead_id", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("readiness", sa.Integer(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_needs_lead_id")),
        sa.PrimaryKeyConstraint("lead_id", "product", name=op.f("pk_needs")),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("lead_id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("amount", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("refunded", sa.String(), nullable=False),
        sa.Column("whole_refund", sa.Boolean(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_orders_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("source", "number", name=op.f("uq_orders_source_number")),
    )
    op.create_index(op.f("ix_orders_lead_id"), "orders", ["lead_id"], unique=False)
    op.create_table(
        "recommendations",
        sa.Column("friend_id", sa.String(), nullable=False),
        sa.Column("referrer_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("attributed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["friend_id"], ["leads.id"], name=op.f("fk_recommendations_friend_id")),
        sa.ForeignKeyConstraint(["referrer_id"], ["leads.id"], name=op.f("fk_recommendations_referrer_id")),
        sa.PrimaryKeyConstraint("friend_id", "referrer_id", name=op.f("pk_recommendations")),
    )
    op.create_index(op.f("ix_recommendations_referrer_id"), "recommendations", ["referrer_id"], unique=False)
    op.create_table(
        "rewards",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("reward", sa.String(), nullable=False),
        sa.Column("friend_id", sa.String(), nullable=False),
        sa.Column("referrer_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("amount", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("points", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("grants", sa.Integer(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["friend_id"], ["leads.id"], name=op.f("fk_rewards_friend_id")),
        sa.ForeignKeyConstraint(["referrer_id"], ["leads.id"], name=op.f("fk_rewards_referrer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rewards")),
        sa.UniqueConstraint("reward", "friend_id", "referrer_id", name=op.f("uq_rewards_reward_friend_id_referrer_id")),
    )
    op.create_index(op.f("ix_rewards_friend_id"), "rewards", ["friend_id"], unique=False)
    op.create_index(op.f("ix_rewards_order_id"), "rewards", ["order_id"], unique=False)
    op.create_index(op.f("ix_rewards_referrer_id"), "rewards", ["referrer_id"], unique=False)
    op.create_index("ix_rewards_told", "rewards", ["told_at", "status"], unique=False)
    op.create_table(
        "stage_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("lead_id", sa.String(), nullable=False),
        sa.Column("from_stage", sa.String(), nullable=False),
        sa.Column("to_stage", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_stage_changes_lead_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_changes")),
    )
    op.create_index("ix_stage_changes_lead", "stage_changes", ["lead_id", "id"], unique=False)
    op.create_index("ix_stage_changes_to_at", "stage_changes", ["to_stage", "at"], unique=False)
    op.create_table(
        "order_lines",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_lines_order_id")),
        sa.PrimaryKeyConstraint("order_id", "n", name=op.f("pk_order_lines")),
    )
    op.create_table(
        "thanks",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("lead_id", sa.String(), nullable=False),
        sa.Column("journey_id", sa.String(), nullable=False),
        sa.Column("occurrence", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["journey_id"], ["journeys.id"], name=op.f("fk_thanks_journey_id")),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_thanks_lead_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_thanks_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_thanks")),
    )
    op.create_index(op.f("ix_thanks_lead_id"), "thanks", ["lead_id"], unique=False)
    op.create_index("ix_requests_due", "requests", ["kind", "status", "due_at"], unique=False)


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_index("ix_requests_due", table_name="requests")
    op.drop_index(op.f("ix_thanks_lead_id"), table_name="thanks")
    op.drop_table("thanks")
    op.drop_table("order_lines")
    op.drop_index("ix_stage_changes_to_at", table_name="stage_changes")
    op.drop_index("ix_stage_changes_lead", table_name="stage_changes")
    op.drop_table("stage_changes")
    op.drop_index("ix_rewards_told", table_name="rewards")
    op.drop_index(op.f("ix_rewards_referrer_id"), table_name="rewards")
    op.drop_index(op.f("ix_rewards_order_id"), table_name="rewards")
    op.drop_index(op.f("ix_rewards_friend_id"), table_name="rewards")
    op.drop_table("rewards")
    op.drop_index(op.f("ix_recommendations_referrer_id"), table_name="recommendations")
    op.drop_table("recommendations")
    op.drop_index(op.f("ix_orders_lead_id"), table_name="orders")
    op.drop_table("orders")
    op.drop_table("needs")
