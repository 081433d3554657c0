"""Placing a call has three answers: taken, certainly not taken, and nobody knows. Each is asked for once."""

from __future__ import annotations

import asyncio
import logging
import socket
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from dialer.telephony.channels import Placed, RefusalCause, Refused, UncertainResult
from dialer.telephony.client import CallClient, PlaceCall
from dialer.telephony.config import TelephonyConfig
from dialer.telephony.http_client import CarrierHttpClient, NotSent, _DeadlinePassed
from tests.telephony.stub_carrier import Stub

ATTEMPT = UUID("0197c1a2-3b4c-7d5e-8f90-a1b2c3d4e5f6")
TO = "+8613800138000"
ORDER = PlaceCall(attempt_id=ATTEMPT, to=TO)
SID = "CA" + "1" * 32
TAKEN = {"sid": SID, "status": "queued", "to": TO}


def problem(code: object) -> dict[str, object]:
    return {"code": code, "message": f"about {TO}", "more_info": "", "status": 400}


async def test_an_accepted_call_is_placed(stub: Stub, client: CallClient):
    stub.says(201, TAKEN)
    assert await client.send(ORDER) == Placed(sid=SID, status="queued")


@pytest.mark.parametrize("calls_before", [0, 1])
async def test_a_request_that_is_late_when_the_connection_stands_is_not_sent(
    stub: Stub, client: CallClient, calls_before: int
):
    """A process stopped while it connects, and woken after its call was taken for absent, calls nobody."""
    stub.says(201, TAKEN)
    for _ in range(calls_before):
        await client.send(ORDER)
    answers = iter([False])
    order = replace(ORDER, may_send=lambda: next(answers))
    assert isinstance(await client.send(order), UncertainResult)
    assert len(stub.asked) == calls_before
    # The next request asks for itself.
    assert await client.send(replace(ORDER, may_send=lambda: True)) == Placed(sid=SID, status="queued")
    assert await client.send(ORDER) == Placed(sid=SID, status="queued")


class LateSession:
    """A session whose request fails before its body is written, which its task would still do."""

    def __init__(self) -> None:
        self.body: Any = None
        self.written: list[bytes] = []

    @asynccontextmanager
    async def request(self, _method: str, _address: str, *, data: Any, **_: object) -> AsyncIterator[object]:  # noqa: ANN401
        self.body = data
        raise TimeoutError
        yield

    async def write(self, content: bytes) -> None:
        self.written.append(content)


async def test_what_counts_as_not_sent_is_not_written_any_more():
    wire, session = CarrierHttpClient(base_url=None, timeout_seconds=1.0), LateSession()
    await wire.close()
    wire._session = session  # type: ignore[assignment]  # what is asked of it
    with pytest.raises(NotSent):
        await wire.request("POST", "https://api.twilio.com/calls", data={"To": TO})
    with pytest.raises(_DeadlinePassed):
        await session.body.write_with_length(session, None)
    assert session.written == []


async def test_the_request_holds_all_that_the_carrier_must_know(stub: Stub, client: CallClient):
    stub.says(201, TAKEN)
    await client.send(ORDER)
    asked = stub.asked[0]
    assert (asked.method, asked.path) == ("POST", f"/2010-04-01/Accounts/{'AC' + '0' * 32}/Calls.json")
    hooks = "https://calls.example.cn/dialer/hooks"
    retries = "#rc=3&rp=ct,rt,5xx"
    assert sorted(asked.form) == sorted(
        [
            ("To", TO),
            ("From", "047896110"),
            ("Url", f"{hooks}/call/{ATTEMPT}/0/start{retries}"),
            ("Method", "POST"),
            ("FallbackUrl", f"{hooks}/fallback/{ATTEMPT}{retries}"),
            ("FallbackMethod", "POST"),
            ("StatusCallback", f"{hooks}/status/{ATTEMPT}{retries}"),
            ("StatusCallbackMethod", "POST"),
            ("StatusCallbackEvent", "initiated"),
            ("StatusCallbackEvent", "ringing"),
            ("StatusCallbackEvent", "answered"),
            ("StatusCallbackEvent", "completed"),
            ("Timeout", "30"),
            ("TimeLimit", "600"),
            ("MachineDetection", "Enable"),
            ("AsyncAmd", "true"),
            ("AsyncAmdStatusCallback", f"{hooks}/amd/{ATTEMPT}{retries}"),
            ("AsyncAmdStatusCallbackMethod", "POST"),
        ]
    )
    scheme, _, credentials = asked.headers["Authorization"].partition(" ")
    assert (scheme, b64decode(credentials)) == ("Basic", b"AC" + b"0" * 32 + b":a-token-of-the-tests")


