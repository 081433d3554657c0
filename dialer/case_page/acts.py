"""What a person does to a case from its page. Each act names the revision of the case that it was decided on: on
another one it is refused with the last thing that happened. A case that the actor's unit does not see is `NotFound`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

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
from dialer.core.access import Actor, Permission, required_text
from dialer.core.case import CaseAct, acts_allowed
from dialer.core.errors import Conflict, Invalid, NotFound, Overtaken, Refusal
from dialer.core.events import (
    AssignmentRequested,
    CallRequested,
    CallsAllowed,
    CaseClosed,
    Event,
    GradeChanged,
    OptedOut,
)
from dialer.core.text import Text, gettext_noop
from dialer.core.timeline import ActKind, Entry
from dialer.core.values import Grade, OutcomeKind, Track
from dialer.db.unit_of_work import Tx
from dialer.db.units import check_case_visible
from dialer.runtime.services import Services
from dialer.work.assignments import assignments_of_case
from dialer.work.transfers import active_label, ask_transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenCase:
    """A case at the revision that a person saw when deciding on an act, and who that person is."""

    services: Services
    actor: Actor
    case_id: int
    revision: int


def revision_of(services: Services, case_id: int) -> int:
    """The revision of the case as it is now. Raises `NotFound`."""
    with services.store.begin() as tx:
        return _require_case(tx, case_id).revision


def changed_since(services: Services, case_id: int, *, since: datetime) -> tuple[Entry, ...]:
    """What happened to the case after a page of it was shown."""
    with services.store.begin() as tx:
        file = read_case_file(tx, case_id)
    return tuple(entry for entry in file.timeline if entry.at > since)


class BulkAct(StrEnum):
    """What is done to several cases at once, each by its own rules."""

    CALL_NOW = "call_now"
    ASK_CALLER = "ask_caller"
    ASK_OFFICER = "ask_officer"
    RAISE_HIGH = "raise_high"
    RAISE_EXTRA_HIGH = "raise_extra_high"


def act_on_many(
    services: Services, actor: Actor, chosen: Mapping[int, int], act: BulkAct | None, *, why: str
) -> Mapping[int, Refusal]:
    """Does the act to these cases, given with the revisions that the person saw, with one reason. Each case is a
    transaction of its own: returns the refusals by case, the others are done. Raises `Invalid` without a reason, an act
    or a case.
    """
    if act is None:
        raise Invalid(field="act", problem="is not chosen", fix="choose one of the list")
    if not chosen:
        raise Invalid(field="chosen", problem="is empty", fix="tick at least one case")
    reason = required_text("why", why)
    refused: dict[int, Refusal] = {}
    for case_id, revision in chosen.items():
        seen = SeenCase(services=services, actor=actor, case_id=case_id, revision=revision)
        try:
            _act_in_bulk(seen, act, why=reason)
        except (Conflict, Invalid, NotFound) as fault:
            refused[case_id] = fault
    return refused


def _act_in_bulk(seen: SeenCase, act: BulkAct, *, why: str) -> None:
    match act:
        case BulkAct.CALL_NOW:
            call_now(seen, why=why)
        case BulkAct.ASK_CALLER:
            ask_person(seen, Track.HUMAN, why=why)
        case BulkAct.ASK_OFFICER:
            ask_person(seen, Track.VISIT, why=why)
        case BulkAct.RAISE_HIGH:
            change_grade(seen, Grade.HIGH, why=why, only=CaseAct.RAISE)
        case BulkAct.RAISE_EXTRA_HIGH:
            change_grade(seen, Grade.EXTRA_HIGH, why=why, only=CaseAct.RAISE)
        case _:
            assert_never(act)


def call_now(seen: SeenCase, *, why: str = "") -> None:
    """Makes the robot's next call attempt due now; the window, the pacing and one live call per number still apply."""
    _act(seen, CaseAct.CALL_NOW, CallRequested(), words=why)


