"""Attempts at cases of the practice course."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0129"
down_revision = "0128"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "practice_attempt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("practice_case", sa.Text(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("said", postgresql.ARRAY(sa.Text()), nullable=False, server_default="{}"),
        sa.Column("first_said_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_said_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practice_attempt")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_practice_attempt_staff_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_practice_attempt_case_id")),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignment.id"], name=op.f("fk_practice_attempt_assignment_id")
        ),
        sa.UniqueConstraint("assignment_id", name=op.f("uq_practice_attempt_assignment_id")),
        sa.CheckConstraint(
            "(cardinality(said) = 0) = (first_said_at IS NULL)"
            " AND (first_said_at IS NULL) = (last_said_at IS NULL) AND cardinality(said) <= 60",
            name=op.f("ck_practice_attempt_said"),
        ),
    )
    op.create_index("ix_practice_attempt_staff_id", "practice_attempt", ["staff_id", "begun_at"])


def downgrade() -> None:
    op.drop_table("practice_attempt")
