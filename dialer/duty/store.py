"""Rows of rosters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.rota import DutyChange, DutyEntry, DutyKind, Roster, Shift
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx
from dialer.db.units import is_visible_to
from dialer.duty.model import MonthPlan

_IN_USE = timedelta(days=31)
_DAY = timedelta(days=1)

RosterKey = tuple[int, DutyKind]
"""The unit's id and the kind of work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The shifts of all rosters and the zone of their hours."""

    zone: ZoneInfo
    shifts: tuple[Shift, ...]


def rosters_in_use(
    tx: Tx, hours: Hours, *, start: datetime, end: datetime, visible_to: int | None = None
) -> dict[RosterKey, Roster]:
    """Every roster that was loaded for one of the last 31 days or later, with what counts from `start` until `end`."""
    r = t.duty_roster.c
    today = start.astimezone(hours.zone).date()
    known = sa.select(r.unit_id, r.kind).where(
        r.last_day >= today - _IN_USE, is_visible_to(r.unit_id, visible_to)
    )
    keys = [_key(row) for row in tx.rows(known.order_by(r.unit_id, r.kind))]
    rosters = {key: Roster(zone=hours.zone, shifts=hours.shifts) for key in keys}
    if not rosters:
        return {}
    entries = _entries(tx, today - 2 * _DAY, end.astimezone(hours.zone).date() + _DAY)
    changes = _changes(tx, start, end)
    return {
        key: replace(roster, entries=tuple(entries.get(key, ())), changes=tuple(changes.get(key, ())))
        for key, roster in rosters.items()
    }


def read_roster(tx: Tx, key: RosterKey, hours: Hours, *, first: date, last: date) -> Roster:
    """One roster with its entries of these days and the changes that touch them."""
    start = datetime.combine(first, datetime.min.time(), tzinfo=hours.zone)
    end = datetime.combine(last + 2 * _DAY, datetime.min.time(), tzinfo=hours.zone)
    return Roster(
        zone=hours.zone,
        shifts=hours.shifts,
        entries=tuple(_entries(tx, first, last, of=key).get(key, ())),
        changes=tuple(_changes(tx, start, end, of=key).get(key, ())),
    )


def replace_month(tx: Tx, key: RosterKey, plan: MonthPlan, *, first: date) -> int:
    """Makes the entries of the month from the day `first` on those of the plan; returns how many they are."""
    e = t.duty_entry.c
    last = max(plan.days)
    tx.execute(
        sa.delete(t.duty_entry).where(e.unit_id == key[0], e.kind == key[1].value, e.day.between(first, last))
    )
    places: dict[int, int] = {}
    rows: list[dict[str, Any]] = []
    for entry in plan.entries:
        place = places.setdefault(entry.staff_id, len(places))
        if entry.day >= first:
            rows.append(
                {
                    "unit_id": key[0],
                    "kind": key[1].value,
                    "day": entry.day,
                    "mark": entry.mark,
                    "staff_id": entry.staff_id,
                    "place": place,
                }
            )
    if rows:
        tx.execute(sa.insert(t.duty_entry), rows)
    return len(rows)


def lock_roster(tx: Tx, key: RosterKey, *, last_day: date | None = None) -> None:
    """Locks the roster until the commit: two persons change it one after the other. With `last_day` it is made if there
    is none, and used until then.
    """
    r = t.duty_roster.c
    if last_day is not None:
        new = insert(t.duty_roster).values(unit_id=key[0], kind=key[1].value, last_day=last_day)
        later = {"last_day": sa.func.greatest(r.last_day, new.excluded.last_day)}
        tx.execute(new.on_conflict_do_update(index_elements=[r.unit_id, r.kind], set_=later))
    else:
        tx.rows(sa.select(r.last_day).where(r.unit_id == key[0], r.kind == key[1].value).with_for_update())


def add_change(tx: Tx, key: RosterKey, change: DutyChange, *, by: str, now: datetime, why: str) -> None:
    """Stores a change of a roster."""
    tx.execute(
        sa.insert(t.duty_change).values(
            unit_id=key[0],
            kind=key[1].value,
            starts_at=change.start,
            ends_at=change.end,
            off_id=change.off,
            on_id=change.on,
            made_by=by,
            made_at=now,
            why=why,
        )
    )


def _key(row: Mapping[str, Any]) -> RosterKey:
    return row["unit_id"], DutyKind(row["kind"])


def _of(table: sa.Table, of: RosterKey | None) -> Iterable[sa.ColumnElement[bool]]:
    return () if of is None else (table.c.unit_id == of[0], table.c.kind == of[1].value)


def _entries(
    tx: Tx, first: date, last: date, *, of: RosterKey | None = None
) -> dict[RosterKey, list[DutyEntry]]:
    e = t.duty_entry.c
    found: dict[RosterKey, list[DutyEntry]] = {}
    statement = sa.select(t.duty_entry).where(e.day.between(first, last), *_of(t.duty_entry, of))
    for row in tx.rows(statement.order_by(e.unit_id, e.kind, e.day, e.place, e.mark)):
        entry = DutyEntry(day=row["day"], mark=row["mark"], staff_id=row["staff_id"])
        found.setdefault(_key(row), []).append(entry)
    return found


def _changes(
    tx: Tx, start: datetime, end: datetime, *, of: RosterKey | None = None
) -> dict[RosterKey, list[DutyChange]]:
    c = t.duty_change.c
    found: dict[RosterKey, list[DutyChange]] = {}
    statement = sa.select(t.duty_change).where(c.ends_at > start, c.starts_at < end, *_of(t.duty_change, of))
    for row in tx.rows(statement.order_by(c.id)):
        change = DutyChange(start=row["starts_at"], end=row["ends_at"], off=row["off_id"], on=row["on_id"])
        found.setdefault(_key(row), []).append(change)
    return found


def people_of(tx: Tx, staff_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Display name and login by account."""
    s = t.staff.c
    rows = tx.rows(sa.select(s.id, s.display_name, s.login).where(s.id.in_(sorted(set(staff_ids)))))
    return {row["id"]: (row["display_name"], row["login"]) for row in rows}


def enabled_among(tx: Tx, staff_ids: Iterable[int]) -> frozenset[int]:
    """Those of these accounts that are not disabled."""
    s = t.staff.c
    rows = tx.rows(sa.select(s.id).where(s.id.in_(sorted(set(staff_ids))), s.disabled_at.is_(None)))
    return frozenset(row["id"] for row in rows)


def staff_on_rosters(tx: Tx, *, first: date, last: date, now: datetime) -> frozenset[int]:
    """The accounts that some roster has on one of these days, or that a change puts on duty now or later."""
    e, c = t.duty_entry.c, t.duty_change.c
    planned = sa.select(e.staff_id).where(e.day.between(first, last))
    changed = sa.select(c.on_id).where(c.ends_at > now, c.on_id.is_not(None))
    return frozenset(tx.execute(planned.union(changed)).scalars())
