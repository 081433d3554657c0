"""One case as plain data: what `dialer case ID --json` prints. docs/json.md describes it, which a test holds."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from dialer.outcomes.timeline import Fact
from dialer.store.reads.case_search import CaseLine, CasePage
from dialer.store.reads.masking import MaskedPerson
from dialer.usecases.show_case import CaseStory


class PersonForm(TypedDict):
    name: str
    phones: list[str]
    id_number: str
    has_address: bool
    has_family_contact: bool


class StepForm(TypedDict):
    kind: str
    track: str | None
    reason: str
    at: str | None
    waits: list[str]


class WaitingForm(TypedDict):
    reason: str
    detail: str
    since: str
    until: str | None


class UrgencyForm(TypedDict):
    at: str
    opened_at: str
    grade_seconds: int
    amount_seconds: int
    expiry_seconds: int
    ahead: int | None


class EntryForm(TypedDict):
    at: str
    kind: str
    id: str
    by: str
    facts: dict[str, Fact]


class CaseForm(TypedDict):
    id: int
    told_at: str
    drill: bool
    status: str
    outcome: str | None
    contact: str
    grade: str
    fraud_type: str
    source: str
    unit: str
    load_id: int | None
    warnings: int
    tags: list[str]
    missed: bool
    opted_out: bool
    amount_at_risk_fen: int | None
    opened_at: str
    expires_at: str | None
    first_attempt_at: str | None
    succeeded_at: str | None
    watch_until: str | None
    settled_at: str | None
    policy_version: int
    person: PersonForm
    next_steps: list[StepForm]
    waiting: WaitingForm | None
    urgency: UrgencyForm
    timeline: list[EntryForm]


class CaseLineForm(TypedDict):
    id: int
    person: PersonForm
    grade: str
    fraud_type: str
    status: str
    outcome: str | None
    contact: str
    source: str
    unit: str
    warnings: int
    robot_attempts: int
    opened_at: str
    due_at: str | None
    drill: bool


class CasePageForm(TypedDict):
    cases: list[CaseLineForm]
    next_before_id: int | None


def tell_case(story: CaseStory) -> CaseForm:
    """JSON-ready and masked; moments as ISO 8601 in UTC, money in fen, words by their value."""
    file = story.file
    stored = file.stored
    case = stored.case
    return CaseForm(
        id=case.id,
        told_at=story.told_at.isoformat(),
        drill=stored.drill,
        status=case.status.value,
        outcome=case.outcome.value if case.outcome else None,
        contact=case.contact.value,
        grade=case.grade.value,
        fraud_type=case.fraud_type.value,
        source=stored.source,
        unit=stored.unit,
        load_id=file.load_id,
        warnings=case.warnings,
        tags=sorted(tag.value for tag in case.tags),
        missed=case.missed,
        opted_out=case.opted_out,
        amount_at_risk_fen=case.amount_at_risk_fen,
        opened_at=case.opened_at.isoformat(),
        expires_at=_iso(case.expires_at),
        first_attempt_at=_iso(stored.first_attempt_at),
        succeeded_at=_iso(file.succeeded_at),
        watch_until=_iso(case.watch_until),
        settled_at=_iso(file.settled_at),
        policy_version=case.policy_version,
        person=_person(file.person),
        next_steps=[
            StepForm(
                kind=step.kind.value,
                track=step.track.value if step.track else None,
                reason=step.reason.value,
                at=_iso(step.at),
                waits=[wait.value for wait in step.waits],
            )
            for step in story.next_steps
        ],
        waiting=None
        if story.waiting is None
        else WaitingForm(
            reason=story.waiting.reason.value,
            detail=story.waiting.detail,
            since=story.waiting.since.isoformat(),
            until=_iso(story.waiting.until),
        ),
        urgency=UrgencyForm(
            at=story.urgency.at.isoformat(),
            opened_at=story.urgency.opened_at.isoformat(),
            grade_seconds=story.urgency.grade_seconds,
            amount_seconds=story.urgency.amount_seconds,
            expiry_seconds=story.urgency.expiry_seconds,
            ahead=file.ring.ahead if file.ring is not None else None,
        ),
        timeline=[
            EntryForm(
                at=entry.at.isoformat(),
                kind=entry.kind.value,
                id=entry.id,
                by=entry.by,
                facts=dict(entry.facts),
            )
            for entry in file.timeline
        ],
    )


def tell_page(page: CasePage) -> CasePageForm:
    """One page of a search, JSON-ready and masked."""
    return CasePageForm(cases=[_line(line) for line in page.cases], next_before_id=page.next_before_id)


def _line(line: CaseLine) -> CaseLineForm:
    return CaseLineForm(
        id=line.id,
        person=_person(line.person),
        grade=line.grade.value,
        fraud_type=line.fraud_type.value,
        status=line.status.value,
        outcome=line.outcome.value if line.outcome else None,
        contact=line.contact.value,
        source=line.source,
        unit=line.unit,
        warnings=line.warnings,
        robot_attempts=line.robot_attempts,
        opened_at=line.opened_at.isoformat(),
        due_at=_iso(line.due_at),
        drill=line.drill,
    )


def _person(person: MaskedPerson) -> PersonForm:
    return PersonForm(
        name=person.name,
        phones=list(person.phones),
        id_number=person.id_number,
        has_address=person.has_address,
        has_family_contact=person.has_family_contact,
    )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
