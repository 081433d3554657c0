"""Outcomes name the call that they rest on, the points said in it, and whether a scammer was in contact."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outcome", sa.Column("scammer_contact", sa.Text()))
    op.add_column(
        "outcome", sa.Column("said", ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'"))
    )
    op.add_column("outcome", sa.Column("call_at", sa.DateTime(timezone=True)))
    op.add_column("outcome", sa.Column("call_seconds", sa.Integer()))
    op.create_check_constraint(
        op.f("ck_outcome_scammer_contact"), "outcome", "\"scammer_contact\" IN ('yes', 'no', 'unknown')"
    )
    op.create_check_constraint(
        op.f("ck_outcome_no_call_needs_reason"),
        "outcome",
        "reason <> 'no_call' OR evidence_sealed IS NOT NULL",
    )
    op.create_check_constraint(
        op.f("ck_outcome_call"), "outcome", "(call_at IS NULL) = (call_seconds IS NULL)"
    )


def downgrade() -> None:
    for name in ("ck_outcome_call", "ck_outcome_no_call_needs_reason", "ck_outcome_scammer_contact"):
        op.drop_constraint(op.f(name), "outcome", type_="check")
    for column in ("call_seconds", "call_at", "said", "scammer_contact"):
        op.drop_column("outcome", column)
