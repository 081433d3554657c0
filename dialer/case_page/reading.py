"""One case for people and machines: masked, or with its person or its words in clear, which is audited. The JSON
schemas are those of `dialer case --json`, `dialer cases --json` and the API; docs/json.md describes them, and a test
compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated

from pydantic import Field

from dialer.calls.pauses import circumstances
from dialer.calls.recordings import StoredRecording, recordings_of_case
from dialer.cases.persons import Person, numbers_kept_apart, person_of_case
from dialer.cases.queries import CaseWords, CaseWork, read_case_words, read_case_work, read_conversation
from dialer.cases.reveals import note_reveal
from dialer.cases.search import CasePage, visible_among_cases
from dialer.cases.timeline import CaseFile, filings, pending_attempt, read_case_file
from dialer.core.access import Actor, Permission, RevealReason
from dialer.core.case import CaseStatus, Reason
from dialer.core.errors import NotFound
from dialer.core.policy import Urgency, urgency
from dialer.core.text import Lang
from dialer.core.timeline import EntryKind, NextStep, Obstacle, PendingAttempt, StepKind, Wait, WaitReason
from dialer.core.units import UnitIndex
from dialer.core.values import Contact, FraudType, Grade, OutcomeKind, Tag, Track
from dialer.db.unit_of_work import Tx
from dialer.db.units import check_case_visible, is_unit_visible
from dialer.language.sentences import waiting_sentence
from dialer.outcomes.evidence_files import EvidenceFile, files_of_case
from dialer.outcomes.ledger import ConflictingLine, conflicting_lines
from dialer.runtime.services import JsonResource, Services
from dialer.signals.reasons import ShownVerdict, reasons_of_case
from dialer.warnings.held_store import HeldList, cases_of_others_with_numbers_of, held_with_numbers_of
from dialer.work.assignments import Assignment, assignments_of_case
from dialer.work.desk import ReportedPayment, SpokenTurn, reported_payment, spoken_turns
from dialer.work.desk_store import DeskCall, desk_calls_of_case
from dialer.work.stop_requests import StopNumbers, StopRequest, stop_numbers_of, stop_requests_of
from dialer.work.visit_store import StoredPhoto, photos_of_case


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStory:
    """A case, masked. `urgency` is the place of its call attempts in the queue, by parts."""

    as_of: datetime
    timezone: str
    file: CaseFile
    next_steps: tuple[NextStep, ...]
    urgency: Urgency
    pending: PendingAttempt | None
    waiting: Obstacle | None
    """Why its call attempt has not been made yet: the first reason that `next_steps` name."""


def show_case(services: Services, case_id: int) -> CaseStory:
    """The case, masked. Raises `NotFound`."""
    with services.store.begin() as tx:
        return story(tx, services, case_id)


def story(tx: Tx, services: Services, case_id: int) -> CaseStory:
    """As `show_case`, in the caller's transaction."""
    file = read_case_file(tx, case_id)
    pending = pending_attempt(tx, case_id)
    moment = circumstances(tx, services)
    case = file.stored.case
    policy = services.policies.of(case.policy_version)
    return CaseStory(
        as_of=moment.now,
        timezone=services.centre.timezone,
        file=file,
        next_steps=moment.steps(case, pending),
        urgency=urgency(case, policy.urgency),
        pending=pending,
        waiting=next(iter(moment.waits(pending)), None),
    )


