"""Lines with money, and successes without a call of ours, that wait for approval are found without reading the whole ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outcome_waiting",
        sa.Column("outcome_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["outcome_id"], ["outcome.id"], name=op.f("fk_outcome_waiting_outcome_id")),
        sa.PrimaryKeyConstraint("outcome_id", name=op.f("pk_outcome_waiting")),
    )
    op.execute(
        """
        INSERT INTO outcome_waiting SELECT id FROM outcome o
        WHERE (intended_fen + stopped_fen + returned_fen > 0 OR reason = 'no_call')
            AND NOT EXISTS (SELECT FROM outcome_approval a WHERE a.outcome_id = o.id)
            AND NOT EXISTS (SELECT FROM outcome l WHERE l.reverses = o.id AND l.reverses IS NOT NULL)
        """
    )
    op.execute(
        """
        CREATE FUNCTION outcome_waits() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.intended_fen + NEW.stopped_fen + NEW.returned_fen > 0 OR NEW.reason = 'no_call' THEN
                INSERT INTO outcome_waiting VALUES (NEW.id);
            END IF;
            DELETE FROM outcome_waiting WHERE outcome_id = NEW.reverses;
            RETURN NULL;
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER outcome_waits AFTER INSERT ON outcome FOR EACH ROW
        WHEN (
            NEW.intended_fen + NEW.stopped_fen + NEW.returned_fen > 0
            OR NEW.reason = 'no_call' OR NEW.reverses IS NOT NULL
        )
        EXECUTE FUNCTION outcome_waits()
        """
    )
    op.execute(
        """
        CREATE FUNCTION outcome_waits_no_more() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            DELETE FROM outcome_waiting WHERE outcome_id = NEW.outcome_id;
            RETURN NULL;
        END
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER outcome_waits AFTER INSERT ON outcome_approval FOR EACH ROW"
        " EXECUTE FUNCTION outcome_waits_no_more()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER outcome_waits ON outcome_approval")
    op.execute("DROP TRIGGER outcome_waits ON outcome")
    op.execute("DROP FUNCTION outcome_waits_no_more()")
    op.execute("DROP FUNCTION outcome_waits()")
    op.drop_table("outcome_waiting")
