"""Messages beside the voice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_PURPOSES = "'unreachable', 'after_warning'"
_STATES = "'planned', 'sending', 'unknown', 'accepted', 'sent', 'delivered', 'undelivered', 'failed'"


def upgrade() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("poll_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("polls", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("sid", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint(f'"purpose" IN ({_PURPOSES})', name=op.f("ck_message_purpose")),
        sa.CheckConstraint(f'"state" IN ({_STATES})', name=op.f("ck_message_state")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_message_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_message_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("case_id", "purpose", name=op.f("uq_message_case_id_purpose")),
        sa.UniqueConstraint("sid", name=op.f("uq_message_sid")),
    )
    op.create_index(
        "ix_message_planned",
        "message",
        ["planned_at"],
        unique=False,
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.create_index(
        "ix_message_doubtful",
        "message",
        ["poll_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('sending', 'unknown')"),
    )


def downgrade() -> None:
    op.drop_table("message")
