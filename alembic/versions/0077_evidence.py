"""Amounts have evidence of a kind, which caps them, and count once a case; requests to banks to stop a
payment; requests for API tokens.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

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


def _create_stop_request() -> None:
    def moment(name: str, *, required: bool = True) -> sa.Column[object]:
        return sa.Column(name, sa.DateTime(timezone=True), nullable=not required)

    op.create_table(
        "stop_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("stop_payment_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("bank", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        moment("asked_at"),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        moment("recorded_at"),
        moment("follow_up_by"),
        sa.Column("times_unanswered", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stopped_fen", sa.BigInteger()),
        sa.Column("confirmed_by", sa.Text()),
        moment("confirmed_at", required=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stop_request")),
        sa.ForeignKeyConstraint(
            ["stop_payment_id"], ["stop_payment.id"], name=op.f("fk_stop_request_stop_payment_id")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_stop_request_case_id")),
        sa.CheckConstraint(
            "\"state\" IN ('asked', 'no_answer', 'refused', 'stopped')", name=op.f("ck_stop_request_state")
        ),
        sa.CheckConstraint("bank <> '' AND amount_fen > 0", name=op.f("ck_stop_request_form")),
        sa.CheckConstraint(
            "asked_at <= recorded_at AND follow_up_by > asked_at", name=op.f("ck_stop_request_times")
        ),
        sa.CheckConstraint(
            "(state IN ('stopped', 'refused')) = (confirmed_by IS NOT NULL)"
            " AND (confirmed_by IS NULL) = (confirmed_at IS NULL)",
            name=op.f("ck_stop_request_confirmed"),
        ),
        sa.CheckConstraint("confirmed_by <> recorded_by", name=op.f("ck_stop_request_second_person")),
        sa.CheckConstraint(
            "(state = 'stopped') = (stopped_fen IS NOT NULL)"
            " AND (stopped_fen IS NULL OR stopped_fen BETWEEN 1 AND amount_fen)",
            name=op.f("ck_stop_request_stopped_fen"),
        ),
    )
    op.create_index(op.f("ix_stop_request_stop_payment_id"), "stop_request", ["stop_payment_id"])
    op.create_index(op.f("ix_stop_request_case_id"), "stop_request", ["case_id"])
    op.create_index(
        "ix_stop_request_follow_up",
        "stop_request",
        ["follow_up_by"],
        postgresql_where=sa.text("state IN ('asked', 'no_answer')"),
    )


def _create_token_request() -> None:
    op.create_table(
        "token_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
        sa.Column("token_id", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token_request")),
        sa.ForeignKeyConstraint(["token_id"], ["api_token.id"], name=op.f("fk_token_request_token_id")),
        sa.CheckConstraint(
            "\"state\" IN ('confirmed', 'expired', 'refused', 'waiting', 'withdrawn')",
            name=op.f("ck_token_request_state"),
        ),
        sa.CheckConstraint(
            "cardinality(scopes) > 0 AND days > 0 AND why <> ''", name=op.f("ck_token_request_form")
        ),
        sa.CheckConstraint(
            "(state = 'waiting') = (decided_at IS NULL)", name=op.f("ck_token_request_decided_at")
        ),
        sa.CheckConstraint(
            "(state IN ('waiting', 'expired')) = (decided_by IS NULL)",
            name=op.f("ck_token_request_decided_by"),
        ),
        sa.CheckConstraint(
            "(state = 'confirmed') = (token_id IS NOT NULL)", name=op.f("ck_token_request_token")
        ),
        sa.CheckConstraint(
            "state <> 'confirmed' OR decided_by <> asked_by", name=op.f("ck_token_request_second_person")
        ),
    )
    op.create_index(
        "uq_token_request_waiting",
        "token_request",
        ["name"],
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
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
    _create_stop_request()
    _create_token_request()
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
    op.drop_table("token_request")
    op.drop_table("stop_request")
    op.execute("DROP TRIGGER amounts_count_once ON outcome_approval")
    op.execute("DROP FUNCTION amounts_count_once()")
    for name in ("capped_by_evidence", "evidence_needs_reference", "evidence", "evidence_kind"):
        op.drop_constraint(op.f(f"ck_outcome_{name}"), "outcome", type_="check")
    op.drop_column("outcome", "evidence_fen")
    op.drop_column("outcome", "evidence_kind")
