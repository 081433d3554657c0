"""A token keeps the id of its unit beside the text that was typed: a renamed unit stays its unit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0090"
down_revision = "0089"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_token", sa.Column("unit_id", sa.BigInteger(), nullable=True))
    op.add_column("token_request", sa.Column("unit_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key("fk_api_token_unit_id", "api_token", "unit", ["unit_id"], ["id"])
    op.create_foreign_key("fk_token_request_unit_id", "token_request", "unit", ["unit_id"], ["id"])
    # An alias takes precedence over names. What remains NULL is found by its text when the token is used.
    op.execute(
        sa.text("""
            UPDATE api_token SET unit_id = meant.unit_id
            FROM (
                SELECT token.id AS token_id, min(unit.id) AS unit_id
                FROM api_token token
                LEFT JOIN unit_alias alias ON alias.text = token.unit OR alias.key = token.unit
                JOIN unit ON unit.active
                    AND CASE WHEN alias.id IS NULL THEN unit.name = token.unit ELSE unit.id = alias.unit_id END
                WHERE token.unit <> ''
                GROUP BY token.id
                HAVING count(DISTINCT unit.id) = 1
            ) meant
            WHERE meant.token_id = api_token.id
        """)
    )


def downgrade() -> None:
    for table in ("token_request", "api_token"):
        op.drop_column(table, "unit_id")
