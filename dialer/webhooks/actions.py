"""Outgoing webhooks notify another system of settled cases, missed high grades and filed cases.

A trigger writes each message into the outbox in the transaction of its event. A worker sends it, signed as Standard
Webhooks says (https://www.standardwebhooks.com): HMAC-SHA256 of `id.timestamp.body`. A message that a receiver does not
answer with 2xx is sent again after growing gaps; after the last try it is given up, and a person can send it again. A
message can arrive more than once and in any order; its id is always the same. No message names a person.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from dialer.core.access import Actor, Permission
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.outbox import DELIVERY_MOVES, DeliveryEvent
from dialer.core.text import Text
from dialer.core.values import DeliveryFault, DeliveryState, WebhookEvent
from dialer.db import tables as t
from dialer.db.bulk import in_words, state_update
from dialer.db.jobs import JobTable, Retries
from dialer.db.unit_of_work import Tx, record_of
from dialer.runtime.sections import WebhooksSettings
from dialer.runtime.services import Services

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECRET_BYTES: Final = 32
_SECRET_PREFIX: Final = "whsec_"  # noqa: S105  # how a secret begins; it is no secret
_LONGEST_URL: Final = 500
_MOST: Final = 20
_FIRST_GAP: Final = timedelta(seconds=30)
_LONGEST_GAP: Final = timedelta(hours=6)
_LOOPBACK_NAMES: Final = frozenset({"localhost"})


def _give_up(tx: Tx, delivery_ids: Sequence[int], _now: datetime) -> None:
    d = t.webhook_delivery.c
    given_up = state_update(d.state, DELIVERY_MOVES[DeliveryEvent.GIVEN_UP])
    tx.execute(given_up.where(d.id.in_(delivery_ids)))


def deliveries(tries: int = 1) -> JobTable:
    """Messages that wait for their delivery. Each is sent so many times."""
    return JobTable(
        kind="webhook",
        waits=in_words(t.webhook_delivery.c.state, DELIVERY_MOVES[DeliveryEvent.DELIVERED]),
        due=t.webhook_delivery.c.due_at,
        tries=t.webhook_delivery.c.tries,
        retries=Retries(most=tries, first=_FIRST_GAP, longest=_LONGEST_GAP),
        give_up=_give_up,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReceiver:
    """A receiver without its secret. `waiting`, `delivered` and `given_up` count its messages."""

    id: int
    name: str
    url: str
    events: tuple[WebhookEvent, ...]
    added_by: str
    added_at: datetime
    ended_by: str | None
    ended_at: datetime | None
    waiting: int
    delivered: int
    given_up: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhook:
    """A new receiver with its secret in clear, which is shown once."""

    id: int
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One request for a message. Without an answer, `status` is None and `fault` says why."""

    at: datetime
    status: int | None
    fault: DeliveryFault | None
    took_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """One message to one receiver, with its tries, the latest first."""

    id: int
    message_id: UUID
    webhook: str
    event: WebhookEvent
    case_id: int
    occurred_at: datetime
    queued_at: datetime
    state: DeliveryState
    due_at: datetime
    tries: tuple[Try, ...]


def add_webhook(
    services: Services, actor: Actor, *, name: str, url: str, events: Sequence[str]
) -> NewWebhook:
    """Adds a receiver of these events; audited. Raises `Invalid`, and `Conflict` for a name in use or too many."""
    if not _NAME.fullmatch(name):
        raise Invalid(
            field="name",
            problem="is not a valid name for a webhook",
            fix="1 to 64 of letters, digits, '.', '_', '-'",
        )
    address = checked_url(url, services.webhooks)
    wanted = _events(events)
    key = secrets.token_bytes(_SECRET_BYTES)
    now = services.clock.now()
    with services.act(actor, Permission.MANAGE_WEBHOOKS) as act:
        if act.tx.scalar(sa.select(sa.func.count()).where(t.webhook.c.ended_at.is_(None))) >= _MOST:
            raise Conflict(Text("there are %(most)s webhooks already: end one first", most=_MOST))
        row = act.tx.one(
            insert(t.webhook)
            .values(
                name=name,
                url=address,
                events=sorted(wanted),
                secret_sealed=act.tx.vault.seal(key, table="webhook", column="secret_sealed", row=name),
                added_by=act.by,
                added_at=now,
            )
            .on_conflict_do_nothing(index_elements=["name"], index_where=sa.text("ended_at IS NULL"))
            .returning(t.webhook.c.id)
        )
        if row is None:
            raise Conflict(
                Text("a webhook named %(name)s is in use: end it first, or choose another name", name=name)
            )
        facts = {"name": name, "url": address, "events": sorted(wanted)}
        act.audit("webhook_add", f"webhook/{row['id']}", facts=facts)
    return NewWebhook(id=row["id"], secret=_SECRET_PREFIX + base64.b64encode(key).decode())


def _events(words: Sequence[str]) -> set[str]:
    known = {event.value for event in WebhookEvent}
    if not words or not set(words) <= known:
        raise Invalid(
            field="events",
            problem="is not known",
            fix=Text("one or more of %(known)s", known=", ".join(sorted(known))),
        )
    return set(words)


