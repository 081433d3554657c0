"""The tally of the report, the marks that keep it exact, and indexes for windows that are no whole days.

Nothing is counted here: the first fold finds an empty tally and counts every case, in batches, while the service works.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_WATCHED = {
    "case": (
        "grade, fraud_type, status, outcome, contact, missed, drill, opened_at, settled_at, first_attempt_at,"
        " policy_version"
    ),
    "warning": "case_id, grade, fraud_type, drill, loaded_at",
    "assignment": (
        "case_id, kind, state, outcome, drill, opened_at, signed_at, sign_by, done_at, feedback_by"
    ),
}


def _row(which: str, columns: str) -> str:
    return "ROW({})".format(", ".join(f"{which}.{column.strip()}" for column in columns.split(",")))


def _attempt(which: str) -> str:
    """What of a sent attempt a report asks; the steps between, which are many, are none of it."""
    return (
        f"ROW({which}.case_id, {which}.sent_at, {which}.result, {which}.contact, {which}.drill,"
        f" {which}.state IN ('planned', 'ready', 'claimed'), {which}.sid IS NULL AND {which}.result = 'canceled')"
    )


def upgrade() -> None:
    _tables()
    _indexes()
    _triggers()


def _tables() -> None:
    op.create_table(
        "tally",
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("whole_month", sa.Boolean(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("slice", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("measure", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("drill", "whole_month", "start", "slice", "measure", name=op.f("pk_tally")),
    )
    op.create_table(
        "tally_case",
        sa.Column("case_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("atoms", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("first_us", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("fraud_type", sa.SmallInteger(), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("turns_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_tally_case")),
        postgresql_with={"fillfactor": 80},
    )
    op.create_table("tally_mark", sa.Column("case_id", sa.BigInteger(), nullable=False))
    # Marks come and go in thousands: left alone, a report would read the dead ones.
    op.execute(
        "ALTER TABLE tally_mark SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)"
    )


def _indexes() -> None:
    op.create_index(
        "ix_tally_case_turns_at",
        "tally_case",
        ["turns_at"],
        unique=False,
        postgresql_where=sa.text("turns_at IS NOT NULL"),
    )
    for name in ("grade", "fraud_type"):
        op.create_index(
            f"ix_tally_case_by_{name}",
            "tally_case",
            ["drill", name, "first_us"],
            unique=False,
            postgresql_include=["day", "case_id"],
            postgresql_where=sa.text("first_us IS NOT NULL"),
        )
    op.create_index("ix_attempt_sent_at", "attempt", ["sent_at"], unique=False, postgresql_using="brin")
    op.create_index("ix_assignment_opened_at", "assignment", ["opened_at"], unique=False)
    op.create_index(
        "ix_outcome_money",
        "outcome",
        ["at"],
        unique=False,
        postgresql_where=sa.text("intended_fen + stopped_fen + returned_fen > 0"),
    )
    op.create_index("ix_outcome_drill", "outcome", ["at"], unique=False, postgresql_where=sa.text("drill"))
    op.create_index(
        "ix_outcome_reverses",
        "outcome",
        ["reverses"],
        unique=False,
        postgresql_where=sa.text("reverses IS NOT NULL"),
    )


def _triggers() -> None:
    """A mark is written by the statement that changes a figure, so that both are committed or neither is."""
    for column in ("id", "case_id"):
        op.execute(
            f"""
            CREATE FUNCTION tally_mark_{column}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO tally_mark VALUES (NEW.{column});
                IF TG_OP = 'UPDATE' AND OLD.{column} <> NEW.{column} THEN
                    INSERT INTO tally_mark VALUES (OLD.{column});
                END IF;
                RETURN NULL;
            END
            $$
            """
        )
        op.execute(
            f"""
            CREATE FUNCTION tally_marks_{column}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO tally_mark SELECT DISTINCT {column} FROM changed;
                RETURN NULL;
            END
            $$
            """
        )
    for table in ("case", "warning", "attempt", "assignment"):
        column = "id" if table == "case" else "case_id"
        op.execute(
            f'CREATE TRIGGER tally_deleted AFTER DELETE ON "{table}" REFERENCING OLD TABLE AS changed'
            f" FOR EACH STATEMENT EXECUTE FUNCTION tally_marks_{column}()"
        )
        changed = (
            f"OLD.sent_at IS DISTINCT FROM NEW.sent_at OR NEW.sent_at IS NOT NULL AND"
            f" {_attempt('OLD')} IS DISTINCT FROM {_attempt('NEW')}"
            if table == "attempt"
            else f"{_row('OLD', _WATCHED[table])} IS DISTINCT FROM {_row('NEW', _WATCHED[table])}"
        )
        op.execute(
            f'CREATE TRIGGER tally_changed AFTER UPDATE ON "{table}" FOR EACH ROW WHEN ({changed})'
            f" EXECUTE FUNCTION tally_mark_{column}()"
        )
    for table in ("case", "warning", "assignment", "filed_case"):
        column = "id" if table == "case" else "case_id"
        op.execute(
            f'CREATE TRIGGER tally_added AFTER INSERT ON "{table}" REFERENCING NEW TABLE AS changed'
            f" FOR EACH STATEMENT EXECUTE FUNCTION tally_marks_{column}()"
        )
    op.execute(
        "CREATE TRIGGER tally_added AFTER INSERT ON attempt FOR EACH ROW WHEN (NEW.sent_at IS NOT NULL)"
        " EXECUTE FUNCTION tally_mark_case_id()"
    )


def downgrade() -> None:
    for table in ("case", "warning", "attempt", "assignment"):
        op.execute(f'DROP TRIGGER tally_deleted ON "{table}"')
        op.execute(f'DROP TRIGGER tally_changed ON "{table}"')
    for table in ("case", "warning", "assignment", "filed_case", "attempt"):
        op.execute(f'DROP TRIGGER tally_added ON "{table}"')
    for column in ("id", "case_id"):
        op.execute(f"DROP FUNCTION tally_mark_{column}()")
        op.execute(f"DROP FUNCTION tally_marks_{column}()")
    op.drop_index("ix_outcome_reverses", table_name="outcome")
    op.drop_index("ix_outcome_drill", table_name="outcome")
    op.drop_index("ix_outcome_money", table_name="outcome")
    op.drop_index("ix_assignment_opened_at", table_name="assignment")
    op.drop_index("ix_attempt_sent_at", table_name="attempt")
    op.drop_table("tally_mark")
    op.drop_table("tally_case")
    op.drop_table("tally")
    op.execute("DELETE FROM meta WHERE key = 'tally'")
