"""Rows of a past period, read for a replay: no name, no number and no text of anybody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import zip_longest
from typing import Any, Final

import sqlalchemy as sa

from dialer.core.case import AssignmentState
from dialer.core.presence import PresenceState
from dialer.core.reach import Reach
from dialer.core.timeline import ActKind
from dialer.core.values import (
    SUCCESSES,
    Answer,
    Contact,
    FraudType,
    Grade,
    OutcomeKind,
    Tag,
    TelephonyResult,
    Track,
)
from dialer.db.unit_of_work import Row, Tx
from dialer.whatif.model import RobotCall, WarnedCase
from dialer.whatif.past import STAFF, PastCall, PastCase, PastTask, Records, Span

_BY_HAND: Final = [
    act.value
    for act in (
        ActKind.CALLED_IN,
        ActKind.CALL_BACK,
        ActKind.CALL_NOW,
        ActKind.CLOSED,
        ActKind.DUPLICATE,
        ActKind.GRADE_LOWERED,
        ActKind.GRADE_RAISED,
        ActKind.LOAD_WITHDRAWN,
        ActKind.OPTED_OUT,
        ActKind.PERSON_ASKED,
    )
]
_CASES = sa.text("""
SELECT c.id, c.opened_at, w.grade, c.fraud_type, c.policy_version, c.numbers, c.amount_at_risk_fen, w.expires_at,
    w.missed, CAST(:minor AS text) = ANY (c.tags) AS is_minor, o.kind AS success,
    c.reopened OR EXISTS (
        SELECT FROM warning r WHERE r.case_id = c.id AND r.grade <> w.grade AND r.loaded_at < :end
    ) OR EXISTS (
        SELECT FROM event e WHERE e.case_id = c.id AND e.kind = ANY (CAST(:by_hand AS text[])) AND e.at < :end
    ) AS is_changed
FROM "case" c
CROSS JOIN LATERAL (
    SELECT grade, expires_at, missed FROM warning WHERE case_id = c.id ORDER BY id LIMIT 1
) w
LEFT JOIN LATERAL (
    SELECT kind FROM outcome
    WHERE case_id = c.id AND at < :end AND reverses IS NULL AND kind = ANY (CAST(:successes AS text[]))
    ORDER BY id LIMIT 1
) o ON true
WHERE c.opened_at >= :start AND c.opened_at < :end AND c.drill = :drill
ORDER BY c.opened_at, c.id
""")
_CALLS = sa.text("""
SELECT a.case_id, greatest(a.planned_at, a.not_before) AS ready_at, a.sent_at, a.ended_at, a.result, a.contact,
    a.answer, a.reach
FROM attempt a JOIN "case" c ON c.id = a.case_id
WHERE c.opened_at >= :start AND c.opened_at < :end AND c.drill = :drill AND a.sent_at < :end
ORDER BY a.sent_at, a.case_id, a.n
""")
_TASKS = sa.text("""
SELECT a.case_id, a.kind, a.state, a.opened_at, a.urgency_at, a.due_at, a.signed_at, a.signed_by, a.done_at,
    a.outcome, o.contact