async def test_a_call_that_is_recorded_asks_for_both_sides_untrimmed(stub: Stub, client: CallClient):
    stub.says(201, TAKEN)
    await client.send(ORDER)
    await client.send(replace(ORDER, records=True))
    plain, recorded = (one.form for one in stub.asked)
    assert sorted(set(recorded) - set(plain)) == [
        ("Record", "true"),
        ("RecordingChannels", "dual"),
        (
            "RecordingStatusCallback",
            f"https://calls.example.cn/dialer/hooks/recording/{ATTEMPT}#rc=3&rp=ct,rt,5xx",
        ),
        ("RecordingStatusCallbackEvent", "absent"),
        ("RecordingStatusCallbackEvent", "completed"),
        ("RecordingStatusCallbackMethod", "POST"),
        ("RecordingTrack", "both"),
        ("Trim", "do-not-trim"),
    ]


async def test_without_machine_detection_its_parameters_are_left_out(stub: Stub, config: TelephonyConfig):
    stub.says(201, TAKEN)
    async with CallClient(replace(config, machine_detection=False, ring_timeout_seconds=17)) as client:
        await client.send(ORDER)
    names = {name for name, _ in stub.asked[0].form}
    assert not {name for name in names if "Machine" in name or "Amd" in name}
    assert stub.asked[0].value("Timeout") == "17"


@pytest.mark.parametrize("code", [13223, 13224, 21201, 21211, 21214, 21216, 21217, 21401, 21421, 21610])
async def test_the_number_s_own_faults(stub: Stub, client: CallClient, code: int):
    stub.says(400, problem(code))
    answer = await client.send(ORDER)
    assert isinstance(answer, Refused)
    assert (answer.cause, answer.code, answer.http_status) == (RefusalCause.NUMBER, code, 400)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, 20003),
        (403, 20008),
        (400, 21205),
        (400, 21210),
        (400, 21212),
        (400, 21213),
        (400, 21215),
        (400, 21219),
        (404, 20404),
        (400, 99999),
    ],
)
async def test_what_is_not_listed_is_ours_and_never_kills_a_number(
    stub: Stub, client: CallClient, status: int, code: int
):
    stub.says(status, problem(code))
    answer = await client.send(ORDER)
    assert isinstance(answer, Refused)
    assert (answer.cause, answer.code, answer.http_status) == (RefusalCause.OURS, code, status)


@pytest.mark.parametrize("code", [10004, 20429, 22005])
async def test_full_queues_ask_us_to_slow_down_whatever_the_http_status(
    stub: Stub, client: CallClient, code: int
):
    stub.says(400, problem(code))
    answer = await client.send(ORDER)
    assert isinstance(answer, Refused)
    assert answer.cause is RefusalCause.SLOW_DOWN


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "9" * 400}, 3600.0),
        ({"Retry-After": "Wed, 25 Nov 2126 00:00:00 GMT", "Date": "Wed, 25 Nov 2026 01:00:00 GMT"}, 3600.0),
        ({"Retry-After": "Wed, 25 Nov 2026 01:00:30 GMT", "Date": "Wed, 25 Nov 2026 01:00:00 GMT"}, 30.0),
        ({"Retry-After": "Wed, 25 Nov 2026 00:00:00 GMT", "Date": "Wed, 25 Nov 2026 01:00:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
async def test_too_many_requests_is_a_safe_retry_that_keeps_its_wait(
    stub: Stub, client: CallClient, headers: dict[str, str], wait: float | None
):
    stub.says(429, problem(20429), headers=headers)
    assert await client.send(ORDER) == Refused(
        cause=RefusalCause.SLOW_DOWN, http_status=429, retry_after_seconds=wait
    )


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 499])
async def test_a_server_error_leaves_the_result_unknown(stub: Stub, client: CallClient, status: int):
    stub.says_text(status, "<html>bad gateway</html>")
    assert isinstance(await client.send(ORDER), UncertainResult)


async def test_an_error_in_the_newer_format_is_read_too(stub: Stub, client: CallClient):
    stub.says(400, {"type": "x", "title": "no", "status": 400, "code": 21211})
    answer = await client.send(ORDER)
    assert isinstance(answer, Refused)
    assert (answer.cause, answer.code) == (RefusalCause.NUMBER, 21211)


async def test_a_code_that_is_no_number_is_left_out(stub: Stub, client: CallClient):
    stub.says(400, problem("x"))
    assert await client.send(ORDER) == Refused(cause=RefusalCause.OURS, http_status=400, detail="HTTP 400")


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", "null", '{"sid": 5}', '"text"'])
async def test_an_answer_that_cannot_be_read_may_still_mean_a_call(stub: Stub, client: CallClient, text: str):
    stub.says_text(201, text)
    assert isinstance(await client.send(ORDER), UncertainResult)


