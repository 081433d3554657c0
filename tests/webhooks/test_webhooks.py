"""Outgoing webhooks: rows in the transaction of the event, real requests to a real receiver, the log, sending again."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import ip_address

import pytest
import sqlalchemy as sa
from aiohttp import web

from dialer.core.access import unrestricted
from dialer.core.case import CaseStatus
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.values import DeliveryFault, DeliveryState, Grade, WebhookEvent
from dialer.db import tables as t
from dialer.outcomes.filing import file_for_case
from dialer.runtime.sections import WebhooksSettings
from dialer.runtime.services import Services
from dialer.webhooks.actions import (
    WebhookDelivery,
    add_webhook,
    checked_url,
    deliveries,
    end_webhook,
    is_allowed,
    list_deliveries,
    list_webhooks,
    redeliver,
)
from dialer.webhooks.sending import send_webhooks
from tests.audit_lines import audit_lines
from tests.outcomes.town import NAME, PHONE, Scenario

ALL = [event.value for event in WebhookEvent]
GAPS = deliveries().retries
LOCAL = WebhooksSettings(networks=("127.0.0.0/8",), timeout_seconds=2.0, tries=3)


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
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of the last request."""
    meanwhile: Callable[[], Awaitable[None]] | None = None
    """Happens before it answers."""

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        message_id, moment = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{message_id}.{moment}.{body.decode()}".encode()
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert request.headers["webhook-signature"] == f"v1,{expected}"
        self.headers = request.headers
        if self.meanwhile is not None:
            await self.meanwhile()
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
    receiver.secret = add_webhook(
        services, unrestricted("sun"), name=name, url=receiver.url, events=events
    ).secret


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
    file_for_case(services, unrestricted("sun"), settled, case_number="A1504001")
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
    assert {delivery.state for delivery in list_deliveries(services)} == {DeliveryState.DELIVERED}


