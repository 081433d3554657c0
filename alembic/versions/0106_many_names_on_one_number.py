"""Warnings of many people with one number wait together: the list in which they wait has the blind index of the number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision = "0106"
down_revision = "0105"
branch_labels = None
depends_on = None

_REASONS = (
    "per_minute",
    "per_hour",
    "per_day",
    "extra_high_per_minute",
    "extra_high_per_hour",
    "extra_high_per_day",
    "grade",
    "amount",
    "unit",
)


def _allow(reasons: tuple[str, ...]) -> None:
    name = op.f("ck_list_load_held_for")
    op.drop_constraint(name, "list_load")
    op.create_check_constraint(name, "list_load", f"held_for IN {reasons}")


def upgrade() -> None:
    op.add_column("list_load", sa.Column("number_blind", BYTEA))
    _allow((*_REASONS, "names"))


def downgrade() -> None:
    op.execute("UPDATE list_load SET held_for = 'unit' WHERE held_for = 'names'")
    _allow(_REASONS)
    op.drop_column("list_load", "number_blind")
