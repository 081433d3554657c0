"""The carrier's side of the SIP line, what it tells the SIP process, and what it makes of its news."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from carrier.lines import Clip, Leg, LegEvents
from carrier.lines.sip.announcements import Announcement, RecognisedAnnouncement
from carrier.lines.sip.board import Health
from carrier.lines.sip.line import SipLeg
from carrier.lines.sip.link import StackLink
from carrier.lines.sip.senders import is_one_of
from carrier.lines.sip.trace import SipMessages
from tests.carrier.test_simulated_line import Log
from tests.carrier.test_trunks import NUMBER, Called, wav_at


class Takes:
    """An exchange that takes inbound calls."""

    def __init__(self, called: Called) -> None:
        self.callers: list[str] = []
        self.leg: Leg | None = None
        self.log = Log(called.timers)
        called.line.receive = self.receive

    def receive(self, caller: str, connect: Callable[[LegEvents], Leg]) -> Leg:
        self.callers.append(caller)
        self.leg = connect(self.log)  # type: ignore[arg-type]
        return self.leg


def test_an_inbound_call_is_answered_and_occupies_a_channel():
    called = Called()
    takes = Takes(called)
    called.line.heard({"on": "incoming", "ref": 7, "trunk": "b", "caller": "+8613900000000"})
    leg = takes.leg
    assert isinstance(leg, SipLeg)
    assert (takes.callers, called.told[-1]) == (["+8613900000000"], {"do": "answer", "id": leg.id, "ref": 7})
    state = called.line.board.states["b"]
    assert (leg.trunk, state.in_use, state.received, state.placed) == ("b", 1, 1, 0)
    called.line.heard({"on": "answered", "id": leg.id})
    leg.hang_up()
    assert called.told[-1] == {"do": "hang_up", "id": leg.id}
    called.line.heard({"on": "ended", "id": leg.id, "text": ""})
    assert (state.in_use, [what for _, what in takes.log.told]) == (0, ["answered"])


def test_an_inbound_call_that_ends_before_its_answer_says_nothing_about_the_trunk():
    called = Called()
    takes = Takes(called)
    called.line.heard({"on": "incoming", "ref": 7, "trunk": "b", "caller": ""})
    assert takes.leg is not None
    called.line.heard({"on": "ended", "id": takes.leg.id, "text": "503 x"})  # type: ignore[attr-defined]
    assert [what for _, what in takes.log.told] == ["hung_up"]
    state = called.line.board.states["b"]
    assert (state.in_use, state.ends, sum(state.in_a_row.values())) == (0, {}, 0)


@pytest.mark.parametrize("trunk", ["a", "nowhere"])
def test_an_inbound_call_that_nobody_takes_or_of_no_trunk_is_refused(trunk: str):
    called = Called()
    if trunk == "a":
        called.line.receive = lambda _caller, _connect: None
    else:
        Takes(called)
    called.line.heard({"on": "incoming", "ref": 9, "trunk": trunk, "caller": ""})
    assert called.told[-1] == {"do": "refuse", "ref": 9}


def test_strangers_are_counted_and_news_of_trunks_is_kept():
    called = Called()
    for count in (2, 3):
        called.line.heard({"on": "stranger", "count": count})
    called.line.heard({"on": "trunk", "trunk": "a", "reachable": False})
    called.line.heard({"on": "trunk", "trunk": "nowhere", "reachable": False})
    shown: Any = called.line.as_json()
    assert shown["strangers"] == 5
    assert [(trunk["name"], trunk["order"], trunk["problem"]) for trunk in shown["trunks"]] == [
        ("a", 1, "unreachable"),
        ("b", 2, ""),
    ]
    called.line.heard({"on": "trunk", "trunk": "a", "registered": True})
    assert not called.line.board.states["a"].is_reachable, "what is not told stays"
    called.line.heard({"on": "trunk", "trunk": "a", "reachable": True})
    assert called.line.as_json()["trunks"][0]["problem"] == ""
    called.line.detached(called.link)
    assert {trunk["problem"] for trunk in called.line.as_json()["trunks"]} == {"no_process"}


def test_a_trunk_that_was_registered_is_not_without_a_process():
    called = Called()
    called.line.board.states["a"].is_registered = True
    called.line.detached(called.link)
    assert not called.line.board.states["a"].is_registered


def test_an_older_process_that_leaves_takes_nothing_with_it():
    called = Called()
    newer = StackLink(lambda _data: None, lambda _sound: None)
    called.line.attach(newer)
    assert called.what == ["lost"], "its calls ended with it"
    called.line.detached(called.link)
    assert called.line.is_connected


def test_sound_of_a_recorded_call_goes_to_its_recorder_until_its_end():
    called = Called()
    got: list[object] = []

    class Recorder:
        def sound(self, data: bytes) -> None:
            got.append(data)

        def over(self) -> None:
            got.append("over")

    called.hears("answered")
    called.leg.record(Recorder())
    assert called.told[-1] == {"do": "record", "id": called.leg.id}
    called.line.heard_sound(f"{called.leg.id:010}".encode() + b"ab")
    called.line.heard_sound(f"{called.leg.id + 1:010}".encode() + b"cd")
    called.hears("ended", text="")
    called.line.heard_sound(f"{called.leg.id:010}".encode() + b"ef")
    assert got == [b"ab", "over"]


def test_what_a_person_does_is_reported_once_the_call_is_answered():
    called = Called()
    called.hears("answered")
    called.hears("key", key="5")
    called.hears("said", wav=b64encode(b"sound").decode())
    called.hears("judged", by="machine_end_beep", seconds=4.5, greeting=3.0)
    assert called.what == ["rings", "answered", "5"]
    assert called.log.spoken == [(called.log.spoken[0][0], "")]
    verdict = called.log.verdict
    assert verdict is not None
    assert (verdict.answered_by.value, verdict.after_seconds, verdict.greeting_seconds) == (
        "machine_end_beep",
        4.5,
        3.0,
    )
    assert called.leg.line_result == "voicemail"
    called.leg.hang_up()
    called.hears("key", key="6")
    assert called.what[-1] == "5", "nothing is reported after the end"


def test_a_prompt_is_over_when_its_own_end_is_told():
    called = Called()
    called.hears("answered")
    done: list[int] = []
    clip = Clip(seconds=1.0, wav=wav_at(8000, samples=8000), name="a")
    called.leg.speak(clip, lambda: done.append(1))
    called.leg.speak(clip, lambda: done.append(2))
    called.hears("spoken", say=1)
    assert done == []
    called.hears("spoken", say=2)
    called.hears("spoken", say=2)
    assert done == [2]
    before = len(called.told)
    called.leg.stop_speaking()
    assert len(called.told) == before, "nothing plays any more"
    called.leg.speak(clip, lambda: done.append(3))
    called.leg.stop_speaking()
    assert called.told[-1] == {"do": "stop", "id": called.leg.id}
    called.hears("spoken", say=3)
    assert done == [2]


def test_questions_and_connections_are_told_to_the_process():
    called = Called()
    called.hears("answered")
    other = called.line.dial(NUMBER, nth=1, events=Log(called.timers))  # type: ignore[arg-type]
    called.timers.run(1.0)
    before = len(called.told)
    called.leg.listen(1)
    called.leg.stop_listening()
    called.leg.join(other)
    assert called.told[before:] == [
        {"do": "listen", "id": called.leg.id},
        {"do": "deafen", "id": called.leg.id},
        {"do": "join", "id": called.leg.id, "other": other.id},
    ]
    assert not called.leg.answer_now()


def test_a_call_without_any_sound_is_a_fault_of_the_trunk():
    called = Called()
    called.hears("answered")
    called.hears("silent")
    called.hears("ended", text="")
    assert (called.what[-1], called.leg.line_result) == ("no_sound", "no_sound")
    assert (called.line.ends, called.line.board.states["a"].ends) == ({"no_sound": 1}, {"no_sound": 1})


def test_a_trunk_whose_calls_have_no_sound_rests_after_the_third():
    called = Called()
    called.leg.hang_up()
    called.hears("ended", text="487 x")
    for _ in range(3):
        leg = called.line.dial(NUMBER, nth=1, events=Log(called.timers))  # type: ignore[arg-type]
        called.timers.run(1.0)
        for message in ({"on": "answered"}, {"on": "silent"}, {"on": "ended", "text": ""}):
            called.line.heard({**message, "id": leg.id})
    assert called.line.board.states["a"].health is Health.RESTING_SILENT


def test_a_call_that_is_hung_up_before_its_slot_gives_its_channel_back():
    called = Called()
    waiting = called.line.dial(NUMBER, nth=1, events=Log(called.timers))  # type: ignore[arg-type]
    called.timers.run(0.0)
    state = called.line.board.states["a"]
    assert state.in_use == 2
    waiting.hang_up()
    waiting.hang_up()
    called.timers.run(5.0)
    assert (state.in_use, state.placed) == (1, 1)
    assert [one["id"] for one in called.told] == [called.leg.id]


def test_a_trunk_that_fails_while_a_call_waits_for_its_slot_is_left():
    called = Called()
    called.line.dial(NUMBER, nth=1, events=Log(called.timers))  # type: ignore[arg-type]
    called.timers.run(0.0)
    called.line.heard({"on": "trunk", "trunk": "a", "reachable": False})
    called.timers.run(5.0)
    assert [one["trunk"] for one in called.told if one["do"] == "dial"] == ["a", "b"]
    assert [state.in_use for state in called.line.board.states.values()] == [1, 1]


class Listener:
    """Understands every announcement as this one, at once."""

    def __init__(self, verdict: Announcement) -> None:
        self.heard: list[bytes] = []
        self._verdict = verdict

    def listen(self, wav: bytes, then: Callable[[RecognisedAnnouncement], None]) -> None:
        self.heard.append(wav)
        then(RecognisedAnnouncement(verdict=self._verdict, score=0.876))


@pytest.mark.parametrize(
    ("text", "ended"),
    [
        ("480 x", "powered_off"),
        ("480 x,Q.850;cause=18", "no_answer"),
    ],
)
def test_an_announcement_decides_where_the_code_says_nothing(text: str, ended: str):
    called = Called()
    listener = Listener(Announcement.POWERED_OFF)
    called.line.listener = listener  # type: ignore[assignment]
    called.hears("ended", text=text, early=b64encode(b"sound").decode())
    assert (called.what, listener.heard) == ([ended], [b"sound"])
    assert called.leg.announcement == "powered_off 0.88"
    assert called.leg.line_result == ("powered_off" if ended == "powered_off" else "")


def test_a_number_outside_the_plan_is_not_dialled():
    called = Called()
    log = Log(called.timers)
    called.line.dial("+85212345678", nth=1, events=log)  # type: ignore[arg-type]
    called.timers.run(1.0)
    assert ([what for _, what in log.told], called.line.ends["not_in_plan"]) == (["blocked"], 1)
    assert len(called.told) == 1


@pytest.mark.parametrize(
    ("address", "hosts", "is_one"),
    [
        ("127.0.0.1", ("127.0.0.1",), True),
        ("127.0.0.1", ("no.such.host.invalid", "localhost"), True),
        ("127.0.0.2", ("localhost", "127.0.0.1"), False),
        ("127.0.0.1", (), False),
    ],
)
async def test_a_sender_is_known_by_its_address_or_its_name(
    address: str, hosts: tuple[str, ...], is_one: bool
):
    assert await is_one_of(address, hosts) is is_one


def test_a_message_that_is_repeated_for_ever_fills_no_memory():
    kept = SipMessages(keep=2)

    def message(call: str) -> logging.LogRecord:
        text = f"TX udp 127.0.0.1:5060 -> 127.0.0.1:5070\r\nOPTIONS sip:a SIP/2.0\r\nCall-ID: {call}\r\n\r\n"
        return logging.LogRecord("sip", logging.DEBUG, "", 0, text, None, None)

    for call in ("a", "b", "c"):
        kept.emit(message(call))
    for _ in range(300):
        kept.emit(message("c"))
    assert [len(messages) for messages in kept.newest(10)] == [1, 200]
