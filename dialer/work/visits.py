"""An officer's visit: the steps, notes, photos and report that a phone sends, each counted once by the number that the
phone gave it; the visit as its page shows it; and the notice 劝阻告知书 that is left with the person.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from dialer.cases.effects import IDLE_ASSIGNMENT
from dialer.cases.persons import Person, person_of_case
from dialer.cases.reveals import note_reveal, note_work_reveal
from dialer.cases.store import get_case, lock_cases
from dialer.core.access import Actor, Permission, RevealReason, required_text
from dialer.core.case import AssignmentState, PersonMet, VisitStage, may_report
from dialer.core.errors import Conflict, Invalid, NotFound, Overtaken
from dialer.core.places import NearbyOfficer, Place, nearest_first, read_place
from dialer.core.text import Text, gettext_noop
from dialer.core.timeline import ActKind
from dialer.core.values import FraudType, Tag, Track
from dialer.db.acts import OpenAct
from dialer.db.unit_of_work import Tx
from dialer.duty.presence import follow_work
from dialer.outcomes.evidence_files import add_visit_photo, clean_photo, unseal_file
from dialer.runtime.services import Services
from dialer.work.assignments import (
    Assignment,
    Scope,
    get_assignment,
    has_arrived,
    lock_assignment,
    note_work,
    overtaken_by,
    renew_claim,
    sign_assignment_for,
)
from dialer.work.tasks import NotArrived, WorkReport, enqueue_after_report, report_in_transaction
from dialer.work.visit_store import (
    RepeatedAct,
    StoredPhoto,
    VisitAct,
    VisitLine,
    count_visit_photos,
    course_of_visit,
    free_officers,
    note_visit_act_once,
    photos_of_case,
    set_visit_outcome,
    set_visit_stage,
    tags_of_case,
    visit_line,
    visit_of_transfer,
    visits_asked_of,
    waiting_visits,
)

MET_NEEDS_ARRIVAL = gettext_noop("the arrival is not on record: press Arrived first, then who was met")

_KIND_OF_STAGE = {
    VisitStage.ACCEPTED: ActKind.VISIT_ACCEPTED,
    VisitStage.ON_THE_WAY: ActKind.VISIT_ON_THE_WAY,
    VisitStage.ARRIVED: ActKind.VISIT_ARRIVED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneAct:
    """What every act of a phone carries. `told_at` is the time by the phone's clock, kept as a fact only."""

    client_id: uuid.UUID
    actor: Actor
    """Visits that the actor's unit does not see raise `NotFound`."""
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAct:
    """The act is on record; `repeated`: it already was."""

    repeated: bool
    stage: VisitStage
    state: AssignmentState
    """The current state of the visit."""
    outcome_id: int | None = None


def take_step(services: Services, assignment_id: int, stage: VisitStage, *, phone: PhoneAct) -> RecordedAct:
    """Records that the officer has accepted, is on the way or has arrived. The first step signs for the visit 签收; a
    late one moves nothing back. Raises `Overtaken` when somebody else has the visit.
    """
    kind = _KIND_OF_STAGE.get(stage)
    if kind is None:
        raise Invalid(field="stage", problem="is not a step", fix="accepted, on_the_way or arrived")
    return _record_act(services, assignment_id, kind, phone=phone, stage=stage)


def record_person_met(
    services: Services, assignment_id: int, who: PersonMet, *, phone: PhoneAct, note: str = ""
) -> RecordedAct:
    """Records who was met, with an optional note. Raises `NotArrived` where the arrival is not on record, unless
    somebody else has the visit: then it is only noted.
    """
    facts, kind, words = {"who": who.value}, ActKind.VISIT_SEEN, note.strip()
    return _record_act(
        services, assignment_id, kind, phone=phone, stage=VisitStage.SEEN, facts=facts, words=words
    )


def note_visit(services: Services, assignment_id: int, *, phone: PhoneAct, words: str) -> RecordedAct:
    """Adds a sealed note."""
    return _record_act(
        services, assignment_id, ActKind.VISIT_NOTE, phone=phone, words=required_text("words", words)
    )


