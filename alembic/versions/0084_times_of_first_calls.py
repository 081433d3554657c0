"""The times to the first call beside what a case belongs to, in one index: percentiles of a cut read no row."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0084"
down_revision = "0083"
branch_labels = None
depends_on = None

_NAME, _TABLE = "ix_case_fact_first_seconds", "case_fact"
_WHOLE = ("day", "drill", "grade", "fraud_type", "case_id")
_OWN = ("unit_id", "source", "version", "hour", "person")


def _index(*columns: str) -> None:
    op.drop_index(_NAME, _TABLE)
    op.create_index(
        _NAME,
        _TABLE,
        ["first_seconds"],
        postgresql_include=[*columns],
        postgresql_where=sa.text("first_seconds IS NOT NULL"),
    )


def upgrade() -> None:
    _index(*_WHOLE, *_OWN)


def downgrade() -> None:
    _index(*_WHOLE)
