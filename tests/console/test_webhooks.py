"""The page of outgoing webhooks: the secret is shown once, what is wrong is told beside its field, the log."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from dialer.core.access import Role
from dialer.core.values import DeliveryState
from dialer.db import tables as t
from dialer.org.unit_store import add_unit
from dialer.outcomes.webhooks import add_webhook, list_deliveries, list_webhooks
from dialer.services import Application, WebhookRules
from tests.console.desk import ConsoleDesk, text

URL = "https://10.1.2.3/warnings"


@pytest.fixture
async def open_desk(console_app: Application) -> AsyncIterator[ConsoleDesk]:
    """Its settings allow messages to a network."""
    rules = WebhookRules(networks=("10.0.0.0/8",))
    desk = ConsoleDesk(replace(console_app, services=replace(console_app.services, webhooks=rules)))
    yield desk
    await desk.close()


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


async def test_what_is_wrong_is_told_beside_its_field(open_desk: ConsoleDesk):
    for form, said in (
        ({"name": "x y", "url": URL, "case_settled": "1"}, "is no name for a webhook"),
        ({"name": "x", "url": "http://10.1.2.3/", "case_settled": "1"}, "is http"),
        ({"name": "x", "url": "https://192.168.1.1/", "case_settled": "1"}, "that no setting allows"),
        ({"name": "x", "url": URL}, "one or more of case_filed, case_settled, high_missed"),
    ):
        answer = await open_desk.person(Role.ADMINISTRATOR).post("/webhooks", **form)
        assert answer.status_code == 422
        assert said in text(answer)
        assert form["name"] in html.unescape(answer.text)
        assert list_webhooks(open_desk.app.services) == []


async def test_the_secret_is_shown_once_and_stored_sealed(open_desk: ConsoleDesk):
    chief = open_desk.person(Role.ADMINISTRATOR)
    answer = await chief.post("/webhooks", name="bureau", url=URL, case_settled="1", case_filed="1")
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]{44}", html.unescape(answer.text))
    assert "whsec_" not in (await chief.get("/webhooks")).text
    [row] = open_desk.rows(t.webhook)
    assert base64.b64decode(secret.removeprefix("whsec_")) not in bytes(row["secret_sealed"])
    assert row["events"] == ["case_filed", "case_settled"]
    [entry] = open_desk.audited("webhook_add")
    assert (entry["who"], entry["facts"]["url"]) == ("administrator", URL)
    again = await chief.post("/webhooks", name="bureau", url=URL, case_settled="1")
    assert again.status_code == 409
    assert "a webhook named bureau is in use" in text(again)


async def test_the_log_shows_every_try_and_a_dead_message_is_sent_again(open_desk: ConsoleDesk):
    services = open_desk.app.services
    add_webhook(services, name="bureau", url=URL, events=["high_missed"], by="sun")
    dead = delivery(open_desk, "dead")
    chief = open_desk.person(Role.ADMINISTRATOR)
    page = await chief.get("/webhooks", state="dead")
    assert "certificate not valid" in text(page)
    assert f'action="/webhooks/deliveries/{dead}/again"' in page.text
    assert "No messages here" in text(await chief.get("/webhooks", state="delivered"))
    assert (await chief.post(f"/webhooks/deliveries/{dead}/again")).status_code == 303
    [line] = list_deliveries(services)
    assert line.state is DeliveryState.WAITING
    assert len(open_desk.audited("webhook_again")) == 1
    assert (await chief.post("/webhooks/bureau/end")).status_code == 303
    assert list_deliveries(services)[0].state is DeliveryState.DROPPED
    assert (await chief.post(f"/webhooks/deliveries/{dead}/again")).status_code == 409
    assert (await chief.post("/webhooks/bureau/end")).status_code == 404


async def test_an_administrator_of_a_unit_sees_none_of_it(console: ConsoleDesk):
    with console.app.services.store.begin() as tx:
        unit_id = add_unit(tx, name="东区", parent_id=None)
    own = console.person(Role.ADMINISTRATOR, unit_id=unit_id)
    assert (await own.get("/webhooks")).status_code == 404
    assert (await own.post("/webhooks/bureau/end")).status_code == 404
