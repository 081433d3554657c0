"""What a batch of decisions asks for, gathered row by row before anything is written.

Effects become rows before anything is sent: attempts, assignments, ledger lines, alarms.

Applies events to locked cases: decide each, save all, write the effects, say what the carrier must end.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, assert_never

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.cases.alarms import raise_alarms
from dialer.cases.attempts import attempt_update, moved, release_uncalled_numbers
from dialer.cases.store import Policies, StoredCase, save_cases
from dialer.core.access import DESK, ROBOT
from dialer.core.attempt import OPEN_STATES, AttemptEvent, AttemptState
from dialer.core.case import PENDING_STATES, AssignmentState, Case, Reason
from dialer.core.decide import decide
from dialer.core.effects import (
    AssignToDutyDesk,
    Effect,
    ExpediteAssignment,
    ExpediteAttempt,
    OpenAssignment,
    OpenStopPayment,
    PlanAttempt,
    RaiseAlarm,
    RecordOutcome,
    ReverseOutcome,
    SendMessage,
    WithdrawAssignment,
    WithdrawAttempt,
)
from dialer.core.events import Event
from dialer.core.values import Answer, Contact, MessageState, TelephonyResult
from dialer.core.work_rules import SUCCESSES
from dialer.db import tables as t
from dialer.db.bulk import CopyIn, RowSet, in_words
from dialer.db.unit_of_work import Tx
from dialer.db.vault import RandomPieces

_ids = RandomPieces(16)

Pieces = tuple[tuple[str, list[Any]], ...]
"""Rows cut out of a book, by the name of their list."""


@dataclass(slots=True, kw_only=True)
class PendingWrites:
    """The rows that a batch of decisions makes, gathered so that each table is written once."""

    now: datetime
    attempts: list[dict[str, Any]]
    assignments: list[dict[str, Any]]
    outcomes: list[dict[str, Any]]
    alarms: list[dict[str, Any]]
    reversals: list[StoredCase]
    withdrawn_attempts: list[tuple[int, int]]
    expedited_attempts: list[dict[str, Any]]
    withdrawn_assignments: list[tuple[int, str, str]]
    expedited_assignments: list[tuple[int, ExpediteAssignment]]
    taken: list[tuple[int, AssignToDutyDesk]]
    stop_payments: list[dict[str, Any]]
    messages: list[dict[str, Any]]

    @staticmethod
    def begin(now: datetime) -> PendingWrites:
        return PendingWrites(
            now=now,
            attempts=[],
            assignments=[],
            outcomes=[],
            alarms=[],
            reversals=[],
            withdrawn_attempts=[],
            expedited_attempts=[],
            withdrawn_assignments=[],
            expedited_assignments=[],
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
                case ExpediteAttempt():
                    self.expedited_attempts.append(
                        {
                            "b_case_id": case_id,
                            "b_n": effect.n,
                            "not_before": effect.not_before,
                            "urgency_at": effect.urgency_at,
                            "windowed": effect.windowed,
                        }
                    )
                case OpenAssignment():
                    self.assignments.append(self._assignment(stored, effect))
                case ExpediteAssignment():
                    self.expedited_assignments.append((case_id, effect))
                case AssignToDutyDesk():
                    self.taken.append((case_id, effect))
                case SendMessage():
                    self.messages.append(message_row(stored, effect, at=self.now))
                case OpenStopPayment():
                    self.stop_payments.append(stop_payment_row(stored, attempt_id, at=self.now))
                case WithdrawAssignment():
                    if not self._drop_unopened(case_id, effect):
                        self.withdrawn_assignments.append((case_id, effect.track.value, effect.reason.value))
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

    def cut(self) -> Pieces:
        """What has been entered since the last cut, out of this book and ready for another of the same moment."""
        pieces = []
        for name in _LISTS:
            rows = getattr(self, name)
            if rows:
                pieces.append((name, rows))
                setattr(self, name, [])
        return tuple(pieces)

    def paste(self, pieces: Pieces) -> None:
        for name, rows in pieces:
            getattr(self, name).extend(rows)

    def _attempt(self, stored: StoredCase, effect: PlanAttempt) -> dict[str, Any]:
        ready = effect.not_before <= self.now
        return {
            "id": uuid.UUID(bytes=_ids.take(), version=4),
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

    def _assignment(self, stored: StoredCase, effect: OpenAssignment) -> dict[str, Any]:
        return {
            "case_id": stored.case.id,
            "kind": effect.track.value,
            "state": AssignmentState.OPEN.value,
            "reason": effect.reason.value,
            "unit": stored.unit,
            "unit_id": stored.unit_id,
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

    def _drop_unopened(self, case_id: int, effect: WithdrawAssignment) -> bool:
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


_LISTS = tuple(field.name for field in fields(PendingWrites) if field.name != "now")


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


def write_effects(tx: Tx, pending_writes: PendingWrites) -> list[ToCancel]:
    """Everything in the book is a row afterwards; returns the calls that the carrier must be told to end. Its attempts
    are locked in the order of their ids, and numbers after them.
    """
    if pending_writes.withdrawn_assignments:
        _withdraw_assignments(tx, pending_writes)
    if pending_writes.assignments:
        _ASSIGNMENTS.insert(tx, pending_writes.assignments)
    for case_id, expedited_attempts in pending_writes.expedited_assignments:
        expedite_assignments(tx, case_id, expedited_attempts)
    for case_id, taken in pending_writes.taken:
        assign_to_duty_desk(tx, case_id, taken, by=DESK, now=pending_writes.now)
    insert_stop_payments(tx, pending_writes.stop_payments)
    insert_messages(tx, pending_writes.messages)
    if pending_writes.outcomes:
        _OUTCOMES.insert(tx, pending_writes.outcomes)
    for stored in pending_writes.reversals:
        _reverse(tx, stored, now=pending_writes.now)
    if pending_writes.alarms:
        raise_alarms(tx, pending_writes.alarms)
    _lock_attempts(tx, pending_writes)
    unsent, to_cancel = (
        _withdraw_attempts(tx, pending_writes) if pending_writes.withdrawn_attempts else ([], [])
    )
    if pending_writes.attempts:
        _ATTEMPTS.insert(tx, pending_writes.attempts)
    if pending_writes.expedited_attempts:
        _expedite(tx, pending_writes)
    release_uncalled_numbers(tx, unsent)
    return to_cancel


_EXPEDITE = (
    attempt_update(AttemptEvent.DUE)
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


def _lock_attempts(tx: Tx, pending_writes: PendingWrites) -> None:
    """A statement that writes many takes them in any order; one alone needs none."""
    pairs = [
        *pending_writes.withdrawn_attempts,
        *((row["b_case_id"], row["b_n"]) for row in pending_writes.expedited_attempts),
    ]
    if len(pairs) > 1:
        c = t.attempt.c
        found = sa.select(c.id).where(sa.tuple_(c.case_id, c.n).in_(pairs)).order_by(c.id)
        tx.execute(found.with_for_update())


def _expedite(tx: Tx, pending_writes: PendingWrites) -> None:
    tx.execute(_EXPEDITE, [row | {"b_now": pending_writes.now} for row in pending_writes.expedited_attempts])


def _withdraw_attempts(tx: Tx, pending_writes: PendingWrites) -> tuple[list[uuid.UUID], list[ToCancel]]:
    """Not yet sent: ended as canceled now, and returned first. At the carrier: marked, and returned to be cancelled
    there; its end comes back as an event. A claimed one is refused by its stale token just before the POST.
    """
    pairs = sa.tuple_(t.attempt.c.case_id, t.attempt.c.n).in_(pending_writes.withdrawn_attempts)
    ended = tx.rows(
        attempt_update(AttemptEvent.WITHDRAWN)
        .where(pairs)
        .values(
            result=TelephonyResult.CANCELED.value,
            ended_at=pending_writes.now,
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


def _withdraw_assignments(tx: Tx, pending_writes: PendingWrites) -> None:
    for case_id, track, why in pending_writes.withdrawn_assignments:
        tx.execute(
            sa.update(t.assignment)
            .where(
                t.assignment.c.case_id == case_id,
                t.assignment.c.kind == track,
                in_words(t.assignment.c.state, PENDING_STATES),
            )
            .values(state=AssignmentState.WITHDRAWN.value, withdrawn_why=why, done_at=pending_writes.now)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Something that happened to a case; `attempt_id` names the ring it came from."""

    case_id: int
    event: Event
    attempt_id: uuid.UUID | None = None


