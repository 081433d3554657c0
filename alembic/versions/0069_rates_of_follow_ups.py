"""The report counts follow-ups: successes that were followed up, and the robot's follow-up calls.

The sums of the report are made anew in the background; until then a report counts the records themselves.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0069"
down_revision = "0067"
branch_labels = None
depends_on = None

_TABLES = ("case_fact", "day_figure")
_COUNTS = (
    "followed_up",
    "follow_up_calls_counted",
    "follow_up_calls_not_counted",
    "follow_up_calls_answered",
    "follow_up_calls_verified",
    "follow_up_calls_undoing",
)


def upgrade() -> None:
    for table in _TABLES:
        op.execute(f"TRUNCATE {table}")
        for name in _COUNTS:
            op.add_column(table, sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.execute("DELETE FROM meta WHERE key = 'tally'")


def downgrade() -> None:
    for table in _TABLES:
        op.execute(f"TRUNCATE {table}")
        for name in _COUNTS:
            op.drop_column(table, name)
    op.execute("DELETE FROM meta WHERE key = 'tally'")
