"""Tables of orders to correct. `dialer.db.tables` says what the times mean."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA

from dialer.core.corrections import OrderEvent, OrderState
from dialer.db.columns import identity, metadata, when, word_column

correction_order = sa.Table(
    "correction_order",
    metadata,
    identity(),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("case_id", sa.ForeignKey("case.id"), index=True),
    sa.Column("month", sa.Date),  # the first day of the month whose record it is about
    word_column("state", OrderState),
    when("deadline", required=True),  # of the unit
    when("due_at"),  # by then somebody has to act; NULL: nobody has to
    sa.Column("issued_by", sa.Text, nullable=False),
    when("issued_at", required=True),
    sa.Column("answered_by", sa.Text),  # the last answer
    when("notified_at"),  # people on duty were told since it was issued or sent back
    sa.CheckConstraint("(state IN ('closed', 'withdrawn')) = (due_at IS NULL)", name="due"),
    sa.CheckConstraint("state <> 'answered' OR answered_by IS NOT NULL", name="answered"),
    sa.CheckConstraint("answered_by <> issued_by", name="two_persons"),
    sa.CheckConstraint("extract(day FROM month) = 1", name="month"),
    sa.Index("ix_correction_order_unit_id", "unit_id", "id"),
    sa.Index("ix_correction_order_due_at", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    sa.Index(
        "ix_correction_order_to_tell",
        "id",
        postgresql_where=sa.text("state = 'issued' AND notified_at IS NULL"),
    ),
)

correction_step = sa.Table(
    "correction_step",
    metadata,
    identity(),
    sa.Column("order_id", sa.ForeignKey("correction_order.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    word_column("event", OrderEvent),
    sa.Column("by", sa.Text, nullable=False),
    when("at", required=True),
    when("deadline"),  # with ISSUED and SENT_BACK
    sa.Column("sealed", BYTEA, nullable=False),  # what was said
    sa.UniqueConstraint("order_id", "number"),
    sa.CheckConstraint("number > 0", name="number"),
    sa.CheckConstraint("(event IN ('issued', 'sent_back')) = (deadline IS NOT NULL)", name="deadline"),
)
"""What happened to an order, in order; nothing is changed or deleted but by the erasure of the person of its case."""
