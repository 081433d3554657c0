"""Calls are found by the time they were sent in a sorted index: a row is written again with every event of its call, into
whatever page has room, so that each range of the index before held moments of the whole year.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0086"
down_revision = "0085"
branch_labels = None
depends_on = None

_NAME = "ix_attempt_sent_at"


def upgrade() -> None:
    op.drop_index(_NAME, table_name="attempt")
    op.create_index(_NAME, "attempt", ["sent_at"], postgresql_where=sa.text("sent_at IS NOT NULL"))


def downgrade() -> None:
    op.drop_index(_NAME, table_name="attempt")
    op.create_index(_NAME, "attempt", ["sent_at"], postgresql_using="brin")
