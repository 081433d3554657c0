"""Accounts of the console: staff, their sessions, one-time links, failed sign-ins. Every time here is the machine's."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA

from dialer.domain.access import Role
from dialer.store.columns import identity, metadata, when, word

staff = sa.Table(
    "staff",
    metadata,
    identity(),
    sa.Column("login", sa.Text, nullable=False, unique=True),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    word("role", Role),
    sa.Column("unit_id", sa.ForeignKey("unit.id")),
    sa.Column("language", sa.Text, nullable=False, server_default="zh"),
    sa.Column("must_change", sa.Boolean, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    when("created_at", required=True),
    sa.Column("created_by", sa.Text, nullable=False),
    when("password_at", required=True),
    when("signed_in_at"),
    when("disabled_at"),
    when("locked_until"),
    sa.Column("extension", sa.Text, nullable=False, server_default=""),
    sa.Index("ix_staff_unit_id", "unit_id"),
    sa.CheckConstraint("login = lower(login)", name="login"),
    sa.CheckConstraint("language IN ('zh', 'en')", name="language"),
)
"""`unit_id` null: the whole centre; `extension`: the telephone on the desk. Nobody is ever deleted: the audit names
logins.
"""

staff_session = sa.Table(
    "staff_session",
    metadata,
    identity(),
    sa.Column("staff_id", sa.ForeignKey("staff.id"), nullable=False, index=True),
    sa.Column("token_hash", BYTEA, nullable=False, unique=True),
    sa.Column("address", sa.Text, nullable=False),
    when("created_at", required=True),
    when("seen_at", required=True),
    when("expires_at", required=True),
    when("ended_at"),
    sa.CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
    sa.Index("ix_staff_session_expires_at", "expires_at"),
)
"""The cookie's token itself is nowhere: only its SHA-256."""

staff_link = sa.Table(
    "staff_link",
    metadata,
    identity(),
    sa.Column("token_hash", BYTEA, nullable=False, unique=True),
    when("created_at", required=True),
    when("expires_at", required=True),
    when("used_at"),
    sa.CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
)
"""A link by which the first administrator chooses a login and a password."""

sign_in_failure = sa.Table(
    "sign_in_failure",
    metadata,
    sa.Column("key", BYTEA, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    when("since", required=True),
    when("blocked_until"),
    sa.Index("ix_sign_in_failure_since", "since"),
)
"""By login as it was typed and by address, each as a keyed hash: people type passwords into the wrong field."""
