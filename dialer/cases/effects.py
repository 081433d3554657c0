"""Applies events to locked cases: decides each event, saves the cases, and writes the effects as rows (attempts,
assignments, outcomes, alarms, messages) before anything is sent. The rows of a batch are collected, so that each table
is written once.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, assert_never

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.cases.attempts import attempt_update, release_uncalled_numbers, state_after_event
from dialer.cases.store import StoredCase, save_cases
from dialer.core.access import DESK, ROBOT
from dialer.core.attempt import OPEN_STATES, AttemptEvent, AttemptState
from dialer.core.case import CLAIM_ENDED, NO_CALL, PENDING_STATES, AssignmentState, Case, Reason
from dialer.core.decide import decide
from dialer.core.events import (
    AssignToDutyDesk,
    Effect,
    Event,
    ExpediteAssignment,
    ExpediteAttempt,
    OpenAssignment,
    OpenStopPayment,
    PlanAttempt,
    RaiseAlarm,
    RecordOutcome,
    RestoreOutcome,
    ReverseOutcome,
    SendMessage,
    WithdrawAssignment,
    WithdrawAttempt,
)
from dialer.core.values import (
    AMOUNTS_ONLY,
    MONEY_REFUSED,
    SUCCESSES,
    Answer,
    Contact,
    MessageState,
    TelephonyResult,
    Track,
)
from dialer.db import tables as t
from dialer.db.alarms import alarm_row, raise_alarms
from dialer.db.bulk import CopyIn, RowSet, in_words, moment
from dialer.db.columns import is_reversed
from dialer.db.policies import Policies
from dialer.db.unit_of_work import Row, Tx
from dialer.db.vault import RandomPieces

_ids = RandomPieces(16)

Pieces = tuple[tuple[str, list[Any]], ...]
"""Rows taken out of a `PendingWrites`, by the name of their list."""
Rows = list[dict[str, Any]]


@dataclass(slots=True, kw_only=True)
class PendingWrites:
    """The rows that a batch of decisions produces, collected so that each table is written once."""

    now: datetime
    attempts: Rows = field(default_factory=list)
    assignments: Rows = field(default_factory=list)
    outcomes: Rows = field(default_factory=list)
    alarms: Rows = field(default_factory=list)
    reversals: list[tuple[StoredCase, ReverseOutcome]] = field(default_factory=list)
    filed: list[StoredCase] = field(default_factory=list)
    restored: list[StoredCase] = field(default_factory=list)
    withdrawn_attempts: list[tuple[int, int]] = field(default_factory=list)
    expedited_attempts: Rows = field(default_factory=list)
    withdrawn_assignments: list[tuple[int, WithdrawAssignment]] = field(default_factory=list)
    expedited_assignments: list[tuple[int, ExpediteAssignment]] = field(default_factory=list)
    assigned_to_desk: list[tuple[int, AssignToDutyDesk]] = field(default_factory=list)
    stop_payments: Rows = field(default_factory=list)
    unless_known: set[int] = field(default_factory=set)
    """The cases whose stop-payment task is opened only if they never had one."""
    messages: Rows = field(default_factory=list)

    def enter(  # noqa: C901, PLR0912  # one arm an effect, in one place
        self, stored: StoredCase, effects: Iterable[Effect], *, attempt_id: uuid.UUID | None = None
    ) -> None:
        """Adds the effects of one case; `attempt_id` is the call attempt that they come from."""
        case_id = stored.case.id
        for effect in effects:
            match effect:
                case PlanAttempt():
                    self.attempts.append(self._attempt(stored, effect))
                case WithdrawAttempt():
                    if not self._cancel_unwritten(case_id, effect.n):
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
                    self.assigned_to_desk.append((case_id, effect))
                case SendMessage():
                    self.messages.append(message_row(stored, effect, at=self.now))
                case OpenStopPayment():
                    self.stop_payments.append(
                        {
                            "case_id": case_id,
                            "attempt_id": attempt_id,
                            "opened_at": self.now,
                            "drill": stored.drill,
                        }
                    )
                    if effect.unless_known:
                        self.unless_known.add(case_id)
                case WithdrawAssignment():
                    if not self._withdraw_unwritten(case_id, effect):
                        self.withdrawn_assignments.append((case_id, effect))
                case RecordOutcome():
                    if effect.reason is Reason.CASE_FILED:
                        self.filed.append(stored)
                    self.outcomes.append(self._outcome(stored, effect, attempt_id))
                case ReverseOutcome():
                    self.reversals.append((stored, effect))
                case RestoreOutcome():
                    self.restored.append(stored)
                case RaiseAlarm():
                    self.alarms.append(alarm_row(effect.code, at=self.now, case_id=case_id))
                case _ as never:
                    assert_never(never)

    def cut(self) -> Pieces:
        """Takes out the rows that were entered since the last cut, for another `PendingWrites` of the same moment."""
        pieces = []
        for name in _LISTS:
            rows = getattr(self, name)
            if rows:
                pieces.append((name, rows))
                setattr(self, name, [])
        return tuple(pieces)

    def paste(self, pieces: Pieces) -> None:
        """Adds rows that were taken out of another `PendingWrites`."""
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
            "result": None,
            "ended_at": None,
        }

    def _outcome(
        self, stored: StoredCase, effect: RecordOutcome, attempt_id: uuid.UUID | None
    ) -> dict[str, Any]:
        return {
            "case_id": stored.case.id,
            "attempt_id": attempt_id,
            "kind": effect.outcome.value,
            "contact": effect.contact.value,
            "track": effect.track.value if effect.track else None,
            "reason": effect.reason.value,
            "recorded_by": ROBOT,
            "at": self.now,
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

    def _cancel_unwritten(self, case_id: int, n: int) -> bool:
        """Marks an attempt that was planned within this batch as canceled, but keeps its row. False if the batch has no
        such attempt.
        """
        for row in self.attempts:
            if row["case_id"] == case_id and row["n"] == n:
                row |= {
                    "state": AttemptState.ENDED.value,
                    "result": TelephonyResult.CANCELED.value,
                    "ended_at": self.now,
                }
                return True
        return False

    def _withdraw_unwritten(self, case_id: int, effect: WithdrawAssignment) -> bool:
        """Marks an assignment that was opened within this batch as withdrawn, but keeps its row. False if the batch has
        no such assignment.
        """
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


_LISTS = tuple(column.name for column in fields(PendingWrites) if column.name != "now")


_COPY_FROM = 100
"""From this number of rows on they are written by COPY; fewer by a prepared INSERT."""


class _Writer:
    """Writes many rows into one table with one statement."""

    def __init__(self, table: sa.Table, columns: tuple[str, ...]) -> None:
        self._given = RowSet.of(table, columns)
        self._insert = sa.insert(table).from_select(list(columns), self._given.select())
        self._copy = CopyIn(table, columns)

    def write(self, tx: Tx, rows: Rows) -> None:
        if len(rows) < _COPY_FROM:
            tx.execute(self._insert, self._given.given(rows))
        else:
            self._copy.write(tx, [tuple(row.values()) for row in rows])


_writer = cache(_Writer)


def _insert(tx: Tx, table: sa.Table, rows: Rows) -> None:
    """Inserts the rows, all of which have the same columns in the same order."""
    if rows:
        _writer(table, tuple(rows[0])).write(tx, rows)


def write_effects(tx: Tx, writes: PendingWrites) -> bool:
    """Writes everything that was collected; True if calls must be ended at the carrier. Attempts are locked in the
    order of their ids, and numbers after them.
    """
    for case_id, withdrawn in writes.withdrawn_assignments:
        _update_assignments(
            tx,
            case_id,
            withdrawn.track,
            PENDING_STATES,
            state=AssignmentState.WITHDRAWN.value,
            withdrawn_why=withdrawn.reason.value,
            done_at=writes.now,
        )
    reverse_lapsed_successes(tx, {case_id for case_id, _ in writes.withdrawn_assignments}, now=writes.now)
    _insert(tx, t.assignment, writes.assignments)
    if writes.assignments:
        tx.tasks_after_commit.add("notify")
    for case_id, expedited in writes.expedited_assignments:
        moved_up = {"urgency_at": expedited.urgency_at, "reason": expedited.reason.value}
        _update_assignments(tx, case_id, expedited.track, PENDING_STATES, **moved_up)
    for case_id, assigned in writes.assigned_to_desk:
        _assign_to_duty_desk(tx, case_id, assigned, now=writes.now)
    _insert_stop_payments(tx, writes.stop_payments, unless_known=writes.unless_known)
    insert_messages(tx, writes.messages)
    _insert(tx, t.outcome, writes.outcomes)
    for stored, reversal in writes.reversals:
        _reverse_success(tx, stored, reversal.reason, now=writes.now)
    for stored in writes.filed:
        _reverse_prevented(tx, stored, now=writes.now)
    for stored in writes.restored:
        _restore_outcomes(tx, stored, now=writes.now)
    raise_alarms(tx, writes.alarms)
    _lock_attempts(tx, writes)
    unsent, must_cancel = _withdraw_attempts(tx, writes) if writes.withdrawn_attempts else ([], False)
    _insert(tx, t.attempt, writes.attempts)
    if writes.expedited_attempts:
        tx.execute(_EXPEDITE, [row | {"b_now": writes.now} for row in writes.expedited_attempts])
    release_uncalled_numbers(tx, unsent)
    return must_cancel


_EXPEDITE = (
    attempt_update(AttemptEvent.DUE)
    .where(t.attempt.c.case_id == sa.bindparam("b_case_id"), t.attempt.c.n == sa.bindparam("b_n"))
    .values(
        not_before=sa.bindparam("not_before"),
        urgency_at=sa.bindparam("urgency_at"),
        windowed=sa.bindparam("windowed"),
        # The pause that withheld it may no longer cover it; if it does, a claim withholds it again.
        held=sa.false(),
        state=sa.case(
            (moment("not_before") <= moment("b_now"), state_after_event(AttemptEvent.DUE)),
            else_=state_after_event(AttemptEvent.PUT_OFF),
        ),
    )
)


def _lock_attempts(tx: Tx, writes: PendingWrites) -> None:
    """Locks the attempts in id order, if there are several: a statement that updates many rows locks them in any
    order.
    """
    pairs = [
        *writes.withdrawn_attempts,
        *((row["b_case_id"], row["b_n"]) for row in writes.expedited_attempts),
    ]
    if len(pairs) > 1:
        c = t.attempt.c
        found = sa.select(c.id).where(sa.tuple_(c.case_id, c.n).in_(pairs)).order_by(c.id)
        tx.execute(found.with_for_update())


def _withdraw_attempts(tx: Tx, writes: PendingWrites) -> tuple[list[uuid.UUID], bool]:
    """Withdraws attempts. Those that were not sent end as canceled; returns their ids. Calls at the carrier are marked
    to be ended there, and their end comes back as an event; returns whether there are any. A claimed attempt is stopped
    just before its POST by its stale token.
    """
    pairs = sa.tuple_(t.attempt.c.case_id, t.attempt.c.n).in_(writes.withdrawn_attempts)
    ended = tx.rows(
        attempt_update(AttemptEvent.WITHDRAWN)
        .where(pairs)
        .values(
            result=TelephonyResult.CANCELED.value,
            ended_at=writes.now,
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
    return [row["id"] for row in ended], any(row["sid"] for row in live)


def _update_assignments(
    tx: Tx,
    case_id: int,
    track: Track,
    states: Iterable[AssignmentState],
    **values: object,
) -> None:
    """Changes the assignments of the case that are of this track and in one of these states."""
    tx.execute(
        sa.update(t.assignment)
        .where(
            t.assignment.c.case_id == case_id,
            t.assignment.c.kind == track.value,
            in_words(t.assignment.c.state, states),
        )
        .values(**values)
    )


def _assign_to_duty_desk(tx: Tx, case_id: int, effect: AssignToDutyDesk, *, now: datetime) -> None:
    """Signs the open assignment for the duty desk; it goes back to the queue if it stays idle. A signed assignment
    stays with its owner.
    """
    _update_assignments(
        tx,
        case_id,
        effect.track,
        (AssignmentState.OPEN,),
        state=AssignmentState.SIGNED.value,
        signed_by=DESK,
        signed_at=now,
        idle_at=sa.func.greatest(t.assignment.c.due_at, now + IDLE_ASSIGNMENT),
    )


_NO_SUCCESSES = (
    Reason.CASE_FILED.value,
    Reason.FILING_UNDONE.value,
    Reason.FOLLOW_UP.value,
    CLAIM_ENDED,
    *AMOUNTS_ONLY,
)
"""The reasons of ledger lines that are not successes of their own: reversals, and reports of a follow-up on an earlier
success.
"""


def success_stands() -> sa.ColumnElement[bool]:
    """A condition on a line of the ledger: it is a success that counts. It was reported for the case itself, with a
    call or approved, and not reversed. A refusal only concerns the amounts: the success still counts.
    """
    o = t.outcome.c
    return sa.and_(
        o.kind.in_([kind.value for kind in SUCCESSES]),
        o.reason.not_in(_NO_SUCCESSES),
        ~sa.literal_column(is_reversed("outcome.id", f"l.reason NOT IN {AMOUNTS_ONLY}"), sa.Boolean),
        sa.or_(o.reason != NO_CALL, sa.exists().where(t.outcome_approval.c.outcome_id == o.id)),
    )


def _reverse_success(tx: Tx, stored: StoredCase, reason: Reason, *, now: datetime) -> None:
    """Adds a line to the ledger that reverses the newest success that counts, whatever was recorded since."""
    newest = tx.one(
        sa.select(t.outcome)
        .where(
            t.outcome.c.case_id == stored.case.id,
            success_stands(),
        )
        .order_by(t.outcome.c.id.desc())
        .limit(1)
    )
    if newest is not None:
        _insert_reversal(tx, newest, reason, now=now)


def _reverse_prevented(tx: Tx, stored: StoredCase, *, now: datetime) -> None:
    """Reverses every line with a prevented loss of a case that was filed, including those of follow-ups. Lines whose
    amounts were refused are reversed too, so that these cannot be recorded again.
    """
    lines = tx.rows(
        sa.select(t.outcome)
        .where(
            t.outcome.c.case_id == stored.case.id,
            t.outcome.c.intended_fen > 0,
            ~sa.literal_column(is_reversed("outcome.id", f"l.reason <> '{MONEY_REFUSED}'"), sa.Boolean),
        )
        .order_by(t.outcome.c.id)
    )
    for line in lines:
        _insert_reversal(tx, line, Reason.CASE_FILED, now=now)


def reverse_lapsed_successes(tx: Tx, case_ids: Collection[int], *, now: datetime) -> None:
    """Reverses the unapproved successes without a call whose task is over. `case_ids` are cases whose assignments have
    just ended.
    """
    if not case_ids:
        return
    o, a = t.outcome.c, t.assignment.c
    lines = tx.rows(
        sa.select(t.outcome)
        .join(t.outcome_waiting, t.outcome_waiting.c.outcome_id == o.id)
        .join(t.assignment, a.id == o.assignment_id)
        .where(o.case_id.in_(case_ids), o.reason == NO_CALL, sa.not_(in_words(a.state, PENDING_STATES)))
        .order_by(o.id)
    )
    for line in lines:
        _insert_reversal(tx, line, CLAIM_ENDED, now=now)


def _insert_reversal(tx: Tx, line: Row, reason: str, *, now: datetime) -> None:
    names = ("case_id", "kind", "contact", "track", "drill")
    tx.execute(
        sa.insert(t.outcome).values(
            **{name: line[name] for name in names},
            reason=str(reason),
            recorded_by=ROBOT,
            at=now,
            reverses=line["id"],
        )
    )


def _restore_outcomes(tx: Tx, stored: StoredCase, *, now: datetime) -> None:
    """Reverses the lines that filed cases added, except those that are reversed already."""
    lines = tx.rows(
        sa.select(t.outcome)
        .where(
            t.outcome.c.case_id == stored.case.id,
            t.outcome.c.reason == Reason.CASE_FILED.value,
            ~sa.literal_column(is_reversed("outcome.id"), sa.Boolean),
        )
        .order_by(t.outcome.c.id)
    )
    for line in lines:
        _insert_reversal(tx, line, Reason.FILING_UNDONE, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An event for a case; `attempt_id` is the call attempt that it comes from."""

    case_id: int
    event: Event
    attempt_id: uuid.UUID | None = None


