"""Signals by day, what the warning robot makes of them, and its rules with approval."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None

_DAYS = 16
_LEDGERS = ("rule_version", "rule_approval")


def upgrade() -> None:
    op.create_table(
        "robot_draw",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pool", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.Integer(), nullable=False),
        sa.CheckConstraint("drawn >= 0 AND drawn <= pool", name=op.f("ck_robot_draw_drawn")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_robot_draw")),
    )
    op.create_index("ix_robot_draw_at", "robot_draw", ["at"], unique=False)
    op.create_table(
        "robot_shard",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("holder", sa.Text(), server_default="", nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rules_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("fingerprint", sa.Text(), server_default="", nullable=False),
        sa.Column("fingerprint_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("persons", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("too_late", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("shard", name=op.f("pk_robot_shard")),
    )
    op.create_table(
        "robot_snapshot",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("rules_hash", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", BYTEA, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_robot_snapshot")),
        sa.UniqueConstraint("shard", "part", name=op.f("uq_robot_snapshot_shard_part")),
    )
    op.create_table(
        "rule_stop",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_by", sa.Text(), nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_rule_stop_ended")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_stop")),
    )
    op.create_index(
        "uq_rule_stop_active",
        "rule_stop",
        ["rule"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "rule_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("files", JSONB, nullable=False),
        sa.Column("scorecard", JSONB, nullable=True),
        sa.Column("drafted_by", sa.Text(), nullable=False),
        sa.Column("drafted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "number > 0 AND drafted_by <> '' AND content_hash <> ''", name=op.f("ck_rule_version_whole")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_version")),
        sa.UniqueConstraint("content_hash", name=op.f("uq_rule_version_content_hash")),
        sa.UniqueConstraint("id", "drafted_by", name=op.f("uq_rule_version_id_drafted_by")),
        sa.UniqueConstraint("number", name=op.f("uq_rule_version_number")),
    )
    op.create_table(
        "signal",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("signal_no", sa.Text(), nullable=False),
        sa.Column("event_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_hash", BYTEA, nullable=True),
        sa.Column("sealed", BYTEA, nullable=False),
        sa.CheckConstraint("slot >= 0 AND slot < 16 AND shard >= -1", name=op.f("ck_signal_place")),
        sa.PrimaryKeyConstraint("seq", "slot", name=op.f("pk_signal")),
        sa.UniqueConstraint("source", "signal_no", "slot", name=op.f("uq_signal_source_signal_no_slot")),
        postgresql_partition_by="LIST (slot)",
    )
    op.create_index(
        "ix_signal_person",
        "signal",
        ["person_hash"],
        unique=False,
        postgresql_where=sa.text("person_hash IS NOT NULL"),
    )
    op.create_index("ix_signal_received_at", "signal", ["received_at"], unique=False)
    op.create_table(
        "signal_minute",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "at", name=op.f("pk_signal_minute")),
    )
    op.create_index("ix_signal_minute_at", "signal_minute", ["at"], unique=False)
    op.create_table(
        "verdict",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_hash", BYTEA, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=True),
        sa.Column("fraud_type", sa.Text(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("money_fen", sa.BigInteger(), nullable=False),
        sa.Column("rules", ARRAY(sa.Text()), nullable=False),
        sa.Column("rules_hash", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("instruction_no", sa.Text(), nullable=False),
        sa.Column("warnings", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_grade", sa.Text(), nullable=True),
        sa.Column("sent_fraud_type", sa.Text(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("draw_share", sa.Double(), nullable=True),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("sealed", BYTEA, nullable=False),
        sa.CheckConstraint(
            "(draw_share IS NULL) = (state <> 'drawn') AND draw_share > 0", name=op.f("ck_verdict_drawn")
        ),
        sa.CheckConstraint(
            "(state IN ('sent', 'drawn')) = (sent_at IS NOT NULL) AND (warnings > 0) = (sent_at IS NOT NULL)",
            name=op.f("ck_verdict_sent"),
        ),
        sa.CheckConstraint(
            "\"fraud_type\" IN ('fake_order_rebate', 'investment', 'shopping', 'fake_customer_service', 'loan', 'credit', 'boss_or_acquaintance', 'police_impersonation', 'romance', 'game_trade', 'unknown')",
            name=op.f("ck_verdict_fraud_type"),
        ),
        sa.CheckConstraint(
            "\"grade\" IN ('extra_high', 'high', 'medium', 'low')", name=op.f("ck_verdict_grade")
        ),
        sa.CheckConstraint(
            "\"sent_fraud_type\" IN ('fake_order_rebate', 'investment', 'shopping', 'fake_customer_service', 'loan', 'credit', 'boss_or_acquaintance', 'police_impersonation', 'romance', 'game_trade', 'unknown')",
            name=op.f("ck_verdict_sent_fraud_type"),
        ),
        sa.CheckConstraint(
            "\"sent_grade\" IN ('extra_high', 'high', 'medium', 'low')", name=op.f("ck_verdict_sent_grade")
        ),
        sa.CheckConstraint("\"state\" IN ('sent', 'held', 'below', 'drawn')", name=op.f("ck_verdict_state")),
        sa.CheckConstraint(
            "probability >= 0 AND probability <= 1 AND money_fen >= 0", name=op.f("ck_verdict_figures")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdict")),
        sa.UniqueConstraint("instruction_no", name=op.f("uq_verdict_instruction_no")),
    )
    op.create_index(
        "ix_verdict_below",
        "verdict",
        ["changed_at"],
        unique=False,
        postgresql_where=sa.text("state = 'below'"),
    )
    op.create_index(
        "ix_verdict_case_id",
        "verdict",
        ["case_id"],
        unique=False,
        postgresql_where=sa.text("case_id IS NOT NULL"),
    )
    op.create_index(
        "ix_verdict_held",
        "verdict",
        ["score", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_index("ix_verdict_person", "verdict", ["person_hash", "event_at"], unique=False)
    op.create_index(
        "ix_verdict_sent_at",
        "verdict",
        ["sent_at"],
        unique=False,
        postgresql_where=sa.text("sent_at IS NOT NULL"),
    )
    op.create_table(
        "rule_approval",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        sa.Column("drafted_by", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "approved_by <> drafted_by AND approved_by <> ''", name=op.f("ck_rule_approval_second_person")
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_rule_approval_reason")),
        sa.ForeignKeyConstraint(
            ["version_id", "drafted_by"],
            ["rule_version.id", "rule_version.drafted_by"],
            name="fk_rule_approval_version",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_approval")),
    )
    op.create_index("ix_rule_approval_version_id", "rule_approval", ["version_id"], unique=False)
    op.create_table(
        "verdict_reason",
        sa.Column("verdict_id", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", BYTEA, nullable=False),
        sa.ForeignKeyConstraint(
            ["verdict_id"], ["verdict.id"], name=op.f("fk_verdict_reason_verdict_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("verdict_id", "rule", name=op.f("pk_verdict_reason")),
    )
    op.create_index("ix_verdict_reason_rule", "verdict_reason", ["rule", "at"], unique=False)
    op.execute("CREATE SEQUENCE signal_seq OWNED BY signal.seq")
    for slot in range(_DAYS):
        op.execute(f"CREATE TABLE signal_{slot:02d} PARTITION OF signal FOR VALUES IN ({slot})")
    # The service's role owns no table and may not truncate: this is all it may empty, and only what is old.
    op.execute(
        """
        CREATE FUNCTION empty_signal_day(day integer, received_before timestamptz) RETURNS boolean
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        BEGIN
            IF EXISTS (SELECT FROM signal WHERE slot = day AND received_at >= received_before)
                OR NOT EXISTS (SELECT FROM signal WHERE slot = day)
            THEN
                RETURN false;
            END IF;
            EXECUTE format('TRUNCATE signal_%s', to_char(day, 'FM00'));
            RETURN true;
        END
        $$
        """
    )
    for table in _LEDGERS:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER append_only_all BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.execute("DROP FUNCTION empty_signal_day(integer, timestamptz)")
    for table in (
        "verdict_reason",
        "rule_approval",
        "verdict",
        "signal_minute",
        "signal",
        "rule_version",
        "rule_stop",
        "robot_snapshot",
        "robot_shard",
        "robot_draw",
    ):
        op.drop_table(table)
