"""The random draw notes how common the rules are below the line: filed cases without a call are weighed against it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("patterns", JSONB(), server_default=sa.text("'[]'"), nullable=False)
    op.add_column("robot_draw", column)


def downgrade() -> None:
    op.drop_column("robot_draw", "patterns")
