"""Pauses, a breaker, grouped alarms, and the indexes that keep the auditor and the metrics cheap."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("line_group", sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("line_group", sa.Column("openings", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "hold",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint("\"scope\" IN ('all', 'unit', 'load', 'grade')", name=op.f("ck_hold_scope")),
        sa.CheckConstraint("(scope = 'all') = (subject = '')", name=op.f("ck_hold_subject")),
        sa.CheckConstraint("ended_at IS NOT NULL OR ended_by IS NULL", name=op.f("ck_hold_ended")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index(
        "uq_hold_standing",
        "hold",
        ["scope", "subject"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.add_column("alarm", sa.Column("times", sa.Integer(), server_default="1", nullable=False))
    op.add_column("alarm", sa.Column("last_at", sa.DateTime(timezone=True), nullable=True))
    # Of the unseen alarms of one kind the oldest stands for all.
    op.execute(
        """
        WITH ranked AS (
            SELECT id, raised_at,
                   first_value(id) OVER same AS first_id, row_number() OVER same AS place,
                   count(*) OVER alike AS times, max(raised_at) OVER alike AS last_at
            FROM alarm WHERE seen_at IS NULL
            WINDOW alike AS (PARTITION BY code, case_id, load_id), same AS (alike ORDER BY raised_at, id)
        ), first AS (
            UPDATE alarm SET times = ranked.times, last_at = ranked.last_at
            FROM ranked WHERE alarm.id = ranked.id AND place = 1 AND ranked.times > 1
        )
        UPDATE alarm SET seen_at = ranked.raised_at, seen_by = 'alarm/' || ranked.first_id
        FROM ranked WHERE alarm.id = ranked.id AND place > 1
        """
    )
    op.create_index(
        "uq_alarm_unseen",
        "alarm",
        ["code", sa.text("coalesce(case_id, 0)"), sa.text("coalesce(load_id, 0)")],
        unique=True,
        postgresql_where=sa.text("seen_at IS NULL"),
    )
    op.add_column("assignment", sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_assignment_unsigned",
        "assignment",
        ["sign_by"],
        unique=False,
        postgresql_where=sa.text("state = 'open' AND escalated_at IS NULL"),
    )
    op.create_index("ix_case_open", "case", ["id"], unique=False, postgresql_where=sa.text("status = 'open'"))
    op.create_index(
        "ix_case_queue",
        "case",
        ["grade", "robot_at"],
        unique=False,
        postgresql_where=sa.text("status = 'open' AND robot_state = 'pending'"),
    )
    op.create_index("ix_attempt_held", "attempt", ["case_id"], unique=False, postgresql_where=sa.text("held"))


def downgrade() -> None:
    op.drop_index("ix_attempt_held", table_name="attempt")
    op.drop_index("ix_case_queue", table_name="case")
    op.drop_index("ix_case_open", table_name="case")
    op.drop_index("ix_assignment_unsigned", table_name="assignment")
    op.drop_column("assignment", "escalated_at")
    op.drop_index("uq_alarm_unseen", table_name="alarm")
    op.drop_column("alarm", "last_at")
    op.drop_column("alarm", "times")
    op.drop_table("hold")
    op.drop_column("line_group", "openings")
    op.drop_column("line_group", "opened_at")
