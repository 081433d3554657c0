"""Why attempts have not been called yet: the rows from which `next_steps` answers."""

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
    """What holds at one moment for every attempt. The window is that of the newest policy, which claims go by."""

    pauses: Sequence[Pause]
    lines: LinesNow | None
    window: Window
    now: datetime

    def waits(self, attempt: PendingAttempt | None) -> tuple[Waiting, ...]:
        """What keeps this attempt from being called, the first obstacle first."""
        if attempt is None:
            return ()
        return in_the_way(attempt, pauses=self.pauses, lines=self.lines, window=self.window, now=self.now)

    def steps(self, case: Case, attempt: PendingAttempt | None) -> tuple[Step, ...]:
        """The next steps of the case."""
        return next_steps(case, attempt, self.waits(attempt), now=self.now)


def circumstances(tx: Tx, services: Services) -> Circumstances:
    """Those of now."""
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
    until = breaker.wait_until
    # On the service clock; one that runs faster shows a later time by then.
    trouble_until = now + (until - real_now) if until is not None and until > real_now else None
    return replace(lines, trouble=trouble, trouble_until=trouble_until)
