"""The unmodified official client against the carrier: what it sends is understood, what it gets it
understands.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession, encode_basic_auth
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from carrier.lines import Cause
from tests.carrier.stage import ACCOUNT, FROM, TO, TOKEN, App, DeskView, Start


class Blocking(TwilioHttpClient):
    """The official blocking client, told another scheme and host."""

    base = ""

    def request(self, method: str, url: str, *args: object, **kwargs: object):
        parts = urlsplit(url)
        moved = f"{self.base}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        return super().request(method, moved, *args, **kwargs)  # type: ignore[arg-type]


async def test_the_blocking_client_creates_fetches_lists_and_ends(hands: DeskView):
    hands.phones.phone(TO)
    http = Blocking(timeout=10.0)
    http.base = hands.carrier.base_url
    client = Client(ACCOUNT, TOKEN, http_client=http)

    def use() -> tuple[str, str, list[str], str]:
        made = client.calls.create(
            to=TO, from_=FROM, twiml="<Response/>", status_callback_event=["initiated", "completed"]
        )
        assert made.sid
        fetched = client.calls(made.sid).fetch()
        listed = [str(one.sid) for one in client.calls.list(to=TO)]
        ended = client.calls(made.sid).update(status="canceled")
        http.session.close()
        return made.sid, str(fetched.sid), listed, str(ended.status)

    sid, fetched, listed, status = await asyncio.to_thread(use)
    assert (fetched, listed, status) == (sid, [sid], "canceled")


async def test_times_are_read_by_the_client_as_aware_utc(hands: DeskView):
    call = await hands.client.calls(await hands.call()).fetch_async()
    assert call.date_created is not None
    assert abs(datetime.now(UTC) - call.date_created) < timedelta(seconds=5)


async def test_every_call_is_listed_once_however_small_the_pages(hands: DeskView):
    made = [await hands.call(f"+86138001380{n:02d}") for n in range(7)]
    for size in (1, 2, 3, 7, 50):
        listed = [one.sid async for one in await hands.client.calls.stream_async(page_size=size)]
        assert listed == made[::-1]


async def test_calls_made_while_paging_neither_repeat_nor_skip_one(hands: DeskView):
    made = [await hands.call(f"+86138001380{n:02d}") for n in range(4)]
    page = await hands.client.calls.page_async(page_size=2)
    seen = [one.sid for one in page]
    await hands.call("+8613800138099")
    following = await page.next_page_async()
    assert following is not None
    seen += [one.sid for one in following]
    assert seen == made[::-1]


async def test_filters_pick_by_number_state_and_utc_day(hands: DeskView):
    phone = hands.phones.phone(TO)
    mine = await hands.call(TO)
    await hands.call("+8613900139000")
    await phone.rings()
    calls = hands.client.calls
    today = datetime.now(UTC)
    assert [one.sid for one in await calls.list_async(to=TO)] == [mine]
    assert [one.sid for one in await calls.list_async(status="ringing")] == [mine]
    assert len(await calls.list_async(from_=FROM)) == 2
    assert len(await calls.list_async(start_time=today)) == 2
    assert await calls.list_async(start_time_before=today) == []
    assert len(await calls.list_async(start_time_after=today)) == 2
    assert await calls.list_async(start_time_after=today + timedelta(days=1)) == []
    assert await calls.list_async(to=TO, status="completed") == []


async def test_a_queued_call_has_no_start_time_and_no_day(bench: Start):
    one = await bench(calls_per_second=0.01)
    await one.call(TO)
    waiting = await one.client.calls(await one.call("+8613900139000")).fetch_async()
    assert (waiting.status, waiting.start_time) == ("queued", None)
    listed = await one.client.calls.list_async(start_time=datetime.now(UTC))
    assert waiting.sid not in [call.sid for call in listed]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"to": "12345"}, 21211),
        ({"to": "+86 138"}, 21211),
        ({"to": ""}, 21201),
        ({"from_": "abc"}, 21212),
        ({"from_": ""}, 21213),
        ({"url": "ftp://x/y"}, 21205),
        ({"url": "not a url"}, 21205),
        ({"url": ""}, 21205),
        ({"url": "", "twiml": "<Response><Say>x</Response>"}, 12100),
        ({"url": "", "twiml": "<Response>" + " " * 4000 + "</Response>"}, 21205),
        ({"status_callback": "x"}, 21609),
        ({"status_callback_event": ["ringed"]}, 21626),
        ({"method": "PUT"}, 21206),
        ({"machine_detection": "Maybe"}, 20001),
        ({"timeout": "soon"}, 20001),
    ],
)
async def test_a_wrong_order_is_refused_by_its_code(hands: DeskView, change: dict[str, object], code: int):
    values: dict[str, object] = {"to": TO, "from_": FROM, "url": "http://127.0.0.1:9/x", **change}
    with pytest.raises(TwilioRestException) as refused:
        await hands.client.calls.create_async(**values)  # type: ignore[arg-type]
    assert (refused.value.status, refused.value.code) == (400, code)
    assert str(values["to"]) not in str(refused.value.msg) or not values["to"]
    assert (await hands.admin("GET", "rings"))["calls"] == 0


async def test_an_unknown_call_and_a_wrong_password_are_told_apart(hands: DeskView):
    with pytest.raises(TwilioRestException) as missing:
        await hands.client.calls("CA" + "0" * 32).fetch_async()
    assert (missing.value.status, missing.value.code) == (404, 20404)
    hands.client.auth = (ACCOUNT, "wrong")
    with pytest.raises(TwilioRestException) as denied:
        await hands.client.calls("CA" + "0" * 32).fetch_async()
    assert (denied.value.status, denied.value.code) == (401, 20003)


async def test_an_unreadable_filter_is_refused_not_ignored(hands: DeskView):
    with pytest.raises(TwilioException, match="20001"):
        await hands.client.calls.list_async(start_time="yesterday")  # type: ignore[arg-type]


async def test_cancel_acts_on_queued_and_ringing_calls_only(hands: DeskView, app: App):
    phone = hands.phones.phone(TO)
    sid = await hands.call(url="", twiml="<Response><Pause length='500'/></Response>")
    ringing = await phone.rings()
    ringing.answer()
    talking = await hands.client.calls(sid).update_async(status="canceled")
    assert talking.status == "in-progress"
    ended = await hands.client.calls(sid).update_async(status="completed")
    assert ended.status == "completed"
    await ringing.end()
    again = await hands.client.calls(sid).update_async(status="canceled")
    assert again.status == "completed"
    await app.until(lambda: len(app.at("/status")) == 4)
    assert app.statuses_of(sid)[-1] == "completed"


async def test_a_ringing_call_is_cancelled_and_stops_ringing(hands: DeskView, app: App):
    phone = hands.phones.phone(TO)
    sid = await hands.call()
    ringing = await phone.rings()
    assert (await hands.client.calls(sid).update_async(status="canceled")).status == "canceled"
    await ringing.end()
    last = await app.final(sid)
    assert (last["CallStatus"], last["SipResponseCode"]) == ("canceled", "487")


async def test_a_live_call_goes_on_with_another_document(hands: DeskView, app: App):
    app.documents["/start"] = "<Response><Pause length='5000'/></Response>"
    app.documents["/other"] = "<Response><Hangup/></Response>"
    phone = hands.phones.phone(TO)
    sid = await hands.call()
    with pytest.raises(TwilioRestException) as early:
        await hands.client.calls(sid).update_async(url=f"{app.base}/other")
    assert early.value.code == 21220
    (await phone.rings()).answer()
    await hands.client.calls(sid).update_async(url=f"{app.base}/other")
    assert (await app.final(sid))["CallStatus"] == "completed"
    assert len(app.at("/other")) == 1


async def test_a_live_record_cannot_be_deleted(hands: DeskView):
    hands.phones.phone(TO)
    sid = await hands.call()
    with pytest.raises(TwilioRestException) as refused:
        await hands.client.calls(sid).delete_async()
    assert refused.value.code == 20409


async def test_the_account_answers_for_its_credentials(hands: DeskView):
    account = await hands.client.api.accounts(ACCOUNT).fetch_async()
    assert account.status == "active"


async def test_another_account_is_not_found(hands: DeskView):
    async with (
        ClientSession() as session,
        session.get(
            f"{hands.carrier.base_url}/2010-04-01/Accounts/AC{'9' * 32}/Calls.json",
            headers={"Authorization": encode_basic_auth(ACCOUNT, TOKEN)},
        ) as answer,
    ):
        assert answer.status == 404
        assert (await answer.json())["code"] == 20404


async def test_a_call_that_is_over_is_deleted_without_a_body(hands: DeskView, app: App):
    phone = hands.phones.phone(TO)
    sid = await hands.call()
    (await phone.rings()).hang_up_phone(Cause.BUSY)
    await app.final(sid)
    url = f"{hands.carrier.base_url}/2010-04-01/Accounts/{ACCOUNT}/Calls/{sid}.json"
    authorization = {"Authorization": encode_basic_auth(ACCOUNT, TOKEN)}
    async with hands.session.delete(url, headers=authorization) as answer:
        assert (answer.status, await answer.read()) == (204, b"")
    async with hands.session.get(url, headers=authorization) as answer:
        assert answer.status == 404


@pytest.mark.parametrize("given", [{}, {"Authorization": encode_basic_auth(ACCOUNT, "wrong")}])
async def test_who_is_not_the_account_is_asked_for_credentials(hands: DeskView, given: dict[str, str]):
    url = f"{hands.carrier.base_url}/2010-04-01/Accounts/{ACCOUNT}.json"
    async with hands.session.get(url, headers=given) as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="Twilio API"'
        assert "Retry-After" not in answer.headers
