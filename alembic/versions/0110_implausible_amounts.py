"""Whether the implausible amounts of a list were found and believed by a person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0110"
down_revision = "0109"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "list_load", sa.Column("amounts_doubted", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("list_load", sa.Column("amounts_believed", sa.Boolean()))


def downgrade() -> None:
    op.drop_column("list_load", "amounts_believed")
    op.drop_column("list_load", "amounts_doubted")
