"""The channels that carry a notification: text messages and the robot's call by the carrier, webhooks, and Web Push.
Each request is made once; what is not certainly sent has failed, and the person's next notification leaves at once.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Final
from urllib.parse import quote_plus
from uuid import UUID

import aiohttp
import orjson
from cryptography.hazmat.primitives.asymmetric import ec

from dialer.core.notifications import NotificationChannel, NotificationFault, WebhookFormat
from dialer.language.catalogue import say
from dialer.notifications.actions import claim_due, record_failed, record_sent, text_of
from dialer.notifications.browser_store import OwnBrowser, delay_browser, delete_browser
from dialer.notifications.browsers import is_push_address, own_browsers
from dialer.notifications.encryption import encrypt, proof, sender_key
from dialer.notifications.store import Notification
from dialer.runtime.sections import PushSettings
from dialer.runtime.services import Services
from dialer.telephony.channels import MessageClient, Placed, SendResult, SendText, UncertainResult
from dialer.telephony.client import DeskClient
from dialer.webhooks.sending import post_signed, signed_headers

Sender = Callable[[Notification], Awaitable[NotificationFault | None]]
"""Sends one notification; None: the channel has it."""
_PREFIX: Final = "whsec_"
_PUSH_LASTS: Final = timedelta(minutes=10)
"""How long a push service keeps a message for a browser that is not running: later the work is in other hands."""
_OK: Final = range(200, 300)
_FORGOTTEN: Final = frozenset({404, 410})
"""The browser has revoked its subscription (RFC 8030, section 7.3)."""
_TOO_MANY: Final = frozenset({429, 503})
_WAIT: Final = timedelta(minutes=1)
"""Where the push service does not say for how long."""
_MOST_WAIT: Final = timedelta(hours=1)


async def send_due(services: Services, channel: NotificationChannel, sender: Sender) -> int:
    """Sends all due notifications of this channel, until none is due. Returns how many left."""
    total = 0
    while batch := await asyncio.to_thread(claim_due, services, channel):
        results = await asyncio.gather(*(_send(services, one, sender) for one in batch))
        total += sum(results)
    return total


async def _send(services: Services, one: Notification, sender: Sender) -> bool:
    fault = await sender(one)
    if fault is None and one.channel is NotificationChannel.CALL:
        return True  # It has reached the person when they answer.
    if fault is None:
        await asyncio.to_thread(record_sent, services, [one])
    else:
        await asyncio.to_thread(record_failed, services, one, fault)
    return fault is None


async def send_texts(services: Services, client: MessageClient) -> int:
    """Sends the text messages that are due."""

    async def send(one: Notification) -> NotificationFault | None:
        if not one.personal.telephone:
            return NotificationFault.REFUSED
        order = SendText(message_id=one.id, to=one.personal.telephone, text=text_of(services, one))
        return fault_of(await client.send(order))

    return await send_due(services, NotificationChannel.SMS, send)


async def place_calls(services: Services, client: DeskClient) -> int:
    """Calls the people who are due to be called."""

    async def send(one: Notification) -> NotificationFault | None:
        if not one.personal.telephone:
            return NotificationFault.REFUSED
        return fault_of(await client.call_on_duty(one.id, one.personal.telephone))

    return await send_due(services, NotificationChannel.CALL, send)


async def post_webhooks(services: Services, session: aiohttp.ClientSession) -> int:
    """Posts the webhooks that are due."""
    return await send_due(services, NotificationChannel.WEBHOOK, partial(_post, services, session))


async def push_to_browsers(services: Services, session: aiohttp.ClientSession) -> int:
    """Sends what is due to the browsers of its people."""
    key = sender_key(services.store.vault.derived(b"web push"))
    return await send_due(services, NotificationChannel.PUSH, partial(_push, services, session, key))


@asynccontextmanager
async def push_session(rules: PushSettings) -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP session for requests to push services."""
    timeout = aiohttp.ClientTimeout(total=rules.timeout_seconds)
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=jar, trust_env=False) as session:
        yield session


async def refuse_all(services: Services, channel: NotificationChannel) -> int:
    """Fails what is due on a channel that is not set up."""

    async def send(_: Notification) -> NotificationFault | None:
        return NotificationFault.REFUSED

    return await send_due(services, channel, send)


def fault_of(answer: SendResult) -> NotificationFault | None:
    """What the carrier's answer means."""
    if isinstance(answer, Placed):
        return None
    is_uncertain = isinstance(answer, UncertainResult)
    return NotificationFault.UNCERTAIN if is_uncertain else NotificationFault.REFUSED


async def _post(
    services: Services, session: aiohttp.ClientSession, one: Notification
) -> NotificationFault | None:
    personal = one.personal
    url, body, headers = webhook_request(
        personal.format,
        personal.url,
        personal.secret,
        text_of(services, one),
        message_id=one.id,
        real_now=services.real.now(),
    )
    answer = await post_signed(session, services.webhooks, url, body=body, headers=headers)
    if answer.status is None:
        return NotificationFault.UNCERTAIN
    takes = answer.is_ok and (personal.format is WebhookFormat.STANDARD or _is_taken(answer.content))
    return None if takes else NotificationFault.REFUSED