def reveal(
    services: Services,
    actor: Actor,
    case_id: int,
    *,
    reason: RevealReason | str,
    why: str,
) -> Person:
    """The person in clear, the numbers that only other sources name behind the others; who looked and why is audited
    before this returns. Raises `Invalid`, `TooMany`, and
    `NotFound`, also for a case that this unit does not see.
    """
    with services.act(actor, Permission.REVEAL) as act:
        check_case_visible(act.tx, case_id, actor.unit_id)
        note_reveal(act, services, name="reveal", subject=f"case/{case_id}", reason=reason, why=why)
        person = person_of_case(act.tx, case_id)
        if person is None:
            raise NotFound(kind="case", key=case_id)
        return replace(person, phones=(*person.phones, *numbers_kept_apart(act.tx, case_id, person)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSheet:
    """All that the page of a case shows. `words` and `paid` are there only if the words were opened."""

    story: CaseStory
    unit: str
    """By its name in the unit tree, or as the list wrote it when no unit was found."""
    is_sorted: bool
    said: tuple[SpokenTurn, ...]
    rows: CaseWork
    visible_work: frozenset[int]
    """Those of `rows.work` that the unit of the reader sees: an escalated one belongs to a unit above."""
    conflicts: Mapping[int, Sequence[ConflictingLine]]
    """Other lines of the incident with an amount of the same kind, by the line that is not reversed."""
    work: Mapping[int, Assignment]
    """Calls and visits by people that are not over, by their id."""
    calls: tuple[DeskCall, ...]
    photos: tuple[StoredPhoto, ...]
    files: Mapping[int, tuple[EvidenceFile, ...]]
    """What proves amounts, by the line of the ledger."""
    recordings: tuple[StoredRecording, ...]
    """Of calls of the case: of the robot, from a desk, of the person to us."""
    reasons: tuple[ShownVerdict, ...]
    """Of the warning robot; none where it did not warn."""
    names_waiting: tuple[HeldList, ...] = ()
    """Warnings about further people with a number of this person, which wait for a decision."""
    same_number: tuple[int, ...] = ()
    """The open cases of other people with a number of this person that the unit of the reader sees."""
    filings: tuple[str, ...] = ()
    """Numbers of the filed cases that are matched to it."""
    words: CaseWords | None = None
    paid: ReportedPayment | None = None
    stop_requests: tuple[StopRequest, ...] = ()
    stop_numbers: Mapping[int, StopNumbers] = field(default_factory=dict)
    """Accounts and receipts of `stop_requests`, by the request's id; only if the words were opened."""


def read_case(services: Services, case_id: int, *, visible_to: int | None) -> CaseSheet:
    """The case with everything that its page shows, masked. Raises `NotFound`, also for a case that this unit does not
    see.
    """
    with services.store.begin() as tx:
        check_case_visible(tx, case_id, visible_to)
        return _sheet(tx, services, case_id, in_clear=False, visible_to=visible_to)


def read_words(
    services: Services,
    actor: Actor,
    case_id: int,
    *,
    reason: RevealReason | str,
    why: str,
) -> CaseSheet:
    """The case with the words that were spoken, typed and written in clear; who read them and why is audited before
    this returns. Raises `NotFound`, `Invalid` and `TooMany`.
    """
    with services.act(actor, Permission.REVEAL) as act:
        check_case_visible(act.tx, case_id, actor.unit_id)
        note_reveal(
            act,
            services,
            name="conversation",
            subject=f"case/{case_id}",
            reason=reason,
            why=why,
        )
        return _sheet(act.tx, services, case_id, in_clear=True, visible_to=actor.unit_id)


def units_to_hand_to(services: Services) -> UnitIndex:
    """All units of the centre."""
    with services.store.begin() as tx:
        return services.units.current(tx)


def _sheet(tx: Tx, services: Services, case_id: int, *, in_clear: bool, visible_to: int | None) -> CaseSheet:
    found = story(tx, services, case_id)
    stored, rows = found.file.stored, read_case_work(tx, case_id)
    index = services.units.current(tx)
    is_sorted = stored.unit_id is not None and index.get(stored.unit_id) is not None
    turns = read_conversation(tx, case_id, in_clear=in_clear)
    return CaseSheet(
        story=found,
        unit=index.label(stored.unit_id) if is_sorted and stored.unit_id is not None else stored.unit,
        is_sorted=is_sorted,
        said=spoken_turns(services, turns),
        rows=rows,
        visible_work=frozenset(
            assignment.id for assignment in rows.work if is_unit_visible(tx, assignment.unit_id, visible_to)
        ),
        conflicts=conflicting_lines(
            tx,
            [line.id for line in rows.outcomes if line.has_money and line.reversed_by is None],
            visible_to=visible_to,
        ),
        work={assignment.id: assignment for assignment in assignments_of_case(tx, case_id)},
        calls=tuple(desk_calls_of_case(tx, case_id)),
        photos=tuple(photos_of_case(tx, case_id)),
        files=files_of_case(tx, case_id),
        recordings=tuple(recordings_of_case(tx, case_id)),
        reasons=reasons_of_case(tx, case_id),
        names_waiting=tuple(held_with_numbers_of(tx, stored.person_id)),
        same_number=_same_number(tx, stored.person_id, visible_to),
        filings=tuple(number for number, _ in filings(tx, case_id)),
        words=read_case_words(tx, case_id) if in_clear else None,
        paid=reported_payment(turns) if in_clear else None,
        stop_requests=tuple(stop_requests_of(tx, case_id)),
        stop_numbers=stop_numbers_of(tx, case_id) if in_clear else {},
    )


def _same_number(tx: Tx, person_id: int, visible_to: int | None) -> tuple[int, ...]:
    found = cases_of_others_with_numbers_of(tx, person_id)
    seen = dict(visible_among_cases(tx, found, visible_to=visible_to)) if found else {}
    return tuple(case_id for case_id in found if seen.get(case_id))


class PersonOut(JsonResource):
    """当事人，已脱敏 · The person, masked."""

    name: Annotated[str, Field(examples=["王*"])]
    phones: Annotated[list[str], Field(examples=[["138****8000"]])]
    id_number: Annotated[str, Field(examples=["15****1237"])]
    has_address: bool
    has_family_contact: bool


class StepOut(JsonResource):
    """下一步 · What moves a case next. `at` is null where it may happen at any moment."""

    kind: Annotated[
        StepKind, Field(description="ring: 机器人外呼; errand_opens/errand_due: 人工电话或见面劝阻")
    ]
    track: Track | None
    reason: Annotated[Reason, Field(description="原因代码 · the reason as a code")]
    at: datetime | None
    waits: Annotated[list[Wait], Field(description="外呼在等什么 · why a call attempt has not been made yet")]


class WaitingOut(JsonResource):
    """外呼在等什么 · Why its call attempt has not been made yet: the first thing in its way."""

    reason: WaitReason
    detail: str
    since: datetime
    until: datetime | None


class UrgencyOut(JsonResource):
    """紧急度 · The place of its call attempts in the queue: a moment, and the seconds that each part is worth."""

    at: datetime
    opened_at: datetime
    grade_seconds: int
    amount_seconds: int
    expiry_seconds: int
    ahead: int | None


class EntryOut(JsonResource):
    """经过 · One fact of the case's story; nothing personal is in it."""

    at: datetime
    kind: EntryKind
    id: str
    by: str
    facts: dict[str, str | int | bool | None]


class CaseOut(JsonResource):
    """预警单，已脱敏 · One case, masked."""

    id: int
    told_at: datetime
    drill: bool
    status: CaseStatus
    outcome: OutcomeKind | None
    contact: Contact
    grade: Grade
    fraud_type: FraudType
    source: str
    unit: str
    load_id: int | None
    warnings: int
    tags: list[Tag]
    missed: bool
    opted_out: bool
    reopened: bool = Field(description="经回访重新办理 · a follow-up has undone its success")
    amount_at_risk_fen: int | None
    opened_at: datetime
    expires_at: datetime | None
    first_attempt_at: datetime | None
    succeeded_at: datetime | None
    watch_until: datetime | None
    settled_at: datetime | None
    policy_version: int
    person: PersonOut
    next_steps: list[StepOut]
    waiting: WaitingOut | None
    urgency: UrgencyOut
    timeline: list[EntryOut]


class CaseLineOut(JsonResource):
    """One found case, masked."""

    id: int
    person: PersonOut
    grade: Grade
    fraud_type: FraudType
    status: CaseStatus
    outcome: OutcomeKind | None
    contact: Contact
    source: str
    unit: str
    warnings: int
    robot_attempts: int
    opened_at: datetime
    due_at: datetime | None
    drill: bool


class CasePageOut(JsonResource):
    """一页案件 · A page of cases, the newest first; next_before_id leads to the next page, null: none."""

    cases: list[CaseLineOut]
    next_before_id: int | None


_OF_CASE = (
    "id", "status", "outcome", "contact", "grade", "fraud_type", "warnings", "missed", "opted_out", "reopened",
    "amount_at_risk_fen", "opened_at", "expires_at", "watch_until", "policy_version",
)  # fmt: skip
_OF_URGENCY = ("at", "opened_at", "grade_seconds", "amount_seconds", "expiry_seconds")


def case_out(story: CaseStory) -> CaseOut:
    """As JSON, masked."""
    file, stored = story.file, story.file.stored
    return CaseOut.model_validate(
        {
            **{name: getattr(stored.case, name) for name in _OF_CASE},
            "told_at": story.as_of,
            "drill": stored.drill,
            "source": stored.source,
            "unit": stored.unit,
            "load_id": file.load_id,
            "tags": sorted(stored.case.tags),
            "first_attempt_at": stored.first_attempt_at,
            "succeeded_at": file.succeeded_at,
            "settled_at": file.settled_at,
            "person": file.person,
            "next_steps": story.next_steps,
            "waiting": None if story.waiting is None else _waiting_out(story.waiting),
            "urgency": {name: getattr(story.urgency, name) for name in _OF_URGENCY}
            | {"ahead": story.pending.ahead if story.pending is not None else None},
            "timeline": file.timeline,
        }
    )


def _waiting_out(waiting: Obstacle) -> WaitingOut:
    return WaitingOut(
        reason=waiting.reason,
        detail=waiting_sentence(waiting, Lang.EN),
        since=waiting.since,
        until=waiting.until,
    )


def case_page_out(page: CasePage) -> CasePageOut:
    """One page of a search, masked."""
    return CasePageOut.model_validate(page)
