"""Versions of scripts with their sound, approval and trials; an attempt keeps which it spoke."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_LEDGERS = ("script_version", "script_sound", "script_approval", "sound_file", "script_trial")


def upgrade() -> None:
    _versions()
    _sound()
    _trials()
    for table in _LEDGERS:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER append_only_all BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.add_column("attempt", sa.Column("script_version_id", sa.BigInteger(), nullable=True))
    op.add_column("attempt", sa.Column("audio_hash", sa.Text(), server_default="", nullable=False))


def _versions() -> None:
    op.create_table(
        "script_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("script_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("bases", postgresql.JSONB(), nullable=False),
        sa.Column("drafted_by", sa.Text(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "number > 0 AND drafted_by <> '' AND length(content_hash) = 64",
            name=op.f("ck_script_version_whole"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_script_version")),
        sa.UniqueConstraint("id", "drafted_by", name=op.f("uq_script_version_id_drafted_by")),
        sa.UniqueConstraint(
            "script_id", "content_hash", name=op.f("uq_script_version_script_id_content_hash")
        ),
        sa.UniqueConstraint("script_id", "number", name=op.f("uq_script_version_script_id_number")),
    )
    op.create_table(
        "script_sound",
        sa.Column("audio_hash", sa.Text(), nullable=False),
        sa.Column("clips", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("audio_hash", name=op.f("pk_script_sound")),
    )
    op.create_table(
        "script_approval",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("drafted_by", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("audio_hash", sa.Text(), nullable=False),
        sa.Column("goes_live", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "approved_by <> drafted_by AND approved_by <> ''", name=op.f("ck_script_approval_second_person")
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_script_approval_reason")),
        sa.ForeignKeyConstraint(
            ["audio_hash"], ["script_sound.audio_hash"], name=op.f("fk_script_approval_audio_hash")
        ),
        sa.ForeignKeyConstraint(
            ["version_id", "drafted_by"],
            ["script_version.id", "script_version.drafted_by"],
            name="fk_script_approval_version",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_script_approval")),
    )
    op.create_index("ix_script_approval_version_id", "script_approval", ["version_id"], unique=False)


def _sound() -> None:
    op.create_table(
        "sound_file",
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.PrimaryKeyConstraint("file", name=op.f("pk_sound_file")),
    )
    op.create_table(
        "script_render",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("clips", postgresql.JSONB(), nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "\"state\" IN ('waiting', 'running', 'done', 'failed')", name=op.f("ck_script_render_state")
        ),
        sa.CheckConstraint("done BETWEEN 0 AND total", name=op.f("ck_script_render_progress")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["script_version.id"], name=op.f("fk_script_render_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_script_render")),
    )
    op.create_index("ix_script_render_version_id", "script_render", ["version_id"], unique=False)
    op.create_index(
        "uq_script_render_open",
        "script_render",
        ["version_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )


def _trials() -> None:
    op.create_table(
        "script_trial",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("approval_id", sa.BigInteger(), nullable=False),
        sa.Column("script_id", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), server_default="", nullable=False),
        sa.Column("weights", postgresql.JSONB(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("set_by <> '' AND reason <> ''", name=op.f("ck_script_trial_whole")),
        sa.ForeignKeyConstraint(
            ["approval_id"], ["script_approval.id"], name=op.f("fk_script_trial_approval_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_script_trial")),
    )
    op.create_index("ix_script_trial_script_id", "script_trial", ["script_id"], unique=False)


def downgrade() -> None:
    op.drop_column("attempt", "audio_hash")
    op.drop_column("attempt", "script_version_id")
    for table in ("script_trial", "script_render", "sound_file", "script_approval"):
        op.drop_table(table)
    op.drop_table("script_sound")
    op.drop_table("script_version")
