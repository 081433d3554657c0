"""Calls that are offered to who has been free longest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0127"
down_revision = "0126"
branch_labels = None
depends_on = None

_BEFORE = ("free", "break", "off", "task_taken", "task_ended", "call_began", "call_ended", "silent")
_EVENT = "ck_presence_change_event"


def _is_one_of(words: tuple[str, ...]) -> str:
    return "event IN (" + ", ".join(f"'{word}'" for word in words) + ")"


def upgrade() -> None:
    op.create_table(
        "task_offer",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "state IN ('waiting', 'taken', 'passed', 'withdrawn')", name=op.f("ck_task_offer_state")
        ),
        sa.CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name=op.f("ck_task_offer_ended")),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignment.id"], name=op.f("fk_task_offer_assignment_id")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_task_offer_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_offer")),
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index("uq_task_offer_staff", "task_offer", ["staff_id"], unique=True, postgresql_where=waiting)
    op.create_index(
        "uq_task_offer_assignment", "task_offer", ["assignment_id"], unique=True, postgresql_where=waiting
    )
    op.create_index("ix_task_offer_assignment", "task_offer", ["assignment_id", "token"])
    op.create_index("ix_task_offer_staff", "task_offer", ["staff_id", "offered_at"])
    op.create_index("ix_task_offer_offered_at", "task_offer", ["offered_at"])
    op.drop_constraint(_EVENT, "presence_change")
    op.create_check_constraint(op.f(_EVENT), "presence_change", _is_one_of((*_BEFORE, "untaken")))


def downgrade() -> None:
    op.drop_table("task_offer")
    op.execute("UPDATE presence_change SET event = 'silent' WHERE event = 'untaken'")
    op.drop_constraint(_EVENT, "presence_change")
    op.create_check_constraint(op.f(_EVENT), "presence_change", _is_one_of(_BEFORE))
