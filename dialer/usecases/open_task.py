"""What a caller has before him: the task in hand with the person in clear, what was said, and who else is at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dialer.domain.access import actor_name
from dialer.domain.case import Case
from dialer.domain.errand import AssignmentState
from dialer.domain.values import Track
from dialer.outcomes.timeline import Entry
from dialer.store import acts, assignments, audits, desk, desk_calls, staff
from dialer.store.acts import Spoken
from dialer.store.assignments import Assignment
from dialer.store.desk import Scope
from dialer.store.desk_calls import DeskCall
from dialer.store.people import Person
from dialer.store.reads import case_file, desk_view, persons
from dialer.store.reads.desk_view import Beside, Warned
from dialer.store.reads.masking import MaskedPerson
from dialer.store.stop_payments import StopPayment
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine
from dialer.usecases.show_conversation import HandOver, hand_over_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What only the holder of an opened claim sees."""

    person: Person
    hand_over: HandOver
    words: tuple[Spoken, ...]
    """What people wrote about the case."""
    warned: Warned | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A task as it lies on a desk."""

    assignment: Assignment
    is_held: bool
    """By whoever asks."""
    case: Case
    unit: str
    masked: MaskedPerson
    opened: Opened | None
    timeline: tuple[Entry, ...]
    stop_payments: tuple[StopPayment, ...]
    calls: tuple[DeskCall, ...]
    """Put through for this task, oldest first."""
    beside: tuple[Beside, ...]
    names: Mapping[str, str]
    """Whoever is named here by login."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What of a task may change while somebody works on it."""

    assignment: Assignment
    is_held: bool
    calls: tuple[DeskCall, ...]
    beside: tuple[Beside, ...]
    names: Mapping[str, str]


def task_in_hand(engine: Engine, *, by: str) -> int | None:
    """The call that this desk has a running claim on."""
    with engine.store.begin() as tx:
        return desk.claimed_by(tx, actor_name(by), kind=Track.HUMAN, real_now=engine.real.now())


def open_task(engine: Engine, assignment_id: int, *, by: str, token: int) -> None:
    """The holder of this claim sees the person and the conversation from now on; in the audit, once a claim. Raises
    `Overtaken`.
    """
    who = actor_name(by)
    with engine.store.begin() as tx:
        held = assignments.lock_held(tx, assignment_id, by=who, token=token)
        if held.is_opened:
            return
        assignments.opened(tx, held)
        now, subject = engine.clock.now(), f"case/{held.case_id}"
        facts = {"assignment_id": held.id, "token": held.token}
        for act in ("reveal", "conversation"):
            audits.write(tx, who=who, act=act, subject=subject, why="desk", now=now, facts=facts)


def show_bench(engine: Engine, assignment_id: int, *, by: str, scope: Scope) -> Bench:
    """Masked where the claim was not opened or is somebody else's. Raises `NotFound`, also for work of other units."""
    with engine.store.begin() as tx:
        desk.check_work_seen(tx, assignment_id, scope)
        assignment = assignments.get(tx, assignment_id)
        file = case_file.read(tx, assignment.case_id)
        is_held = _holds(assignment, by)
        beside = desk_view.beside(tx, person_id=file.stored.person_id, assignment_id=assignment_id, by=by)
        return Bench(
            assignment=assignment,
            is_held=is_held,
            case=file.stored.case,
            unit=assignment.unit or file.stored.unit,
            masked=file.person,
            opened=_opened(tx, engine, assignment) if is_held and assignment.is_opened else None,
            timeline=file.timeline,
            stop_payments=tuple(desk_view.stop_payments(tx, scope, case_id=assignment.case_id)),
            calls=_calls(tx, assignment),
            beside=beside,
            names=_names(tx, assignment, beside),
        )


def take_pulse(engine: Engine, assignment_id: int, *, by: str, token: int, scope: Scope) -> Pulse:
    """Raises `NotFound`, also for work of other units."""
    with engine.store.begin() as tx:
        desk.check_work_seen(tx, assignment_id, scope)
        assignment = assignments.get(tx, assignment_id)
        person_id = desk_view.person_of(tx, assignment.case_id)
        beside = desk_view.beside(tx, person_id=person_id, assignment_id=assignment_id, by=by)
        return Pulse(
            assignment=assignment,
            is_held=_holds(assignment, by) and assignment.token == token,
            calls=_calls(tx, assignment),
            beside=beside,
            names=_names(tx, assignment, beside),
        )


def check_work_seen(engine: Engine, assignment_id: int, *, scope: Scope) -> None:
    """Raises `NotFound`."""
    with engine.store.begin() as tx:
        desk.check_work_seen(tx, assignment_id, scope)


def _holds(assignment: Assignment, by: str) -> bool:
    return assignment.state is AssignmentState.SIGNED and assignment.signed_by == by


def _calls(tx: Tx, assignment: Assignment) -> tuple[DeskCall, ...]:
    return tuple(
        call for call in desk_calls.of_case(tx, assignment.case_id) if call.assignment_id == assignment.id
    )


def _names(tx: Tx, assignment: Assignment, beside: Iterable[Beside]) -> dict[str, str]:
    return staff.display_names(
        tx, {assignment.signed_by, assignment.done_by or "", *(one.who for one in beside)}
    )


def _opened(tx: Tx, engine: Engine, assignment: Assignment) -> Opened:
    person = persons.of_case(tx, assignment.case_id)
    assert person is not None  # a case has one
    return Opened(
        person=person,
        hand_over=hand_over_of(tx, engine, assignment),
        words=tuple(acts.words_of(tx, assignment.case_id)),
        warned=desk_view.warned(tx, assignment.case_id),
    )
