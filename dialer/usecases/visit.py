"""An officer's visit, step by step from his phone. Each act has a number that the phone made: sent again after a lost
connection it counts once, and words and photos are kept even when the visit has ended meanwhile.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson

from dialer.domain.access import actor_name, said
from dialer.domain.acts import ActKind
from dialer.domain.errand import AssignmentState, VisitStage, WhoSeen
from dialer.domain.values import Contact, OutcomeKind, Track
from dialer.errors import Conflict, Invalid, Overtaken
from dialer.language import Text
from dialer.outcomes.money import Amounts
from dialer.outcomes.photos import clean_photo
from dialer.outcomes.reports import may_report
from dialer.store import acts, assignments, audits, cases, desk, visits
from dialer.store.acts import Act
from dialer.store.assignments import Assignment
from dialer.store.desk import Scope
from dialer.store.reads import visit_list
from dialer.store.seen import check_case_seen
from dialer.store.unit_of_work import Tx
from dialer.store.visits import KeptPhoto, Repeat
from dialer.usecases.engine import Engine
from dialer.usecases.report_errand import report

_KIND_OF_STAGE = {
    VisitStage.ACCEPTED: ActKind.VISIT_ACCEPTED,
    VisitStage.ON_THE_WAY: ActKind.VISIT_ON_THE_WAY,
    VisitStage.ARRIVED: ActKind.VISIT_ARRIVED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FromPhone:
    """What every act of a phone carries. `told_at` is the phone's own word for when, kept as a fact only."""

    client_id: uuid.UUID
    by: str
    told_at: datetime | None = None
    seen_by: int | None = None
    """The unit of whoever acts; None is the whole centre. A visit that it does not see is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """It is on record; `repeated`: it was before."""

    repeated: bool
    stage: VisitStage
    state: AssignmentState
    """What the visit is by now: one that is over may be left."""
    outcome_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitReport:
    """What came of it. `evidence` is needed beside any amount."""

    outcome: OutcomeKind
    contact: Contact | None = None
    amounts: Amounts = field(default_factory=Amounts)
    evidence: str = ""
    note: str = ""


def take_step(engine: Engine, assignment_id: int, stage: VisitStage, *, phone: FromPhone) -> Sent:
    """Accepted, on the way, arrived. The first of them signs 签收. A step that comes late moves nothing back. Raises
    `Overtaken` when somebody else has the visit.
    """
    kind = _KIND_OF_STAGE.get(stage)
    if kind is None:
        raise Invalid(field="stage", problem="is no step", mend="accepted, on_the_way or arrived")
    return _send(engine, assignment_id, kind, phone=phone, stage=stage)


def tell_seen(engine: Engine, assignment_id: int, who: WhoSeen, *, phone: FromPhone, note: str = "") -> Sent:
    """Who was met at the door, with whatever is to be said of it."""
    facts = {"who": who.value}
    return _send(
        engine,
        assignment_id,
        ActKind.VISIT_SEEN,
        phone=phone,
        stage=VisitStage.SEEN,
        facts=facts,
        words=note.strip(),
    )


def note_visit(engine: Engine, assignment_id: int, *, phone: FromPhone, words: str) -> Sent:
    """A note, sealed."""
    return _send(engine, assignment_id, ActKind.VISIT_NOTE, phone=phone, words=said("words", words))


def add_photo(engine: Engine, assignment_id: int, *, phone: FromPhone, content: bytes) -> Sent:
    """A photo as evidence, cleaned and sealed. Raises `Invalid` for what is no picture, too large or one too many."""
    photo = clean_photo(content, most_bytes=engine.work.photo_bytes)
    who = actor_name(phone.by)
    with engine.store.begin() as tx:
        # The picture's row names the case, and so holds it.
        cases.lock(tx, [assignments.get(tx, assignment_id).case_id])
        current, repeat = _begin(tx, engine, assignment_id, phone=phone, content=content)
        if repeat is not None:
            return _sent(current, repeat)
        if visits.count_photos(tx, assignment_id) >= engine.work.photos:
            raise Invalid(
                field="photo",
                problem="is one too many",
                mend=Text("%(most)s at most", most=engine.work.photos),
            )
        now = engine.clock.now()
        visits.add_photo(
            tx, phone.client_id, photo, assignment_id=assignment_id, case_id=current.case_id, by=who, now=now
        )
        facts = {"media_type": photo.media_type, "stripped_bytes": photo.stripped_bytes}
        _note(tx, engine, current, ActKind.VISIT_PHOTO, phone=phone, facts=facts)
        return _sent(current)


def report_visit(engine: Engine, assignment_id: int, result: VisitReport, *, phone: FromPhone) -> Sent:
    """反馈. Raises `Overtaken` when the visit was over before: what was to be said is kept in the timeline."""
    content = _packed(assignment_id, "report", repr(result))
    try:
        with engine.store.begin() as tx:
            case_id = assignments.get(tx, assignment_id).case_id
            cases.lock(tx, [case_id])
            current, repeat = _begin(tx, engine, assignment_id, phone=phone, content=content)
            if repeat is not None and repeat.outcome_id is not None:
                return _sent(current, repeat)
            if repeat is not None or not may_report(current.state):
                raise assignments.overtaken(current)
            outcome_id, must_cancel = report(
                tx,
                engine,
                assignment_id,
                by=actor_name(phone.by),
                outcome=result.outcome,
                amounts=result.amounts,
                evidence=result.evidence,
                contact=result.contact,
                note=result.note,
                token=None,
            )
            visits.set_outcome(tx, phone.client_id, outcome_id)
            after = assignments.get(tx, assignment_id)
    except Overtaken:
        _keep_late(engine, assignment_id, result, phone=phone, content=content)
        raise
    if must_cancel:
        engine.nudge("cancel_calls")
    engine.nudge("dial")
    return Sent(repeated=False, stage=after.stage, state=after.state, outcome_id=outcome_id)


def _keep_late(
    engine: Engine, assignment_id: int, result: VisitReport, *, phone: FromPhone, content: bytes
) -> None:
    """A report that came too late to count stays as a note, once."""
    with engine.store.begin() as tx:
        current, repeat = _begin(tx, engine, assignment_id, phone=phone, content=content)
        if repeat is None:
            facts = {"outcome": result.outcome.value, "late": True}
            _note(
                tx, engine, current, ActKind.VISIT_NOTE, phone=phone, facts=facts, words=result.note.strip()
            )


def photos(engine: Engine, case_id: int) -> list[KeptPhoto]:
    """What there is of a case, without the pictures."""
    with engine.store.begin() as tx:
        return visits.photos_of(tx, case_id)


def show_photo(
    engine: Engine, client_id: uuid.UUID, *, who: str, why: str, seen_by: int | None = None
) -> tuple[str, bytes]:
    """Media type and content; who looked and why is in the audit. Raises `NotFound`, also for one of a case that the
    unit `seen_by` does not see, and `Invalid`.
    """
    viewer, reason = actor_name(who), said("why", why)
    with engine.store.begin() as tx:
        case_id, media_type, content = visits.open_photo(tx, client_id)
        check_case_seen(tx, case_id, seen_by)
        note_look(tx, engine, case_id, who=viewer, why=reason)
        return media_type, content


def note_look(tx: Tx, engine: Engine, case_id: int, *, who: str, why: str) -> None:
    """Somebody looks at a photo of this case."""
    now = engine.clock.now()
    audits.write(tx, who=who, act="view_photo", subject=f"case/{case_id}", why=why, now=now)


def _send(
    engine: Engine,
    assignment_id: int,
    kind: ActKind,
    *,
    phone: FromPhone,
    stage: VisitStage | None = None,
    facts: Mapping[str, object] | None = None,
    words: str = "",
) -> Sent:
    content = _packed(assignment_id, kind.value, words, facts)
    with engine.store.begin() as tx:
        current, repeat = _begin(tx, engine, assignment_id, phone=phone, content=content)
        if repeat is not None:
            return _sent(current, repeat)
        _note(tx, engine, current, kind, phone=phone, facts=facts, words=words)
        # Who tells what was seen in another officer's place is heard, and takes nothing from him.
        is_others = stage is VisitStage.SEEN and current.signed_by not in {"", phone.by.strip()}
        if stage is not None and may_report(current.state) and not is_others:
            current = _advance(tx, engine, current, stage, by=actor_name(phone.by))
        return _sent(current)


def _begin(
    tx: Tx, engine: Engine, assignment_id: int, *, phone: FromPhone, content: bytes
) -> tuple[Assignment, Repeat | None]:
    current = assignments.lock(tx, assignment_id)
    if current.kind is not Track.VISIT:
        raise Conflict(
            "it is no visit",
            current=current.kind.value,
        )
    if phone.seen_by is not None:
        visit_list.check_seen(tx, assignment_id, scope=Scope(unit_id=phone.seen_by), who=phone.by.strip())
    repeat = visits.once(
        tx,
        phone.client_id,
        assignment_id=assignment_id,
        content=content,
        by=actor_name(phone.by),
        now=engine.clock.now(),
    )
    return current, repeat


def _advance(tx: Tx, engine: Engine, current: Assignment, stage: VisitStage, *, by: str) -> Assignment:
    now = engine.clock.now()
    idle = timedelta(seconds=engine.work.idle_seconds)
    assignments.sign(tx, current.id, by=by, now=now, idle=idle)
    desk.renew(tx, current.id, lease_until=None, idle_at=now + idle)
    if stage.rank > current.stage.rank:
        visits.set_stage(tx, current.id, stage)
    return assignments.get(tx, current.id)


def _note(
    tx: Tx,
    engine: Engine,
    current: Assignment,
    kind: ActKind,
    *,
    phone: FromPhone,
    facts: Mapping[str, object] | None = None,
    words: str = "",
) -> None:
    about: dict[str, object] = {"assignment_id": current.id, "state": current.state.value, **(facts or {})}
    if phone.told_at is not None:
        about["told_at"] = phone.told_at.isoformat()
    act = Act(case_id=current.case_id, kind=kind, by=phone.by.strip(), facts=about, words=words)
    acts.note(tx, [act], now=engine.clock.now())


def _sent(current: Assignment, repeat: Repeat | None = None) -> Sent:
    return Sent(
        repeated=repeat is not None,
        stage=current.stage,
        state=current.state,
        outcome_id=repeat.outcome_id if repeat is not None else None,
    )


def _packed(*parts: object) -> bytes:
    return orjson.dumps(parts)
