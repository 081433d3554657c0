"""An errand that nobody takes ends at a supervisor's alarm, never silently."""

from __future__ import annotations

from dialer.domain.effects import AlarmCode
from dialer.store import alarms, unsigned
from dialer.usecases.engine import Engine

_AT_ONCE = 500


def escalate_unsigned(engine: Engine) -> int:
    """Every assignment past its sign-off time that nobody has taken has raised an alarm, once; how many now."""
    total = 0
    while True:
        with engine.store.begin() as tx:
            now = engine.clock.now()
            late = unsigned.lock_late(tx, now=now, limit=_AT_ONCE)
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
        total += len(late)
        if len(late) < _AT_ONCE:
            return total
