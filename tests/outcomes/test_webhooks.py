"""Outgoing webhooks: rows in the transaction of the event, real requests to a real receiver, the log, sending again."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import ip_address

import pytest
import sqlalchemy as sa
from aiohttp import web

from dialer.core.case import CaseStatus
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.values import DeliveryFault, DeliveryState, Grade, WebhookEvent
from dialer.db import tables as t
from dialer.outcomes.filing import file_for_case
from dialer.outcomes.webhooks import (
    add_webhook,
    checked_url,
    end_webhook,
    gap_after,
    is_allowed,
    list_deliveries,
    list_webhooks,
    redeliver,
    send_webhooks,
)
from dialer.services import Services, WebhookRules
from tests.outcomes.town import NAME, PHONE, Scenario

ALL = [event.value for event in WebhookEvent]
LOCAL = WebhookRules(networks=("127.0.0.0/8",), timeout_seconds=2.0, tries=3)


@dataclass
class Receiver:
    """Answers with `status`, and checks each signature as Standard Webhooks says."""

    secret: str = ""
    status: int = 200
    answers: bool = True
    """Otherwise each request waits until the receiver ends."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    got: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        message_id, moment = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{message_id}.{moment}.{body.decode()}".encode()
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert request.headers["webhook-signature"] == f"v1,{expected}"
        if not self.answers:
            await self.ended.wait()
        self.got.append((message_id, json.loads(body)))
        headers = {"Location": self.url} if self.status in {301, 302, 307, 308} else {}
        return web.Response(status=self.status, headers=headers)


