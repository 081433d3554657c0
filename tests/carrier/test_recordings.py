"""Recordings of calls: both sides in one file, Twilio's resource and callbacks, encrypted on the disk, deleted."""

from __future__ import annotations

import audioop
import io
import math
import struct
import time
import wave
from pathlib import Path

import pytest
from aiohttp import BasicAuth
from twilio.base.exceptions import TwilioRestException

from carrier.calls import Call, CallOrder, RestProblem
from carrier.config import ServiceClock
from carrier.lines.sound import (
    OURS,
    PERSON,
    TwoSides,
    key_tone,
    telephone_samples,
    wav_of,
    wav_of_sides,
)
from carrier.people import Behaviour, Pickup
from carrier.recordings import Recordings
from tests.carrier.stage import ACCOUNT, TO, TOKEN, DeskView, Start

PERSON_WHO_PRESSES = Behaviour(
    name="presses",
    share=1,
    keys=("1",),
    key_after_seconds=(2.5, 2.5),
    answer_after_seconds=(1.0, 1.0),
)
ASKS = "<Response><Gather numDigits='1' timeout='4' action='/answered'><Play>/said.wav</Play></Gather></Response>"


def beep(hertz: int, seconds: float = 2.0) -> bytes:
    samples = (round(8000 * math.sin(2 * math.pi * hertz * n / 8000)) for n in range(round(8000 * seconds)))
    return b"".join(struct.pack("<h", sample) for sample in samples)


def sides_of(wav: bytes) -> tuple[bytes, bytes]:
    """The samples of both channels."""
    assert wav[20:24] == struct.pack("<HH", 6, 2), "A-law, two channels"
    data = wav[wav.index(b"data") + 8 :]
    return audioop.alaw2lin(data[0::2], 2), audioop.alaw2lin(data[1::2], 2)


async def wav_at(view: DeskView, sid: str, query: str = "") -> tuple[int, bytes]:
    address = f"{view.carrier.base_url}/2010-04-01/Accounts/{ACCOUNT}/Recordings/{sid}.wav{query}"
    async with view.session.get(address, auth=BasicAuth(ACCOUNT, TOKEN)) as answer:
        return answer.status, await answer.read()


async def recorded(view: DeskView, **order: object) -> tuple[str, dict[str, str]]:
    """A call that is recorded, and what the callback said when the recording was there."""
    sid = await view.call(
        record=True,
        recording_channels="dual",
        recording_status_callback=f"{view.app.base}/recording",
        recording_status_callback_event=["in-progress", "completed", "absent"],
        **order,
    )
    await view.app.final(sid)

    def over() -> list[dict[str, str]]:
        told = [one.params for one in view.app.at("/recording") if one.params["CallSid"] == sid]
        return [one for one in told if one["RecordingStatus"] != "in-progress"]

    await view.app.until(lambda: bool(over()))
    return sid, over()[0]


async def test_both_sides_are_in_the_file_of_the_resource(bench: Start):
    view = await bench(PERSON_WHO_PRESSES, clock=ServiceClock(speed=4))
    said = beep(1000)
    view.app.documents["/start"] = ASKS
    view.app.documents["/answered"] = "<Response><Hangup/></Response>"
    view.app.documents["/said.wav"] = wav_of(said)
    call_sid, told = await recorded(view)
    assert [one.params["RecordingStatus"] for one in view.app.at("/recording")] == [
        "in-progress",
        "completed",
    ]
    assert all(one.signed for one in view.app.at("/recording"))
    assert told["RecordingSource"] == "OutboundAPI"
    assert told["RecordingChannels"] == "2"
    assert told["RecordingUrl"].endswith(f"/2010-04-01/Accounts/{ACCOUNT}/Recordings/{told['RecordingSid']}")
    listed = await view.client.recordings.list_async(call_sid=call_sid)
    assert [(one.sid, one.status, one.channels) for one in listed] == [(told["RecordingSid"], "completed", 2)]
    assert listed[0].duration == told["RecordingDuration"]
    assert [one.sid for one in await view.client.calls(call_sid).recordings.list_async()] == [listed[0].sid]
    assert await view.client.recordings.list_async(call_sid="CA" + "0" * 32) == []
    status, wav = await wav_at(view, told["RecordingSid"])
    assert status == 200
    person, ours = sides_of(wav)
    # The prompt is at the beginning on our side, and the key was pressed after it on the person's.
    heard = telephone_samples(wav_of(said))
    place, _ = audioop.findfit(ours, heard[: 2 * 8000])
    assert place < 8000
    assert audioop.rms(person[: 2 * 8000], 2) < 50
    at, _ = audioop.findfit(person, key_tone("1"))
    assert 2.0 <= at / 8000 <= 4.0, at / 8000
    assert abs(len(person) / 16000 - int(told["RecordingDuration"])) <= 1


