"""What the report is summed from. See `dialer.store.tables` for what the times mean."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from dialer.store.columns import metadata, when

tally = sa.Table(
    "tally",
    metadata,
    sa.Column("drill", sa.Boolean, primary_key=True),
    sa.Column("whole_month", sa.Boolean, primary_key=True),
    sa.Column("start", sa.Date, primary_key=True),
    sa.Column("slice", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("measure", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("n", sa.BigInteger, nullable=False),
)
"""The figures of one day, or of one month, of the centre: sums of the atoms that `tally_case` holds."""

tally_case = sa.Table(
    "tally_case",
    metadata,
    sa.Column("case_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("atoms", ARRAY(sa.BigInteger), nullable=False),
    sa.Column("money_atoms", ARRAY(sa.BigInteger)),
    sa.Column("money_fen", ARRAY(sa.BigInteger)),  # so many of each of them
    sa.Column("first_us", sa.BigInteger),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("grade", sa.SmallInteger, nullable=False),
    sa.Column("fraud_type", sa.SmallInteger, nullable=False),
    sa.Column("drill", sa.Boolean, nullable=False),
    when("turns_at"),
    sa.Index("ix_tally_case_turns_at", "turns_at", postgresql_where=sa.text("turns_at IS NOT NULL")),
    sa.Index(
        "ix_tally_case_by_grade",
        "drill",
        "grade",
        "first_us",
        postgresql_include=["day", "case_id"],
        postgresql_where=sa.text("first_us IS NOT NULL"),
    ),
    sa.Index(
        "ix_tally_case_by_fraud_type",
        "drill",
        "fraud_type",
        "first_us",
        postgresql_include=["day", "case_id"],
        postgresql_where=sa.text("first_us IS NOT NULL"),
    ),
    postgresql_with={"fillfactor": 80},
)
"""What each case adds to the tally; `turns_at`: afterwards its part changes by the passing of time alone."""

tally_mark = sa.Table("tally_mark", metadata, sa.Column("case_id", sa.BigInteger, nullable=False))
"""Cases whose figures may have changed since they were tallied, written by triggers, several times each."""

open_count = sa.Table(
    "open_count",
    metadata,
    sa.Column("unit_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("text", sa.Text, primary_key=True),
    sa.Column("grade", sa.Text, primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False),
)
"""Open cases by their unit, and of those without one (0) by what the list wrote, its first 100 signs, and by grade."""

open_change = sa.Table(
    "open_change",
    metadata,
    sa.Column("unit_id", sa.BigInteger, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("grade", sa.Text, nullable=False),
    sa.Column("n", sa.BigInteger, nullable=False),
)
"""What the counts do not hold yet, written by triggers; together the two are exact at any moment."""
