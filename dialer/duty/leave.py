"""Leave: from when to when a person is on no duty, and which shifts become gaps by it, which is shown before it is
stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from dialer.core.access import Actor, Permission
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.rota import DutyKind, DutyLeave, DutyTurn, LeaveReason, new_gaps, persons_in
from dialer.core.text import gettext_noop
from dialer.db.unit_of_work import Tx
from dialer.duty.actions import able_in, hours_of
from dialer.duty.store import (
    StoredLeave,
    cut_leave,
    leaves_to_come,
    lock_account,
    rosters_in_use,
    store_leave,
)
from dialer.runtime.services import Services

_LONGEST: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveGap:
    """The leave would leave this roster without anybody from `turn.start` until `turn.end`."""

    unit: str
    kind: DutyKind
    turn: DutyTurn


def seal_of(gaps: Sequence[LeaveGap]) -> str:
    """Says which gaps somebody has seen; another text for others."""
    return hashlib.sha256(repr([(gap.unit, gap.kind.value, gap.turn) for gap in gaps]).encode()).hexdigest()[
        :16
    ]


def typed_leave(services: Services, *, staff_id: int, start: str, end: str) -> DutyLeave:
    """The leave as typed in a form: local times as 2026-12-04T08:30. Raises `Invalid` also for one that is over, lasts
    longer than 366 days or ends before it starts.
    """
    leave = DutyLeave(
        staff_id=staff_id, start=_typed(services, "start", start), end=_typed(services, "end", end)
    )
    if leave.end <= max(leave.start, services.clock.now()):
        raise Invalid(field="end", problem=gettext_noop("is before the start, or over"))
    if leave.end - leave.start > _LONGEST:
        raise Invalid(field="end", problem=gettext_noop("is more than 366 days after the start"))
    return leave


def _typed(services: Services, field: str, text: str) -> datetime:
    try:
        local = datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=services.centre.zone)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        problem, fix = gettext_noop("is not a time"), gettext_noop("choose a day and a time")
        raise Invalid(field=field, problem=problem, fix=fix) from None


def gaps_of_leave(services: Services, tx: Tx, leave: DutyLeave) -> list[LeaveGap]:
    """What becomes a gap, of all rosters that have the person."""
    index = services.units.current(tx)
    now = services.clock.now()
    rosters = rosters_in_use(tx, hours_of(services), start=max(leave.start, now), end=leave.end)
    concerned = {key: roster for key, roster in rosters.items() if leave.staff_id in persons_in(roster)}
    able = able_in(tx, index, concerned)
    return [
        LeaveGap(unit=index.label(key[0]), kind=key[1], turn=turn)
        for key, roster in concerned.items()
        for turn in new_gaps(
            roster,
            replace(roster, leaves=(*roster.leaves, leave)),
            max(leave.start, now),
            leave.end,
            able=able[key],
        )
    ]


def enter_leave(
    services: Services, actor: Actor, leave: DutyLeave, *, reason: LeaveReason, seen: str
) -> list[LeaveGap] | None:
    """Stores the leave; None. If the actor has not seen what becomes a gap (`seen` is not `seal_of` it) nothing is
    stored, and the gaps are returned. Raises `Conflict` for somebody who is on leave then already, and `NotFound` for
    an account that the actor does not see.
    """
    with services.act(actor, Permission.MANAGE_DUTY) as act:
        if not lock_account(act.tx, leave.staff_id, visible_to=actor.unit_id):
            raise NotFound(kind="account", key=leave.staff_id)
        known = leaves_to_come(act.tx, now=act.now, visible_to=actor.unit_id)
        if any(
            other.staff_id == leave.staff_id and other.starts_at < leave.end and leave.start < other.ends_at
            for other in known
        ):
            raise Conflict(gettext_noop("this person is on leave then already"))
        gaps = gaps_of_leave(services, act.tx, leave)
        if seen != seal_of(gaps):
            act.needs_no_record()
            return gaps
        store_leave(act.tx, leave, reason, by=act.by, now=act.now)
        facts = {"start": leave.start.isoformat(), "until": leave.end.isoformat(), "gaps": len(gaps)}
        act.audit("enter_leave", f"staff/{leave.staff_id}", facts=facts)
    return None


def end_leave(services: Services, actor: Actor, leave_id: int) -> None:
    """Leave that has begun ends now, and leave to come is taken back. Raises `NotFound` for one that is over or that
    the actor does not see.
    """
    with services.act(actor, Permission.MANAGE_DUTY) as act:
        known = leaves_to_come(act.tx, now=act.now, visible_to=actor.unit_id)
        leave = next((leave for leave in known if leave.id == leave_id), None)
        if leave is None:
            raise NotFound(kind="leave", key=leave_id)
        cut_leave(act.tx, leave_id, now=act.now)
        act.audit("end_leave", f"staff/{leave.staff_id}", facts={"until": leave.ends_at.isoformat()})


def leave_to_come(services: Services, *, visible_to: int | None) -> list[StoredLeave]:
    """Leave that is not over, of the accounts that the reader sees."""
    with services.store.begin() as tx:
        return leaves_to_come(tx, now=services.clock.now(), visible_to=visible_to)
