"""Who is on duty, a month of a roster loaded from a spreadsheet, somebody who takes a shift, and gaps that raise an
alarm.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, BinaryIO

from dialer.core.access import Actor, Permission, rights_of
from dialer.core.errors import Conflict, Invalid, NotFound, Refusal
from dialer.core.events import AlarmCode
from dialer.core.rota import (
    DutyChange,
    DutyKind,
    DutyTurn,
    Roster,
    end_of_turn,
    final_schedule,
    gaps,
    persons_in,
    unchanged_since,
    who_is_on,
)
from dialer.core.text import Text, gettext_noop
from dialer.core.units import Unit, UnitIndex
from dialer.core.values import Track
from dialer.db.alarms import raise_alarm_once
from dialer.db.unit_of_work import Tx
from dialer.duty.model import RIGHTS, Candidate, MonthPlan, plan_month
from dialer.duty.store import (
    Hours,
    RosterKey,
    add_change,
    enabled_among,
    lock_roster,
    people_of,
    read_roster,
    replace_month,
    rosters_in_use,
    usual_high_cases,
)
from dialer.intake.duty_lists import RosterFault, RosterSheet
from dialer.intake.duty_lists import read_roster as read_sheet
from dialer.intake.headings import KnownList
from dialer.runtime.services import Services
from dialer.runtime.uploads import known_tables
from dialer.staff.store import all_members

KIND_OF_TRACK: Mapping[Track, DutyKind] = {Track.HUMAN: DutyKind.CALLER, Track.VISIT: DutyKind.OFFICER}
"""The roster whose people do the work of a track."""
_LONGEST_TURN = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonOnDuty:
    """Somebody who is on duty now."""

    staff_id: int
    name: str
    login: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """Who is on duty in one unit for one kind of work. Nobody: `people` is empty."""

    unit_id: int
    unit: str
    kind: DutyKind
    people: tuple[PersonOnDuty, ...]
    until: datetime | None
    """When this changes next; None: not within the hours of the alarm."""
    gap: DutyTurn | None
    """The first time within the hours of the alarm at which nobody is on duty."""

    def plain(self) -> dict[str, Any]:
        """As JSON: `dialer duty on --json` and GET /api/v1/on-duty."""
        gap = self.gap
        return {
            "unit_id": self.unit_id,
            "unit": self.unit,
            "kind": self.kind.value,
            "people": [{"login": person.login, "name": person.name} for person in self.people],
            "until": None if self.until is None else self.until.isoformat(),
            "gap": None if gap is None else {"from": gap.start.isoformat(), "to": gap.end.isoformat()},
        }


class UnusableRoster(Refusal):
    """The roster was refused as a whole; `faults` names every cell to correct."""

    def __init__(self, faults: Sequence[RosterFault]) -> None:
        self.faults = tuple(faults)
        first = Text(
            "line %(line)s, column %(column)s: %(problem)s; %(fix)s",
            line=faults[0].line,
            column=faults[0].column,
            problem=faults[0].problem,
            fix=faults[0].fix,
        )
        text = Text("nothing of the roster was taken. %(first)s", first=first)
        if len(faults) > 1:
            text = Text(
                "nothing of the roster was taken. %(first)s; and %(n)s more", first=first, n=len(faults) - 1
            )
        super().__init__(text)


def hours_of(services: Services) -> Hours:
    """The shifts of all rosters, in the centre's time zone."""
    return Hours(zone=services.centre.zone, shifts=services.duty.all_shifts())


def on_duty(
    services: Services, *, visible_to: int | None, unit_id: int | None = None, at: datetime | None = None
) -> list[OnDuty]:
    """Who is on duty at the moment (aware UTC; None: now) in every unit that the reader sees, or in one of them."""
    with services.store.begin() as tx:
        instant = at or services.clock.now()
        ahead = instant + timedelta(hours=services.duty.gap_hours)
        index = services.units.current(tx)
        rosters = rosters_in_use(tx, hours_of(services), start=instant, end=ahead, visible_to=visible_to)
        able = able_in(tx, index, rosters)
        names = people_of(
            tx, [staff_id for roster in rosters.values() for staff_id in who_is_on(roster, instant)]
        )
        return [
            _on_duty(key, roster, index, names, instant=instant, ahead=ahead, able=able[key])
            for key, roster in rosters.items()
            if unit_id is None or key[0] == unit_id
        ]