def move_cases(
    tx: Tx, locked: dict[int, StoredCase], moves: Sequence[Move], *, policies: Policies, now: datetime
) -> list[ToCancel]:
    """Every move in order. `locked` holds the cases of this transaction and is brought up to date."""
    pending_writes = PendingWrites.begin(now)
    changed: dict[int, Case] = {}
    for one in moves:
        stored = locked.get(one.case_id)
        if stored is None:
            continue
        decision = decide(stored.case, one.event, now, policies.of(stored.case.policy_version))
        if decision.case == stored.case and not decision.effects:
            continue
        stored = replace(stored, case=decision.case)
        locked[one.case_id] = stored
        changed[one.case_id] = decision.case
        pending_writes.enter(stored, decision.effects, attempt_id=one.attempt_id)
    save_cases(tx, changed.values(), now=now)
    return write_effects(tx, pending_writes)


def message_row(stored: StoredCase, effect: SendMessage, *, at: datetime) -> dict[str, Any]:
    """The row of a new message."""
    return {
        "id": uuid.uuid4(),
        "case_id": stored.case.id,
        "person_id": stored.person_id,
        "number": effect.number,
        "purpose": effect.purpose.value,
        "state": MessageState.PLANNED.value,
        "planned_at": at,
        "not_before": at,
        "drill": stored.drill,
    }


