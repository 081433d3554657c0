"""Transcripts of recorded calls. Recordings that are stored already wait to be read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0135"
down_revision = "0134"
branch_labels = None
depends_on = None

_STATES = "('waiting', 'read', 'not_inspected', 'deleted')"
_REASONS = "('damaged', 'one_channel', 'no_speech', 'too_long', 'other_language', 'unsure', 'failed')"


def upgrade() -> None:
    op.create_table(
        "transcript",
        sa.Column("recording_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("tries", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("token", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("moved_at", sa.DateTime(timezone=True)),
        sa.Column("done_seconds", sa.Float(), nullable=False, server_default="0"),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("words", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("unsure_words", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("read_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(f"state IN {_STATES}", name=op.f("ck_transcript_state")),
        sa.CheckConstraint(f"reason IN {_REASONS}", name=op.f("ck_transcript_reason")),
        sa.CheckConstraint("(state = 'waiting') = (due_at IS NOT NULL)", name=op.f("ck_transcript_due")),
        sa.CheckConstraint(
            "(state = 'not_inspected') = (reason IS NOT NULL)", name=op.f("ck_transcript_reason_given")
        ),
        sa.CheckConstraint("state <> 'read' OR sealed IS NOT NULL", name=op.f("ck_transcript_read")),
        sa.CheckConstraint("state <> 'deleted' OR sealed IS NULL", name=op.f("ck_transcript_deleted")),
        sa.CheckConstraint("words >= unsure_words AND unsure_words >= 0", name=op.f("ck_transcript_counts")),
        sa.ForeignKeyConstraint(["recording_id"], ["recording.id"], name=op.f("fk_transcript_recording_id")),
        sa.PrimaryKeyConstraint("recording_id", name=op.f("pk_transcript")),
    )
    for name in ("due_at", "moved_at"):
        op.create_index(
            f"ix_transcript_{name}", "transcript", [name], postgresql_where=sa.text(f"{name} IS NOT NULL")
        )
    op.execute(
        "INSERT INTO transcript (recording_id, state, due_at)"
        " SELECT id, 'waiting', now() FROM recording WHERE state = 'kept'"
    )


def downgrade() -> None:
    op.drop_table("transcript")
