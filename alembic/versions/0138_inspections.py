"""Rules of the inspection of calls, their versions, and what they say of each call."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0138"
down_revision = "0137"
branch_labels = None
depends_on = None

_OUTCOMES = "('passed', 'failed', 'abstained')"


def upgrade() -> None:
    op.create_table(
        "quality_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("drafted_by", sa.Text(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "number > 0 AND drafted_by <> '' AND content_hash <> '' AND why <> ''",
            name=op.f("ck_quality_version_whole"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_version")),
        sa.UniqueConstraint("content_hash", name=op.f("uq_quality_version_content_hash")),
        sa.UniqueConstraint("id", "drafted_by", name=op.f("uq_quality_version_id_drafted_by")),
        sa.UniqueConstraint("number", name=op.f("uq_quality_version_number")),
    )
    op.create_table(
        "quality_approval",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("drafted_by", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "approved_by <> drafted_by AND approved_by <> ''", name=op.f("ck_quality_approval_second_person")
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_quality_approval_reason")),
        sa.ForeignKeyConstraint(
            ["version_id", "drafted_by"],
            ["quality_version.id", "quality_version.drafted_by"],
            name="fk_quality_approval_version",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_approval")),
    )
    op.create_index("ix_quality_approval_version_id", "quality_approval", ["version_id"])
    for table in ("quality_version", "quality_approval"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER append_only_all BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.create_table(
        "inspection",
        sa.Column("recording_id", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("gate", sa.Boolean(), nullable=False),
        sa.Column("points", sa.SmallInteger(), nullable=False),
        sa.Column("spans", postgresql.JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(f"outcome IN {_OUTCOMES}", name=op.f("ck_inspection_outcome")),
        sa.CheckConstraint("gate = (points = 0) AND points >= 0", name=op.f("ck_inspection_points")),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["transcript.recording_id"], name=op.f("fk_inspection_recording_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["quality_version.id"], name=op.f("fk_inspection_version_id")
        ),
        sa.PrimaryKeyConstraint("recording_id", "rule", name=op.f("pk_inspection")),
    )
    op.add_column("transcript", sa.Column("inspected_by", sa.BigInteger()))
    op.create_foreign_key(
        op.f("fk_transcript_inspected_by"), "transcript", "quality_version", ["inspected_by"], ["id"]
    )


def downgrade() -> None:
    op.drop_column("transcript", "inspected_by")
    op.drop_table("inspection")
    op.drop_table("quality_approval")
    op.drop_table("quality_version")
