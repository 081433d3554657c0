"""Who is on duty: the entries of rosters, and what was changed afterwards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0108"
down_revision = "0107"
branch_labels = None
depends_on = None

_KINDS = "('caller', 'officer', 'verification_desk', 'supervisor', 'chief')"


def upgrade() -> None:
    op.create_table(
        "duty_roster",
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.CheckConstraint(f"kind IN {_KINDS}", name=op.f("ck_duty_roster_kind")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_duty_roster_unit_id")),
        sa.PrimaryKeyConstraint("unit_id", "kind", name=op.f("pk_duty_roster")),
    )
    op.create_table(
        "duty_entry",
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(f"kind IN {_KINDS}", name=op.f("ck_duty_entry_kind")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_duty_entry_unit_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_duty_entry_staff_id")),
        sa.PrimaryKeyConstraint("unit_id", "kind", "day", "mark", "staff_id", name=op.f("pk_duty_entry")),
    )
    op.create_index("ix_duty_entry_day", "duty_entry", ["day"])
    op.create_table(
        "duty_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("off_id", sa.BigInteger()),
        sa.Column("on_id", sa.BigInteger()),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(f"kind IN {_KINDS}", name=op.f("ck_duty_change_kind")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_duty_change_lasts")),
        sa.CheckConstraint("off_id IS NOT NULL OR on_id IS NOT NULL", name=op.f("ck_duty_change_somebody")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_duty_change_unit_id")),
        sa.ForeignKeyConstraint(["off_id"], ["staff.id"], name=op.f("fk_duty_change_off_id")),
        sa.ForeignKeyConstraint(["on_id"], ["staff.id"], name=op.f("fk_duty_change_on_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_change")),
    )
    op.create_index("ix_duty_change_ends_at", "duty_change", ["ends_at"])


def downgrade() -> None:
    op.drop_table("duty_change")
    op.drop_table("duty_entry")
    op.drop_table("duty_roster")
