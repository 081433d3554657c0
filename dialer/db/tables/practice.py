"""Tables of practice. `dialer.db.tables` says what the times mean."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from dialer.db.columns import identity, metadata, when

practice_attempt = sa.Table(
    "practice_attempt",
    metadata,
    identity(),
    sa.Column("staff_id", sa.ForeignKey("staff.id"), nullable=False),
    sa.Column("practice_case", sa.Text, nullable=False),
    sa.Column("case_id", sa.ForeignKey("case.id"), nullable=False),
    sa.Column("assignment_id", sa.ForeignKey("assignment.id"), nullable=False, unique=True),
    when("begun_at", required=True),
    sa.Column("said", ARRAY(sa.Text), nullable=False, server_default="{}"),
    when("first_said_at"),
    when("last_said_at"),
    sa.Index("ix_practice_attempt_staff_id", "staff_id", "begun_at"),
    sa.CheckConstraint(
        "(cardinality(said) = 0) = (first_said_at IS NULL)"
        " AND (first_said_at IS NULL) = (last_said_at IS NULL) AND cardinality(said) <= 60",
        name="said",
    ),
)
"""Attempts at cases of the practice course, with what the caller said to the simulated person, in order. Only the
service of `dialer practice` writes it. What is typed is not kept: no personal data.
"""

practice_choice = sa.Table(
    "practice_choice",
    metadata,
    sa.Column("staff_id", sa.ForeignKey("staff.id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("chosen_by", sa.Text, nullable=False),
    when("chosen_at", required=True),
)
"""The kinds of people that a trainer wants a caller to practise with; done by a passed attempt that was begun later."""
