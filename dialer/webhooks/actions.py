"""Outgoing webhooks notify another system of settled cases, missed high grades and filed cases.

A trigger writes each message into the outbox in the transaction of its event. A worker sends it, signed as Standard
Webhooks says (https://www.standardwebhooks.com): HMAC-SHA256 of `id.timestamp.body`. A message that a receiver does not
answer with 2xx is sent again after growing gaps; after the last try it is dead, and a person can send it again. A
message can arrive more than once and in any order; its id is always the same. No message names a person.

A message goes only to addresses in the networks that the settings name: the address is checked when the connection is
made, so no name can lead elsewhere. Redirects are not followed.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import aiohttp
import orjson
import sqlalchemy as sa
from aiohttp.abc import AbstractResolver, ResolveResult
from sqlalchemy.dialects.postgresql import insert

from dialer.core.access import actor_name
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.text import Text, gettext_noop
from dialer.core.values import DeliveryFault, DeliveryState, WebhookEvent
from dialer.db import tables as t
from dialer.db.audit import write_audit
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.runtime.services import Services
from dialer.runtime.settings import WebhooksSettings

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SECRET_BYTES: Final = 32
_SECRET_PREFIX: Final = "whsec_"  # noqa: S105  # how a secret begins; it is no secret
_LONGEST_URL: Final = 500
_MOST: Final = 20
_OF_EACH: Final = 10
"""The most messages that one claim takes for each receiver; all messages of a claim are sent at the same time."""
_FIRST_GAP: Final = timedelta(seconds=30)
_LONGEST_GAP: Final = timedelta(hours=6)
_OK: Final = range(200, 300)
_LOOPBACK_NAMES: Final = frozenset({"localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReceiver:
    """A receiver without its secret. `waiting`, `delivered` and `dead` count its messages."""

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
    dead: int


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


def add_webhook(services: Services, *, name: str, url: str, events: Sequence[str], by: str) -> NewWebhook:
    """Adds a receiver of these events; audited. Raises `Invalid`, and `Conflict` for a name in use or too many."""
    who = actor_name(by)
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
    with services.store.begin() as tx:
        if tx.scalar(sa.select(sa.func.count()).where(t.webhook.c.ended_at.is_(None))) >= _MOST:
            raise Conflict(Text("there are %(most)s webhooks already: end one first", most=_MOST))
        row = tx.one(
            insert(t.webhook)
            .values(
                name=name,
                url=address,
                events=sorted(wanted),
                secret_sealed=tx.vault.seal(key, table="webhook", column="secret_sealed", row=name),
                added_by=who,
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
        write_audit(
            tx, who=who, act="webhook_add", subject=f"webhook/{row['id']}", why="", now=now, facts=facts
        )
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
    return any(target in ip_network(one) for one in rules.networks)


def end_webhook(services: Services, name: str, *, by: str) -> None:
    """Ends a webhook: nothing more is sent to its receiver, and waiting messages are dropped. Audited. Raises
    `NotFound`.
    """
    who, now = actor_name(by), services.clock.now()
    with services.store.begin() as tx:
        row = tx.one(
            sa.update(t.webhook)
            .where(t.webhook.c.name == name, t.webhook.c.ended_at.is_(None))
            .values(ended_at=now, ended_by=who)
            .returning(t.webhook.c.id)
        )
        if row is None:
            raise NotFound(kind="webhook", key=name)
        tx.execute(
            sa.update(t.webhook_delivery)
            .where(
                t.webhook_delivery.c.webhook_id == row["id"],
                t.webhook_delivery.c.state == DeliveryState.WAITING.value,
            )
            .values(state=DeliveryState.DROPPED.value)
        )
        write_audit(
            tx,
            who=who,
            act="webhook_end",
            subject=f"webhook/{row['id']}",
            why="",
            now=now,
            facts={"name": name},
        )


def redeliver(services: Services, *, by: str, delivery_id: int | None = None, webhook: str = "") -> int:
    """Queues a message again, whatever its state, or every dead message of a webhook; returns how many. Each gets all
    its tries again. Audited. Raises `NotFound`, and `Conflict` for a webhook that has ended.
    """
    who, now, real_now = actor_name(by), services.clock.now(), services.real.now()
    d = t.webhook_delivery.c
    with services.store.begin() as tx:
        if delivery_id is not None:
            found = sa.select(t.webhook).join(t.webhook_delivery, d.webhook_id == t.webhook.c.id)
            row = tx.one(found.where(d.id == delivery_id))
        else:
            named = sa.select(t.webhook).where(t.webhook.c.name == webhook)
            row = tx.one(named.order_by(t.webhook.c.id.desc()).limit(1))
        if row is None:
            kind, key = ("webhook", webhook) if delivery_id is None else ("delivery", delivery_id)
            raise NotFound(kind=kind, key=key)
        if row["ended_at"] is not None:
            raise Conflict(Text("webhook %(name)s has ended", name=row["name"]), current="ended")
        dead = sa.and_(d.webhook_id == row["id"], d.state == DeliveryState.DEAD.value)
        which = dead if delivery_id is None else d.id == delivery_id
        again = tx.execute(
            sa.update(t.webhook_delivery)
            .where(which)
            .values(state=DeliveryState.WAITING.value, tries=0, due_at=real_now)
        ).rowcount
        facts = {"name": row["name"], "count": again}
        subject = f"webhook/{row['id']}"
        write_audit(tx, who=who, act="webhook_again", subject=subject, why="", now=now, facts=facts)
    services.enqueue("send_webhooks")
    return int(again)


def list_webhooks(services: Services, *, ended: bool = False) -> list[WebhookReceiver]:
    """The receivers by name; with `ended`, also those that have ended."""
    w, d = t.webhook.c, t.webhook_delivery.c
    counts = {
        state: sa.select(sa.func.count())
        .where(d.webhook_id == w.id, d.state == state.value)
        .scalar_subquery()
        for state in (DeliveryState.WAITING, DeliveryState.DELIVERED, DeliveryState.DEAD)
    }
    statement = sa.select(t.webhook, *(count.label(state.value) for state, count in counts.items()))
    if not ended:
        statement = statement.where(w.ended_at.is_(None))
    with services.store.begin() as tx:
        return [
            record_of(WebhookReceiver, row, events=tuple(WebhookEvent(one) for one in row["events"]))
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
        for one in tx.rows(sa.select(t.webhook_try).where(of_them).order_by(t.webhook_try.c.id.desc())):
            fault = DeliveryFault(one["fault"]) if one["fault"] else None
            tries[one["delivery_id"]].append(record_of(Try, one, fault=fault))
    return [
        record_of(WebhookDelivery, row, webhook=row["name"], tries=tuple(tries[row["id"]])) for row in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outgoing:
    id: int
    number: int
    """The number of this try, from 1."""
    url: str
    body: bytes
    headers: Mapping[str, str]


async def send_webhooks(services: Services, *, for_seconds: float = 20.0) -> int:
    """Sends due messages for about `for_seconds` at most; returns how many were delivered."""
    until = time.monotonic() + for_seconds
    delivered = 0
    resolver = _AllowedResolver(services.webhooks)
    timeout = aiohttp.ClientTimeout(total=services.webhooks.timeout_seconds)
    # All messages of a claim are sent at once: a receiver that does not answer keeps no other waiting for a connection.
    connector = aiohttp.TCPConnector(resolver=resolver, limit=0)
    # No cookies, and no proxies from the environment: a message goes only where the settings allow.
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    ) as session:
        while time.monotonic() < until:
            batch = await asyncio.to_thread(_claim, services)
            if not batch:
                break
            answers = await asyncio.gather(*(_send(session, services, one) for one in batch))
            delivered += await asyncio.to_thread(_record, services, batch, answers)
    return delivered


def _claim(services: Services) -> list[_Outgoing]:
    """Claims the next messages, a few for each receiver, so that one that does not answer delays no other. While they
    are being sent nobody else claims them; after a crash they are due again.
    """
    d, real_now = t.webhook_delivery.c, services.real.now()
    lease_until = real_now + timedelta(seconds=3 * services.webhooks.timeout_seconds)
    found: list[_Outgoing] = []
    with services.store.begin() as tx:
        in_use = sa.select(t.webhook).where(t.webhook.c.ended_at.is_(None)).order_by(t.webhook.c.id)
        for hook in tx.rows(in_use):
            due = (
                sa.select(d.id)
                .where(
                    d.webhook_id == hook["id"],
                    d.state == DeliveryState.WAITING.value,
                    d.due_at <= real_now,
                )
                .order_by(d.due_at, d.id)
                .limit(_OF_EACH)
                .with_for_update(skip_locked=True)
            )
            taken = (
                sa.update(t.webhook_delivery)
                .where(d.id.in_(due))
                .values(tries=d.tries + 1, due_at=lease_until)
                .returning(t.webhook_delivery)
            )
            found += [_outgoing(tx, row, hook, real_now=real_now) for row in tx.rows(taken)]
    return found


def _outgoing(tx: Tx, row: Row, hook: Row, *, real_now: datetime) -> _Outgoing:
    key = tx.vault.open(hook["secret_sealed"], table="webhook", column="secret_sealed", row=hook["name"])
    body = orjson.dumps(
        {
            "type": row["event"],
            "timestamp": row["occurred_at"],
            "data": {"case_id": row["case_id"], **row["facts"]},
        }
    )
    return _Outgoing(
        id=row["id"],
        number=row["tries"],
        url=hook["url"],
        body=body,
        headers=signed_headers(key, message_id=row["message_id"], body=body, sent_at=real_now),
    )


def signed_headers(key: bytes, *, message_id: UUID, body: bytes, sent_at: datetime) -> dict[str, str]:
    """The headers of a message. Receivers reject a timestamp that is more than some minutes old."""
    moment = str(int(sent_at.timestamp()))
    signed = b".".join((str(message_id).encode(), moment.encode(), body))
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "dialer",
        "webhook-id": str(message_id),
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


class _NotAllowed(OSError):
    """The name leads to no allowed address."""


class _AllowedResolver(AbstractResolver):
    """Names lead to allowed addresses only; the connection is made to the address that was checked."""

    def __init__(self, rules: WebhooksSettings) -> None:
        self._rules = rules

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a host that may be connected to. Raises `_NotAllowed` if there is none."""
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, family=family
        )
        allowed = [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, proto, _, address in found
            if is_allowed(ip_address(str(address[0])), self._rules)
        ]
        if not allowed:
            raise _NotAllowed(gettext_noop("the name leads to no allowed address"))
        return allowed

    async def close(self) -> None:
        """Does nothing: the resolver has no resources."""


