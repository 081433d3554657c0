"""Cases that are marked as duplicates of a case are found by an index: an amount counts once for all of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0089"
down_revision = "0088"
branch_labels = None
depends_on = None


def upgrade() -> None:
    of, marked = sa.text("((facts ->> 'of')::bigint)"), sa.text("kind = 'duplicate'")
    op.create_index("ix_event_duplicate_of", "event", [of], postgresql_where=marked)


def downgrade() -> None:
    op.drop_index("ix_event_duplicate_of", table_name="event")