async def test_one_channel_has_both_sides(bench: Start):
    view = await bench(PERSON_WHO_PRESSES, clock=ServiceClock(speed=4))
    view.app.documents["/start"] = ASKS
    view.app.documents["/said.wav"] = wav_of(beep(1000))
    _, told = await recorded(view)
    status, wav = await wav_at(view, told["RecordingSid"], "?RequestedChannels=1")
    assert (status, wav[20:24]) == (200, struct.pack("<HH", 6, 1))
    assert audioop.rms(telephone_samples(wav)[: 2 * 8000], 2) > 1000
    assert (await wav_at(view, told["RecordingSid"], "?RequestedChannels=3"))[0] == 400


async def test_what_was_cut_off_is_not_in_the_recording(bench: Start):
    """The key stops the prompt: the rest of it was not heard."""
    view = await bench(PERSON_WHO_PRESSES, clock=ServiceClock(speed=4))
    view.app.documents["/start"] = ASKS
    view.app.documents["/answered"] = "<Response><Pause length='3'/></Response>"
    view.app.documents["/said.wav"] = wav_of(beep(1000, seconds=20))
    _, told = await recorded(view)
    _, ours = sides_of((await wav_at(view, told["RecordingSid"]))[1])
    assert 3 <= int(told["RecordingDuration"]) <= 8
    assert audioop.rms(ours[: 2 * 8000], 2) > 1000
    assert audioop.rms(ours[-2 * 8000 :], 2) < 50


async def test_no_call_is_recorded_that_was_not_to_be(bench: Start):
    view = await bench(PERSON_WHO_PRESSES)
    view.app.documents["/start"] = "<Response><Hangup/></Response>"
    await view.app.final(await view.call(recording_status_callback=f"{view.app.base}/recording"))
    assert await view.client.recordings.list_async() == []
    assert view.app.at("/recording") == []


async def test_a_call_that_nobody_answers_has_no_recording(bench: Start):
    view = await bench(Behaviour(name="busy", share=1, pickup=Pickup.BUSY))
    await view.app.final(await view.call(record=True))
    assert await view.client.recordings.list_async() == []


async def test_a_deleted_recording_is_gone_from_the_disk(bench: Start, tmp_path: Path):
    view = await bench(PERSON_WHO_PRESSES)
    view.app.documents["/start"] = "<Response><Pause length='2'/></Response>"
    _, told = await recorded(view)
    sid, folder = told["RecordingSid"], tmp_path / "carrier" / "recordings"
    assert len(list(folder.iterdir())) == 1
    assert await view.client.recordings(sid).delete_async()
    assert list(folder.iterdir()) == []
    assert (await wav_at(view, sid))[0] == 404
    with pytest.raises(TwilioRestException) as refused:
        await view.client.recordings(sid).fetch_async()
    assert refused.value.status == 404
    with pytest.raises(TwilioRestException):
        await view.client.recordings(sid).delete_async()


async def test_the_sound_needs_the_account(bench: Start):
    view = await bench(PERSON_WHO_PRESSES)
    view.app.documents["/start"] = "<Response><Pause length='2'/></Response>"
    _, told = await recorded(view)
    async with view.session.get(told["RecordingUrl"] + ".wav") as answer:
        assert answer.status == 401


