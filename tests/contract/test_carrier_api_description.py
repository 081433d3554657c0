"""The carrier's REST front against Twilio's own description of its API, request by request, answer by answer."""

from __future__ import annotations

import asyncio
import functools
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from aiohttp import ClientSession, encode_basic_auth
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from carrier.config import CarrierConfig, ServiceClock
from carrier.server import RunningCarrier, start
from carrier.texts import TextStatus
from tests.carrier.device_line import DeviceLine

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "token"
LIST = f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
FORM = "application/x-www-form-urlencoded"
TWIML = "<Response><Pause length='60'/></Response>"
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
RECORDINGS = f"/2010-04-01/Accounts/{ACCOUNT}/Recordings"
SCHEMAS = ("api.v2010.account.call", "api.v2010.account.message", "api.v2010.account.recording")
ENUMS = ("call_enum_", "message_enum_", "recording_enum_")
PATHS = (
    "/2010-04-01/Accounts/{AccountSid}/Messages.json",
    "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json",
    "/2010-04-01/Accounts/{AccountSid}/Calls.json",
    "/2010-04-01/Accounts/{AccountSid}/Calls/{Sid}.json",
    "/2010-04-01/Accounts/{AccountSid}/Recordings.json",
    "/2010-04-01/Accounts/{AccountSid}/Recordings/{Sid}.json",
)


def description_path() -> Path:
    named = os.environ.get("TWILIO_API_DESCRIPTION")
    if named:
        return Path(named)
    root = Path(__file__).resolve().parents[2]
    name = Path("shared") / "twilio" / "twilio_api_v2010.json"
    # Beside the project's folder, or beside a folder that holds several check-outs of it.
    return next((up / name for up in root.parents[:2] if (up / name).exists()), root.parent / name)


@functools.lru_cache(maxsize=1)
def load() -> OpenAPI:
    data = json.loads(description_path().read_text())
    data["paths"] = {path: data["paths"][path] for path in PATHS}
    schemas = data["components"]["schemas"]
    data["components"]["schemas"] = {
        name: schemas[name] for name in schemas if name in SCHEMAS or name.startswith(ENUMS)
    }
    # The description leaves out how a repeated parameter is written; the official client repeats its name.
    for path in (path for path in PATHS if "post" in data["paths"][path]):
        content = data["paths"][path]["post"]["requestBody"]["content"][FORM]
        content["encoding"] = {
            name: {"style": "form", "explode": True}
            for name, schema in content["schema"]["properties"].items()
            if schema.get("type") == "array"
        }
    return OpenAPI.from_dict(data)


@pytest.fixture
def openapi() -> OpenAPI:
    if not description_path().exists():
        pytest.skip(f"set TWILIO_API_DESCRIPTION to Twilio's OpenAPI file ({description_path().name})")
    return load()


@pytest.fixture
async def carrier(tmp_path: Path) -> AsyncIterator[RunningCarrier]:
    config = CarrierConfig(
        account_sid=ACCOUNT, auth_token=TOKEN, state_dir=tmp_path, clock=ServiceClock(speed=4.0)
    )
    running = await start(config, make_line=DeviceLine)
    yield running
    await running.stop()


class Checked:
    """Sends requests to the carrier and holds both directions to the description."""

    def __init__(self, carrier: RunningCarrier, openapi: OpenAPI, session: ClientSession) -> None:
        self._carrier = carrier
        self._openapi = openapi
        self._session = session

    async def send(self, method: str, target: str, form: list[tuple[str, str]] | None = None) -> Any:  # noqa: ANN401 - the library's own signature
        parts = urlsplit(target)
        body = urlencode(form or []).encode()
        request = MockRequest(
            "https://api.twilio.com",
            method,
            parts.path,
            args=dict(parse_qsl(parts.query)),
            data=body,
            content_type=FORM,
            headers={"Authorization": encode_basic_auth(ACCOUNT, TOKEN)},
        )
        self._openapi.validate_request(request)
        async with self._session.request(
            method,
            f"{self._carrier.base_url}{target}",
            data=body or None,
            headers={"Content-Type": FORM, "Authorization": encode_basic_auth(ACCOUNT, TOKEN)},
        ) as answer:
            data = await answer.read()
            self._openapi.validate_response(
                request,
                MockResponse(data, status_code=answer.status, content_type=answer.content_type),
            )
        return json.loads(data) if data else None


@pytest.fixture
async def checked(carrier: RunningCarrier, openapi: OpenAPI) -> AsyncIterator[Checked]:
    async with ClientSession() as session:
        yield Checked(carrier, openapi, session)


def order(to: str = "+8613800138000") -> list[tuple[str, str]]:
    return [
        ("To", to),
        ("From", "+8647896110"),
        ("Twiml", TWIML),
        ("Timeout", "30"),
        ("StatusCallback", "http://127.0.0.1:9/status"),
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "answered"),
        ("MachineDetection", "Enable"),
        ("AsyncAmd", "true"),
    ]


