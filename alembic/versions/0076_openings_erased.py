"""Openings are erased by age and with their person; their day is looked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("opening", sa.Column("erased_at", sa.DateTime(timezone=True)))
    op.create_index("ix_opening_asked_at", "opening", ["asked_at"])


def downgrade() -> None:
    op.drop_index("ix_opening_asked_at", table_name="opening")
    op.drop_column("opening", "erased_at")
