"""Calls that people make from their desks, put through by the carrier."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from dialer.core.values import TelephonyResult

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    results = ", ".join(f"'{one.value}'" for one in TelephonyResult)
    op.create_table(
        "desk_call",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("assignment_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sid", sa.Text(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_real_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("talk_seconds", sa.Integer(), nullable=True),
        sa.Column("settled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "\"state\" IN ('asked', 'ringing', 'joined', 'ended')", name=op.f("ck_desk_call_state")
        ),
        sa.CheckConstraint(f'"result" IN ({results})', name=op.f("ck_desk_call_result")),
        sa.CheckConstraint(
            "state <> 'ended' OR result IS NOT NULL", name=op.f("ck_desk_call_ended_has_a_result")
        ),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignment.id"], name=op.f("fk_desk_call_assignment_id")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_desk_call_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_desk_call_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_call")),
        sa.UniqueConstraint("sid", name=op.f("uq_desk_call_sid")),
    )
    op.create_index(op.f("ix_desk_call_assignment_id"), "desk_call", ["assignment_id"])
    op.create_index(op.f("ix_desk_call_case_id"), "desk_call", ["case_id"])
    op.create_index(
        "ix_desk_call_open", "desk_call", ["asked_real_at"], postgresql_where=sa.text("NOT settled")
    )


def downgrade() -> None:
    op.drop_table("desk_call")