def add_photo(services: Services, assignment_id: int, *, phone: PhoneAct, content: bytes) -> RecordedAct:
    """Stores a photo as evidence, cleaned and sealed. Raises `Invalid` for a file that is not a picture, is too large
    or is one more than allowed.
    """
    photo = clean_photo(content, most_bytes=services.work.photo_bytes)
    with services.act(phone.actor, Permission.WORK_VISITS) as act:
        tx = act.tx
        # The photo's foreign key locks the case, which comes first in the lock order.
        lock_cases(tx, [get_assignment(tx, assignment_id).case_id])
        current, repeat = _begin(act, assignment_id, phone=phone, contents=[content])
        if repeat is not None:
            return _sent(current, repeat)
        if count_visit_photos(tx, assignment_id) >= services.work.photos:
            most = Text("%(most)s at most", most=services.work.photos)
            raise Invalid(field="photo", problem="is one too many", fix=most)
        add_visit_photo(
            tx,
            phone.client_id,
            photo,
            assignment_id=assignment_id,
            case_id=current.case_id,
            by=act.by,
            now=act.now,
        )
        facts = {"media_type": photo.media_type, "stripped_bytes": photo.stripped_bytes}
        _note(act, current, ActKind.VISIT_PHOTO, phone=phone, facts=facts)
        return _sent(current)


def report_visit(
    services: Services, assignment_id: int, given: WorkReport, *, phone: PhoneAct
) -> RecordedAct:
    """Records the report 反馈. Raises `Overtaken` when the visit was over before, or somebody else has it by now; the
    note is then kept in the timeline.
    """
    contents = _report_contents(assignment_id, given)
    try:
        with services.act(phone.actor, Permission.WORK_VISITS) as act:
            lock_cases(act.tx, [get_assignment(act.tx, assignment_id).case_id])
            current, repeat = _begin(act, assignment_id, phone=phone, contents=contents)
            if repeat is not None and repeat.outcome_id is not None:
                return _sent(current, repeat)
            is_others = current.signed_by not in {"", act.by}
            if repeat is not None or not may_report(current.state) or is_others:
                raise overtaken_by(current)
            outcome_id, must_cancel = report_in_transaction(act, services, assignment_id, given, token=None)
            set_visit_outcome(act.tx, phone.client_id, outcome_id)
            after = get_assignment(act.tx, assignment_id)
    except Overtaken:
        _note_late_report(services, assignment_id, given, phone=phone, contents=contents)
        raise
    enqueue_after_report(services, must_cancel=must_cancel)
    return RecordedAct(repeated=False, stage=after.stage, state=after.state, outcome_id=outcome_id)


def _report_contents(assignment_id: int, given: WorkReport) -> list[bytes]:
    """The contents by which a repeated report is recognised. A fact that was not given is left out, so that a new field
    of the report leaves older reports as they were. The second form is the one that earlier versions of this software
    stored.
    """
    reference = given.evidence.reference if given.evidence else ""
    facts = {
        "outcome": given.outcome.value,
        "contact": given.contact.value if given.contact is not None else "",
        "intended_fen": given.amounts.intended_fen,
        "stopped_fen": given.amounts.stopped_fen,
        "returned_fen": given.amounts.returned_fen,
        "evidence": reference,
        "evidence_kind": given.evidence.kind.value if given.evidence else "",
        "evidence_fen": given.evidence.shows_fen if given.evidence else 0,
        "note": given.note,
        "scammer_contact": given.scammer_contact.value if given.scammer_contact is not None else "",
    }
    before = (
        f"Report(outcome={given.outcome!r}, contact={given.contact!r}, amounts={given.amounts!r}, "
        f"evidence={reference!r}, note={given.note!r})"
    )
    stable = {name: fact for name, fact in facts.items() if fact}
    return [_content_bytes(assignment_id, "report", stable), _content_bytes(assignment_id, "report", before)]


def _note_late_report(
    services: Services, assignment_id: int, given: WorkReport, *, phone: PhoneAct, contents: Sequence[bytes]
) -> None:
    """Stores a report that came too late to count as a note, once."""
    with services.act(phone.actor, Permission.WORK_VISITS) as act:
        current, repeat = _begin(act, assignment_id, phone=phone, contents=contents)
        if repeat is None:
            facts, words = {"outcome": given.outcome.value, "late": True}, given.note.strip()
            _note(act, current, ActKind.VISIT_NOTE, phone=phone, facts=facts, words=words)


def _record_act(
    services: Services,
    assignment_id: int,
    kind: ActKind,
    *,
    phone: PhoneAct,
    stage: VisitStage | None = None,
    facts: Mapping[str, object] | None = None,
    words: str = "",
) -> RecordedAct:
    content = _content_bytes(assignment_id, kind.value, words, facts)
    with services.act(phone.actor, Permission.WORK_VISITS) as act:
        current, repeat = _begin(act, assignment_id, phone=phone, contents=[content])
        if repeat is not None:
            return _sent(current, repeat)
        # A person met that somebody other than the holder reports is only noted; the holder keeps the visit.
        is_others = stage is VisitStage.SEEN and current.signed_by not in {"", act.by}
        advances = stage is not None and may_report(current.state) and not is_others
        if advances and stage is VisitStage.SEEN and not has_arrived(act.tx, current, by=act.by):
            raise NotArrived(MET_NEEDS_ARRIVAL)
        _note(act, current, kind, phone=phone, facts=facts, words=words)
        if stage is not None and advances:
            current = _advance(act, current, stage)
            follow_work(act.tx, services, act.by)
        return _sent(current)


