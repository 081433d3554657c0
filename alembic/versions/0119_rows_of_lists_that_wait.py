"""A list counts its rows that wait for a person apart from the accepted ones; what waits names the list that brought
it. What waits since before names none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0119"
down_revision = "0118"
branch_labels = None
depends_on = None

_ADDS_UP = "ck_list_load_adds_up"


def upgrade() -> None:
    op.add_column("list_load", sa.Column("held", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("list_load", sa.Column("from_load_id", sa.BigInteger()))
    op.create_foreign_key(
        op.f("fk_list_load_from_load_id_list_load"),
        "list_load",
        "list_load",
        ["from_load_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_index(
        op.f("ix_list_load_from_load_id"),
        "list_load",
        ["from_load_id"],
        postgresql_where=sa.text("from_load_id IS NOT NULL"),
    )
    op.drop_constraint(op.f(_ADDS_UP), "list_load")
    op.create_check_constraint(
        op.f(_ADDS_UP), "list_load", "state <> 'done' OR rows = accepted + held + duplicate + rejected"
    )


def downgrade() -> None:
    op.drop_constraint(op.f(_ADDS_UP), "list_load")
    op.execute("UPDATE list_load SET accepted = accepted + held WHERE held > 0")
    op.create_check_constraint(
        op.f(_ADDS_UP), "list_load", "state <> 'done' OR rows = accepted + duplicate + rejected"
    )
    op.drop_column("list_load", "from_load_id")
    op.drop_column("list_load", "held")