def move_cases(
    tx: Tx, locked: dict[int, StoredCase], moves: Sequence[Move], *, policies: Policies, now: datetime
) -> bool:
    """Applies the moves in order; True if calls must be ended at the carrier. `locked` has the cases that this
    transaction has locked, and is updated; moves of other cases are ignored.
    """
    writes = PendingWrites(now=now)
    changed: dict[int, Case] = {}
    for move in moves:
        stored = locked.get(move.case_id)
        if stored is None:
            continue
        decision = decide(stored.case, move.event, now, policies.of(stored.case.policy_version))
        if decision.case == stored.case and not decision.effects:
            continue
        stored = replace(stored, case=decision.case)
        locked[move.case_id] = stored
        changed[move.case_id] = decision.case
        writes.enter(stored, decision.effects, attempt_id=move.attempt_id)
    save_cases(tx, changed.values(), now=now)
    return write_effects(tx, writes)


def message_row(stored: StoredCase, effect: SendMessage, *, at: datetime) -> dict[str, Any]:
    """The row of a planned message."""
    return {
        "id": uuid.uuid4(),
        "case_id": stored.case.id,
        "person_id": stored.person_id,
        "number": effect.number,
        "purpose": effect.purpose.value,
        "channel": effect.channel.value,
        "state": MessageState.PLANNED.value,
        "planned_at": at,
        "not_before": at + timedelta(seconds=effect.after_seconds),
        "drill": stored.drill,
    }


def insert_messages(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Inserts planned messages, unless the case has one for that purpose already."""
    if rows:
        tx.tasks_after_commit.add("send_messages")
        tx.execute(
            insert(t.message).values(list(rows)).on_conflict_do_nothing(index_elements=["case_id", "purpose"])
        )


def _insert_stop_payments(tx: Tx, rows: Rows, *, unless_known: Collection[int]) -> None:
    """Inserts stop-payment tasks, unless the case has an open one already, or for some cases any."""
    if unless_known:
        had = sa.select(t.stop_payment.c.case_id).where(t.stop_payment.c.case_id.in_(unless_known))
        known = {row["case_id"] for row in tx.rows(had)}
        rows = [row for row in rows if row["case_id"] not in known]
    if rows:
        tx.execute(
            insert(t.stop_payment)
            .values(rows)
            .on_conflict_do_nothing(
                index_elements=["case_id"], index_where=t.stop_payment.c.done_at.is_(None)
            )
        )


IDLE_ASSIGNMENT = timedelta(minutes=30)
"""An assignment that is signed for, overdue and idle for this long goes back to the queue."""
