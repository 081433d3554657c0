"""The carrier's webhooks of a call to somebody on duty, and of a text message to them."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from twilio.request_validator import RequestValidator

from dialer.core.notifications import NotificationChannel
from dialer.core.values import Track
from dialer.notifications.actions import claim_due, record_sent
from dialer.server.webhooks import hooks
from tests.notifications.conftest import Station
from tests.server.switchboard import CONFIG, PUBLIC, TOKEN

C = NotificationChannel


class Carrier:
    """Posts what a carrier posts, signed."""

    def __init__(self, station: Station) -> None:
        app = Starlette(routes=[hooks(station.services, CONFIG)])
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=PUBLIC)

    async def post(self, path: str, **fields: str) -> httpx.Response:
        url = f"{PUBLIC}/hooks/{path}"
        signature = RequestValidator(TOKEN).compute_signature(url, fields)
        return await self._client.post(url, data=fields, headers={"X-Twilio-Signature": signature})


@pytest.fixture
def carrier(station: Station) -> Carrier:
    return Carrier(station)


async def test_key_1_signs_for_the_visit(station: Station, carrier: Carrier):
    case_id = station.told()
    station.later(minutes=5)
    [call] = claim_due(station.services, C.CALL)
    said = await carrier.post(f"notification/{call.id}/call", CallSid="CA1")
    assert said.status_code == 200
    assert f"/hooks/notification/{call.id}/key" in said.text
    assert "接受请按一" in said.text
    other = await carrier.post(f"notification/{call.id}/key", CallSid="CA1", Digits="2")
    assert "<Say" not in other.text
    assert station.bureau.assignment_of(case_id, Track.VISIT)["state"] == "open"
    taken = await carrier.post(f"notification/{call.id}/key", CallSid="CA1", Digits="1")
    assert "已接受" in taken.text
    assert station.bureau.assignment_of(case_id, Track.VISIT)["signed_by"] == "ann"
    ended = {"CallSid": "CA1", "CallStatus": "completed", "SequenceNumber": "3"}
    assert (await carrier.post(f"notification/{call.id}/status", **ended)).status_code == 204
    assert station.states(station.ann)["call"] == "accepted"
    assert (await carrier.post(f"notification/{call.id}/other", CallSid="CA1")).status_code == 404


async def test_a_call_that_nobody_answers_has_failed(station: Station, carrier: Carrier):
    station.told()
    station.later(minutes=5)
    [call] = claim_due(station.services, C.CALL)
    ended = {"CallSid": "CA1", "CallStatus": "no-answer", "SequenceNumber": "2"}
    assert (await carrier.post(f"notification/{call.id}/status", **ended)).status_code == 204
    [row] = [row for row in station.rows(station.ann) if row["channel"] == "call"]
    assert (row["state"], row["fault"]) == ("failed", "unanswered")


async def test_a_text_that_is_not_delivered_has_failed(station: Station, carrier: Carrier):
    station.told()
    station.later(minutes=2)
    [text] = claim_due(station.services, C.SMS)
    record_sent(station.services, [text])
    for status, state in (("delivered", "sent"), ("undelivered", "failed")):
        news = {"MessageSid": "SM1", "MessageStatus": status}
        assert (await carrier.post(f"message/{text.id}", **news)).status_code == 204
        assert station.states(station.ann)["sms"] == state