async def test_a_case_that_does_not_commit_is_told_to_nobody(
    scenario: Scenario, services: Services, receiver: Receiver
):
    subscribe(services, receiver)
    case_id = scenario.case()
    with services.store.begin_and_roll_back() as tx:
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
    end_webhook(services, unrestricted("sun"), "bureau")
    settle(scenario, after)
    assert [(delivery.case_id, delivery.state) for delivery in list_deliveries(services)] == [
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
        scenario.clock.advance(GAPS.gap(n).total_seconds())
    [dead] = list_deliveries(services, state=DeliveryState.GIVEN_UP)
    assert [trie.status for trie in dead.tries] == [503] * LOCAL.tries
    scenario.clock.advance(86_400)
    assert await send_webhooks(services) == 0
    assert [webhook.given_up for webhook in list_webhooks(services)] == [1]

    receiver.status = 204
    assert redeliver(services, unrestricted("sun"), webhook="bureau") == 1
    assert await send_webhooks(services) == 1
    assert {message_id for message_id, _ in receiver.got} == {str(dead.message_id)}, "a repeat has its id"
    [line] = list_deliveries(services)
    assert (line.state, line.tries[0].status) == (DeliveryState.DELIVERED, 204)
    assert redeliver(services, unrestricted("sun"), delivery_id=line.id) == 1
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
    impatient = replace(services, webhooks=LOCAL.model_copy(update={"timeout_seconds": 0.05}))
    receiver.status, receiver.answers = 200, False
    scenario.clock.advance(60)
    assert await send_webhooks(impatient) == 0
    [line] = list_deliveries(services)
    assert [(trie.status, trie.fault) for trie in line.tries] == [(None, DeliveryFault.TIMEOUT), (307, None)]


async def test_a_receiver_that_does_not_answer_delays_no_other(
    scenario: Scenario, services: Services, receiver: Receiver
):
    async with listening(Receiver(answers=False)) as dead:
        subscribe(services, dead, ["case_settled"], name="dead")
        for case_id in [scenario.case() for _ in range(25)]:
            settle(scenario, case_id)
        subscribe(services, receiver, ["case_settled"], name="other")
        settle(scenario, scenario.case())
        assert await send_webhooks(services, for_seconds=0.1) == 1, "in the first claim already"
        tried = [delivery for delivery in list_deliveries(services, webhook="dead") if delivery.tries]
        assert len(tried) == 10, "ten of each receiver in a claim"
    assert len(receiver.got) == 1


async def test_a_secret_that_cannot_be_opened_stops_its_own_messages_alone(
    scenario: Scenario, services: Services, receiver: Receiver
):
    async with listening(Receiver()) as other:
        subscribe(services, other, name="broken")
        subscribe(services, receiver)
        with scenario.tx() as tx:
            tx.execute(sa.update(t.webhook).where(t.webhook.c.name == "broken").values(secret_sealed=b"-"))
        settle(scenario, scenario.case(grade=Grade.LOW))
        assert await send_webhooks(services) == len(receiver.got) == 1
        assert other.got == []
    with scenario.tx() as tx:
        [tried] = tx.rows(sa.select(t.webhook_try).where(t.webhook_try.c.fault != ""))
    assert tried["fault"] == "unsigned"


async def test_an_address_that_the_settings_do_not_allow_any_more_gets_nothing(
    scenario: Scenario, services: Services, receiver: Receiver
):
    subscribe(services, receiver)
    settle(scenario, scenario.case())
    elsewhere = replace(services, webhooks=LOCAL.model_copy(update={"networks": ("10.0.0.0/8",)}))
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
    elsewhere = replace(services, webhooks=LOCAL.model_copy(update={"networks": ("10.0.0.0/8",)}))
    assert await send_webhooks(elsewhere) == 0
    assert receiver.got == []
    assert list_deliveries(services)[0].tries[0].fault is DeliveryFault.NOT_ALLOWED
    scenario.clock.advance(60)
    assert await send_webhooks(services) == 1


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://receiver.example/", "is http"),
        ("http://10.1.2.3/", "is http"),
        ("ftp://127.0.0.1/", "is not a valid address"),
        ("https://user:word@127.0.0.1/", "has a user"),
        ("https://user@127.0.0.1/", "has a user"),
        ("https://:word@127.0.0.1/", "has a user"),
        ("https://127.0.0.1/#part", "has a user, a password, a fragment"),
        ("https://127.0.0.1/警", "signs that no address has"),
        ("https://127.0.0.1/a\x7fb", "signs that no address has"),
        ("https://169.254.169.254/latest", "that no setting allows"),
        ("https://[::ffff:169.254.169.254]/", "that no setting allows"),
        ("https://8.8.8.8/", "that no setting allows"),
        ("https:///path", "is not a valid address"),
        ("https://127.0.0.1:99999/", "is not a valid address"),
        ("https://127.0.0.1:0/", "is not a valid address"),
        ("https://127.0.0.1/".ljust(501, "a"), "is not a valid address"),
        ("javascript:alert(1)", "is not a valid address"),
        ("", "is not a valid address"),
    ],
)
def test_these_addresses_are_refused(url: str, problem: str):
    rules = LOCAL.model_copy(update={"networks": ("127.0.0.0/8", "10.0.0.0/8", "169.254.0.0/16")})
    with pytest.raises(Invalid, match=problem) as refused:
        checked_url(url, rules)
    assert refused.value.field == "url"


@pytest.mark.parametrize(
    "url",
    [
        " https://127.0.0.1/\n",
        "https://127.0.0.1:1/",
        "https://127.0.0.1/".ljust(500, "a"),
        "https://receiver.example/?to=7",
        "http://localhost:8080/",
        "http://127.0.0.1/",
        "http://[::1]/",
    ],
)
def test_these_addresses_are_taken(url: str):
    rules = LOCAL.model_copy(update={"networks": ("127.0.0.0/8", "::1/128")})
    assert checked_url(url, rules) == url.strip()


def test_without_networks_no_address_is_allowed():
    with pytest.raises(Invalid, match=r"webhooks\.networks"):
        checked_url("https://receiver.example/", WebhooksSettings())


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
    rules = WebhooksSettings(networks=("10.1.0.0/16", "0.0.0.0/32", "fe80::/10", "224.0.0.0/4", "fd00::/8"))
    assert is_allowed(ip_address(address), rules) is allowed


