"""TwiML as played, with the phone in hand: what is heard, what interrupts it, where it leads."""

from __future__ import annotations

import io
import wave

import pytest

from carrier.lines import Cause, LegEvents
from carrier.lines.sound import BYTES_A_SECOND, telephone_samples
from carrier.lines.voice import tone_of
from tests.carrier.device_line import DeviceCall, DeviceLine
from tests.carrier.stage import HANGUP, TO, App, DeskView, Heard, Start

DESK = "+8647800000001"


def wav(seconds: float) -> bytes:
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * int(8000 * seconds))
    return data.getvalue()


async def test_prompts_are_heard_in_order_and_the_end_hangs_up(hands: DeskView, app: App):
    app.documents["/start"] = "<Response><Say>你好</Say><Play>/a.wav</Play><Say>再见</Say></Response>"
    app.documents["/a.wav"] = wav(1.5)
    phone = hands.phones.phone(TO)
    sid = await hands.call()
    call = await phone.rings()
    call.answer()
    for _ in range(3):
        await call.speech()
        call.hear_out()
    last = await app.final(sid)
    assert [clip.text for clip in call.heard] == ["你好", "", "再见"]
    assert call.heard[1].seconds == pytest.approx(1.5)
    assert last["CallStatus"] == "completed"


async def test_audio_is_fetched_once_for_all_calls(hands: DeskView, app: App):
    app.documents["/start"] = "<Response><Play>/a.wav</Play></Response>"
    app.documents["/a.wav"] = wav(0.5)
    phone = hands.phones.phone(TO)
    for _ in range(3):
        sid = await hands.call()
        call = await phone.rings()
        call.answer()
        await call.speech()
        call.hear_out()
        await app.final(sid)
    assert len(app.at("/a.wav")) == 1
    assert app.at("/a.wav")[0].signed


@pytest.mark.parametrize("audio", ["", b"RIFF....", b"ID3 an mp3"])
async def test_audio_that_cannot_be_played_is_skipped_and_counted(
    hands: DeskView, app: App, audio: str | bytes
):
    app.documents["/start"] = "<Response><Play>/a.wav</Play><Say>大意</Say></Response>"
    app.documents["/a.wav"] = audio
    phone = hands.phones.phone(TO)
    await hands.call()
    call = await phone.rings()
    call.answer()
    assert (await call.speech()).text == "大意"
    assert (await hands.admin("GET", "rings"))["errors"] == {"11200": 1}


async def test_a_key_interrupts_the_prompt(hands: DeskView, app: App):
    app.documents["/start"] = (
        "<Response><Gather numDigits='1' action='/key'><Say>一</Say><Say>二</Say></Gather></Response>"
    )
    app.documents["/key"] = HANGUP
    phone = hands.phones.phone(TO)
    sid = await hands.call()
    call = await phone.rings()
    call.answer()
    await call.speech()
    call.press("3")
    await app.final(sid)
    assert [clip.text for clip in call.heard] == ["一"]
    assert app.at("/key")[0].params["Digits"] == "3"


async def test_keys_outside_a_question_mean_nothing(hands: DeskView, app: App):
    app.documents["/start"] = "<Response><Say>一</Say><Gather numDigits='1' action='/key'/></Response>"
    app.documents["/key"] = HANGUP
    phone = hands.phones.phone(TO)
    sid = await hands.call()
    call = await phone.rings()
    call.answer()
    await call.speech()
    call.press("9")
    call.hear_out()
    await call.question(1)
    call.press("1")
    await app.final(sid)
    assert [one.params["Digits"] for one in app.at("/key")] == ["1"]


async def test_relative_addresses_follow_the_document(hands: DeskView, app: App):
    app.documents["/deep/start"] = "<Response><Redirect>next?x=1</Redirect></Response>"
    app.documents["/deep/next"] = HANGUP
    phone = hands.phones.phone(TO)
    sid = await hands.call(url=f"{app.base}/deep/start")
    (await phone.rings()).answer()
    await app.final(sid)
    assert app.at("/deep/next")[0].query == {"x": "1"}


