"""Reads what a plan is judged on: cases, calls, tasks and warnings of some days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.control.plan_judgement import CallRow, CaseRow, TaskRow, WarningRow, WeekRows, WeekSource
from dialer.core.case import Reason
from dialer.core.rates import COUNTED_RESULTS
from dialer.core.sources import Asked
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.db.bulk import in_words
from dialer.db.sources import all_sources
from dialer.db.unit_of_work import Row, Tx, record_of


def read_week(tx: Tx, *, start: datetime, now: datetime, most: int) -> WeekRows:
    """What has happened since `start`, of each kind the newest `most` rows; then all kinds begin later."""
    c, a, s, w = t.case.c, t.attempt.c, t.assignment.c, t.warning.c
    of_case = sa.select(c.grade)
    is_try = sa.and_(
        c.opened_at >= start,
        a.reason != Reason.FOLLOW_UP.value,
        in_words(a.result, COUNTED_RESULTS),
    )
    number_of_try = sa.func.row_number().over(partition_by=(a.case_id, is_try), order_by=a.n)
    amount = sa.func.greatest(
        sa.func.coalesce(w.amount_at_risk_fen, 0), sa.func.coalesce(w.amount_paid_fen, 0)
    )
    kinds: tuple[tuple[sa.Select[Any], sa.ColumnElement[Any]], ...] = (
        (sa.select(c.grade, c.opened_at, c.first_attempt_at), c.opened_at),
        (
            of_case.add_columns(
                sa.case((is_try, number_of_try), else_=0).label("n"),
                a.posted_at,
                a.sent_at,
                sa.func.coalesce(a.ended_at, a.sent_at).label("ended_at"),
            )
            .join(t.attempt, a.case_id == c.id)
            .where(a.posted_at.is_not(None), a.sent_at.is_not(None)),
            a.sent_at,
        ),
        (
            of_case.add_columns(s.kind, s.opened_at, s.signed_at, s.done_at).join(
                t.assignment, s.case_id == c.id
            ),
            s.opened_at,
        ),
        (
            sa.select(w.source, w.loaded_at, w.grade, amount.label("amount_fen")).where(w.load_id.is_(None)),
            w.loaded_at,
        ),
    )
    read = [_newest(tx, statement, at, start, most) for statement, at in kinds]
    begun = max([start, *(rows[0]["at"] for rows in read if len(rows) == most)])
    cases, calls, tasks, warnings = ([row for row in rows if row["at"] >= begun] for rows in read)
    return WeekRows(
        start=begun,
        now=now,
        cases=[record_of(CaseRow, row) for row in cases],
        calls=[record_of(CallRow, row) for row in calls],
        tasks=[record_of(TaskRow, row) for row in tasks],
        warnings=[
            WarningRow(
                source=row["source"],
                at=row["at"],
                asked=Asked(grade=Grade(row["grade"]), amount_fen=row["amount_fen"]),
            )
            for row in warnings
        ],
        sources={
            source.name: WeekSource(on_probation=source.on_probation, own_limits=source.own_limits)
            for source in all_sources(tx, now=now)
        },
    )


def _newest(
    tx: Tx, statement: sa.Select[Any], at: sa.ColumnElement[Any], start: datetime, most: int
) -> Sequence[Row]:
    """The newest rows, in the order of `at`, which is also a column of that name."""
    found = statement.add_columns(at.label("at")).where(at >= start).order_by(at.desc()).limit(most)
    return list(reversed(tx.rows(found)))
