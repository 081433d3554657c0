"""Work that changes its unit: by a transfer with a reason, once somebody there accepts it, and by escalation, one
level up each time nobody signs, until an alarm at the top. No clock is ever reset.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from dialer.cases.store import Act, lock_cases, note_acts
from dialer.core.access import ROBOT, Actor, Permission, required_text
from dialer.core.case import TransferState, may_report
from dialer.core.errors import Conflict, NotFound
from dialer.core.events import AlarmCode
from dialer.core.timeline import ActKind
from dialer.core.units import Unit, UnitIndex
from dialer.core.values import Track
from dialer.db.acts import OpenAct
from dialer.db.alarms import alarm_row, raise_alarms
from dialer.db.unit_of_work import Tx
from dialer.db.units import is_unit_visible
from dialer.duty.actions import KIND_OF_TRACK, Duty, read_duty, units_without_duty
from dialer.runtime.services import Services
from dialer.work.assignments import (
    Assignment,
    escalate_assignment,
    get_assignment,
    hand_over_assignments,
    lock_assignment,
    lock_signed_assignment,
    lock_unsigned_assignments,
    mark_assignments_escalated,
    note_work,
    overtaken_by,
    visits_not_begun,
)
from dialer.work.transfer_store import (
    Transfer,
    answer_transfer,
    complete_transfer,
    complete_transfer_unsigned,
    get_transfer,
    request_transfer,
)


def transfer_assignment(
    services: Services,
    actor: Actor,
    assignment_id: int,
    *,
    to_unit_id: int,
    why: str,
    token: int | None = None,
) -> int:
    """The id of the transfer, which waits to be accepted. Raises `NotFound`, also for work that the actor's unit does
    not see, `Invalid`, and `Conflict` when the work is over, has a waiting transfer, or belongs to that unit
    already.
    """
    reason = required_text("why", why)
    with services.act(actor, *_TRANSFERS) as act:
        unit_id = get_assignment(act.tx, assignment_id).unit_id
        if not is_unit_visible(act.tx, unit_id, actor.unit_id):
            raise NotFound(kind="assignment", key=assignment_id)
        return ask_transfer(act, services, assignment_id, to_unit_id=to_unit_id, why=reason, token=token)


def ask_transfer(
    act: OpenAct, services: Services, assignment_id: int, *, to_unit_id: int, why: str, token: int | None
) -> int:
    """As `transfer_assignment`, as part of an act."""
    tx = act.tx
    label = active_label(tx, services, to_unit_id)
    current = (
        lock_assignment(tx, assignment_id)
        if token is None
        else lock_signed_assignment(tx, assignment_id, by=act.by, token=token)
    )
    if not may_report(current.state):
        raise overtaken_by(current)
    if current.unit_id == to_unit_id:
        raise Conflict("it is that unit's already", current=label)
    from_id = current.unit_id
    transfer_id = request_transfer(
        tx, assignment_id, from_unit_id=from_id, to_unit_id=to_unit_id, by=act.by, why=why, now=act.now
    )
    facts = {"transfer_id": transfer_id, "from": current.unit, "to": label}
    note_work(act, current, ActKind.TRANSFER_ASKED, facts=facts, words=why)
    return transfer_id


def accept_transfer(services: Services, actor: Actor, transfer_id: int, *, kind: Track | None = None) -> bool:
    """Moves the work and its case to the other unit. True: the person who accepts has signed for it; a person who may
    not do such work accepts it for the unit, where it waits for a signature. Raises `Conflict` when the transfer was
    answered or the work ended before, and `NotFound` for a transfer to a unit that the actor does not see, or of
    another `kind` of work.
    """
    with services.act(actor, *_TRANSFERS) as act:
        tx = act.tx
        transfer = _lock(act, transfer_id, kind)
        current = lock_assignment(tx, transfer.assignment_id)
        if not may_report(current.state):
            raise overtaken_by(current)
        label = active_label(tx, services, transfer.to_unit_id)
        answer_transfer(tx, transfer_id, TransferState.ACCEPTED, by=act.by, now=act.now)
        signs = actor.may(_WORKS[transfer.kind])
        if signs:
            complete_transfer(tx, transfer, label=label, by=act.by, now=act.now)
        else:
            seconds = services.policies.of(current.policy_version).of(current.grade).sign_seconds
            rise_at = act.now + timedelta(seconds=seconds)
            complete_transfer_unsigned(tx, transfer, label=label, rise_at=rise_at)
        facts = {"transfer_id": transfer_id, "to": label, "times": current.transfers + 1}
        note_work(act, current, ActKind.TRANSFER_ACCEPTED, facts=facts)
        return signs


_WORKS = {Track.HUMAN: Permission.WORK_DESK, Track.VISIT: Permission.WORK_VISITS}
_TRANSFERS = (Permission.WORK_DESK, Permission.WORK_VISITS, Permission.SORT_UNITS)


def refuse_transfer(
    services: Services, actor: Actor, transfer_id: int, *, why: str, kind: Track | None = None
) -> None:
    """Refuses the transfer: the work stays where it is, with the reason in the timeline. Raises as `accept_transfer`
    does.
    """
    reason = required_text("why", why)
    with services.act(actor, *_TRANSFERS) as act:
        transfer = _lock(act, transfer_id, kind)
        answer_transfer(act.tx, transfer_id, TransferState.REFUSED, by=act.by, now=act.now)
        held = get_assignment(act.tx, transfer.assignment_id)
        note_work(act, held, ActKind.TRANSFER_REFUSED, facts={"transfer_id": transfer_id}, words=reason)


def _lock(act: OpenAct, transfer_id: int, kind: Track | None) -> Transfer:
    """The transfer; its case is locked, as in every other act."""
    tx = act.tx
    transfer = get_transfer(tx, transfer_id)
    if not is_unit_visible(tx, transfer.to_unit_id, act.actor.unit_id) or kind not in {None, transfer.kind}:
        raise NotFound(kind="transfer", key=transfer_id)
    lock_cases(tx, [transfer.case_id])
    return transfer


def active_label(tx: Tx, services: Services, unit_id: int) -> str:
    """The label of the unit. Raises `NotFound`, and `Conflict` for a closed one."""
    index = services.units.current(tx)
    unit = index.get(unit_id)
    if unit is None:
        raise NotFound(kind="unit", key=unit_id)
    if not unit.active:
        raise Conflict("this unit is closed and takes nothing new", current="closed")
    return index.label(unit_id)


_BATCH = 500


def escalate_unsigned(services: Services) -> int:
    """Moves every assignment past its sign-off time without a signature to the unit above or, at the top, raises one
    alarm for it; returns how many were moved or raised an alarm. One in a unit whose roster has nobody on duty moves at
    once, and units without anybody on duty are skipped. A visit that has not begun goes back to the queue when the
    shift of who signed for it ends.
    """
    total = 0
    while True:
        with services.store.begin() as tx:
            now = services.clock.now()
            duty = read_duty(tx, services, now=now)
            if duty.rosters:
                _hand_over(tx, services, duty)
            empty = units_without_duty(duty)
            late = lock_unsigned_assignments(tx, now=now, limit=_BATCH, without_duty=empty)
            index = services.units.current(tx)
            above = {
                assignment.id: _active_parent(
                    index, assignment.unit_id, empty.get(assignment.kind, frozenset())
                )
                for assignment in late
            }
            acts = [
                _escalate(tx, services, index, assignment, unit, empty=empty, now=now)
                for assignment in late
                if (unit := above[assignment.id]) is not None
            ]
            note_acts(tx, acts, now=now)
            _alarm(tx, [assignment for assignment in late if above[assignment.id] is None], now=now)
        total += len(late)
        if len(late) < _BATCH:
            return total


def _hand_over(tx: Tx, services: Services, duty: Duty) -> None:
    """Returns the visits that have not begun of people who were on duty when they signed and are so no more. Who is on
    duty now has the whole time to sign.
    """
    ended = [visit.id for visit, staff_id in visits_not_begun(tx) if _shift_ended(duty, visit, staff_id)]
    if not ended:
        return
    acts = []
    for visit, staff_id in visits_not_begun(tx, lock_ids=ended):
        if not _shift_ended(duty, visit, staff_id):
            continue  # somebody else has signed for it meanwhile
        seconds = services.policies.of(visit.policy_version).of(visit.grade).sign_seconds
        hand_over_assignments(tx, [visit.id], rise_at=duty.now + timedelta(seconds=seconds))
        facts = {"assignment_id": visit.id, "track": visit.kind.value, "from": visit.signed_by}
        acts.append(Act(case_id=visit.case_id, kind=ActKind.SHIFT_ENDED, by=ROBOT, facts=facts))
    note_acts(tx, acts, now=duty.now)


def _shift_ended(duty: Duty, visit: Assignment, staff_id: int) -> bool:
    assert visit.unit_id is not None
    assert visit.signed_at is not None
    kind = KIND_OF_TRACK[visit.kind]
    was_on = staff_id in duty.on_for(visit.unit_id, kind, visit.signed_at)
    return was_on and staff_id not in duty.on_for(visit.unit_id, kind, duty.now)


def _active_parent(index: UnitIndex, unit_id: int | None, empty: Collection[int]) -> Unit | None:
    """The nearest unit above that is not closed and not one of `empty`, where nobody is on duty; None at the top and
    without a unit.
    """
    unit = index.get(unit_id) if unit_id is not None else None
    while unit is not None:
        unit = index.get(unit.parent_id) if unit.parent_id is not None else None
        if unit is not None and unit.active and unit.id not in empty:
            return unit
    return None


def _escalate(
    tx: Tx,
    services: Services,
    index: UnitIndex,
    late: Assignment,
    unit: Unit,
    *,
    empty: Mapping[Track, Collection[int]],
    now: datetime,
) -> Act:
    label = index.label(unit.id)
    seconds = services.policies.of(late.policy_version).of(late.grade).sign_seconds
    escalate_assignment(tx, late.id, unit_id=unit.id, label=label, rise_at=now + timedelta(seconds=seconds))
    facts = {
        "assignment_id": late.id,
        "track": late.kind.value,
        "from": late.unit,
        "to": label,
        "from_id": late.unit_id,
        "to_id": unit.id,
        "grade": late.grade.value,
        "sign_seconds": seconds,
    }
    if late.unit_id in empty.get(late.kind, ()):
        facts["without_duty"] = True
    return Act(case_id=late.case_id, kind=ActKind.UNIT_RAISED, by=ROBOT, facts=facts)


def _alarm(tx: Tx, late: list[Assignment], *, now: datetime) -> None:
    alarms = []
    for assignment in late:
        facts = {"assignment": assignment.id, "kind": assignment.kind.value, "unit": assignment.unit}
        alarms.append(alarm_row(AlarmCode.UNSIGNED, at=now, case_id=assignment.case_id, facts=facts))
    raise_alarms(tx, alarms)
    mark_assignments_escalated(tx, [assignment.id for assignment in late], now=now)
