"""Tables of the inspection of calls. `dialer.db.tables` says what the times mean."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA

from dialer.core.inspection import NotInspected, TranscriptState
from dialer.db.columns import claim_token, metadata, tries_column, when, word_column

transcript = sa.Table(
    "transcript",
    metadata,
    sa.Column("recording_id", sa.ForeignKey("recording.id"), primary_key=True, autoincrement=False),
    word_column("state", TranscriptState),
    word_column("reason", NotInspected, required=False),
    when("due_at"),  # real: when it may be read, or read on; NULL: it is done
    tries_column(),
    claim_token(),
    when("moved_at"),  # real: when it last went forward
    sa.Column("done_seconds", sa.Float, nullable=False, server_default="0"),
    sa.Column("sealed", BYTEA),
    sa.Column("words", sa.Integer, nullable=False, server_default="0"),
    sa.Column("unsure_words", sa.Integer, nullable=False, server_default="0"),
    when("read_at"),
    sa.Index("ix_transcript_due_at", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    sa.Index("ix_transcript_moved_at", "moved_at", postgresql_where=sa.text("moved_at IS NOT NULL")),
    sa.CheckConstraint("(state = 'waiting') = (due_at IS NOT NULL)", name="due"),
    sa.CheckConstraint("(state = 'not_inspected') = (reason IS NOT NULL)", name="reason_given"),
    sa.CheckConstraint("state <> 'read' OR sealed IS NOT NULL", name="read"),
    sa.CheckConstraint("state <> 'deleted' OR sealed IS NULL", name="deleted"),
    sa.CheckConstraint("words >= unsure_words AND unsure_words >= 0", name="counts"),
)
"""The words of a recorded call, sealed as one record, and until they are complete how many seconds are done. `words`
counts them, `unsure_words` those of low confidence. The words are deleted with the sound.
"""
