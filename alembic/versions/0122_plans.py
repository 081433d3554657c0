"""Policy, limits of sources and pace are drafted in the console and approved by a second person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0122"
down_revision = "0121"
branch_labels = None
depends_on = None

_LEDGERS = ("plan_version", "plan_approval")


def upgrade() -> None:
    op.create_table(
        "plan_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("drafted_by", sa.Text(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "number > 0 AND drafted_by <> '' AND content_hash <> ''", name=op.f("ck_plan_version_whole")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_version")),
        sa.UniqueConstraint("content_hash", name=op.f("uq_plan_version_content_hash")),
        sa.UniqueConstraint("id", "drafted_by", name=op.f("uq_plan_version_id_drafted_by")),
        sa.UniqueConstraint("number", name=op.f("uq_plan_version_number")),
    )
    op.create_table(
        "plan_approval",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("drafted_by", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "approved_by <> drafted_by AND approved_by <> ''", name=op.f("ck_plan_approval_second_person")
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_plan_approval_reason")),
        sa.ForeignKeyConstraint(
            ["policy_version"], ["policy_version.version"], name=op.f("fk_plan_approval_policy_version")
        ),
        sa.ForeignKeyConstraint(
            ["version_id", "drafted_by"],
            ["plan_version.id", "plan_version.drafted_by"],
            name="fk_plan_approval_version",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_approval")),
    )
    op.create_index("ix_plan_approval_version_id", "plan_approval", ["version_id"], unique=False)
    for table in _LEDGERS:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER append_only_all BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.drop_table("plan_approval")
    op.drop_table("plan_version")
