"""Nobody is rung while no web process runs: whoever picked up would hear the telephone network's own regrets, and one
of the robot's tries would be gone.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from dialer.domain.effects import AlarmCode
from dialer.store import alarms, facts
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine

WEB = "web"
_SILENT = timedelta(seconds=30)
"""Since the last beat of any: longer than one takes to come back, and than two machines' clocks disagree."""
_PATIENCE = timedelta(seconds=10)
"""A service that starts is no alarm."""


class WebWatch:
    """Of one ringing process, for as long as it lives."""

    def __init__(self) -> None:
        self._missing_since: datetime | None = None

    def may_ring(self, tx: Tx, engine: Engine) -> bool:
        """A web process beats; when none has for a while, an alarm says so."""
        real_now = engine.real.now()
        if facts.is_beating(tx, kind=WEB, since=real_now - _SILENT):
            self._missing_since = None
            return True
        if self._missing_since is None:
            self._missing_since = real_now
        elif real_now - self._missing_since >= _PATIENCE:
            alarms.ring_once(tx, AlarmCode.NOBODY_ANSWERS, now=engine.clock.now())
        return False
