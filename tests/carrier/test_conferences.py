"""Conferences: who hears whom, hold and mute, moving a call of two into one, and what the application is told."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.base.exceptions import TwilioRestException

from carrier.conferences import Place, heard_by
from carrier.lines.mix import MOST_QUEUED_BYTES, VoiceMix
from carrier.lines.sound import FRAME_BYTES, hold_sound
from carrier.people import Behaviour
from carrier.twiml import BadTwiml, Conference, Dial, parse_twiml
from tests.carrier.device_line import DeviceCall
from tests.carrier.stage import FROM, TO, App, DeskView, Start

DESK, BANK, CHIEF = "+8647896111", "+8613900139000", "+8613700137000"
ROOM = "case-1"


# Who hears whom

places = st.lists(
    st.builds(
        Place,
        sid=st.sampled_from("abcdef"),
        muted=st.booleans(),
        hold=st.booleans(),
        coached=st.sampled_from(["", "a", "b", "c"]),
    ),
    unique_by=lambda place: place.sid,
)


@given(places)
def test_who_is_heard_may_be_heard_by_that_one(found: list[Place]):
    by_sid = {place.sid: place for place in found}
    heard = heard_by(found)
    assert heard.keys() == by_sid.keys()
    for sid, others in heard.items():
        assert sid not in others
        assert len(set(others)) == len(others)
        for other in by_sid.keys() - {sid}:
            voice = by_sid[other]
            silent = voice.muted or voice.hold or by_sid[sid].hold or voice.coached not in {"", sid}
            assert (other in others) is not silent


@given(places)
def test_who_is_on_hold_hears_nobody_and_is_heard_by_nobody(found: list[Place]):
    heard = heard_by(found)
    held = {place.sid for place in found if place.hold}
    assert all(not heard[sid] for sid in held)
    assert not held & {other for others in heard.values() for other in others}


# The sum of voices


def frame(*values: int) -> bytes:
    return struct.pack(f"<{FRAME_BYTES // 2}h", *(values * (FRAME_BYTES // 2))[: FRAME_BYTES // 2])


def test_voices_are_added_and_too_loud_ones_are_cut_off():
    mix = VoiceMix(("caller", "bank"))
    mix.put("caller", frame(1000, 30_000))
    mix.put("bank", frame(-400, 30_000))
    mix.put("stranger", frame(7))
    assert mix.take() == frame(600, 32_767)
    assert mix.take() == b""


def test_a_voice_that_comes_late_is_silent_meanwhile_and_stays_in_order():
    mix = VoiceMix(("caller", "bank"))
    mix.put("caller", frame(1) + frame(2))
    assert mix.take() == frame(1)
    mix.put("bank", frame(10) + frame(20))
    assert [mix.take(), mix.take()] == [frame(12), frame(20)]


def test_half_a_frame_is_filled_with_silence():
    mix = VoiceMix(("bank",))
    mix.put("bank", frame(5)[: FRAME_BYTES // 2])
    assert mix.take() == frame(5)[: FRAME_BYTES // 2] + bytes(FRAME_BYTES // 2)


def test_a_change_loses_nothing_of_those_who_stay():
    mix = VoiceMix(("caller", "bank"))
    mix.put("caller", frame(3))
    mix.put("bank", frame(4))
    mix.change(("caller", "officer"))
    assert mix.heard == ("caller", "officer")
    assert mix.take() == frame(3)
    mix.put("caller", frame(9))
    mix.clear()
    assert mix.take() == b""


@given(st.lists(st.one_of(st.none(), st.integers(0, 4 * FRAME_BYTES).map(lambda n: 2 * (n // 2)))))
def test_no_voice_is_ever_later_than_the_queue_allows(steps: list[int | None]):
    mix = VoiceMix(("bank",))
    waiting = 0
    for step in steps:
        if step is None:
            taken = mix.take()
            assert len(taken) in {0, FRAME_BYTES}
            assert bool(taken) is bool(waiting)
            waiting = max(0, waiting - FRAME_BYTES)
        else:
            mix.put("bank", bytes(step))
            waiting = min(MOST_QUEUED_BYTES, waiting + step)
    taken_frames = 0
    while mix.take():
        taken_frames += 1
    assert taken_frames == -(-waiting // FRAME_BYTES)


# TwiML


def read(attributes: str, name: str = ROOM, dial: str = "") -> Conference:
    (verb,) = parse_twiml(
        f"<Response><Dial {dial}><Conference {attributes}>{name}</Conference></Dial></Response>".encode()
    )
    assert isinstance(verb, Dial)
    assert verb.conference is not None
    return verb.conference


def test_a_conference_is_read_with_twilios_defaults():
    assert read("") == Conference(name=ROOM)
    full = read(
        "muted='true' startConferenceOnEnter='false' endConferenceOnExit='true' participantLabel='bank' coach='CA1'"
        " waitUrl='' waitMethod='get' beep='onExit' maxParticipants='3' statusCallback='/c'"
        " statusCallbackMethod='GET' statusCallbackEvent='join leave'"
    )
    assert full == Conference(
        name=ROOM,
        label="bank",
        muted=True,
        starts=False,
        ends=True,
        coached="CA1",
        wait_url="",
        wait_method="GET",
        beeps=frozenset({"exit"}),
        most=3,
        status_callback="/c",
        status_method="GET",
        events=frozenset({"join", "leave"}),
    )


@pytest.mark.parametrize(
    "attributes",
    [
        "muted='perhaps'",
        "beep='loud'",
        "statusCallbackEvent='sneeze'",
        "maxParticipants='1'",
        "maxParticipants='251'",
        "record='record-from-start'",
        "waitMethod='PUT'",
    ],
)
def test_what_cannot_be_done_is_refused(attributes: str):
    with pytest.raises(BadTwiml):
        read(attributes)


def test_a_conference_needs_a_name_of_128_characters_at_most():
    assert read("", "x" * 128).name == "x" * 128
    for name in ("", "x" * 129):
        with pytest.raises(BadTwiml):
            read("", name)


# A call of two becomes a conference

EVENTS = "start end join leave mute hold modify"


def conference(app: App, more: str = "") -> str:
    return (
        f"<Response><Dial action='{app.base}/left'><Conference beep='false' statusCallback='{app.base}/conference'"
        f" statusCallbackEvent='{EVENTS}' {more}>{ROOM}</Conference></Dial></Response>"
    )


class Three:
    """A caller at a desk and a person, who talk."""

    def __init__(self, view: DeskView, sid: str, child: str, desk: DeviceCall, person: DeviceCall) -> None:
        self.view = view
        self.sid = sid
        self.child = child
        self.desk = desk
        self.person = person

    async def confer(self) -> Any:  # noqa: ANN401 - the client's resource
        """Moves both into a conference as Twilio's users do: the second leg first, and the first by its action."""
        app = self.view.app
        app.documents["/dialled"] = conference(app, "participantLabel='desk'")
        await self.view.client.calls(self.child).update_async(
            twiml=conference(app, "participantLabel='person'")
        )
        await app.until(lambda: words(app).count("participant-join") == 2)
        (found,) = await self.view.client.conferences.list_async(friendly_name=ROOM, status="in-progress")
        return found


