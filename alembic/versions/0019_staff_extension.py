"""The telephone on a caller's desk, and what a caller has dialled today."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff", sa.Column("extension", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_desk_call_by_asked_at", "desk_call", ["by", "asked_at"])


def downgrade() -> None:
    op.drop_index("ix_desk_call_by_asked_at", "desk_call")
    op.drop_column("staff", "extension")
