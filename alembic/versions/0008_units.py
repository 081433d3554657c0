"""The organisation tree with its aliases; cases and assignments know their unit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("level", sa.Text(), server_default="", nullable=False),
        sa.Column("path", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.CheckConstraint("parent_id <> id", name=op.f("ck_unit_parent")),
        sa.CheckConstraint("path[cardinality(path)] = id", name=op.f("ck_unit_path")),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"], name=op.f("fk_unit_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
    )
    op.create_index(op.f("ix_unit_parent_id"), "unit", ["parent_id"])
    op.create_index("uq_unit_name", "unit", [sa.text("coalesce(parent_id, 0)"), "name"], unique=True)
    op.create_index("ix_unit_path", "unit", ["path"], postgresql_using="gin")
    op.create_table(
        "unit_alias",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("key <> ''", name=op.f("ck_unit_alias_key")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_unit_alias_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_alias")),
        sa.UniqueConstraint("key", name=op.f("uq_unit_alias_key")),
    )
    op.create_index(op.f("ix_unit_alias_unit_id"), "unit_alias", ["unit_id"])
    for table in ("case", "assignment"):
        op.add_column(table, sa.Column("unit_id", sa.BigInteger(), nullable=True))
        op.create_foreign_key(op.f(f"fk_{table}_unit_id"), table, "unit", ["unit_id"], ["id"])
    op.create_index(
        "ix_case_unit_id", "case", ["unit_id", "id"], postgresql_where=sa.text("unit_id IS NOT NULL")
    )
    op.create_index(
        "ix_case_tray", "case", ["id"], postgresql_where=sa.text("status = 'open' AND unit_id IS NULL")
    )
    op.create_index(
        "ix_assignment_unit_id",
        "assignment",
        ["unit_id", "urgency_at"],
        postgresql_where=sa.text("state IN ('open', 'signed') AND unit_id IS NOT NULL"),
    )


def downgrade() -> None:
    for table in ("case", "assignment"):
        op.drop_column(table, "unit_id")
    op.drop_table("unit_alias")
    op.drop_table("unit")
