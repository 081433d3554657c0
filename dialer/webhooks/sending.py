"""Sends messages of outgoing webhooks: each is a job (`dialer.db.jobs`), signed and posted to its receiver.

A message goes only to addresses in the networks that the settings name: the address is checked when the connection is
made, so no name can lead elsewhere. Redirects are not followed.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import socket
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final
from uuid import UUID

import aiohttp
import orjson
import sqlalchemy as sa
from aiohttp.abc import AbstractResolver, ResolveResult

from dialer.core.errors import Invalid
from dialer.core.text import gettext_noop
from dialer.core.values import DeliveryFault, DeliveryState
from dialer.db import tables as t
from dialer.db.jobs import JobClaim
from dialer.db.unit_of_work import Row, Tx
from dialer.db.vault import KeyMissing, Tampered
from dialer.runtime.sections import WebhooksSettings
from dialer.runtime.services import Services
from dialer.webhooks.actions import Try, checked_url, deliveries, is_allowed

_OF_EACH: Final = 10
"""The most messages that one claim takes for each receiver; all messages of a claim are sent at the same time."""
_LEASE_TIMEOUTS: Final = 3
"""The lease of a message, in time limits of its request."""
_OK: Final = range(200, 300)
_MOST_ANSWER: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outgoing:
    claim: JobClaim
    url: str
    body: bytes
    headers: Mapping[str, str] | None
    """None: it cannot be signed."""


async def send_webhooks(services: Services, *, for_seconds: float = 20.0) -> int:
    """Sends due messages for about `for_seconds` at most; returns how many were delivered."""
    until = time.monotonic() + for_seconds
    delivered = 0
    async with webhook_session(services.webhooks) as session:
        while time.monotonic() < until:
            batch = await asyncio.to_thread(_claim, services)
            if not batch:
                break
            answers = await asyncio.gather(*(_send(session, services, claimed) for claimed in batch))
            delivered += await asyncio.to_thread(_record, services, batch, answers)
    return delivered


@asynccontextmanager
async def webhook_session(rules: WebhooksSettings) -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP session that reaches only the addresses that the settings allow."""
    resolver = _AllowedResolver(rules)
    timeout = aiohttp.ClientTimeout(total=rules.timeout_seconds)
    # All messages of a claim are sent at once: a receiver that does not answer keeps no other waiting for a connection.
    connector = aiohttp.TCPConnector(resolver=resolver, limit=0)
    # No cookies, and no proxies from the environment: a message goes only where the settings allow.
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    ) as session:
        yield session


def _claim(services: Services) -> list[_Outgoing]:
    """Claims the next messages, a few for each receiver, so that one that does not answer delays no other. While they
    are being sent nobody else claims them; after a crash they are due again.
    """
    now, real_now, rules = services.clock.now(), services.real.now(), services.webhooks
    lease = timedelta(seconds=_LEASE_TIMEOUTS * rules.timeout_seconds)
    jobs = deliveries(rules.tries)
    found: list[_Outgoing] = []
    with services.store.begin() as tx:
        in_use = sa.select(t.webhook).where(t.webhook.c.ended_at.is_(None)).order_by(t.webhook.c.id)
        for hook in tx.rows(in_use):
            rows = jobs.take(
                tx,
                t.webhook_delivery.c.webhook_id == hook["id"],
                now=now,
                real_now=real_now,
                lease=lease,
                limit=_OF_EACH,
                returning=t.webhook_delivery.c,
            )
            found += [_outgoing(tx, jobs.claim_of(row), row, hook, real_now=real_now) for row in rows]
    return found


def _outgoing(tx: Tx, claim: JobClaim, row: Row, hook: Row, *, real_now: datetime) -> _Outgoing:
    try:
        key = tx.vault.open(hook["secret_sealed"], table="webhook", column="secret_sealed", row=hook["name"])
    except (Tampered, KeyMissing):
        # The messages of this webhook wait and are given up; those of others leave.
        return _Outgoing(claim=claim, url=hook["url"], body=b"", headers=None)
    body = orjson.dumps(
        {
            "type": row["event"],
            "timestamp": row["occurred_at"],
            "data": {"case_id": row["case_id"], **row["facts"]},
        }
    )
    return _Outgoing(
        claim=claim,
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


async def _send(session: aiohttp.ClientSession, services: Services, outgoing: _Outgoing) -> Try:
    at, began = services.real.now(), time.monotonic()
    if outgoing.headers is None:
        return Try(at=at, status=None, fault=DeliveryFault.UNSIGNED, took_ms=0)
    answer = await post_signed(
        session, services.webhooks, outgoing.url, body=outgoing.body, headers=outgoing.headers
    )
    took_ms = round((time.monotonic() - began) * 1000)
    return Try(at=at, status=answer.status, fault=answer.fault, took_ms=took_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAnswer:
    """The answer of a receiver; without one, `status` is None and `fault` says why."""

    status: int | None = None
    fault: DeliveryFault | None = None
    content: bytes = b""
    """Its beginning."""

    @property
    def is_ok(self) -> bool:
        """Whether the receiver answered 2xx."""
        return self.status in _OK


async def post_signed(
    session: aiohttp.ClientSession,
    rules: WebhooksSettings,
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
) -> WebhookAnswer:
    """Posts once to an address that the settings still allow. Every fault is an answer, not an exception."""
    try:
        # The settings may have changed since the address was entered.
        checked_url(url, rules)
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            return WebhookAnswer(status=answer.status, content=await answer.content.read(_MOST_ANSWER))
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
    return WebhookAnswer(fault=fault)


def _record(services: Services, batch: Sequence[_Outgoing], answers: Sequence[Try]) -> int:
    """Records each try and the new state of its message; returns how many were delivered. A message that has ended
    meanwhile, or that another process has taken over, keeps its state.
    """
    jobs = deliveries(services.webhooks.tries)
    delivered = 0
    with services.store.begin() as tx:
        now = services.clock.now()
        for sent, answer in sorted(zip(batch, answers, strict=True), key=lambda pair: pair[0].claim.key):
            if answer.status in _OK:
                jobs.finish(tx, sent.claim, state=DeliveryState.DELIVERED.value)
                delivered += 1
            else:
                jobs.fail(tx, sent.claim, now=now, real_now=answer.at)
            tx.execute(
                sa.insert(t.webhook_try).values(
                    delivery_id=sent.claim.key,
                    at=answer.at,
                    status=answer.status,
                    fault=answer.fault.value if answer.fault else "",
                    took_ms=answer.took_ms,
                )
            )
    return delivered