def _begin(
    act: OpenAct, assignment_id: int, *, phone: PhoneAct, contents: Sequence[bytes]
) -> tuple[Assignment, RepeatedAct | None]:
    """The visit, locked, and the same act if it is on record already."""
    current, unit_id = lock_assignment(act.tx, assignment_id), act.actor.unit_id
    if current.kind is not Track.VISIT:
        raise Conflict("it is not a visit", current=current.kind.value)
    if unit_id is not None:
        visit_line(act.tx, assignment_id, scope=Scope(unit_id=unit_id), who=act.by)
    repeat = note_visit_act_once(
        act.tx, phone.client_id, assignment_id=assignment_id, contents=contents, by=act.by, now=act.now
    )
    if repeat is not None:
        act.needs_no_record()
    return current, repeat


def _advance(act: OpenAct, current: Assignment, stage: VisitStage) -> Assignment:
    tx = act.tx
    sign_assignment_for(tx, current.id, by=act.by, now=act.now)
    renew_claim(tx, current.id, lease_until=None, idle_at=act.now + IDLE_ASSIGNMENT)
    if stage.rank > current.stage.rank:
        set_visit_stage(tx, current.id, stage)
    return get_assignment(tx, current.id)


def _note(
    act: OpenAct,
    current: Assignment,
    kind: ActKind,
    *,
    phone: PhoneAct,
    facts: Mapping[str, object] | None = None,
    words: str = "",
) -> None:
    about: dict[str, object] = {"state": current.state.value, **(facts or {})}
    if phone.told_at is not None:
        about["told_at"] = phone.told_at.isoformat()
    note_work(act, current, kind, facts=about, words=words)


def _sent(current: Assignment, repeat: RepeatedAct | None = None) -> RecordedAct:
    return RecordedAct(
        repeated=repeat is not None,
        stage=current.stage,
        state=current.state,
        outcome_id=repeat.outcome_id if repeat is not None else None,
    )


