"""Effects become rows before anything is sent: attempts, assignments, ledger lines, alarms."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.domain.access import DESK, ROBOT
from dialer.domain.attempt import OPEN_STATES, AttemptEvent
from dialer.domain.case import Reason
from dialer.domain.errand import PENDING_STATES, AssignmentState
from dialer.domain.people import SUCCESSES
from dialer.domain.values import TelephonyResult
from dialer.store import alarms, assignments, messages, returns, stop_payments
from dialer.store import tables as t
from dialer.store.book import Book
from dialer.store.cases import StoredCase
from dialer.store.copying import CopyIn
from dialer.store.returns import move, moved
from dialer.store.rowset import RowSet, in_words
from dialer.store.unit_of_work import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCancel:
    """An attempt that rings or talks at the carrier and must not any more."""

    attempt_id: uuid.UUID
    sid: str


class _Rows:
    """Rows of one table, put in by one statement; a small list by a prepared INSERT, a large one by COPY."""

    def __init__(self, table: sa.Table, *columns: str) -> None:
        self._given = RowSet.of(table, "given", columns)
        self._insert = sa.insert(table).from_select(list(columns), self._given.select())
        self._copy = CopyIn(table, columns)
        self._columns = columns

    def insert(self, tx: Tx, rows: list[dict[str, Any]]) -> None:
        if len(rows) < _COPY_FROM:
            tx.execute(self._insert, self._given.given(rows))
            return
        columns = self._columns
        self._copy.write(tx, [tuple([row.get(name) for name in columns]) for row in rows])


_COPY_FROM = 100
_ATTEMPTS = _Rows(
    t.attempt,
    "id",
    "case_id",
    "person_id",
    "n",
    "number",
    "state",
    "reason",
    "windowed",
    "urgency_at",
    "not_before",
    "planned_at",
    "contact",
    "answer",
    "drill",
    "result",
    "ended_at",
)
_ASSIGNMENTS = _Rows(
    t.assignment,
    "case_id",
    "kind",
    "state",
    "reason",
    "unit",
    "unit_id",
    "urgency_at",
    "opened_at",
    "sign_by",
    "due_at",
    "feedback_by",
    "withdrawn_why",
    "done_at",
    "drill",
)
_OUTCOMES = _Rows(
    t.outcome,
    "case_id",
    "attempt_id",
    "kind",
    "contact",
    "track",
    "reason",
    "recorded_by",
    "at",
    "drill",
)


def write(tx: Tx, book: Book) -> list[ToCancel]:
    """Everything in the book is a row afterwards; returns the calls that the carrier must be told to end. Its attempts
    are locked in the order of their ids, and numbers after them.
    """
    if book.withdrawn_errands:
        _withdraw_errands(tx, book)
    if book.assignments:
        _ASSIGNMENTS.insert(tx, book.assignments)
    for case_id, hastened in book.hastened_errands:
        assignments.hasten(tx, case_id, hastened)
    for case_id, taken in book.taken:
        assignments.take(tx, case_id, taken, by=DESK, now=book.now)
    stop_payments.open_all(tx, book.stop_payments)
    messages.plan_all(tx, book.messages)
    if book.outcomes:
        _OUTCOMES.insert(tx, book.outcomes)
    for stored in book.reversals:
        _reverse(tx, stored, now=book.now)
    if book.alarms:
        alarms.ring_all(tx, book.alarms)
    _lock_attempts(tx, book)
    unsent, to_cancel = _withdraw_attempts(tx, book) if book.withdrawn_attempts else ([], [])
    if book.attempts:
        _ATTEMPTS.insert(tx, book.attempts)
    if book.hastened:
        _hasten(tx, book)
    returns.forget_numbers(tx, unsent)
    return to_cancel


_HASTEN = (
    move(AttemptEvent.DUE)
    .where(t.attempt.c.case_id == sa.bindparam("b_case_id"), t.attempt.c.n == sa.bindparam("b_n"))
    .values(
        not_before=sa.bindparam("not_before"),
        urgency_at=sa.bindparam("urgency_at"),
        windowed=sa.bindparam("windowed"),
        # What held it may cover it no more; a claim holds it again if it does.
        held=sa.false(),
        state=sa.case(
            (
                sa.bindparam("not_before", type_=sa.DateTime(timezone=True))
                <= sa.bindparam("b_now", type_=sa.DateTime(timezone=True)),
                moved(AttemptEvent.DUE),
            ),
            else_=moved(AttemptEvent.PUT_OFF),
        ),
    )
)


def _lock_attempts(tx: Tx, book: Book) -> None:
    """A statement that writes many takes them in any order; one alone needs none."""
    pairs = [*book.withdrawn_attempts, *((row["b_case_id"], row["b_n"]) for row in book.hastened)]
    if len(pairs) > 1:
        c = t.attempt.c
        found = sa.select(c.id).where(sa.tuple_(c.case_id, c.n).in_(pairs)).order_by(c.id)
        tx.execute(found.with_for_update())


def _hasten(tx: Tx, book: Book) -> None:
    tx.execute(_HASTEN, [row | {"b_now": book.now} for row in book.hastened])


def _withdraw_attempts(tx: Tx, book: Book) -> tuple[list[uuid.UUID], list[ToCancel]]:
    """Not yet sent: ended as canceled now, and returned first. At the carrier: marked, and returned to be cancelled
    there; its end comes back as an event. A claimed one is refused by its stale token just before the POST.
    """
    pairs = sa.tuple_(t.attempt.c.case_id, t.attempt.c.n).in_(book.withdrawn_attempts)
    ended = tx.rows(
        move(AttemptEvent.WITHDRAWN)
        .where(pairs)
        .values(
            result=TelephonyResult.CANCELED.value,
            ended_at=book.now,
            token=t.attempt.c.token + 1,
            cancel_asked=True,
        )
        .returning(t.attempt.c.id)
    )
    live = tx.rows(
        sa.update(t.attempt)
        .where(pairs, in_words(t.attempt.c.state, OPEN_STATES))
        .values(cancel_asked=True)
        .returning(t.attempt.c.id, t.attempt.c.sid)
    )
    to_cancel = [ToCancel(attempt_id=row["id"], sid=row["sid"]) for row in live if row["sid"]]
    return [row["id"] for row in ended], to_cancel


def _withdraw_errands(tx: Tx, book: Book) -> None:
    for case_id, track, why in book.withdrawn_errands:
        tx.execute(
            sa.update(t.assignment)
            .where(
                t.assignment.c.case_id == case_id,
                t.assignment.c.kind == track,
                in_words(t.assignment.c.state, PENDING_STATES),
            )
            .values(state=AssignmentState.WITHDRAWN.value, withdrawn_why=why, done_at=book.now)
        )


def _reverse(tx: Tx, stored: StoredCase, *, now: datetime) -> None:
    """A line that names the newest success that stands and undoes it, whatever else was recorded since."""
    later = t.outcome.alias()
    newest = tx.one(
        sa.select(t.outcome)
        .where(
            t.outcome.c.case_id == stored.case.id,
            t.outcome.c.kind.in_([kind.value for kind in SUCCESSES]),
            t.outcome.c.reason != Reason.CASE_FILED.value,
            ~sa.exists().where(later.c.reverses == t.outcome.c.id),
        )
        .order_by(t.outcome.c.id.desc())
        .limit(1)
    )
    if newest is not None:
        tx.execute(
            sa.insert(t.outcome).values(
                case_id=stored.case.id,
                kind=newest["kind"],
                contact=newest["contact"],
                track=newest["track"],
                reason=Reason.CASE_FILED.value,
                recorded_by=ROBOT,
                at=now,
                reverses=newest["id"],
                drill=stored.drill,
            )
        )
