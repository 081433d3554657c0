"""What each account does now, and every change of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0121"
down_revision = "0120"
branch_labels = None
depends_on = None

_STATES = "('off', 'free', 'on_task', 'on_call', 'after_work', 'break')"
_REASONS = "('rest', 'meal', 'meeting', 'training', 'other_work')"
_EVENTS = "('free', 'break', 'off', 'task_taken', 'task_ended', 'call_began', 'call_ended', 'silent')"


def upgrade() -> None:
    op.create_table(
        "presence",
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("then", sa.Text()),
        sa.Column("then_reason", sa.Text()),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(f"state IN {_STATES}", name=op.f("ck_presence_state")),
        sa.CheckConstraint(f"reason IN {_REASONS}", name=op.f("ck_presence_reason")),
        sa.CheckConstraint(f'"then" IN {_STATES}', name=op.f("ck_presence_then")),
        sa.CheckConstraint(f"then_reason IN {_REASONS}", name=op.f("ck_presence_then_reason")),
        sa.CheckConstraint("(state = 'break') = (reason IS NOT NULL)", name=op.f("ck_presence_break")),
        sa.CheckConstraint(
            "(\"then\" IS NOT DISTINCT FROM 'break') = (then_reason IS NOT NULL)",
            name=op.f("ck_presence_then_break"),
        ),
        sa.CheckConstraint("\"then\" IN ('break', 'off')", name=op.f("ck_presence_planned")),
        sa.CheckConstraint(
            "\"then\" IS NULL OR state IN ('on_task', 'on_call', 'after_work')",
            name=op.f("ck_presence_planned_at_work"),
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_presence_staff_id")),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_presence")),
    )
    op.create_index(
        "ix_presence_on", "presence", ["state", "since"], postgresql_where=sa.text("state <> 'off'")
    )
    op.create_table(
        "presence_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.CheckConstraint(f"state IN {_STATES}", name=op.f("ck_presence_change_state")),
        sa.CheckConstraint(f"reason IN {_REASONS}", name=op.f("ck_presence_change_reason")),
        sa.CheckConstraint(f"event IN {_EVENTS}", name=op.f("ck_presence_change_event")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_presence_change_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_presence_change")),
    )
    op.create_index("ix_presence_change_staff", "presence_change", ["staff_id", "at"])
    op.create_index("ix_presence_change_at", "presence_change", ["at"])


def downgrade() -> None:
    op.drop_table("presence_change")
    op.drop_table("presence")
