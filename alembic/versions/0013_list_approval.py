"""Large lists wait for a second person; lists are withdrawn; what a source's columns mean is remembered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_BEFORE = "\"state\" IN ('waiting', 'running', 'done', 'failed')"
_STATES = "\"state\" IN ('waiting', 'running', 'held', 'done', 'failed', 'withdrawn')"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_list_load_state"), "list_load")
    op.create_check_constraint(op.f("ck_list_load_state"), "list_load", _STATES)
    op.add_column(
        "list_load", sa.Column("needs_approval", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    for name in ("early_line", "early_accepted"):
        op.add_column("list_load", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("list_load", sa.Column("decided_by", sa.Text(), nullable=True))
    op.add_column("list_load", sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "list_mapping",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("heading", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "heading", name=op.f("pk_list_mapping")),
    )


def downgrade() -> None:
    op.drop_table("list_mapping")
    for name in ("needs_approval", "early_line", "early_accepted", "decided_by", "decided_at"):
        op.drop_column("list_load", name)
    op.drop_constraint(op.f("ck_list_load_state"), "list_load")
    op.create_check_constraint(op.f("ck_list_load_state"), "list_load", _BEFORE)
