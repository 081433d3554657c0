"""Reads the rows of one case: its warnings, the work on it, money, stop-payment tasks, and the turns of its calls.
Sealed text is read separately.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from dialer.cases.store import open_act
from dialer.core.case import NO_CALL, AssignmentState, Reason, StopResult, TransferState, VisitStage
from dialer.core.reach import HeardPrompt, Hearing
from dialer.core.values import (
    Answer,
    Contact,
    EvidenceKind,
    FraudType,
    Grade,
    OutcomeKind,
    ScammerContact,
    Tag,
    Track,
    WarningKind,
)
from dialer.db import tables as t
from dialer.db.columns import reversed_by
from dialer.db.unit_of_work import Row, Tx, record_of


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningLine:
    """One accepted record. Its personal part is sealed and not included."""

    id: int
    source: str
    instruction_no: str
    load_id: int | None
    kind: WarningKind
    grade: Grade
    fraud_type: FraudType
    unit: str
    amount_at_risk_fen: int | None
    amount_paid_fen: int | None
    talk_seconds: int | None
    tags: tuple[Tag, ...]
    missed: bool
    event_at: datetime | None
    produced_at: datetime | None
    expires_at: datetime | None
    loaded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkLine:
    """A human call or a visit, in any state. `going_to` is the unit that is asked to take it over."""

    id: int
    track: Track
    state: AssignmentState
    reason: Reason
    unit: str
    unit_id: int | None
    opened_at: datetime
    sign_by: datetime
    due_at: datetime
    feedback_by: datetime
    signed_at: datetime | None
    signed_by: str
    stage: VisitStage
    call_at: datetime | None
    done_at: datetime | None
    done_by: str
    outcome: OutcomeKind | None
    withdrawn_why: str
    raises: int
    transfers: int
    going_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyLine:
    """One line of the ledger with its approval."""

    id: int
    at: datetime
    kind: OutcomeKind
    contact: Contact
    track: Track | None
    intended_fen: int
    stopped_fen: int
    returned_fen: int
    has_evidence: bool
    evidence_kind: EvidenceKind | None
    evidence_fen: int | None
    """The amount that the evidence shows."""
    scammer_contact: ScammerContact | None
    said: tuple[str, ...]
    """The points of the call guide that were mentioned, by key."""
    call_at: datetime | None
    call_seconds: int | None
    reason: str
    recorded_by: str
    reverses: int | None
    reversed_by: int | None
    approved_by: str
    approved_at: datetime | None

    @property
    def has_money(self) -> bool:
        return bool(self.intended_fen or self.stopped_fen or self.returned_fen)

    @property
    def is_without_call(self) -> bool:
        """A success by phone without a staff call, which counts only once it is approved."""
        return self.reason == NO_CALL

    @property
    def needs_approval(self) -> bool:
        """Whether a second person must approve it."""
        return self.has_money or self.is_without_call


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLine:
    """A task to ask the bank to stop a payment."""

    id: int
    opened_at: datetime
    done_at: datetime | None
    done_by: str
    result: StopResult | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseWork:
    """All rows that belong to one case."""

    warnings: tuple[WarningLine, ...]
    work: tuple[WorkLine, ...]
    outcomes: tuple[MoneyLine, ...]
    stops: tuple[StopLine, ...]


def read_case_work(tx: Tx, case_id: int) -> CaseWork:
    """All rows of the case, newest first; warnings in the order of arrival."""
    return CaseWork(
        warnings=tuple(record_of(WarningLine, row) for row in tx.rows(_WARNINGS, {"case_id": case_id})),
        work=tuple(_work(row) for row in tx.rows(_WORK, {"case_id": case_id})),
        outcomes=tuple(
            record_of(MoneyLine, row, has_evidence=row["evidence_sealed"] is not None)
            for row in tx.rows(_OUTCOMES, {"case_id": case_id})
        ),
        stops=tuple(record_of(StopLine, row) for row in tx.rows(_STOPS, {"case_id": case_id})),
    )


def _work(row: Row) -> WorkLine:
    stage = VisitStage(row["stage"]).under(AssignmentState(row["state"]))
    return record_of(WorkLine, row, track=Track(row["kind"]), stage=stage)


_ID = sa.bindparam("case_id", type_=sa.BigInteger)
_WARNINGS = sa.select(t.warning).where(t.warning.c.case_id == _ID).order_by(t.warning.c.id)
_GOING = t.assignment_transfer.alias("going")
_WORK = (
    sa.select(t.assignment, t.unit.c.name.label("going_to"))
    .join(
        _GOING,
        sa.and_(_GOING.c.assignment_id == t.assignment.c.id, _GOING.c.state == TransferState.ASKED.value),
        isouter=True,
    )
    .join(t.unit, t.unit.c.id == _GOING.c.to_unit_id, isouter=True)
    .where(t.assignment.c.case_id == _ID)
    .order_by(t.assignment.c.id.desc())
)
# Refused amounts of a success are reversed twice when a case is filed later.
_UNDONE_BY = sa.literal_column(f"(SELECT max(l.id) {reversed_by('outcome.id')})", sa.BigInteger)
_OUTCOMES = (
    sa.select(
        t.outcome,
        t.outcome_approval.c.approved_by,
        t.outcome_approval.c.at.label("approved_at"),
        _UNDONE_BY.label("reversed_by"),
    )
    .join(t.outcome_approval, t.outcome_approval.c.outcome_id == t.outcome.c.id, isouter=True)
    .where(t.outcome.c.case_id == _ID)
    .order_by(t.outcome.c.id.desc())
)
_STOPS = sa.select(t.stop_payment).where(t.stop_payment.c.case_id == _ID).order_by(t.stop_payment.c.id.desc())


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseWords:
    """The sealed text of a case in clear, for an action that has audited who views it and why."""

    acts: Mapping[int, str]
    """The text of staff, by the id of the event."""
    warnings: Mapping[int, Mapping[str, Any]]
    """The personal part of the warnings, by the id of the warning."""
    evidence: Mapping[int, str]
    """The reference of the evidence for money, by the id of the outcome."""


_ACTS = sa.select(t.event).where(
    t.event.c.case_id == _ID, t.event.c.attempt_id.is_(None), t.event.c.sealed.is_not(None)
)


def read_case_words(tx: Tx, case_id: int) -> CaseWords:
    """All sealed text of a case, in clear."""
    acts = {row["id"]: open_act(tx, row) for row in tx.rows(_ACTS, {"case_id": case_id})}
    lists = {
        row["id"]: tx.vault.open_record(row["sealed"], table="warning", column="sealed", row=row["id"])
        for row in tx.rows(_WARNINGS, {"case_id": case_id})
    }
    evidence = {
        row["id"]: tx.vault.open(
            row["evidence_sealed"], table="outcome", column="evidence_sealed", row=f"case/{case_id}"
        ).decode()
        for row in tx.rows(_OUTCOMES, {"case_id": case_id})
        if row["evidence_sealed"] is not None
    }
    return CaseWords(acts=acts, warnings=lists, evidence=evidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationTurn:
    """One turn of a conversation: what the person said or pressed, and what the robot said next."""

    at: datetime
    n: int
    script_id: str
    script_version_id: int | None
    audio_hash: str
    language: str
    asked_at: str
    """The node that waited for the answer; '' for the first turn."""
    key: str
    wrong_key: bool
    """The keys that the person pressed are no choice of the question."""
    spoke: bool
    speech: str
    collected: str
    """Which fact the person typed; '' for none."""
    value: str
    said: tuple[str, ...]
    """The ids of the prompts."""
    languages: tuple[str, ...]
    """The language of each of `said`, '' for the call's own."""
    unsound: frozenset[str]
    """The prompts among `said` whose sound was damaged: the carrier's voice spoke them."""
    answer: Answer
    """The answer of the whole call."""
    desk: str
    """How the duty line answered, as the carrier reported it; '' if it was not called."""
    heard: Mapping[tuple[str, str], HeardPrompt]
    """For the whole call, the longest part of each prompt that was heard at one time, by prompt and language ('' for
    the call's own), without the current turn.
    """


