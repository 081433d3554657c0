"""The line group has a breaker for our sound: dialling stops while the carrier cannot get it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0099"
down_revision = "0098"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("line_group", sa.Column("sound_opened_at", sa.DateTime(timezone=True)))
    op.add_column("line_group", sa.Column("sound_wait_until", sa.DateTime(timezone=True)))
    op.add_column("line_group", sa.Column("sound_openings", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    for column in ("sound_openings", "sound_wait_until", "sound_opened_at"):
        op.drop_column("line_group", column)