def _content_bytes(*parts: object) -> bytes:
    return orjson.dumps(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitPage:
    """All that the page of a visit shows."""

    line: VisitLine
    person: Person | None
    """In clear, with a line in the audit; None for a reader who does not have the visit in hand."""
    tags: tuple[Tag, ...]
    course: tuple[VisitAct, ...]
    photos: tuple[StoredPhoto, ...]
    place: Place | None
    """Of the person's address, for the officer who has the visit in hand; None where no list told it."""
    nearby: tuple[NearbyOfficer, ...] | None
    """The free officers, the nearest first, for who assigns the visit; None for others, and when it is over."""


_MOST_NEARBY = 5


def _nearby(tx: Tx, actor: Actor, place: Place | None) -> tuple[NearbyOfficer, ...]:
    """The free officers of the actor's units; each is known at the middle of their unit's boundary."""
    return nearest_first(free_officers(tx, visible_to=actor.unit_id), place, most=_MOST_NEARBY)


def read_visit(services: Services, actor: Actor, visit_id: int) -> VisitLine:
    """The visit, masked. Raises `NotFound` for a visit that is not visible to this person."""
    with services.store.begin() as tx:
        return visit_line(tx, visit_id, scope=Scope(unit_id=actor.unit_id), who=actor.name)


def open_visit(services: Services, actor: Actor, visit_id: int) -> VisitPage:
    """The visit with everything that its page shows. Raises `NotFound`."""
    viewer = actor.name
    with services.store.begin() as tx:
        line = visit_line(tx, visit_id, scope=Scope(unit_id=actor.unit_id), who=viewer)
        is_mine = line.is_held_by(viewer)
        if is_mine:
            subject, facts = f"case/{line.case_id}", {"visit": visit_id}
            note_work_reveal(
                tx, services, who=viewer, act="reveal", subject=subject, why=_IN_HAND, facts=facts
            )
        may_assign = actor.may(Permission.MANAGE_DUTY) and line.is_pending and not is_mine
        person = person_of_case(tx, line.case_id) if is_mine or may_assign else None
        place = read_place(person.coordinates) if person is not None else None
        return VisitPage(
            line=line,
            person=person if is_mine else None,
            place=place if is_mine else None,
            nearby=_nearby(tx, actor, place) if may_assign else None,
            tags=tags_of_case(tx, line.case_id),
            course=course_of_visit(tx, line, who=viewer, with_words=is_mine),
            photos=_photos_of(tx, line),
        )


_IN_HAND = "visit"
"""The reason that the audit gives when the officer who has the visit sees the person."""


def may_print(line: VisitLine, *, who: str) -> bool:
    """The notice is printed by the officer who has the visit or has reported on it."""
    return line.is_held_by(who) or line.done_by == who


def look_at_transfer(services: Services, transfer_id: int, *, visible_to: int | None) -> VisitLine:
    """The visit of a transfer into this unit or one below it. Raises `NotFound`."""
    with services.store.begin() as tx:
        return visit_of_transfer(tx, transfer_id, unit_id=visible_to)


def show_photo_of(
    services: Services,
    actor: Actor,
    visit_id: int,
    client_id: uuid.UUID,
    *,
    reason: RevealReason | str,
    why: str,
) -> tuple[str, bytes]:
    """Media type and content of a photo; the viewer and the reason are in the audit. The holder of the visit need not
    give a reason. Raises `NotFound`, `Invalid` and `TooMany`.
    """
    viewer = actor.name
    with services.act(actor, Permission.WORK_VISITS, Permission.REVEAL) as act:
        tx = act.tx
        line = visit_line(tx, visit_id, scope=Scope(unit_id=actor.unit_id), who=viewer)
        if client_id not in {photo.client_id for photo in _photos_of(tx, line)}:
            raise NotFound(kind="photo", key=client_id)
        found = unseal_file(tx, client_id)
        subject = f"case/{found.case_id}"
        if line.is_held_by(viewer):
            facts = {"visit": visit_id}
            note_work_reveal(
                tx, services, who=viewer, act=found.act, subject=subject, why=_IN_HAND, facts=facts
            )
        else:
            note_reveal(act, services, name=found.act, subject=subject, reason=reason, why=why)
        return found.media_type, found.content


def _photos_of(tx: Tx, line: VisitLine) -> tuple[StoredPhoto, ...]:
    return tuple(photo for photo in photos_of_case(tx, line.case_id) if photo.assignment_id == line.id)


_MOST_LISTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitList:
    """The list of visits, masked; each part has the most urgent first."""

    mine: tuple[VisitLine, ...]
    free: tuple[VisitLine, ...]
    others: tuple[VisitLine, ...]
    asked: tuple[VisitLine, ...]
    """Visits that other units ask ours to take."""
    own: tuple[VisitLine, ...]
    """All of these but `asked`."""
    all: int
    """How many wait; at most 200 are shown."""

    @property
    def shown(self) -> int:
        """How many are listed; transfers are not counted."""
        return len(self.own)

    def late(self, now: datetime) -> int:
        """How many of `own` are past the time limit that runs now."""
        return sum(line.is_overdue(now) for line in self.own)


def list_visits(services: Services, actor: Actor, *, unit_id: int | None = None) -> VisitList:
    """The visits that the actor sees; with `unit_id` only of that unit and those below."""
    who, visible_to = actor.name, actor.unit_id
    with services.store.begin() as tx:
        own, total = waiting_visits(
            tx, scope=Scope(unit_id=visible_to), who=who, unit_id=unit_id, limit=_MOST_LISTED
        )
        asked = visits_asked_of(tx, unit_id=visible_to, limit=_MOST_LISTED)
    mine = tuple(line for line in own if line.is_held_by(who))
    apart = {line.id for line in (*mine, *asked)}
    rest = [line for line in own if line.id not in apart]
    return VisitList(
        mine=mine,
        free=tuple(line for line in rest if not line.signed_by),
        others=tuple(line for line in rest if line.signed_by),
        asked=tuple(line for line in asked if not line.is_held_by(who)),
        own=own,
        all=total,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperNotice:
    """Personal data in clear: for paper, never for a log."""

    person: Person
    fraud_type: FraudType
    unit: str
    printed_at: datetime


def print_notice(services: Services, actor: Actor, case_id: int) -> PaperNotice:
    """The content of the notice; the audit records the officer who prints it. Raises `NotFound`."""
    with services.act(actor, Permission.WORK_VISITS) as act:
        tx = act.tx
        person, stored = person_of_case(tx, case_id), get_case(tx, case_id)
        if person is None or stored is None:
            raise NotFound(kind="case", key=case_id)
        note_work_reveal(tx, services, who=act.by, act="print_notice", subject=f"case/{case_id}", why="")
        return PaperNotice(
            person=person, fraud_type=stored.case.fraud_type, unit=stored.unit, printed_at=act.now
        )
