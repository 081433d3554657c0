"""Calls out over SIP against sipp as the person: how they end, keys, barge-in, prompts."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrier.lines.sound import BYTES_A_SECOND
from tests.carrier.stage import HANGUP
from tests.sip.conftest import MakePeer, MakePerson, OnTrunks, trunk_to
from tests.sip.peers import (
    acknowledge,
    answer,
    description,
    expect,
    hang_up,
    info_key,
    line_of,
    pause,
    play,
    play_samples,
    prompt,
    refuse,
    ring,
    send_in_dialog,
    until,
)


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


async def test_a_redirect_is_not_followed(peer: MakePeer, on_trunks: OnTrunks):
    elsewhere = await peer(ring(), refuse("486 Busy Here"))
    moved = refuse("302 Moved Temporarily").replace(
        "Content-Length", f"Contact: <sip:+88216000000@127.0.0.1:{elsewhere.port}>\nContent-Length"
    )
    phone = await peer(ring(), moved)
    view = await on_trunks(trunk_to(phone))
    final = await view.app.final(await view.call())
    assert "INVITE" not in elsewhere.messages
    assert (final["CallStatus"], final["SipResponseCode"]) == ("failed", "403")


async def test_a_person_hangs_up(peer: MakePeer, on_trunks: OnTrunks):
    phone = await peer(ring(), answer(), pause(300), hang_up())
    view = await on_trunks(trunk_to(phone))
    view.app.documents["/start"] = "<Response><Pause length='30'/></Response>"
    final = await view.app.final(await view.call())
    assert (final["CallStatus"], final["SipResponseCode"]) == ("completed", "200")
    assert await phone.done() == 0


async def test_keys_come_by_rtp_and_by_info_and_a_key_stops_the_prompt(peer: MakePeer, on_trunks: OnTrunks):
    phone = await peer(
        ring(), answer(), pause(300), play("dtmf_2833_1"), pause(1500), info_key("5"), expect("BYE")
    )
    view = await on_trunks(trunk_to(phone))
    view.app.documents["/start"] = (
        "<Response><Gather numDigits='1' action='/next'><Say>a sentence that is far longer than the wait for a key,"
        " and goes on and on and on, so that the key must stop it</Say></Gather></Response>"
    )
    view.app.documents["/next"] = (
        "<Response><Gather numDigits='1' action='/last' timeout='10'></Gather></Response>"
    )
    view.app.documents["/last"] = HANGUP
    await view.app.final(await view.call())
    assert [one.params["Digits"] for one in (*view.app.at("/next"), *view.app.at("/last"))] == ["1", "5"]
    assert await phone.done() == 0


async def test_a_key_during_a_question_that_is_spoken_to_its_end_is_its_answer(
    peer: MakePeer, on_trunks: OnTrunks
):
    phone = await peer(ring(), answer(), pause(300), play("dtmf_2833_1"), expect("BYE"))
    view = await on_trunks(trunk_to(phone))
    view.app.documents |= {
        "/start": (
            "<Response><Gather bargeIn='false' numDigits='1' timeout='9' action='/last'><Play>/said.wav</Play></Gather>"
            "</Response>"
        ),
        "/last": HANGUP,
        "/said.wav": prompt(),
    }
    final = await view.app.final(await view.call())
    assert [one.params["Digits"] for one in view.app.at("/last")] == ["1"]
    assert int(final["CallDuration"]) < 9, "nobody waits for a key that has come"
    assert await phone.done() == 0


async def test_a_phone_that_rings_too_long_gets_cancel(peer: MakePeer, on_trunks: OnTrunks):
    phone = await peer(ring(), expect("CANCEL"), refuse("487 Request Terminated"))
    view = await on_trunks(trunk_to(phone))
    final = await view.app.final(await view.call(timeout=1))
    assert (final["CallStatus"], final["SipResponseCode"]) == ("no-answer", "487")
    await until(lambda: line_of(view.carrier).board.states["one"].in_use == 0, "the channel is free")


async def test_an_answer_that_crosses_the_cancel_is_hung_up(peer: MakePeer, on_trunks: OnTrunks):
    phone = await peer(ring(), '<recv request="CANCEL"/>', answer(), expect("BYE"))
    view = await on_trunks(trunk_to(phone))
    final = await view.app.final(await view.call(timeout=1))
    assert final["CallStatus"] == "no-answer"
    await until(lambda: "BYE sip:" in phone.messages, "the call that nobody wants is ended")
    await until(lambda: line_of(view.carrier).board.states["one"].in_use == 0, "the channel is free")


async def test_a_call_in_which_nothing_is_heard_is_ended_as_ours(peer: MakePeer, on_trunks: OnTrunks):
    phone = await peer(ring(), answer(), expect("BYE"))
    view = await on_trunks(trunk_to(phone), silent_seconds=1.0)
    view.app.documents["/start"] = "<Response><Pause length='30'/></Response>"
    final = await view.app.final(await view.call())
    assert (final["CallStatus"], final["X-LineResult"]) == ("completed", "no_sound")
    await until(lambda: bool(line_of(view.carrier).qualities), "the call is measured")
    assert line_of(view.carrier).qualities[-1]["one_way"]


async def test_a_call_whose_far_side_has_vanished_is_over(
    peer: MakePeer, on_trunks: OnTrunks, tmp_path: Path
):
    """A trunk that was cut off sends no BYE: the call stayed up until its time limit, an hour for one from a desk."""
    phone = await peer(
        ring(), answer(), play_samples(tmp_path, "short", bytes(BYTES_A_SECOND)), expect("BYE")
    )
    view = await on_trunks(trunk_to(phone), lost_seconds=2)
    view.app.documents["/start"] = "<Response><Pause length='30'/></Response>"
    final = await view.app.final(await view.call())
    assert (final["CallStatus"], final.get("X-LineResult")) == ("completed", None)
    await until(lambda: line_of(view.carrier).board.states["one"].in_use == 0, "the channel is free")


async def test_a_call_on_hold_is_not_lost(peer: MakePeer, on_trunks: OnTrunks, tmp_path: Path):
    hold = send_in_dialog("INVITE", body=description(direction="inactive"), kind="application/sdp")
    sound = play_samples(tmp_path, "short", bytes(BYTES_A_SECOND))
    phone = await peer(
        ring(),
        answer(),
        sound,
        pause(1000),
        hold,
        acknowledge(),
        pause(4500),
        info_key("4"),
        send_in_dialog("INVITE", body=description(), kind="application/sdp"),
        acknowledge(),
        pause(300),
        info_key("5"),
        expect("BYE"),
    )
    view = await on_trunks(trunk_to(phone), lost_seconds=2)
    view.app.documents["/start"] = "<Response><Gather numDigits='1' action='/next' timeout='30'/></Response>"
    view.app.documents["/next"] = HANGUP
    await view.app.final(await view.call())
    assert [one.params["Digits"] for one in view.app.at("/next")] == ["5"]


async def test_a_prompt_is_sent_without_gaps_to_a_phone_that_speaks(person: MakePerson, on_trunks: OnTrunks):
    callee = await person()
    view = await on_trunks(trunk_to(callee))
    view.app.documents["/start"] = "<Response><Play>/said.wav</Play><Hangup/></Response>"
    view.app.documents["/said.wav"] = prompt()
    final = await view.app.final(await view.call())
    assert final["CallStatus"] == "completed"
    await until(lambda: bool(line_of(view.carrier).qualities), "the call is measured")
    quality = line_of(view.carrier).qualities[-1]
    assert quality["gaps"] == 0
    assert not quality["one_way"]


async def test_a_prompt_that_was_put_on_hold_begins_again(
    peer: MakePeer, on_trunks: OnTrunks, tmp_path: Path
):
    """It was spoken into the hold, and counted as not played."""
    hold = send_in_dialog("INVITE", body=description(direction="sendonly"), kind="application/sdp")
    resume = send_in_dialog("INVITE", body=description(), kind="application/sdp")
    sound = play_samples(tmp_path, "short", bytes(BYTES_A_SECOND))
    phone = await peer(
        *(ring(), answer(), sound, pause(1000), hold, acknowledge(), pause(6000), resume, acknowledge()),
        expect("BYE"),
    )
    view = await on_trunks(trunk_to(phone))
    view.app.documents |= {
        "/start": "<Response><Play>/said.wav</Play><Redirect>/next</Redirect></Response>",
        "/said.wav": prompt(),
        "/next": HANGUP,
    }
    final = await view.app.final(await view.call())
    assert [one.params.get("X-Unplayed") for one in view.app.at("/next")] == [None]
    assert int(final["CallDuration"]) >= 10, "a second, six on hold, and the whole prompt"
    assert await phone.done() == 0


async def test_a_call_that_is_left_on_hold_is_hung_up(peer: MakePeer, on_trunks: OnTrunks):
    hold = send_in_dialog("INVITE", body=description(direction="inactive"), kind="application/sdp")
    phone = await peer(ring(), answer(), pause(300), hold, acknowledge(), expect("BYE"))
    view = await on_trunks(trunk_to(phone), hold_seconds=1.0)
    view.app.documents["/start"] = (
        "<Response><Say>words that nobody hears</Say><Pause length='30'/></Response>"
    )
    final = await view.app.final(await view.call())
    assert final["CallStatus"] == "completed"
    assert final["X-Unplayed"] == "true"
    assert await phone.done() == 0


async def test_a_trunk_that_says_only_100_is_given_up_and_no_other_trunk_rings(
    peer: MakePeer, on_trunks: OnTrunks
):
    """It held the line for 90 seconds."""
    phone = await peer(ring("100 Trying"), expect("CANCEL"), refuse("487 Request Terminated"))
    second = await peer(ring(), answer(), expect("BYE"))
    view = await on_trunks(trunk_to(phone), trunk_to(second, name="two", order=2), progress_seconds=1.0)
    sid = await view.call()
    final = await view.app.final(sid)
    assert view.app.statuses_of(sid) == ["initiated", "failed"]
    assert final["SipResponseCode"] == "503"
    line = line_of(view.carrier)
    await until(lambda: line.board.states["one"].in_use == 0, "the channel is free")
    assert line.board.states["one"].ends == {"no_progress": 1}
    assert "INVITE" not in second.messages
