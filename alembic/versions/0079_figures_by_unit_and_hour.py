"""Sums of months and days by unit, source, version of a script, hour and person, and what a case belongs to beside its
facts.

Nothing is counted here: the first refresh finds facts of older definitions and writes those of every case, in batches,
while the service works.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None

_COUNTS = """
    warnings cases cases_open cases_watching cases_proven cases_reversed cases_closed cases_missed
    cases_not_ours cases_ours cases_rung cases_answered cases_tried cases_reached cases_called_back
    verified_contact succeeded dissuaded dissuaded_by_phone dissuaded_in_person saw_through_it judged
    defrauded_after_warning found found_nothing false_alarms raised handed_to_person followed_up
    first_attempt_counted first_attempt_in_time first_attempt_pending first_attempt_not_wanted
    first_cases calls_mentioned robot_calls robot_calls_counted robot_calls_answered
    robot_calls_verified robot_calls_under_way robot_calls_own_fault robot_calls_cancelled
    robot_calls_unknown result_answered result_busy result_no_answer result_forwarded result_machine
    result_rejected result_powered_off result_invalid_number result_blocked result_failed
    result_canceled result_dead_air result_unknown follow_up_calls_counted follow_up_calls_not_counted
    follow_up_calls_answered follow_up_calls_verified follow_up_calls_undoing assignments_mentioned
    human_calls human_calls_waiting human_calls_withdrawn human_calls_reached visits visits_waiting
    visits_withdrawn visits_met sign_counted signed_in_time sign_pending sign_withdrawn feedback_counted
    feedback_in_time feedback_pending feedback_withdrawn
"""
_BARS = """
    first_bar_0 first_bar_1 first_bar_2 first_bar_3 first_bar_4 first_bar_5 first_bar_6 first_bar_7
    first_bar_8 first_bar_9 first_bar_10 first_bar_11 contact_bar_0 contact_bar_1 contact_bar_2
    contact_bar_3 contact_bar_4 contact_bar_5 contact_bar_6 contact_bar_7 contact_bar_8 contact_bar_9
    contact_bar_10 contact_bar_11
"""
_FEN = """
    intended_approved_fen intended_unapproved_fen intended_reversed_fen stopped_approved_fen
    stopped_unapproved_fen stopped_reversed_fen returned_approved_fen returned_unapproved_fen
    returned_reversed_fen
"""
_TREND = """
    warnings cases cases_ours robot_calls human_calls visits verified_contact dissuaded
    defrauded_after_warning
"""
_LATER = """
    cases_tried cases_reached cases_called_back followed_up follow_up_calls_counted follow_up_calls_not_counted
    follow_up_calls_answered follow_up_calls_verified follow_up_calls_undoing
"""


def upgrade() -> None:
    _tables()
    for name in _BARS.split():
        op.add_column("day_figure", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
        op.add_column("case_fact", sa.Column(name, sa.Integer(), nullable=True))
    for name in (*_COUNTS.split(), *_FEN.split()):
        op.alter_column("case_fact", name, nullable=True)
    op.add_column("case_fact", sa.Column("unit_id", sa.BigInteger(), nullable=True))
    op.add_column("case_fact", sa.Column("source", sa.Text(), nullable=True))
    op.add_column("case_fact", sa.Column("version", sa.Text(), nullable=True))
    op.add_column("case_fact", sa.Column("hour", sa.SmallInteger(), nullable=True))
    op.add_column("case_fact", sa.Column("person", sa.Text(), nullable=True))
    op.execute("DELETE FROM day_figure")
    op.execute("DELETE FROM case_fact")
    op.create_index("ix_case_fact_day", "case_fact", ["day"])
    op.create_index(
        "ix_case_fact_defrauded",
        "case_fact",
        ["case_id"],
        postgresql_where=sa.text("defrauded_after_warning > 0"),
    )
    _triggers()
    op.execute("DELETE FROM meta WHERE key = 'tally'")


def _tables() -> None:
    counts = [
        sa.Column(name, sa.Integer(), nullable=False, server_default="0" if name in _LATER.split() else None)
        for name in _COUNTS.split()
    ]
    op.create_table(
        "month_figure",
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("fraud_type", sa.Text(), nullable=False),
        *counts,
        *(sa.Column(name, sa.Integer(), nullable=False, server_default="0") for name in _BARS.split()),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _FEN.split()),
        sa.PrimaryKeyConstraint(
            "dimension", "value", "month", "drill", "grade", "fraud_type", name=op.f("pk_month_figure")
        ),
    )
    op.create_table(
        "day_trend",
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _TREND.split()),
        sa.PrimaryKeyConstraint("dimension", "value", "day", "drill", name=op.f("pk_day_trend")),
    )


def _triggers() -> None:
    """What a case belongs to is a part of its facts: a change of it is a mark too."""
    case = (
        "ROW({0}.grade, {0}.fraud_type, {0}.status, {0}.outcome, {0}.contact, {0}.missed, {0}.drill,"
        " {0}.opened_at, {0}.settled_at, {0}.first_attempt_at, {0}.policy_version, {0}.unit_id, {0}.source)"
    )
    assignment = (
        "ROW({0}.case_id, {0}.kind, {0}.state, {0}.outcome, {0}.drill, {0}.opened_at, {0}.signed_at,"
        " {0}.sign_by, {0}.done_at, {0}.feedback_by, {0}.done_by, {0}.reason)"
    )
    # The steps of a call between its sending and its end are many, and none of it.
    sent = (
        "ROW({0}.case_id, {0}.sent_at, {0}.result, {0}.contact, {0}.drill,"
        " CASE WHEN {0}.result = 'answered' THEN {0}.answer END,"
        " CASE WHEN {0}.contact = 'verified' THEN coalesce({0}.ended_at, {0}.answered_at) END,"
        " {0}.state IN ('planned', 'ready', 'claimed'), {0}.sid IS NULL AND {0}.result = 'canceled')"
    )
    always = "ROW({0}.sent_at, {0}.script_id, {0}.script_version_id, {0}.n)"
    for table, column, changed in (
        ("case", "id", _differ(case)),
        ("assignment", "case_id", _differ(assignment)),
        ("attempt", "case_id", f"{_differ(always)} OR NEW.sent_at IS NOT NULL AND {_differ(sent)}"),
    ):
        op.execute(f'DROP TRIGGER tally_changed ON "{table}"')
        op.execute(
            f'CREATE TRIGGER tally_changed AFTER UPDATE ON "{table}" FOR EACH ROW WHEN ({changed})'
            f" EXECUTE FUNCTION tally_mark_{column}()"
        )
    op.execute("DROP TRIGGER tally_added ON attempt")
    op.execute(
        "CREATE TRIGGER tally_added AFTER INSERT ON attempt FOR EACH ROW"
        " WHEN (NEW.sent_at IS NOT NULL OR NEW.script_id <> '') EXECUTE FUNCTION tally_mark_case_id()"
    )


def _differ(row: str) -> str:
    return f"{row.format('OLD')} IS DISTINCT FROM {row.format('NEW')}"


def downgrade() -> None:
    raise RuntimeError(
        "sums by more than grade and type are undone by restoring the backup that was made before them"
    )