def change_grade(seen: SeenCase, grade: Grade, *, why: str = "", only: CaseAct | None = None) -> None:
    """Raises or lowers the grade; lowering needs a reason. Raises `Invalid` for the grade that the case has, and for
    the other direction than `only`.
    """
    with seen.services.store.begin() as tx:
        check_case_visible(tx, seen.case_id, seen.actor.unit_id)
        stored = _require_case(tx, seen.case_id)
        _check_revision(tx, stored, expected=seen.revision)
    current = stored.case.grade
    if grade is current:
        raise Invalid(field="grade", problem="is the grade that it has")
    rises = grade.rank > current.rank
    act = CaseAct.RAISE if rises else CaseAct.LOWER
    if only is not None and only is not act:
        problem = Text("is higher than now") if rises else Text("is lower than now")
        raise Invalid(field="grade", problem=problem)
    words = why.strip() if rises else required_text("why", why)
    facts = {"from": current.value, "grade": grade.value}
    _act(seen, act, GradeChanged(grade=grade), words=words, facts=facts)


def ask_person(seen: SeenCase, track: Track, *, why: str = "") -> None:
    """Opens an assignment for a caller or an officer, in addition to what is under way."""
    act = CaseAct.ASK_CALLER if track is Track.HUMAN else CaseAct.ASK_OFFICER
    facts = {"track": track.value}
    _act(seen, act, AssignmentRequested(track=track), words=why.strip(), facts=facts)


def close_case(seen: SeenCase, outcome: OutcomeKind, *, why: str) -> None:
    """Ends the case with an outcome and a reason, and withdraws its calls and assignments. Never as a success. Raises
    `Invalid` for an outcome that only the withdrawal of a list gives.
    """
    if outcome is OutcomeKind.WITHDRAWN:
        raise Invalid(field="outcome", problem="is not chosen", fix="choose one of the list")
    words, facts = required_text("why", why), {"outcome": outcome.value}
    _act(seen, CaseAct.CLOSE, CaseClosed(outcome=outcome), words=words, facts=facts)


def mark_duplicate(seen: SeenCase, *, of: int) -> None:
    """Ends the case as a duplicate of another case; amounts that wait then count once for both. Raises `NotFound`, and
    `Invalid` for the case itself and for a case that is closed as a duplicate: if two named each other, nobody would
    work either.
    """
    if of == seen.case_id:
        raise Invalid(field="of", problem="is the case itself", fix=_STAYS)
    closed = CaseClosed(outcome=OutcomeKind.DUPLICATE)
    _act(seen, CaseAct.MARK_DUPLICATE, closed, facts={"of": of}, stays=of)


def opt_out(seen: SeenCase, *, why: str) -> None:
    """Stops the robot's calls for this incident; people may still call. A new warning of a high grade ends that. In the
    watch period no follow-up is made any more, the success stays provisional, and a further warning is called only with
    a higher grade.
    """
    _act(seen, CaseAct.OPT_OUT, OptedOut(), words=required_text("why", why))


def allow_calls(seen: SeenCase, *, why: str) -> None:
    """Lifts that the person wants no more calls: the next warning of this incident is called as any other."""
    _act(seen, CaseAct.ALLOW_CALLS, CallsAllowed(), words=required_text("why", why))


def note_case(services: Services, actor: Actor, case_id: int, *, words: str) -> None:
    """Adds a sealed note to the timeline. It depends on no revision."""
    text = required_text("words", words)
    with services.act(actor, Permission.WORK_CASES) as act:
        check_case_visible(act.tx, case_id, actor.unit_id)
        note_acts(act.tx, [Act(case_id=case_id, kind=ActKind.NOTE, by=act.by, words=text)], now=act.now)


def transfer_case(seen: SeenCase, *, to_unit_id: int, why: str) -> None:
    """Asks the other unit to accept the open assignments of the case that it does not have; without any, the case
    belongs to that unit at once.
    """
    services, case_id = seen.services, seen.case_id
    reason = required_text("why", why)
    with services.act(seen.actor, Permission.WORK_CASES) as act:
        tx = act.tx
        stored = _lock_seen(tx, seen, CaseAct.HAND_OVER)
        label = active_label(tx, services, to_unit_id)
        if stored.unit_id == to_unit_id:
            raise Conflict("the case is that unit's already", current=label)
        pending = [work for work in assignments_of_case(tx, case_id) if work.unit_id != to_unit_id]
        for work in pending:
            ask_transfer(act, services, work.id, to_unit_id=to_unit_id, why=reason, token=None)
        kind = ActKind.UNIT_CHANGED
        if not pending:
            assign_case_to_unit(tx, case_id, unit_id=to_unit_id, label=label)
            facts = {"from": stored.unit, "to": label}
            moved = Act(case_id=case_id, kind=kind, by=act.by, facts=facts, words=reason)
            note_acts(tx, [moved], now=act.now)
        act.audit(kind.value, f"case/{case_id}", why=reason, facts={"to_unit_id": to_unit_id})


