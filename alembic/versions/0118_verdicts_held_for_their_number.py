"""A verdict that is held because its number has many open cases waits for a person, beside what waits for capacity."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0118"
down_revision = "0117"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "verdict", sa.Column("held_for_number", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("verdict", "held_for_number")
