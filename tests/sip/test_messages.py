"""SIP messages that are lost, doubled or come in the middle of a call; the whole matrix of refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrier.lines.sip.trunks import BY_STATUS, SipEnd, cause_of
from carrier.live_call import FINALS
from tests.carrier.stage import HANGUP
from tests.carrier.test_tones import on_the_line, silence, tone_of_key
from tests.sip.conftest import MakePeer, OnTrunks, trunk_to
from tests.sip.peers import (
    acknowledge,
    answer,
    answer_again,
    answer_as,
    description,
    expect,
    hang_up,
    info_bare_key,
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
from tests.sip.registrar import Network, Rule, doubles, loses_the_first

ASKS = "<Response><Gather numDigits='1' action='/next' timeout='10'></Gather></Response>"


def loses_three_acknowledgements(kind: str, nth: int) -> int:
    """The stack repeated an ACK as an empty datagram: the far side hung up after 32 seconds."""
    return 0 if kind == "ACK" and nth <= 3 else 1


@pytest.mark.parametrize("rule", [loses_the_first, loses_three_acknowledgements, doubles])
async def test_messages_that_are_lost_or_doubled_make_one_call_with_one_key(
    peer: MakePeer, on_trunks: OnTrunks, rule: Rule
):
    phone = await peer(ring(), pause(300), answer(), pause(600), info_key("5"), expect("BYE"), pause(1200))
    network = await Network(phone, rule).ready()
    view = await on_trunks(trunk_to(network))
    view.app.documents["/start"] = ASKS
    view.app.documents["/next"] = HANGUP
    sid = await view.call()
    final = await view.app.final(sid)
    await until(lambda: "200 BYE" in network.kinds, "the BYE is answered")
    network.close()
    assert final["CallStatus"] == "completed"
    said = view.app.statuses_of(sid)
    assert [one for one in said if one != "ringing"] == ["initiated", "in-progress", "completed"]
    assert [one.params["Digits"] for one in view.app.at("/next")] == ["5"]
    dialogs = {line for line in phone.messages.splitlines() if line.startswith("Call-ID:")}
    assert len(dialogs) == 1
    assert {"INVITE", "ACK", "BYE", "200 INVITE", "INFO"} <= network.kinds.keys()


async def test_the_answer_of_a_second_telephone_is_acknowledged_and_its_call_ended_at_once(
    peer: MakePeer, on_trunks: OnTrunks
):
    """It stayed unanswered: a person who took the call heard nothing for 32 seconds."""
    phone = await peer(
        ring(), answer(), answer_again("second"), '<recv request="ACK" timeout="30000"/>', expect("BYE"),
        pause(200), hang_up(),
    )  # fmt: skip
    view = await on_trunks(trunk_to(phone))
    view.app.documents["/start"] = ASKS
    assert (await view.app.final(await view.call()))["CallStatus"] == "completed"
    assert await phone.done() == 0, "the first call goes on until its person hangs up"
    ended = [part for part in phone.messages.split("-----") if "\nBYE sip:127.0.0.1:" in part]
    assert all("tag=second" in bye for bye in ended)


async def test_a_call_that_is_renegotiated_goes_on_and_its_keys_still_count(
    peer: MakePeer, on_trunks: OnTrunks
):
    again = send_in_dialog("INVITE", body=description(), kind="application/sdp")
    phone = await peer(
        ring(), answer(), pause(300), again, acknowledge(), pause(300), info_key("7"), expect("BYE")
    )
    view = await on_trunks(trunk_to(phone))
    view.app.documents["/start"] = ASKS
    view.app.documents["/next"] = HANGUP
    final = await view.app.final(await view.call())
    assert final["CallStatus"] == "completed"
    assert [one.params["Digits"] for one in view.app.at("/next")] == ["7"]
    assert await phone.done() == 0


async def test_a_key_by_info_whose_body_is_the_key_alone_counts(peer: MakePeer, on_trunks: OnTrunks):
    """The stack refuses it, and it was lost."""
    phone = await peer(ring(), answer(), pause(300), info_bare_key("7"), expect("BYE"))
    view = await on_trunks(trunk_to(phone))
    view.app.documents["/start"] = ASKS
    view.app.documents["/next"] = HANGUP
    assert (await view.app.final(await view.call()))["CallStatus"] == "completed"
    assert [one.params["Digits"] for one in view.app.at("/next")] == ["7"]
    assert await phone.done() == 0


@pytest.mark.parametrize(("events", "digits"), [("", "7"), (" 101\na=rtpmap:101 telephone-event/8000", "5")])
async def test_a_key_as_a_tone_counts_where_the_answer_names_no_key_events(
    peer: MakePeer, on_trunks: OnTrunks, tmp_path: Path, events: str, digits: str
):
    """Where it names them a tone is what the person says, and only the key by INFO counts."""
    key = play_samples(tmp_path, "key", on_the_line([*tone_of_key("7", seconds=0.12), *silence(0.2)]))
    phone = await peer(
        ring(), answer_as(f"m=audio [media_port] RTP/AVP 8{events}\na=rtpmap:8 PCMA/8000"), pause(500), key,
        pause(1000), info_key("5"), expect("BYE"),
    )  # fmt: skip
    view = await on_trunks(trunk_to(phone))
    view.app.documents["/start"] = ASKS
    view.app.documents["/next"] = "<Response><Pause length='3'/><Hangup/></Response>"
    assert (await view.app.final(await view.call()))["CallStatus"] == "completed"
    assert [one.params["Digits"] for one in view.app.at("/next")] == [digits]
    assert await phone.done() == 0


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
async def test_a_key_counts_when_the_person_takes_the_call_back_from_hold_not_before(
    peer: MakePeer, on_trunks: OnTrunks, direction: str
):
    hold = send_in_dialog("INVITE", body=description(direction=direction), kind="application/sdp")
    back = send_in_dialog("INVITE", body=description(), kind="application/sdp")
    phone = await peer(
        ring(), answer(), pause(300), hold, acknowledge(), pause(300), info_key("1"), pause(300),
        back, acknowledge(), pause(300), info_key("7"), expect("BYE"),
    )  # fmt: skip
    view = await on_trunks(trunk_to(phone))
    view.app.documents["/start"] = ASKS
    view.app.documents["/next"] = HANGUP
    final = await view.app.final(await view.call())
    assert final["CallStatus"] == "completed"
    assert [one.params["Digits"] for one in view.app.at("/next")] == ["7"]
    assert await phone.done() == 0


async def test_a_prompt_goes_on_after_a_renegotiation_and_is_heard_to_its_end(
    peer: MakePeer, on_trunks: OnTrunks
):
    again = send_in_dialog("INVITE", body=description(), kind="application/sdp")
    phone = await peer(ring(), answer(), pause(300), again, acknowledge(), expect("BYE"))
    view = await on_trunks(trunk_to(phone))
    view.app.documents["/start"] = (
        "<Response><Say>one two three four five</Say><Redirect>/next</Redirect></Response>"
    )
    view.app.documents["/next"] = HANGUP
    assert (await view.app.final(await view.call()))["CallStatus"] == "completed"
    assert len(view.app.at("/next")) == 1


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
async def test_what_a_person_was_to_hear_on_hold_is_told_as_not_played(
    peer: MakePeer, on_trunks: OnTrunks, direction: str
):
    hold = send_in_dialog("INVITE", body=description(direction=direction), kind="application/sdp")
    phone = await peer(ring(), answer(), pause(300), hold, acknowledge(), pause(500), hang_up())
    view = await on_trunks(trunk_to(phone))
    view.app.documents["/start"] = "<Response><Play>/said.wav</Play></Response>"
    view.app.documents["/said.wav"] = prompt()
    final = await view.app.final(await view.call())
    assert (final["CallStatus"], final.get("X-Unplayed")) == ("completed", "true")


async def test_a_second_bye_and_a_key_after_the_end_change_nothing(peer: MakePeer, on_trunks: OnTrunks):
    phone = await peer(ring(), answer(), pause(200), hang_up(), play("dtmf_2833_1"), pause(300))
    view = await on_trunks(trunk_to(phone))
    view.app.documents["/start"] = ASKS
    sid = await view.call()
    assert (await view.app.final(sid))["CallStatus"] == "completed"
    await until(lambda: line_of(view.carrier).board.states["one"].in_use == 0, "the channel is free")
    assert view.app.at("/next") == []


WORDS = {
    400: "Bad Request", 403: "Forbidden", 404: "Not Found", 406: "Not Acceptable", 408: "Request Timeout",
    410: "Gone", 415: "Unsupported Media Type", 420: "Bad Extension", 423: "Interval Too Brief",
    480: "Temporarily Unavailable", 481: "No Such Call", 482: "Loop Detected", 483: "Too Many Hops",
    484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here", 487: "Request Terminated",
    488: "Not Acceptable Here", 500: "Server Internal Error", 501: "Not Implemented", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Server Time-out", 513: "Message Too Large", 580: "Precondition Failure",
    600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable",
    607: "Unwanted",
}  # fmt: skip


async def test_every_status_that_a_trunk_may_answer_has_the_result_of_the_table(
    peer: MakePeer, on_trunks: OnTrunks
):
    """One carrier, one peer a status; a trunk each, so that no trunk rests."""
    assert BY_STATUS.keys() <= WORDS.keys()
    trunks = []
    for n, (status, words) in enumerate(WORDS.items()):
        at = await peer(ring(), refuse(f"{status} {words}"))
        trunks.append(trunk_to(at, name=f"t{status}", prefixes={f"+86138001380{n:02d}": f"{status}"}))
    view = await on_trunks(*trunks)
    sids = {status: await view.call(f"+86138001380{n:02d}") for n, status in enumerate(WORDS)}
    got = {}
    for status, sid in sids.items():
        final = await view.app.final(sid)
        got[status] = (final["CallStatus"], int(final["SipResponseCode"]))
    wanted = {}
    for status in WORDS:
        call_status, code = FINALS[cause_of(SipEnd(status=status))]
        wanted[status] = (call_status.value, code)
    assert got == wanted
