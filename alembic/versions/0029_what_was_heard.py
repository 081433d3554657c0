"""An attempt keeps which prompts were said and how much of each was heard, and whether its call was forwarded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("attempt", sa.Column("hearing", JSONB, nullable=True))
    op.add_column("attempt", sa.Column("forwarded", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("attempt", "forwarded")
    op.drop_column("attempt", "hearing")