def audited(services: Services, act: str) -> list[dict[str, object]]:
    return [
        {name: line[name] for name in ("who", "subject", "why", "facts")}
        for line in audit_lines(services.store)
        if line["act"] == act
    ]


def settled(scenario: Scenario) -> int:
    case_id = scenario.case()
    settle(scenario, case_id)
    return case_id


def test_what_is_done_to_a_webhook_is_audited(scenario: Scenario, services: Services):
    url = "https://127.0.0.1/"
    new = add_webhook(
        services, unrestricted("sun"), name="bureau", url=f" {url} ", events=["high_missed", "case_filed"]
    )
    assert len(base64.b64decode(new.secret.removeprefix("whsec_"))) == 32
    assert new.secret not in repr(new)
    added = {"name": "bureau", "url": url, "events": ["case_filed", "high_missed"]}
    what = {"subject": f"webhook/{new.id}", "why": ""}
    assert audited(services, "webhook_add") == [{"who": "sun", "facts": added} | what]
    [line] = list_webhooks(services)
    assert (line.id, line.name, line.url, line.added_by) == (new.id, "bureau", url, "sun")
    assert line.events == (WebhookEvent.CASE_FILED, WebhookEvent.HIGH_MISSED)
    assert (line.added_at, line.ended_at, line.ended_by) == (services.clock.now(), None, None)
    assert redeliver(services, unrestricted("li"), webhook="bureau") == 0
    again = {"name": "bureau", "count": 0}
    assert audited(services, "webhook_again") == [{"who": "li", "facts": again} | what]
    assert scenario.enqueued[-1] == ("send_webhooks",)
    end_webhook(services, unrestricted("zhao"), "bureau")
    assert audited(services, "webhook_end") == [{"who": "zhao", "facts": {"name": "bureau"}} | what]
    [line] = list_webhooks(services, ended=True)
    assert (line.ended_at, line.ended_by) == (services.clock.now(), "zhao")
    assert list_webhooks(services) == []


def test_what_makes_no_webhook(services: Services):
    given = {"name": "x" * 64, "url": "https://127.0.0.1/", "events": ALL}
    for wrong, about, problem in (
        ({"name": ""}, "name", "1 to 64 of letters"),
        ({"name": "x" * 65}, "name", "1 to 64 of letters"),
        ({"name": "a/b"}, "name", "is not a valid name for a webhook"),
        ({"events": []}, "events", "one or more of case_filed, case_settled, high_missed"),
        ({"events": ["case_settled", "case_opened"]}, "events", "is not known"),
    ):
        with pytest.raises(Invalid, match=problem) as refused:
            add_webhook(services, unrestricted("sun"), **(given | wrong))
        assert refused.value.field == about
    assert list_webhooks(services) == []
    add_webhook(services, unrestricted("sun"), **given)


def test_twenty_webhooks_are_enough(services: Services):
    for n in range(20):
        add_webhook(services, unrestricted("sun"), name=f"w{n:02}", url="https://127.0.0.1/", events=ALL)
    with pytest.raises(Conflict, match="there are 20 webhooks already"):
        add_webhook(services, unrestricted("sun"), name="more", url="https://127.0.0.1/", events=ALL)
    end_webhook(services, unrestricted("sun"), "w07")
    add_webhook(services, unrestricted("sun"), name="more", url="https://127.0.0.1/", events=ALL)
    assert [webhook.name for webhook in list_webhooks(services)][:3] == ["more", "w00", "w01"]


