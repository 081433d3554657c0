"""Which verdicts have a telephone number, so that those without one take no place among those that wait; and when the last
warning of a verdict was sent that followed its first one, so that it counts in the budget.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0087"
down_revision = "0086"
branch_labels = None
depends_on = None

_NAME = "ix_verdict_resent_at"


def upgrade() -> None:
    op.add_column("verdict", sa.Column("has_phone", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("verdict", sa.Column("resent_at", sa.DateTime(timezone=True)))
    op.create_index(_NAME, "verdict", ["resent_at"], postgresql_where=sa.text("resent_at IS NOT NULL"))


def downgrade() -> None:
    op.drop_index(_NAME, table_name="verdict")
    op.drop_column("verdict", "resent_at")
    op.drop_column("verdict", "has_phone")