async def _send(session: aiohttp.ClientSession, services: Services, one: _Outgoing) -> Try:
    at, began = services.real.now(), time.monotonic()
    status: int | None = None
    fault: DeliveryFault | None = None
    try:
        # The settings may have changed since the webhook was added.
        checked_url(one.url, services.webhooks)
        async with session.post(one.url, data=one.body, headers=one.headers, allow_redirects=False) as answer:
            status = answer.status
    except Invalid:
        fault = DeliveryFault.NOT_ALLOWED
    except TimeoutError:
        fault = DeliveryFault.TIMEOUT
    except aiohttp.ClientSSLError:
        fault = DeliveryFault.CERTIFICATE
    except aiohttp.ClientConnectorError as trouble:
        refused = isinstance(trouble.os_error, _NotAllowed)
        fault = DeliveryFault.NOT_ALLOWED if refused else DeliveryFault.NO_CONNECTION
    except (aiohttp.ClientError, OSError):
        fault = DeliveryFault.NO_ANSWER
    return Try(at=at, status=status, fault=fault, took_ms=round((time.monotonic() - began) * 1000))


def _record(services: Services, batch: Sequence[_Outgoing], answers: Sequence[Try]) -> int:
    """Records each try and the new state of its message; returns how many were delivered. A message that has ended
    meanwhile keeps its state.
    """
    d, rules = t.webhook_delivery.c, services.webhooks
    delivered = 0
    with services.store.begin() as tx:
        for one, answer in sorted(zip(batch, answers, strict=True), key=lambda pair: pair[0].id):
            values: dict[str, Any] = {"due_at": answer.at + gap_after(one.number)}
            if answer.status in _OK:
                values, delivered = {"state": DeliveryState.DELIVERED.value}, delivered + 1
            elif one.number >= rules.tries:
                values = {"state": DeliveryState.DEAD.value}
            tx.execute(
                sa.update(t.webhook_delivery)
                .where(d.id == one.id, d.tries == one.number, d.state == DeliveryState.WAITING.value)
                .values(**values)
            )
            tx.execute(
                sa.insert(t.webhook_try).values(
                    delivery_id=one.id,
                    at=answer.at,
                    status=answer.status,
                    fault=answer.fault.value if answer.fault else "",
                    took_ms=answer.took_ms,
                )
            )
    return delivered


def gap_after(number: int) -> timedelta:
    """The wait from the try of this number to the next: 30 s, then twice as long each time, at most 6 hours."""
    return min(_FIRST_GAP * (1 << (number - 1)), _LONGEST_GAP)
