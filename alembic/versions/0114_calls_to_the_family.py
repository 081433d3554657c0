"""Whether the family of a case's person can be called, and which calls from a desk went to the family."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0114"
down_revision = "0113"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("case", sa.Column("family", sa.Text(), nullable=False, server_default="none"))
    op.create_check_constraint(op.f("ck_case_family"), "case", "\"family\" IN ('none', 'known', 'called')")
    op.add_column("desk_call", sa.Column("family", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("desk_call", "family")
    op.drop_column("case", "family")
