"""Money is in the tally: a report no longer reads every line with money, which are many after years.

The tally is begun anew by its new definitions, in batches, while the service works.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_MONEY = "NEW.intended_fen + NEW.stopped_fen + NEW.returned_fen > 0 OR NEW.reverses IS NOT NULL"


def upgrade() -> None:
    for name in ("money_atoms", "money_fen"):
        op.add_column("tally_case", sa.Column(name, postgresql.ARRAY(sa.BigInteger()), nullable=True))
    op.execute(
        """
        CREATE FUNCTION tally_mark_money() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO tally_mark VALUES (NEW.case_id);
            INSERT INTO tally_mark SELECT case_id FROM outcome WHERE id = NEW.reverses AND case_id <> NEW.case_id;
            RETURN NULL;
        END
        $$
        """
    )
    op.execute(
        f"CREATE TRIGGER tally_added AFTER INSERT ON outcome FOR EACH ROW WHEN ({_MONEY})"
        " EXECUTE FUNCTION tally_mark_money()"
    )
    op.execute(
        """
        CREATE FUNCTION tally_mark_approved() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO tally_mark SELECT case_id FROM outcome WHERE id = NEW.outcome_id;
            RETURN NULL;
        END
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER tally_added AFTER INSERT ON outcome_approval FOR EACH ROW"
        " EXECUTE FUNCTION tally_mark_approved()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER tally_added ON outcome_approval")
    op.execute("DROP TRIGGER tally_added ON outcome")
    op.execute("DROP FUNCTION tally_mark_approved()")
    op.execute("DROP FUNCTION tally_mark_money()")
    for name in ("money_fen", "money_atoms"):
        op.drop_column("tally_case", name)
    op.execute("DELETE FROM meta WHERE key = 'tally'")
