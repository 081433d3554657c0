"""What a batch of decisions asks for, gathered row by row before anything is written."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, assert_never

from dialer.domain.access import ROBOT
from dialer.domain.attempt import AttemptState
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
from dialer.domain.values import Answer, Contact, TelephonyResult
from dialer.store import messages, stop_payments
from dialer.store.cases import StoredCase
from dialer.store.randomness import RandomPieces

_ids = RandomPieces(16)

Pieces = tuple[tuple[str, list[Any]], ...]
"""Rows cut out of a book, by the name of their list."""


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

    def _assignment(self, stored: StoredCase, effect: OpenErrand) -> dict[str, Any]:
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


_LISTS = tuple(field.name for field in fields(Book) if field.name != "now")