def words(app: App) -> list[str]:
    told = [one.params for one in app.at("/conference")]
    return [one["StatusCallbackEvent"] for one in sorted(told, key=lambda one: int(one["SequenceNumber"]))]


async def talking(hands: DeskView) -> Three:
    app = hands.app
    app.documents["/start"] = (
        f"<Response><Dial timeout='500' action='{app.base}/dialled'>{TO}</Dial></Response>"
    )
    sid = await hands.call(DESK)
    desk_phone, person_phone = hands.phones.phone(DESK), hands.phones.phone(TO)
    desk = await desk_phone.rings()
    desk.answer()
    person = await person_phone.rings()
    person.answer()
    (child,) = await hands.client.calls.list_async(parent_call_sid=sid)
    return Three(hands, sid, child.sid, desk, person)


@pytest.fixture
async def three(hands: DeskView) -> Three:
    hands.phones.phone(DESK)
    hands.phones.phone(TO)
    return await talking(hands)


async def test_a_call_of_two_is_moved_into_a_conference_and_both_hear_each_other(three: Three):
    found = await three.confer()
    assert found.sid.startswith("CF")
    assert three.desk.hears == (three.person,)
    assert three.person.hears == (three.desk,)
    assert not three.desk.over
    assert not three.person.over
    dialled = three.view.app.at("/dialled")[0].params
    assert dialled["DialCallStatus"] == "completed"
    assert dialled["DialCallSid"] == three.child
    assert words(three.view.app) == ["participant-join", "participant-join", "conference-start"]
    inside = await three.view.client.conferences(found.sid).participants.list_async()
    assert {(one.label, one.call_sid, one.status) for one in inside} == {
        ("person", three.child, "connected"),
        ("desk", three.sid, "connected"),
    }


