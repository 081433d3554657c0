"""Effects become rows before anything is sent: attempts, assignments, ledger lines, alarms."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

import sqlalchemy as sa

from dialer.domain.attempt import AttemptState
from dialer.domain.case import Reason
from dialer.domain.effects import (
    Effect,
    HastenAttempt,
    HastenErrand,
    OpenErrand,
    OpenStopPayment,
    PlanAttempt,
    RaiseAlarm,
    RecordOutcome,
    ReverseOutcome,
    SendMessage,
    TakeErrand,
    WithdrawAttempt,
    WithdrawErrand,
)
from dialer.domain.errand import AssignmentState
from dialer.domain.people import SUCCESSES
from dialer.domain.values import Answer, Contact, TelephonyResult
from dialer.store import alarms, assignments, messages, stop_payments
from dialer.store import tables as t
from dialer.store.cases import StoredCase
from dialer.store.rowset import RowSet
from dialer.store.unit_of_work import Tx

ROBOT = "robot"
"""Who recorded an outcome that no person recorded."""
DESK = "duty desk"
"""Who signed for the assignment of a call that was handed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCancel:
    """An attempt that rings or talks at the carrier and must not any more."""

    attempt_id: uuid.UUID
    sid: str


@dataclass(slots=True, kw_only=True)
class Book:
    """The rows that a batch of decisions makes, gathered so that each table is written once."""

    now: datetime
    attempts: list[dict[str, Any]]
    assignments: list[dict[str, Any]]
    outcomes: list[dict[str, Any]]
    alarms: list[dict[str, Any]]
    reversals: list[StoredCase]
    withdrawn_attempts: list[tuple[int, int]]
    hastened: list[dict[str, Any]]
    withdrawn_errands: list[tuple[int, str, str]]
    hastened_errands: list[tuple[int, HastenErrand]]
    taken: list[tuple[int, TakeErrand]]
    stop_payments: list[dict[str, Any]]
    messages: list[dict[str, Any]]

    @staticmethod
    def begin(now: datetime) -> Book:
        return Book(
            now=now,
            attempts=[],
            assignments=[],
            outcomes=[],
            alarms=[],
            reversals=[],
            withdrawn_attempts=[],
            hastened=[],
            withdrawn_errands=[],
            hastened_errands=[],
            taken=[],
            stop_payments=[],
            messages=[],
        )

    def enter(  # noqa: C901, PLR0912  # one arm an effect, in one place
        self, stored: StoredCase, effects: Iterable[Effect], *, attempt_id: uuid.UUID | None = None
    ) -> None:
        """Adds one case's effects; `attempt_id` is the ring that an outcome came from."""
        case_id = stored.case.id
        for effect in effects:
            match effect:
                case PlanAttempt():
                    self.attempts.append(self._attempt(stored, effect))
                case WithdrawAttempt():
                    if not self._drop_unwritten(case_id, effect.n):
                        self.withdrawn_attempts.append((case_id, effect.n))
                case HastenAttempt():
                    self.hastened.append(
                        {
                            "b_case_id": case_id,
                            "b_n": effect.n,
                            "not_before": effect.not_before,
                            "urgency_at": effect.urgency_at,
                            "windowed": effect.windowed,
                        }
                    )
                case OpenErrand():
                    self.assignments.append(self._assignment(stored, effect))
                case HastenErrand():
                    self.hastened_errands.append((case_id, effect))
                case TakeErrand():
                    self.taken.append((case_id, effect))
                case SendMessage():
                    self.messages.append(messages.planned(stored, effect, at=self.now))
                case OpenStopPayment():
                    self.stop_payments.append(stop_payments.opened(stored, attempt_id, at=self.now))
                case WithdrawErrand():
                    if not self._drop_unopened(case_id, effect):
                        self.withdrawn_errands.append((case_id, effect.track.value, effect.reason.value))
                case RecordOutcome():
                    self.outcomes.append(
                        {
                            "case_id": case_id,
                            "attempt_id": attempt_id,
                            "kind": effect.outcome.value,
                            "contact": effect.contact.value,
                            "track": effect.track.value if effect.track else None,
                            "reason": effect.reason.value,
                            "recorded_by": ROBOT,
                            "at": self.now,
                            "drill": stored.drill,
                        }
                    )
                case ReverseOutcome():
                    self.reversals.append(stored)
                case RaiseAlarm():
                    self.alarms.append(
                        {
                            "code": effect.code.value,
                            "case_id": case_id,
                            "load_id": None,
                            "facts": {},
                            "raised_at": self.now,
                        }
                    )
                case _ as never:
                    assert_never(never)

    def _attempt(self, stored: StoredCase, effect: PlanAttempt) -> dict[str, Any]:
        ready = effect.not_before <= self.now
        return {
            "id": uuid.uuid4(),
            "case_id": stored.case.id,
            "person_id": stored.person_id,
            "n": effect.n,
            "number": effect.number,
            "state": (AttemptState.READY if ready else AttemptState.PLANNED).value,
            "reason": effect.reason.value,
            "windowed": effect.windowed,
            "urgency_at": effect.urgency_at,
            "not_before": effect.not_before,
            "planned_at": self.now,
            "contact": Contact.NONE.value,
            "answer": Answer.NONE.value,
            "drill": stored.drill,
        }

    def _assignment(self, stored: StoredCase, effect: OpenErrand) -> dict[str, Any]:
        return {
            "case_id": stored.case.id,
            "kind": effect.track.value,
            "state": AssignmentState.OPEN.value,
            "reason": effect.reason.value,
            "unit": stored.unit,
            "urgency_at": effect.urgency_at,
            "opened_at": self.now,
            "sign_by": effect.sign_by,
            "due_at": effect.due_at,
            "feedback_by": effect.feedback_by,
            "withdrawn_why": None,
            "done_at": None,
            "drill": stored.drill,
        }

    def _drop_unwritten(self, case_id: int, n: int) -> bool:
        """A ring planned and withdrawn within the same batch keeps its row, ended before it began."""
        for row in self.attempts:
            if row["case_id"] == case_id and row["n"] == n:
                row |= {
                    "state": AttemptState.ENDED.value,
                    "result": TelephonyResult.CANCELED.value,
                    "ended_at": self.now,
                }
                return True
        return False

    def _drop_unopened(self, case_id: int, effect: WithdrawErrand) -> bool:
        """An errand opened and withdrawn within the same batch keeps its row, withdrawn before anybody saw it."""
        for row in self.assignments:
            if (
                row["case_id"] == case_id
                and row["kind"] == effect.track.value
                and row["state"] == AssignmentState.OPEN.value
            ):
                row |= {
                    "state": AssignmentState.WITHDRAWN.value,
                    "withdrawn_why": effect.reason.value,
                    "done_at": self.now,
                }
                return True
        return False


