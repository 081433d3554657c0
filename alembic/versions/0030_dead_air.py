"""A call that was answered while our webhooks were not reached has a result of its own, which the report counts. The
sums of the report are made anew, since they are of other definitions now.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_BEFORE = (
    "answered", "blocked", "busy", "canceled", "failed", "forwarded", "invalid_number", "machine", "no_answer",
    "powered_off", "rejected", "unknown",
)  # fmt: skip


_COUNTED = ("case_fact", "day_figure")


def _check(words: tuple[str, ...]) -> None:
    among = ", ".join(f"'{word}'" for word in sorted(words))
    op.drop_constraint(op.f("ck_attempt_result"), "attempt", type_="check")
    op.create_check_constraint(op.f("ck_attempt_result"), "attempt", f'"result" IN ({among})')


def upgrade() -> None:
    _check((*_BEFORE, "dead_air"))
    for table in _COUNTED:
        op.add_column(table, sa.Column("result_dead_air", sa.Integer(), nullable=False, server_default="0"))
        op.alter_column(table, "result_dead_air", server_default=None)


def downgrade() -> None:
    for table in _COUNTED:
        op.drop_column(table, "result_dead_air")
    op.execute("UPDATE attempt SET result = 'blocked' WHERE result = 'dead_air'")
    _check(_BEFORE)
