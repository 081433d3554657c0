"""Web Push, against a push service of our own on the loopback."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec

from dialer.core.errors import Invalid, NotFound
from dialer.core.notifications import NotificationChannel
from dialer.db import tables as t
from dialer.notifications.actions import send_test
from dialer.notifications.browsers import (
    add_browser,
    is_push_address,
    own_browsers,
    push_key,
    remove_browser,
)
from dialer.notifications.encryption import (
    MOST_BYTES,
    Browser,
    decoded,
    encoded,
    encrypt,
    proof,
    public_point,
    sender_key,
)
from dialer.notifications.sending import push_session, push_to_browsers, wait_of
from dialer.runtime.sections import PushSettings
from tests.notifications.conftest import Station
from tests.notifications.push_service import PushService, TestBrowser, claims_of

C = NotificationChannel
NOON = datetime(2026, 11, 25, 4, tzinfo=UTC)
MAKERS = PushSettings(services=("push.example",))
HERE = PushSettings(services=("127.0.0.1",), contact="mailto:duty@police.example")


@pytest.fixture
def pushing(station: Station) -> Station:
    station.services = replace(station.services, push=HERE)
    return station


def subscribe(station: Station, address: str, name: str = "ann", member: Any = None) -> TestBrowser:  # noqa: ANN401
    browser, member = TestBrowser(), member or station.ann
    endpoint = f"{address}/push/{name}"
    add_browser(station.services, member.actor, member.id, endpoint=endpoint, **browser.form)
    return browser


async def push(station: Station) -> int:
    async with push_session(station.services.push) as session:
        return await push_to_browsers(station.services, session)


def test_the_example_of_the_standard_is_encrypted_as_it_says():
    """RFC 8291, appendix A."""
    private = int.from_bytes(decoded("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
    browser = Browser(
        endpoint="",
        public=decoded(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        secret=decoded("BTBZMqHH6r4Tts7J_aSIgg"),
    )
    body = encrypt(
        b"When I grow up, I want to be a watermelon",
        browser,
        once=ec.derive_private_key(private, ec.SECP256R1()),
        salt=decoded("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert encoded(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK"
        "6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    with pytest.raises(ValueError, match="too long"):
        encrypt(bytes(MOST_BYTES + 1), browser, once=ec.generate_private_key(ec.SECP256R1()), salt=bytes(16))


def test_the_proof_is_for_the_host_of_the_address_and_half_a_day():
    key = sender_key(b"s" * 64)
    with_contact = proof(key, "https://push.example:8443/x/y", contact="mailto:a@b.example", real_now=NOON)
    claims, sender = claims_of(with_contact)
    assert claims == {
        "aud": "https://push.example:8443",
        "exp": int((NOON + timedelta(hours=12)).timestamp()),
        "sub": "mailto:a@b.example",
    }
    assert sender == encoded(public_point(key)) == encoded(public_point(sender_key(b"s" * 64)))
    assert sender != encoded(public_point(sender_key(b"t" * 64)))
    assert "sub" not in claims_of(proof(key, "https://push.example/x", contact="", real_now=NOON))[0]


@pytest.mark.parametrize(
    ("endpoint", "is_good"),
    [
        ("https://push.example/x", True),
        ("https://eu.push.example/x", True),
        ("https://otherpush.example/x", False),
        ("https://push.example.evil.example/x", False),
        ("http://push.example/x", False),
        ("https://user@push.example/x", False),
        ("https://push.example/x#y", False),
        ("https://push.example:0/x", False),
        ("https://push.example:x/", False),
        ("https://10.0.0.1/x", False),
        ("https://push.example/" + "x" * 1000, False),
        ("https://push.example/\n", False),
        ("", False),
    ],
)
def test_messages_go_to_the_push_services_of_the_settings_alone(endpoint: str, is_good: bool):
    assert is_push_address(endpoint, MAKERS) is is_good
    assert not is_push_address(endpoint, PushSettings())


async def test_a_browser_is_told_what_no_person_is_named_in(pushing: Station):
    async with PushService() as service:
        browser = subscribe(pushing, service.address)
        pushing.told()
        assert await push(pushing) == 1
        assert await push(pushing) == 0
        address = service.address
    [(name, headers, body)] = service.had
    assert name == "ann"
    assert (headers["Content-Encoding"], headers["TTL"], headers["Urgency"]) == ("aes128gcm", "600", "high")
    claims, sender = claims_of(headers["Authorization"])
    real = int(pushing.services.real.now().timestamp())
    assert (claims["aud"], claims["sub"]) == (address, "mailto:duty@police.example")
    assert real < claims["exp"] <= real + 86400
    assert sender == push_key(pushing.services)
    shown = browser.read(body)
    [row] = [row for row in pushing.rows(pushing.ann) if row["channel"] == "push"]
    assert row["state"] == "sent"
    assert (shown["id"], shown["to"]) == (str(row["id"]), "/visits")
    assert "1条任务待签收，其中特高危1条" in shown["text"]
    assert shown["title"] == "预警劝阻"


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_its_push_service_has_forgotten_is_removed(pushing: Station, status: int):
    async with PushService(status=status) as service:
        subscribe(pushing, service.address)
        case_id = pushing.told()
        assert await push(pushing) == 0
    assert own_browsers(pushing.services, pushing.ann.id) == []
    [row] = [row for row in pushing.rows(pushing.ann) if row["channel"] == "push"]
    assert (row["state"], row["fault"]) == ("failed", "refused")
    following = {row["channel"]: row["due_at"] for row in pushing.rows(pushing.ann)}
    assert following["sms"] <= pushing.services.clock.now() + timedelta(minutes=2)
    assert [act["facts"]["by_channel"] for act in pushing.acts(case_id, "not_notified")] == ["push"]


async def test_one_browser_that_takes_it_is_enough(pushing: Station):
    async with PushService(status=410) as gone, PushService() as service:
        subscribe(pushing, gone.address, "office")
        subscribe(pushing, service.address, "phone")
        pushing.told()
        assert await push(pushing) == 1
    assert len(own_browsers(pushing.services, pushing.ann.id)) == 1
    assert pushing.states(pushing.ann)["push"] == "sent"


async def test_a_push_service_that_is_too_busy_is_asked_again_when_it_said(pushing: Station):
    async with PushService(status=429, headers={"Retry-After": "90"}) as service:
        subscribe(pushing, service.address)
        send_test(pushing.services, pushing.ann.actor, pushing.ann.id)
        assert await push(pushing) == 0
        [own] = own_browsers(pushing.services, pushing.ann.id)
        assert own.wait_until == pushing.services.real.now() + timedelta(seconds=90)
        service.status = 201
        pushing.later(seconds=89)
        send_test(pushing.services, pushing.ann.actor, pushing.ann.id)
        assert await push(pushing) == 0
        assert len(service.had) == 1
        pushing.later(seconds=1)
        send_test(pushing.services, pushing.ann.actor, pushing.ann.id)
        assert await push(pushing) == 1
    assert len(service.had) == 2


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("99999999999999", 3600),
        ("Wed, 25 Nov 2026 04:00:30 GMT", 30),
        ("Wed, 25 Nov 2026 03:00:00 GMT", 0),
        ("Wed, 25 Nov 2027 03:00:00 GMT", 3600),
        ("", 60),
        ("soon", 60),
        ("-5", 60),
    ],
)
def test_how_long_a_push_service_wants_us_to_wait(text: str, seconds: int):
    assert wait_of(text, NOON) == timedelta(seconds=seconds)


async def test_a_push_service_that_is_not_reached_has_failed_and_when_all_have_an_alarm_is_raised(
    pushing: Station,
):
    subscribe(pushing, "http://127.0.0.1:9")
    pushing.load({"Ann": "值"})
    pushing.set_rules(pushing.ann, minutes={C.PUSH: "0"})
    pushing.told()
    assert not pushing.alarms()
    assert await push(pushing) == 0
    [row] = pushing.rows(pushing.ann)
    assert (row["state"], row["fault"]) == ("failed", "uncertain")
    assert len(pushing.alarms()) == 1
    assert own_browsers(pushing.services, pushing.ann.id)


async def test_what_the_settings_no_longer_allow_is_not_asked(pushing: Station):
    async with PushService() as service:
        subscribe(pushing, service.address)
        pushing.told()
        pushing.services = replace(pushing.services, push=MAKERS)
        assert await push(pushing) == 0
    assert not service.had
    assert pushing.states(pushing.ann)["push"] == "failed"


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"endpoint": "https://elsewhere.example/x"}, "belongs to no push service"),
        ({"public": ""}, "has no valid keys"),
        ({"public": "BA" + "A" * 85}, "has no valid keys"),
        ({"public": "!"}, "has no valid keys"),
        ({"secret": "AAAA"}, "has no valid keys"),
        ({"secret": "ä"}, "has no valid keys"),
    ],
)
def test_a_browser_that_cannot_be_told_is_refused(pushing: Station, changed: dict[str, str], problem: str):
    form = {"endpoint": "http://127.0.0.1:9/push/x", **TestBrowser().form, **changed}
    with pytest.raises(Invalid, match=problem):
        add_browser(pushing.services, pushing.ann.actor, pushing.ann.id, **form)
    assert own_browsers(pushing.services, pushing.ann.id) == []


def test_a_browser_belongs_to_who_added_it_last_and_only_they_remove_it(pushing: Station):
    subscribe(pushing, "http://127.0.0.1:9", "one")
    before = pushing.bureau.rows(sa.select(t.notification_rules.c.push_seconds))
    assert before == [{"push_seconds": 0}]
    pushing.set_rules(pushing.ann, minutes={C.PUSH: "7", C.SMS: "2"})
    [own] = own_browsers(pushing.services, pushing.ann.id)
    with pytest.raises(NotFound):
        remove_browser(pushing.services, pushing.ben.actor, pushing.ben.id, own.id)
    subscribe(pushing, "http://127.0.0.1:9", "two")
    assert {"push_seconds": 420} in pushing.bureau.rows(sa.select(t.notification_rules.c.push_seconds))
    subscribe(pushing, "http://127.0.0.1:9", "one", pushing.ben)
    [moved] = own_browsers(pushing.services, pushing.ben.id)
    assert moved.id == own.id
    assert len(own_browsers(pushing.services, pushing.ann.id)) == 1
    remove_browser(pushing.services, pushing.ben.actor, pushing.ben.id, own.id)
    assert own_browsers(pushing.services, pushing.ben.id) == []


def test_the_eleventh_browser_takes_the_place_of_the_oldest(pushing: Station):
    for number in range(11):
        subscribe(pushing, "http://127.0.0.1:9", str(number))
        pushing.later(seconds=1)
    kept = [own.browser.endpoint.rsplit("/", 1)[1] for own in own_browsers(pushing.services, pushing.ann.id)]
    assert kept == [str(number) for number in range(1, 11)]


def test_where_web_push_is_off_there_is_no_key(station: Station):
    assert push_key(station.services) == ""
