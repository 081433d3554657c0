"""Lists of cases filed with the police, and the warned persons that they match."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision = "0040"
down_revision = "0038"
branch_labels = None
depends_on = None

_FRAUD_TYPES = (
    "boss_or_acquaintance",
    "credit",
    "fake_customer_service",
    "fake_order_rebate",
    "game_trade",
    "investment",
    "loan",
    "police_impersonation",
    "romance",
    "shopping",
    "unknown",
)


def _among(column: str, words: tuple[str, ...]) -> str:
    return f'"{column}" IN ({", ".join(f"{word!r}" for word in words)})'


def upgrade() -> None:
    op.create_table(
        "filed_record",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_number", sa.Text(), nullable=False),
        sa.Column("sealed", BYTEA, nullable=False),
        sa.Column("amount_fen", sa.BigInteger()),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_at", sa.DateTime(timezone=True)),
        sa.Column("fraud_type", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.CheckConstraint("amount_fen >= 0", name=op.f("ck_filed_record_amount_fen")),
        sa.CheckConstraint(_among("fraud_type", _FRAUD_TYPES), name=op.f("ck_filed_record_fraud_type")),
        sa.CheckConstraint(
            _among("state", ("doubtful", "not_warned", "warned", "warned_late", "warned_otherwise")),
            name=op.f("ck_filed_record_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filed_record")),
    )
    op.create_index("ix_filed_record_case_number", "filed_record", ["case_number"])
    op.create_index("ix_filed_record_state_filed_at", "filed_record", ["state", "filed_at", "id"])
    op.create_index("ix_filed_record_filed_at", "filed_record", ["filed_at", "id"])
    op.create_table(
        "filed_match",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("why_sealed", BYTEA),
        sa.CheckConstraint("score BETWEEN 0 AND 100", name=op.f("ck_filed_match_score")),
        sa.CheckConstraint(
            _among("state", ("certain", "confirmed", "doubtful", "rejected")),
            name=op.f("ck_filed_match_state"),
        ),
        sa.CheckConstraint(
            "(state IN ('confirmed', 'rejected')) = (decided_by IS NOT NULL AND decided_at IS NOT NULL)",
            name=op.f("ck_filed_match_decided"),
        ),
        sa.ForeignKeyConstraint(["record_id"], ["filed_record.id"], name=op.f("fk_filed_match_record_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_filed_match_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filed_match")),
        sa.UniqueConstraint("record_id", "person_id", name=op.f("uq_filed_match_record_id_person_id")),
    )
    op.create_index("ix_filed_match_person_id", "filed_match", ["person_id"])


def downgrade() -> None:
    op.drop_table("filed_match")
    op.drop_table("filed_record")
