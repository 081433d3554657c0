"""A warning that waits for a person waits once, however often it is sent. Those that wait since before are not known here."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0120"
down_revision = "0119"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "held_warning",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("instruction_no", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("load_id", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["load_id", "part"],
            ["list_file.load_id", "list_file.part"],
            name=op.f("fk_held_warning_load_id_list_file"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("source", "instruction_no", "digest", name=op.f("pk_held_warning")),
    )
    op.create_index(op.f("ix_held_warning_load_id"), "held_warning", ["load_id", "part"])


def downgrade() -> None:
    op.drop_table("held_warning")
