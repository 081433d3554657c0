"""The timeline of the database on which calls were claimed last, so that a failover is noticed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0132"
down_revision = "0131"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("line_group", sa.Column("timeline", sa.Integer))


def downgrade() -> None:
    op.drop_column("line_group", "timeline")
