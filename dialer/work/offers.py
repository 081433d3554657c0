"""Calls are offered to who has been free longest, for some seconds, and then to the next (`work.tasks = "offer"`)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from dialer.core.access import ROBOT, Actor, Permission, actor_name
from dialer.core.events import AlarmCode
from dialer.core.offers import OfferEvent, TaskMode, plan_offers
from dialer.core.presence import PresenceEvent
from dialer.core.text import Lang
from dialer.db.alarms import raise_alarm_once
from dialer.db.unit_of_work import Tx
from dialer.duty.presence import change_presence
from dialer.runtime.services import Services
from dialer.work.offer_store import (
    OwnOffer,
    add_offers,
    end_offer,
    free_people,
    offer_of,
    offerable_tasks,
    passed_in_a_row,
    units_stalled,
    waiting_offers,
)

MOST_PASSED: Final = 3
"""Who passes on so many in a row is off."""
_AT_ONCE: Final = 500
_TOLD_AGAIN: Final = timedelta(minutes=30)


def offer_tasks(services: Services) -> int:
    """Ends offers whose time is over, and offers what waits to who is free; nothing unless the settings say so. Who has
    passed on three in a row is off. Returns how many offers are new.
    """
    if services.work.tasks is not TaskMode.OFFER:
        return 0
    with services.store.begin() as tx:
        _end_over(tx, services)
    with services.store.begin() as tx:
        people = free_people(tx, real_now=services.real.now())
        if not people:
            return 0
        now = services.clock.now()
        planned = plan_offers(offerable_tasks(tx, people, now=now, limit=_AT_ONCE), people)
        until = services.real.now() + timedelta(seconds=services.work.offer_seconds)
        return add_offers(tx, planned, now=now, until=until)


def _end_over(tx: Tx, services: Services) -> None:
    now, real_now = services.clock.now(), services.real.now()
    for offer in waiting_offers(tx):
        if not (offer.is_open and offer.is_free):
            end_offer(tx, offer.id, OfferEvent.WITHDRAWN, now=now)
        elif offer.until <= real_now:
            _pass(tx, services, offer.id, offer.staff_id)


def _pass(tx: Tx, services: Services, offer_id: int, staff_id: int) -> None:
    if not end_offer(tx, offer_id, OfferEvent.PASSED, now=services.clock.now()):
        return
    if passed_in_a_row(tx, staff_id) >= MOST_PASSED:
        change_presence(tx, services, staff_id, PresenceEvent.UNTAKEN, by=ROBOT)


def watch_desks(services: Services) -> int:
    """Raises an alarm for the units whose calls have waited for `stall_seconds` while somebody who may take them was
    free, and nothing moved; again half an hour after somebody acknowledged it. Returns how many units there are.
    """
    with services.store.begin() as tx:
        now = services.clock.now()
        found = units_stalled(tx, since=now - timedelta(seconds=services.work.stall_seconds))
        if found:
            centre = services.centre.bureau.get(Lang.ZH.value, "") or "-"
            names = [unit or centre for unit in found]
            raise_alarm_once(tx, AlarmCode.DESKS_STALLED, now=now, names=names, again_after=_TOLD_AGAIN)
    return len(found)


def own_offer(services: Services, *, by: str) -> OwnOffer | None:
    """What this account is offered now; None if nothing."""
    who = actor_name(by)
    with services.store.begin_single_read() as tx:
        return offer_of(tx, who, real_now=services.real.now())


def pass_on(services: Services, actor: Actor, *, staff_id: int) -> bool:
    """Passes on what the actor is offered, at once; False if nothing is."""
    with services.act(actor, Permission.WORK_DESK) as act:
        offer = offer_of(act.tx, act.by, real_now=services.real.now())
        if offer is not None:
            _pass(act.tx, services, offer.id, staff_id)
        act.needs_no_record()
    return offer is not None