@pytest.mark.parametrize(
    ("statuses", "document", "code"),
    [
        ([500], HANGUP, "11200"),
        ([404], HANGUP, "11200"),
        ([0, 0], HANGUP, "11205"),
        ([], "no xml", "12100"),
        ([], "<Response><Fly/></Response>", "12100"),
        ([], "<Response><Gather numDigits='x'/></Response>", "12200"),
    ],
)
async def test_a_document_that_fails_goes_to_the_fallback_with_its_code(
    hands: DeskView, app: App, statuses: list[int], document: str, code: str
):
    app.statuses["/start"] = statuses
    app.documents["/start"] = document
    app.documents["/safe"] = "<Response><Say>请勿转账</Say></Response>"
    phone = hands.phones.phone(TO)
    sid = await hands.call(url=f"{app.base}/start#rc=0", fallback_url=f"{app.base}/safe")
    call = await phone.rings()
    call.answer()
    assert (await call.speech()).text == "请勿转账"
    call.hear_out()
    await app.final(sid)
    told = app.at("/safe")[0].params
    assert (told["ErrorCode"], told["ErrorUrl"]) == (code, f"{app.base}/start")


async def test_without_a_fallback_the_call_ends_after_an_apology(hands: DeskView, app: App):
    app.statuses["/start"] = [500]
    phone = hands.phones.phone(TO)
    sid = await hands.call()
    call = await phone.rings()
    call.answer()
    assert "error" in (await call.speech()).text
    call.hear_out()
    assert (await app.final(sid))["CallStatus"] == "completed"


async def test_a_failing_fallback_is_not_tried_for_ever(hands: DeskView, app: App):
    app.statuses["/start"] = [500]
    app.statuses["/safe"] = [500]
    phone = hands.phones.phone(TO)
    sid = await hands.call(fallback_url=f"{app.base}/safe")
    call = await phone.rings()
    call.answer()
    await call.speech()
    call.hear_out()
    await app.final(sid)
    assert len(app.at("/safe")) == 1


async def test_documents_that_chase_each_other_end(hands: DeskView, app: App):
    app.documents["/start"] = "<Response><Redirect>/start</Redirect></Response>"
    phone = hands.phones.phone(TO)
    sid = await hands.call()
    (await phone.rings()).answer()
    assert (await app.final(sid))["CallStatus"] == "completed"
    assert len(app.at("/start")) == 200


async def test_a_hang_up_while_a_document_is_fetched_leaves_it_unplayed(hands: DeskView, app: App):
    phone = hands.phones.phone(TO)

    def late(_heard: Heard) -> str:
        phone.calls[0].hang_up_phone()
        return "<Response><Say>太迟</Say></Response>"

    app.documents["/start"] = late
    sid = await hands.call()
    call = await phone.rings()
    call.answer()
    await app.final(sid)
    assert call.heard == []


async def test_dial_joins_a_desk_and_goes_on_with_its_action(hands: DeskView, app: App):
    app.documents["/start"] = f"<Response><Dial timeout='500' action='/dialled'>{DESK}</Dial></Response>"
    app.documents["/dialled"] = HANGUP
    phone, desk = hands.phones.phone(TO), hands.phones.phone(DESK)
    sid = await hands.call()
    (await phone.rings()).answer()
    officer = await desk.rings()
    officer.answer()
    children = await hands.client.calls.list_async(parent_call_sid=sid)
    assert [(one.to, one.direction) for one in children] == [(DESK, "outbound-dial")]
    officer.hang_up_phone()
    await app.final(sid)
    told = app.at("/dialled")[0].params
    assert told["DialCallStatus"] == "completed"
    assert told["DialCallSid"] == children[0].sid
    assert (await hands.admin("GET", "rings"))["rings"] == 1


@pytest.mark.parametrize(("cause", "said"), [(Cause.BUSY, "busy"), (Cause.FAILED, "failed")])
async def test_a_desk_that_cannot_be_had_is_told(hands: DeskView, app: App, cause: Cause, said: str):
    app.documents["/start"] = f"<Response><Dial action='/dialled'><Number>{DESK}</Number></Dial></Response>"
    app.documents["/dialled"] = HANGUP
    phone, desk = hands.phones.phone(TO), hands.phones.phone(DESK)
    sid = await hands.call()
    (await phone.rings()).answer()
    (await desk.rings()).hang_up_phone(cause)
    await app.final(sid)
    assert app.at("/dialled")[0].params["DialCallStatus"] == said


async def test_a_desk_that_does_not_answer_in_time_goes_on_without_action(hands: DeskView, app: App):
    app.documents["/start"] = f"<Response><Dial timeout='2'>{DESK}</Dial><Say>稍后回电</Say></Response>"
    phone, desk = hands.phones.phone(TO), hands.phones.phone(DESK)
    await hands.call()
    call = await phone.rings()
    call.answer()
    officer = await desk.rings()
    await officer.end()
    assert (await call.speech(text="稍后回电")).text == "稍后回电"