def _on_duty(
    key: RosterKey,
    roster: Roster,
    index: UnitIndex,
    names: Mapping[int, tuple[str, str]],
    *,
    instant: datetime,
    ahead: datetime,
    able: frozenset[int],
) -> OnDuty:
    people = [staff_id for staff_id in who_is_on(roster, instant) if staff_id in able]
    until = final_schedule(roster, instant, ahead)[0].end
    return OnDuty(
        unit_id=key[0],
        unit=index.label(key[0]),
        kind=key[1],
        people=tuple(
            PersonOnDuty(staff_id=staff_id, name=names[staff_id][0], login=names[staff_id][1])
            for staff_id in people
        ),
        until=until if until < ahead else None,
        gap=next(iter(gaps(roster, instant, ahead, able=able)), None),
    )


GapKey = tuple[int, datetime, datetime]
"""A unit without anybody on duty, and from when until when."""


def usual_in_gap(services: Services, gap: GapKey) -> float:
    """How many cases of a high grade usually come to the unit in the hours of this gap."""
    with services.store.begin_single_read() as tx:
        return usual_high_cases(tx, *gap, now=services.clock.now())


def able_in(
    tx: Tx, index: UnitIndex, rosters: Mapping[RosterKey, Roster]
) -> Mapping[RosterKey, frozenset[int]]:
    """Who of each roster could do its work: the account is not disabled, has a role with the right, and sees the
    unit.
    """
    accounts = enabled_among(tx, {staff_id for roster in rosters.values() for staff_id in persons_in(roster)})
    found = {}
    for key in rosters:
        unit = index.get(key[0])
        path = () if unit is None else unit.path
        found[key] = frozenset(
            staff_id
            for staff_id, role, unit_id in accounts
            if RIGHTS[key[1]] in rights_of(role) and (unit_id is None or unit_id in path)
        )
    return found


