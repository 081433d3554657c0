"""What a person does to a case from its page. Each act says which revision of the case it was decided on: one that was
decided on an older one is refused and told what happened meanwhile. `seen_by` is the unit of whoever acts: a case that
it does not see is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dialer.cases.effects import Move, move_cases
from dialer.cases.store import (
    Act,
    StoredCase,
    assign_case_to_unit,
    get_case,
    last_act_of_case,
    lock_cases,
    note_acts,
)
from dialer.cases.timeline import read_case_file
from dialer.core.access import actor_name, said
from dialer.core.case import Bar, CaseAct, acts_allowed
from dialer.core.errors import Conflict, Invalid, NotFound, Overtaken
from dialer.core.events import AssignmentRequested, CallRequested, CaseClosed, Event, GradeChanged, OptedOut
from dialer.core.timeline import ActKind, Entry
from dialer.core.values import Grade, OutcomeKind, Track
from dialer.db.audit import write_audit
from dialer.db.unit_of_work import Tx
from dialer.language import Text
from dialer.org.unit_store import check_case_visible
from dialer.services import Services
from dialer.work.assignments import assignments_of_case
from dialer.work.transfers import active_label, ask_transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A case as it stands: its revision, which every act must name, and what may be done now."""

    revision: int
    allowed: Mapping[CaseAct, Bar | None]


def standing(services: Services, case_id: int) -> Standing:
    """Raises `NotFound`."""
    with services.store.begin() as tx:
        return _standing(tx, case_id)


def changed_since(services: Services, case_id: int, *, since: datetime) -> tuple[Entry, ...]:
    """What happened to the case after a page was shown: for whoever was refused."""
    with services.store.begin() as tx:
        file = read_case_file(tx, case_id)
    return tuple(entry for entry in file.timeline if entry.at > since)


def call_now(
    services: Services, case_id: int, *, by: str, expected: int, visible_to: int | None = None
) -> Standing:
    """The robot's next ring is wanted now; the window, the pacing and one call a number hold all the same."""
    who = actor_name(by)
    event = CallRequested()
    return _act(
        services,
        case_id,
        CaseAct.CALL_NOW,
        ActKind.CALL_NOW,
        event,
        who=who,
        expected=expected,
        visible_to=visible_to,
    )


def change_grade(
    services: Services,
    case_id: int,
    grade: Grade,
    *,
    by: str,
    expected: int,
    why: str = "",
    visible_to: int | None = None,
    only: CaseAct | None = None,
) -> Standing:
    """Raised or lowered; a fall needs a reason. Raises `Invalid` for the grade that it has, and for the other direction
    than `only`, where one is given.
    """
    who = actor_name(by)
    with services.store.begin() as tx:
        check_case_visible(tx, case_id, visible_to)
        stored = _get(tx, case_id)
        _same_revision(tx, stored, expected=expected)
    current = stored.case.grade
    if grade is current:
        raise Invalid(field="grade", problem="is the grade that it has")
    rises = grade.rank > current.rank
    if only is not None and only is not (CaseAct.RAISE if rises else CaseAct.LOWER):
        problem = Text("is higher than now") if rises else Text("is lower than now")
        raise Invalid(field="grade", problem=problem)
    words = why.strip() if rises else said("why", why)
    return _act(
        services,
        case_id,
        CaseAct.RAISE if rises else CaseAct.LOWER,
        ActKind.GRADE_RAISED if rises else ActKind.GRADE_LOWERED,
        GradeChanged(grade=grade),
        who=who,
        expected=expected,
        words=words,
        facts={"from": current.value, "grade": grade.value},
        visible_to=visible_to,
    )


def ask_person(
    services: Services,
    case_id: int,
    track: Track,
    *,
    by: str,
    expected: int,
    why: str = "",
    visible_to: int | None = None,
) -> Standing:
    """A caller rings, or an officer goes, beside whatever else is under way."""
    who = actor_name(by)
    act = CaseAct.ASK_CALLER if track is Track.HUMAN else CaseAct.ASK_OFFICER
    event = AssignmentRequested(track=track)
    facts = {"track": track.value}
    return _act(
        services,
        case_id,
        act,
        ActKind.PERSON_ASKED,
        event,
        who=who,
        expected=expected,
        words=why.strip(),
        facts=facts,
        visible_to=visible_to,
    )


def close_case(
    services: Services,
    case_id: int,
    outcome: OutcomeKind,
    *,
    by: str,
    expected: int,
    why: str,
    visible_to: int | None = None,
) -> Standing:
    """Ended with an outcome and a reason; calls and errands are stood down. A success needs verified contact."""
    who, reason = actor_name(by), said("why", why)
    return _act(
        services,
        case_id,
        CaseAct.CLOSE,
        ActKind.CLOSED,
        CaseClosed(outcome=outcome),
        who=who,
        expected=expected,
        words=reason,
        facts={"outcome": outcome.value},
        visible_to=visible_to,
    )


def mark_duplicate(
    services: Services, case_id: int, *, of: int, by: str, expected: int, visible_to: int | None = None
) -> Standing:
    """Ended as a duplicate of another case. Raises `NotFound`, and `Invalid` for itself."""
    who = actor_name(by)
    if of == case_id:
        raise Invalid(field="of", problem="is the case itself", mend="the case that stays")
    with services.store.begin() as tx:
        check_case_visible(tx, case_id, visible_to)
        check_case_visible(tx, of, visible_to)
    return _act(
        services,
        case_id,
        CaseAct.MARK_DUPLICATE,
        ActKind.DUPLICATE,
        CaseClosed(outcome=OutcomeKind.DUPLICATE),
        who=who,
        expected=expected,
        facts={"of": of},
        visible_to=visible_to,
    )


