"""Jobs that lacked a fencing token or a count of their tries have both."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0092"
down_revision = "0091"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("list_load", sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("message", sa.Column("token", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("message", sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("recording", sa.Column("token", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("robot_shard", sa.Column("token", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("script_render", sa.Column("token", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("script_render", sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("webhook_delivery", sa.Column("token", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    for table in ("list_load", "message", "script_render"):
        op.drop_column(table, "tries")
    for table in ("message", "recording", "robot_shard", "script_render", "webhook_delivery"):
        op.drop_column(table, "token")
