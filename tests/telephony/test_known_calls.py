"""Calls that the carrier has already: ended, asked for, and found again by number and time."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest

from dialer.core.errors import Unavailable
from dialer.telephony.callbacks import CallState
from dialer.telephony.client import CallClient, PlaceCall
from tests.telephony.stub_carrier import Stub

SID = "CA" + "1" * 32
PATH = f"/2010-04-01/Accounts/AC{'0' * 32}/Calls"
TO = "+8613800138000"
ORDER = PlaceCall(attempt_id=uuid4(), to=TO)
NINE = datetime(2026, 11, 25, 9, 0, 0, tzinfo=UTC)


def call(sid: str = SID, *, at: str = "Wed, 25 Nov 2026 09:00:00 +0000", **more: object) -> dict[str, object]:
    return {"sid": sid, "status": "queued", "date_created": at, "direction": "outbound-api"} | more


def wrong_state() -> dict[str, object]:
    return {"code": 21220, "message": "Call is not in the right state", "status": 400}


async def test_a_queued_call_is_withdrawn(stub: Stub, client: CallClient):
    stub.says(200, call(status="canceled"))
    assert await client.cancel(SID) is True
    assert [(a.method, a.path, a.form) for a in stub.asked] == [
        ("POST", f"{PATH}/{SID}.json", [("Status", "canceled")])
    ]


async def test_a_call_that_was_answered_meanwhile_is_hung_up_instead(stub: Stub, client: CallClient):
    stub.says(400, wrong_state())
    stub.says(200, call(status="completed"))
    assert await client.cancel(SID) is True
    assert [a.value("Status") for a in stub.asked] == ["canceled", "completed"]


async def test_a_carrier_that_accepts_a_cancel_and_goes_on_is_asked_to_hang_up(
    stub: Stub, client: CallClient
):
    stub.says(200, call(status="in-progress"))
    stub.says(200, call(status="completed"))
    assert await client.cancel(SID) is True
    assert [a.value("Status") for a in stub.asked] == ["canceled", "completed"]


async def test_a_call_that_is_over_needs_no_end(stub: Stub, client: CallClient):
    stub.says(400, wrong_state())
    assert await client.cancel(SID) is False
    assert await client.hang_up(SID) is False


async def test_an_unknown_call_needs_no_end(stub: Stub, client: CallClient):
    stub.says(404, {"code": 20404, "message": "", "status": 404})
    assert await client.cancel(SID) is False
    assert await client.hang_up(SID) is False


async def test_hanging_up_is_one_request(stub: Stub, client: CallClient):
    stub.says(200, call(status="completed"))
    assert await client.hang_up(SID) is True
    assert [a.value("Status") for a in stub.asked] == ["completed"]


@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
async def test_trouble_is_unavailable_and_no_answer(stub: Stub, client: CallClient, status: int):
    stub.says(status, {"code": 12345, "message": TO, "status": status})
    for question in (
        client.cancel(SID),
        client.hang_up(SID),
        client.state(SID),
        client.find(ORDER, since=NINE, until=NINE),
    ):
        with pytest.raises(Unavailable) as caught:
            await question
        assert caught.value.part == "carrier"
        assert TO[3:] not in str(caught.value)


async def test_silence_and_dropped_connections_are_unavailable(stub: Stub, impatient: CallClient):
    stub.drops()
    with pytest.raises(Unavailable, match="no answer"):
        await impatient.cancel(SID)
    stub.answers.clear()
    stub.hangs()
    with pytest.raises(Unavailable, match="no answer"):
        await impatient.state(SID)


@pytest.mark.parametrize("text", ["no json", "[]", "{}"])
async def test_an_unreadable_list_is_unavailable_and_never_an_empty_one(
    stub: Stub, client: CallClient, text: str
):
    stub.says_text(200, text)
    with pytest.raises(Unavailable):
        await client.find(ORDER, since=NINE, until=NINE)


async def test_the_state_of_a_call(stub: Stub, client: CallClient):
    stub.says(200, call(status="completed", answered_by="machine_start", duration="23"))
    assert await client.state(SID) == CallState(
        sid=SID, status="completed", date_created=NINE, answered_by="machine_start", duration_seconds=23
    )


async def test_a_call_without_answer_has_no_duration(stub: Stub, client: CallClient):
    stub.says(200, call(status="busy", answered_by=None, duration=None))
    assert await client.state(SID) == CallState(sid=SID, status="busy", date_created=NINE)


async def test_an_unknown_call_is_none(stub: Stub, client: CallClient):
    stub.says(404, {"code": 20404, "message": "", "status": 404})
    assert await client.state(SID) is None


@pytest.mark.parametrize("sid", ["", "CA1/../../x", "CA1?x=1", "CA1\n", "ＣＡ1", "C" * 65])
async def test_a_malformed_sid_is_never_put_into_a_path(stub: Stub, client: CallClient, sid: str):
    stub.says(200, call())
    assert await client.state(sid) is None
    assert await client.cancel(sid) is False
    assert not stub.asked


async def test_calls_are_looked_for_by_number_alone(stub: Stub, client: CallClient):
    stub.says(200, {"calls": [call()]})
    found = await client.find(ORDER, since=NINE, until=NINE)
    assert [state.sid for state in found] == [SID]
    assert stub.asked[0].path == f"{PATH}.json"
    assert dict(stub.asked[0].query) == {"To": TO, "PageSize": "1000"}


async def test_the_interval_has_both_ends_to_the_second(stub: Stub, client: CallClient):
    times = {"a": "08:59:59", "b": "09:00:00", "c": "09:00:05", "d": "09:00:10", "e": "09:00:11"}
    stub.says(200, {"calls": [call(sid, at=f"Wed, 25 Nov 2026 {at} +0000") for sid, at in times.items()]})
    since = NINE + timedelta(milliseconds=900)  # the carrier tells whole seconds only
    found = await client.find(ORDER, since=since, until=NINE + timedelta(seconds=10, milliseconds=1))
    assert [state.sid for state in found] == ["b", "c", "d"]


async def test_the_interval_may_be_in_any_time_zone(stub: Stub, client: CallClient):
    stub.says(200, {"calls": [call()]})
    china = timezone(timedelta(hours=8))
    nine = NINE.astimezone(china)
    assert len(await client.find(ORDER, since=nine, until=nine)) == 1


async def test_only_calls_that_we_placed_are_found(stub: Stub, client: CallClient):
    calls = [call("in", direction="inbound"), call("leg", direction="outbound-dial"), call("ours")]
    stub.says(200, {"calls": calls})
    assert [s.sid for s in await client.find(ORDER, since=NINE, until=NINE)] == ["ours"]


async def test_a_call_without_a_date_is_not_taken_for_ours(stub: Stub, client: CallClient):
    stub.says(200, {"calls": [call() | {"date_created": None}]})
    assert await client.find(ORDER, since=NINE, until=NINE) == []


async def test_every_page_is_read(stub: Stub, client: CallClient):
    stub.says(200, {"calls": [call("a")], "next_page_uri": f"{PATH}.json?Page=1&PageToken=x"})
    stub.says(200, {"calls": [call("b")], "next_page_uri": None})
    assert [s.sid for s in await client.find(ORDER, since=NINE, until=NINE)] == ["a", "b"]
    assert stub.asked[1].query == [("Page", "1"), ("PageToken", "x")]


async def test_a_page_that_fails_makes_the_whole_list_unavailable(stub: Stub, client: CallClient):
    stub.says(200, {"calls": [call("a")], "next_page_uri": f"{PATH}.json?Page=1"})
    stub.says(500, {})
    with pytest.raises(Unavailable):
        await client.find(ORDER, since=NINE, until=NINE)


async def test_a_list_too_long_to_be_read_proves_nothing(stub: Stub, client: CallClient):
    stub.says(200, {"calls": [call()] * 1000, "next_page_uri": f"{PATH}.json?Page=1"})
    with pytest.raises(Unavailable, match="more calls"):
        await client.find(ORDER, since=NINE, until=NINE)
    assert len(stub.asked) == 5


async def test_looking_for_a_number_leaves_it_in_no_log(
    stub: Stub, client: CallClient, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    stub.says(200, {"calls": []})
    await client.find(ORDER, since=NINE, until=NINE)
    assert TO[3:] not in caplog.text


async def test_after_a_restore_calls_to_us_are_told_with_their_caller(stub: Stub, client: CallClient):
    inbound = {"direction": "inbound", "to": "+8647896110"}
    calls = [
        call("in", **inbound) | {"from": "13900001234"},
        call("hidden", **inbound) | {"from": "anonymous"},
        call("ours") | {"from": "+8647896110"},
    ]
    stub.says(200, {"calls": calls})
    listed = {one.state.sid: (one.is_inbound, one.caller) for one in await client.list_since(NINE)}
    assert listed == {"in": (True, "13900001234"), "hidden": (True, ""), "ours": (False, "")}
