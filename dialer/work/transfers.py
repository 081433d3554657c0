"""Work goes to another unit with a reason, when somebody there accepts it. Until then it stays where it is, and no
clock is ever reset.

An errand that nobody takes rises one level of the organisation at a time, says so in the case's timeline, and ends
at a supervisor's alarm at the top: never silently.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from dialer.cases.alarms import raise_alarms
from dialer.cases.store import Act, lock_cases, note_acts
from dialer.core.access import ROBOT, actor_name, said
from dialer.core.case import TransferState, may_report
from dialer.core.effects import AlarmCode
from dialer.core.errors import Conflict, NotFound
from dialer.core.timeline import ActKind
from dialer.core.units import Unit, UnitIndex
from dialer.db.unit_of_work import Tx
from dialer.services import Services
from dialer.work.assignments import (
    UnsignedAssignment,
    escalate_assignment,
    get_assignment,
    lock_assignment,
    lock_signed_assignment,
    lock_unsigned_assignments,
    mark_assignments_escalated,
    overtaken_by,
)
from dialer.work.transfer_store import (
    Transfer,
    answer_transfer,
    complete_transfer,
    get_transfer,
    request_transfer,
)


def transfer_assignment(
    services: Services,
    assignment_id: int,
    *,
    to_unit_id: int,
    by: str,
    why: str,
    token: int | None = None,
    visible_to: int | None = None,
) -> int:
    """The id of the transfer, which now asks to be accepted. Raises `NotFound`, also for work that the unit `seen_by`
    has not, `Invalid`, and `Conflict` when the work is over, on its way already, or that unit's.
    """
    who, reason = actor_name(by), said("why", why)
    with services.store.begin() as tx:
        if visible_to is not None:
            _check_seen(
                tx,
                services,
                get_assignment(tx, assignment_id).unit_id,
                visible_to,
                "assignment",
                assignment_id,
            )
        return ask_transfer(
            tx, services, assignment_id, to_unit_id=to_unit_id, by=who, why=reason, token=token
        )


def ask_transfer(
    tx: Tx, services: Services, assignment_id: int, *, to_unit_id: int, by: str, why: str, token: int | None
) -> int:
    """As `transfer_errand`, in the caller's transaction."""
    label = active_label(tx, services, to_unit_id)
    current = (
        lock_assignment(tx, assignment_id)
        if token is None
        else lock_signed_assignment(tx, assignment_id, by=by, token=token)
    )
    if not may_report(current.state):
        raise overtaken_by(current)
    if current.unit_id == to_unit_id:
        raise Conflict("it is that unit's already", current=label)
    now = services.clock.now()
    transfer_id = request_transfer(
        tx,
        assignment_id,
        from_unit_id=current.unit_id,
        to_unit_id=to_unit_id,
        by=by,
        why=why,
        now=now,
    )
    facts = {"assignment_id": assignment_id, "transfer_id": transfer_id, "from": current.unit, "to": label}
    act = Act(case_id=current.case_id, kind=ActKind.TRANSFER_ASKED, by=by, facts=facts, words=why)
    note_acts(tx, [act], now=now)
    return transfer_id


def accept_transfer(services: Services, transfer_id: int, *, by: str, visible_to: int | None = None) -> None:
    """It is the other unit's, signed for by whoever accepts; so is its case. Raises `Conflict` when it was answered, or
    the work ended, before, and `NotFound` for one that goes to no unit of `seen_by`.
    """
    who = actor_name(by)
    with services.store.begin() as tx:
        transfer = _lock(tx, services, transfer_id, visible_to)
        now = services.clock.now()
        current = lock_assignment(tx, transfer.assignment_id)
        if not may_report(current.state):
            raise overtaken_by(current)
        label = active_label(tx, services, transfer.to_unit_id)
        answer_transfer(tx, transfer_id, TransferState.ACCEPTED, by=who, now=now)
        complete_transfer(tx, transfer, label=label, by=who, now=now)
        facts = {
            "assignment_id": current.id,
            "transfer_id": transfer_id,
            "to": label,
            "times": current.transfers + 1,
        }
        act = Act(case_id=transfer.case_id, kind=ActKind.TRANSFER_ACCEPTED, by=who, facts=facts)
        note_acts(tx, [act], now=now)


