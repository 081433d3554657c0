"""Calls that the carrier lists and a restored database does not know."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_RESULTS = (
    "answered",
    "blocked",
    "busy",
    "canceled",
    "dead_air",
    "failed",
    "forwarded",
    "invalid_number",
    "machine",
    "no_answer",
    "powered_off",
    "rejected",
    "unknown",
)


def upgrade() -> None:
    op.create_table(
        "carrier_call",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("phone_blind", BYTEA, nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("case_id", sa.BigInteger()),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            f'"result" IN ({", ".join(f"{word!r}" for word in _RESULTS)})',
            name=op.f("ck_carrier_call_result"),
        ),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_carrier_call")),
    )
    op.create_index(
        "ix_carrier_call_open",
        "carrier_call",
        ["phone_blind"],
        postgresql_where=sa.text("case_id IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("carrier_call")