_OF_ATTEMPT = ("n", "script_id", "script_version_id", "audio_hash", "language", "answer", "hearing")


def read_conversation(tx: Tx, case_id: int, *, in_clear: bool = True) -> list[ConversationTurn]:
    """The turns of all calls of the case, in order. Unless `in_clear`, what the person said and typed stays sealed and
    is ''.
    """
    rows = tx.rows(
        sa.select(t.event, *(t.attempt.c[name] for name in _OF_ATTEMPT))
        .join(t.attempt, t.attempt.c.id == t.event.c.attempt_id)
        .where(t.event.c.case_id == case_id, t.event.c.kind.in_(["talk", "desk"]))
        .order_by(t.attempt.c.n, t.event.c.at, t.event.c.id)
    )
    return [_exchange(row, _open_personal(tx, row) if in_clear else {}) for row in rows]


def _open_personal(tx: Tx, row: Row) -> dict[str, Any]:
    if row["sealed"] is None:
        return {}
    place = f"{row['attempt_id']}/{row['step']}"
    return tx.vault.open_record(row["sealed"], table="event", column="sealed", row=place)


def _exchange(row: Row, personal: Mapping[str, Any]) -> ConversationTurn:
    facts = row["facts"]
    return record_of(
        ConversationTurn,
        row,
        asked_at=facts.get("at", ""),
        key=facts.get("key", ""),
        wrong_key=bool(facts.get("wrong_key", False)),
        spoke=bool(facts.get("spoke", False)),
        speech=personal.get("SpeechResult", ""),
        collected=facts.get("collected", ""),
        value=personal.get("collected", ""),
        said=tuple(facts.get("said", ())),
        languages=tuple(facts.get("languages") or [""] * len(facts.get("said", ()))),
        unsound=frozenset(facts.get("unsound", ())),
        desk=facts.get("desk", ""),
        heard={(prompt.id, prompt.language): prompt for prompt in Hearing.of(row["hearing"]).prompts},
    )
