"""Persons that are erased, and legal holds. A value of an event or of the ledger may be replaced by an empty one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_SEALED = {"outcome": "evidence_sealed", "event": "sealed"}
_EMPTY = "OR (OLD.{column} IS NOT NULL AND octet_length(NEW.{column}) = 31)"


def _guard(*, allows_empty: bool) -> None:
    for table, column in _SEALED.items():
        empty = _EMPTY.format(column=column) if allows_empty else ""
        op.execute(
            f"""
            CREATE OR REPLACE FUNCTION refuse_change_of_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE before {table}%ROWTYPE;
            BEGIN
                IF TG_OP = 'UPDATE' THEN
                    before := OLD;
                    before.{column} := NEW.{column};
                    IF before IS NOT DISTINCT FROM NEW
                        AND ((octet_length(OLD.{column}) = octet_length(NEW.{column})
                              AND substring(OLD.{column}, 1, 3) <> substring(NEW.{column}, 1, 3))
                             {empty})
                    THEN
                        RETURN NEW;
                    END IF;
                END IF;
                RAISE EXCEPTION '% is append-only: a correction is a new line', TG_TABLE_NAME;
            END
            $$
            """
        )


def upgrade() -> None:
    _guard(allows_empty=True)
    op.create_table(
        "erasure",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("person_created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("counts", JSONB()),
        sa.CheckConstraint("state IN ('erased', 'refused', 'waiting')", name=op.f("ck_erasure_state")),
        sa.CheckConstraint(
            "(state = 'waiting') = (decided_by IS NULL) AND (state = 'waiting') = (decided_at IS NULL)",
            name=op.f("ck_erasure_decided"),
        ),
        sa.CheckConstraint(
            "state <> 'erased' OR decided_by <> asked_by", name=op.f("ck_erasure_second_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    op.create_index(
        "uq_erasure_person",
        "erasure",
        ["person_id", "person_created_at"],
        unique=True,
        postgresql_where=sa.text("state <> 'refused'"),
    )
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_by", sa.Text()),
        sa.Column("lifted_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("(lifted_by IS NULL) = (lifted_at IS NULL)", name=op.f("ck_legal_hold_lifted")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_legal_hold_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
    op.create_index(
        "uq_legal_hold_standing",
        "legal_hold",
        ["person_id"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("legal_hold")
    op.drop_table("erasure")
    _guard(allows_empty=False)
