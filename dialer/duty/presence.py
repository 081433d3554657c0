"""Presence of the people who call and visit: set by hand, by the work that they have, or ended by silence."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from dialer.core.access import ROBOT, Actor, Permission
from dialer.core.errors import Conflict, NotFound
from dialer.core.presence import BreakReason, PresenceEvent, PresenceState
from dialer.core.text import gettext_noop
from dialer.db.unit_of_work import Tx
from dialer.duty.presence_store import (
    PresenceAndWork,
    StoredPresence,
    mark_present,
    presence_and_work,
    presence_of,
    presences_on,
    store_presence,
)
from dialer.runtime.services import Services

_TRIES: Final = 3


def say_presence(
    services: Services, actor: Actor, event: PresenceEvent, *, reason: BreakReason | None = None
) -> StoredPresence:
    """Sets what the actor does: FREE, BREAK with its reason, or OFF. With a task in hand it is planned for its end.
    Raises `NotFound` for an actor without an account.
    """
    with services.act(actor, Permission.WORK_CASES) as act:
        found = presence_and_work(act.tx, act.by, real_now=services.real.now())
        if found is None:
            raise NotFound(kind="account", key=act.by)
        change_presence(act.tx, services, found.stored.staff_id, event, reason=reason, by=act.by)
        after = presence_of(act.tx, found.stored.staff_id)
        assert after is not None
        act.needs_no_record()
    return after


def change_presence(
    tx: Tx,
    services: Services,
    staff_id: int,
    event: PresenceEvent,
    *,
    reason: BreakReason | None = None,
    by: str,
    why: str = "",
) -> None:
    """Applies what somebody said of this account, or that it is silent. Raises `Conflict` where others change it all
    the time.
    """
    for _ in range(_TRIES):
        stored = presence_of(tx, staff_id)
        if stored is None:
            raise NotFound(kind="account", key=staff_id)
        after = stored.presence.after(event, reason)
        if after == stored.presence:
            return
        if store_presence(
            tx,
            stored,
            after,
            [event],
            set_by=by,
            why=why,
            now=services.clock.now(),
            real_now=services.real.now(),
        ):
            return
    raise Conflict(gettext_noop("the presence was changed meanwhile: look again"))


def follow_work(tx: Tx, services: Services, login: str) -> None:
    """Brings the presence of this account to the tasks and calls that it has now, as part of the transaction that
    changed them. A name that is no account's has none. What is missed here the scheduler finds within seconds.
    """
    found = presence_and_work(tx, login, real_now=services.real.now())
    if found is not None:
        _settle(tx, services, found)


def _settle(tx: Tx, services: Services, found: PresenceAndWork) -> bool:
    stored = found.stored
    events, after = stored.presence.settled(has_task=found.has_task, has_call=found.has_call)
    return bool(events) and store_presence(
        tx, stored, after, events, set_by="", now=services.clock.now(), real_now=services.real.now()
    )


def own_presence(services: Services, staff_id: int, *, is_there: bool) -> StoredPresence:
    """What this account does now. `is_there`: a page of it is open, so that it is not silent."""
    with services.store.begin() as tx:
        if is_there:
            mark_present(tx, [staff_id], real_now=services.real.now())
        own = presence_of(tx, staff_id)
    if own is None:
        raise NotFound(kind="account", key=staff_id)
    return own


def settle_presences(services: Services) -> int:
    """Brings every presence to the work of its account, and ends those of accounts whose pages are all closed or that
    are disabled. Returns how many changed.
    """
    changed = 0
    silent_since = services.real.now() - timedelta(seconds=services.work.silent_seconds)
    with services.store.begin() as tx:
        found = presences_on(tx, real_now=services.real.now())
    for one in found:
        stored = one.stored
        events, after = stored.presence.settled(has_task=one.has_task, has_call=one.has_call)
        is_silent = stored.seen_at is not None and stored.seen_at < silent_since
        ends = after.state is not PresenceState.OFF and not after.state.is_working
        if not events and not (ends and (is_silent or one.is_disabled)):
            continue
        # One at a time: nothing else waits for these rows.
        with services.store.begin() as tx:
            now = presence_and_work(tx, stored.login, real_now=services.real.now())
            if now is None:
                continue
            done = _settle(tx, services, now)
            current = presence_of(tx, stored.staff_id)
            if current is None or current.seen_at is None:
                continue
            if current.seen_at < silent_since or one.is_disabled:
                change_presence(tx, services, stored.staff_id, PresenceEvent.SILENT, by=ROBOT)
                done = True
            changed += done
    return changed