@pytest.mark.parametrize("who", ["sid", "child"])
async def test_where_to_report_the_end_of_a_call_comes_with_its_new_document(three: Three, who: str):
    app, sid = three.view.app, getattr(three, who)
    app.documents["/dialled"] = conference(app)
    await three.view.client.calls(sid).update_async(twiml=conference(app), status_callback=f"{app.base}/over")
    assert app.at("/over") == []
    (three.desk if who == "sid" else three.person).hang_up_phone()
    await app.until(lambda: bool(app.at("/over")))
    (told,) = [one.params for one in app.at("/over")]
    assert (told["CallSid"], told["CallStatus"]) == (sid, "completed")
    assert int(told["CallDuration"]) >= 1


async def test_an_address_that_cannot_be_called_changes_nothing(three: Three):
    with pytest.raises(TwilioRestException) as refused:
        await three.view.client.calls(three.child).update_async(
            twiml=conference(three.view.app), status_callback="over"
        )
    assert refused.value.code == 21205
    assert three.view.app.at("/dialled") == []


async def test_hold_plays_the_sound_to_the_person_and_connects_again_afterwards(three: Three):
    found = await three.confer()
    app = three.view.app
    app.documents["/hold"] = "<Response><Say>请稍候</Say></Response>"
    held = three.view.client.conferences(found.sid).participants("person")
    told = await held.update_async(hold=True, hold_url=f"{app.base}/hold", hold_method="POST")
    assert told.hold is True
    await three.person.speech(text="请稍候")
    assert three.person.hears == ()
    assert three.desk.hears == ()
    # It begins again at its end.
    await three.view.client.conferences(found.sid).fetch_async()
    heard = len(three.person.heard)
    three.person.hear_out()
    await app.until(lambda: len(app.at("/hold")) >= 2)
    await three.person.speech(text="请稍候")
    assert len(three.person.heard) > heard
    told = await held.update_async(hold=False)
    assert told.hold is False
    assert not three.person.is_spoken_to
    assert three.person.hears == (three.desk,)
    assert three.desk.hears == (three.person,)
    await app.until(lambda: "participant-unhold" in words(app))
    assert words(app)[-2:] == ["participant-hold", "participant-unhold"]


async def test_hold_without_a_sound_of_the_application_has_one_of_the_carrier(three: Three):
    found = await three.confer()
    await three.view.client.conferences(found.sid).participants(three.child).update_async(hold=True)
    assert three.person.heard[-1] == hold_sound()
    assert three.person.is_spoken_to


async def test_a_sound_file_may_be_played_on_hold(three: Three):
    found = await three.confer()
    app = three.view.app
    app.documents["/hold.wav"] = hold_sound().wav
    await (
        three.view.client.conferences(found.sid)
        .participants("person")
        .update_async(hold=True, hold_url=f"{app.base}/hold.wav")
    )
    await app.until(lambda: len(app.at("/hold.wav")) >= 2)
    clip = await three.person.speech()
    assert clip.name == f"{app.base}/hold.wav"