async def test_the_caller_hears_it_ring_until_the_desk_is_connected(hands: DeskView, app: App):
    """A person who was handed over to an officer heard nothing for twenty seconds."""
    app.documents["/start"] = (
        f"<Response><Dial timeout='30'><Number url='/notice'>{DESK}</Number></Dial></Response>"
    )
    app.documents["/notice"] = "<Response><Say>一位市民</Say></Response>"
    phone, desk = hands.phones.phone(TO), hands.phones.phone(DESK)
    await hands.call()
    call = await phone.rings()
    call.answer()
    officer = await desk.rings()
    ringing = await call.speech()
    assert (ringing.name, ringing.times, ringing.seconds) == ("ringback", 10, 50.0)
    sound = telephone_samples(ringing.wav)
    assert len(sound) == 5 * BYTES_A_SECOND
    assert tone_of(sound[:320]) == pytest.approx(450.0, abs=5)
    assert not any(sound[BYTES_A_SECOND:])
    officer.answer()
    await officer.speech()
    assert call.is_spoken_to, "the officer hears the notice alone"
    officer.hear_out()
    assert (call.is_spoken_to, len(call.joined)) == (False, 1)


@pytest.mark.parametrize("calls_in", [False, True], ids=["outbound", "inbound"])
async def test_a_hand_over_is_said_to_its_end_and_then_it_rings(bench: Start, app: App, calls_in: bool):
    one = await bench(make_line=DeviceLine, inbound_url=f"{app.base}/start", inbound_number="+8647896110")
    app.documents["/start"] = f"<Response><Say>马上请警察</Say><Dial timeout='30'>{DESK}</Dial></Response>"
    phone, desk = one.phones.phone(TO), one.phones.phone(DESK)
    if calls_in:
        legs: list[DeviceCall] = []

        def connect(events: LegEvents) -> DeviceCall:
            legs.append(DeviceCall(phone, events, nth=1))
            return legs[0]

        assert one.carrier.exchange.receive(TO, connect) is not None
        (call,) = legs
    else:
        await one.call()
        call = await phone.rings()
    call.answer()
    assert (await call.speech(text="马上请警察")).text == "马上请警察"
    call.hear_out()
    await desk.rings()
    assert (await call.speech()).name == "ringback"


async def test_the_ringing_ends_with_a_desk_that_is_busy(hands: DeskView, app: App):
    app.documents["/start"] = f"<Response><Dial timeout='30'>{DESK}</Dial><Pause length='60'/></Response>"
    phone, desk = hands.phones.phone(TO), hands.phones.phone(DESK)
    await hands.call()
    call = await phone.rings()
    call.answer()
    (await desk.rings()).hang_up_phone(Cause.BUSY)
    assert not call.is_spoken_to


async def test_the_caller_leaving_frees_the_desk(hands: DeskView, app: App):
    app.documents["/start"] = f"<Response><Dial timeout='5000' action='/dialled'>{DESK}</Dial></Response>"
    phone, desk = hands.phones.phone(TO), hands.phones.phone(DESK)
    sid = await hands.call()
    call = await phone.rings()
    call.answer()
    officer = await desk.rings()
    officer.answer()
    call.hang_up_phone()
    await officer.end()
    await app.final(sid)
    await app.until(lambda: bool(app.at("/dialled")))
    (told,) = app.at("/dialled")
    assert (told.params["CallStatus"], told.params["DialCallStatus"]) == ("completed", "completed")


async def test_the_caller_leaving_while_the_desk_rings_is_told_too(hands: DeskView, app: App):
    app.documents["/start"] = f"<Response><Dial timeout='5000' action='/dialled'>{DESK}</Dial></Response>"
    phone, desk = hands.phones.phone(TO), hands.phones.phone(DESK)
    await hands.call()
    call = await phone.rings()
    call.answer()
    officer = await desk.rings()
    call.hang_up_phone()
    await officer.end()
    await app.until(lambda: bool(app.at("/dialled")))
    (told,) = app.at("/dialled")
    assert (told.params["CallStatus"], told.params["DialCallStatus"]) == ("completed", "canceled")