def _is_taken(content: bytes) -> bool:
    """WeCom and DingTalk answer 200 also when they refuse; `errcode` says which."""
    try:
        answer = orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    return isinstance(answer, dict) and answer.get("errcode") == 0


def webhook_request(
    kind: WebhookFormat, url: str, secret: str, text: str, *, message_id: UUID, real_now: datetime
) -> tuple[str, bytes, dict[str, str]]:
    """Address, body and headers as the receiver wants them. WeCom's robots have their key in the address; DingTalk's
    have a secret, by which the time is signed
    (https://open.dingtalk.com/document/orgapp/customize-robot-security-settings).
    """
    if kind is WebhookFormat.STANDARD:
        body = orjson.dumps({"type": "duty.notified", "timestamp": real_now, "data": {"text": text}})
        return url, body, signed_headers(key_of(secret), message_id=message_id, body=body, sent_at=real_now)
    if kind is WebhookFormat.DINGTALK and secret:
        moment = str(round(real_now.timestamp() * 1000))
        digest = hmac.new(secret.encode(), f"{moment}\n{secret}".encode(), hashlib.sha256).digest()
        mark = "&" if "?" in url else "?"
        url += f"{mark}timestamp={moment}&sign={quote_plus(base64.b64encode(digest).decode())}"
    body = orjson.dumps({"msgtype": "text", "text": {"content": text}})
    return url, body, {"Content-Type": "application/json", "User-Agent": "dialer"}


def key_of(secret: str) -> bytes:
    """The key of a secret of Standard Webhooks (`whsec_` and base64), or its bytes."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()


async def _push(
    services: Services, session: aiohttp.ClientSession, key: ec.EllipticCurvePrivateKey, one: Notification
) -> NotificationFault | None:
    """Sends to every browser of the person: one that takes it is enough."""
    browsers = await asyncio.to_thread(own_browsers, services, one.staff_id)
    content = push_content(services, one)
    faults = await asyncio.gather(
        *(_push_to(services, session, key, one.staff_id, browser, content) for browser in browsers)
    )
    if None in faults:
        return None
    is_uncertain = NotificationFault.UNCERTAIN in faults
    return NotificationFault.UNCERTAIN if is_uncertain else NotificationFault.REFUSED


def push_content(services: Services, one: Notification) -> bytes:
    """What the service worker shows (dialer/web/static/console/push_worker.js). It names no person."""
    title = say(one.language, "Fraud warning and dissuasion")
    return orjson.dumps({"id": str(one.id), "title": title, "text": text_of(services, one), "to": one.page})


async def _push_to(
    services: Services,
    session: aiohttp.ClientSession,
    key: ec.EllipticCurvePrivateKey,
    staff_id: int,
    own: OwnBrowser,
    content: bytes,
) -> NotificationFault | None:
    real_now, endpoint = services.real.now(), own.browser.endpoint
    # The settings may have changed since the browser was added.
    if not is_push_address(endpoint, services.push) or (own.wait_until and real_now < own.wait_until):
        return NotificationFault.REFUSED
    once = ec.generate_private_key(ec.SECP256R1())
    body = encrypt(content, own.browser, once=once, salt=os.urandom(16))
    headers = {
        "Authorization": proof(key, endpoint, contact=services.push.contact, real_now=real_now),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(int(_PUSH_LASTS.total_seconds())),
        "Urgency": "high",
        "User-Agent": "dialer",
    }
    try:
        async with session.post(endpoint, data=body, headers=headers, allow_redirects=False) as answer:
            status, retry_after = answer.status, answer.headers.get("Retry-After", "")
    except (TimeoutError, aiohttp.ClientError, OSError):
        return NotificationFault.UNCERTAIN
    if status in _OK:
        return None
    if status in _FORGOTTEN or status in _TOO_MANY:
        until = None if status in _FORGOTTEN else real_now + wait_of(retry_after, real_now)
        await asyncio.to_thread(_record_refusal, services, staff_id, own, until)
    return NotificationFault.REFUSED


def _record_refusal(services: Services, staff_id: int, own: OwnBrowser, until: datetime | None) -> None:
    with services.store.begin() as tx:
        if until is None:
            delete_browser(tx, staff_id, own.id)
        else:
            delay_browser(tx, own.id, until=until)


def wait_of(retry_after: str, real_now: datetime) -> timedelta:
    """How long the header says to wait (RFC 9110, section 10.2.3): seconds or a date; an hour at most."""
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        wait = timedelta(seconds=min(int(text), int(_MOST_WAIT.total_seconds())))
    else:
        try:
            wait = parsedate_to_datetime(text) - real_now
        except (TypeError, ValueError):
            return _WAIT
    return max(timedelta(), min(wait, _MOST_WAIT))
