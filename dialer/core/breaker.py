"""A circuit breaker for calls to the carrier. Pure; all times are real.

Closed, calls leave as pacing allows. After several failures in a row it opens: nothing leaves for a while that grows
from one opening to the next, then one trial call. If the carrier takes it, the breaker closes; otherwise it waits
longer. A failure is an answer that is not the fault of a number: no connection, too many requests, a refused account,
or no answer at all. No attempt is used up by it: what was not sent is handed back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

_MOST_DOUBLINGS: Final = 64
"""Far beyond the longest opening. In an outage of a day the breaker opens more than a thousand times, and no float can
be doubled that often.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRules:
    """When a breaker opens, and for how many real seconds."""

    opens_after: int = 5
    """Failures in a row."""
    open_seconds: float = 5.0
    """The length of the first opening; every failed trial doubles it."""
    most_seconds: float = 60.0
    """No opening is longer, because urgent calls wait for its end."""
    trial_seconds: float = 30.0
    """A trial that has not been answered by then no longer counts, and another one may leave."""
    breath_seconds: float = 1.0
    """The pause after an answer that asks for fewer calls without saying for how long."""
    believed_seconds: float = 900.0
    """The longest pause that a carrier can ask for; after a longer one a call is tried all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFailures:
    """The failures among a batch of answers."""

    answers: int
    """The number of failures in a row."""
    asks_to_slow: bool = False
    retry_after_seconds: float | None = None
    was_trial: bool = False
    """One of the failed calls left after the breaker had opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """The state of a breaker."""

    troubles: int = 0
    openings: int = 0
    """Since the carrier last took a call."""
    opened_at: datetime | None = None
    wait_until: datetime | None = None
    """No call leaves before this time."""

    @property
    def is_open(self) -> bool:
        return self.opened_at is not None

    @property
    def is_untroubled(self) -> bool:
        """Whether nothing has failed since the carrier last took a call."""
        return self == Breaker()

    def may_leave(self, real_now: datetime) -> int | None:
        """How many calls may leave now; None: as many as pacing allows."""
        if self.wait_until is not None and self.wait_until > real_now:
            return 0
        return 1 if self.is_open else None

    def trial_left(self, real_now: datetime, rules: BreakerRules) -> Breaker:
        """The breaker after a trial call has left: no second call leaves before that one is answered or given up."""
        return replace(self, wait_until=real_now + timedelta(seconds=rules.trial_seconds))

    def after(self, trouble: BatchFailures, *, real_now: datetime, rules: BreakerRules) -> Breaker:
        """The breaker after these failures."""
        asked = min(trouble.retry_after_seconds or 0.0, rules.believed_seconds)
        troubles = self.troubles + trouble.answers
        if self.is_open and not trouble.was_trial:
            # These calls left before the breaker opened: nothing new, unless the carrier says how long to wait.
            return replace(self, troubles=troubles, wait_until=_later(self.wait_until, real_now, asked))
        if self.is_open or troubles >= rules.opens_after:
            doubled = min(self.openings, _MOST_DOUBLINGS)
            seconds = min(rules.open_seconds * 2**doubled, rules.most_seconds)
            return Breaker(
                troubles=troubles,
                openings=self.openings + 1,
                opened_at=self.opened_at or real_now,
                wait_until=real_now + timedelta(seconds=max(seconds, asked)),
            )
        if trouble.asks_to_slow:
            asked = max(asked, rules.breath_seconds)
        return replace(self, troubles=troubles, wait_until=_later(self.wait_until, real_now, asked))


def _later(one: datetime | None, real_now: datetime, seconds: float) -> datetime | None:
    if seconds <= 0:
        return one
    other = real_now + timedelta(seconds=seconds)
    return other if one is None else max(one, other)
