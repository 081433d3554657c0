"""Work goes to another unit with a reason, when somebody there accepts it. Until then it stays where it is, and no
clock is ever reset.
"""

from __future__ import annotations

from dialer.domain.access import actor_name, said
from dialer.domain.acts import ActKind
from dialer.domain.errand import TransferState
from dialer.errors import Conflict, NotFound
from dialer.outcomes.reports import may_report
from dialer.store import acts, assignments, cases, transfers
from dialer.store.acts import Act
from dialer.store.transfers import Transfer
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine


def transfer_errand(
    engine: Engine,
    assignment_id: int,
    *,
    to_unit_id: int,
    by: str,
    why: str,
    token: int | None = None,
    seen_by: int | None = None,
) -> int:
    """The id of the transfer, which now asks to be accepted. Raises `NotFound`, also for work that the unit `seen_by`
    has not, `Invalid`, and `Conflict` when the work is over, on its way already, or that unit's.
    """
    who, reason = actor_name(by), said("why", why)
    with engine.store.begin() as tx:
        if seen_by is not None:
            _check_seen(
                tx, engine, assignments.get(tx, assignment_id).unit_id, seen_by, "assignment", assignment_id
            )
        return ask_transfer(tx, engine, assignment_id, to_unit_id=to_unit_id, by=who, why=reason, token=token)


def ask_transfer(
    tx: Tx, engine: Engine, assignment_id: int, *, to_unit_id: int, by: str, why: str, token: int | None
) -> int:
    """As `transfer_errand`, in the caller's transaction."""
    label = active_label(tx, engine, to_unit_id)
    current = (
        assignments.lock(tx, assignment_id)
        if token is None
        else assignments.lock_held(tx, assignment_id, by=by, token=token)
    )
    if not may_report(current.state):
        raise assignments.overtaken(current)
    if current.unit_id == to_unit_id:
        raise Conflict("it is that unit's already", current=label)
    now = engine.clock.now()
    transfer_id = transfers.ask(
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
    acts.note(tx, [act], now=now)
    return transfer_id


def accept_transfer(engine: Engine, transfer_id: int, *, by: str, seen_by: int | None = None) -> None:
    """It is the other unit's, signed for by whoever accepts; so is its case. Raises `Conflict` when it was answered, or
    the work ended, before, and `NotFound` for one that goes to no unit of `seen_by`.
    """
    who = actor_name(by)
    with engine.store.begin() as tx:
        transfer = _lock(tx, engine, transfer_id, seen_by)
        now = engine.clock.now()
        current = assignments.lock(tx, transfer.assignment_id)
        if not may_report(current.state):
            raise assignments.overtaken(current)
        label = active_label(tx, engine, transfer.to_unit_id)
        transfers.answer(tx, transfer_id, TransferState.ACCEPTED, by=who, now=now)
        transfers.carry_over(tx, transfer, label=label, by=who, now=now)
        facts = {
            "assignment_id": current.id,
            "transfer_id": transfer_id,
            "to": label,
            "times": current.transfers + 1,
        }
        act = Act(case_id=transfer.case_id, kind=ActKind.TRANSFER_ACCEPTED, by=who, facts=facts)
        acts.note(tx, [act], now=now)


def refuse_transfer(
    engine: Engine, transfer_id: int, *, by: str, why: str, seen_by: int | None = None
) -> None:
    """It stays with whoever sent it, and both see why. Raises as `accept_transfer` does."""
    who, reason = actor_name(by), said("why", why)
    with engine.store.begin() as tx:
        transfer = _lock(tx, engine, transfer_id, seen_by)
        now = engine.clock.now()
        transfers.answer(tx, transfer_id, TransferState.REFUSED, by=who, now=now)
        facts = {"assignment_id": transfer.assignment_id, "transfer_id": transfer_id}
        act = Act(case_id=transfer.case_id, kind=ActKind.TRANSFER_REFUSED, by=who, facts=facts, words=reason)
        acts.note(tx, [act], now=now)


def _lock(tx: Tx, engine: Engine, transfer_id: int, seen_by: int | None) -> Transfer:
    """With its case, as every other act locks it."""
    transfer = transfers.get(tx, transfer_id)
    if seen_by is not None:
        _check_seen(tx, engine, transfer.to_unit_id, seen_by, "transfer", transfer_id)
    cases.lock(tx, [transfer.case_id])
    return transfer


def _check_seen(tx: Tx, engine: Engine, unit_id: int | None, seen_by: int, kind: str, key: int) -> None:
    unit = engine.units.current(tx).get(unit_id) if unit_id is not None else None
    if unit is None or seen_by not in unit.path:
        raise NotFound(kind=kind, key=key)


def active_label(tx: Tx, engine: Engine, unit_id: int) -> str:
    """What the unit is called. Raises `NotFound`, and `Conflict` for a closed one."""
    index = engine.units.current(tx)
    unit = index.get(unit_id)
    if unit is None:
        raise NotFound(kind="unit", key=unit_id)
    if not unit.active:
        raise Conflict("this unit is closed and takes nothing new", current="closed")
    return index.label(unit_id)
