"""A shift planned by rule: from one day to another it goes to people in turn, public holidays respected."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from dialer.core.access import Actor, Permission
from dialer.core.errors import Conflict, Invalid
from dialer.core.rota import DutyEntry
from dialer.core.rotations import EVERY_DAY, Rotation, double_shifts, rotation_entries
from dialer.core.text import Text, gettext_noop
from dialer.db.unit_of_work import Tx
from dialer.duty.actions import candidates, hours_of, visible_unit_of
from dialer.duty.model import Candidate
from dialer.duty.store import RosterKey, lock_roster, read_roster, replace_shift
from dialer.runtime.services import Services

_LONGEST: Final = timedelta(days=366)
_MOST_EACH: Final = 31
_MOST_PERSONS: Final = 100
_NEAR: Final = timedelta(days=2)
_BETWEEN: Final = re.compile(r"[\s,，、;；]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedRotation:
    """A rotation as typed. `persons`: names or logins in order; `weekdays`: digits, 1 is Monday; days as 2027-01-01."""

    mark: str
    persons: str
    first: str
    last: str
    weekdays: str
    each: str
    weekly: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRotation:
    """What became of a rotation: how many shifts it has made, from which day on."""

    first: date
    entries: int


def plan_rotation(services: Services, actor: Actor, key: RosterKey, typed: TypedRotation) -> PlannedRotation:
    """Makes the entries of one shift those of the rotation, from its first day to its last; days that are over stay as
    they were. Raises `Invalid` for a field, and `Conflict` with the first person who has another shift at that time, or
    for a year without public holidays in the settings.
    """
    with services.act(actor, Permission.MANAGE_DUTY) as act:
        unit = visible_unit_of(services.units.current(act.tx), key[0], actor.unit_id)
        people = [person for person in candidates(act.tx, unit, key[1]) if person.able]
        rotation = _rotation(services, typed, people)
        first = max(rotation.first, act.now.astimezone(services.centre.zone).date())
        if first > rotation.last:
            raise Invalid(field="last", problem=gettext_noop("is over"))
        lock_roster(act.tx, key, last_day=rotation.last)
        made = rotation_entries(rotation, services.duty.calendar())
        entries = tuple(entry for entry in made if entry.day >= first)
        _check(services, act.tx, key, entries, rotation, first=first, people=people)
        replace_shift(act.tx, key, rotation.mark, entries, first=first, last=rotation.last)
        facts = {
            "kind": key[1].value,
            "shift": rotation.mark,
            "start": first.isoformat(),
            "until": rotation.last.isoformat(),
            "entries": len(entries),
        }
        act.audit("plan_rotation", f"unit/{key[0]}", facts=facts)
    return PlannedRotation(first=first, entries=len(entries))


def _check(
    services: Services,
    tx: Tx,
    key: RosterKey,
    entries: Sequence[DutyEntry],
    rotation: Rotation,
    *,
    first: date,
    people: Sequence[Candidate],
) -> None:
    """Raises `Conflict` where somebody would have two shifts at once."""
    known = read_roster(tx, key, hours_of(services), first=first - _NEAR, last=rotation.last + _NEAR)
    kept = tuple(
        entry
        for entry in known.entries
        if entry.mark != rotation.mark or not first <= entry.day <= rotation.last
    )
    doubles = double_shifts(replace(known, entries=kept + tuple(entries)), entries)
    if doubles:
        names = {person.staff_id: person.name for person in people}
        raise Conflict(
            Text(
                "%(name)s has another shift at that time on %(day)s",
                name=names[doubles[0].staff_id],
                day=doubles[0].day,
            )
        )


def _rotation(services: Services, typed: TypedRotation, people: Sequence[Candidate]) -> Rotation:
    choose = gettext_noop("choose one of the list")
    if typed.mark not in services.duty.shifts:
        raise Invalid(field="mark", problem=gettext_noop("is not known"), fix=choose)
    first, last = _day("first", typed.first), _day("last", typed.last)
    if not first <= last <= first + _LONGEST:
        problem = gettext_noop("is before the first day, or more than 366 days after it")
        raise Invalid(field="last", problem=problem)
    if not re.fullmatch(r"[1-7]{1,7}", typed.weekdays):
        fix = gettext_noop("digits from 1 for Monday to 7, as 12345")
        raise Invalid(field="weekdays", problem=gettext_noop("are not weekdays"), fix=fix)
    each = int(typed.each) if re.fullmatch(r"[0-9]{1,2}", typed.each) else 0
    if not 1 <= each <= _MOST_EACH:
        raise Invalid(field="each", problem=gettext_noop("is not a whole number from 1 to 31"))
    weekdays = frozenset(int(digit) for digit in typed.weekdays)
    _check_holidays(services, weekdays, {first.year, last.year})
    return Rotation(
        mark=typed.mark,
        persons=_persons(typed.persons, people),
        first=first,
        last=last,
        weekdays=weekdays,
        each=each,
        weekly=typed.weekly,
    )


def _check_holidays(services: Services, weekdays: frozenset[int], years: set[int]) -> None:
    """Raises `Conflict` where the settings have public holidays, but none of a year in which they count."""
    calendar = services.duty.calendar()
    lacking = sorted(year for year in years if calendar.lacks(year))
    if lacking and weekdays != EVERY_DAY:
        raise Conflict(
            Text(
                "the settings have no public holidays of %(year)s: add them to duty.holidays first",
                year=lacking[0],
            )
        )


def _day(field: str, text: str) -> date:
    try:
        if re.fullmatch(r"20\d{2}-\d{2}-\d{2}", text, re.ASCII):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Invalid(field=field, problem=gettext_noop("is not a day"), fix=gettext_noop("as 2027-01-01"))


def _persons(text: str, people: Sequence[Candidate]) -> tuple[int, ...]:
    known: dict[str, set[int]] = {}
    for person in people:
        for name in (person.name, person.login):
            known.setdefault(name.casefold(), set()).add(person.staff_id)
    said = [name for name in _BETWEEN.split(text.strip()) if name]
    if not 0 < len(said) <= _MOST_PERSONS:
        fix = gettext_noop("names or logins in order, 100 at most")
        raise Invalid(field="persons", problem=gettext_noop("names nobody, or too many"), fix=fix)
    return tuple(_person(name, known) for name in said)


def _person(name: str, known: Mapping[str, set[int]]) -> int:
    found = known.get(name.casefold(), set())
    if len(found) != 1:
        problem = (
            Text("several accounts have this name: %(name)s", name=name)
            if found
            else Text("nobody with this name or login may do this work here: %(name)s", name=name)
        )
        raise Invalid(field="persons", problem=problem, fix=gettext_noop("enter the login"))
    return next(iter(found))
