"""Reads a past period from the database, and answers a question about it. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from dialer.core.errors import Invalid
from dialer.core.rota import DutyKind, Roster
from dialer.core.text import Text, gettext_noop
from dialer.core.values import Track
from dialer.db.unit_of_work import Tx, hold_snapshot
from dialer.duty.actions import hours_of
from dialer.duty.store import rosters_in_use
from dialer.runtime.services import Services
from dialer.whatif.model import Centre
from dialer.whatif.past import SLOT, STAFF, Records, counted_roster, without_changed, without_unseen
from dialer.whatif.questions import HoursFrom, Period
from dialer.whatif.store import read_lines, read_presences, read_records

_BEFORE: Final = timedelta(days=2)
"""Cases opened so long before a period are replayed too: they fill its queues."""
MOST_DAYS: Final = 366
_KINDS: Final = {Track.HUMAN: DutyKind.CALLER, Track.VISIT: DutyKind.OFFICER}


def past_period(services: Services, *, start: datetime, end: datetime, promise_seconds: float) -> Period:
    """The period from `start` until `end` (aware UTC) as it was. Raises `Invalid` for one that is not over, that is
    longer than a year or in which no case was opened.
    """
    if not start < end <= services.clock.now():
        raise Invalid(field="to", problem=gettext_noop("a period that is over is needed"))
    if end - start > timedelta(days=MOST_DAYS):
        raise Invalid(field="to", problem=Text("is more than %(days)s days", days=MOST_DAYS))
    with services.store.begin() as tx:
        hold_snapshot(tx)
        records = read_records(tx, start=start - _BEFORE, end=end, drill=services.drill)
        lines, calls_per_second = read_lines(tx)
        hours_from, rosters = _rosters(tx, services, records, start=start - _BEFORE, end=end)
    cases, left_out = without_changed(records, start)
    if not any(case.opened_at >= start for case in cases):
        raise Invalid(field="from", problem=gettext_noop("no case was opened in this period"))
    people = records.people(start, services.centre.zone)
    policies = {version: services.policies.of(version) for version in {case.policy_version for case in cases}}
    newest = policies[max(policies)]
    return Period(
        cases=cases,
        people=people,
        centre=Centre(
            policies=policies,
            rosters=without_unseen(rosters, people),
            lines=max(1, lines),
            calls_per_second=calls_per_second,
            outages=records.outages(start - _BEFORE, newest.window)
            if len(people.robot)
            else ((start - _BEFORE, end),),
        ),
        zone=services.centre.zone,
        start=start,
        end=end,
        seen=records.seen(start, promise_seconds=promise_seconds),
        left_out=left_out,
        hours_from=hours_from,
    )


def _rosters(
    tx: Tx, services: Services, records: Records, *, start: datetime, end: datetime
) -> tuple[HoursFrom, dict[Track, Sequence[Roster]]]:
    """The rota of the period; where none was loaded, the hours in which people were present, or else at work."""
    zone = services.centre.zone
    loaded = rosters_in_use(tx, hours_of(services), start=start, end=end)
    of_kind: dict[Track, Sequence[Roster]] = {
        track: tuple(
            roster
            for (_, kind), roster in loaded.items()
            if kind is _KINDS[track] and (roster.entries or roster.changes)
        )
        for track in STAFF
    }
    if of_kind[Track.HUMAN]:
        return HoursFrom.ROTA, {
            track: of_kind[track] or (counted_roster(records.work_hours(track), zone, slot=SLOT),)
            for track in STAFF
        }
    present = read_presences(tx, records.tasks, start=start, end=end)
    if present[Track.HUMAN]:
        return HoursFrom.PRESENCE, {
            track: (counted_roster(present[track] or records.work_hours(track), zone, slot=SLOT),)
            for track in STAFF
        }
    return HoursFrom.WORK, {
        track: (counted_roster(records.work_hours(track), zone, slot=SLOT),) for track in STAFF
    }
