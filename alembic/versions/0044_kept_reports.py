"""Reports as they were shown, so that everything opened from one is of its moment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("report", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_report")),
        sa.UniqueConstraint("asked", "at", name=op.f("uq_kept_report_asked_at")),
    )
    op.create_index(op.f("ix_kept_report_at"), "kept_report", ["at"])


def downgrade() -> None:
    op.drop_table("kept_report")