async def test_a_redirect_is_not_followed_and_was_not_taken(stub: Stub, client: CallClient):
    stub.says_text(302, "", headers={"Location": stub.address + "/elsewhere"})
    stub.says(201, TAKEN)
    answer = await client.send(ORDER)
    assert isinstance(answer, Refused)
    assert answer.cause is RefusalCause.OURS
    assert len(stub.asked) == 1


async def test_no_answer_in_time_is_unsure_and_not_asked_again(stub: Stub, impatient: CallClient):
    stub.hangs()
    answer = await asyncio.wait_for(impatient.send(ORDER), timeout=60)
    assert answer == UncertainResult(detail="no answer (TimeoutError)")
    assert len(stub.asked) == 1


async def test_a_connection_dropped_after_sending_is_unsure_and_not_asked_again(
    stub: Stub, client: CallClient
):
    stub.drops()
    assert isinstance(await client.send(ORDER), UncertainResult)
    assert len(stub.asked) == 1


async def test_a_kept_connection_that_drops_is_unsure_and_not_asked_again(stub: Stub, client: CallClient):
    stub.says(201, TAKEN)
    stub.drops()
    await client.send(ORDER)
    assert isinstance(await client.send(ORDER), UncertainResult)
    assert len(stub.asked) == 2


async def test_a_refused_connection_means_nothing_left(config: TelephonyConfig):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with CallClient(replace(config, base_url=address)) as client:
            answer = await client.send(ORDER)
    assert answer == Refused(cause=RefusalCause.OURS, detail="not sent: ClientConnectorError")


async def test_a_connection_that_is_never_made_means_nothing_left(config: TelephonyConfig):
    """The listener takes the connection and never speaks TLS: the request waits behind the handshake."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        address = f"https://127.0.0.1:{listener.getsockname()[1]}"
        async with CallClient(replace(config, base_url=address, timeout_seconds=0.4)) as client:
            answer = await client.send(ORDER)
    assert isinstance(answer, Refused)
    assert (answer.cause, answer.http_status) == (RefusalCause.OURS, None)


async def test_a_certificate_that_is_not_trusted_means_nothing_left(stub: Stub, config: TelephonyConfig):
    address = stub.address.replace("http://", "https://")
    async with CallClient(replace(config, base_url=address)) as client:
        answer = await client.send(ORDER)
    assert isinstance(answer, Refused)
    assert answer.cause is RefusalCause.OURS
    assert not stub.asked


async def test_many_calls_share_one_kept_connection(stub: Stub, client: CallClient):
    stub.says(201, TAKEN)
    for _ in range(10):
        await client.send(ORDER)
    assert len({asked.peer for asked in stub.asked}) == 1


async def test_calls_may_be_placed_side_by_side(stub: Stub, client: CallClient):
    stub.says(201, TAKEN)
    answers = await asyncio.gather(*(client.send(ORDER) for _ in range(100)))
    assert {type(answer) for answer in answers} == {Placed}
    assert len(stub.asked) == 100


async def test_no_log_line_holds_a_number_or_a_token(
    stub: Stub, client: CallClient, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    stub.says(201, TAKEN)
    stub.says(400, problem(21211))
    stub.says(200, {"calls": [], "page": 0})
    await client.send(ORDER)
    answer = await client.send(ORDER)
    assert TO[3:] not in str(answer)
    assert TO[3:] not in caplog.text
    assert "a-token-of-the-tests" not in caplog.text


async def test_the_environment_cannot_move_the_calls_elsewhere(
    stub: Stub, config: TelephonyConfig, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TWILIO_REGION", "au1")
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC-other")
    stub.says(201, TAKEN)
    async with CallClient(config) as client:
        assert isinstance(await client.send(ORDER), Placed)
        assert client._wire is not None
        assert client._client.get_hostname("https://api.twilio.com/x") == "https://api.twilio.com/x"


async def test_a_base_url_may_hold_a_path(stub: Stub, config: TelephonyConfig):
    stub.says(201, TAKEN)
    async with CallClient(replace(config, base_url=stub.address + "/api/laml/")) as client:
        await client.send(ORDER)
    assert stub.asked[0].path.startswith("/api/laml/2010-04-01/Accounts/")


async def test_without_a_base_url_twilio_itself_is_meant(config: TelephonyConfig):
    async with CallClient(replace(config, base_url=None)) as client:
        assert client._wire is not None
        assert client._wire._address("https://api.twilio.com/2010-04-01/x?y") == (
            "https://api.twilio.com/2010-04-01/x?y"
        )
