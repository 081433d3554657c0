"""Entries of lists that two people of the whole centre confirm, or take off: of a trusted item, so that it counts for
the signals of all sources, and of a public service that a source lists as fraud. One person asks and another one, who
gives the same item again, confirms: at a terminal somebody may be the source. The value is stored as a keyed hash until
then.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from dialer.core.access import STAFF_CHANGE_WORDS, Actor, Permission, StaffChangeState, required_text
from dialer.core.errors import Invalid, NotPermitted
from dialer.core.second_person import RequestEvent
from dialer.core.sources import LISTS_SOURCE, is_internal_source
from dialer.core.text import Text, gettext_noop
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.second_person import RequestKind
from dialer.db.unit_of_work import record_of
from dialer.runtime.services import Services
from dialer.signals.deliveries import SealedReading, SignalDelivery, SignalReception, store_signals
from dialer.signals.model import ItemKind, ListChange, ListKind, SignalKind
from dialer.signals.store import SignalCodec

CONFIRMATIONS = RequestKind(
    table=t.list_item_request,
    noun=gettext_noop("request"),
    words=STAFF_CHANGE_WORDS,
    acts={
        RequestEvent.APPROVED: "confirm_list_item",
        RequestEvent.REFUSED: "list_item_refused",
        RequestEvent.WITHDRAWN: "list_item_withdrawn",
    },
)
_WAITS: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRequest:
    """An entry that one person has asked to confirm, or to take off."""

    id: int
    item: ItemKind
    list_kind: ListKind
    source: str
    change: ListChange
    why: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime


def confirm_item(
    services: Services,
    actor: Actor,
    item: ItemKind,
    value: str,
    *,
    list_kind: ListKind,
    of: str,
    change: ListChange = ListChange.ENTERED,
    why: str,
) -> bool:
    """Asks to enter the item as one that people have confirmed for the source `of`, which takes it off again by
    removing its own entry, or to take it off; False. If another person has asked for the same, it is done; True. Raises
    `Invalid`, `SamePerson` for who asked, `NotPermitted` for people of a unit.
    """
    _check_sees_all(actor)
    reason, source = required_text("why", why), required_text("source", of)
    if is_internal_source(source):
        raise Invalid(field="source", problem=gettext_noop("is a source of the service itself"))
    with services.act(actor, Permission.CONTROL) as act:
        raw = {
            "source": LISTS_SOURCE,
            "signal_no": secrets.token_hex(16),
            "kind": SignalKind.LIST_CHANGE.value,
            "event_at": act.now.isoformat(),
            item.value: value,
            "list_kind": list_kind.value,
            "list_name": source,
            "change": change.value,
        }
        delivery = SignalReception(services).read([raw], may_send=lambda name: name == LISTS_SOURCE)
        (read,) = delivery.read
        if not isinstance(read, SealedReading):
            raise Invalid(field=read[0].field, problem=read[0].reason, fix=read[0].fix)
        key = SignalCodec(act.tx.vault).item(item, read.reading.items[item])
        facts = {"item": item.value, "list": list_kind.value, "change": change.value}
        asked = {
            "item": item.value,
            "item_hash": key,
            "list_kind": list_kind.value,
            "source": source,
            "change": change.value,
        }
        return _ask_or_confirm(act, delivery, asked, reason, facts)


def _ask_or_confirm(
    act: OpenAct,
    delivery: SignalDelivery,
    asked: Mapping[str, object],
    reason: str,
    facts: Mapping[str, object],
) -> bool:
    c, subject = t.list_item_request.c, f"source/{asked['source']}"
    same = sa.and_(*(c[name] == value for name, value in asked.items()))
    CONFIRMATIONS.expire(act.tx, same, now=act.now)
    waiting = act.tx.scalar(sa.select(c.id).where(same, CONFIRMATIONS.waits(act.now)))
    if waiting is None:
        values = {**asked, "why": reason, "asked_by": act.by, "asked_at": act.now}
        state = StaffChangeState.WAITING.value
        act.tx.execute(
            sa.insert(t.list_item_request).values(**values, expires_at=act.now + _WAITS, state=state)
        )
        act.audit("list_item_asked", subject, why=reason, facts=facts)
        return False
    row = CONFIRMATIONS.lock(act.tx, waiting, now=act.now)
    CONFIRMATIONS.decide(act, row, RequestEvent.APPROVED, subject=subject, why=reason, facts=facts)
    store_signals(act.tx, [delivery])
    return True


def refuse_item(services: Services, actor: Actor, request_id: int, *, why: str) -> None:
    """Refuses a request, or withdraws it if the actor made it. Raises `NotFound`, `Conflict`, `Invalid` without a
    reason, `NotPermitted` for people of a unit.
    """
    _check_sees_all(actor)
    reason = required_text("why", why)
    with services.act(actor, Permission.CONTROL) as act:
        row = CONFIRMATIONS.lock(act.tx, request_id, now=act.now)
        event = RequestEvent.WITHDRAWN if actor.signed(row["asked_by"]) else RequestEvent.REFUSED
        CONFIRMATIONS.decide(act, row, event, subject=f"source/{row['source']}", why=reason)


def waiting_items(services: Services) -> list[ItemRequest]:
    """What waits for a second person, the oldest first."""
    c = t.list_item_request.c
    waits = CONFIRMATIONS.waits(services.clock.now())
    with services.store.begin() as tx:
        rows = tx.rows(sa.select(t.list_item_request).where(waits).order_by(c.id))
    return [record_of(ItemRequest, row) for row in rows]


def _check_sees_all(actor: Actor) -> None:
    if actor.unit_id is not None:
        raise NotPermitted(who=actor.name, roles=Text("people of the whole centre"))
