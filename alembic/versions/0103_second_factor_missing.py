"""Since when an account signs in without the second factor that its role needs. Nobody has one: the time begins anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0103"
down_revision = "0102"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff", sa.Column("factor_missing_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("staff", "factor_missing_at")