def insert_messages(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Each is planned afterwards, unless the case had one for that purpose."""
    if rows:
        tx.wanted.add(SENDING_TASK)
        tx.execute(
            insert(t.message).values(list(rows)).on_conflict_do_nothing(index_elements=["case_id", "purpose"])
        )


SENDING_TASK = "send_messages"


def stop_payment_row(stored: StoredCase, attempt_id: uuid.UUID | None, *, at: datetime) -> dict[str, Any]:
    """The row of a new task; `attempt_id` is the ring in which it was said."""
    return {"case_id": stored.case.id, "attempt_id": attempt_id, "opened_at": at, "drill": stored.drill}


def insert_stop_payments(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Each is open afterwards, or was before."""
    if rows:
        tx.execute(
            insert(t.stop_payment)
            .values(list(rows))
            .on_conflict_do_nothing(
                index_elements=["case_id"], index_where=t.stop_payment.c.done_at.is_(None)
            )
        )


def expedite_assignments(tx: Tx, case_id: int, effect: ExpediteAssignment) -> None:
    """The case's open or signed assignment of that kind stands at its new place in the queue."""
    tx.execute(
        sa.update(t.assignment)
        .where(
            t.assignment.c.case_id == case_id,
            t.assignment.c.kind == effect.track.value,
            in_words(t.assignment.c.state, PENDING_STATES),
        )
        .values(urgency_at=effect.urgency_at, reason=effect.reason.value)
    )


def assign_to_duty_desk(tx: Tx, case_id: int, effect: AssignToDutyDesk, *, by: str, now: datetime) -> None:
    """The case's open assignment of that kind is this desk's, and goes back to the queue as in `sign`; a signed one
    stays whose it is.
    """
    tx.execute(
        sa.update(t.assignment)
        .where(
            t.assignment.c.case_id == case_id,
            t.assignment.c.kind == effect.track.value,
            t.assignment.c.state == AssignmentState.OPEN.value,
        )
        .values(
            state=AssignmentState.SIGNED.value,
            signed_by=by,
            signed_at=now,
            idle_at=sa.func.greatest(t.assignment.c.due_at, now + IDLE_ASSIGNMENT),
        )
    )


IDLE_ASSIGNMENT = timedelta(minutes=30)
