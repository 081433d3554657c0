"""The organisation. See `dialer.store.tables` for what the times mean."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from dialer.store.columns import identity, metadata, when

unit = sa.Table(
    "unit",
    metadata,
    identity(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("parent_id", sa.ForeignKey("unit.id"), index=True),
    sa.Column("level", sa.Text, nullable=False, server_default=""),
    sa.Column("path", ARRAY(sa.BigInteger), nullable=False),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Index("uq_unit_name", sa.text("coalesce(parent_id, 0)"), "name", unique=True),
    sa.Index("ix_unit_path", "path", postgresql_using="gin"),
    sa.CheckConstraint("parent_id <> id", name="parent"),
    sa.CheckConstraint("path[cardinality(path)] = id", name="path"),
)
"""`path` holds the ids from the root down to the row itself: a subtree is every row whose path holds an id."""

unit_alias = sa.Table(
    "unit_alias",
    metadata,
    identity(),
    sa.Column("unit_id", sa.ForeignKey("unit.id"), nullable=False, index=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("by", sa.Text, nullable=False),
    when("at", required=True),
    sa.CheckConstraint("key <> ''", name="key"),
)
"""What lists call a unit, as it was first seen, and its normalised form, which means one unit only."""