def opt_out(
    services: Services, case_id: int, *, by: str, expected: int, why: str, visible_to: int | None = None
) -> Standing:
    """No robot rings for this incident again; people go on. A new warning of a high grade is not silenced by it."""
    who, words = actor_name(by), said("why", why)
    event = OptedOut()
    return _act(
        services,
        case_id,
        CaseAct.OPT_OUT,
        ActKind.OPTED_OUT,
        event,
        who=who,
        expected=expected,
        words=words,
        visible_to=visible_to,
    )


def note_case(
    services: Services, case_id: int, *, by: str, words: str, visible_to: int | None = None
) -> Standing:
    """A line in the timeline, sealed. It depends on nothing, so no page is too old for it."""
    who, text = actor_name(by), said("words", words)
    with services.store.begin() as tx:
        check_case_visible(tx, case_id, visible_to)
        note_acts(tx, [Act(case_id=case_id, kind=ActKind.NOTE, by=who, words=text)], now=services.clock.now())
        return _standing(tx, case_id)


def hand_over(
    services: Services,
    case_id: int,
    *,
    to_unit_id: int,
    by: str,
    expected: int,
    why: str,
    visible_to: int | None = None,
) -> Standing:
    """Its people's work asks to be accepted by the other unit; a case without such work is that unit's at once."""
    who, reason = actor_name(by), said("why", why)
    with services.store.begin() as tx:
        check_case_visible(tx, case_id, visible_to)
        stored = _lock_expected(tx, case_id, CaseAct.HAND_OVER, expected=expected)
        label = active_label(tx, services, to_unit_id)
        if stored.unit_id == to_unit_id:
            raise Conflict("the case is that unit's already", current=label)
        pending = assignments_of_case(tx, case_id)
        now = services.clock.now()
        for one in pending:
            ask_transfer(tx, services, one.id, to_unit_id=to_unit_id, by=who, why=reason, token=None)
        if not pending:
            assign_case_to_unit(tx, case_id, unit_id=to_unit_id, label=label)
            facts = {"from": stored.unit, "to": label}
            act = Act(case_id=case_id, kind=ActKind.UNIT_CHANGED, by=who, facts=facts, words=reason)
            note_acts(tx, [act], now=now)
        _audit(
            tx, case_id, ActKind.UNIT_CHANGED, by=who, why=reason, now=now, facts={"to_unit_id": to_unit_id}
        )
        return _standing(tx, case_id)


def _act(
    services: Services,
    case_id: int,
    act: CaseAct,
    kind: ActKind,
    event: Event,
    *,
    who: str,
    expected: int,
    words: str = "",
    facts: Mapping[str, object] | None = None,
    visible_to: int | None = None,
) -> Standing:
    with services.store.begin() as tx:
        check_case_visible(tx, case_id, visible_to)
        stored = _lock_expected(tx, case_id, act, expected=expected)
        now = services.clock.now()
        cancels = move_cases(
            tx, {case_id: stored}, [Move(case_id=case_id, event=event)], policies=services.policies, now=now
        )
        about = dict(facts or {})
        note_acts(tx, [Act(case_id=case_id, kind=kind, by=who, facts=about, words=words)], now=now)
        _audit(tx, case_id, kind, by=who, why=words, now=now, facts=about)
        after = _standing(tx, case_id)
    if cancels:
        services.enqueue("cancel_calls")
    services.enqueue("dial")
    return after


def _lock_expected(tx: Tx, case_id: int, act: CaseAct, *, expected: int) -> StoredCase:
    stored = lock_cases(tx, [case_id]).get(case_id)
    if stored is None:
        raise NotFound(kind="case", key=case_id)
    _same_revision(tx, stored, expected=expected)
    bar = acts_allowed(stored.case)[act]
    if bar is not None:
        raise Conflict(
            Text("case %(case)s cannot %(act)s now: %(bar)s", case=case_id, act=act, bar=bar),
            current=bar.value,
        )
    return stored


def _same_revision(tx: Tx, stored: StoredCase, *, expected: int) -> None:
    if stored.revision == expected:
        return
    last = last_act_of_case(tx, stored.case.id)
    if last is not None:
        text = Text(
            "case %(case)s has changed meanwhile: last %(what)s by %(who)s",
            case=stored.case.id,
            what=ActKind(last["kind"]),
            who=last["by"],
        )
        raise Overtaken(text, who=last["by"], what=last["kind"])
    status = stored.case.status
    text = Text("case %(case)s has changed meanwhile: it is %(status)s", case=stored.case.id, status=status)
    raise Overtaken(text, who="", what=status.value)


def _audit(
    tx: Tx, case_id: int, kind: ActKind, *, by: str, why: str, now: datetime, facts: Mapping[str, object]
) -> None:
    write_audit(tx, who=by, act=kind.value, subject=f"case/{case_id}", why=why, now=now, facts=facts)


def _get(tx: Tx, case_id: int) -> StoredCase:
    stored = get_case(tx, case_id)
    if stored is None:
        raise NotFound(kind="case", key=case_id)
    return stored


def _standing(tx: Tx, case_id: int) -> Standing:
    stored = _get(tx, case_id)
    return Standing(revision=stored.revision, allowed=acts_allowed(stored.case))
