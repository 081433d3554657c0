"""The made-up bureau: its units and people, and who is on duty in truth, kept without the product."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dialer.core.access import Role
from dialer.core.rota import DutyKind
from dialer.db.units import add_unit
from dialer.duty.store import RosterKey
from dialer.runtime.services import Services
from dialer.staff.store import Member, insert_member

ZONE: Final = ZoneInfo("Asia/Shanghai")
DAY: Final = timedelta(days=1)
HOURS: Final = {
    "白": (time(8, 30), time(17, 30)),
    "夜": (time(17, 30), time(8, 30)),
    "值": (time(8, 30), time(8, 30)),
}
"""The shifts of the settings; one that ends at or before its start ends on the next day."""
_ROLES: Final = {
    DutyKind.CALLER: Role.CALLER,
    DutyKind.OFFICER: Role.OFFICER,
    DutyKind.CHIEF: Role.SUPERVISOR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the bureau is. The people of a unit by kind of work."""

    counties: int = 7
    stations: int = 40
    city: tuple[tuple[DutyKind, int], ...] = (
        (DutyKind.CALLER, 12),
        (DutyKind.OFFICER, 7),
        (DutyKind.CHIEF, 4),
    )
    county: tuple[tuple[DutyKind, int], ...] = (
        (DutyKind.CALLER, 4), (DutyKind.OFFICER, 5), (DutyKind.CHIEF, 2),
    )  # fmt: skip
    station: tuple[tuple[DutyKind, int], ...] = ((DutyKind.OFFICER, 5),)


@dataclass(frozen=True, slots=True)
class Place:
    """A unit, with the names of the tiers above it and below the city."""

    id: int
    name: str
    tier: str
    path: tuple[int, ...]


@dataclass(slots=True)
class _Change:
    start: datetime
    end: datetime
    off: int | None
    on: int | None


@dataclass(slots=True)
class Truth:
    """Who is on duty: what was planned and changed, as it was accepted, counted by local time alone."""

    entries: dict[RosterKey, dict[date, list[tuple[str, int]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    changes: dict[RosterKey, list[_Change]] = field(default_factory=lambda: defaultdict(list))
    leaves: dict[int, list[tuple[datetime, datetime]]] = field(default_factory=lambda: defaultdict(list))
    unable: dict[int, list[tuple[datetime, datetime]]] = field(default_factory=lambda: defaultdict(list))
    """When an account was disabled or had another role."""

    def on(self, key: RosterKey, at: datetime) -> set[int]:
        """The people on duty by this roster at this moment."""
        local = at.astimezone(ZONE).replace(tzinfo=None)
        found = set()
        for day in (local.date() - DAY, local.date()):
            for mark, staff_id in self.entries[key].get(day, ()):
                first, last = hours_of(day, mark)
                if first <= local < last:
                    found.add(staff_id)
        for change in self.changes[key]:
            if change.start <= at < change.end:
                found -= {change.off}
                found |= {change.on} if change.on is not None else set()
        return {staff_id for staff_id in found if self.is_there(staff_id, at)}

    def is_there(self, staff_id: int, at: datetime) -> bool:
        """Not on leave, disabled or in another role."""
        spans = (*self.leaves[staff_id], *self.unable[staff_id])
        return not any(start <= at < end for start, end in spans)

    def change(self, key: RosterKey, start: datetime, end: datetime, *, off: int | None, on: int) -> None:
        """`on` took the shift of `off`."""
        self.changes[key].append(_Change(start, end, off, on))

    def swap(self, key: RosterKey, day: date, mark: str, off: int, on: int) -> None:
        """`on` has the shift of `off`."""
        of_day = self.entries[key][day]
        of_day[of_day.index((mark, off))] = (mark, on)


def hours_of(day: date, mark: str) -> tuple[datetime, datetime]:
    """The local times from which until when a shift of this day lasts."""
    first, last = HOURS[mark]
    return datetime.combine(day, first), datetime.combine(day if last > first else day + DAY, last)


class Town:
    """The units and accounts."""

    def __init__(self, services: Services, size: Size) -> None:
        self.places: dict[int, Place] = {}
        self.people: dict[RosterKey, list[Member]] = {}
        self.member: dict[int, Member] = {}
        self.stations: list[Place] = []
        self._services = services
        city = self._add("市局", None, "city", size.city)
        counties = [self._add(f"第{n}分局", city, "county", size.county) for n in range(1, size.counties + 1)]
        for n in range(size.stations):
            county = counties[n % size.counties]
            self.stations.append(self._add(f"第{n + 1}派出所", county, "station", size.station))

    def _add(self, name: str, above: Place | None, tier: str, kinds: Sequence[tuple[DutyKind, int]]) -> Place:
        with self._services.store.begin() as tx:
            unit_id = add_unit(tx, name=name, parent_id=None if above is None else above.id, level=tier)
            path = (*(() if above is None else above.path), unit_id)
            place = self.places[unit_id] = Place(unit_id, name, tier, path)
            for kind, count in kinds:
                own = self.people[unit_id, kind] = []
                for n in range(count):
                    login = f"{kind.value}-{unit_id}-{n}"
                    member = insert_member(
                        tx, login=login, display_name=login, password_hash="", role=_ROLES[kind],
                        unit_id=unit_id, language="zh", must_change=False, by="bench",
                        real_now=self._services.real.now(),
                    )  # fmt: skip
                    assert member is not None
                    own.append(member)
                    self.member[member.id] = member
        return place

    def nearest(self, truth: Truth, unit_id: int, kind: DutyKind, at: datetime) -> set[int]:
        """Who may be told of work of this unit: the people of its roster, or without one of the nearest above where
        anybody is on duty.
        """
        path = self.places[unit_id].path
        if kind is not DutyKind.CHIEF and (unit_id, kind) in self.people:
            return truth.on((unit_id, kind), at)
        for above in reversed(path):
            if (above, kind) in self.people and (people := truth.on((above, kind), at)):
                return people
        return set()


def planned_month(
    people: Sequence[Member], kind: DutyKind, first: date, chance: random.Random
) -> dict[date, list[tuple[str, Member]]]:
    """The shifts of a month: one person a day, or one by day and one at night, who do not work the next day."""
    found: dict[date, list[tuple[str, Member]]] = {}
    rested: list[Member] = []
    for day in days_of(first):
        fresh = [person for person in people if person not in rested] or list(people)
        if kind is DutyKind.CHIEF:
            found[day] = [("值", chance.choice(fresh))]
        else:
            early, late = chance.sample(fresh, 2)
            found[day] = [("白", early), ("夜", late)]
        rested = [found[day][-1][1]]
    return found


def days_of(first: date) -> Iterator[date]:
    """The days of the month."""
    day = first
    while day.month == first.month:
        yield day
        day += DAY


def sheet_of(month: date, plan: dict[date, list[tuple[str, Member]]]) -> bytes:
    """The month as a spreadsheet of the station: rows are people, columns are days."""
    marks: dict[str, dict[date, str]] = defaultdict(dict)
    for day, shifts in plan.items():
        for mark, person in shifts:
            marks[person.login][day] = marks[person.login].get(day, "") + mark
    lines = [f"{month.year}年{month.month}月值班表", ",".join(["姓名", *(str(day.day) for day in plan)])]
    lines += (",".join([login, *(own.get(day, "休") for day in plan)]) for login, own in marks.items())
    return "\n".join(lines).encode()
