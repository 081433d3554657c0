"""The channels that carry a notification: text messages and the robot's call by the carrier, and webhooks. Each request
is made once; what is not certainly sent has failed, and the person's next notification leaves at once.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Final
from urllib.parse import quote_plus
from uuid import UUID

import aiohttp
import orjson

from dialer.core.notifications import NotificationChannel, NotificationFault, WebhookFormat
from dialer.notifications.actions import claim_due, record_failed, record_sent, text_of
from dialer.notifications.store import Notification
from dialer.runtime.services import Services
from dialer.telephony.channels import MessageClient, Placed, SendResult, SendText, UncertainResult
from dialer.telephony.client import DeskClient
from dialer.webhooks.sending import post_signed, signed_headers

Sender = Callable[[Notification], Awaitable[NotificationFault | None]]
"""Sends one notification; None: the channel has it."""
_PREFIX: Final = "whsec_"


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
