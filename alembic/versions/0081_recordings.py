"""Recordings of calls: the sound of a call that the policy wants recorded, sealed, and the proof of its deletion."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0081"
down_revision = "0080"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attempt", sa.Column("records", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "recording",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("attempt_id", sa.UUID(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("sid", sa.Text()),
        sa.Column("seconds", sa.Integer()),
        sa.Column("size_bytes", sa.Integer()),
        sa.Column("sha256", sa.LargeBinary()),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("kept_at", sa.DateTime(timezone=True)),
        sa.Column("cleared_at", sa.DateTime(timezone=True)),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording")),
        sa.UniqueConstraint("attempt_id", name=op.f("uq_recording_attempt_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_recording_case_id")),
        sa.CheckConstraint(
            "\"state\" IN ('waiting', 'kept', 'absent', 'deleted')", name=op.f("ck_recording_state")
        ),
        sa.CheckConstraint("(state = 'kept') = (sealed IS NOT NULL)", name=op.f("ck_recording_sealed")),
        sa.CheckConstraint(
            "(state = 'deleted') = (deleted_at IS NOT NULL)", name=op.f("ck_recording_deleted")
        ),
        sa.CheckConstraint(
            "state <> 'kept' OR (sha256 IS NOT NULL AND size_bytes > 0)", name=op.f("ck_recording_kept")
        ),
        sa.CheckConstraint("state <> 'waiting' OR due_at IS NOT NULL", name=op.f("ck_recording_waiting")),
    )
    op.create_index(op.f("ix_recording_case_id"), "recording", ["case_id"])
    op.create_index(
        "ix_recording_due_at", "recording", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL")
    )
    op.create_index(
        "ix_recording_called_at", "recording", ["called_at"], postgresql_where=sa.text("state = 'kept'")
    )


def downgrade() -> None:
    op.drop_table("recording")
    op.drop_column("attempt", "records")
