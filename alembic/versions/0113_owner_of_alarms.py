"""Who takes care of an alarm, and what that person says about it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0113"
down_revision = "0112"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alarm", sa.Column("owner", sa.Text()))
    op.add_column("alarm", sa.Column("comment", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("alarm", "comment")
    op.drop_column("alarm", "owner")
