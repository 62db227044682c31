"""Hand-offs with a team, a clock and an answer."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TEXTS = ("definition_version", "answered_by", "answered_via", "assigned_to", "because")
MOMENTS = ("told_at", "first_told_at", "due_at")
NUMBERS = ("assigned_n", "deeds")
NO_CLOCK = (
    '{"pace": {"origin": "1970-01-01T00:00:00Z", "factor": 1.0}}'  # of what was handed over before there were clocks
)
MEASURES = ("answered_after", "worked")


def upgrade() -> None:
    """Go to this revision."""
    with op.batch_alter_table("hand_offs", schema=None) as batch_op:
        for name in TEXTS:
            batch_op.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
        for name in MOMENTS:
            batch_op.add_column(sa.Column(name, sa.DateTime(timezone=True), nullable=True))
        for name in NUMBERS:
            batch_op.add_column(sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
        for name in MEASURES:
            batch_op.add_column(sa.Column(name, sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("team", sa.String(), nullable=False, server_default="sales"))
        batch_op.add_column(sa.Column("stage", sa.String(), nullable=False, server_default="assigned"))
        batch_op.add_column(sa.Column("clock", sa.JSON(), nullable=False, server_default=NO_CLOCK))
        batch_op.add_column(
            sa.Column(
                "updated_at", sa.DateTime(timezone=True), nullable=False, server_default="1970-01-01 00:00:00+00:00"
            )
        )
        batch_op.create_index("ix_hand_offs_team_status", ["team", "status", "assigned_to"], unique=False)
    op.create_table(
        "hand_off_deeds",
        sa.Column("hand_off_id", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("deed", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["hand_off_id"], ["hand_offs.id"], name=op.f("fk_hand_off_deeds_hand_off_id")),
        sa.PrimaryKeyConstraint("hand_off_id", "n", name=op.f("pk_hand_off_deeds")),
    )
    op.create_table(
        "turns",
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("team", "person", name=op.f("pk_turns")),
    )


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_table("turns")
    op.drop_table("hand_off_deeds")
    with op.batch_alter_table("hand_offs", schema=None) as batch_op:
        batch_op.drop_index("ix_hand_offs_team_status")
        for name in (*TEXTS, *MOMENTS, *NUMBERS, *MEASURES, "team", "stage", "clock", "updated_at"):
            batch_op.drop_column(name)
