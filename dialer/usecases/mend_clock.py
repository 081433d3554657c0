"""Looks whether the machine's clock went back, mends what would wait for it, and says so."""

from __future__ import annotations

from datetime import timedelta

from dialer.domain.effects import AlarmCode
from dialer.store import alarms, clock_jump, pacing
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine

_SPARE_SECONDS = 60.0


def _seconds_back(tx: Tx, engine: Engine) -> float:
    return clock_jump.seconds_back(
        tx,
        name=engine.lines.group,
        real_now=engine.real.now(),
        horizon_seconds=engine.lines.horizon_seconds,
    )


def mend_clock(engine: Engine) -> bool:
    """True when it had gone back. Claims that were made under the later clock lapse, so they are rung under a higher
    token; calls that live are asked about.
    """
    rules = engine.lines
    with engine.store.begin() as tx:
        if not _seconds_back(tx, engine):
            return False
    with engine.store.begin() as tx:
        pacing.lock_breaker(tx, name=rules.group)
        seconds = _seconds_back(tx, engine)
        if not seconds:
            return False  # another worker was faster
        real_now = engine.real.now()
        lease = rules.horizon_seconds + rules.lease_seconds
        poll = rules.silence_seconds + 2 * rules.post_timeout_seconds + rules.unknown_after_seconds
        clock_jump.bring_back(
            tx,
            name=rules.group,
            real_now=real_now,
            last_lease=real_now + timedelta(seconds=lease),
            last_poll=real_now + timedelta(seconds=poll + _SPARE_SECONDS),
        )
        alarms.ring(tx, AlarmCode.CLOCK_JUMPED, now=engine.clock.now(), facts={"seconds": round(seconds)})
    engine.nudge("dial")
    return True