def test_the_log_is_of_one_webhook_of_one_state_and_in_pages(scenario: Scenario, services: Services):
    url = "https://127.0.0.1/"
    add_webhook(services, unrestricted("sun"), name="bureau", url=url, events=["case_settled"])
    cases = [settled(scenario) for _ in range(3)]
    add_webhook(services, unrestricted("sun"), name="other", url=url, events=["case_settled"])
    cases.append(settled(scenario))
    log = list_deliveries(services)
    assert [(one.case_id, one.webhook) for one in log] == [
        (cases[3], "other"),
        (cases[3], "bureau"),
        (cases[2], "bureau"),
        (cases[1], "bureau"),
        (cases[0], "bureau"),
    ]
    assert list_deliveries(services, webhook="bureau") == log[1:]
    assert list_deliveries(services, limit=2) == log[:2]
    assert list_deliveries(services, before_id=log[1].id) == log[2:]
    with scenario.tx() as tx:
        dead = t.webhook_delivery.c.id.in_([log[0].id, log[2].id])
        tx.execute(sa.update(t.webhook_delivery).where(dead).values(state="given_up"))
        sent = t.webhook_delivery.c.id == log[3].id
        tx.execute(sa.update(t.webhook_delivery).where(sent).values(state="delivered"))
    assert [delivery.id for delivery in list_deliveries(services, state=DeliveryState.GIVEN_UP)] == [
        log[0].id,
        log[2].id,
    ]
    assert [
        (webhook.name, webhook.waiting, webhook.delivered, webhook.given_up)
        for webhook in list_webhooks(services)
    ] == [
        ("bureau", 2, 1, 1),
        ("other", 0, 0, 1),
    ]
    assert redeliver(services, unrestricted("sun"), webhook="bureau") == 1, (
        "what was given up of this one alone"
    )
    assert [delivery.id for delivery in list_deliveries(services, state=DeliveryState.GIVEN_UP)] == [
        log[0].id
    ]
    end_webhook(services, unrestricted("sun"), "bureau")
    assert [delivery.id for delivery in list_deliveries(services, state=DeliveryState.DROPPED)] == [
        log[1].id,
        log[2].id,
        log[4].id,
    ]
    assert list_deliveries(services, state=DeliveryState.DELIVERED, webhook="bureau")[0].id == log[3].id
    for gone in ({"webhook": "bureau"}, {"delivery_id": log[3].id}):
        with pytest.raises(Conflict, match="webhook bureau has ended") as ended:
            redeliver(services, unrestricted("sun"), **gone)
        assert ended.value.current == "ended"
    add_webhook(services, unrestricted("sun"), name="bureau", url=url, events=["case_settled"])
    assert redeliver(services, unrestricted("sun"), webhook="bureau") == 0, "the one in use has this name"
    for unknown, kind, key in (
        ({"webhook": "nobody"}, "webhook", "nobody"),
        ({"delivery_id": 999}, "delivery", 999),
        ({"delivery_id": 0}, "delivery", 0),
    ):
        with pytest.raises(NotFound) as missed:
            redeliver(services, unrestricted("sun"), **unknown)
        assert (missed.value.kind, missed.value.key) == (kind, key)


def test_fifty_messages_are_shown_where_nothing_else_is_asked(scenario: Scenario, services: Services):
    new = add_webhook(services, unrestricted("sun"), name="bureau", url="https://127.0.0.1/", events=ALL)
    one = {
        "webhook_id": new.id, "event": "high_missed", "case_id": 7, "facts": {}, "occurred_at": scenario.clock.now(),
    }  # fmt: skip
    with scenario.tx() as tx:
        tx.execute(sa.insert(t.webhook_delivery), [one] * 51)
    assert len(list_deliveries(services)) == 50