async def test_somebody_muted_hears_and_is_not_heard(three: Three):
    found = await three.confer()
    mute = three.view.client.conferences(found.sid).participants("desk")
    assert (await mute.update_async(muted=True)).muted is True
    assert three.desk.hears == (three.person,)
    assert three.person.hears == ()
    assert not three.person.is_spoken_to
    assert (await mute.update_async(muted=False)).muted is False
    assert three.person.hears == (three.desk,)
    await three.view.app.until(lambda: "participant-unmute" in words(three.view.app))


async def add(three: Three, found: Any, number: str, **order: Any) -> DeviceCall:  # noqa: ANN401 - as the client takes it
    phone = three.view.phones.phone(number)
    order = {"beep": "false", **order}
    made = await three.view.client.conferences(found.sid).participants.create_async(
        from_=FROM, to=number, **order
    )
    assert made.status == "queued"
    call = await phone.rings()
    call.answer()
    await three.view.app.until(lambda: words(three.view.app).count("participant-join") == 3)
    return call


async def test_a_third_party_is_called_and_talks_with_both(three: Three):
    found = await three.confer()
    bank = await add(three, found, BANK, label="bank")
    assert set(bank.hears) == {three.desk, three.person}
    assert set(three.person.hears) == {three.desk, bank}
    # The caller speaks with the bank alone, while the person is on hold.
    await three.view.client.conferences(found.sid).participants("person").update_async(hold=True)
    assert bank.hears == (three.desk,)
    assert three.desk.hears == (bank,)
    bank.hang_up_phone()
    assert three.desk.hears == ()
    assert not three.desk.over


async def test_a_warm_transfer_goes_on_without_the_one_who_called(three: Three):
    found = await three.confer()
    bank = await add(three, found, BANK, label="bank")
    three.view.app.documents["/left"] = "<Response><Hangup/></Response>"
    assert await three.view.client.conferences(found.sid).participants("desk").delete_async()
    await three.desk.end()
    assert three.person.hears == (bank,)
    assert bank.hears == (three.person,)
    assert three.view.app.at("/left")[0].params["DialCallStatus"] == "answered"


async def test_a_supervisor_listens_whispers_and_steps_in(three: Three):
    found = await three.confer()
    chief = await add(
        three, found, CHIEF, label="chief", call_sid_to_coach=three.sid, coaching=True, muted=True
    )
    assert set(chief.hears) == {three.desk, three.person}
    assert three.desk.hears == (three.person,)
    assert three.person.hears == (three.desk,)
    ear = three.view.client.conferences(found.sid).participants("chief")
    whispers = await ear.update_async(muted=False)
    assert (whispers.coaching, whispers.call_sid_to_coach) == (True, three.sid)
    assert set(three.desk.hears) == {three.person, chief}
    assert three.person.hears == (three.desk,)
    stepped_in = await ear.update_async(coaching=False)
    assert (stepped_in.coaching, stepped_in.call_sid_to_coach) == (False, None)
    assert set(three.person.hears) == {three.desk, chief}


async def test_a_coach_is_not_heard_by_all_when_the_coached_one_leaves(three: Three):
    found = await three.confer()
    chief = await add(three, found, CHIEF, label="chief", call_sid_to_coach=three.sid)
    three.desk.hang_up_phone()
    assert three.person.hears == ()
    ear = three.view.client.conferences(found.sid).participants("chief")
    told = await ear.update_async(coaching=False)
    assert (told.coaching, told.muted) == (False, True)
    assert three.person.hears == ()
    assert chief.hears == (three.person,)


