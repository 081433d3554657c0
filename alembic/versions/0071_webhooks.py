"""Outgoing webhooks: who is told what, the outbox, and the log of every try. The rows of the outbox are written by
triggers, so that no way to settle a case can leave one out.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, UUID

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None

_EVENTS = ("case_settled", "high_missed", "case_filed")
_STATES = ("waiting", "delivered", "dead", "dropped")


def _when(name: str, *, required: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not required)


def _words(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", ARRAY(sa.Text()), nullable=False),
        sa.Column("secret_sealed", BYTEA(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        _when("added_at", required=True),
        sa.Column("ended_by", sa.Text()),
        _when("ended_at"),
        sa.CheckConstraint(
            f"events <@ ARRAY[{_words(_EVENTS)}] AND cardinality(events) > 0", name=op.f("ck_webhook_events")
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_webhook_ended")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_index(
        "uq_webhook_name", "webhook", ["name"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column(
            "message_id", UUID(as_uuid=True), server_default=sa.text("gen_random_uuid()"), nullable=False
        ),
        sa.Column("webhook_id", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("facts", JSONB(), nullable=False),
        _when("occurred_at", required=True),
        sa.Column("queued_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            f'"event" IN ({_words(tuple(sorted(_EVENTS)))})', name=op.f("ck_webhook_delivery_event")
        ),
        sa.CheckConstraint(
            f'"state" IN ({_words(tuple(sorted(_STATES)))})', name=op.f("ck_webhook_delivery_state")
        ),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_delivery_webhook_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
    )
    op.create_index(
        "ix_webhook_delivery_due",
        "webhook_delivery",
        ["due_at"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("ix_webhook_delivery_webhook", "webhook_delivery", ["webhook_id", "state", "id"])
    op.create_index("ix_webhook_delivery_queued", "webhook_delivery", ["queued_at"])
    op.create_table(
        "webhook_try",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        _when("at", required=True),
        sa.Column("status", sa.Integer()),
        sa.Column("fault", sa.Text(), server_default="", nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["webhook_delivery.id"],
            name=op.f("fk_webhook_try_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_try")),
    )
    op.create_index(op.f("ix_webhook_try_delivery_id"), "webhook_try", ["delivery_id"])
    op.execute(
        """
        CREATE FUNCTION webhook_of_case() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            facts jsonb := jsonb_build_object(
                'status', NEW.status, 'outcome', NEW.outcome, 'grade', NEW.grade, 'fraud_type', NEW.fraud_type,
                'unit_id', NEW.unit_id, 'drill', NEW.drill);
        BEGIN
            IF NEW.settled_at IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.status IS DISTINCT FROM NEW.status) THEN
                INSERT INTO webhook_delivery (webhook_id, event, case_id, facts, occurred_at)
                SELECT w.id, 'case_settled', NEW.id, facts, NEW.settled_at FROM webhook w
                WHERE w.ended_at IS NULL AND 'case_settled' = ANY(w.events) ORDER BY w.id;
            END IF;
            IF NEW.missed AND NEW.grade IN ('high', 'extra_high') AND (
                TG_OP = 'INSERT' OR NOT (OLD.missed AND OLD.grade IN ('high', 'extra_high'))
            ) THEN
                INSERT INTO webhook_delivery (webhook_id, event, case_id, facts, occurred_at)
                SELECT w.id, 'high_missed', NEW.id, facts, coalesce(NEW.expires_at, NEW.opened_at) FROM webhook w
                WHERE w.ended_at IS NULL AND 'high_missed' = ANY(w.events) ORDER BY w.id;
            END IF;
            RETURN NULL;
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER webhook_of_new_case AFTER INSERT ON "case" FOR EACH ROW
        WHEN (NEW.settled_at IS NOT NULL OR (NEW.missed AND NEW.grade IN ('high', 'extra_high')))
        EXECUTE FUNCTION webhook_of_case()
        """
    )
    op.execute(
        """
        CREATE TRIGGER webhook_of_case AFTER UPDATE ON "case" FOR EACH ROW
        WHEN (
            (NEW.settled_at IS NOT NULL AND OLD.status IS DISTINCT FROM NEW.status)
            OR (NEW.missed AND NEW.grade IN ('high', 'extra_high')
                AND NOT (OLD.missed AND OLD.grade IN ('high', 'extra_high')))
        )
        EXECUTE FUNCTION webhook_of_case()
        """
    )
    op.execute(
        """
        CREATE FUNCTION webhook_of_filing() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO webhook_delivery (webhook_id, event, case_id, facts, occurred_at)
            SELECT w.id, 'case_filed', NEW.case_id,
                jsonb_build_object('stands', NEW.stands, 'grade', c.grade, 'fraud_type', c.fraud_type,
                    'unit_id', c.unit_id, 'drill', c.drill),
                NEW.at
            FROM webhook w JOIN "case" c ON c.id = NEW.case_id
            WHERE w.ended_at IS NULL AND 'case_filed' = ANY(w.events) ORDER BY w.id;
            RETURN NULL;
        END
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER webhook_of_filing AFTER INSERT ON filed_case_change FOR EACH ROW"
        " EXECUTE FUNCTION webhook_of_filing()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER webhook_of_filing ON filed_case_change")
    op.execute('DROP TRIGGER webhook_of_case ON "case"')
    op.execute('DROP TRIGGER webhook_of_new_case ON "case"')
    op.execute("DROP FUNCTION webhook_of_filing()")
    op.execute("DROP FUNCTION webhook_of_case()")
    for table in ("webhook_try", "webhook_delivery", "webhook"):
        op.drop_table(table)
