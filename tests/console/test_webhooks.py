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

from dialer.core.access import Role, unrestricted
from dialer.core.values import DeliveryState, WebhookEvent
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.runtime.sections import WebhooksSettings
from dialer.runtime.services import Application
from dialer.webhooks.actions import add_webhook, list_deliveries, list_webhooks
from tests.console.desk import ConsoleDesk, text

URL = "https://10.1.2.3/warnings"


@pytest.fixture
async def open_desk(console_app: Application) -> AsyncIterator[ConsoleDesk]:
    """Its settings allow messages to a network."""
    rules = WebhooksSettings(networks=("10.0.0.0/8",))
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
        ({"name": "x y", "url": URL, "case_settled": "1"}, "is not a valid name for a webhook"),
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
    add_webhook(services, unrestricted("sun"), name="bureau", url=URL, events=["high_missed"])
    dead = delivery(open_desk, "given_up")
    chief = open_desk.person(Role.ADMINISTRATOR)
    page = await chief.get("/webhooks", state="given_up")
    assert "certificate not valid" in text(page)
    assert f'action="/webhooks/deliveries/{dead}/again"' in page.text
    assert "No deliveries here" in text(await chief.get("/webhooks", state="delivered"))
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
    assert (await own.post("/webhooks/deliveries/1/again")).status_code == 404


async def test_an_administrator_of_a_unit_needs_no_record(open_desk: ConsoleDesk):
    services = open_desk.app.services
    with services.store.begin() as tx:
        unit_id = add_unit(tx, name="东区", parent_id=None)
    own = open_desk.person(Role.ADMINISTRATOR, unit_id=unit_id)
    add_webhook(services, unrestricted("sun"), name="bureau", url=URL, events=["high_missed"])
    dead = delivery(open_desk, "given_up")
    form = {"name": "other", "url": URL, "case_settled": "1"}
    for path, fields in (
        ("/webhooks", form),
        ("/webhooks/bureau/end", {}),
        ("/webhooks/bureau/again", {}),
        (f"/webhooks/deliveries/{dead}/again", {}),
    ):
        assert (await own.post(path, **fields)).status_code == 404
    assert [webhook.name for webhook in list_webhooks(services)] == ["bureau"]
    assert [one.state for one in list_deliveries(services)] == [DeliveryState.GIVEN_UP]


async def test_all_that_was_given_up_is_sent_again(open_desk: ConsoleDesk):
    services = open_desk.app.services
    add_webhook(services, unrestricted("sun"), name="bureau", url=URL, events=["high_missed"])
    for _ in range(2):
        delivery(open_desk, "given_up")
    chief = open_desk.person(Role.ADMINISTRATOR)
    assert 'action="/webhooks/bureau/again"' in (await chief.get("/webhooks")).text
    assert (await chief.post("/webhooks/bureau/again")).status_code == 303
    assert "The deliveries are sent again." in text(await chief.get("/webhooks"))
    assert {one.state for one in list_deliveries(services)} == {DeliveryState.WAITING}
    [line] = open_desk.audited("webhook_again")
    assert (line["who"], line["facts"]) == ("administrator", {"name": "bureau", "count": 2})
    assert (await chief.post("/webhooks/nobody/again")).status_code == 404
    for number in (0, 2**63):
        assert (await chief.post(f"/webhooks/deliveries/{number}/again")).status_code == 422


async def test_the_log_has_fifty_messages_a_page_and_is_narrowed(open_desk: ConsoleDesk):
    services = open_desk.app.services
    chief = open_desk.person(Role.ADMINISTRATOR)
    add_webhook(services, unrestricted("sun"), name="other", url=URL, events=["case_filed"])
    delivery(open_desk, "delivered")
    add_webhook(services, unrestricted("sun"), name="bureau", url=URL, events=["high_missed"])
    ids = [delivery(open_desk, "given_up") for _ in range(50)]

    async def shown(**query: str | int) -> tuple[int, list[str]]:
        page = await chief.get("/webhooks", **query)
        return page.text.count('id="delivery-'), re.findall(r'href="(/webhooks[^"]*before=[^"]*)"', page.text)

    assert await shown() == (50, [f"/webhooks?before={ids[0]}"])
    assert await shown(before=ids[0]) == (1, [])
    assert await shown(before=1) == (0, [])
    assert await shown(name="bureau") == (50, []), "nothing older follows"
    assert await shown(name="other") == (1, [])
    assert await shown(state="delivered") == (1, [])
    assert await shown(state="dead") == await shown(state="given_up"), "the word of before"
    delivery(open_desk, "given_up")
    assert await shown(name="bureau", state="given_up") == (
        50,
        [f"/webhooks?before={ids[1]}&amp;state=given_up&amp;name=bureau"],
    )
    page = text(await chief.get("/webhooks", name="bureau"))
    assert "Deliveries to bureau" in page
    assert "1/12" in page, "a try of those that the settings allow"


async def test_what_was_typed_and_ticked_stays_beside_what_is_wrong(open_desk: ConsoleDesk):
    chief = open_desk.person(Role.ADMINISTRATOR)
    form = {"name": "x", "url": "http://10.1.2.3/", "high_missed": "1", "case_filed": "1"}
    answer = await chief.post("/webhooks", **form)
    assert 'value="http://10.1.2.3/"' in answer.text
    ticked = re.findall(r'<input[^>]*name="(case_settled|high_missed|case_filed)"[^>]*checked', answer.text)
    assert sorted(ticked) == ["case_filed", "high_missed"]
    named = await chief.post("/webhooks", name=" bureau ", url=URL, high_missed="1")
    assert named.status_code == 200
    assert [(webhook.name, webhook.events) for webhook in list_webhooks(open_desk.app.services)] == [
        ("bureau", (WebhookEvent.HIGH_MISSED,))
    ]
    taken = await chief.post("/webhooks", name="bureau", url=URL, case_filed="1")
    assert (taken.status_code, f'value="{URL}"' in taken.text) == (409, True)
    end = await chief.post("/webhooks/bureau/end")
    assert (end.status_code, end.headers["location"]) == (303, "/webhooks")
    assert "it is told nothing more" in text(await chief.get("/webhooks"))
    assert open_desk.audited("webhook_end")[0]["who"] == "administrator"
    for path in (f"/webhooks/{'x' * 65}/end", f"/webhooks/{'x' * 65}/again"):
        assert (await chief.post(path)).status_code in {404, 422}
