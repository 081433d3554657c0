"""Whether our calling number is marked as a nuisance: calls that telephones refuse as unwanted (607, RFC 8197) or that
a network's analysis refuses (608, RFC 8688), as a share of all calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from dialer.core.events import AlarmCode
from dialer.core.text import Text
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm_once
from dialer.db.unit_of_work import Tx, record_of
from dialer.runtime.services import Services

UNWANTED, REFUSED_BY_ANALYSIS = 607, 608
_LOOK_BACK: Final = timedelta(hours=24)
_TOLD_AGAIN: Final = timedelta(hours=1)
_LEAST_MARKED: Final = 3
"""Fewer are one angry person, not a mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberMarks:
    """What became of the calls of the last 24 hours. `since`: the end of the first marked one; None without any."""

    calls: int
    marked: int
    since: datetime | None

    @property
    def percent(self) -> float:
        """The share of marked calls."""
        return 100 * self.marked / self.calls if self.calls else 0.0

    def is_nuisance(self, *, least_percent: float) -> bool:
        """Whether so many calls were refused for the number itself that it counts as marked."""
        return self.marked >= _LEAST_MARKED and self.percent >= least_percent


def read_number_marks(tx: Tx, *, now: datetime) -> NumberMarks:
    """The robot's calls of the last 24 hours (service time) that have ended."""
    a = t.attempt.c
    is_marked = a.sip_code.in_([UNWANTED, REFUSED_BY_ANALYSIS])
    row = tx.one(
        sa.select(
            sa.func.count().label("calls"),
            sa.func.count().filter(is_marked).label("marked"),
            sa.func.min(a.ended_at).filter(is_marked).label("since"),
        ).where(a.sent_at >= now - _LOOK_BACK, a.ended_at.is_not(None))
    )
    assert row is not None
    return record_of(NumberMarks, row)


def number_marks(services: Services) -> NumberMarks | None:
    """The marks of our calling number; None while it is not marked."""
    with services.store.begin_single_read() as tx:
        found = read_number_marks(tx, now=services.clock.now())
    return found if found.is_nuisance(least_percent=services.lines.nuisance_percent) else None


def number_is_marked(services: Services) -> bool:
    """Whether the alarm stands that our calling number is marked."""
    a = t.alarm.c
    standing = sa.select(a.id).where(
        a.code == AlarmCode.NUMBER_MARKED.value, a.seen_at.is_(None), a.case_id.is_(None), a.load_id.is_(None)
    )
    with services.store.begin_single_read() as tx:
        return tx.scalar(standing.limit(1)) is not None


def watch_number(services: Services) -> bool:
    """Raises an alarm while our calling number is marked, and again an hour after somebody acknowledged it."""
    found = number_marks(services)
    if found is None or found.since is None:
        return False
    number = services.centre.callback_number
    since = found.since.astimezone(services.centre.zone)
    problem = Text(
        "%(number)s: %(marked)s of %(calls)s calls of 24 hours were refused as unwanted, since %(since)s",
        number=number,
        marked=found.marked,
        calls=found.calls,
        since=f"{since:%Y-%m-%d %H:%M}",
    )
    fix = Text("ask the carrier and the apps that mark numbers to show it with its name")
    with services.store.begin() as tx:
        raise_alarm_once(
            tx,
            AlarmCode.NUMBER_MARKED,
            now=services.clock.now(),
            facts={"problem": problem.plain(), "fix": fix.plain()},
            names=[number],
            again_after=_TOLD_AGAIN,
        )
    return True