@asynccontextmanager
async def listening(receiver: Receiver) -> AsyncIterator[Receiver]:
    application = web.Application()
    application.router.add_post("/{tail:.*}", receiver.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/warnings"
    try:
        yield receiver
    finally:
        receiver.ended.set()
        await runner.cleanup()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with listening(Receiver()) as one:
        yield one


@pytest.fixture
def services(scenario: Scenario) -> Services:
    # What is due is compared with the clock of the database, at which rows are queued.
    scenario.clock.set(scenario.clock.now() + timedelta(days=3650))
    return replace(scenario.services, webhooks=LOCAL)


def subscribe(services: Services, receiver: Receiver, events: list[str] = ALL, name: str = "bureau") -> None:
    receiver.secret = add_webhook(services, name=name, url=receiver.url, events=events, by="sun").secret


def settle(scenario: Scenario, case_id: int, status: CaseStatus = CaseStatus.CLOSED) -> None:
    with scenario.tx() as tx:
        tx.execute(
            sa.update(t.case)
            .where(t.case.c.id == case_id)
            .values(status=status.value, settled_at=scenario.clock.now(), outcome="mismatch", due_at=None)
        )


async def test_a_settled_case_a_missed_high_grade_and_a_filed_case_arrive_signed(
    scenario: Scenario, services: Services, receiver: Receiver
):
    subscribe(services, receiver)
    person_id = scenario.person(name=NAME, phones=(PHONE,))
    settled = scenario.case(
        grade=Grade.LOW, person_id=person_id, opened_at=scenario.clock.now() - timedelta(hours=1)
    )
    missed = scenario.case(grade=Grade.HIGH, missed=True)
    settle(scenario, settled)
    file_for_case(services, settled, case_number="A1504001", by="sun")
    assert await send_webhooks(services) == len(receiver.got)
    told = {(body["type"], body["data"]["case_id"]): body["data"] for _, body in receiver.got}  # type: ignore[index]
    assert set(told) == {
        ("case_settled", settled),
        ("high_missed", missed),
        ("case_filed", settled),
    }
    assert told["case_settled", settled]["grade"] == "low"  # type: ignore[index]
    assert told["case_filed", settled]["stands"] is True  # type: ignore[index]
    everything = json.dumps([body for _, body in receiver.got], ensure_ascii=False)
    assert NAME not in everything
    assert PHONE[3:] not in everything
    assert "A1504001" not in everything
    assert {one.state for one in list_deliveries(services)} == {DeliveryState.DELIVERED}


async def test_a_case_that_does_not_commit_is_told_to_nobody(
    scenario: Scenario, services: Services, receiver: Receiver
):
    subscribe(services, receiver)
    case_id = scenario.case()
    with services.store.trial() as tx:
        tx.execute(
            sa.update(t.case)
            .where(t.case.c.id == case_id)
            .values(status="closed", settled_at=scenario.clock.now(), due_at=None)
        )
        assert tx.scalar(sa.select(sa.func.count()).select_from(t.webhook_delivery)) == 1
    assert list_deliveries(services) == []


async def test_only_the_events_asked_for_and_only_while_it_is_in_use(
    scenario: Scenario, services: Services, receiver: Receiver
):
    before, during, after = (scenario.case(grade=Grade.HIGH) for _ in range(3))
    settle(scenario, before)
    subscribe(services, receiver, ["case_settled"])
    settle(scenario, during)
    scenario.case(grade=Grade.EXTRA_HIGH, missed=True)
    end_webhook(services, "bureau", by="sun")
    settle(scenario, after)
    assert [(one.case_id, one.state) for one in list_deliveries(services)] == [
        (during, DeliveryState.DROPPED)
    ]
    assert await send_webhooks(services) == 0
    assert receiver.got == []


async def test_a_message_that_is_refused_is_tried_again_later_then_dead_and_can_be_sent_again(
    scenario: Scenario, services: Services, receiver: Receiver
):
    subscribe(services, receiver)
    settle(scenario, scenario.case())
    receiver.status = 503
    for n in range(1, LOCAL.tries + 1):
        assert await send_webhooks(services) == 0
        assert len(receiver.got) == n, "the next try waits for its time"
        scenario.clock.advance(gap_after(n).total_seconds())
    [dead] = list_deliveries(services, state=DeliveryState.DEAD)
    assert [one.status for one in dead.tries] == [503] * LOCAL.tries
    scenario.clock.advance(86_400)
    assert await send_webhooks(services) == 0
    assert [one.dead for one in list_webhooks(services)] == [1]

    receiver.status = 204
    assert redeliver(services, webhook="bureau", by="sun") == 1
    assert await send_webhooks(services) == 1
    assert {message_id for message_id, _ in receiver.got} == {str(dead.message_id)}, "a repeat has its id"
    [line] = list_deliveries(services)
    assert (line.state, line.tries[0].status) == (DeliveryState.DELIVERED, 204)
    assert redeliver(services, delivery_id=line.id, by="sun") == 1
    assert await send_webhooks(services) == 1


async def test_a_redirect_is_not_followed_and_a_slow_receiver_is_left(
    scenario: Scenario, services: Services, receiver: Receiver
):
    async with listening(Receiver()) as other:
        subscribe(services, receiver)
        settle(scenario, scenario.case())
        receiver.status, receiver.url = 307, other.url
        assert await send_webhooks(services) == 0
        assert other.got == []
    impatient = replace(services, webhooks=replace(LOCAL, timeout_seconds=0.05))
    receiver.status, receiver.answers = 200, False
    scenario.clock.advance(60)
    assert await send_webhooks(impatient) == 0
    [line] = list_deliveries(services)
    assert [(one.status, one.fault) for one in line.tries] == [(None, DeliveryFault.TIMEOUT), (307, None)]


async def test_a_receiver_that_does_not_answer_delays_no_other(
    scenario: Scenario, services: Services, receiver: Receiver
):
    hurried = replace(services, webhooks=replace(LOCAL, timeout_seconds=0.2))
    async with listening(Receiver(answers=False)) as dead:
        subscribe(services, dead, ["case_settled"], name="dead")
        for case_id in [scenario.case() for _ in range(25)]:
            settle(scenario, case_id)
        subscribe(services, receiver, ["case_settled"], name="other")
        settle(scenario, scenario.case())
        assert await send_webhooks(hurried, for_seconds=0.1) == 1, "in the first claim already"
    assert len(receiver.got) == 1


async def test_an_address_that_the_settings_do_not_allow_any_more_gets_nothing(
    scenario: Scenario, services: Services, receiver: Receiver
):
    subscribe(services, receiver)
    settle(scenario, scenario.case())
    elsewhere = replace(services, webhooks=replace(LOCAL, networks=("10.0.0.0/8",)))
    assert await send_webhooks(elsewhere) == 0
    assert receiver.got == []
    [line] = list_deliveries(services)
    assert line.tries[0].fault is DeliveryFault.NOT_ALLOWED


async def test_a_name_that_leads_to_an_address_that_is_not_allowed_gets_nothing(
    scenario: Scenario, services: Services, receiver: Receiver
):
    receiver.url = receiver.url.replace("127.0.0.1", "localhost")
    subscribe(services, receiver)
    settle(scenario, scenario.case())
    elsewhere = replace(services, webhooks=replace(LOCAL, networks=("10.0.0.0/8",)))
    assert await send_webhooks(elsewhere) == 0
    assert receiver.got == []
    assert list_deliveries(services)[0].tries[0].fault is DeliveryFault.NOT_ALLOWED
    scenario.clock.advance(60)
    assert await send_webhooks(services) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://receiver.example/",
        "http://10.1.2.3/",
        "ftp://127.0.0.1/",
        "https://user:word@127.0.0.1/",
        "https://127.0.0.1/#part",
        "https://169.254.169.254/latest",
        "https://[::ffff:169.254.169.254]/",
        "https://8.8.8.8/",
        "https:///path",
        "https://127.0.0.1:99999/",
        "https://127.0.0.1/\n",
        "javascript:alert(1)",
        "",
    ],
)
def test_these_addresses_are_refused(url: str):
    rules = replace(LOCAL, networks=("127.0.0.0/8", "10.0.0.0/8", "169.254.0.0/16"))
    if url.endswith("\n"):
        assert checked_url(url, rules) == url.strip()
        return
    with pytest.raises(Invalid):
        checked_url(url, rules)


