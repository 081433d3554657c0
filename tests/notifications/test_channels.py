"""What each channel makes of a notification, and of the answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from aiohttp import web

from dialer.core.notifications import NotificationChannel, WebhookFormat
from dialer.core.values import MessageChannel
from dialer.notifications.sending import key_of, post_webhooks, refuse_all, send_texts, webhook_request
from dialer.telephony.channels import (
    MessageClient,
    MessageProgress,
    Placed,
    RefusalCause,
    Refused,
    SendResult,
    SendText,
    UncertainResult,
)
from dialer.telephony.webhooks import write_duty_call, write_farewell
from dialer.webhooks.sending import webhook_session
from tests.notifications.conftest import Station

C = NotificationChannel
NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)
ID = uuid.UUID(int=7)


class Texts(MessageClient):
    """A channel that answers as it is told."""

    channel = MessageChannel.SMS

    def __init__(self, answer: SendResult) -> None:
        self.answer = answer
        self.sent: list[SendText] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Has nothing to close."""

    async def send(self, order: SendText, /) -> SendResult:
        self.sent.append(order)
        return self.answer

    async def state(self, _sid: str, /) -> MessageProgress | None:
        return None


@pytest.mark.parametrize(
    ("answer", "state", "fault"),
    [
        (Placed(sid="SM1", status="queued"), "sent", None),
        (Refused(cause=RefusalCause.NUMBER), "failed", "refused"),
        (UncertainResult(detail="no answer"), "failed", "uncertain"),
    ],
)
async def test_a_text_leaves_once_and_says_what_became_of_it(
    station: Station, answer: SendResult, state: str, fault: str | None
):
    station.told()
    client = Texts(answer)
    assert await send_texts(station.services, client) == 0
    station.later(minutes=2)
    assert await send_texts(station.services, client) == (state == "sent")
    assert await send_texts(station.services, client) == 0
    [order] = client.sent
    [row] = [row for row in station.rows(station.ann) if row["channel"] == "sms"]
    assert (row["state"], row["fault"]) == (state, fault)
    assert (order.to, order.message_id) == ("+8613900009999", row["id"])
    assert "1条任务待签收，其中特高危1条" in order.text


async def test_a_channel_that_is_not_set_up_fails(station: Station):
    station.told()
    station.later(minutes=2)
    assert await refuse_all(station.services, C.SMS) == 0
    assert station.states(station.ann)["sms"] == "failed"


async def receiver(answer: dict[str, Any], seen: list[tuple[dict[str, str], bytes]]) -> web.AppRunner:
    async def take(request: web.Request) -> web.Response:
        seen.append((dict(request.headers), await request.read()))
        return web.json_response(answer)

    app = web.Application()
    app.router.add_post("/robot", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


@pytest.mark.parametrize(
    ("kind", "answer", "state"),
    [
        ("wecom", {"errcode": 0}, "sent"),
        ("wecom", {"errcode": 93000}, "failed"),
        ("dingtalk", {"errcode": 310000}, "failed"),
        ("standard", {}, "sent"),
    ],
)
async def test_a_webhook_is_posted_and_its_answer_is_read(
    station: Station, kind: str, answer: dict[str, Any], state: str
):
    seen: list[tuple[dict[str, str], bytes]] = []
    runner = await receiver(answer, seen)
    try:
        host, port = runner.addresses[0][:2]
        url = f"http://{host}:{port}/robot"
        station.set_rules(station.ann, minutes={C.WEBHOOK: "0"}, url=url, secret="s3cret", format=kind)
        station.told()
        async with webhook_session(station.services.webhooks) as session:
            await post_webhooks(station.services, session)
    finally:
        await runner.cleanup()
    assert station.states(station.ann) == {"webhook": state}
    [(headers, body)] = seen
    sent = orjson.loads(body)
    if kind == "standard":
        assert sent["type"] == "duty.notified"
        assert headers["webhook-signature"].startswith("v1,")
    else:
        assert "任务待签收" in sent["text"]["content"]


async def test_a_webhook_that_does_not_answer_has_failed(station: Station):
    station.set_rules(station.ann, minutes={C.WEBHOOK: "0"}, url="http://127.0.0.1:9/robot", format="wecom")
    station.told()
    async with webhook_session(station.services.webhooks) as session:
        await post_webhooks(station.services, session)
    [row] = station.rows(station.ann)
    assert (row["state"], row["fault"]) == ("failed", "uncertain")


def test_dingtalk_signs_the_time_with_its_secret():
    url, body, _ = webhook_request(
        WebhookFormat.DINGTALK,
        "https://robot.example/send?access_token=a",
        "SECx",
        "hello",
        message_id=ID,
        real_now=NOON,
    )
    query = parse_qs(urlsplit(url).query)
    moment = query["timestamp"][0]
    assert (query["access_token"], moment) == (["a"], "1795579200000")
    wanted = hmac.new(b"SECx", f"{moment}\nSECx".encode(), hashlib.sha256).digest()
    assert query["sign"] == [base64.b64encode(wanted).decode()]
    assert orjson.loads(body) == {"msgtype": "text", "text": {"content": "hello"}}
    plain, _, _ = webhook_request(
        WebhookFormat.DINGTALK, "https://robot.example/send", "", "hello", message_id=ID, real_now=NOON
    )
    assert plain == "https://robot.example/send"


def test_a_secret_is_base64_after_its_mark_and_text_without():
    assert key_of("whsec_" + base64.b64encode(b"key").decode()) == b"key"
    assert key_of("key") == b"key"
    assert key_of("whsec_!") == b"whsec_!"


def test_the_call_asks_twice_for_a_key_and_takes_only_one():
    written = write_duty_call("您有1条任务", "zh", action="https://our.example/hooks/notification/x/key")
    assert written.count('numDigits="1"') == 2
    assert written.count("<Say") == 2
    assert written.index("<Gather") < written.index("<Hangup")
    assert write_farewell("谢谢", "zh").count("<Say") == 1
