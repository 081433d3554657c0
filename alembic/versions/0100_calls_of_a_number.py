"""A number keeps the ends of its last calls, which limit how often it is called in an hour and in a day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0100"
down_revision = "0099"
branch_labels = None
depends_on = None


def upgrade() -> None:
    called_at = postgresql.ARRAY(sa.DateTime(timezone=True))
    op.add_column("live_number", sa.Column("called_at", called_at, server_default="{}", nullable=False))


def downgrade() -> None:
    op.drop_column("live_number", "called_at")
