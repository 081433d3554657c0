"""Rows of rosters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.access import Role, StaffChangeState
from dialer.core.rota import (
    DutyChange,
    DutyEntry,
    DutyKind,
    DutyLeave,
    LeaveReason,
    Roster,
    Shift,
    ShiftSwap,
)
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.db.units import is_visible_to, is_within_unit
from dialer.duty.model import MonthPlan, SwapOffer

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
    tx: Tx,
    hours: Hours,
    *,
    start: datetime,
    end: datetime,
    visible_to: int | None = None,
    before: timedelta = timedelta(),
) -> dict[RosterKey, Roster]:
    """Every roster that was loaded for one of the last 31 days or later, with what counts from `start` until `end`, and
    for so long `before` it.
    """
    r = t.duty_roster.c
    today = start.astimezone(hours.zone).date()
    known = sa.select(r.unit_id, r.kind).where(
        r.last_day >= today - _IN_USE, is_visible_to(r.unit_id, visible_to)
    )
    keys = [_key(row) for row in tx.rows(known.order_by(r.unit_id, r.kind))]
    rosters = {key: Roster(zone=hours.zone, shifts=hours.shifts) for key in keys}
    if not rosters:
        return {}
    start -= before
    first = start.astimezone(hours.zone).date() - 2 * _DAY
    last = end.astimezone(hours.zone).date() + _DAY
    entries, swaps = _entries(tx, first, last), _swaps(tx, first, last)
    changes, leaves = _changes(tx, start, end), _leaves(tx, start, end)
    return {
        key: replace(
            roster,
            entries=tuple(entries.get(key, ())),
            swaps=tuple(swaps.get(key, ())),
            changes=tuple(changes.get(key, ())),
            leaves=leaves,
        )
        for key, roster in rosters.items()
    }


def read_roster(tx: Tx, key: RosterKey, hours: Hours, *, first: date, last: date) -> Roster:
    """One roster with its entries of these days, and the swaps, changes and leave that touch them."""
    start = datetime.combine(first, datetime.min.time(), tzinfo=hours.zone)
    end = datetime.combine(last + 2 * _DAY, datetime.min.time(), tzinfo=hours.zone)
    return Roster(
        zone=hours.zone,
        shifts=hours.shifts,
        entries=tuple(_entries(tx, first, last, of=key).get(key, ())),
        swaps=tuple(_swaps(tx, first, last, of=key).get(key, ())),
        changes=tuple(_changes(tx, start, end, of=key).get(key, ())),
        leaves=_leaves(tx, start, end),
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


def replace_shift(
    tx: Tx, key: RosterKey, mark: str, entries: Sequence[DutyEntry], *, first: date, last: date
) -> None:
    """Makes the entries of one shift from the day `first` to `last` these, the persons in their order."""
    e = t.duty_entry.c
    tx.execute(
        sa.delete(t.duty_entry).where(
            e.unit_id == key[0], e.kind == key[1].value, e.mark == mark, e.day.between(first, last)
        )
    )
    places: dict[int, int] = {}
    rows = [
        {
            "unit_id": key[0],
            "kind": key[1].value,
            "day": entry.day,
            "mark": mark,
            "staff_id": entry.staff_id,
            "place": places.setdefault(entry.staff_id, len(places)),
        }
        for entry in entries
    ]
    if rows:
        tx.execute(sa.insert(t.duty_entry), rows)


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
    statement = sa.select(t.duty_change).where(c.ends_at > start, c.starts_at <= end, *_of(t.duty_change, of))
    for row in tx.rows(statement.order_by(c.id)):
        change = DutyChange(start=row["starts_at"], end=row["ends_at"], off=row["off_id"], on=row["on_id"])
        found.setdefault(_key(row), []).append(change)
    return found


def _swaps(
    tx: Tx, first: date, last: date, *, of: RosterKey | None = None
) -> dict[RosterKey, list[ShiftSwap]]:
    """The agreed swaps of shifts of these days, in the order in which they were agreed."""
    c = t.duty_swap.c
    found: dict[RosterKey, list[ShiftSwap]] = {}
    statement = sa.select(t.duty_swap).where(_swapped_within(first, last), *_of(t.duty_swap, of))
    for row in tx.rows(statement.order_by(c.decided_at, c.id)):
        swaps = found.setdefault(_key(row), [])
        swaps.append(ShiftSwap(day=row["day"], mark=row["mark"], off=row["from_id"], on=row["to_id"]))
        if row["back_day"] is not None:
            back = ShiftSwap(day=row["back_day"], mark=row["back_mark"], off=row["to_id"], on=row["from_id"])
            swaps.append(back)
    return found


def _swapped_within(first: date, last: date) -> sa.ColumnElement[bool]:
    c = t.duty_swap.c
    return sa.and_(
        c.state == StaffChangeState.CONFIRMED.value,
        sa.func.greatest(c.day, c.back_day) >= first,
        sa.func.least(c.day, c.back_day) <= last,
    )


def add_swap(
    tx: Tx,
    key: RosterKey,
    offer: SwapOffer,
    *,
    by: str,
    now: datetime,
    expires_at: datetime,
    agreed: bool,
) -> None:
    """Stores a swap: it waits for the other person, or `by` has decided it."""
    state = StaffChangeState.CONFIRMED if agreed else StaffChangeState.WAITING
    tx.execute(
        sa.insert(t.duty_swap).values(
            unit_id=key[0],
            kind=key[1].value,
            day=offer.given.day,
            mark=offer.given.mark,
            from_id=offer.given.staff_id,
            to_id=offer.to_id,
            back_day=None if offer.back is None else offer.back.day,
            back_mark=None if offer.back is None else offer.back.mark,
            state=state.value,
            asked_by=by,
            asked_at=now,
            expires_at=expires_at,
            decided_by=by if agreed else None,
            decided_at=now if agreed else None,
        )
    )


def is_swap_waiting(tx: Tx, key: RosterKey, given: DutyEntry) -> bool:
    """Whether a swap of this shift waits for an answer."""
    c = t.duty_swap.c
    same = sa.and_(
        c.unit_id == key[0],
        c.kind == key[1].value,
        c.day == given.day,
        c.mark == given.mark,
        c.from_id == given.staff_id,
        c.state == StaffChangeState.WAITING.value,
    )
    return tx.scalar(sa.select(c.id).where(same)) is not None


def swaps_waiting(tx: Tx, now: datetime) -> Sequence[Row]:
    """Every swap that waits for an answer, with the names of both persons; the first shift first."""
    c, giver, taker = t.duty_swap.c, t.staff.alias(), t.staff.alias()
    waits = (c.state == StaffChangeState.WAITING.value, c.expires_at > now)
    statement = (
        sa.select(t.duty_swap, giver.c.display_name.label("giver"), taker.c.display_name.label("taker"))
        .join(giver, giver.c.id == c.from_id)
        .join(taker, taker.c.id == c.to_id)
        .where(*waits)
    )
    return tx.rows(statement.order_by(c.day, c.id))


def _leaves(tx: Tx, start: datetime, end: datetime) -> tuple[DutyLeave, ...]:
    c = t.duty_leave.c
    rows = tx.rows(sa.select(t.duty_leave).where(c.ends_at > start, c.starts_at <= end).order_by(c.id))
    return tuple(
        DutyLeave(staff_id=row["staff_id"], start=row["starts_at"], end=row["ends_at"]) for row in rows
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLeave:
    """The leave of one person that is not over."""

    id: int
    staff_id: int
    name: str
    login: str
    starts_at: datetime
    ends_at: datetime
    reason: LeaveReason
    made_by: str


def leaves_to_come(tx: Tx, *, now: datetime, visible_to: int | None) -> list[StoredLeave]:
    """Leave of the accounts of these units that is not over, the first to begin first."""
    c, s = t.duty_leave.c, t.staff.c
    statement = (
        sa.select(
            c.id,
            c.staff_id,
            s.display_name.label("name"),
            s.login,
            c.starts_at,
            c.ends_at,
            c.reason,
            c.made_by,
        )
        .join(t.staff, s.id == c.staff_id)
        .where(c.ends_at > now, is_visible_to(s.unit_id, visible_to))
    )
    return [record_of(StoredLeave, row) for row in tx.rows(statement.order_by(c.starts_at, c.id))]


def lock_account(tx: Tx, staff_id: int, *, visible_to: int | None) -> bool:
    """Locks the account until the commit; False if `visible_to` does not see it."""
    s = t.staff.c
    found = sa.select(s.id).where(s.id == staff_id, is_visible_to(s.unit_id, visible_to))
    return tx.scalar(found.with_for_update()) is not None


def store_leave(tx: Tx, leave: DutyLeave, reason: LeaveReason, *, by: str, now: datetime) -> None:
    """Stores the leave of a person."""
    tx.execute(
        sa.insert(t.duty_leave).values(
            staff_id=leave.staff_id,
            starts_at=leave.start,
            ends_at=leave.end,
            reason=reason.value,
            made_by=by,
            made_at=now,
        )
    )


def cut_leave(tx: Tx, leave_id: int, *, now: datetime) -> None:
    """Leave that has begun ends now; leave to come is deleted."""
    c = t.duty_leave.c
    tx.execute(sa.delete(t.duty_leave).where(c.id == leave_id, c.starts_at >= now))
    tx.execute(sa.update(t.duty_leave).where(c.id == leave_id, c.starts_at < now).values(ends_at=now))


_WEEKS = 4
_WEEK = timedelta(days=7)


def usual_high_cases(tx: Tx, unit_id: int, start: datetime, end: datetime, *, now: datetime) -> float:
    """How many cases of a high grade the unit and those below it usually get between these moments: the mean of the
    same hours of the last four weeks that are over.
    """
    c = t.case.c
    first = max(1, math.ceil((end - now) / _WEEK))
    spans = [
        sa.and_(c.opened_at >= start - number * _WEEK, c.opened_at < end - number * _WEEK)
        for number in range(first, first + _WEEKS)
    ]
    high = [grade.value for grade in Grade if grade.is_high]
    counted = sa.select(sa.func.count()).where(
        sa.or_(*spans), c.grade.in_(high), is_within_unit(c.unit_id, unit_id)
    )
    return int(tx.scalar(counted)) / _WEEKS


def people_of(tx: Tx, staff_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Display name and login by account."""
    s = t.staff.c
    rows = tx.rows(sa.select(s.id, s.display_name, s.login).where(s.id.in_(sorted(set(staff_ids)))))
    return {row["id"]: (row["display_name"], row["login"]) for row in rows}


def enabled_among(tx: Tx, staff_ids: Iterable[int]) -> Sequence[tuple[int, Role, int | None]]:
    """Those of these accounts that are not disabled, each with its role and unit."""
    s = t.staff.c
    found = sa.select(s.id, s.role, s.unit_id).where(
        s.id.in_(sorted(set(staff_ids))), s.disabled_at.is_(None)
    )
    return [(row["id"], Role(row["role"]), row["unit_id"]) for row in tx.rows(found)]


def staff_on_rosters(tx: Tx, *, first: date, last: date, now: datetime) -> frozenset[int]:
    """The accounts that some roster or swap has on one of these days, or that a change puts on duty now or later."""
    e, c = t.duty_entry.c, t.duty_change.c
    planned = sa.select(e.staff_id).where(e.day.between(first, last))
    changed = sa.select(c.on_id).where(c.ends_at > now, c.on_id.is_not(None))
    w, within = t.duty_swap.c, _swapped_within(first, last)
    swapped = sa.select(w.to_id).where(within).union_all(sa.select(w.from_id).where(within))
    return frozenset(tx.execute(planned.union(changed, swapped)).scalars())
