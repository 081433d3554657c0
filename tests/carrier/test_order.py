"""The form of a call's creation: what is taken, what its defaults are, what is refused and never repeated."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrier.calls import (
    Call,
    CallOrder,
    Form,
    RestProblem,
    Status,
    no_such,
    number_refused,
    read_method,
    read_order,
    too_many,
    unauthorised,
)

BASE = {"To": "+8613800138000", "From": "+8647896110", "Url": "http://a.test/x"}


def order(*more: tuple[str, str], **change: str) -> CallOrder:
    return read_order(Form(urlencode([*{**BASE, **change}.items(), *more]).encode()))


def test_the_defaults_are_twilios():
    read = order()
    assert read == CallOrder(to=BASE["To"], from_=BASE["From"], url=BASE["Url"])
    assert (read.method, read.timeout_seconds, read.events) == ("POST", 60, frozenset({"completed"}))
    assert (read.machine_detection, read.async_amd, read.time_limit_seconds) == ("", False, None)


def test_everything_given_is_taken():
    read = order(
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "ringing answered"),
        Method="get",
        FallbackUrl="https://a.test/f",
        FallbackMethod="GET",
        StatusCallback="https://a.test/s#rc=3",
        StatusCallbackMethod="GET",
        Timeout="15",
        TimeLimit="90",
        MachineDetection="DetectMessageEnd",
        MachineDetectionTimeout="12",
        AsyncAmd="TRUE",
        AsyncAmdStatusCallback="https://a.test/a",
        AsyncAmdStatusCallbackMethod="GET",
    )
    assert read.events == {"initiated", "ringing", "answered"}
    assert (read.method, read.fallback_method, read.status_method, read.async_amd_method) == ("GET",) * 4
    assert read.status_callback == "https://a.test/s#rc=3"
    assert (read.timeout_seconds, read.time_limit_seconds, read.detection_timeout_seconds) == (15, 90, 12)
    assert (read.machine_detection, read.async_amd) == ("DetectMessageEnd", True)
    assert (read.fallback_url, read.async_amd_callback) == ("https://a.test/f", "https://a.test/a")


def test_a_document_given_outright_needs_no_address():
    read = order(Url="", Twiml="<Response><Hangup/></Response>")
    assert (read.url, read.twiml) == ("", "<Response><Hangup/></Response>")


def test_limits_are_cut_to_twilios_own():
    assert order(Timeout="9999").timeout_seconds == 600
    assert order(TimeLimit="999999").time_limit_seconds == 86_400


def test_digits_to_send_leave_out_machine_detection():
    assert order(SendDigits="1", MachineDetection="Enable").machine_detection == ""


@pytest.mark.parametrize(
    "to", ["+8613800138000", "+8647896110", "+14155552671", "+861234567", "+123456789012345"]
)
def test_numbers_of_the_right_form_are_taken(to: str):
    assert order(To=to).to == to


@pytest.mark.parametrize(
    "to",
    ["13800138000", "+0138001380", "+86138", "+1234567890123456", "+8613800138000x", "sip:a@b", "+86-138"],
)
def test_numbers_of_another_form_are_refused_without_repeating_them(to: str):
    with pytest.raises(RestProblem) as refused:
        order(To=to)
    assert refused.value.code == 21211
    assert to not in str(refused.value.body())


@given(
    st.dictionaries(st.sampled_from([*BASE, "Timeout", "Method", "Twiml", "TimeLimit"]), st.text(max_size=20))
)
def test_any_form_is_an_order_or_a_refusal(values: dict[str, str]):
    try:
        read_order(Form(urlencode({**BASE, **values}, errors="replace").encode()))
    except RestProblem as refused:
        assert 400 <= refused.status < 500  # noqa: PT017 - either way is right


@given(st.binary(max_size=100))
def test_any_bytes_are_a_form(body: bytes):
    with pytest.raises(RestProblem):
        read_order(Form(body))


def test_the_last_of_repeated_values_counts_and_lists_are_taken_apart():
    form = Form(b"A=1&A=2&B=x+y&B=z&C=")
    assert (form.get("A"), form.all("B"), form.get("C"), form.all("D")) == ("2", ["x", "y", "z"], "", [])


def test_a_method_is_get_or_post():
    assert read_method(Form(b"Method=get"), "Method") == "GET"
    assert read_method(Form(b""), "Method") == "POST"
    with pytest.raises(RestProblem):
        read_method(Form(b"Method=DELETE"), "Method")


@pytest.mark.parametrize(
    ("problem", "status", "code"),
    [
        (no_such("resource"), 404, 20404),
        (unauthorised(), 401, 20003),
        (too_many(3), 429, 20429),
        (number_refused(21215), 400, 21215),
        (number_refused(99999), 400, 99999),
    ],
)
def test_a_refusal_speaks_twilios_form(problem: RestProblem, status: int, code: int):
    body = problem.body()
    assert (body["status"], body["code"]) == (status, code)
    assert body["message"]
    assert str(body["more_info"]).endswith(f"/{code}")


LONG = "http://a.test/" + "x" * 3987


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"To": ""}, 21201),
        ({"From": ""}, 21213),
        ({"From": "bureau"}, 21212),
        ({"From": "12"}, 21212),
        ({"Url": ""}, 21205),
        ({"Url": "ftp://a.test/x"}, 21205),
        ({"Url": LONG}, 21205),
        ({"Twiml": "<Response><Say>" + "x" * 4000}, 21205),
        ({"Twiml": "<Response>"}, 12100),
        ({"StatusCallbackEvent": "sneezed"}, 21626),
        ({"MachineDetection": "Sometimes"}, 20001),
        ({"Method": "PUT"}, 21206),
        ({"FallbackUrl": "x"}, 21502),
        ({"StatusCallback": "x"}, 21609),
        ({"AsyncAmdStatusCallback": "x"}, 21609),
        ({"Timeout": "soon"}, 20001),
        ({"TimeLimit": "1234567890"}, 20001),
        ({"RecordingStatusCallback": "x"}, 21609),
        ({"RecordingStatusCallbackEvent": "sneezed"}, 21626),
        ({"RecordingChannels": "three"}, 20001),
        ({"RecordingTrack": "inbound"}, 20001),
    ],
)
def test_what_is_wrong_has_its_code(change: dict[str, str], code: int):
    with pytest.raises(RestProblem) as refused:
        order(**change)
    assert (refused.value.status, refused.value.code) == (400, code)


def test_what_is_just_short_enough_is_taken():
    assert order(Url=LONG[:-1]).url == LONG[:-1]
    twiml = "<Response>" + " " * (4000 - 21) + "</Response>"
    assert order(Url="", Twiml=twiml).twiml == twiml
    assert (order(From="123").from_, order(From="+123456789012345").from_) == ("123", "+123456789012345")
    assert order(TimeLimit="123456789").time_limit_seconds == 86_400
    assert order(MachineDetectionTimeout="60").detection_timeout_seconds == 59
    assert order(Record="TRUE", RecordingChannels="dual", RecordingTrack="both").recording_channels == 2
    assert (order(Record="true").records, order(Record="no").records) == (True, False)


def test_a_call_is_written_as_twilio_writes_it():
    call = Call(
        sid="CA1", account_sid="AC1", to="+8613800138000", from_="96110", created=0.0, updated=61.9, number=1,
        status=Status.COMPLETED, parent_sid="CA0", start=60.0, end=61.9, duration_seconds=2, answered_by="human",
        queue_ms=1500,
    )  # fmt: skip
    base = "/2010-04-01/Accounts/AC1/Calls/CA1"
    written = call.as_json()
    assert {name: value for name, value in written.items() if value is not None} == {
        "sid": "CA1",
        "account_sid": "AC1",
        "api_version": "2010-04-01",
        "parent_call_sid": "CA0",
        "to": "+8613800138000",
        "to_formatted": "+8613800138000",
        "from": "96110",
        "from_formatted": "96110",
        "status": "completed",
        "direction": "outbound-api",
        "date_created": "Thu, 01 Jan 1970 00:00:00 +0000",
        "date_updated": "Thu, 01 Jan 1970 00:01:01 +0000",
        "start_time": "Thu, 01 Jan 1970 00:01:00 +0000",
        "end_time": "Thu, 01 Jan 1970 00:01:01 +0000",
        "duration": "2",
        "price_unit": "USD",
        "answered_by": "human",
        "queue_time": "1500",
        "uri": f"{base}.json",
        "subresource_uris": {
            "notifications": f"{base}/Notifications.json",
            "recordings": f"{base}/Recordings.json",
            "payments": f"{base}/Payments.json",
            "events": f"{base}/Events.json",
            "siprec": f"{base}/Siprec.json",
            "streams": f"{base}/Streams.json",
            "transcriptions": f"{base}/Transcriptions.json",
            "user_defined_message_subscriptions": f"{base}/UserDefinedMessageSubscriptions.json",
            "user_defined_messages": f"{base}/UserDefinedMessages.json",
        },
    }
    empty = {name for name, value in written.items() if value is None}
    assert empty == {"price", "phone_number_sid", "forwarded_from", "group_sid", "caller_name", "trunk_sid"}
