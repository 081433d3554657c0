"""The page of outgoing webhooks: the secret is shown once, what is wrong is told beside its field, the log, sending again."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from dialer.core.access import Role
from dialer.core.values import DeliveryState
from dialer.db import tables as t
from dialer.org.unit_store import add_unit
from dialer.outcomes.webhooks import add_webhook, list_deliveries, list_webhooks
from dialer.services import Services, WebhookRules
from tests.console.desk import ConsoleDesk, text

URL = "https://10.1.2.3/warnings"


def allowing(console: ConsoleDesk) -> Services:
    return replace(console.app.services, webhooks=WebhookRules(networks=("10.0.0.0/8",)))


def delivery(console: ConsoleDesk, state: str) -> int:
    now = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
    with console.app.services.store.begin() as tx:
        webhook_id = tx.scalar(sa.select(sa.func.max(t.webhook.c.id)))
        row = tx.one(
            sa.insert(t.webhook_delivery)
            .values(
                webhook_id=webhook_id,
                event="high_missed",
                case_id=7,
                facts={},
                occurred_at=now,
                state=state,
                tries=1,
            )
            .returning(t.webhook_delivery.c.id)
        )
        assert row is not None
        tx.execute(
            sa.insert(t.webhook_try).values(delivery_id=row["id"], at=now, fault="certificate", took_ms=38)
        )
    return int(row["id"])


async def test_without_a_network_in_the_settings_nothing_can_be_added(console: ConsoleDesk):
    chief = console.person(Role.ADMINISTRATOR)
    assert "webhooks.networks" in text(await chief.get("/webhooks"))
    answer = await chief.post("/webhooks", name="bureau", url=URL, case_settled="1")
    assert answer.status_code == 422
    assert "goes to an address that no setting allows" in text(answer)
    assert list_webhooks(console.app.services) == []


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "x y", "url": URL, "case_settled": "1"}, "is no name for a webhook"),
        ({"name": "x", "url": "http://10.1.2.3/", "case_settled": "1"}, "is http"),
        ({"name": "x", "url": URL}, "one or more of case_filed, case_settled, high_missed"),
    ],
)
async def test_what_is_wrong_is_told_beside_its_field(console: ConsoleDesk, form: dict[str, str], said: str):
    answer = await console.person(Role.ADMINISTRATOR).post("/webhooks", **form)
    assert answer.status_code == 422
    assert said in text(answer) or "no setting allows" in text(answer)
    assert form["name"] in html.unescape(answer.text)


async def test_the_log_shows_every_try_and_a_dead_message_is_sent_again(console: ConsoleDesk):
    secret = add_webhook(allowing(console), name="bureau", url=URL, events=["high_missed"], by="sun").secret
    dead = delivery(console, "dead")
    chief = console.person(Role.ADMINISTRATOR)
    page = await chief.get("/webhooks", state="dead")
    assert secret not in page.text
    assert "certificate not valid" in text(page)
    assert re.search(rf'action="/webhooks/deliveries/{dead}/again"', page.text)
    assert "No messages here" in text(await chief.get("/webhooks", state="delivered"))
    assert (await chief.post(f"/webhooks/deliveries/{dead}/again")).status_code == 303
    [line] = list_deliveries(console.app.services)
    assert line.state is DeliveryState.WAITING
    assert [entry["act"] for entry in console.audited("webhook_again")] == ["webhook_again"]
    assert (await chief.post("/webhooks/bureau/end")).status_code == 303
    assert list_deliveries(console.app.services)[0].state is DeliveryState.DROPPED
    assert (await chief.post(f"/webhooks/deliveries/{dead}/again")).status_code == 409
    assert (await chief.post("/webhooks/bureau/end")).status_code == 404


async def test_an_administrator_of_a_unit_sees_none_of_it(console: ConsoleDesk):
    with console.app.services.store.begin() as tx:
        unit_id = add_unit(tx, name="东区", parent_id=None)
    own = console.person(Role.ADMINISTRATOR, unit_id=unit_id)
    assert (await own.get("/webhooks")).status_code == 404
    assert (await own.post("/webhooks/bureau/end")).status_code == 404
