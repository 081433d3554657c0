"""Signing in: second factors with their recovery codes, the steps between the password and the session, first passwords
that expire. A password that was given out before counts its day from when it was set.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0032"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff", sa.Column("password_until", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE staff SET password_until = password_at + interval '24 hours' WHERE must_change")
    op.add_column(
        "staff_session", sa.Column("second_factor", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "staff_factor",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret", postgresql.BYTEA(), nullable=False),
        sa.Column("credential_id", postgresql.BYTEA(), nullable=True),
        sa.Column("counter", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("\"kind\" IN ('passkey', 'totp')", name=op.f("ck_staff_factor_kind")),
        sa.CheckConstraint(
            "(kind = 'passkey') = (credential_id IS NOT NULL)", name=op.f("ck_staff_factor_credential")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_factor_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_factor")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_staff_factor_credential_id")),
    )
    op.create_index(op.f("ix_staff_factor_staff_id"), "staff_factor", ["staff_id"])
    op.create_index(
        "uq_staff_factor_totp",
        "staff_factor",
        ["staff_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'totp'"),
    )
    op.create_table(
        "staff_recovery_code",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("code_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_recovery_code_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_recovery_code")),
        sa.UniqueConstraint("staff_id", "code_hash", name=op.f("uq_staff_recovery_code_staff_id_code_hash")),
    )
    op.create_table(
        "sign_in_step",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", postgresql.BYTEA(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=True),
        sa.Column("data", postgresql.BYTEA(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_sign_in_step_token_hash")),
        sa.CheckConstraint(
            "\"kind\" IN ('add_passkey', 'identity', 'passkey', 'second_factor')",
            name=op.f("ck_sign_in_step_kind"),
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_sign_in_step_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_step")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_step_token_hash")),
    )
    op.create_index(op.f("ix_sign_in_step_expires_at"), "sign_in_step", ["expires_at"])


def downgrade() -> None:
    op.drop_table("sign_in_step")
    op.drop_table("staff_recovery_code")
    op.drop_table("staff_factor")
    op.drop_column("staff_session", "second_factor")
    op.drop_column("staff", "password_until")
