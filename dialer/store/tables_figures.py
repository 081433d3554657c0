"""What the report is summed from. See `dialer.store.tables` for what the times mean."""

from __future__ import annotations

import sqlalchemy as sa

from dialer.store.columns import metadata, when
from dialer.store.reads.measures import COUNTED, MONEY

_KEY = ("day", "drill", "grade", "fraud_type")


def _figures() -> list[sa.Column[int]]:
    """One column a figure; a new measure needs a migration that adds its column to both tables."""
    counts = [sa.Column(name, sa.Integer, nullable=False) for name in COUNTED]
    return counts + [sa.Column(name, sa.BigInteger, nullable=False) for name in MONEY]


day_figure = sa.Table(
    "day_figure",
    metadata,
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Column("grade", sa.Text, nullable=False),
    sa.Column("fraud_type", sa.Text, nullable=False),
    *_figures(),
    sa.PrimaryKeyConstraint(*_KEY),
)
"""The figures of one day of the centre, by grade and fraud type: sums of `case_fact`."""

case_fact = sa.Table(
    "case_fact",
    metadata,
    sa.Column("case_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Column("grade", sa.Text, nullable=False),
    sa.Column("fraud_type", sa.Text, nullable=False),
    sa.Column("first_seconds", sa.Double),
    when("turns_at"),
    *_figures(),
    sa.Index("ix_case_fact_turns_at", "turns_at", postgresql_where=sa.text("turns_at IS NOT NULL")),
    sa.Index(
        "ix_case_fact_first_seconds",
        "first_seconds",
        postgresql_include=["day", "drill", "grade", "fraud_type", "case_id"],
        postgresql_where=sa.text("first_seconds IS NOT NULL"),
    ),
)
"""What a case adds to `day_figure`, a row for each of its days. `first_seconds`: the time to its first attempt, on
the day on which it was opened. `turns_at`: afterwards its figures change by the passing of time alone.
"""

tally_mark = sa.Table("tally_mark", metadata, sa.Column("case_id", sa.BigInteger, nullable=False))
"""Cases whose figures may have changed since their facts were written, by triggers, several times each."""
