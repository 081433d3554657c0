"""What is done about outlets that open many involved cards, up to the letter of the competent authority."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None

_STEPS = ("bulletin", "end", "letter", "proposal", "review", "talk")


def upgrade() -> None:
    steps = ", ".join(f"{step!r}" for step in _STEPS)
    op.create_table(
        "outlet_step",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("outlet_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("document_no", sa.Text(), server_default="", nullable=False),
        sa.Column("authority", sa.Text(), server_default="", nullable=False),
        sa.Column("until_on", sa.Date()),
        sa.CheckConstraint(f"step IN ({steps})", name=op.f("ck_outlet_step_step")),
        sa.CheckConstraint(
            "(step = 'letter') = (until_on IS NOT NULL) AND"
            " (step <> 'letter' OR (document_no <> '' AND authority <> ''))",
            name=op.f("ck_outlet_step_letter"),
        ),
        sa.ForeignKeyConstraint(["outlet_id"], ["outlet.id"], name=op.f("fk_outlet_step_outlet_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outlet_step")),
    )
    op.create_index("ix_outlet_step_outlet", "outlet_step", ["outlet_id", "id"])


def downgrade() -> None:
    op.drop_table("outlet_step")
