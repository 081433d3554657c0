"""The turn of a call to us: a webhook that is repeated or late gets the turn that counts now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inbound_call", sa.Column("turn", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("inbound_call", "turn")
