"""The list's filters and pages, on records alone."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrier.calls import Call, RestProblem, Status, rfc2822
from carrier.rest import page_of_calls, read_filters

ACCOUNT = "AC" + "0" * 32
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
HOUR = 3600.0


def record(
    number: int,
    *,
    to: str = "+8613800138000",
    start: float | None = NOON,
    end: float | None = None,
    status: Status = Status.RINGING,
) -> Call:
    call = Call(
        sid=f"CA{number:032x}",
        account_sid=ACCOUNT,
        to=to,
        from_="+8647896110",
        created=NOON,
        updated=NOON,
        number=number,
    )
    call.start, call.end, call.status = start, end, status
    return call


def kept(call: Call, **query: str) -> bool:
    names = {"after": ">", "before": "<"}
    filters = {}
    for name, value in query.items():
        field, _, way = name.partition("_")
        filters[field + names.get(way, "")] = value
    return all(keep(call) for keep in read_filters(filters))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"StartTime": "2026-11-25"}, True),
        ({"StartTime": "2026-11-24"}, False),
        ({"StartTime_after": "2026-11-25"}, True),
        ({"StartTime_after": "2026-11-26"}, False),
        ({"StartTime_before": "2026-11-25"}, False),
        ({"StartTime_before": "2026-11-26"}, True),
        ({"StartTime": "2026-11-25T23:59:59Z"}, True),
        ({"StartTime_after": "2026-11-25 23:00:00"}, True),
        ({"EndTime": "2026-11-25"}, False),
        ({"Status": "ringing"}, True),
        ({"Status": "queued"}, False),
        ({"To": "+8613800138000"}, True),
        ({"To": "8613800138000"}, False),
        ({"From": "+8647896110"}, True),
        ({"ParentCallSid": "CA1"}, False),
        ({}, True),
    ],
)
def test_a_filter_keeps_by_field_and_by_utc_day(query: dict[str, str], expected: bool):
    assert kept(record(1), **query) is expected


@pytest.mark.parametrize("name", ["StartTime", "StartTime_after", "StartTime_before"])
def test_a_call_not_yet_dialled_has_no_day(name: str):
    assert not kept(record(1, start=None, status=Status.QUEUED), **{name: "2026-11-25"})


def test_the_first_and_last_instant_of_a_day_belong_to_it():
    midnight = NOON - 12 * HOUR
    assert kept(record(1, start=midnight), StartTime="2026-11-25")
    assert kept(record(1, start=midnight + 24 * HOUR - 0.001), StartTime="2026-11-25")
    assert not kept(record(1, start=midnight + 24 * HOUR), StartTime="2026-11-25")
    assert not kept(record(1, start=midnight), StartTime="9999-12-31")


@pytest.mark.parametrize("text", ["today", "2026-13-01", "25/11/2026", "2026-11-25T"])
def test_a_date_that_is_none_is_refused(text: str):
    with pytest.raises(RestProblem) as refused:
        read_filters({"EndTime<": text})
    assert refused.value.code == 20001


@pytest.mark.parametrize(
    "query",
    [
        {"PageToken": "x"},
        {"PageToken": "PA"},
        {"PageToken": "PAx"},
        {"PageToken": "PA" + "9" * 5000},
        {"PageSize": "all"},
        {"PageSize": "9" * 5000},
        {"Page": "-1"},
        {"Page": "9" * 30},
    ],
)
def test_a_page_that_cannot_be_is_refused(query: dict[str, str]):
    with pytest.raises(RestProblem):
        page_of_calls([], query, account_sid=ACCOUNT)


@given(total=st.integers(0, 30), size=st.integers(1, 12), wanted=st.sampled_from(["", "ringing", "busy"]))
def test_walking_the_pages_meets_every_call_once(total: int, size: int, wanted: str):
    calls = [record(n, status=Status.BUSY if n % 3 == 0 else Status.RINGING) for n in range(total, 0, -1)]
    expected = [call.sid for call in calls if wanted in {"", call.status.value}]
    query = {"PageSize": str(size)} | ({"Status": wanted} if wanted else {})
    seen: list[object] = []
    while True:
        page = page_of_calls(calls, query, account_sid=ACCOUNT)
        found = page["calls"]
        assert isinstance(found, list)
        assert len(found) <= size
        seen += [one["sid"] for one in found]
        following = page["next_page_uri"]
        if following is None:
            break
        assert len(found) == size
        query = dict(parse_qsl(urlsplit(str(following)).query))
    assert seen == expected


def test_a_page_keeps_the_filters_in_its_links():
    calls = [record(n) for n in (3, 2, 1)]
    page = page_of_calls(
        calls, {"To": "+8613800138000", "StartTime>": "2026-11-25", "PageSize": "1"}, account_sid=ACCOUNT
    )
    for name in ("next_page_uri", "first_page_uri", "uri"):
        query = dict(parse_qsl(urlsplit(str(page[name])).query))
        assert (query["To"], query["StartTime>"]) == ("+8613800138000", "2026-11-25")


def test_the_largest_page_is_a_thousand():
    calls = [record(n) for n in range(1200, 0, -1)]
    page = page_of_calls(calls, {"PageSize": "5000"}, account_sid=ACCOUNT)
    assert page["page_size"] == 1000
    assert isinstance(page["calls"], list)
    assert len(page["calls"]) == 1000


def test_pages_by_number_alone_also_work():
    calls = [record(n) for n in range(5, 0, -1)]
    page = page_of_calls(calls, {"PageSize": "2", "Page": "1"}, account_sid=ACCOUNT)
    assert isinstance(page["calls"], list)
    assert [call["sid"] for call in page["calls"]] == [calls[2].sid, calls[3].sid]
    assert page["previous_page_uri"] is not None


def test_moments_are_written_as_twilio_writes_them():
    assert rfc2822(NOON) == "Wed, 25 Nov 2026 12:00:00 +0000"
    assert rfc2822(None) is None


def test_a_record_shows_empty_what_is_not_known_yet():
    shown = record(1, start=None, status=Status.QUEUED).as_json()
    assert (shown["start_time"], shown["end_time"], shown["duration"], shown["answered_by"]) == (None,) * 4
    assert shown["direction"] == "outbound-api"
    assert str(shown["uri"]).endswith(f"/Calls/{shown['sid']}.json")
    assert isinstance(shown["subresource_uris"], dict)
    assert len(shown["subresource_uris"]) == 9


@pytest.mark.parametrize("status", list(Status))
def test_only_five_states_are_final(status: Status):
    assert status.final is (status.value in {"completed", "busy", "failed", "no-answer", "canceled"})
