"""Rows told as entries of a case's timeline. Sealed columns are not opened here.

Everything the database knows of one case, for showing it: masked, and in one timeline.

What stands between cases' rings and their moment, as the rows have it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from dialer.cases.persons import MaskedPerson, masked, open_person
from dialer.cases.store import StoredCase, case_from_row, stored_from_row
from dialer.core.attempt import OPEN_STATES, AttemptState
from dialer.core.case import Case, Reason
from dialer.core.errors import NotFound
from dialer.core.timeline import AHEAD_AT_MOST, Entry, EntryKind, Fact, PendingAttempt, in_order
from dialer.db import tables as t
from dialer.db.audit import audit_reason
from dialer.db.bulk import in_words
from dialer.db.unit_of_work import Row, Tx


def warning_entry(row: Row) -> Iterator[Entry]:
    yield Entry(
        at=row["loaded_at"],
        kind=EntryKind.WARNING,
        id=f"warning/{row['id']}",
        facts={
            "source": row["source"],
            "instruction_no": row["instruction_no"],
            "kind": row["kind"],
            "grade": row["grade"],
            "fraud_type": row["fraud_type"],
            "amount_at_risk_fen": row["amount_at_risk_fen"],
            "amount_paid_fen": row["amount_paid_fen"],
            "load_id": row["load_id"],
            "missed": row["missed"],
            "produced_at": row["produced_at"].isoformat() if row["produced_at"] else None,
            "notices": len(row["notices"]),
        },
    )


def attempt_entries(row: Row) -> Iterator[Entry]:
    n = row["n"]
    moments: tuple[tuple[str, EntryKind, dict[str, Fact]], ...] = (
        ("planned_at", EntryKind.ATTEMPT_PLANNED, _planned(row)),
        ("sent_at", EntryKind.ATTEMPT_SENT, _spoke(row)),
        ("ringing_at", EntryKind.RINGING, {}),
        ("answered_at", EntryKind.ANSWERED, {}),
        ("ended_at", EntryKind.ATTEMPT_ENDED, _ended(row)),
    )
    for column, kind, facts in moments:
        if row[column] is not None:
            yield Entry(at=row[column], kind=kind, id=f"attempt/{n}", facts={"n": n, **facts})


def _planned(row: Row) -> dict[str, Fact]:
    return {
        "reason": row["reason"],
        "number": row["number"] + 1,
        "not_before": row["not_before"].isoformat(),
        "state": row["state"],
    }


def _spoke(row: Row) -> dict[str, Fact]:
    """The words and the sound that the ring was placed with; `version` counts within the script."""
    return {
        "script": row["script_id"],
        "version": row["script_number"],
        "script_hash": row["script_hash"],
        "audio_hash": row["audio_hash"],
    }


def _ended(row: Row) -> dict[str, Fact]:
    return {
        "result": row["result"],
        "contact": row["contact"],
        "reach": row["reach"],
        "answer": row["answer"],
        "last_node": row["last_node"],
        "heard_seconds": row["heard_seconds"],
        "talk_seconds": row["talk_seconds"],
        "sip_code": row["sip_code"],
        "error_code": row["error_code"],
    }


def event_entry(row: Row) -> Iterator[Entry]:
    """A turn of the conversation, or a person's act (`words`: something was written with it, which stays sealed). What
    the network said stands in the attempt already.
    """
    if row["kind"].startswith(("call.", "message.")):
        return
    facts = row["facts"]
    if row["kind"] == "talk":
        yield Entry(
            at=row["at"],
            kind=EntryKind.SPOKEN,
            id=f"event/{row['id']:012d}",
            facts={
                "n": row["n"],
                "heard_at": facts.get("at", ""),
                "key": facts.get("key", ""),
                "spoke": facts.get("spoke", False),
                "then": facts.get("then", ""),
                "end": facts.get("end", False),
            }
            | ({"unsound": ", ".join(facts["unsound"])} if "unsound" in facts else {}),
        )
        return
    plain = {name: value for name, value in facts.items() if value is None or isinstance(value, str | int)}
    if row["sealed"] is not None:
        plain["words"] = True
    yield Entry(
        at=row["at"],
        kind=EntryKind.ACT,
        id=f"event/{row['id']:012d}",
        by=row["by"],
        facts={"act": row["kind"], **plain},
    )


def message_entries(row: Row) -> Iterator[Entry]:
    """As it was planned and, when its last word is known, how it ended."""
    about: dict[str, Fact] = {
        "purpose": row["purpose"],
        "number": row["number"] + 1,
        "error_code": row["error_code"],
    }
    which = f"message/{row['purpose']}"
    over = row["ended_at"] is not None
    yield Entry(
        at=row["planned_at"],
        kind=EntryKind.MESSAGE,
        id=which,
        facts=about | {"state": "planned" if over else row["state"]},
    )
    if over:
        yield Entry(
            at=row["ended_at"], kind=EntryKind.MESSAGE, id=which, facts=about | {"state": row["state"]}
        )


def assignment_entries(row: Row) -> Iterator[Entry]:
    which = f"assignment/{row['id']}"
    about: dict[str, Fact] = {"assignment_id": row["id"], "track": row["kind"]}
    yield Entry(
        at=row["opened_at"],
        kind=EntryKind.ASSIGNMENT_OPENED,
        id=which,
        facts={
            **about,
            "reason": row["reason"],
            "unit": row["unit"],
            "sign_by": row["sign_by"].isoformat(),
            "due_at": row["due_at"].isoformat(),
            "feedback_by": row["feedback_by"].isoformat(),
        },
    )
    if row["signed_at"] is not None:
        yield Entry(
            at=row["signed_at"],
            kind=EntryKind.ASSIGNMENT_SIGNED,
            id=which,
            by=row["signed_by"] or "",
            facts={**about, "in_time": row["signed_at"] <= row["sign_by"]},
        )
    if row["state"] == "done":
        yield Entry(
            at=row["done_at"],
            kind=EntryKind.ASSIGNMENT_REPORTED,
            id=which,
            by=row["done_by"] or "",
            facts={**about, "outcome": row["outcome"], "in_time": row["done_at"] <= row["feedback_by"]},
        )
    if row["state"] == "withdrawn":
        yield Entry(
            at=row["done_at"],
            kind=EntryKind.ASSIGNMENT_WITHDRAWN,
            id=which,
            facts={**about, "reason": row["withdrawn_why"]},
        )


def outcome_entry(row: Row) -> Iterator[Entry]:
    yield Entry(
        at=row["at"],
        kind=EntryKind.OUTCOME if row["reverses"] is None else EntryKind.REVERSAL,
        id=f"outcome/{row['id']}",
        by=row["recorded_by"],
        facts={
            "outcome_id": row["id"],
            "outcome": row["kind"],
            "contact": row["contact"],
            "track": row["track"],
            "reason": row["reason"],
            "reverses": row["reverses"],
            "intended_fen": row["intended_fen"],
            "stopped_fen": row["stopped_fen"],
            "returned_fen": row["returned_fen"],
            "has_evidence": row["evidence_sealed"] is not None,
        },
    )


def approval_entry(row: Row) -> Iterator[Entry]:
    yield Entry(
        at=row["at"],
        kind=EntryKind.APPROVAL,
        id=f"outcome/{row['outcome_id']}",
        by=row["approved_by"],
        facts={"outcome_id": row["outcome_id"], "recorded_by": row["recorded_by"]},
    )


def filed_entry(row: Row) -> Iterator[Entry]:
    yield Entry(
        at=row["at"],
        kind=EntryKind.FILED,
        id=f"filed/{row['id']}",
        by=row["by"],
        facts={"case_number": row["case_number"]},
    )


def alarm_entries(row: Row) -> Iterator[Entry]:
    facts: dict[str, Fact] = {"code": row["code"]}
    yield Entry(at=row["raised_at"], kind=EntryKind.ALARM, id=f"alarm/{row['id']}", facts=facts)
    if row["seen_at"] is not None:
        yield Entry(
            at=row["seen_at"],
            kind=EntryKind.ALARM_SEEN,
            id=f"alarm/{row['id']}",
            by=row["seen_by"] or "",
            facts=facts,
        )


def view_entry(row: Row, *, why: str) -> Iterator[Entry]:
    yield Entry(
        at=row["at"],
        kind=EntryKind.VIEWED,
        id=f"audit/{row['id']}",
        by=row["who"],
        facts={"act": row["act"], "why": why},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    stored: StoredCase
    person: MaskedPerson
    load_id: int | None
    settled_at: datetime | None
    succeeded_at: datetime | None
    timeline: tuple[Entry, ...]


def read_case_file(tx: Tx, case_id: int) -> CaseFile:
    """Raises `NotFound`."""
    row = tx.one(
        sa.select(t.case, t.person.c.sealed.label("person_sealed"))
        .join(t.person, t.person.c.id == t.case.c.person_id)
        .where(t.case.c.id == case_id)
    )
    if row is None:
        raise NotFound(kind="case", key=case_id)
    person = open_person(tx, person_id=row["person_id"], sealed=row["person_sealed"])
    return CaseFile(
        stored=stored_from_row(row),
        person=masked(person),
        load_id=row["load_id"],
        settled_at=row["settled_at"],
        succeeded_at=row["succeeded_at"],
        timeline=in_order(list(_entries(tx, case_id))),
    )


def _entries(tx: Tx, case_id: int) -> Iterator[Entry]:
    for statement, tell in _SOURCES:
        for row in tx.rows(statement, {"case_id": case_id}):
            yield from tell(row)
    for row in tx.rows(_VIEWS, {"case_id": case_id}):
        yield from view_entry(row, why=audit_reason(tx.vault, row).why)


_ID = sa.bindparam("case_id", type_=sa.BigInteger)
_APPROVALS = (
    sa.select(t.outcome_approval)
    .join(t.outcome, t.outcome.c.id == t.outcome_approval.c.outcome_id)
    .where(t.outcome.c.case_id == _ID)
)
_EVENTS = (
    sa.select(t.event, t.attempt.c.n)
    .join(t.attempt, t.attempt.c.id == t.event.c.attempt_id, isouter=True)
    .where(t.event.c.case_id == _ID)
)
_ATTEMPTS = (
    sa.select(t.attempt, t.script_version.c.number.label("script_number"))
    .join(t.script_version, t.script_version.c.id == t.attempt.c.script_version_id, isouter=True)
    .where(t.attempt.c.case_id == _ID)
)
_VIEWS = sa.select(t.audit).where(t.audit.c.subject == sa.func.concat("case/", _ID))

_SOURCES: tuple[tuple[sa.Select[Any], Callable[[Row], Iterator[Entry]]], ...] = (
    (sa.select(t.warning).where(t.warning.c.case_id == _ID), warning_entry),
    (_ATTEMPTS, attempt_entries),
    (_EVENTS, event_entry),
    (sa.select(t.message).where(t.message.c.case_id == _ID), message_entries),
    (sa.select(t.assignment).where(t.assignment.c.case_id == _ID), assignment_entries),
    (sa.select(t.outcome).where(t.outcome.c.case_id == _ID), outcome_entry),
    (_APPROVALS, approval_entry),
    (sa.select(t.filed_case).where(t.filed_case.c.case_id == _ID), filed_entry),
    (sa.select(t.alarm).where(t.alarm.c.case_id == _ID), alarm_entries),
)


def awaited(tx: Tx, case_ids: Sequence[int]) -> dict[int, tuple[Case, PendingAttempt | None]]:
    """Each of these cases with its newest ring that has not ended. The place of the rings in the queue is not counted:
    `ahead` is 0.
    """
    if not case_ids:
        return {}
    wanted = sa.any_(sa.literal(sorted(set(case_ids)), sa.ARRAY(sa.BigInteger)))
    rings = {row["case_id"]: _pending(row, ahead=0) for row in tx.rows(_rings(wanted))}
    rows = tx.rows(sa.select(t.case).where(t.case.c.id == wanted))
    return {row["id"]: (case_from_row(row), rings.get(row["id"])) for row in rows}


def pending_ring(tx: Tx, case_id: int) -> PendingAttempt | None:
    """The newest ring of this case that has not ended, with its place in the queue."""
    row = tx.one(_rings(sa.literal(case_id)))
    return None if row is None else _pending(row, ahead=_ahead(tx, row))


def _rings(wanted: sa.ColumnElement[Any]) -> sa.Select[Any]:
    a, phone, live, case = t.attempt.c, t.person_phone.c, t.live_number.c, t.case.c
    of_number = sa.and_(phone.person_id == a.person_id, phone.position == a.number)
    return (
        sa.select(
            t.attempt,
            case.grade,
            case.unit,
            case.unit_id,
            case.load_id,
            live.attempt_id.label("rings_for"),
            live.free_at.label("number_free_at"),
        )
        .join(t.case, case.id == a.case_id)
        .join(t.person_phone, of_number, isouter=True)
        .join(t.live_number, live.phone_blind == phone.phone_blind, isouter=True)
        .where(a.case_id == wanted, in_words(a.state, OPEN_STATES))
        .ext(distinct_on(a.case_id))
        .order_by(a.case_id, a.n.desc())
    )


_AS_STORED = (
    "held",
    "planned_at",
    "not_before",
    "grade",
    "unit",
    "unit_id",
    "load_id",
    "number_free_at",
)


def _pending(row: Mapping[str, Any], *, ahead: int) -> PendingAttempt:
    return PendingAttempt(
        state=AttemptState(row["state"]),
        reason=Reason(row["reason"]),
        number_attempts=row["rings_for"] not in {None, row["id"]},
        ahead=ahead,
        **{name: row[name] for name in _AS_STORED},
    )


def _ahead(tx: Tx, row: Mapping[str, Any]) -> int:
    if row["state"] != AttemptState.READY.value:
        return 0

    def more_urgent(*, windowed: bool) -> sa.Select[Any]:
        return (
            sa.select(t.attempt.c.id)
            .where(
                t.attempt.c.state == AttemptState.READY.value,
                ~t.attempt.c.held,
                t.attempt.c.windowed.is_(windowed),
                t.attempt.c.urgency_at < row["urgency_at"],
            )
            .limit(AHEAD_AT_MOST)
        )

    counted = sum(
        int(tx.scalar(sa.select(sa.func.count()).select_from(more_urgent(windowed=windowed).subquery())))
        for windowed in (False, True)
    )
    return min(counted, AHEAD_AT_MOST)