async def test_the_disk_holds_nothing_in_clear_and_a_restart_finds_it(bench: Start, tmp_path: Path):
    view = await bench(PERSON_WHO_PRESSES, clock=ServiceClock(speed=4))
    view.app.documents["/start"] = ASKS
    view.app.documents["/said.wav"] = wav_of(beep(1000))
    _, told = await recorded(view)
    _, wav = await wav_at(view, told["RecordingSid"])
    (file,) = (tmp_path / "carrier" / "recordings").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert wav[2000:2200] not in file.read_bytes()
    assert TO[-8:].encode() not in file.read_bytes()
    again = await bench(PERSON_WHO_PRESSES)
    assert (await wav_at(again, told["RecordingSid"]))[1] == wav
    found = await again.client.recordings(told["RecordingSid"]).fetch_async()
    assert (found.status, found.duration) == ("completed", told["RecordingDuration"])


async def test_a_recording_of_a_killed_carrier_is_whole_up_to_the_last_piece(hands: DeskView, bench: Start):
    phone = hands.phones.phone(TO)
    hands.app.documents["/start"] = "<Response><Pause length='30'/></Response>"
    sid = await hands.call(record=True, recording_channels="dual")
    call = await phone.rings()
    call.answer()
    assert call.recorder is not None
    call.recorder.sound(b"\x11\x22" * 20_000)
    call.recorder.sound(b"\x11\x22" * 3)
    (one,) = await hands.client.recordings.list_async(call_sid=sid)
    assert one.status == "processing"
    assert (await wav_at(hands, one.sid or ""))[0] == 404
    with pytest.raises(TwilioRestException):
        await hands.client.recordings(one.sid or "").delete_async()
    again = await bench(PERSON_WHO_PRESSES)
    found = await again.client.recordings(one.sid or "").fetch_async()
    assert (found.status, found.duration) == ("completed", "2")


SOUND = bytes(range(256)) * 250
"""Two seconds of both sides: a piece of its own."""


def a_recording(state_dir: Path) -> tuple[Recordings, str, Path]:
    """Of six seconds: the head, three pieces of sound, the end."""
    recordings = Recordings(state_dir, now=time.time())
    order = CallOrder(to=TO, from_="96110", records=True, recording_channels=2)
    call = Call(sid="CA1", account_sid=ACCOUNT, to=TO, from_="96110", created=0, updated=0, number=1)
    recorder = recordings.begin(call, order, lambda *_: None, source="OutboundAPI")
    for _ in range(3):
        recorder.sound(SOUND)
    recorder.over()
    sid = recorder.recording.sid
    return recordings, sid, recordings.file_of(sid)


def status_of(recordings: Recordings, sid: str) -> int:
    try:
        return 200 if SOUND * 3 in recordings.wav(sid) else 206
    except RestProblem as problem:
        return problem.status


def test_a_recording_that_cannot_be_read_for_a_moment_is_not_said_to_be_gone(tmp_path: Path):
    """Whoever hears that it is gone deletes it."""
    recordings, sid, file = a_recording(tmp_path)
    assert status_of(recordings, sid) == 200
    aside = file.rename(tmp_path / "aside")
    file.mkdir()
    assert status_of(recordings, sid) == 500
    file.rmdir()
    assert status_of(recordings, sid) == 404
    aside.rename(file)
    assert status_of(recordings, sid) == 200


def places_of(data: bytes) -> list[int]:
    """Where each piece of a file begins."""
    places, at = [], 0
    while at < len(data):
        places.append(at)
        at += 4 + struct.unpack_from("<I", data, at)[0]
    return places