def month_of(
    services: Services, key: RosterKey, month: date, *, visible_to: int | None
) -> tuple[Roster, Mapping[int, tuple[str, str]]]:
    """The entries of a month and its changes, and the people in it. Raises `NotFound` for a unit that the reader does
    not see.
    """
    with services.store.begin() as tx:
        visible_unit_of(services.units.current(tx), key[0], visible_to)
        first = month.replace(day=1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        roster = read_roster(tx, key, hours_of(services), first=first, last=last)
        ids = persons_in(roster) | {change.off for change in roster.changes if change.off is not None}
        return roster, people_of(tx, tuple(ids))


def month_named(text: str) -> date:
    """The first day of the month of this century that is written as 2026-12. Raises `Invalid`."""
    if re.fullmatch(r"20\d{2}-(0[1-9]|1[0-2])", text, re.ASCII):
        return date.fromisoformat(f"{text}-01")
    raise Invalid(field="month", problem=gettext_noop("is not a month"), fix=gettext_noop("as 2026-12"))


def visible_unit_of(index: UnitIndex, unit_id: int, visible_to: int | None) -> Unit:
    """The unit. Raises `NotFound`, also for a unit that the reader does not see."""
    unit = index.get(unit_id)
    if unit is None or (visible_to is not None and visible_to not in unit.path):
        raise NotFound(kind="unit", key=unit_id)
    return unit


def candidates(tx: Tx, unit: Unit, kind: DutyKind) -> list[Candidate]:
    """The accounts that see the unit's work, by login."""
    return [
        Candidate(
            staff_id=member.id,
            name=member.display_name,
            login=member.login,
            able=member.disabled_at is None and RIGHTS[kind] in rights_of(member.role),
        )
        for member in all_members(tx)
        if member.unit_id is None or member.unit_id in unit.path
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedMonth:
    """What was taken of a spreadsheet."""

    month: date
    people: int
    entries: int
    kept_days: int
    """Days of the month that are over: their entries stay as they were."""


def load_month(
    services: Services,
    actor: Actor,
    content: BinaryIO,
    *,
    unit_id: int,
    kind: DutyKind,
    month: date | None = None,
) -> LoadedMonth:
    """Makes the roster of a month as in the spreadsheet, from today on: days that are over are history. Raises
    `UnusableFile`, `UnusableRoster`, `Conflict` for a month that is over, and `NotFound`.
    """
    with closing(known_tables(content, KnownList.ROSTERS)) as tables:
        sheet = read_sheet(tables, month=month)
    with services.act(actor, Permission.MANAGE_DUTY) as act:
        key = (unit_id, kind)
        unit = visible_unit_of(services.units.current(act.tx), unit_id, actor.unit_id)
        lock_roster(act.tx, key, last_day=max(sheet.days))
        plan = _plan(services, act.tx, sheet, unit, kind)
        today = act.now.astimezone(services.centre.zone).date()
        first = max(plan.month, today)
        if first > max(plan.days):
            raise Conflict(Text("%(month)s is over: its roster stays as it was", month=f"{plan.month:%Y-%m}"))
        stored = replace_month(act.tx, key, plan, first=first)
        done = LoadedMonth(
            month=plan.month,
            people=len({entry.staff_id for entry in plan.entries}),
            entries=stored,
            kept_days=(first - plan.month).days,
        )
        facts = {"kind": kind.value, "month": f"{plan.month:%Y-%m}", "entries": stored}
        act.audit("load_roster", f"unit/{unit_id}", facts=facts)
    return done


def _plan(services: Services, tx: Tx, sheet: RosterSheet, unit: Unit, kind: DutyKind) -> MonthPlan:
    people = candidates(tx, unit, kind)
    plan = plan_month(sheet, people, services.duty.all_shifts(), off_marks=services.duty.off_marks)
    if plan.faults:
        raise UnusableRoster(plan.faults)
    return plan


def take_shift(
    services: Services, actor: Actor, *, unit_id: int, kind: DutyKind, instead_of: int | None = None
) -> datetime:
    """Puts the actor on duty from now on instead of the one who is, until that one's turn ends; where nobody is on
    duty, until the gap ends, 12 hours at most. Returns until when. Raises `Invalid` for an account that cannot do the
    work, `Conflict` where the actor is on duty already or `instead_of` is not, and `NotFound`.
    """
    with services.act(actor, RIGHTS[kind]) as act:
        key = (unit_id, kind)
        unit = services.units.current(act.tx).get(unit_id)
        if unit is None:
            raise NotFound(kind="unit", key=unit_id)
        people = {person.login: person for person in candidates(act.tx, unit, kind) if person.able}
        taker = people.get(actor.name)
        if taker is None:
            fix = gettext_noop("sign in with an account that sees the unit's work")
            raise Invalid(field="by", problem="cannot take this shift", fix=fix)
        lock_roster(act.tx, key)
        now = act.now
        found = rosters_in_use(act.tx, hours_of(services), start=now, end=now + _LONGEST_TURN)
        change = _taken(found.get(key), taker.staff_id, now, instead_of=instead_of)
        add_change(act.tx, key, change, by=act.by, now=now, why="")
        facts = {"kind": kind.value, "until": change.end.isoformat(), "instead_of": change.off}
        act.audit("take_shift", f"unit/{unit_id}", facts=facts)
    return change.end


_GAP = timedelta(hours=12)


def _taken(roster: Roster | None, taker: int, now: datetime, *, instead_of: int | None) -> DutyChange:
    if roster is None:
        raise Conflict(gettext_noop("this unit has no roster for this work: load one first"))
    on = who_is_on(roster, now)
    if taker in on:
        raise Conflict(gettext_noop("you are on duty already"))
    if any(leave.staff_id == taker and leave.start <= now < leave.end for leave in roster.leaves):
        raise Conflict(gettext_noop("you are on leave: a supervisor ends it first"))
    off = instead_of if instead_of is not None else (on[0] if on else None)
    if off is None:
        turn = final_schedule(roster, now, now + _GAP)[0]
        return DutyChange(start=now, end=turn.end, on=taker)
    end = end_of_turn(roster, off, now)
    if end is None:
        raise Conflict(gettext_noop("that person is not on duty any more: look again"))
    return DutyChange(start=now, end=end, off=off, on=taker)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """The rosters in use, and who is on duty for a piece of work at `now` or within the day before."""

    now: datetime
    index: UnitIndex
    rosters: Mapping[RosterKey, Roster]
    able: Mapping[RosterKey, frozenset[int]]

    def people_now(self) -> dict[RosterKey, tuple[int, ...]]:
        """The accounts on duty now by roster."""
        return {key: self._people(key, self.now) for key in self.rosters}

    def on_for(self, unit_id: int, kind: DutyKind, at: datetime) -> tuple[int, ...]:
        """Who is on duty for work of this unit: those of its roster, and where it keeps none, those of the nearest unit
        above where anybody is on duty.
        """
        if (unit_id, kind) in self.rosters:
            return self._people((unit_id, kind), at)
        return self._nearest(unit_id, kind, at)

    def chief_of(self, unit_id: int, at: datetime) -> tuple[int, ...]:
        """The duty chief of the unit, or of the nearest unit above where one is on duty."""
        return self._nearest(unit_id, DutyKind.CHIEF, at)

    def unchanged_since(self, key: RosterKey) -> datetime:
        """Since when the people on duty by this roster have been the same; a day ago at the earliest."""
        earliest = self.now - _REMEMBERED
        return max(unchanged_since(self.rosters[key], self.now) or earliest, earliest)

    def _nearest(self, unit_id: int, kind: DutyKind, at: datetime) -> tuple[int, ...]:
        unit = self.index.get(unit_id)
        for above in reversed(() if unit is None else unit.path):
            people = self._people((above, kind), at)
            if people:
                return people
        return ()

    def _people(self, key: RosterKey, at: datetime) -> tuple[int, ...]:
        roster = self.rosters.get(key)
        if roster is None:
            return ()
        at = max(at, self.now - _REMEMBERED)
        return tuple(staff_id for staff_id in who_is_on(roster, at) if staff_id in self.able[key])


_REMEMBERED = timedelta(days=1)


def read_duty(tx: Tx, services: Services, *, now: datetime) -> Duty:
    """Who is on duty now and was within the day before. Without rosters it costs one statement."""
    rosters = rosters_in_use(tx, hours_of(services), start=now, end=now, before=_REMEMBERED)
    if not rosters:
        return Duty(now=now, index=UnitIndex(), rosters={}, able={})
    index = services.units.current(tx)
    return Duty(now=now, index=index, rosters=rosters, able=able_in(tx, index, rosters))


def units_without_duty(duty: Duty) -> Mapping[Track, frozenset[int]]:
    """For each track the units that keep a roster for its work and have nobody on duty now."""
    empty = {key for key, people in duty.people_now().items() if not people}
    return {
        track: frozenset(unit_id for unit_id, roster_kind in empty if roster_kind is kind)
        for track, kind in KIND_OF_TRACK.items()
    }


_TOLD_AGAIN = timedelta(hours=6)


def watch_gaps(services: Services) -> int:
    """Raises an alarm for the units where nobody is on duty at some time within the hours of the settings, and again
    six hours after somebody acknowledged it. Returns how many units there are.
    """
    with services.store.begin() as tx:
        now = services.clock.now()
        ahead = now + timedelta(hours=services.duty.gap_hours)
        rosters = rosters_in_use(tx, hours_of(services), start=now, end=ahead)
        index = services.units.current(tx)
        able = able_in(tx, index, rosters)
        names = sorted(
            {
                index.label(key[0])
                for key, roster in rosters.items()
                if gaps(roster, now, ahead, able=able[key])
            }
        )
        if names:
            raise_alarm_once(tx, AlarmCode.DUTY_GAP, now=now, names=names, again_after=_TOLD_AGAIN)
    return len(names)
