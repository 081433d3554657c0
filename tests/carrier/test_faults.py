"""Each fault, switched on while the carrier runs, does what it says and is used up as it says."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException

from carrier.faults import BadFault, FaultRule, Faults, InjectedFault, read_faults
from carrier.people import Behaviour
from tests.carrier.stage import HANGUP, TO, App, DeskView, Start

QUICK = Behaviour(
    name="quick", share=1, ring_after_seconds=(1, 1), answer_after_seconds=(1, 1), key_after_seconds=(1, 1)
)
ALL = ["initiated", "ringing", "in-progress", "completed"]


@pytest.fixture
async def one(bench: Start, app: App) -> DeskView:
    app.documents["/start"] = HANGUP
    return await bench(QUICK)


async def test_an_error_before_accepting_leaves_no_call(one: DeskView):
    await one.admin("PUT", "faults", {"error_before": {"count": 1}})
    with pytest.raises(TwilioRestException) as failed:
        await one.call()
    assert failed.value.status == 500
    assert (await one.admin("GET", "rings"))["calls"] == 0
    await one.call()


async def test_an_error_after_accepting_hides_a_call_that_is_found_by_listing(one: DeskView, app: App):
    await one.admin("PUT", "faults", {"accept_then_error": {"count": 1}})
    with pytest.raises(TwilioRestException):
        await one.call()
    listed = await one.client.calls.list_async(to=TO)
    assert len(listed) == 1
    assert (await app.final(str(listed[0].sid)))["CallStatus"] == "completed"
    assert (await one.admin("GET", "rings"))["rings"] == 1


async def test_a_timeout_after_accepting_cuts_the_connection(one: DeskView, app: App):
    await one.admin("PUT", "faults", {"accept_then_timeout": {"count": 1, "seconds": 0.05}})
    with pytest.raises(aiohttp.ClientError):
        await one.call()
    listed = await one.client.calls.list_async(to=TO)
    assert (await app.final(str(listed[0].sid)))["CallStatus"] == "completed"


async def test_a_refused_connection_leaves_no_call(one: DeskView):
    await one.admin("PUT", "faults", {"refuse_connection": {"count": 1}})
    with pytest.raises(aiohttp.ClientError):
        await one.call()
    assert (await one.admin("GET", "rings"))["calls"] == 0


@pytest.mark.parametrize(("seconds", "header"), [(None, None), (7, "7")])
async def test_too_many_requests_with_and_without_retry_after(
    one: DeskView, seconds: int | None, header: str | None
):
    await one.admin("PUT", "faults", {"too_many": {"count": 1, "seconds": seconds}})
    with pytest.raises(TwilioRestException) as refused:
        await one.call()
    assert (refused.value.status, refused.value.code) == (429, 20429)
    last = one.client.http_client._test_only_last_response  # type: ignore[attr-defined]
    assert last.headers.get("Retry-After") == header
    assert (await one.admin("GET", "rings"))["calls"] == 0


@pytest.mark.parametrize("code", [21211, 21214, 21215, 13224])
async def test_a_number_can_be_rejected_by_any_code(one: DeskView, code: int):
    await one.admin("PUT", "faults", {"reject_number": {"only": [TO], "code": code}})
    with pytest.raises(TwilioRestException) as refused:
        await one.call()
    assert refused.value.code == code
    await one.call("+8613900139000")


async def test_every_webhook_can_be_doubled(one: DeskView, app: App):
    await one.admin("PUT", "faults", {"webhook_double": {"probability": 1}})
    sid = await one.call()
    await app.until(lambda: len(app.at("/status")) == 8)
    assert app.statuses_of(sid) == [status for status in ALL for _ in range(2)]


async def test_a_webhook_can_be_dropped_by_its_event(one: DeskView, app: App):
    await one.admin("PUT", "faults", {"webhook_drop": {"only": ["ringing"]}})
    sid = await one.call()
    await app.final(sid)
    await app.until(lambda: len(app.at("/status")) == 3)
    assert app.statuses_of(sid) == ["initiated", "in-progress", "completed"]
    assert [one.params["SequenceNumber"] for one in app.at("/status")].count("1") == 0


async def test_the_last_webhook_can_be_kept_back_for_ever(one: DeskView, app: App):
    await one.admin("PUT", "faults", {"last_webhook_drop": {}})
    sid = await one.call()
    call = one.client.calls(sid)
    async with asyncio.timeout(10):
        while (await call.fetch_async()).status != "completed":  # noqa: ASYNC110 - no webhook will tell
            await asyncio.sleep(0.005)
    assert "completed" not in app.statuses_of(sid)


async def test_a_reordered_webhook_comes_after_the_next(one: DeskView, app: App):
    await one.admin("PUT", "faults", {"webhook_reorder": {"only": ["ringing"]}})
    await one.call()
    await app.until(lambda: len(app.at("/status")) == 4)
    order = [heard.params["CallStatus"] for heard in app.at("/status")]
    assert order.index("ringing") > order.index("in-progress")


async def test_a_delayed_webhook_still_says_when_it_happened(one: DeskView, app: App):
    await one.admin("PUT", "faults", {"webhook_delay": {"only": ["initiated"], "seconds": 0.5}})
    sid = await one.call()
    await app.until(lambda: len(app.at("/status")) == 4)
    assert app.at("/status")[-1].params["CallStatus"] == "initiated"
    assert app.statuses_of(sid)[0] == "initiated"


async def test_a_skipped_document_goes_to_the_fallback(one: DeskView, app: App):
    app.documents["/safe"] = HANGUP
    await one.admin("PUT", "faults", {"twiml_skip": {"count": 1}})
    await app.final(await one.call(fallback_url=f"{app.base}/safe"))
    assert app.at("/start") == []
    assert app.at("/safe")[0].params["ErrorCode"] == "11205"


async def test_a_phone_can_be_answered_at_the_instant_of_the_cancel(hands: DeskView, app: App):
    app.documents["/start"] = "<Response><Pause length='5000'/></Response>"
    phone = hands.phones.phone(TO)
    await hands.admin("PUT", "faults", {"answer_on_cancel": {"count": 1}})
    sid = await hands.call()
    await phone.rings()
    assert (await hands.client.calls(sid).update_async(status="canceled")).status == "in-progress"
    assert (await hands.client.calls(sid).update_async(status="completed")).status == "completed"


async def test_listing_can_fail_or_be_cut_off(one: DeskView):
    sid = await one.call()
    await one.admin("PUT", "faults", {"rest_error": {"count": 1}})
    with pytest.raises(TwilioRestException):
        await one.client.calls(sid).fetch_async()
    # Two: the client's library tries a GET once more by itself.
    await one.admin("PUT", "faults", {"rest_refuse": {"count": 2}})
    with pytest.raises(aiohttp.ClientError):
        await one.client.calls(sid).fetch_async()
    assert (await one.client.calls(sid).fetch_async()).sid == sid


async def test_faults_are_shown_and_switched_off(one: DeskView):
    shown = await one.admin("PUT", "faults", {"webhook_drop": {"probability": 0.5}, "too_many": {"count": 3}})
    assert set(shown["set"]) == {"webhook_drop", "too_many"}
    assert set((await one.admin("PUT", "faults", {"too_many": None}))["set"]) == {"webhook_drop"}
    assert (await one.admin("DELETE", "faults"))["set"] == {}


def draws(seed: str, n: int = 200) -> list[bool]:
    faults = Faults(seed)
    faults.set(InjectedFault.WEBHOOK_DROP, FaultRule(probability=0.3))
    return [faults.strikes(InjectedFault.WEBHOOK_DROP) is not None for _ in range(n)]


def test_the_same_seed_gives_the_same_schedule():
    assert draws("1") == draws("1")
    assert draws("1") != draws("2")
    assert 30 < sum(draws("1")) < 90


def test_one_faults_schedule_does_not_shift_anothers():
    alone, beside = Faults("1"), Faults("1")
    for faults in (alone, beside):
        faults.set(InjectedFault.WEBHOOK_DROP, FaultRule(probability=0.5))
    beside.set(InjectedFault.WEBHOOK_DOUBLE, FaultRule(probability=0.5))
    seen: list[list[bool]] = [[], []]
    for _ in range(100):
        seen[0].append(alone.strikes(InjectedFault.WEBHOOK_DROP) is not None)
        beside.strikes(InjectedFault.WEBHOOK_DOUBLE)
        seen[1].append(beside.strikes(InjectedFault.WEBHOOK_DROP) is not None)
    assert seen[0] == seen[1]


def test_a_count_is_used_up_and_a_filter_spends_nothing():
    faults = Faults("1")
    faults.set(InjectedFault.WEBHOOK_DROP, FaultRule(count=2, only=("ringing",)))
    struck = [
        faults.strikes(InjectedFault.WEBHOOK_DROP, event)
        for event in ("answered", "ringing", "ringing", "ringing")
    ]
    assert [one is not None for one in struck] == [False, True, True, False]
    assert faults.as_json() == {"set": {}, "struck": {"webhook_drop": 2}}


@pytest.mark.parametrize(
    "data",
    [
        {"no_such": {}},
        {"webhook_drop": {"probability": 2}},
        {"webhook_drop": {"count": -1}},
        {"webhook_drop": {"seconds": -1}},
        {"webhook_drop": {"often": True}},
        {"webhook_drop": 3},
    ],
)
def test_an_impossible_fault_is_refused(data: dict[str, object]):
    with pytest.raises(BadFault):
        read_faults(data)
