"""A pause may be of a unit and all below it; the pace may be lowered while the service runs; who waits is counted in the
queue's index alone.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_WAITING = sa.text("status = 'open' AND robot_state = 'pending'")
_PACE = ("settings_calls_per_second", "asked_calls_per_second")
_LINES = ("settings_lines", "asked_lines")


def upgrade() -> None:
    op.add_column("hold", sa.Column("unit_id", sa.BigInteger, nullable=True))
    op.create_foreign_key("fk_hold_unit_id", "hold", "unit", ["unit_id"], ["id"])
    op.create_check_constraint("ck_hold_unit_id", "hold", "unit_id IS NULL OR scope = 'unit'")
    for name in _PACE:
        op.add_column("line_group", sa.Column(name, sa.Double, nullable=True))
    for name in _LINES:
        op.add_column("line_group", sa.Column(name, sa.Integer, nullable=True))
    op.add_column("line_group", sa.Column("asked_by", sa.Text, nullable=True))
    op.add_column("line_group", sa.Column("asked_why", sa.Text, nullable=True))
    op.add_column("line_group", sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        "ck_line_group_asked",
        "line_group",
        "(asked_by IS NULL) = (asked_at IS NULL) AND (asked_by IS NULL) = (asked_calls_per_second IS NULL)"
        " AND (asked_by IS NULL) = (asked_lines IS NULL)",
    )
    op.drop_index("ix_case_queue", table_name="case")
    op.create_index(
        "ix_case_queue",
        "case",
        ["grade", "robot_at"],
        postgresql_include=["unit_id", "id"],
        postgresql_where=_WAITING,
    )


def downgrade() -> None:
    op.drop_index("ix_case_queue", table_name="case")
    op.create_index("ix_case_queue", "case", ["grade", "robot_at"], postgresql_where=_WAITING)
    op.drop_constraint("ck_line_group_asked", "line_group", type_="check")
    for name in ("asked_at", "asked_why", "asked_by", *_LINES, *_PACE):
        op.drop_column("line_group", name)
    op.drop_constraint("ck_hold_unit_id", "hold", type_="check")
    op.drop_constraint("fk_hold_unit_id", "hold", type_="foreignkey")
    op.drop_column("hold", "unit_id")