async def test_only_somebody_of_the_conference_is_coached(three: Three):
    found = await three.confer()
    desk = three.view.client.conferences(found.sid).participants("desk")
    for coached in ("CAnobody", three.sid):
        with pytest.raises(TwilioRestException) as refused:
            await desk.update_async(call_sid_to_coach=coached)
        assert refused.value.status == 400
    with pytest.raises(TwilioRestException):
        await desk.update_async(coaching=True)


async def test_the_conference_ends_with_its_last_participant(three: Three):
    found = await three.confer()
    app = three.view.app
    three.desk.hang_up_phone()
    await app.final(three.sid)
    one = await three.view.client.conferences(found.sid).fetch_async()
    assert one.status == "in-progress"
    three.person.hang_up_phone()
    await app.until(lambda: "conference-end" in words(app))
    one = await three.view.client.conferences(found.sid).fetch_async()
    assert (one.status, one.reason_conference_ended) == ("completed", "last-participant-left")
    assert one.call_sid_ending_conference == three.child
    assert (await three.view.client.calls(three.child).fetch_async()).status == "completed"
    with pytest.raises(TwilioRestException) as gone:
        await three.view.client.conferences(found.sid).participants("desk").fetch_async()
    assert gone.value.status == 404


async def test_it_ends_with_somebody_whose_exit_ends_it(three: Three):
    found = await three.confer()
    app = three.view.app
    app.documents["/left"] = "<Response><Hangup/></Response>"
    await (
        three.view.client.conferences(found.sid)
        .participants("desk")
        .update_async(end_conference_on_exit=True)
    )
    three.desk.hang_up_phone()
    await three.person.end()
    one = await three.view.client.conferences(found.sid).fetch_async()
    assert one.reason_conference_ended == "participant-with-end-conference-on-exit-left"


async def test_the_application_may_end_it(three: Three):
    found = await three.confer()
    three.view.app.documents["/left"] = "<Response><Hangup/></Response>"
    ended = await three.view.client.conferences(found.sid).update_async(status="completed")
    assert (ended.status, ended.reason_conference_ended) == ("completed", "conference-ended-via-api")
    await three.desk.end()
    await three.person.end()


async def test_who_is_alone_waits_with_a_sound_and_others_may_start_it(hands: DeskView, app: App):
    app.documents["/start"] = conference(app, "startConferenceOnEnter='false'")
    first, second = hands.phones.phone(TO), hands.phones.phone(BANK)
    await hands.call()
    waits = await first.rings()
    waits.answer()
    assert await waits.speech() == hold_sound()
    await hands.call(BANK)
    also = await second.rings()
    also.answer()
    assert await also.speech() == hold_sound()
    (found,) = await hands.client.conferences.list_async()
    assert found.status == "init"
    assert waits.hears == also.hears == ()
    third = hands.phones.phone(CHIEF)
    await hands.client.conferences(ROOM).participants.create_async(from_=FROM, to=CHIEF, beep="false")
    chief = await third.rings()
    chief.answer()
    await app.until(lambda: "conference-start" in words(app))
    assert set(waits.hears) == {also, chief}
    assert not waits.is_spoken_to


async def test_a_full_conference_is_not_entered(three: Three):
    found = await three.confer()
    phone = three.view.phones.phone(BANK)
    await three.view.client.conferences(found.sid).participants.create_async(
        from_=FROM, to=BANK, max_participants=2
    )
    call = await phone.rings()
    call.answer()
    await call.end()
    assert three.desk.hears == (three.person,)


async def test_a_tone_is_heard_when_somebody_enters(three: Three):
    found = await three.confer()
    await add(three, found, BANK, beep="onEnter")
    assert three.desk.heard[-1].name == "entry"


async def test_a_second_leg_that_rings_is_given_no_document(hands: DeskView, app: App):
    app.documents["/start"] = f"<Response><Dial timeout='500'>{TO}</Dial></Response>"
    desk, person = hands.phones.phone(DESK), hands.phones.phone(TO)
    sid = await hands.call(DESK)
    (await desk.rings()).answer()
    await person.rings()
    (child,) = await hands.client.calls.list_async(parent_call_sid=sid)
    with pytest.raises(TwilioRestException) as refused:
        await hands.client.calls(child.sid).update_async(twiml=conference(app))
    assert refused.value.code == 21220


