"""Bulletins with their review, saved filters, boundaries of units, and two counts of the funnel.

The sums of the report are made anew, since they are of other definitions now.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None

_COUNTED = ("case_fact", "day_figure")
_COUNTS = ("cases_tried", "cases_reached")


def upgrade() -> None:
    for table in _COUNTED:
        for name in _COUNTS:
            op.add_column(table, sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "bulletin",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulletin")),
        sa.CheckConstraint("\"kind\" IN ('day', 'month', 'week')", name=op.f("ck_bulletin_kind")),
        sa.CheckConstraint("\"state\" IN ('approved', 'draft', 'refused')", name=op.f("ck_bulletin_state")),
        sa.CheckConstraint("last_day >= first_day", name=op.f("ck_bulletin_days")),
        sa.CheckConstraint(
            "(state = 'draft') = (decided_by IS NULL) AND (state = 'draft') = (decided_at IS NULL)",
            name=op.f("ck_bulletin_decided"),
        ),
        sa.CheckConstraint("decided_by <> made_by", name=op.f("ck_bulletin_second_person")),
        sa.CheckConstraint("state <> 'refused' OR why <> ''", name=op.f("ck_bulletin_why")),
    )
    op.create_index(
        "uq_bulletin_days",
        "bulletin",
        ["kind", "first_day"],
        unique=True,
        postgresql_where=sa.text("state <> 'refused'"),
    )
    op.create_table(
        "saved_filter",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filter")),
        sa.UniqueConstraint("login", "name", name=op.f("uq_saved_filter_login_name")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_saved_filter_name")),
    )
    op.create_table(
        "unit_boundary",
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("rings", postgresql.JSONB(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_unit_boundary")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_unit_boundary_unit_id")),
    )


def downgrade() -> None:
    op.drop_table("unit_boundary")
    op.drop_table("saved_filter")
    op.drop_table("bulletin")
    for table in _COUNTED:
        for name in _COUNTS:
            op.drop_column(table, name)
