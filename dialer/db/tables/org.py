"""Tables of the organisation, of the accounts of the console (staff, sessions, one-time links, failed sign-ins), and of
scripts: their versions, approvals, sound and trials. All times of accounts are the machine's; for the others see
`dialer.db.tables`.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

from dialer.core.access import FactorKind, Role, SignInStep, StaffChangeKind, StaffChangeState
from dialer.core.values import RenderState
from dialer.db.columns import claim_token, identity, metadata, tries_column, when, word_column

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
"""`path` has the ids from the root down to the row itself: the subtree of a unit is every row whose path contains its
id.
"""

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
"""Another name that lists use for a unit, as it was first seen, and its normalised form (`key`), which belongs to one
unit only.
"""

unit_boundary = sa.Table(
    "unit_boundary",
    metadata,
    sa.Column("unit_id", sa.ForeignKey("unit.id"), primary_key=True, autoincrement=False),
    sa.Column("rings", JSONB, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    when("at", required=True),
)
"""The boundary of a unit: closed rings of [longitude, latitude] in degrees, WGS 84; holes are rings too."""


staff = sa.Table(
    "staff",
    metadata,
    identity(),
    sa.Column("login", sa.Text, nullable=False, unique=True),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    word_column("role", Role),
    sa.Column("unit_id", sa.ForeignKey("unit.id")),
    sa.Column("language", sa.Text, nullable=False, server_default="zh"),
    sa.Column("must_change", sa.Boolean, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    when("created_at", required=True),
    sa.Column("created_by", sa.Text, nullable=False),
    when("password_at", required=True),
    when("password_until"),
    when("signed_in_at"),
    when("disabled_at"),
    when("locked_until"),
    when("factor_missing_at"),
    sa.Column("extension", sa.Text, nullable=False, server_default=""),
    sa.Index("ix_staff_unit_id", "unit_id"),
    sa.CheckConstraint("login = lower(login)", name="login"),
    sa.CheckConstraint("language IN ('zh', 'en')", name="language"),
)
"""Accounts. `unit_id` NULL: the whole centre; `extension`: the telephone at the desk; `password_until`: when a
temporary password expires; `factor_missing_at`: the first sign-in without the second
factor that the role needs. Accounts are never deleted, since the audit names logins.
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
    sa.Column("second_factor", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
    sa.Index("ix_staff_session_expires_at", "expires_at"),
)
"""Only the SHA-256 of the cookie's token is stored. `second_factor`: one was used at sign-in."""

staff_factor = sa.Table(
    "staff_factor",
    metadata,
    identity(),
    sa.Column("staff_id", sa.ForeignKey("staff.id"), nullable=False, index=True),
    word_column("kind", FactorKind),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("secret", BYTEA, nullable=False),
    sa.Column("credential_id", BYTEA, unique=True),
    sa.Column("counter", sa.BigInteger, nullable=False, server_default="0"),
    when("created_at", required=True),
    when("confirmed_at"),
    when("used_at"),
    sa.Index("uq_staff_factor_totp", "staff_id", unique=True, postgresql_where=sa.text("kind = 'totp'")),
    sa.CheckConstraint("(kind = 'passkey') = (credential_id IS NOT NULL)", name="credential"),
)
"""`secret` is sealed: the key of the codes, or the public key of a passkey. `counter` is the time step of the last
accepted code, or the passkey's own counter. The factor cannot be used to sign in before `confirmed_at`.
"""

staff_recovery_code = sa.Table(
    "staff_recovery_code",
    metadata,
    identity(),
    sa.Column("staff_id", sa.ForeignKey("staff.id"), nullable=False),
    sa.Column("code_hash", BYTEA, nullable=False),
    when("used_at"),
    sa.UniqueConstraint("staff_id", "code_hash"),
)
"""Recovery codes: each replaces a second factor once; stored as a keyed hash."""

sign_in_step = sa.Table(
    "sign_in_step",
    metadata,
    identity(),
    sa.Column("token_hash", BYTEA, nullable=False, unique=True),
    word_column("kind", SignInStep),
    sa.Column("staff_id", sa.ForeignKey("staff.id")),
    sa.Column("data", BYTEA, nullable=False),
    when("created_at", required=True),
    when("expires_at", required=True),
    when("used_at"),
    sa.CheckConstraint("octet_length(token_hash) = 32", name="token_hash"),
    sa.Index("ix_sign_in_step_expires_at", "expires_at"),
)
"""Sign-in steps that a browser has begun and not finished: a step is not a session and permits nothing. `data` is
sealed.
"""