class _Rows:
    """Rows of one table, put in by one statement; a small list by a prepared INSERT, a large one by COPY."""

    def __init__(self, table: sa.Table, *columns: str) -> None:
        self._given = RowSet.of(table, "given", columns)
        self._insert = sa.insert(table).from_select(list(columns), self._given.select())
        names = ", ".join(f'"{name}"' for name in columns)
        self._copy = f'COPY "{table.name}" ({names}) FROM STDIN'
        self._columns = columns

    def insert(self, tx: Tx, rows: list[dict[str, Any]]) -> None:
        if len(rows) < _COPY_FROM:
            tx.execute(self._insert, self._given.given(rows))
            return
        columns = self._columns
        tx.copy_in(self._copy, [tuple([row.get(name) for name in columns]) for row in rows])


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
    """Everything in the book is a row afterwards; returns the calls that the carrier must be told to end."""
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
    to_cancel = _withdraw_attempts(tx, book) if book.withdrawn_attempts else []
    if book.attempts:
        _ATTEMPTS.insert(tx, book.attempts)
    if book.hastened:
        _hasten(tx, book)
    return to_cancel


_HASTEN = (
    sa.update(t.attempt)
    .where(
        t.attempt.c.case_id == sa.bindparam("b_case_id"),
        t.attempt.c.n == sa.bindparam("b_n"),
        sa.or_(
            t.attempt.c.state == AttemptState.PLANNED.value, t.attempt.c.state == AttemptState.READY.value
        ),
    )
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
                AttemptState.READY.value,
            ),
            else_=AttemptState.PLANNED.value,
        ),
    )
)


def _hasten(tx: Tx, book: Book) -> None:
    tx.execute(_HASTEN, [row | {"b_now": book.now} for row in book.hastened])


def _withdraw_attempts(tx: Tx, book: Book) -> list[ToCancel]:
    """Not yet sent: ended as canceled now. At the carrier: marked, and returned to be cancelled there; its end comes
    back as an event. A claimed one is refused by its stale token just before the POST.
    """
    pairs = sa.tuple_(t.attempt.c.case_id, t.attempt.c.n).in_(book.withdrawn_attempts)
    unsent = [AttemptState.PLANNED.value, AttemptState.READY.value, AttemptState.CLAIMED.value]
    ended = tx.rows(
        sa.update(t.attempt)
        .where(pairs, t.attempt.c.state.in_(unsent))
        .values(
            state=AttemptState.ENDED.value,
            result=TelephonyResult.CANCELED.value,
            ended_at=book.now,
            token=t.attempt.c.token + 1,
            cancel_asked=True,
        )
        .returning(t.attempt.c.id)
    )
    if ended:
        tx.execute(
            sa.delete(t.live_number).where(t.live_number.c.attempt_id.in_([row["id"] for row in ended]))
        )
    live = tx.rows(
        sa.update(t.attempt)
        .where(pairs, t.attempt.c.state != AttemptState.ENDED.value)
        .values(cancel_asked=True)
        .returning(t.attempt.c.id, t.attempt.c.sid)
    )
    return [ToCancel(attempt_id=row["id"], sid=row["sid"]) for row in live if row["sid"]]


def _withdraw_errands(tx: Tx, book: Book) -> None:
    for case_id, track, why in book.withdrawn_errands:
        tx.execute(
            sa.update(t.assignment)
            .where(
                t.assignment.c.case_id == case_id,
                t.assignment.c.kind == track,
                t.assignment.c.state.in_([AssignmentState.OPEN.value, AssignmentState.SIGNED.value]),
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
