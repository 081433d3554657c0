"""Amounts have files as evidence; a token names the sources whose signals it may send."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "evidence_file",
        sa.Column("id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("outcome_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("stripped_bytes", sa.Integer(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "size_bytes > 0 AND stripped_bytes >= 0", name=op.f("ck_evidence_file_size_bytes")
        ),
        sa.CheckConstraint(
            "media_type IN ('application/pdf', 'image/jpeg', 'image/png', 'image/webp')",
            name=op.f("ck_evidence_file_media_type"),
        ),
        sa.ForeignKeyConstraint(["outcome_id"], ["outcome.id"], name=op.f("fk_evidence_file_outcome_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_evidence_file_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_file")),
    )
    op.create_index(op.f("ix_evidence_file_outcome_id"), "evidence_file", ["outcome_id"])
    op.create_index(op.f("ix_evidence_file_case_id"), "evidence_file", ["case_id"])
    for table in ("api_token", "token_request"):
        op.add_column(
            table, sa.Column("sources", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False)
        )


def downgrade() -> None:
    for table in ("token_request", "api_token"):
        op.drop_column(table, "sources")
    op.drop_table("evidence_file")