staff_change = sa.Table(
    "staff_change",
    metadata,
    identity(),
    word_column("kind", StaffChangeKind),
    sa.Column("staff_id", sa.ForeignKey("staff.id")),
    sa.Column("revision", sa.Integer),
    sa.Column("login", sa.Text, nullable=False),
    sa.Column("display_name", sa.Text, nullable=False),
    word_column("role", Role),
    sa.Column("unit_id", sa.ForeignKey("unit.id")),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("why_sealed", BYTEA, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    when("asked_at", required=True),
    when("expires_at", required=True),
    word_column("state", StaffChangeState, default=StaffChangeState.WAITING),
    sa.Column("decided_by", sa.Text),
    when("decided_at"),
    sa.Index("uq_staff_change_waiting", "login", unique=True, postgresql_where=sa.text("state = 'waiting'")),
    sa.CheckConstraint("(kind = 'add') = (staff_id IS NULL)", name="account"),
    sa.CheckConstraint("(staff_id IS NULL) = (revision IS NULL)", name="revision"),
    sa.CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="decided_at"),
    sa.CheckConstraint("(state IN ('waiting', 'expired')) = (decided_by IS NULL)", name="decided_by"),
    sa.CheckConstraint("state <> 'confirmed' OR decided_by NOT IN (asked_by, login)", name="second_person"),
)
"""Changes of accounts that an administrator asked for. `role` and `unit_id` are the wanted ones; `revision` is that of
the account at the time of the request. The account does not change before the request is `confirmed`.
"""

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
"""One-time links with which the first administrator chooses a login and a password."""

sign_in_failure = sa.Table(
    "sign_in_failure",
    metadata,
    sa.Column("key", BYTEA, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    when("since", required=True),
    when("blocked_until"),
    sa.Index("ix_sign_in_failure_since", "since"),
)
"""Failed sign-ins by login as typed and by address, each as a keyed hash, because people type passwords into the wrong
field.
"""


script_version = sa.Table(
    "script_version",
    metadata,
    identity(),
    sa.Column("script_id", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("canonical", sa.Text, nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("bases", JSONB, nullable=False),
    sa.Column("drafted_by", sa.Text, nullable=False),
    when("drafted_at", required=True),
    sa.UniqueConstraint("script_id", "number"),
    sa.UniqueConstraint("script_id", "content_hash"),
    sa.UniqueConstraint("id", "drafted_by"),
    sa.CheckConstraint("number > 0 AND drafted_by <> '' AND length(content_hash) = 64", name="whole"),
)
"""Append-only. `canonical` is the script that is spoken; `source` and `bases` are the files that it was read from."""

script_sound = sa.Table(
    "script_sound",
    metadata,
    sa.Column("audio_hash", sa.Text, primary_key=True),
    sa.Column("clips", JSONB, nullable=False),
)
"""Append-only: which sound file belongs to which prompt, identified by the hash of them all."""

script_approval = sa.Table(
    "script_approval",
    metadata,
    identity(),
    sa.Column("version_id", sa.BigInteger, nullable=False),
    sa.Column("drafted_by", sa.Text, nullable=False),
    sa.Column("approved_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("audio_hash", sa.ForeignKey("script_sound.audio_hash"), nullable=False),
    sa.Column("goes_live", sa.Boolean, nullable=False),
    when("at", required=True),
    sa.ForeignKeyConstraint(
        ["version_id", "drafted_by"],
        ["script_version.id", "script_version.drafted_by"],
        name="fk_script_approval_version",
    ),
    sa.Index("ix_script_approval_version_id", "version_id"),
    sa.CheckConstraint("approved_by <> drafted_by AND approved_by <> ''", name="second_person"),
    sa.CheckConstraint("reason <> ''", name="reason"),
)
"""Append-only. New calls of a script speak the version whose approval was the last to go live; the others are
history.
"""

sound_file = sa.Table(
    "sound_file",
    metadata,
    sa.Column("file", sa.Text, primary_key=True),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("body", BYTEA, nullable=False),
)
"""Append-only: sound files, named by their content, so that every machine can get them."""

script_render = sa.Table(
    "script_render",
    metadata,
    identity(),
    sa.Column("version_id", sa.ForeignKey("script_version.id"), nullable=False, index=True),
    word_column("state", RenderState),
    sa.Column("done", sa.Integer, nullable=False, server_default="0"),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("clips", JSONB, nullable=False),
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    sa.Column("asked_by", sa.Text, nullable=False),
    when("asked_at", required=True),
    when("ended_at"),
    when("lease_until"),  # real
    tries_column(),
    claim_token(),
    sa.Index(
        "uq_script_render_open",
        "version_id",
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    ),
    sa.CheckConstraint("done BETWEEN 0 AND total", name="progress"),
)
"""The rendering of a version's sound and its progress; `clips` are those rendered so far."""

script_trial = sa.Table(
    "script_trial",
    metadata,
    identity(),
    sa.Column("approval_id", sa.ForeignKey("script_approval.id"), nullable=False),
    sa.Column("script_id", sa.Text, nullable=False, index=True),
    sa.Column("grade", sa.Text, nullable=False, server_default=""),
    sa.Column("weights", JSONB, nullable=False),
    sa.Column("set_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    when("at", required=True),
    sa.CheckConstraint("set_by <> '' AND reason <> ''", name="whole"),
)
"""Append-only. Which approved versions are compared, and in what shares. `approval_id` is the approval that was live
then; the trial ends as soon as another version goes live. The newest trial of a script and grade ('' is any) is in
force.
"""