def refuse_transfer(
    services: Services, transfer_id: int, *, by: str, why: str, visible_to: int | None = None
) -> None:
    """It stays with whoever sent it, and both see why. Raises as `accept_transfer` does."""
    who, reason = actor_name(by), said("why", why)
    with services.store.begin() as tx:
        transfer = _lock(tx, services, transfer_id, visible_to)
        now = services.clock.now()
        answer_transfer(tx, transfer_id, TransferState.REFUSED, by=who, now=now)
        facts = {"assignment_id": transfer.assignment_id, "transfer_id": transfer_id}
        act = Act(case_id=transfer.case_id, kind=ActKind.TRANSFER_REFUSED, by=who, facts=facts, words=reason)
        note_acts(tx, [act], now=now)


def _lock(tx: Tx, services: Services, transfer_id: int, visible_to: int | None) -> Transfer:
    """With its case, as every other act locks it."""
    transfer = get_transfer(tx, transfer_id)
    if visible_to is not None:
        _check_seen(tx, services, transfer.to_unit_id, visible_to, "transfer", transfer_id)
    lock_cases(tx, [transfer.case_id])
    return transfer


def _check_seen(
    tx: Tx, services: Services, unit_id: int | None, visible_to: int, kind: str, key: int
) -> None:
    unit = services.units.current(tx).get(unit_id) if unit_id is not None else None
    if unit is None or visible_to not in unit.path:
        raise NotFound(kind=kind, key=key)


def active_label(tx: Tx, services: Services, unit_id: int) -> str:
    """What the unit is called. Raises `NotFound`, and `Conflict` for a closed one."""
    index = services.units.current(tx)
    unit = index.get(unit_id)
    if unit is None:
        raise NotFound(kind="unit", key=unit_id)
    if not unit.active:
        raise Conflict("this unit is closed and takes nothing new", current="closed")
    return index.label(unit_id)


_AT_ONCE = 500


def escalate_unsigned(services: Services) -> int:
    """Every assignment past its sign-off time that nobody has taken is the unit's above, or, at the top, has raised an
    alarm, once; how many now.
    """
    total = 0
    while True:
        with services.store.begin() as tx:
            now = services.clock.now()
            late = lock_unsigned_assignments(tx, now=now, limit=_AT_ONCE)
            index = services.units.current(tx)
            above = {one.id: _above(index, one) for one in late}
            _raise(
                tx,
                services,
                index,
                [(one, unit) for one in late if (unit := above[one.id]) is not None],
                now=now,
            )
            _alarm(tx, [one for one in late if above[one.id] is None], now=now)
        total += len(late)
        if len(late) < _AT_ONCE:
            return total


def _above(index: UnitIndex, late: UnsignedAssignment) -> Unit | None:
    """The next unit up that still works; None at the top and where there is no unit."""
    unit = index.get(late.unit_id) if late.unit_id is not None else None
    while unit is not None:
        unit = index.get(unit.parent_id) if unit.parent_id is not None else None
        if unit is not None and unit.active:
            return unit
    return None


def _raise(
    tx: Tx,
    services: Services,
    index: UnitIndex,
    late: list[tuple[UnsignedAssignment, Unit]],
    *,
    now: datetime,
) -> None:
    noted: list[Act] = []
    for one, unit in late:
        label = index.label(unit.id)
        rules = services.policies.of(one.policy_version).of(one.grade)
        rise_at = now + timedelta(seconds=rules.sign_seconds)
        escalate_assignment(tx, one.id, unit_id=unit.id, label=label, rise_at=rise_at)
        facts = {
            "assignment_id": one.id,
            "track": one.kind.value,
            "from": one.unit,
            "to": label,
            "from_id": one.unit_id,
            "to_id": unit.id,
            "grade": one.grade.value,
            "sign_seconds": rules.sign_seconds,
        }
        noted.append(Act(case_id=one.case_id, kind=ActKind.UNIT_RAISED, by=ROBOT, facts=facts))
    note_acts(tx, noted, now=now)


def _alarm(tx: Tx, late: list[UnsignedAssignment], *, now: datetime) -> None:
    raise_alarms(
        tx,
        [
            {
                "code": AlarmCode.UNSIGNED.value,
                "case_id": one.case_id,
                "load_id": None,
                "facts": {"assignment": one.id, "kind": one.kind.value, "unit": one.unit},
                "raised_at": now,
            }
            for one in late
        ],
    )
    mark_assignments_escalated(tx, [one.id for one in late], now=now)