async def test_a_message_has_the_headers_of_the_standard_and_the_time_of_its_event(
    scenario: Scenario, services: Services, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with listening(Receiver()) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        subscribe(services, receiver)
        case_id = settled(scenario)
        assert await send_webhooks(services) == 1
    assert proxy.got == [], "no proxy of the environment gets it"
    [(message_id, body)] = receiver.got
    [line] = list_deliveries(services)
    assert message_id == str(line.message_id)
    assert set(body) == {"type", "timestamp", "data"}
    assert datetime.fromisoformat(str(body["timestamp"])) == line.occurred_at == scenario.clock.now()
    assert body["data"]["case_id"] == case_id  # type: ignore[index]
    assert receiver.headers["Content-Type"] == "application/json"
    assert receiver.headers["User-Agent"] == "dialer"
    assert receiver.headers["webhook-timestamp"] == str(int(services.real.now().timestamp()))


async def test_while_a_message_is_sent_nobody_else_takes_it_and_after_a_crash_it_is_due_again(
    scenario: Scenario, services: Services, receiver: Receiver
):
    subscribe(services, receiver)
    settled(scenario)
    seen: list[WebhookDelivery] = []

    async def meanwhile() -> None:
        assert await send_webhooks(services) == 0
        seen.extend(list_deliveries(services))

    receiver.meanwhile = meanwhile
    assert await send_webhooks(services) == 1
    assert len(receiver.got) == 1
    assert [one.due_at for one in seen] == [services.real.now() + timedelta(seconds=6)]


async def test_a_message_that_another_process_takes_at_this_moment_is_passed_over(
    scenario: Scenario, services: Services, receiver: Receiver
):
    subscribe(services, receiver)
    first = settled(scenario)
    second = settled(scenario)
    with scenario.tx() as tx:
        d = t.webhook_delivery
        assert tx.rows(sa.select(d.c.id).where(d.c.case_id == first).with_for_update())
        assert await send_webhooks(services) == 1
    assert [body["data"]["case_id"] for _, body in receiver.got] == [second]  # type: ignore[index]
    assert await send_webhooks(services) == 1


async def test_what_ends_or_is_sent_again_while_it_is_sent_stays_so(
    scenario: Scenario, services: Services, receiver: Receiver
):
    subscribe(services, receiver)
    settled(scenario)
    [line] = list_deliveries(services)

    async def again() -> None:
        receiver.meanwhile = None
        redeliver(services, unrestricted("sun"), delivery_id=line.id)

    receiver.meanwhile = again
    assert await send_webhooks(services) == 2
    assert len(receiver.got) == 2
    settled(scenario)

    async def end() -> None:
        end_webhook(services, unrestricted("sun"), "bureau")

    receiver.meanwhile = end
    assert await send_webhooks(services) == 1
    [ended, sent] = list_deliveries(services)
    assert (ended.state, len(ended.tries)) == (DeliveryState.DROPPED, 1)
    assert (sent.state, len(sent.tries)) == (DeliveryState.DELIVERED, 2)


async def test_every_answer_of_the_two_hundreds_is_a_success(
    scenario: Scenario, services: Services, receiver: Receiver
):
    subscribe(services, receiver)
    for status, delivered in ((200, 1), (299, 1), (300, 0), (404, 0)):
        settled(scenario)
        receiver.status = status
        assert await send_webhooks(services) == delivered
        line = list_deliveries(services)[0]
        [only] = line.tries
        assert (only.status, only.fault, only.at) == (status, None, services.real.now())
        assert 0 <= only.took_ms < 60_000
        assert line.state is (DeliveryState.DELIVERED if delivered else DeliveryState.WAITING)
        if not delivered:
            assert line.due_at == services.real.now() + timedelta(seconds=30)


def test_a_name_is_used_once_and_free_again_after_the_end(services: Services):
    url = "https://127.0.0.1/"
    add_webhook(services, unrestricted("sun"), name="bureau", url=url, events=ALL)
    with pytest.raises(Conflict):
        add_webhook(services, unrestricted("sun"), name="bureau", url=url, events=ALL)
    end_webhook(services, unrestricted("sun"), "bureau")
    add_webhook(services, unrestricted("sun"), name="bureau", url=url, events=ALL)
    assert [webhook.ended_at is None for webhook in list_webhooks(services, ended=True)] == [False, True]
    with pytest.raises(NotFound):
        end_webhook(services, unrestricted("sun"), "nobody")
    for events in ([], ["case_opened"]):
        with pytest.raises(Invalid):
            add_webhook(services, unrestricted("sun"), name="other", url=url, events=events)


def test_gaps_grow_and_end():
    gaps = [GAPS.gap(n).total_seconds() for n in range(1, 13)]
    assert gaps[:3] == [30, 60, 120]
    assert gaps == sorted(gaps)
    assert gaps[-1] == 6 * 3600
    assert 12 * 3600 < sum(gaps[:-1]) < 16 * 3600
