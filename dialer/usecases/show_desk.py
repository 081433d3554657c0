"""What waits for a caller: the queue by grade, appointments, what asks to be taken over, and his own day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from dialer.domain.access import DESK, actor_name
from dialer.domain.people import SUCCESSES
from dialer.domain.values import Track
from dialer.store import assignments, desk, staff, transfers
from dialer.store.assignments import Assignment
from dialer.store.desk import Scope
from dialer.store.reads import case_search, desk_view
from dialer.store.reads.case_search import CaseLine
from dialer.store.reads.desk_view import Day, Waiting
from dialer.store.stop_payments import StopPayment
from dialer.store.transfers import Transfer
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A call at an agreed time, kept for whoever agreed on it."""

    assignment_id: int
    case_id: int
    at: datetime
    kept_for: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The queue and the own day: what may stand beside a task, too."""

    queue: tuple[Waiting, ...]
    today: Day
    handed_over: tuple[Assignment, ...]
    """Whom the duty line has, or had, on the telephone and no desk has taken; the latest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A desk without a task in hand. `lines` are the cases of everything named here, masked."""

    overview: Overview
    signed: tuple[Assignment, ...]
    """Signed for by this caller, and on no desk."""
    appointments: tuple[Appointment, ...]
    transfers: tuple[Transfer, ...]
    stop_payments: tuple[StopPayment, ...]
    lines: Mapping[int, CaseLine]
    names: Mapping[str, str]
    """Whoever is named here by login."""


def show_overview(engine: Engine, *, by: str, scope: Scope) -> Overview:
    with engine.store.begin() as tx:
        return _overview(tx, engine, by=actor_name(by), scope=scope)


def show_desk(engine: Engine, *, by: str, scope: Scope) -> Room:
    """What these units have for a caller."""
    who = actor_name(by)
    with engine.store.begin() as tx:
        overview = _overview(tx, engine, by=who, scope=scope)
        signed = tuple(assignments.get(tx, one) for one in desk_view.signed_by(tx, who, scope))
        appointments = tuple(
            Appointment(assignment_id=one, case_id=case_id, at=at, kept_for=kept_for)
            for one, case_id, at, kept_for in desk.call_backs(tx, scope=scope, limit=50)
        )
        asked = desk_view.asked_transfers(tx, scope, kind=Track.HUMAN)
        waiting = tuple(transfers.get(tx, one) for one in asked)
        payments = tuple(desk_view.stop_payments(tx, scope))
        cases = {
            *(one.case_id for one in (*overview.handed_over, *signed)),
            *(one.case_id for one in waiting),
            *(one.case_id for one in appointments),
            *(one.case_id for one in payments),
        }
        names = staff.display_names(
            tx, {*(one.kept_for for one in appointments), *(one.by for one in waiting)}
        )
        lines = {line.id: line for line in case_search.lines(tx, sorted(cases))} if cases else {}
    return Room(
        overview=overview,
        signed=signed,
        appointments=appointments,
        transfers=waiting,
        stop_payments=payments,
        lines=lines,
        names=names,
    )


def handed_over(engine: Engine, *, scope: Scope) -> tuple[Assignment, ...]:
    """Whom the duty line has, or had, on the telephone and no desk has taken; the latest first."""
    with engine.store.begin() as tx:
        return _handed_over(tx, scope)


def _handed_over(tx: Tx, scope: Scope) -> tuple[Assignment, ...]:
    found = [assignments.get(tx, one) for one in desk_view.signed_by(tx, DESK, scope)]
    return tuple(sorted(found, key=lambda one: one.signed_at or one.opened_at, reverse=True))


def _overview(tx: Tx, engine: Engine, *, by: str, scope: Scope) -> Overview:
    now = engine.clock.now()
    zone = ZoneInfo(engine.centre.timezone)
    midnight = datetime.combine(now.astimezone(zone).date(), time.min, tzinfo=zone)
    return Overview(
        queue=tuple(desk_view.queue(tx, scope, now=now)),
        today=desk_view.day(tx, by, since=midnight, successes=SUCCESSES),
        handed_over=_handed_over(tx, scope),
    )