def checked_url(text: str, rules: WebhooksSettings) -> str:
    """The address without blanks around it. Raises `Invalid` for an address that is not https (http is accepted only
    for the loopback), that has a user, a password or a fragment, or that is outside the networks of the settings.
    """
    url = text.strip()
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if not host or port == 0 or parts.scheme not in {"http", "https"} or len(url) > _LONGEST_URL:
        raise Invalid(
            field="url", problem="is not a valid address", fix="such as https://receiver.example/warnings"
        )
    if parts.username or parts.password or parts.fragment or not url.isascii() or not url.isprintable():
        raise Invalid(field="url", problem="has a user, a password, a fragment or signs that no address has")
    literal = _literal(host)
    if parts.scheme == "http" and not (host in _LOOPBACK_NAMES or (literal and literal.is_loopback)):
        raise Invalid(field="url", problem="is http", fix="https; http is taken for 127.0.0.1 alone")
    if not rules.networks or (literal is not None and not is_allowed(literal, rules)):
        raise Invalid(
            field="url",
            problem="goes to an address that no setting allows",
            fix="name its network in webhooks.networks",
        )
    return url


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_allowed(address: IPv4Address | IPv6Address, rules: WebhooksSettings) -> bool:
    """Whether a message may be sent to this address. Link-local addresses, where clouds serve credentials, multicast
    addresses and the unspecified address are never allowed.
    """
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    target = mapped or address
    if target.is_link_local or target.is_multicast or target.is_unspecified:
        return False
    return any(target in ip_network(network) for network in rules.networks)


def end_webhook(services: Services, actor: Actor, name: str) -> None:
    """Ends a webhook: nothing more is sent to its receiver, and waiting messages are dropped. Audited. Raises
    `NotFound`.
    """
    now = services.clock.now()
    with services.act(actor, Permission.MANAGE_WEBHOOKS) as act:
        row = act.tx.one(
            sa.update(t.webhook)
            .where(t.webhook.c.name == name, t.webhook.c.ended_at.is_(None))
            .values(ended_at=now, ended_by=act.by)
            .returning(t.webhook.c.id)
        )
        if row is None:
            raise NotFound(kind="webhook", key=name)
        dropped = state_update(t.webhook_delivery.c.state, DELIVERY_MOVES[DeliveryEvent.WEBHOOK_ENDED])
        act.tx.execute(dropped.where(t.webhook_delivery.c.webhook_id == row["id"]))
        act.audit("webhook_end", f"webhook/{row['id']}", facts={"name": name})


def redeliver(services: Services, actor: Actor, *, delivery_id: int | None = None, webhook: str = "") -> int:
    """Queues a message again, whatever its state, or every message of a webhook that was given up; returns how many.
    Each gets all its tries again. Audited. Raises `NotFound`, and `Conflict` for a webhook that has ended.
    """
    real_now = services.real.now()
    d = t.webhook_delivery.c
    with services.act(actor, Permission.MANAGE_WEBHOOKS) as act:
        if delivery_id is not None:
            found = sa.select(t.webhook).join(t.webhook_delivery, d.webhook_id == t.webhook.c.id)
            row = act.tx.one(found.where(d.id == delivery_id))
        else:
            named = sa.select(t.webhook).where(t.webhook.c.name == webhook)
            row = act.tx.one(named.order_by(t.webhook.c.id.desc()).limit(1))
        if row is None:
            kind, key = ("webhook", webhook) if delivery_id is None else ("delivery", delivery_id)
            raise NotFound(kind=kind, key=key)
        if row["ended_at"] is not None:
            raise Conflict(Text("webhook %(name)s has ended", name=row["name"]), current="ended")
        given_up = sa.and_(d.webhook_id == row["id"], d.state == DeliveryState.GIVEN_UP.value)
        which = given_up if delivery_id is None else d.id == delivery_id
        again = deliveries().start_again(act.tx, which, due=real_now, state=DeliveryState.WAITING.value)
        facts = {"name": row["name"], "count": again}
        subject = f"webhook/{row['id']}"
        act.audit("webhook_again", subject, facts=facts)
    services.enqueue("send_webhooks")
    return again


def list_webhooks(services: Services, *, ended: bool = False) -> list[WebhookReceiver]:
    """The receivers by name; with `ended`, also those that have ended."""
    w, d = t.webhook.c, t.webhook_delivery.c
    counts = {
        state: sa.select(sa.func.count())
        .where(d.webhook_id == w.id, d.state == state.value)
        .scalar_subquery()
        for state in (DeliveryState.WAITING, DeliveryState.DELIVERED, DeliveryState.GIVEN_UP)
    }
    statement = sa.select(t.webhook, *(count.label(state.value) for state, count in counts.items()))
    if not ended:
        statement = statement.where(w.ended_at.is_(None))
    with services.store.begin() as tx:
        return [
            record_of(WebhookReceiver, row, events=tuple(WebhookEvent(event) for event in row["events"]))
            for row in tx.rows(statement.order_by(w.name, w.id))
        ]


def list_deliveries(
    services: Services,
    *,
    webhook: str = "",
    state: DeliveryState | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[WebhookDelivery]:
    """Deliveries, newest first, each with all its tries."""
    d = t.webhook_delivery.c
    statement = sa.select(t.webhook_delivery, t.webhook.c.name).join(
        t.webhook, t.webhook.c.id == d.webhook_id
    )
    if webhook:
        statement = statement.where(t.webhook.c.name == webhook)
    if state is not None:
        statement = statement.where(d.state == state.value)
    if before_id is not None:
        statement = statement.where(d.id < before_id)
    with services.store.begin() as tx:
        rows = tx.rows(statement.order_by(d.id.desc()).limit(limit))
        tries: dict[int, list[Try]] = {row["id"]: [] for row in rows}
        of_them = t.webhook_try.c.delivery_id.in_(list(tries))
        for row in tx.rows(sa.select(t.webhook_try).where(of_them).order_by(t.webhook_try.c.id.desc())):
            fault = DeliveryFault(row["fault"]) if row["fault"] else None
            tries[row["delivery_id"]].append(record_of(Try, row, fault=fault))
    return [
        record_of(WebhookDelivery, row, webhook=row["name"], tries=tuple(tries[row["id"]])) for row in rows
    ]
