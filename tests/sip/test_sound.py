"""Sound over a trunk: what a person hears is what was said, what they say reaches us, and figures of both."""

from __future__ import annotations

import audioop
import math

from carrier.lines.sound import BYTES_A_SECOND, RATE, telephone_samples
from tests.carrier.stage import DeskView
from tests.sip.conftest import MakePeer, MakePerson, OnTrunks, trunk_to
from tests.sip.peers import answer, line_of, pause, play, prompt, ring, until

HEARD = 0.99


PIECE_SAMPLES = 2000
"""0.25 s: a listener's jitter buffer may shift the sound between two pieces, never lose one."""
_NEAR_SAMPLES = 16


def pieces(said: bytes) -> list[bytes]:
    """The parts of it in which somebody speaks."""
    size = 2 * PIECE_SAMPLES
    return [
        said[at : at + size]
        for at in range(0, len(said) - size + 1, size // 2)
        if audioop.rms(said[at : at + size], 2) > 500
    ]


def place_of(piece: bytes, heard: bytes) -> int:
    """The sample at which the piece fits best. It is looked for in every fourth sample first: the search holds up the
    whole process, and with it the carrier, for a sixteenth of the time.
    """
    few, all_few = (
        audioop.tomono(audioop.tomono(one[: len(one) // 8 * 8], 2, 0.5, 0.5), 2, 0.5, 0.5)
        for one in (piece, heard)
    )
    about, _ = audioop.findfit(all_few, few)
    first = max(0, 4 * about - _NEAR_SAMPLES)
    near = heard[2 * first : 2 * (first + 2 * _NEAR_SAMPLES) + len(piece)]
    at, _ = audioop.findfit(near, piece)
    return int(first + at)


def correlation(piece: bytes, heard: bytes) -> float:
    """Of the piece with the place in `heard` that fits best."""
    at = place_of(piece, heard)
    a, b = (list(memoryview(one).cast("h")) for one in (piece, heard[2 * at : 2 * at + len(piece)]))
    both = sum(x * y for x, y in zip(a, b, strict=True))
    return both / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b) or 1.0)


def fits(said: bytes, heard: bytes) -> list[float]:
    """Of every third piece: each is looked for in all that was heard."""
    return [round(correlation(piece, heard), 4) for piece in pieces(said)[::3]]


async def test_the_whole_prompt_is_heard_as_it_was_said(person: MakePerson, on_trunks: OnTrunks):
    callee = await person()
    view = await on_trunks(trunk_to(callee))
    view.app.documents["/start"] = "<Response><Play>/said.wav</Play><Pause length='1'/><Hangup/></Response>"
    view.app.documents["/said.wav"] = prompt()
    assert (await view.app.final(await view.call()))["CallStatus"] == "completed"
    said = telephone_samples(prompt())
    await until(callee.heard_whole, "baresip has written what it heard")
    found = fits(said, telephone_samples(callee.heard.read_bytes()))
    assert len(found) >= 6
    # The listener's own buffer may slip once on a busy machine; two seconds that are missing are eight pieces.
    assert sum(one < HEARD for one in found) <= 1, found


async def recorded(view: DeskView, seconds: int = 6) -> tuple[bytes, bytes]:
    """A recorded call; the samples of the person, and of what they heard."""
    sid = await view.call(record=True, recording_channels="dual", time_limit=seconds)
    await view.app.final(sid)
    own = view.carrier.exchange.recordings
    await until(
        lambda: all(one.status == "completed" for one in own.newest_first()), "the recording is whole"
    )
    (one,) = own.newest_first(call_sid=sid)
    wav = own.wav(one.sid)
    data = wav[wav.index(b"data") + 8 :]
    person, ours = (audioop.alaw2lin(data[side::2], 2) for side in (0, 1))
    return person, ours


async def test_a_recording_has_the_prompt_and_the_person_each_where_they_belong(
    person: MakePerson, on_trunks: OnTrunks
):
    """The person speaks after two seconds; our prompt begins at once."""
    callee = await person()
    view = await on_trunks(trunk_to(callee))
    view.app.documents["/start"] = "<Response><Play>/said.wav</Play><Pause length='9'/></Response>"
    view.app.documents["/said.wav"] = prompt()
    theirs, ours = await recorded(view)
    said = telephone_samples(prompt())
    found = fits(said[: len(ours)], ours)
    assert len(found) >= 4
    assert sum(one < HEARD for one in found) <= 1, found
    assert abs(len(ours) / BYTES_A_SECOND - 6) < 1
    assert len(ours) == len(theirs)
    spoken = pieces(said)[4]
    assert correlation(spoken, theirs) >= HEARD
    at_theirs = place_of(spoken, theirs)
    at_ours = place_of(spoken, ours)
    assert 1.5 <= (at_theirs - at_ours) / RATE <= 3.5, "they spoke two seconds after us"


async def test_a_prompt_that_is_cut_off_is_recorded_as_far_as_it_was_sent(
    peer: MakePeer, on_trunks: OnTrunks
):
    phone = await peer(
        ring(), answer(), pause(1500), play("dtmf_2833_1"), '<recv request="BYE" timeout="60000"/>'
    )
    view = await on_trunks(trunk_to(phone))
    view.app.documents["/start"] = (
        "<Response><Gather numDigits='1' action='/after'><Play>/said.wav</Play></Gather></Response>"
    )
    view.app.documents["/after"] = "<Response><Pause length='9'/></Response>"
    view.app.documents["/said.wav"] = prompt()
    _, ours = await recorded(view, seconds=5)
    half = BYTES_A_SECOND // 2
    loud = [audioop.rms(ours[at : at + half], 2) > 100 for at in range(0, 4 * BYTES_A_SECOND, half)]
    assert any(loud[:3]), loud
    assert not any(loud[6:]), loud


async def test_an_officer_who_is_connected_is_on_our_side_of_the_recording(
    person: MakePerson, on_trunks: OnTrunks
):
    callee, desk = await person(), await person()
    view = await on_trunks(
        trunk_to(callee, prefixes={"+86138": "138"}),
        trunk_to(desk, name="desk", prefixes={"+86139": "139"}),
    )
    view.app.documents["/start"] = (
        "<Response><Dial timeLimit='6'><Number>+8613900139000</Number></Dial></Response>"
    )
    said = telephone_samples(prompt())
    for side in await recorded(view, seconds=8):
        found = fits(said, side)
        assert sum(one >= HEARD for one in found) >= len(found) // 3 >= 1, found


async def test_both_voices_are_bridged_to_the_duty_desk(person: MakePerson, on_trunks: OnTrunks):
    """Each baresip speaks the same sentence; each hears the other's."""
    callee, desk = await person(), await person()
    view = await on_trunks(
        trunk_to(callee, prefixes={"+86138": "138"}),
        trunk_to(desk, name="desk", prefixes={"+86139": "139"}),
    )
    view.app.documents["/start"] = (
        "<Response><Dial timeLimit='6'><Number>+8613900139000</Number></Dial></Response>"
    )
    assert (await view.app.final(await view.call()))["CallStatus"] == "completed"
    said = telephone_samples(prompt())
    for one in (callee, desk):
        await until(one.heard_whole, "baresip has written what it heard")
        found = fits(said, telephone_samples(one.heard.read_bytes()))
        # Voices are passed on tick by tick: where the machine is busy a piece may have a gap, not all of them.
        assert sum(one >= HEARD for one in found) >= len(found) // 3 >= 1, found


async def test_every_call_keeps_its_figures(peer: MakePeer, on_trunks: OnTrunks):
    phone = await peer(ring(), answer(), play("g711a"), pause(1500), '<recv request="BYE" timeout="60000"/>')
    view = await on_trunks(trunk_to(phone))
    view.app.documents["/start"] = "<Response><Pause length='2'/></Response>"
    sid = await view.call()
    await view.app.final(sid)
    await until(lambda: bool(line_of(view.carrier).qualities), "the call is measured")
    quality = line_of(view.carrier).qualities[-1]
    assert quality["trunk"] == "one"
    assert quality["received"] >= 50
    assert quality["sent"] >= 75
    assert quality["lost"] == 0
    assert 4.0 <= quality["mos"] <= 5.0
    assert 0 <= quality["jitter_ms"] < 50
    assert quality["one_way"] is False
    assert quality["gaps"] == 0
    kept = await view.admin("GET", f"calls/{sid}/quality")
    assert {"trunk": "one", **kept} == quality
