"""What each source may send. Sources of before are not on probation and not limited; warnings above a limit wait as a
list.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0104"
down_revision = "0103"
branch_labels = None
depends_on = None

_GRADES = "('extra_high', 'high', 'medium', 'low')"
_APART, _SPANS = ("", "extra_high_"), ("minute", "hour", "day")
_REASONS = (
    "per_minute",
    "per_hour",
    "per_day",
    "extra_high_per_minute",
    "extra_high_per_hour",
    "extra_high_per_day",
    "grade",
    "amount",
    "unit",
)
# Walks the index of (source, instruction_no) from source to source: warnings are many, sources few.
_KNOWN = """
INSERT INTO source (name, on_probation)
WITH RECURSIVE sent AS (
    (SELECT source FROM warning ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (SELECT source FROM warning WHERE source > sent.source ORDER BY source LIMIT 1) FROM sent
    WHERE sent.source IS NOT NULL
)
SELECT source, false FROM sent WHERE source IS NOT NULL
UNION SELECT name, false FROM api_token WHERE scopes && '{warnings:write,signals:write}'::text[]
UNION SELECT unnest(sources), false FROM api_token WHERE scopes && '{warnings:write,signals:write}'::text[]
EXCEPT SELECT name, false FROM (VALUES ('预警机器人'), ('两卡核查'), ('/phone')) internal (name)
"""


def upgrade() -> None:
    op.create_table(
        "source",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("on_probation", sa.Boolean(), server_default=sa.true(), nullable=False),
        *(sa.Column(f"{apart}per_{span}", sa.Integer()) for apart in _APART for span in _SPANS),
        sa.Column("most_grade", sa.Text()),
        sa.Column("most_amount_fen", sa.BigInteger()),
        sa.Column("units", ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("signal_kinds", ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("bank_reports", sa.Boolean()),
        *(sa.Column(f"{span}_at", sa.DateTime(timezone=True)) for span in _SPANS),
        *(
            sa.Column(f"{apart}in_{span}", sa.Integer(), server_default="0", nullable=False)
            for apart in _APART
            for span in _SPANS
        ),
        sa.CheckConstraint(f"most_grade IN {_GRADES}", name=op.f("ck_source_most_grade")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_source")),
    )
    op.execute(_KNOWN)
    op.add_column("list_load", sa.Column("held_for", sa.Text()))
    op.add_column(
        "list_load", sa.Column("extra_high", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.create_check_constraint(op.f("ck_list_load_held_for"), "list_load", f"held_for IN {_REASONS}")


def downgrade() -> None:
    op.drop_column("list_load", "held_for")
    op.drop_column("list_load", "extra_high")
    op.drop_table("source")
