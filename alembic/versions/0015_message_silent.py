"""Messages that the network has and says nothing more of are asked about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_message_silent",
        "message",
        ["poll_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('accepted', 'sent') AND poll_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_message_silent", table_name="message")
