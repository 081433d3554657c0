"""Tables of knowledge cards, their versions and their use. `dialer.db.tables` says what the times mean."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from dialer.core.knowledge import CardState
from dialer.db.columns import identity, metadata, when, word_column

knowledge_card = sa.Table(
    "knowledge_card",
    metadata,
    identity(),
    sa.Column("shipped_as", sa.Text, unique=True),
)
"""`shipped_as`: the name under which the product delivers the card; None for one that the centre has added."""

knowledge_version = sa.Table(
    "knowledge_version",
    metadata,
    identity(),
    sa.Column("card_id", sa.ForeignKey("knowledge_card.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("content", JSONB, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("retires", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    word_column("state", CardState),
    sa.Column("drafted_by", sa.Text, nullable=False),
    when("drafted_at", required=True),
    sa.Column("decided_by", sa.Text),
    when("decided_at"),
    sa.Column("why", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("card_id", "number"),
    sa.Index(
        "uq_knowledge_version_draft", "card_id", unique=True, postgresql_where=sa.text("state = 'draft'")
    ),
    sa.CheckConstraint("number > 0 AND length(digest) = 64 AND reason <> ''", name="whole"),
    sa.CheckConstraint(
        "(state = 'draft') = (decided_by IS NULL) AND (state = 'draft') = (decided_at IS NULL)",
        name="decided",
    ),
    sa.CheckConstraint("state = 'withdrawn' OR decided_by <> drafted_by", name="second_person"),
    sa.CheckConstraint("state <> 'refused' OR why <> ''", name="why"),
)
"""A trigger refuses other content under the same number, a second decision, and deletion. With `retires` the approval
takes the card away from callers. No personal data.
"""

knowledge_use = sa.Table(
    "knowledge_use",
    metadata,
    sa.Column("assignment_id", sa.ForeignKey("assignment.id"), primary_key=True),
    sa.Column("version_id", sa.ForeignKey("knowledge_version.id"), primary_key=True, index=True),
    sa.Column("passage", sa.SmallInteger, primary_key=True),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False),
    when("at", required=True),
    sa.Index("ix_knowledge_use_at", "at"),
    sa.CheckConstraint("passage >= 0", name="passage"),
)
"""What a caller ticked as used when reporting a call: passage 0 is the card itself, 1 its first objection."""
