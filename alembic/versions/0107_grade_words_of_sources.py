"""Which grade each word of a source means that no list of ours has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0107"
down_revision = "0106"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "list_grade_word",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "grade IN ('extra_high', 'high', 'medium', 'low')", name=op.f("ck_list_grade_word_grade")
        ),
        sa.PrimaryKeyConstraint("source", "word", name=op.f("pk_list_grade_word")),
    )


def downgrade() -> None:
    op.drop_table("list_grade_word")
