"""A list is looked at before it is loaded; a list belongs to a unit and knows how long it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_BEFORE = "\"state\" IN ('waiting', 'running', 'held', 'done', 'failed', 'withdrawn')"
_STATES = "\"state\" IN ('draft', 'waiting', 'running', 'held', 'done', 'failed', 'withdrawn')"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_list_load_state"), "list_load")
    op.create_check_constraint(op.f("ck_list_load_state"), "list_load", _STATES)
    op.add_column("list_load", sa.Column("unit_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_list_load_unit_id"), "list_load", "unit", ["unit_id"], ["id"])
    op.add_column("list_load", sa.Column("total", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_list_load_unit_id"), "list_load", ["unit_id"])
    op.create_index(
        "ix_list_load_unfinished",
        "list_load",
        ["id"],
        postgresql_where=sa.text("state NOT IN ('done', 'failed', 'withdrawn')"),
    )


def downgrade() -> None:
    op.execute("DELETE FROM list_load WHERE state = 'draft'")
    op.drop_index("ix_list_load_unfinished", "list_load")
    op.drop_index(op.f("ix_list_load_unit_id"), "list_load")
    op.drop_column("list_load", "total")
    op.drop_constraint(op.f("fk_list_load_unit_id"), "list_load")
    op.drop_column("list_load", "unit_id")
    op.drop_constraint(op.f("ck_list_load_state"), "list_load")
    op.create_check_constraint(op.f("ck_list_load_state"), "list_load", _BEFORE)