_STAYS = gettext_noop("the case that stays")
_KINDS = {
    CaseAct.CALL_NOW: ActKind.CALL_NOW,
    CaseAct.RAISE: ActKind.GRADE_RAISED,
    CaseAct.LOWER: ActKind.GRADE_LOWERED,
    CaseAct.ASK_CALLER: ActKind.PERSON_ASKED,
    CaseAct.ASK_OFFICER: ActKind.PERSON_ASKED,
    CaseAct.CLOSE: ActKind.CLOSED,
    CaseAct.MARK_DUPLICATE: ActKind.DUPLICATE,
    CaseAct.OPT_OUT: ActKind.OPTED_OUT,
    CaseAct.ALLOW_CALLS: ActKind.CALLS_ALLOWED,
}
"""The kind under which an act appears in the timeline."""
_OF_SUPERVISORS = frozenset({CaseAct.LOWER, CaseAct.ALLOW_CALLS})


def _act(
    seen: SeenCase,
    wanted: CaseAct,
    event: Event,
    *,
    words: str = "",
    facts: Mapping[str, object] | None = None,
    stays: int | None = None,
) -> None:
    """`stays` is the case of which this one is a duplicate."""
    services, case_id = seen.services, seen.case_id
    kind, about = _KINDS[wanted], dict(facts or {})
    right = Permission.LOWER_CASES if wanted in _OF_SUPERVISORS else Permission.WORK_CASES
    with services.act(seen.actor, right) as act:
        tx = act.tx
        if stays is not None:
            _check_stays(tx, seen, stays)
        stored = _lock_seen(tx, seen, wanted)
        moves = [Move(case_id=case_id, event=event)]
        must_cancel = move_cases(tx, {case_id: stored}, moves, policies=services.policies, now=act.now)
        noted = Act(case_id=case_id, kind=kind, by=act.by, facts=about, words=words)
        note_acts(tx, [noted], now=act.now)
        act.audit(kind.value, f"case/{case_id}", why=words, facts=about)
    if must_cancel:
        services.enqueue("cancel_calls")
    services.enqueue("dial")


def _check_stays(tx: Tx, seen: SeenCase, of: int) -> None:
    """Locks both cases. Raises `NotFound`, and `Invalid` if the case that stays is closed as a duplicate itself."""
    check_case_visible(tx, of, seen.actor.unit_id)
    if lock_cases(tx, [seen.case_id, of])[of].case.outcome is OutcomeKind.DUPLICATE:
        raise Invalid(field="of", problem=gettext_noop("is closed as a duplicate itself"), fix=_STAYS)


def _lock_seen(tx: Tx, seen: SeenCase, act: CaseAct) -> StoredCase:
    """The case, locked, if it is as it was seen and the act is allowed. Raises `NotFound` and `Conflict`."""
    case_id = seen.case_id
    check_case_visible(tx, case_id, seen.actor.unit_id)
    stored = lock_cases(tx, [case_id])[case_id]
    _check_revision(tx, stored, expected=seen.revision)
    bar = acts_allowed(stored.case)[act]
    if bar is not None:
        raise Conflict(
            Text("case %(case)s cannot %(act)s now: %(bar)s", case=case_id, act=act, bar=bar),
            current=bar.value,
        )
    return stored


def _check_revision(tx: Tx, stored: StoredCase, *, expected: int) -> None:
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


def _require_case(tx: Tx, case_id: int) -> StoredCase:
    stored = get_case(tx, case_id)
    if stored is None:
        raise NotFound(kind="case", key=case_id)
    return stored
