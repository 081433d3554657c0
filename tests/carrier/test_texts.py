"""Messages at the carrier, driven by the official client: queued, sent, delivered, and an inbox."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException

from carrier.people import Behaviour, Pickup
from tests.carrier.stage import FROM, TO, DeskView, Start

BODY = "【公安局】请马上停止转账。本短信无需回复。"


async def send(bench: DeskView, to: str = TO, **order: str) -> str:
    order.setdefault("status_callback", f"{bench.app.base}/text")
    message = await bench.client.messages.create_async(to=to, from_=FROM, body=BODY, **order)
    assert message.status == "queued"
    assert message.sid is not None
    return message.sid


def statuses(bench: DeskView) -> list[str]:
    return [one.params["MessageStatus"] for one in bench.app.at("/text")]


async def test_a_message_is_delivered_told_of_and_in_the_inbox(bench: Start):
    one = await bench(Behaviour(name="anybody", share=1))
    sid = await send(one)
    await one.app.until(lambda: "delivered" in statuses(one))
    assert sorted(statuses(one)) == ["delivered", "queued", "sent"]
    assert all(heard.signed and heard.params["MessageSid"] == sid for heard in one.app.at("/text"))
    inbox = await one.admin("GET", f"inbox/{TO.lstrip('+')}")
    assert [(text["sid"], text["body"]) for text in inbox["messages"]] == [(sid, BODY)]
    fetched = await one.client.messages(sid).fetch_async()
    assert (fetched.status, fetched.to, fetched.body, fetched.error_code) == ("delivered", TO, BODY, None)


@pytest.mark.parametrize(("pickup", "code"), [(Pickup.POWERED_OFF, "30003"), (Pickup.INVALID, "30005")])
async def test_a_telephone_that_takes_none_says_why(bench: Start, pickup: Pickup, code: str):
    one = await bench(Behaviour(name="off", share=1, pickup=pickup))
    await send(one)
    await one.app.until(lambda: "undelivered" in statuses(one))
    last = next(
        heard.params for heard in one.app.at("/text") if heard.params["MessageStatus"] == "undelivered"
    )
    assert last["ErrorCode"] == code
    assert (await one.admin("GET", f"inbox/{TO.lstrip('+')}"))["messages"] == []


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"to": "12"}, 21211),
        ({"to": ""}, 21604),
        ({"from_": ""}, 21603),
        ({"from_": "bureau"}, 21212),
        ({"body": ""}, 21602),
        ({"body": "a" * 1601}, 21617),
        ({"status_callback": "ftp://x"}, 21609),
    ],
)
async def test_what_is_no_message_is_refused(bench: Start, order: dict[str, str], code: int):
    one = await bench(Behaviour(name="anybody", share=1))
    given = {"to": TO, "from_": FROM, "body": BODY} | order
    with pytest.raises(TwilioRestException) as refused:
        await one.client.messages.create_async(**given)
    assert refused.value.code == code
    assert (await one.admin("GET", "messages"))["messages"] == 0


async def test_a_number_that_is_refused_for_calls_is_for_messages(bench: Start):
    one = await bench(Behaviour(name="refused", share=1, pickup=Pickup.REFUSED_AT_CREATION))
    with pytest.raises(TwilioRestException) as refused:
        await one.client.messages.create_async(to=TO, from_=FROM, body=BODY)
    assert refused.value.code == 21211


async def test_messages_are_listed_by_number_newest_first_over_pages(bench: Start):
    one = await bench(Behaviour(name="anybody", share=1))
    sids = [await send(one) for _ in range(5)]
    await send(one, to="+8613800138001")
    found = await one.client.messages.list_async(to=TO, page_size=2)
    assert [message.sid for message in found] == sids[::-1]
    assert all(message.date_created is not None for message in found)


async def test_one_that_is_not_there_is_not_found(bench: Start):
    one = await bench(Behaviour(name="anybody", share=1))
    with pytest.raises(TwilioRestException) as missing:
        await one.client.messages("SM" + "0" * 32).fetch_async()
    assert missing.value.status == 404


async def test_a_cut_answer_leaves_one_message_and_a_fault_before_none(bench: Start):
    one = await bench(Behaviour(name="anybody", share=1))
    await one.admin("PUT", "faults", {"message_accept_then_cut": {"count": 1}})
    with pytest.raises(Exception):  # noqa: B017, PT011  # whatever the client's HTTP library calls it
        await one.client.messages.create_async(to=TO, from_=FROM, body=BODY)
    await one.admin("PUT", "faults", {"message_error_before": {"count": 1}})
    with pytest.raises(TwilioRestException) as failed:
        await one.client.messages.create_async(to=TO, from_=FROM, body=BODY)
    assert failed.value.status == 500
    assert (await one.admin("GET", "messages"))["messages"] == 1


async def test_the_count_of_messages_wants_the_operator_s_token(bench: Start):
    one = await bench(Behaviour(name="anybody", share=1))
    for path in ("messages", "inbox/8613800138000"):
        async with one.session.get(f"{one.carrier.base_url}/admin/{path}") as answer:
            assert answer.status == 401


@pytest.mark.parametrize(
    ("body", "segments"), [("a", "1"), ("a" * 153, "1"), ("a" * 154, "2"), ("止" * 67, "1"), ("止" * 68, "2")]
)
async def test_a_message_has_as_many_segments_as_its_alphabet_needs(bench: Start, body: str, segments: str):
    one = await bench(Behaviour(name="anybody", share=1))
    message = await one.client.messages.create_async(to=TO, from_=FROM, body=body)
    assert message.num_segments == segments


async def test_a_message_that_is_sent_twice_is_counted(bench: Start):
    one = await bench(Behaviour(name="anybody", share=1))
    assert (await one.admin("GET", "messages"))["max_per_callback"] == 0
    for number, body in ((TO, "a"), (TO, "b"), ("+8613900000000", "a")):
        await one.client.messages.create_async(to=number, from_=FROM, body=body)
    assert (await one.admin("GET", "messages"))["max_per_callback"] == 1
    await one.client.messages.create_async(to=TO, from_=FROM, body="a")
    told = await one.admin("GET", "messages")
    assert (told["max_per_callback"], told["messages"]) == (2, 4)


async def test_messages_are_listed_by_their_numbers_and_not_by_day(bench: Start):
    one = await bench(Behaviour(name="anybody", share=1))
    sids = [await send(one, number) for number in (TO, "+8613900000000", TO)]
    found = await one.client.messages.list_async(to=TO)
    assert [text.sid for text in found] == [sids[2], sids[0]]
    assert len(await one.client.messages.list_async(from_=FROM)) == 3
    assert await one.client.messages.list_async(from_="+8610000000") == []
    with pytest.raises(TwilioException, match="20001"):
        await one.client.messages.list_async(date_sent=datetime(2026, 11, 1, tzinfo=UTC))


async def test_a_status_callback_that_is_not_taken_is_counted(bench: Start):
    one = await bench(Behaviour(name="anybody", share=1))
    one.app.statuses["/text"] = [500, 200, 404]
    await send(one)
    await one.app.until(lambda: len(one.app.at("/text")) == 3)
    while (await one.admin("GET", "messages"))["failed_webhooks"] != 2:  # noqa: ASYNC110 - another task's count
        await asyncio.sleep(0.01)
