"""Accounts of the console."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def _when(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("language", sa.Text(), server_default="zh", nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        _when("created_at"),
        sa.Column("created_by", sa.Text(), nullable=False),
        _when("password_at"),
        _when("signed_in_at", nullable=True),
        _when("disabled_at", nullable=True),
        _when("locked_until", nullable=True),
        sa.CheckConstraint(
            "\"role\" IN ('clerk', 'caller', 'officer', 'supervisor', 'administrator', 'auditor')",
            name=op.f("ck_staff_role"),
        ),
        sa.CheckConstraint("login = lower(login)", name=op.f("ck_staff_login")),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("ck_staff_language")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_staff_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("login", name=op.f("uq_staff_login")),
    )
    op.create_index("ix_staff_unit_id", "staff", ["unit_id"])
    op.create_table(
        "staff_session",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        _when("created_at"),
        _when("seen_at"),
        _when("expires_at"),
        _when("ended_at", nullable=True),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_staff_session_token_hash")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_session_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_session_token_hash")),
    )
    op.create_index("ix_staff_session_staff_id", "staff_session", ["staff_id"])
    op.create_index("ix_staff_session_expires_at", "staff_session", ["expires_at"])
    op.create_table(
        "staff_link",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", postgresql.BYTEA(), nullable=False),
        _when("created_at"),
        _when("expires_at"),
        _when("used_at", nullable=True),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_staff_link_token_hash")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_link_token_hash")),
    )
    op.create_table(
        "sign_in_failure",
        sa.Column("key", postgresql.BYTEA(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        _when("since"),
        _when("blocked_until", nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_failure")),
    )
    op.create_index("ix_sign_in_failure_since", "sign_in_failure", ["since"])
    op.create_index("ix_audit_who_at", "audit", ["who", "at"])
    op.create_index("ix_audit_act_at", "audit", ["act", "at"])
    op.create_index("ix_audit_subject_at", "audit", ["subject", "at"])


def downgrade() -> None:
    op.drop_index("ix_audit_subject_at", "audit")
    op.drop_index("ix_audit_act_at", "audit")
    op.drop_index("ix_audit_who_at", "audit")
    op.drop_table("sign_in_failure")
    op.drop_table("staff_link")
    op.drop_table("staff_session")
    op.drop_table("staff")
