"""The report is summed from rows with a column a figure; until now from numbers with a bit a figure.

Nothing is counted here: the first fold finds no facts and writes those of every case, in batches, while the service
works.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_COUNTS = """
    warnings cases cases_open cases_watching cases_proven cases_reversed cases_closed cases_missed
    cases_not_ours cases_ours cases_rung cases_answered verified_contact succeeded dissuaded dissuaded_by_phone
    dissuaded_in_person saw_through_it judged defrauded_after_warning found found_nothing false_alarms raised
    handed_to_person first_attempt_counted first_attempt_in_time first_attempt_pending first_attempt_not_wanted
    first_cases calls_mentioned robot_calls robot_calls_counted robot_calls_answered robot_calls_verified
    robot_calls_under_way robot_calls_own_fault robot_calls_cancelled robot_calls_unknown result_answered
    result_busy result_no_answer result_forwarded result_machine result_rejected result_powered_off
    result_invalid_number result_blocked result_failed result_canceled result_unknown assignments_mentioned
    human_calls human_calls_waiting human_calls_withdrawn human_calls_reached visits visits_waiting
    visits_withdrawn visits_met sign_counted signed_in_time sign_pending sign_withdrawn feedback_counted
    feedback_in_time feedback_pending feedback_withdrawn
"""
_FEN = """
    intended_approved_fen intended_unapproved_fen intended_reversed_fen stopped_approved_fen
    stopped_unapproved_fen stopped_reversed_fen returned_approved_fen returned_unapproved_fen
    returned_reversed_fen
"""


def _slice() -> list[sa.Column[object]]:
    return [
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("fraud_type", sa.Text(), nullable=False),
    ]


def _figures() -> list[sa.Column[int]]:
    counts = [sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS.split()]
    return counts + [sa.Column(name, sa.BigInteger(), nullable=False) for name in _FEN.split()]


def upgrade() -> None:
    op.drop_table("tally")
    op.drop_table("tally_case")
    op.create_table(
        "day_figure",
        *_slice(),
        *_figures(),
        sa.PrimaryKeyConstraint("day", "drill", "grade", "fraud_type", name=op.f("pk_day_figure")),
    )
    op.create_table(
        "case_fact",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        *_slice(),
        sa.Column("first_seconds", sa.Double(), nullable=True),
        sa.Column("turns_at", sa.DateTime(timezone=True), nullable=True),
        *_figures(),
    )
    op.create_index("ix_case_fact_case_id", "case_fact", ["case_id"])
    op.create_index(
        "ix_case_fact_turns_at", "case_fact", ["turns_at"], postgresql_where=sa.text("turns_at IS NOT NULL")
    )
    op.create_index(
        "ix_case_fact_first_seconds",
        "case_fact",
        ["first_seconds"],
        postgresql_include=["day", "drill", "grade", "fraud_type", "case_id"],
        postgresql_where=sa.text("first_seconds IS NOT NULL"),
    )
    op.execute("DELETE FROM meta WHERE key = 'tally'")


def downgrade() -> None:
    raise RuntimeError("fact rows are undone by restoring the backup that was made before them")
