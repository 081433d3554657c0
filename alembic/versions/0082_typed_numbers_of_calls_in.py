"""Whether a number was typed in a call to us: then the call goes the same way whether a case of it is open or not."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inbound_call", sa.Column("typed", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("inbound_call", "typed")
