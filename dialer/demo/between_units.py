"""What goes from one simulated unit to another: visits that belong next door, and some that a station lets lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from dialer.demo.dice import dice
from dialer.demo.organisation import HOME
from dialer.domain.errand import AssignmentState
from dialer.domain.units import UnitIndex
from dialer.domain.values import Track
from dialer.errors import Conflict
from dialer.store import transfers
from dialer.store.assignments import Assignment
from dialer.usecases.engine import Engine
from dialer.usecases.transfer_errand import accept_transfer, transfer_errand

_ASK_AFTER = timedelta(seconds=50)
_ANSWER_AFTER = timedelta(minutes=3)
_MOVED_PERCENT = 10
_ANSWERED_PERCENT = 60
_LEFT_PERCENT = 10
_OFFICERS_PERCENT = 70
_WHY: Final = ("现住址在贵辖区", "本人在贵辖区上班，白天不在家", "名单地址有误，实际居住在贵辖区")
_SENDER, _RECEIVER = "值班民警 韩磊", "值班民警 马晓燕"


def pass_on(engine: Engine, waiting: Sequence[Assignment], *, now: datetime) -> set[int]:
    """A few visits are asked for next door, and most of them accepted there. The ids of those that nobody else touches:
    on their way to another unit, let lie until they have risen, or left to whoever signs in as the demo's officer.
    """
    with engine.store.begin() as tx:
        index = engine.units.current(tx)
        moving = {one.assignment_id: one for one in transfers.waiting(tx)}
    alone: set[int] = set()
    for one in waiting:
        if one.kind is not Track.VISIT or one.unit_id is None:
            continue
        transfer = moving.get(one.id)
        if transfer is not None:
            alone.add(one.id)
            if dice(one, "answer") < _ANSWERED_PERCENT and now - transfer.at >= _ANSWER_AFTER:
                _unless_over(accept_transfer, engine, transfer.id, by=_RECEIVER)
        elif one.state is AssignmentState.OPEN and (_lies(one) or _is_the_officers(index, one)):
            alone.add(one.id)
        elif not one.transfers and dice(one, "moves") < _MOVED_PERCENT and now - one.opened_at >= _ASK_AFTER:
            to_unit_id = _next_door(index, one)
            if to_unit_id is not None:
                why = _WHY[dice(one, "why") % len(_WHY)]
                _unless_over(transfer_errand, engine, one.id, to_unit_id=to_unit_id, by=_SENDER, why=why)
                alone.add(one.id)
    return alone


def _lies(one: Assignment) -> bool:
    """Nobody of the unit signs: it rises, and is signed for one level up."""
    return one.grade.is_high and not one.raises and dice(one, "lies") < _LEFT_PERCENT


def _is_the_officers(index: UnitIndex, one: Assignment) -> bool:
    """One of his county, which has not risen from it yet."""
    unit = index.get(one.unit_id) if one.unit_id is not None else None
    near = unit is not None and any(index[step].name == HOME for step in unit.path)
    return near and not one.raises and dice(one, "officer") < _OFFICERS_PERCENT


def _next_door(index: UnitIndex, one: Assignment) -> int | None:
    """Another unit of the same parent."""
    own = index.get(one.unit_id) if one.unit_id is not None else None
    if own is None or own.parent_id is None:
        return None
    beside = [unit.id for unit in index if unit.parent_id == own.parent_id and unit.id != own.id]
    return beside[dice(one, "door") % len(beside)] if beside else None


def _unless_over(act: Callable[..., object], *about: object, **facts: object) -> None:
    try:
        act(*about, **facts)
    except Conflict:
        return  # The person was reached on another track meanwhile.
