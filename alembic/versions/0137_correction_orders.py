"""Orders to correct: what a unit is to put right, what happened to it, and who is told of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA

revision = "0137"
down_revision = "0136"
branch_labels = None
depends_on = None

_STATES = "('issued', 'signed', 'answered', 'closed', 'withdrawn')"
_EVENTS = "('issued', 'signed', 'answered', 'sent_back', 'closed', 'withdrawn')"


def upgrade() -> None:
    op.create_table(
        "correction_order",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger()),
        sa.Column("month", sa.Date()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_by", sa.Text()),
        sa.Column("notified_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(f"state IN {_STATES}", name=op.f("ck_correction_order_state")),
        sa.CheckConstraint(
            "(state IN ('closed', 'withdrawn')) = (due_at IS NULL)", name=op.f("ck_correction_order_due")
        ),
        sa.CheckConstraint(
            "state <> 'answered' OR answered_by IS NOT NULL", name=op.f("ck_correction_order_answered")
        ),
        sa.CheckConstraint("answered_by <> issued_by", name=op.f("ck_correction_order_two_persons")),
        sa.CheckConstraint("extract(day FROM month) = 1", name=op.f("ck_correction_order_month")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_correction_order_unit_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_correction_order_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction_order")),
    )
    op.create_index("ix_correction_order_case_id", "correction_order", ["case_id"])
    op.create_index("ix_correction_order_unit_id", "correction_order", ["unit_id", "id"])
    op.create_index(
        "ix_correction_order_due_at",
        "correction_order",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_correction_order_to_tell",
        "correction_order",
        ["id"],
        postgresql_where=sa.text("state = 'issued' AND notified_at IS NULL"),
    )
    op.create_table(
        "correction_step",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True)),
        sa.Column("sealed", BYTEA(), nullable=False),
        sa.CheckConstraint(f"event IN {_EVENTS}", name=op.f("ck_correction_step_event")),
        sa.CheckConstraint("number > 0", name=op.f("ck_correction_step_number")),
        sa.CheckConstraint(
            "(event IN ('issued', 'sent_back')) = (deadline IS NOT NULL)",
            name=op.f("ck_correction_step_deadline"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["correction_order.id"], name=op.f("fk_correction_step_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction_step")),
        sa.UniqueConstraint("order_id", "number", name=op.f("uq_correction_step_order_id_number")),
    )
    op.add_column(
        "notification",
        sa.Column("order_ids", ARRAY(sa.BigInteger()), nullable=False, server_default="{}"),
    )


def downgrade() -> None:
    op.drop_column("notification", "order_ids")
    op.drop_table("correction_step")
    op.drop_table("correction_order")