async def test_the_desk_s_own_call_is_told_of_as_it_is_answered(hands: DeskView, app: App):
    app.documents["/start"] = (
        f"<Response><Dial timeout='5000'><Number statusCallbackEvent='answered completed'"
        f" statusCallback='{app.base}/desk'>{DESK}</Number></Dial></Response>"
    )
    phone, desk = hands.phones.phone(TO), hands.phones.phone(DESK)
    sid = await hands.call()
    call = await phone.rings()
    call.answer()
    officer = await desk.rings()
    officer.answer()
    await app.until(lambda: bool(app.at("/desk")))
    (answered,) = app.at("/desk")
    assert (answered.params["CallStatus"], answered.params["ParentCallSid"]) == ("in-progress", sid)
    assert answered.signed
    officer.hang_up_phone()
    await app.until(lambda: len(app.at("/desk")) == 2)
    assert app.at("/desk")[1].params["CallStatus"] == "completed"


async def test_an_event_that_a_number_cannot_be_told_of_is_refused(hands: DeskView, app: App):
    app.documents["/start"] = (
        f"<Response><Dial><Number statusCallbackEvent='sneezed'>{DESK}</Number></Dial></Response>"
    )
    phone = hands.phones.phone(TO)
    await hands.call()
    call = await phone.rings()
    call.answer()
    assert "application error" in (await call.speech()).text
    assert hands.carrier.exchange.errors[12200] == 1


async def test_the_ring_ends_at_its_timeout(hands: DeskView, app: App):
    phone = hands.phones.phone(TO)
    sid = await hands.call(timeout=5)
    ringing = await phone.rings()
    last = await app.final(sid)
    assert (last["CallStatus"], last["SipResponseCode"]) == ("no-answer", "487")
    assert ringing.over


async def test_a_time_limit_ends_the_talk(hands: DeskView, app: App):
    app.documents["/start"] = "<Response><Pause length='50000'/></Response>"
    phone = hands.phones.phone(TO)
    sid = await hands.call(time_limit=4)
    (await phone.rings()).answer()
    assert (await app.final(sid))["CallStatus"] == "completed"


async def test_a_phone_not_in_hand_is_an_invalid_number(bench: Start, hands: DeskView, app: App):
    sid = await hands.call("+8613900000000")
    assert (await app.final(sid))["CallStatus"] == "failed"
    assert hands.phones.unexpected == 1


async def test_a_dial_shows_its_caller_and_ends_at_its_limit(hands: DeskView, app: App):
    app.documents["/start"] = (
        f"<Response><Dial timeLimit='2' callerId='+8610096110' action='/dialled'>{DESK}</Dial></Response>"
    )
    app.documents["/dialled"] = HANGUP
    phone, desk = hands.phones.phone(TO), hands.phones.phone(DESK)
    sid = await hands.call()
    (await phone.rings()).answer()
    officer = await desk.rings()
    officer.answer()
    await officer.end()
    await app.final(sid)
    told = app.at("/dialled")[0].params
    assert (told["DialCallStatus"], told["DialCallDuration"]) == ("completed", "2")
    (leg,) = await hands.client.calls.list_async(parent_call_sid=sid)
    assert (leg.status, leg._from) == ("completed", "+8610096110")


async def test_keys_of_the_caller_mean_nothing_while_two_telephones_talk(hands: DeskView, app: App):
    app.documents["/start"] = f"<Response><Dial action='/dialled'>{DESK}</Dial></Response>"
    app.documents["/dialled"] = "<Response><Gather numDigits='1' timeout='600' action='/answer'/></Response>"
    app.documents["/answer"] = HANGUP
    phone, desk = hands.phones.phone(TO), hands.phones.phone(DESK)
    sid = await hands.call()
    call = await phone.rings()
    call.answer()
    officer = await desk.rings()
    call.press("7")
    officer.answer()
    call.press("8")
    officer.press("9")
    officer.hang_up_phone()
    await call.question(1)
    call.press("1")
    await app.final(sid)
    assert app.at("/answer")[0].params["Digits"] == "1"


async def test_a_second_leg_dials_nobody(hands: DeskView, app: App):
    app.documents["/start"] = (
        f"<Response><Dial action='/dialled'><Number url='/notice'>{DESK}</Number></Dial></Response>"
    )
    app.documents |= {"/notice": f"<Response><Dial>{TO}</Dial></Response>", "/dialled": HANGUP}
    phone, desk = hands.phones.phone(TO), hands.phones.phone(DESK)
    sid = await hands.call()
    call = await phone.rings()
    call.answer()
    officer = await desk.rings()
    officer.answer()
    await officer.end()
    await app.final(sid)
    assert (len(phone.calls), call.joined) == (1, [])
    assert (await hands.admin("GET", "rings"))["errors"] == {"12200": 1}
