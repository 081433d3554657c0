"""An errand that nobody takes rises one level of the organisation at a time, says so in the case's timeline, and ends
at a supervisor's alarm at the top: never silently.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from dialer.domain.access import ROBOT
from dialer.domain.acts import ActKind
from dialer.domain.effects import AlarmCode
from dialer.domain.units import Unit, UnitIndex
from dialer.store import acts, alarms, unsigned
from dialer.store.acts import Act
from dialer.store.unit_of_work import Tx
from dialer.store.unsigned import Unsigned
from dialer.usecases.engine import Engine

_AT_ONCE = 500


def escalate_unsigned(engine: Engine) -> int:
    """Every assignment past its sign-off time that nobody has taken is the unit's above, or, at the top, has raised an
    alarm, once; how many now.
    """
    total = 0
    while True:
        with engine.store.begin() as tx:
            now = engine.clock.now()
            late = unsigned.lock_late(tx, now=now, limit=_AT_ONCE)
            index = engine.units.current(tx)
            above = {one.id: _above(index, one) for one in late}
            _raise(
                tx,
                engine,
                index,
                [(one, unit) for one in late if (unit := above[one.id]) is not None],
                now=now,
            )
            _alarm(tx, [one for one in late if above[one.id] is None], now=now)
        total += len(late)
        if len(late) < _AT_ONCE:
            return total


def _above(index: UnitIndex, late: Unsigned) -> Unit | None:
    """The next unit up that still works; None at the top and where there is no unit."""
    unit = index.get(late.unit_id) if late.unit_id is not None else None
    while unit is not None:
        unit = index.get(unit.parent_id) if unit.parent_id is not None else None
        if unit is not None and unit.active:
            return unit
    return None


def _raise(
    tx: Tx, engine: Engine, index: UnitIndex, late: list[tuple[Unsigned, Unit]], *, now: datetime
) -> None:
    noted: list[Act] = []
    for one, unit in late:
        label = index.label(unit.id)
        rules = engine.policies.of(one.policy_version).of(one.grade)
        rise_at = now + timedelta(seconds=rules.sign_seconds)
        unsigned.rise(tx, one.id, unit_id=unit.id, label=label, rise_at=rise_at)
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
    acts.note(tx, noted, now=now)


def _alarm(tx: Tx, late: list[Unsigned], *, now: datetime) -> None:
    alarms.ring_all(
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
    unsigned.mark_escalated(tx, [one.id for one in late], now=now)