@pytest.mark.parametrize(
    ("what", "after_a_restart"),
    [("sound", 500), ("length", 500), ("piece", 500), ("head", 404), ("end", 206)],
)
def test_a_damaged_recording_is_not_sent_as_if_it_were_whole(tmp_path: Path, what: str, after_a_restart: int):
    recordings, sid, file = a_recording(tmp_path)
    data = bytearray(file.read_bytes())
    _, first, second, third, _ = places_of(data)
    if what == "sound":
        data[second + 100] ^= 1
    elif what == "length":
        data[second + 2] ^= 0x40
    elif what == "piece":
        del data[second:third]
    elif what == "head":
        del data[:first]
    else:
        del data[third + 100 :]
    file.write_bytes(data)
    assert status_of(recordings, sid) == 500
    again = Recordings(tmp_path, now=time.time())
    assert status_of(again, sid) == after_a_restart, "what a kill leaves at the end is sent"
    if after_a_restart == 500:
        assert [one.status for one in again.newest_first()] == ["completed"], "or it would be taken for none"
    assert file.read_bytes() == data


async def test_nothing_recorded_is_absent_with_twilios_code(hands: DeskView):
    phone = hands.phones.phone(TO)
    sid = await hands.call(
        record=True,
        recording_status_callback=f"{hands.app.base}/recording",
        recording_status_callback_event=["absent"],
    )
    call = await phone.rings()
    call.answer()
    call.hang_up_phone()
    assert call.recorder is not None
    call.recorder.over()
    await hands.app.until(lambda: bool(hands.app.at("/recording")))
    told = hands.app.at("/recording")[0].params
    assert (told["RecordingStatus"], told["ErrorCode"], told["CallSid"]) == ("absent", "16101", sid)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("recording_channels", "quadro"),
        ("recording_track", "inbound"),
        ("recording_status_callback_event", ["started"]),
        ("recording_status_callback", "ftp://example.com"),
    ],
)
async def test_an_order_that_cannot_be_carried_out_is_refused(bench: Start, name: str, value: object):
    view = await bench(PERSON_WHO_PRESSES)
    with pytest.raises(TwilioRestException) as refused:
        await view.call(record=True, **{name: value})
    assert refused.value.status == 400


OFFICER = "+8604788888001"
DIALS = (
    "<Response><Dial action='/dialled' record='record-from-answer-dual' recordingStatusCallback='{base}/recording'"
    " recordingStatusCallbackEvent='completed absent'><Number url='/notice'>"
    + OFFICER
    + "</Number></Dial></Response>"
)
STAYS = Behaviour(name="stays", share=1, answer_after_seconds=(1.0, 1.0), hang_up_after_seconds=(20.0, 20.0))


async def dialled(view: DeskView, *, document: str = DIALS) -> tuple[str, dict[str, str]]:
    """A call that dials the officer, and what the action of its Dial was told."""
    view.carrier.line.assign(OFFICER, STAYS)  # type: ignore[attr-defined]  # it is simulated here
    view.app.documents["/start"] = document.format(base=view.app.base)
    view.app.documents["/dialled"] = "<Response><Hangup/></Response>"
    sid = await view.call()
    await view.app.final(sid)
    return sid, view.app.at("/dialled")[0].params


async def test_a_dialled_leg_is_recorded_with_what_it_heard_before_it_was_connected(bench: Start):
    """As Twilio's: listed under the call that dialled, the caller's channel first."""
    view = await bench(
        Behaviour(name="waits", share=1, answer_after_seconds=(1.0, 1.0)), clock=ServiceClock(speed=4)
    )
    said = beep(1000)
    view.app.documents["/notice"] = "<Response><Play>/said.wav</Play></Response>"
    view.app.documents["/said.wav"] = wav_of(said)
    sid, ended = await dialled(view)
    await view.app.until(lambda: bool(view.app.at("/recording")))
    told = view.app.at("/recording")[0].params
    assert (told["CallSid"], told["RecordingStatus"], told["RecordingSource"]) == (
        sid,
        "completed",
        "DialVerb",
    )
    assert ended["RecordingUrl"] == told["RecordingUrl"]
    (notice,) = view.app.at("/notice")
    assert notice.signed
    assert (notice.params["ParentCallSid"], notice.params["CallSid"]) == (sid, ended["DialCallSid"])
    (listed,) = await view.client.recordings.list_async(call_sid=sid)
    assert (listed.sid, listed.source, listed.channels) == (told["RecordingSid"], "DialVerb", 2)
    _, wav = await wav_at(view, told["RecordingSid"])
    caller, officer = sides_of(wav)
    heard = telephone_samples(wav_of(said))
    place, _ = audioop.findfit(caller, heard[: 2 * 8000])
    assert place < 5 * 8000, "before the two are connected"
    assert audioop.rms(officer, 2) < 50
    again = await bench(STAYS)
    assert (await wav_at(again, told["RecordingSid"]))[1] == wav, "the channels are the same after a restart"