FROM assignment a JOIN "case" c ON c.id = a.case_id
LEFT JOIN LATERAL (
    SELECT contact FROM outcome
    WHERE case_id = c.id AND assignment_id = a.id AND reverses IS NULL
    ORDER BY id LIMIT 1
) o ON true
WHERE c.opened_at >= :start AND c.opened_at < :end AND c.drill = :drill AND a.opened_at < :end
ORDER BY a.opened_at, a.id
""")
_PRESENCES = sa.text("""
SELECT p.staff_id, s.login, p.at, p.state
FROM presence_change p JOIN staff s ON s.id = p.staff_id
WHERE p.at < :end AND p.at >= CAST(:start AS timestamptz) - interval '1 day'
ORDER BY p.staff_id, p.at, p.id
""")
_LINES = sa.text("SELECT lines, calls_per_second FROM line_group ORDER BY name LIMIT 1")


def read_records(tx: Tx, *, start: datetime, end: datetime, drill: bool) -> Records:
    """What happened to the cases opened from `start` until `end`, until then."""
    span = {"start": start, "end": end, "drill": drill}
    asked = span | {
        "minor": Tag.MINOR.value,
        "by_hand": _BY_HAND,
        "successes": sorted(kind.value for kind in SUCCESSES),
    }
    return Records(
        cases=[_case(row) for row in tx.rows(_CASES, asked)],
        calls=[_call(row, end) for row in tx.rows(_CALLS, span)],
        tasks=[_task(row, end) for row in tx.rows(_TASKS, span)],
        end=end,
    )


def _case(row: Row) -> PastCase:
    warned = WarnedCase(
        opened_at=row["opened_at"],
        grade=Grade(row["grade"]),
        fraud_type=FraudType(row["fraud_type"]),
        policy_version=row["policy_version"],
        numbers=row["numbers"],
        amount_fen=row["amount_at_risk_fen"],
        expires_at=row["expires_at"],
        is_minor=row["is_minor"],
        missed=row["missed"],
    )
    success = None if row["success"] is None else OutcomeKind(row["success"])
    return PastCase(id=row["id"], warned=warned, success=success, is_changed=row["is_changed"])


def _call(row: Row, end: datetime) -> PastCall:
    ended_at: datetime | None = row["ended_at"]
    brought = None
    if ended_at is not None and ended_at < end and row["result"] is not None:
        brought = RobotCall(
            result=TelephonyResult(row["result"]),
            seconds=max(0.0, (ended_at - row["sent_at"]).total_seconds()),
            contact=Contact(row["contact"]),
            answer=Answer(row["answer"]),
            reach=None if row["reach"] is None else Reach(row["reach"]),
        )
    return PastCall(
        case_id=row["case_id"],
        ready_at=row["ready_at"],
        sent_at=row["sent_at"],
        ended_at=None if brought is None else ended_at,
        brought=brought,
    )


def _task(row: Row, end: datetime) -> PastTask:
    taken_at, done_at = row["signed_at"], row["done_at"]
    is_taken = taken_at is not None and taken_at < end
    is_done = (
        is_taken and row["state"] == AssignmentState.DONE.value and done_at is not None and done_at < end
    )
    outcome = OutcomeKind(row["outcome"]) if is_done and row["outcome"] is not None else None
    contact = Contact(row["contact"]) if is_done and row["contact"] is not None else Contact.NONE
    return PastTask(
        case_id=row["case_id"],
        track=Track(row["kind"]),
        opened_at=row["opened_at"],
        urgency_at=row["urgency_at"],
        due_at=row["due_at"],
        is_withdrawn=row["state"] == AssignmentState.WITHDRAWN.value,
        taken_at=taken_at if is_taken else None,
        by=row["signed_by"] if is_taken else None,
        done_at=done_at if is_done else None,
        outcome=outcome,
        contact=Contact.VERIFIED if outcome in SUCCESSES else contact,
    )


def read_presences(
    tx: Tx, tasks: Iterable[PastTask], *, start: datetime, end: datetime
) -> dict[Track, list[Span]]:
    """When those who took tasks of a kind were present and not on a break, from a day before `start` until `end`.
    Empty where no presence was stored.
    """
    took: dict[Track, set[str]] = {track: set() for track in STAFF}
    for task in tasks:
        if task.by is not None:
            took[task.track].add(task.by)
    rows = tx.rows(_PRESENCES, {"start": start, "end": end})
    spans: dict[Track, list[Span]] = {track: [] for track in STAFF}
    for row, after in zip_longest(rows, rows[1:]):
        if PresenceState(row["state"]) in {PresenceState.OFF, PresenceState.BREAK}:
            continue
        is_last = after is None or after["staff_id"] != row["staff_id"]
        until = end if is_last else after["at"]
        for track in STAFF:
            if row["login"] in took[track]:
                spans[track].append((row["at"], until))
    return spans


def read_lines(tx: Tx) -> tuple[int, float]:
    """The robot's lines and its calls per second, as they are now; 0 lines where nothing was ever called."""
    row: Any = tx.one(_LINES)
    return (0, 1.0) if row is None else (row["lines"], row["calls_per_second"])
