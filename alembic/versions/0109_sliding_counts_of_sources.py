"""What of a source went on lately is counted in parts of a minute, hour and day, so that its limits hold in any span;
sources have limits of signals. The counts of before are no longer used and stay for the version before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0109"
down_revision = "0108"
branch_labels = None
depends_on = None

_LIMITS = ("signals_per_minute", "signals_per_hour", "signals_per_day")


def upgrade() -> None:
    op.add_column("source", sa.Column("sent", JSONB(), server_default="{}", nullable=False))
    for name in _LIMITS:
        op.add_column("source", sa.Column(name, sa.Integer()))


def downgrade() -> None:
    for name in ("sent", *_LIMITS):
        op.drop_column("source", name)
