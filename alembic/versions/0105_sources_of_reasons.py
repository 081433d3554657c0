"""A reason of a verdict keeps the sources without which its rule would not have fired, and a rule may be stopped for
one source alone.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0105"
down_revision = "0104"
branch_labels = None
depends_on = None

_ACTIVE = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.add_column(
        "verdict_reason", sa.Column("sources", ARRAY(sa.Text()), server_default="{}", nullable=False)
    )
    op.add_column("rule_stop", sa.Column("source", sa.Text(), server_default="", nullable=False))
    op.drop_index("uq_rule_stop_active", "rule_stop")
    op.create_index(
        "uq_rule_stop_active", "rule_stop", ["rule", "source"], unique=True, postgresql_where=_ACTIVE
    )


def downgrade() -> None:
    op.execute("DELETE FROM rule_stop WHERE source <> ''")
    op.drop_index("uq_rule_stop_active", "rule_stop")
    op.create_index("uq_rule_stop_active", "rule_stop", ["rule"], unique=True, postgresql_where=_ACTIVE)
    op.drop_column("rule_stop", "source")
    op.drop_column("verdict_reason", "sources")
