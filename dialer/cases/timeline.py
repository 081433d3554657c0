"""Reads the timeline of a case from its rows: masked, and without opening sealed columns except the audit's reasons.
Also reads the newest pending attempts of cases, with what is needed to say why they wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from dialer.cases.attempts import most_urgent_ready
from dialer.cases.persons import MaskedPerson, mask_person, mask_phone, numbers_kept_apart, open_person
from dialer.cases.store import StoredCase, case_from_row, stored_from_row
from dialer.core.access import ROBOT
from dialer.core.attempt import OPEN_STATES, AttemptState
from dialer.core.case import NO_CALL, Case, StopResult, StopState
from dialer.core.errors import NotFound
from dialer.core.timeline import (
    AHEAD_AT_MOST,
    ActKind,
    AuditedAct,
    Entry,
    EntryKind,
    Fact,
    PendingAttempt,
    sort_entries,
)
from dialer.core.values import FLASHES, MONEY_REFUSED
from dialer.db import tables as t
from dialer.db.audit import audit_reason
from dialer.db.bulk import among, in_words, word_literal
from dialer.db.columns import filing_stands
from dialer.db.unit_of_work import Row, Tx, record_of


def _facts(row: Row, *names: str) -> dict[str, Fact]:
    """The values of these columns by name; moments as ISO 8601."""
    return {name: row[name].isoformat() if isinstance(row[name], datetime) else row[name] for name in names}


def _entry(row: Row, moment: str, kind: EntryKind, of: str, by: str | None = "", /, **facts: Fact) -> Entry:
    """An entry. `of` is the id of the row that it comes from, `moment` the column with its time."""
    return Entry(at=row[moment], kind=kind, id=of, by=by or "", facts=facts)


_OF_WARNING = (
    *("source", "instruction_no", "kind", "grade", "fraud_type", "amount_at_risk_fen", "amount_paid_fen"),
    *("load_id", "missed", "produced_at"),
)
_OF_END = (
    *("result", "contact", "reach", "answer", "last_node", "heard_seconds", "talk_seconds", "sip_code"),
    *("error_code", "announcement", "announcement_score"),
)


def _warning(row: Row) -> Iterator[Entry]:
    facts = _facts(row, *_OF_WARNING) | {"notices": len(row["notices"])}
    of = f"warning/{row['id']}"
    yield _entry(row, "loaded_at", EntryKind.WARNING, of, **facts)
    if row["held_for"] is not None and row["decided_at"] is not None:
        why: dict[str, Fact] = {"held_for": row["held_for"], **_facts(row, "waited_since")}
        yield _entry(row, "decided_at", EntryKind.RELEASED, of, row["decided_by"], **why)


def _attempt(row: Row) -> Iterator[Entry]:
    spoken: dict[str, Fact] = {"script": row["script_id"], "version": row["script_number"]}
    planned = {**_facts(row, "reason"), "number": row["number"] + 1, **_facts(row, "not_before", "state")}
    moments: tuple[tuple[str, EntryKind, dict[str, Fact]], ...] = (
        ("planned_at", EntryKind.ATTEMPT_PLANNED, planned),
        ("sent_at", EntryKind.ATTEMPT_SENT, spoken | _facts(row, "script_hash", "audio_hash")),
        ("ringing_at", EntryKind.RINGING, {}),
        ("answered_at", EntryKind.ANSWERED, {}),
        ("ended_at", EntryKind.ATTEMPT_ENDED, _facts(row, *_OF_END)),
    )
    for moment, kind, facts in moments:
        if row[moment] is not None:
            yield _entry(row, moment, kind, f"attempt/{row['n']}", n=row["n"], **facts)


def _event(row: Row) -> Iterator[Entry]:
    """A turn of the conversation, or an act of staff (`words`: it has text, which stays sealed). News from the network
    is in the entries of the attempt already.
    """
    if row["kind"].startswith(("call.", "message.")):
        return
    facts, of = row["facts"], f"event/{row['id']:012d}"
    if row["kind"] == "talk":
        turn = {
            "n": row["n"],
            "heard_at": facts.get("at", ""),
            "key": facts.get("key", ""),
            "spoke": facts.get("spoke", False),
            "then": facts.get("then", ""),
            "end": facts.get("end", False),
        }
        if "unsound" in facts:
            turn["unsound"] = ", ".join(facts["unsound"])
        yield _entry(row, "at", EntryKind.SPOKEN, of, **turn)
        return
    plain = {name: value for name, value in facts.items() if value is None or isinstance(value, str | int)}
    if row["sealed"] is not None:
        plain["words"] = True
    yield Entry(at=row["at"], kind=EntryKind.ACT, id=of, by=row["by"], facts={"act": row["kind"], **plain})


def _message(row: Row) -> Iterator[Entry]:
    """The entries of a message: when it was planned, and how it ended once that is known. A flash message that was not
    sent, since its time has not come or the case was handled before, has none.
    """
    is_flash = row["purpose"] in FLASHES
    if is_flash and row["posted_at"] is None:
        return
    about = {**_facts(row, "channel", "purpose"), "number": row["number"] + 1, **_facts(row, "error_code")}
    of, is_over = f"message/{row['purpose']}", row["ended_at"] is not None
    state = "planned" if is_over else row["state"]
    planned = "not_before" if is_flash else "planned_at"
    yield _entry(row, planned, EntryKind.MESSAGE, of, **about, state=state)
    if is_over:
        yield _entry(row, "ended_at", EntryKind.MESSAGE, of, **about, state=row["state"])


def _assignment(row: Row) -> Iterator[Entry]:
    of = f"assignment/{row['id']}"
    about: dict[str, Fact] = {"assignment_id": row["id"], "track": row["kind"]}
    opened = about | _facts(row, "reason", "unit", "sign_by", "due_at", "feedback_by")
    yield _entry(row, "opened_at", EntryKind.ASSIGNMENT_OPENED, of, **opened)
    if row["signed_at"] is not None:
        in_time = row["signed_at"] <= row["sign_by"]
        yield _entry(
            row, "signed_at", EntryKind.ASSIGNMENT_SIGNED, of, row["signed_by"], **about, in_time=in_time
        )
    if row["state"] == "done":
        done = about | {"outcome": row["outcome"], "in_time": row["done_at"] <= row["feedback_by"]}
        yield _entry(row, "done_at", EntryKind.ASSIGNMENT_REPORTED, of, row["done_by"], **done)
    if row["state"] == "withdrawn":
        # For a person who was erased again after a restore, versions before 0088 stored no time.
        moment = next(name for name in ("done_at", "signed_at", "opened_at") if row[name] is not None)
        reason = row["withdrawn_why"]
        yield _entry(row, moment, EntryKind.ASSIGNMENT_WITHDRAWN, of, **about, reason=reason)


def _outcome(row: Row) -> Iterator[Entry]:
    facts: dict[str, Fact] = {
        "outcome_id": row["id"],
        "outcome": row["kind"],
        **_facts(
            row, "contact", "track", "reason", "reverses", "intended_fen", "stopped_fen", "returned_fen"
        ),
        **_facts(row, "scammer_contact", "call_at", "call_seconds"),
        "said": ", ".join(row["said"]),
        "has_evidence": row["evidence_sealed"] is not None,
    }
    if row["refused_reason"] == NO_CALL:
        facts["without_call"] = True
    kind = EntryKind.OUTCOME if row["reverses"] is None else EntryKind.REVERSAL
    yield _entry(row, "at", kind, f"outcome/{row['id']}", row["recorded_by"], **facts)


def _approval(row: Row) -> Iterator[Entry]:
    facts = _facts(row, "outcome_id", "recorded_by")
    yield _entry(row, "at", EntryKind.APPROVAL, f"outcome/{row['outcome_id']}", row["approved_by"], **facts)


def _stop_payment(row: Row) -> Iterator[Entry]:
    """The entries of a task to have a payment stopped. That a bank was asked stands with the request."""
    of = f"stop_payment/{row['id']}"
    yield _entry(row, "opened_at", EntryKind.STOP_OPENED, of)
    if row["done_at"] is not None and row["result"] != StopResult.ASKED:
        yield _entry(row, "done_at", EntryKind.STOP_ENDED, of, row["done_by"], result=row["result"])


def _stop_request(row: Row) -> Iterator[Entry]:
    of = f"stop_request/{row['id']}"
    asked = _facts(row, "bank", "amount_fen", "asked_at")
    yield _entry(row, "recorded_at", EntryKind.STOP_ASKED, of, row["recorded_by"], **asked)
    if row["confirmed_at"] is not None:
        answer = {"bank": row["bank"], "result": row["state"], "stopped_fen": row["stopped_fen"]}
        yield _entry(row, "confirmed_at", EntryKind.STOP_ANSWERED, of, row["confirmed_by"], **answer)


def _filed(row: Row) -> Iterator[Entry]:
    yield _entry(row, "at", EntryKind.FILED, f"filed/{row['id']}", row["by"], case_number=row["case_number"])


def _filing_changed(row: Row) -> Iterator[Entry]:
    """The entry of a filing that was undone, or recorded again after that."""
    kind = EntryKind.FILED if row["stands"] else EntryKind.FILING_UNDONE
    of, number = f"filed/{row['filed_case_id']}", row["case_number"]
    yield _entry(row, "at", kind, of, row["by"], case_number=number)


def _alarm(row: Row) -> Iterator[Entry]:
    of, code = f"alarm/{row['id']}", row["code"]
    yield _entry(row, "raised_at", EntryKind.ALARM, of, code=code)
    if row["seen_at"] is not None:
        kind = EntryKind.ALARM_ENDED if row["seen_by"] == ROBOT else EntryKind.ALARM_SEEN
        yield _entry(row, "seen_at", kind, of, row["seen_by"], code=code)


def _duplicate(row: Row) -> Iterator[Entry]:
    of = f"event/{row['id']:012d}"
    yield _entry(row, "at", EntryKind.DUPLICATE_KEPT, of, row["by"], case_id=row["case_id"])


def _legal_hold(row: Row) -> Iterator[Entry]:
    of = f"legal_hold/{row['id']}"
    yield _entry(row, "placed_at", EntryKind.HOLD_PLACED, of, row["placed_by"])
    if row["lifted_at"] is not None:
        yield _entry(row, "lifted_at", EntryKind.HOLD_LIFTED, of, row["lifted_by"])


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """A case with its masked person and its timeline, for display."""

    stored: StoredCase
    person: MaskedPerson
    other_numbers: tuple[str, ...]
    """Masked numbers that only other sources name, which the robot does not call."""
    load_id: int | None
    settled_at: datetime | None
    succeeded_at: datetime | None
    timeline: tuple[Entry, ...]


def read_case_file(tx: Tx, case_id: int) -> CaseFile:
    """The case with its timeline. Raises `NotFound`."""
    row = tx.one(
        sa.select(t.case, t.person.c.sealed.label("person_sealed"))
        .join(t.person, t.person.c.id == t.case.c.person_id)
        .where(t.case.c.id == case_id)
    )
    if row is None:
        raise NotFound(kind="case", key=case_id)
    person = open_person(tx, person_id=row["person_id"], sealed=row["person_sealed"])
    return record_of(
        CaseFile,
        row,
        stored=stored_from_row(row),
        person=mask_person(person),
        other_numbers=tuple(map(mask_phone, numbers_kept_apart(tx, case_id, person)))
        if row["warnings"] > 1
        else (),
        timeline=sort_entries(list(_entries(tx, case_id))),
    )


def _entries(tx: Tx, case_id: int) -> Iterator[Entry]:
    for statement, entries_of in _SOURCES:
        for row in tx.rows(statement, {"case_id": case_id}):
            yield from entries_of(row)
    for row in tx.rows(_AUDITED, {"case_id": case_id}):
        if row["subject"] != f"case/{case_id}":
            yield from _beside_case(tx, row)
            continue
        why = audit_reason(tx.vault, row).why
        facts: dict[str, Fact] = {"act": row["act"], "why": why}
        if "reason" in (row["facts"] or {}):
            facts["is_typed"] = True
        kind = EntryKind.AUDITED if _stands_there_alone(row["act"], why) else EntryKind.VIEWED
        yield _entry(row, "at", kind, f"audit/{row['id']}", row["who"], **facts)


def _beside_case(tx: Tx, row: Row) -> Iterator[Entry]:
    """The entry of an act on an alarm or a verdict of the case that stands in the audit alone."""
    of, why = f"audit/{row['id']}", audit_reason(tx.vault, row).why
    if row["act"] == "alarm_taken":
        yield _entry(row, "at", EntryKind.ALARM_TAKEN, of, row["who"], code=row["alarm_code"], why=why)
    elif row["act"] == "verdict_release":
        yield _entry(row, "at", EntryKind.RELEASED, of, row["who"], why=why)


def _stands_there_alone(act: str, why: str) -> bool:
    return act in frozenset(AuditedAct) and (act != AuditedAct.NO_ANSWER or why == StopState.NO_ANSWER)


_ID = sa.bindparam("case_id", type_=sa.BigInteger)
_APPROVALS = (
    sa.select(t.outcome_approval)
    .join(t.outcome, t.outcome.c.id == t.outcome_approval.c.outcome_id)
    .where(t.outcome.c.case_id == _ID)
)
_refused = t.outcome.alias("refused")
_OUTCOMES = (
    sa.select(t.outcome, _refused.c.reason.label("refused_reason"))
    .join(
        _refused,
        sa.and_(_refused.c.id == t.outcome.c.reverses, t.outcome.c.reason == MONEY_REFUSED),
        isouter=True,
    )
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
_change = t.filed_case_change.c
_FILINGS_CHANGED = (
    sa.select(t.filed_case_change, t.filed_case.c.case_number)
    .join(t.filed_case, t.filed_case.c.id == _change.filed_case_id)
    .where(_change.case_id == _ID)
)
# Versions before 0064 recorded a filed case without a change.
_FILED = sa.select(t.filed_case).where(
    t.filed_case.c.case_id == _ID,
    ~sa.exists().where(
        _change.filed_case_id == t.filed_case.c.id, _change.stands, _change.at == t.filed_case.c.at
    ),
)
_OF_CASE = sa.func.array(
    sa.union_all(
        sa.select(sa.func.concat("case/", _ID)),
        sa.select(sa.func.concat("alarm/", t.alarm.c.id)).where(t.alarm.c.case_id == _ID),
        sa.select(sa.func.concat("verdict/", t.verdict.c.id)).where(t.verdict.c.case_id == _ID),
    ).scalar_subquery()
)
_AUDITED = (
    sa.select(t.audit, t.alarm.c.code.label("alarm_code"))
    .join(
        t.alarm,
        sa.and_(t.alarm.c.case_id == _ID, t.audit.c.subject == sa.func.concat("alarm/", t.alarm.c.id)),
        isouter=True,
    )
    .where(t.audit.c.subject == sa.any_(_OF_CASE))
)
_WARNINGS = (
    sa.select(
        t.warning,
        t.list_load.c.held_for,
        t.list_load.c.created_at.label("waited_since"),
        t.list_load.c.decided_at,
        t.list_load.c.decided_by,
    )
    .join(t.list_load, t.list_load.c.id == t.warning.c.load_id, isouter=True)
    .where(t.warning.c.case_id == _ID)
)
# As the index ix_event_duplicate_of has it.
_DUPLICATES = sa.select(t.event).where(
    t.event.c.kind == word_literal(ActKind.DUPLICATE),
    sa.literal_column("(event.facts ->> 'of')::bigint", sa.BigInteger) == _ID,
)
_LEGAL_HOLDS = (
    sa.select(t.legal_hold)
    .join(t.case, t.case.c.person_id == t.legal_hold.c.person_id)
    .where(
        t.case.c.id == _ID,
        sa.or_(t.legal_hold.c.lifted_at.is_(None), t.legal_hold.c.lifted_at >= t.case.c.opened_at),
    )
)

_SOURCES: tuple[tuple[sa.Select[Any], Callable[[Row], Iterator[Entry]]], ...] = (
    (_WARNINGS, _warning),
    (_ATTEMPTS, _attempt),
    (_EVENTS, _event),
    (sa.select(t.message).where(t.message.c.case_id == _ID), _message),
    (sa.select(t.assignment).where(t.assignment.c.case_id == _ID), _assignment),
    (_OUTCOMES, _outcome),
    (_APPROVALS, _approval),
    (sa.select(t.stop_payment).where(t.stop_payment.c.case_id == _ID), _stop_payment),
    (sa.select(t.stop_request).where(t.stop_request.c.case_id == _ID), _stop_request),
    (_FILED, _filed),
    (_FILINGS_CHANGED, _filing_changed),
    (sa.select(t.alarm).where(t.alarm.c.case_id == _ID), _alarm),
    (_DUPLICATES, _duplicate),
    (_LEGAL_HOLDS, _legal_hold),
)


def filings(tx: Tx, case_id: int) -> list[tuple[str, datetime]]:
    """The numbers of a case's filed cases that have not been undone, each with when it was recorded, oldest first; for
    one that was recorded again after an undoing, the later time.
    """
    f = t.filed_case.c
    newest = sa.select(sa.func.max(_change.at)).where(_change.filed_case_id == f.id, _change.stands)
    at = sa.func.coalesce(newest.scalar_subquery(), f.at).label("at")
    rows = tx.rows(
        sa.select(f.case_number, at)
        .where(f.case_id == case_id, sa.text(filing_stands("filed_case")))
        .order_by(at, f.id)
    )
    return [(row["case_number"], row["at"]) for row in rows]


def pending_attempts(tx: Tx, case_ids: Sequence[int]) -> dict[int, tuple[Case, PendingAttempt | None]]:
    """Each of these cases by id, with its newest attempt that has not ended. The place in the queue is not computed:
    `ahead` is 0.
    """
    if not case_ids:
        return {}
    of_cases = _open_attempts(among(t.attempt.c.case_id, case_ids))
    attempts = {row["case_id"]: _pending(row, ahead=0) for row in tx.rows(of_cases)}
    rows = tx.rows(sa.select(t.case).where(among(t.case.c.id, case_ids)))
    return {row["id"]: (case_from_row(row), attempts.get(row["id"])) for row in rows}


def pending_attempt(tx: Tx, case_id: int) -> PendingAttempt | None:
    """The newest attempt of this case that has not ended, with its place in the queue."""
    row = tx.one(_open_attempts(t.attempt.c.case_id == case_id))
    return None if row is None else _pending(row, ahead=_ahead(tx, row))


def _open_attempts(wanted: sa.ColumnElement[bool]) -> sa.Select[Any]:
    a, phone, live, case = t.attempt.c, t.person_phone.c, t.live_number.c, t.case.c
    of_number = sa.and_(phone.person_id == a.person_id, phone.position == a.number)
    return (
        sa.select(
            t.attempt,
            case.grade,
            case.unit,
            case.unit_id,
            case.load_id,
            live.attempt_id.label("live_attempt_id"),
            live.free_at.label("number_free_at"),
        )
        .join(t.case, case.id == a.case_id)
        .join(t.person_phone, of_number, isouter=True)
        .join(t.live_number, live.phone_blind == phone.phone_blind, isouter=True)
        .where(wanted, in_words(a.state, OPEN_STATES))
        .ext(distinct_on(a.case_id))
        .order_by(a.case_id, a.n.desc())
    )


def _pending(row: Row, *, ahead: int) -> PendingAttempt:
    has_live_call = row["live_attempt_id"] not in {None, row["id"]}
    return record_of(PendingAttempt, row, is_number_in_call=has_live_call, ahead=ahead)


def _ahead(tx: Tx, row: Row) -> int:
    """How many ready attempts are more urgent, up to `AHEAD_AT_MOST`."""
    if row["state"] != AttemptState.READY.value:
        return 0
    ahead = most_urgent_ready(t.attempt.c.urgency_at < row["urgency_at"], limit=AHEAD_AT_MOST).subquery()
    return min(int(tx.scalar(sa.select(sa.func.count()).select_from(ahead))), AHEAD_AT_MOST)
