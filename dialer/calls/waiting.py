"""Why rings have not been made yet: the rows that the one answer of `next_steps` is given from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dialer.calls.pacing import LineGroup, read_line_group
from dialer.calls.pause_store import standing_pauses_at
from dialer.core.case import Case
from dialer.core.policy import Window
from dialer.core.timeline import LinesNow, PendingAttempt, Step, Waiting, in_the_way, next_steps
from dialer.core.values import Pause
from dialer.db.unit_of_work import Tx
from dialer.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What one moment holds for every ring. The window is that of the newest policy, which rings are claimed by."""

    pauses: Sequence[Pause]
    lines: LinesNow | None
    window: Window
    now: datetime

    def waits(self, ring: PendingAttempt | None) -> tuple[Waiting, ...]:
        """What stands in the way of this ring, the first one first."""
        if ring is None:
            return ()
        return in_the_way(ring, pauses=self.pauses, lines=self.lines, window=self.window, now=self.now)

    def steps(self, case: Case, ring: PendingAttempt | None) -> tuple[Step, ...]:
        return next_steps(case, ring, self.waits(ring), now=self.now)


def circumstances(tx: Tx, services: Services) -> Circumstances:
    now, real_now = services.clock.now(), services.real.now()
    group = read_line_group(tx, name=services.lines.group)
    return Circumstances(
        pauses=standing_pauses_at(tx, now=now),
        lines=None if group is None else _lines_now(group, now=now, real_now=real_now),
        window=services.policies.newest.window,
        now=now,
    )


def _lines_now(group: LineGroup, *, now: datetime, real_now: datetime) -> LinesNow:
    breaker = group.breaker
    lines = LinesNow(in_use=group.in_use, lines=group.lines, calls_per_second=group.calls_per_second)
    if breaker.may_leave(real_now) is None:
        return lines
    trouble = "the carrier asked for a rest"
    if breaker.is_open:
        trouble = f"{breaker.troubles} troubles in a row: one trial call now and then"
    return replace(
        lines, trouble=trouble, trouble_until=_service(breaker.wait_until, now=now, real_now=real_now)
    )


def _service(moment: datetime | None, *, now: datetime, real_now: datetime) -> datetime | None:
    """The real moment on the service clock, as far as may be said: a faster clock shows a later time by then."""
    if moment is None or moment <= real_now:
        return None
    return now + (moment - real_now)
