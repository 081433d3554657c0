"""Rare cases are found among a million."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_case_grade_rare",
        "case",
        ["grade", "id"],
        postgresql_where=sa.text("grade IN ('extra_high', 'high')"),
    )
    op.create_index(
        "ix_case_status_rare",
        "case",
        ["status", "id"],
        postgresql_where=sa.text("status IN ('watching', 'reversed')"),
    )
    op.create_index("ix_case_fraud_type", "case", ["fraud_type", "id"])


def downgrade() -> None:
    for name in ("ix_case_fraud_type", "ix_case_status_rare", "ix_case_grade_rare"):
        op.drop_index(name, "case")
