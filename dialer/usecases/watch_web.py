"""Nobody is rung while no web process runs: whoever picked up would hear the telephone network's own regrets, and one
of the robot's tries would be gone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from dialer.domain.effects import AlarmCode
from dialer.store import alarms, facts
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine

WEB = "web"
_SILENT_SECONDS = 30.0
"""Longer than a web process that was killed takes to come back."""
_PATIENCE_SECONDS = 10.0
"""A service that starts is no alarm."""


class WebWatch:
    """Of one ringing process, for as long as it lives. A beat is one that it has seen change, by its own clock alone:
    machines whose clocks disagree hold no rings. Only the first look, after however long, believes the time it names.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: Mapping[str, datetime] = {}
        self._looked_at: float | None = None
        self._heard_at: float | None = None
        self._missing_since: float | None = None

    def may_ring(self, tx: Tx, engine: Engine) -> bool:
        """A web process beats; when none has for a while, an alarm says so."""
        now = self._clock()
        if self._beats(tx, engine, now):
            self._missing_since = None
            return True
        # Two threads ring: what is seen here may be None by the next line.
        since = self._missing_since
        if since is None:
            self._missing_since = now
        elif now - since >= _PATIENCE_SECONDS:
            alarms.ring_once(tx, AlarmCode.NOBODY_ANSWERS, now=engine.clock.now())
        return False

    def _beats(self, tx: Tx, engine: Engine, now: float) -> bool:
        beats = {beat.process: beat.at for beat in facts.beats(tx, kind=WEB)}
        if self._looked_at is None or now - self._looked_at >= _SILENT_SECONDS:
            recent = engine.real.now() - timedelta(seconds=_SILENT_SECONDS)
            has_beaten = any(at >= recent for at in beats.values())
        else:
            has_beaten = any(self._seen.get(process) != at for process, at in beats.items())
        self._seen, self._looked_at = beats, now
        if has_beaten:
            self._heard_at = now
        # One that was told to stop has taken its row away.
        heard_at = self._heard_at
        return bool(beats) and heard_at is not None and now - heard_at < _SILENT_SECONDS
