"""Recordings at the carrier: listed by call, fetched from addresses of our own making, deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from dialer.core.errors import Unavailable
from dialer.telephony.config import TelephonyConfig
from dialer.telephony.recordings import RecordingClient
from tests.telephony.stub_carrier import ACCOUNT, Stub

CALL, SID = "CA" + "1" * 32, "RE" + "2" * 32
WAV = b"RIFF\x00\x00\x00\x00WAVE" + bytes(range(256)) * 40
BASE = f"/2010-04-01/Accounts/{ACCOUNT}/Recordings"


@pytest.fixture
async def recordings(config: TelephonyConfig) -> AsyncIterator[RecordingClient]:
    async with RecordingClient(config) as made:
        yield made


def listed(*found: dict[str, Any]) -> dict[str, Any]:
    page = {"page": 0, "page_size": 20, "next_page_uri": None, "uri": f"{BASE}.json"}
    return {**page, "recordings": [{"sid": SID, "call_sid": CALL, "duration": "7", **one} for one in found]}


def gives(stub: Stub, body: bytes, *, status: int = 200, **headers: str) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, status=status, headers=headers, content_type="audio/x-wav")

    stub.answers.append(answer)


@pytest.mark.parametrize(
    ("status", "ready", "made"),
    [("completed", True, False), ("processing", False, True), ("absent", False, False)],
)
async def test_recordings_of_a_call_are_listed(
    stub: Stub, recordings: RecordingClient, status: str, ready: bool, made: bool
):
    stub.says(200, listed({"status": status}))
    (one,) = await recordings.of_call(CALL)
    assert (one.sid, one.seconds, one.is_ready, one.is_being_made) == (SID, 7, ready, made)
    assert dict(stub.asked[0].query)["CallSid"] == CALL


async def test_a_recording_of_another_call_is_none_of_this_one(stub: Stub, recordings: RecordingClient):
    """A carrier that ignores the filter must not have us keep, or delete, somebody else's."""
    stub.says(200, listed({"status": "completed", "call_sid": "CA" + "9" * 32}))
    assert await recordings.of_call(CALL) == []


async def test_the_sound_comes_whole_and_in_two_channels(stub: Stub, recordings: RecordingClient):
    gives(stub, WAV)
    assert await recordings.sound(SID) == WAV
    asked = stub.asked[0]
    assert (asked.path, asked.query) == (f"{BASE}/{SID}.wav", [("RequestedChannels", "2")])
    assert asked.headers["Authorization"].startswith("Basic ")


async def test_a_sound_that_is_gone_is_none(stub: Stub, recordings: RecordingClient):
    gives(stub, b"", status=404)
    assert await recordings.sound(SID) is None


@pytest.mark.parametrize("body", [b"", b"<html>sign in</html>"])
async def test_what_is_no_sound_is_not_kept(stub: Stub, recordings: RecordingClient, body: bytes):
    gives(stub, body)
    with pytest.raises(Unavailable):
        await recordings.sound(SID)


async def test_an_error_of_the_carrier_is_asked_again_later(stub: Stub, recordings: RecordingClient):
    gives(stub, b"", status=503)
    with pytest.raises(Unavailable):
        await recordings.sound(SID)


async def test_a_redirect_that_is_not_https_is_not_followed(stub: Stub, recordings: RecordingClient):
    gives(stub, b"", status=302, Location=f"{stub.address}/elsewhere.wav")
    gives(stub, WAV)
    with pytest.raises(Unavailable):
        await recordings.sound(SID)
    assert len(stub.asked) == 1


async def test_deleting_twice_is_deleting_once(stub: Stub, recordings: RecordingClient):
    gives(stub, b"", status=204)
    stub.says(404, {"code": 20404, "message": "not found", "more_info": "", "status": 404})
    await recordings.delete(SID)
    await recordings.delete(SID)
    assert [(one.method, one.path) for one in stub.asked] == [("DELETE", f"{BASE}/{SID}.json")] * 2