async def test_create_and_fetch_in_every_state_match_the_description(
    carrier: RunningCarrier, checked: Checked
):
    assert isinstance(carrier.line, DeviceLine)
    phone = carrier.line.phone("+8613800138000")
    made = await checked.send("POST", LIST, order())
    one = f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{made['sid']}.json"
    assert made["status"] == "queued"
    ringing = await phone.rings()
    assert (await checked.send("GET", one))["status"] == "ringing"
    ringing.answer()
    assert (await checked.send("GET", one))["status"] == "in-progress"
    assert (await checked.send("POST", one, [("Twiml", TWIML)]))["status"] == "in-progress"
    assert (await checked.send("POST", one, [("Status", "completed")]))["status"] == "completed"
    over = await checked.send("GET", one)
    assert int(over["duration"]) >= 1
    assert over["end_time"].endswith("+0000")


async def test_lists_and_their_pages_match_the_description(checked: Checked):
    for n in range(3):
        await checked.send("POST", LIST, order(f"+861380013800{n}"))
    page = await checked.send("GET", f"{LIST}?PageSize=2")
    assert [len(page["calls"]), page["page"], page["page_size"]] == [2, 0, 2]
    rest = await checked.send("GET", page["next_page_uri"])
    assert [len(rest["calls"]), rest["next_page_uri"]] == [1, None]
    assert len((await checked.send("GET", f"{LIST}?To=%2B8613800138001"))["calls"]) == 1


async def test_a_deleted_record_is_gone_as_described(checked: Checked):
    made = await checked.send("POST", LIST, order())
    one = f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{made['sid']}.json"
    await checked.send("POST", one, [("Status", "canceled")])
    assert await checked.send("DELETE", one) is None
    assert (await checked.send("GET", LIST))["calls"] == []


async def test_a_recording_in_every_state_matches_the_description(carrier: RunningCarrier, checked: Checked):
    assert isinstance(carrier.line, DeviceLine)
    phone = carrier.line.phone("+8613800138000")
    recorded = [("Record", "true"), ("RecordingChannels", "dual"), ("RecordingTrack", "both")]
    made = await checked.send("POST", LIST, [*order(), *recorded])
    call = await phone.rings()
    call.answer()
    listed = await checked.send("GET", f"{RECORDINGS}.json?CallSid={made['sid']}")
    (one,) = listed["recordings"]
    assert (one["status"], one["duration"]) == ("processing", None)
    assert call.recorder is not None
    call.recorder.sound(bytes(2 * 8000))
    call.recorder.over()
    address = f"{RECORDINGS}/{one['sid']}.json"
    over = await checked.send("GET", address)
    assert (over["status"], over["duration"], over["source"]) == ("completed", "1", "OutboundAPI")
    assert await checked.send("DELETE", address) is None
    assert (await checked.send("GET", f"{RECORDINGS}.json"))["recordings"] == []


def text(to: str = "+8613800138000", body: str = "请先不要转账。") -> list[tuple[str, str]]:
    return [
        ("To", to),
        ("From", "+8647896110"),
        ("Body", body),
        ("StatusCallback", "http://127.0.0.1:9/message"),
    ]


async def test_a_message_in_every_state_matches_the_description(carrier: RunningCarrier, checked: Checked):
    made = await checked.send("POST", MESSAGES, text())
    one = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{made['sid']}.json"
    assert (made["status"], made["num_segments"], made["date_sent"]) == ("queued", "1", None)
    seen = {(await checked.send("GET", one))["status"]}
    kept = carrier.texts.find(made["sid"])
    assert kept is not None
    while kept.status.value != "delivered":
        await asyncio.sleep(0.01)
        seen.add((await checked.send("GET", one))["status"])
    last = await checked.send("GET", one)
    assert {*seen, last["status"]} == {"queued", "sent", "delivered"}
    assert last["date_sent"].endswith("+0000")


async def test_an_undelivered_message_says_why_as_described(carrier: RunningCarrier, checked: Checked):
    made = await checked.send("POST", MESSAGES, text())
    kept = carrier.texts.find(made["sid"])
    assert kept is not None
    kept.status, kept.error_code = TextStatus.UNDELIVERED, 30003
    told = await checked.send("GET", f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{made['sid']}.json")
    assert (told["status"], told["error_code"]) == ("undelivered", 30003)


async def test_lists_of_messages_and_their_pages_match_the_description(checked: Checked):
    for n in range(3):
        await checked.send("POST", MESSAGES, text(f"+861380013800{n}"))
    page = await checked.send("GET", f"{MESSAGES}?PageSize=2")
    assert [len(page["messages"]), page["page"], page["page_size"]] == [2, 0, 2]
    rest = await checked.send("GET", page["next_page_uri"])
    assert [len(rest["messages"]), rest["next_page_uri"]] == [1, None]
    assert len((await checked.send("GET", f"{MESSAGES}?To=%2B8613800138001"))["messages"]) == 1
