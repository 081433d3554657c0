"""Calls out over SIP against sipp as the person: how they end, keys, barge-in, prompts."""

from __future__ import annotations

import pytest

from tests.carrier.stage import HANGUP
from tests.sip.conftest import MakePeer, OnTrunks, trunk_to
from tests.sip.peers import answer, expect, hang_up, pause, refuse, ring


async def test_a_call_rings_is_answered_and_hung_up_by_the_document(peer: MakePeer, on_trunks: OnTrunks):
    phone = await peer(ring(), pause(100), answer(), expect("BYE"))
    view = await on_trunks(trunk_to(phone))
    view.app.documents["/start"] = HANGUP
    sid = await view.call()
    final = await view.app.final(sid)
    assert view.app.statuses_of(sid) == ["initiated", "ringing", "in-progress", "completed"]
    assert (final["CallStatus"], final["SipResponseCode"]) == ("completed", "200")
    assert await phone.done() == 0
    assert "INVITE sip:13800138000@" in phone.messages
    assert "From: <sip:047896110@" in phone.messages
    assert "P-Asserted-Identity: <sip:047896110@127.0.0.1>" in phone.messages


@pytest.mark.parametrize(
    ("status", "reason", "call_status", "code", "line_result"),
    [
        ("486 Busy Here", "", "busy", "486", None),
        ("603 Decline", "", "busy", "603", None),
        ("480 Temporarily Unavailable", "Q.850;cause=20", "failed", "480", "powered_off"),
        ("404 Not Found", "", "failed", "404", None),
        ("503 Service Unavailable", "Q.850;cause=34", "failed", "403", None),
    ],
)
async def test_a_refusal_has_its_result(
    peer: MakePeer,
    on_trunks: OnTrunks,
    status: str,
    reason: str,
    call_status: str,
    code: str,
    line_result: str | None,
):
    phone = await peer(ring(), refuse(status, reason))
    view = await on_trunks(trunk_to(phone))
    final = await view.app.final(await view.call())
    assert (final["CallStatus"], final["SipResponseCode"]) == (call_status, code)
    assert final.get("X-LineResult") == line_result


async def test_a_person_hangs_up(peer: MakePeer, on_trunks: OnTrunks):
    phone = await peer(ring(), answer(), pause(300), hang_up())
    view = await on_trunks(trunk_to(phone))
    view.app.documents["/start"] = "<Response><Pause length='30'/></Response>"
    final = await view.app.final(await view.call())
    assert (final["CallStatus"], final["SipResponseCode"]) == ("completed", "200")
    assert await phone.done() == 0
