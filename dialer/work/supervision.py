"""What a supervisor sees of every desk, and does about one: a break, or the end of its sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dialer.core.access import Actor, Permission, required_text
from dialer.core.errors import NotFound
from dialer.core.periods import midnight
from dialer.core.presence import BreakReason, PresenceEvent, PresenceState
from dialer.db.acts import OpenAct
from dialer.duty.presence import change_presence, follow_work
from dialer.duty.presence_store import StoredPresence, presence_and_work, presence_of
from dialer.runtime.services import Services
from dialer.staff.store import display_names, end_sessions_of
from dialer.work.assignments import Scope
from dialer.work.desk_store import desk_queue
from dialer.work.listening_store import Listener, listeners_of, talk_at_desk
from dialer.work.supervision_store import (
    Desk,
    DeskDay,
    PresenceChange,
    changes_of,
    days_of_desks,
    desks,
    seconds_by_state,
)
from dialer.work.tasks import return_calls_of
from dialer.work.third_party_store import PartyInCall, party_of

_FIRST = (
    PresenceState.FREE,
    PresenceState.ON_CALL,
    PresenceState.AFTER_WORK,
    PresenceState.ON_TASK,
    PresenceState.BREAK,
    PresenceState.OFF,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllDesks:
    """The desks of some units, and the calls that wait for them."""

    desks: tuple[Desk, ...]
    """By state, and in each whoever has been in it longest first."""
    waiting: int
    oldest_at: datetime | None
    """Since when the longest waiting call waits."""
    names: Mapping[str, str]
    """Display names of who set what, by login."""

    def count(self, state: PresenceState) -> int:
        """How many desks are in this state."""
        return sum(desk.presence.state is state for desk in self.desks)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfDesk:
    """The numbers of one desk since midnight."""

    work: DeskDay
    seconds: Mapping[PresenceState, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class OneDesk:
    """One desk with its day and its last changes."""

    desk: Desk
    day: DayOfDesk
    changes: tuple[PresenceChange, ...]
    names: Mapping[str, str]


def all_desks(services: Services, *, visible_to: int | None) -> AllDesks:
    """Every desk of these units that is on now or was today, and the queue."""
    with services.store.begin() as tx:
        found = desks(tx, visible_to=visible_to, since=_midnight(services), real_now=services.real.now())
        queue = desk_queue(tx, Scope(unit_id=visible_to), now=services.clock.now())
        names = display_names(tx, {desk.set_by for desk in found} - {""})
    return AllDesks(
        desks=tuple(sorted(found, key=lambda desk: (_FIRST.index(desk.presence.state), desk.since))),
        waiting=sum(grade.count for grade in queue),
        oldest_at=min((grade.oldest_at for grade in queue), default=None),
        names=names,
    )


def days_of(services: Services, *, visible_to: int | None) -> Mapping[int, DayOfDesk]:
    """The numbers of today of every desk of `all_desks`, by account."""
    since = _midnight(services)
    with services.store.begin() as tx:
        found = desks(tx, visible_to=visible_to, since=since, real_now=services.real.now())
        work = days_of_desks(tx, [desk.login for desk in found], since=since)
        seconds = seconds_by_state(
            tx, [desk.staff_id for desk in found], since=since, now=services.clock.now()
        )
    return {
        desk.staff_id: DayOfDesk(work=work.get(desk.login, DeskDay()), seconds=seconds.get(desk.staff_id, {}))
        for desk in found
    }


def one_desk(services: Services, staff_id: int, *, visible_to: int | None) -> OneDesk:
    """One desk. Raises `NotFound` for an account that these units do not see or that was never on."""
    since = _midnight(services)
    with services.store.begin() as tx:
        found = desks(tx, visible_to=visible_to, since=since, real_now=services.real.now(), staff_id=staff_id)
        if not found:
            raise NotFound(kind="desk", key=staff_id)
        [desk] = found
        work = days_of_desks(tx, [desk.login], since=since)
        seconds = seconds_by_state(tx, [staff_id], since=since, now=services.clock.now())
        changes = changes_of(tx, staff_id)
        names = display_names(tx, {desk.set_by, *(change.set_by for change in changes)} - {""})
    day = DayOfDesk(work=work.get(desk.login, DeskDay()), seconds=seconds.get(staff_id, {}))
    return OneDesk(desk=desk, day=day, changes=tuple(changes), names=names)


def _midnight(services: Services) -> datetime:
    today = services.clock.now().astimezone(services.centre.zone).date()
    return midnight(today, services.centre.timezone)


def force_break(services: Services, actor: Actor, staff_id: int, *, reason: BreakReason, why: str) -> bool:
    """Has the desk take a break; with a task in hand, when it is over: True. Audited. Raises `NotFound`, also for an
    account of other units, and `Invalid` without a reason in words.
    """
    words = required_text("why", why)
    with services.act(actor, Permission.MANAGE_DUTY) as act:
        before = _desk_of(act, staff_id)
        change_presence(act.tx, services, staff_id, PresenceEvent.BREAK, reason=reason, by=act.by, why=words)
        facts = {"state": before.presence.state.value, "break": reason.value}
        act.audit("force_break", f"staff/{staff_id}", why=words, facts=facts)
    return before.presence.state.is_working


def force_sign_out(services: Services, actor: Actor, staff_id: int, *, why: str) -> int:
    """Ends the sessions of the account, which is off from now on, and returns its human calls to the queue; during a
    call it keeps its task, and is off when the task is over. Audited. Returns how many tasks were returned. Raises as
    `force_break`.
    """
    words = required_text("why", why)
    with services.act(actor, Permission.MANAGE_DUTY) as act:
        before = _desk_of(act, staff_id)
        work = presence_and_work(act.tx, before.login, real_now=services.real.now())
        returned = 0
        if work is not None and not work.has_call:
            returned = return_calls_of(act, before.login)
            follow_work(act.tx, services, before.login)
        change_presence(act.tx, services, staff_id, PresenceEvent.OFF, by=act.by, why=words)
        ended = end_sessions_of(act.tx, staff_id, real_now=services.real.now())
        facts = {"state": before.presence.state.value, "sessions": ended, "returned": returned}
        act.audit("force_sign_out", f"staff/{staff_id}", why=words, facts=facts)
    return returned


def _desk_of(act: OpenAct, staff_id: int) -> StoredPresence:
    """The presence of an account that the actor sees. Raises `NotFound`."""
    return _check_desk(presence_of(act.tx, staff_id, visible_to=act.actor.unit_id), staff_id)


def _check_desk(found: StoredPresence | None, staff_id: int) -> StoredPresence:
    if found is None or found.since is None:
        raise NotFound(kind="desk", key=staff_id)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskEar:
    """Whether there is a call to listen to at a desk, and who listens."""

    has_call: bool = False
    listener: Listener | None = None
    name: str = ""
    """The display name of who listens."""


def check_desk_visible(services: Services, staff_id: int, *, visible_to: int | None) -> None:
    """Raises `NotFound` for an account that these units do not see or that was never on."""
    with services.store.begin() as tx:
        _check_desk(presence_of(tx, staff_id, visible_to=visible_to), staff_id)


def listener_at_desk(services: Services, staff_id: int, *, visible_to: int | None) -> DeskEar:
    """Who listens to this desk; nobody for an account that these units do not see."""
    with services.store.begin() as tx:
        found = talk_at_desk(tx, staff_id, visible_to=visible_to)
        if found is None:
            return DeskEar()
        listener = next(iter(listeners_of(tx, [found])), None)
        names = display_names(tx, {listener.by}) if listener is not None else {}
    name = names.get(listener.by, listener.by) if listener is not None else ""
    return DeskEar(has_call=True, listener=listener, name=name)


def party_in_call(services: Services, call_id: UUID) -> PartyInCall | None:
    """The third party in this call; None without one."""
    with services.store.begin() as tx:
        return party_of(tx, call_id)


def announced_listener(services: Services, call_id: UUID) -> DeskEar:
    """Who listens to this call, for its caller: nobody where it is not announced."""
    with services.store.begin() as tx:
        found = [one for one in listeners_of(tx, [call_id]) if one.is_announced]
        names = display_names(tx, {one.by for one in found})
    listener = next(iter(found), None)
    name = names.get(listener.by, listener.by) if listener is not None else ""
    return DeskEar(has_call=True, listener=listener, name=name)
