"""Whom each ring reached, and how much of the warning was heard."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_REACHES = (
    "'nobody', 'machine', 'forwarded', 'hung_up_early', 'silent', 'wrong_person', 'unverified', 'verified'"
)


def upgrade() -> None:
    op.add_column("attempt", sa.Column("spoke", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("attempt", sa.Column("played_seconds", sa.Double(), server_default="0", nullable=False))
    op.add_column("attempt", sa.Column("reach", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_attempt_reach"), "attempt", f'"reach" IN ({_REACHES})')


def downgrade() -> None:
    op.drop_constraint(op.f("ck_attempt_reach"), "attempt")
    op.drop_column("attempt", "reach")
    op.drop_column("attempt", "played_seconds")
    op.drop_column("attempt", "spoke")