async def test_a_leg_that_cannot_be_told_is_not_connected(bench: Start):
    view = await bench(
        Behaviour(name="waits", share=1, answer_after_seconds=(1.0, 1.0)), clock=ServiceClock(speed=10)
    )
    view.app.statuses["/notice"] = [500] * 9
    sid, ended = await dialled(view)
    assert ended["DialCallStatus"] == "completed"
    errors = view.carrier.exchange.errors
    assert errors[11200] == 1
    assert int(ended["DialCallDuration"]) < 20, "the officer stays for 20 s"
    assert (await view.client.calls(sid).fetch_async()).status == "completed"


async def test_an_unanswered_or_unrecorded_dial_has_no_recording(bench: Start):
    view = await bench(
        Behaviour(name="waits", share=1, answer_after_seconds=(1.0, 1.0)), clock=ServiceClock(speed=10)
    )
    view.app.documents["/notice"] = "<Response/>"
    _, ended = await dialled(view, document=DIALS.replace("record-from-answer-dual", "do-not-record"))
    assert ended["DialCallStatus"] == "completed"
    assert "RecordingUrl" not in ended
    view.carrier.line.assign(OFFICER, Behaviour(name="busy", share=1, pickup=Pickup.BUSY))  # type: ignore[attr-defined]
    view.app.documents["/start"] = DIALS.format(base=view.app.base)
    await view.app.final(await view.call())
    assert view.app.at("/dialled")[1].params["DialCallStatus"] == "busy"
    assert await view.client.recordings.list_async() == []
    assert view.app.at("/recording") == []


def test_each_side_keeps_its_place():
    sides = TwoSides()
    sides.put(OURS, beep(500, 1.0), begins=1.0)
    sides.follow(PERSON, beep(700, 0.5), ends=1.0)
    sides.follow(PERSON, beep(700, 0.5), ends=1.52)  # a little late: no gap
    sides.follow(PERSON, beep(700, 0.5), ends=3.0)  # much later: silence between
    first, rest = sides.take(1.5), sides.take(3.5)
    assert (len(first), len(rest)) == (2 * 12_000, 2 * 16_000)
    person, ours = sides_of(wav_of_sides(first + rest, channels=2))
    assert [audioop.rms(ours[16_000 * n : 16_000 * (n + 1)], 2) > 1000 for n in range(3)] == [
        False,
        True,
        False,
    ]
    half = [audioop.rms(person[8000 * n : 8000 * (n + 1)], 2) > 1000 for n in range(7)]
    assert half == [False, True, True, False, False, True, False]


def test_a_wav_file_is_read_by_others(tmp_path: Path):
    """One channel of 16 bit, after A-law: the header is what other programs expect."""
    sound = TwoSides()
    sound.put(PERSON, beep(500, 1.0), begins=0.0)
    wav = wav_of_sides(sound.take(1.0), channels=1)
    made = io.BytesIO(wav_of(telephone_samples(wav)))
    with wave.open(made) as file:
        assert (file.getframerate(), file.getnframes()) == (8000, 8000)
    assert struct.unpack_from("<I", wav, 4)[0] == len(wav) - 8


def test_only_keys_of_a_telephone_have_a_tone():
    assert len({key_tone(key) for key in "0123456789*#"}) == 12
    assert key_tone("x") == b""