async def test_a_second_leg_of_its_own_hangs_up_after_its_document(three: Three):
    app = three.view.app
    app.documents["/dialled"] = "<Response><Say>再见</Say></Response>"
    await three.view.client.calls(three.child).update_async(twiml="<Response><Say>谢谢</Say></Response>")
    await three.person.speech(text="谢谢")
    await three.desk.speech(text="再见")
    assert three.desk.hears == three.person.hears == ()
    three.person.hear_out()
    await three.person.end()
    assert not three.desk.over


async def test_a_second_leg_is_ended_by_its_sid(three: Three):
    await three.view.client.calls(three.child).update_async(status="completed")
    await three.person.end()
    assert (await three.view.client.calls(three.child).fetch_async()).status == "completed"


async def test_a_crash_leaves_no_participant(three: Three):
    await three.confer()
    await three.view.admin("POST", "crash", {"memory": True})
    assert three.person.over
    assert three.desk.over
    assert await three.view.client.conferences.list_async() == []


async def test_simulated_people_confer_too(bench: Start, app: App):
    """The people of the demo talk as long as their behaviour says, no matter who is with them."""
    app.documents["/start"] = conference(app)
    app.documents["/left"] = "<Response><Hangup/></Response>"
    view = await bench(
        Behaviour(
            name="talks",
            share=1,
            ring_after_seconds=(1.0, 1.0),
            answer_after_seconds=(1.0, 1.0),
            hang_up_after_seconds=(60.0, 60.0),
        )
    )
    sids = [await view.call(number) for number in (TO, BANK, CHIEF)]
    for sid in sids:
        assert (await app.final(sid))["CallStatus"] == "completed"
    await app.until(lambda: "conference-end" in words(app))
    assert words(app).count("participant-join") == words(app).count("participant-leave")


async def test_an_announcement_is_heard_once_by_all_who_are_not_on_hold(three: Three):
    found = await three.confer()
    app = three.view.app
    app.documents["/notice"] = "<Response><Say>有领导旁听</Say></Response>"
    room = three.view.client.conferences(found.sid)
    await room.update_async(announce_url=f"{app.base}/notice", announce_method="POST")
    await three.person.speech(text="有领导旁听")
    await three.desk.speech(text="有领导旁听")
    assert three.person.hears == (three.desk,)
    heard = len(three.person.heard)
    three.person.hear_out()
    three.desk.hear_out()
    await room.fetch_async()
    assert (len(three.person.heard), len(app.at("/notice"))) == (heard, 2)
    assert not three.person.is_spoken_to
    app.documents["/hold"] = "<Response><Say>请稍候</Say></Response>"
    await room.participants("person").update_async(hold=True, hold_url=f"{app.base}/hold", hold_method="POST")
    await three.person.speech(text="请稍候")
    await room.update_async(announce_url=f"{app.base}/notice", announce_method="POST")
    await app.until(lambda: len(app.at("/notice")) == 3)
    await three.desk.speech(text="有领导旁听")
    assert [told.params["CallSid"] for told in app.at("/notice")][-1] == three.sid


async def test_an_announcement_stops_with_the_conference_and_needs_an_address(three: Three):
    found = await three.confer()
    app = three.view.app
    app.documents["/notice"] = "<Response><Say>有领导旁听</Say></Response>"
    room = three.view.client.conferences(found.sid)
    with pytest.raises(TwilioRestException) as refused:
        await room.update_async(announce_url="notice")
    assert refused.value.code == 21220
    await room.update_async(announce_url=f"{app.base}/notice", announce_method="POST")
    await three.person.speech(text="有领导旁听")
    await room.update_async(status="completed")
    assert not three.person.is_spoken_to
