"""Amounts have evidence of a kind, which caps them, and count once a case."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None

_EVIDENCE = (
    "account_statement",
    "bank_receipt",
    "call_recording",
    "document",
    "photo",
    "transfer_record",
    "written_statement",
)


def upgrade() -> None:
    op.add_column("outcome", sa.Column("evidence_kind", sa.Text()))
    op.add_column("outcome", sa.Column("evidence_fen", sa.BigInteger()))
    for name, check in {
        "evidence_kind": f'"evidence_kind" IN ({", ".join(map(repr, _EVIDENCE))})',
        "evidence": "(evidence_kind IS NULL) = (evidence_fen IS NULL)",
        "evidence_needs_reference": "evidence_kind IS NULL OR evidence_sealed IS NOT NULL",
        "capped_by_evidence": "greatest(intended_fen, stopped_fen, returned_fen) <= evidence_fen",
    }.items():
        op.create_check_constraint(op.f(f"ck_outcome_{name}"), "outcome", check)
    # The case is locked by whoever approves, so that no second approval is under way.
    op.execute(
        """
        CREATE FUNCTION amounts_count_once() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM outcome n
                JOIN outcome o ON o.case_id = n.case_id AND o.id <> n.id
                JOIN outcome_approval a ON a.outcome_id = o.id
                WHERE n.id = NEW.outcome_id
                    AND (n.intended_fen > 0 AND o.intended_fen > 0
                        OR n.stopped_fen > 0 AND o.stopped_fen > 0
                        OR n.returned_fen > 0 AND o.returned_fen > 0)
                    AND NOT EXISTS (
                        SELECT FROM outcome l WHERE l.reverses = o.id AND l.reverses IS NOT NULL AND NOT EXISTS (
                            SELECT FROM outcome u
                            WHERE u.reverses = l.id AND u.reverses IS NOT NULL AND u.reason = 'filing_undone'
                        )
                    )
            ) THEN
                RAISE EXCEPTION 'an amount of the same kind of this case is approved already'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'amounts_count_once', TABLE = 'outcome_approval';
            END IF;
            RETURN NEW;
        END
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER amounts_count_once BEFORE INSERT ON outcome_approval"
        " FOR EACH ROW EXECUTE FUNCTION amounts_count_once()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER amounts_count_once ON outcome_approval")
    op.execute("DROP FUNCTION amounts_count_once()")
    for name in ("capped_by_evidence", "evidence_needs_reference", "evidence", "evidence_kind"):
        op.drop_constraint(op.f(f"ck_outcome_{name}"), "outcome", type_="check")
    op.drop_column("outcome", "evidence_fen")
    op.drop_column("outcome", "evidence_kind")
