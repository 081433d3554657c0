"""A message says which channel carries it; those of before went by SMS. An id of a message is unique in its channel."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default stays: a process of the version before still plans messages, by SMS.
    op.add_column("message", sa.Column("channel", sa.Text, server_default="sms", nullable=False))
    op.drop_constraint("uq_message_sid", "message", type_="unique")
    op.create_unique_constraint("uq_message_channel_sid", "message", ["channel", "sid"])


def downgrade() -> None:
    op.drop_constraint("uq_message_channel_sid", "message", type_="unique")
    op.create_unique_constraint("uq_message_sid", "message", ["sid"])
    op.drop_column("message", "channel")