def test_without_networks_no_address_is_allowed():
    with pytest.raises(Invalid, match=r"webhooks\.networks"):
        checked_url("https://receiver.example/", WebhookRules())


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("10.2.0.1", False),
        ("0.0.0.0", False),
        ("fe80::1", False),
        ("224.0.0.1", False),
        ("fd00::1", True),
    ],
)
def test_only_addresses_of_the_networks_are_allowed(address: str, allowed: bool):
    rules = WebhookRules(networks=("10.1.0.0/16", "0.0.0.0/32", "fe80::/10", "224.0.0.0/4", "fd00::/8"))
    assert is_allowed(ip_address(address), rules) is allowed


def test_a_name_is_used_once_and_free_again_after_the_end(services: Services):
    url = "https://127.0.0.1/"
    add_webhook(services, name="bureau", url=url, events=ALL, by="sun")
    with pytest.raises(Conflict):
        add_webhook(services, name="bureau", url=url, events=ALL, by="sun")
    end_webhook(services, "bureau", by="sun")
    add_webhook(services, name="bureau", url=url, events=ALL, by="sun")
    assert [one.ended_at is None for one in list_webhooks(services, ended=True)] == [False, True]
    with pytest.raises(NotFound):
        end_webhook(services, "nobody", by="sun")
    for events in ([], ["case_opened"]):
        with pytest.raises(Invalid):
            add_webhook(services, name="other", url=url, events=events, by="sun")


def test_gaps_grow_and_end():
    gaps = [gap_after(n).total_seconds() for n in range(1, 13)]
    assert gaps[:3] == [30, 60, 120]
    assert gaps == sorted(gaps)
    assert gaps[-1] == 6 * 3600
    assert 12 * 3600 < sum(gaps[:-1]) < 16 * 3600
