"""Leave of staff, and swaps of the shifts of a roster."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0116"
down_revision = "0115"
branch_labels = None
depends_on = None

_KINDS = "('caller', 'officer', 'verification_desk', 'supervisor', 'chief')"
_REASONS = "('annual', 'sick', 'personal', 'training', 'assignment', 'other')"
_STATES = "('waiting', 'confirmed', 'refused', 'withdrawn', 'expired')"


def upgrade() -> None:
    op.create_table(
        "duty_swap",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("from_id", sa.BigInteger(), nullable=False),
        sa.Column("to_id", sa.BigInteger(), nullable=False),
        sa.Column("back_day", sa.Date()),
        sa.Column("back_mark", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(f"kind IN {_KINDS}", name=op.f("ck_duty_swap_kind")),
        sa.CheckConstraint(f"state IN {_STATES}", name=op.f("ck_duty_swap_state")),
        sa.CheckConstraint("from_id <> to_id", name=op.f("ck_duty_swap_two_persons")),
        sa.CheckConstraint("(back_day IS NULL) = (back_mark IS NULL)", name=op.f("ck_duty_swap_back")),
        sa.CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name=op.f("ck_duty_swap_decided")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_duty_swap_unit_id")),
        sa.ForeignKeyConstraint(["from_id"], ["staff.id"], name=op.f("fk_duty_swap_from_id")),
        sa.ForeignKeyConstraint(["to_id"], ["staff.id"], name=op.f("fk_duty_swap_to_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_swap")),
    )
    op.create_index(
        "uq_duty_swap_waiting",
        "duty_swap",
        ["unit_id", "kind", "day", "mark", "from_id"],
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "ix_duty_swap_day",
        "duty_swap",
        [sa.text("greatest(day, back_day)")],
        postgresql_where=sa.text("state = 'confirmed'"),
    )
    op.create_table(
        "duty_leave",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"reason IN {_REASONS}", name=op.f("ck_duty_leave_reason")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_duty_leave_lasts")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_duty_leave_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_leave")),
    )
    op.create_index("ix_duty_leave_ends_at", "duty_leave", ["ends_at"])


def downgrade() -> None:
    op.drop_table("duty_leave")
    op.drop_table("duty_swap")
