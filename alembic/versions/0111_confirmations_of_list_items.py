"""Requests to confirm an entry of a list, or to take it off, for which another person decides."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0111"
down_revision = "0110"
branch_labels = None
depends_on = None

_STATES = "('waiting', 'confirmed', 'refused', 'withdrawn', 'expired')"


def upgrade() -> None:
    op.create_table(
        "list_item_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("item_hash", sa.LargeBinary(), nullable=False),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("list_kind", "source", "change", "why", "asked_by")
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_item_request")),
        sa.CheckConstraint(f"state IN {_STATES}", name=op.f("ck_list_item_request_state")),
        sa.CheckConstraint(
            "(state = 'waiting') = (decided_at IS NULL)", name=op.f("ck_list_item_request_decided_at")
        ),
        sa.CheckConstraint(
            "(state IN ('waiting', 'expired')) = (decided_by IS NULL)",
            name=op.f("ck_list_item_request_decided_by"),
        ),
        sa.CheckConstraint(
            "state <> 'confirmed' OR decided_by <> asked_by", name=op.f("ck_list_item_request_second_person")
        ),
    )
    op.create_index(
        "uq_list_item_request_waiting",
        "list_item_request",
        ["item_hash", "list_kind", "source", "change"],
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    )


def downgrade() -> None:
    op.drop_table("list_item_request")
