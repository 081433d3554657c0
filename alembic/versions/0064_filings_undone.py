"""A filing that was another person's is undone by new rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0064"
down_revision = "0060"
branch_labels = None
depends_on = None


def _checks(states: tuple[str, ...], decided: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_filed_match_state"), "filed_match", type_="check")
    op.drop_constraint(op.f("ck_filed_match_decided"), "filed_match", type_="check")
    op.create_check_constraint(
        op.f("ck_filed_match_state"), "filed_match", f"state IN ({', '.join(map(repr, states))})"
    )
    op.create_check_constraint(
        op.f("ck_filed_match_decided"),
        "filed_match",
        f"(state IN ({', '.join(map(repr, decided))})) = (decided_by IS NOT NULL AND decided_at IS NOT NULL)",
    )


def upgrade() -> None:
    op.create_table(
        "filed_case_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("filed_case_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.Column("before", JSONB),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("stands = (before IS NOT NULL)", name=op.f("ck_filed_case_change_before")),
        sa.ForeignKeyConstraint(
            ["filed_case_id"], ["filed_case.id"], name=op.f("fk_filed_case_change_filed_case_id")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_filed_case_change_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filed_case_change")),
    )
    op.create_index(op.f("ix_filed_case_change_filed_case_id"), "filed_case_change", ["filed_case_id"])
    op.create_index(op.f("ix_filed_case_change_case_id"), "filed_case_change", ["case_id"])
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON filed_case_change"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER append_only_all BEFORE TRUNCATE ON filed_case_change"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER tally_added AFTER INSERT ON filed_case_change REFERENCING NEW TABLE AS changed"
        " FOR EACH STATEMENT EXECUTE FUNCTION tally_marks_case_id()"
    )
    _checks(("certain", "doubtful", "confirmed", "rejected", "undone"), ("confirmed", "rejected", "undone"))
    # Amounts that wait for approval wait again once what had reversed them is reversed itself.
    op.execute(
        """
        CREATE OR REPLACE FUNCTION outcome_waits() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.intended_fen + NEW.stopped_fen + NEW.returned_fen > 0 OR NEW.reason = 'no_call' THEN
                INSERT INTO outcome_waiting VALUES (NEW.id);
            END IF;
            DELETE FROM outcome_waiting WHERE outcome_id = NEW.reverses;
            IF NEW.reason = 'filing_undone' THEN
                INSERT INTO outcome_waiting
                SELECT o.id FROM outcome l JOIN outcome o ON o.id = l.reverses
                WHERE l.id = NEW.reverses AND o.intended_fen + o.stopped_fen + o.returned_fen > 0
                    AND NOT EXISTS (SELECT FROM outcome_approval a WHERE a.outcome_id = o.id)
                    AND NOT EXISTS (
                        SELECT FROM outcome x WHERE x.reverses = o.id AND x.reverses IS NOT NULL AND NOT EXISTS (
                            SELECT FROM outcome u
                            WHERE u.reverses = x.id AND u.reverses IS NOT NULL AND u.reason = 'filing_undone'
                        )
                    )
                ON CONFLICT DO NOTHING;
            END IF;
            RETURN NULL;
        END
        $$
        """
    )


def downgrade() -> None:
    op.execute(
        """
        CREATE OR REPLACE FUNCTION outcome_waits() RETURNS trigger LANGUAGE plpgsql AS $$
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
    _checks(("certain", "confirmed", "doubtful", "rejected"), ("confirmed", "rejected"))
    op.drop_table("filed_case_change")
