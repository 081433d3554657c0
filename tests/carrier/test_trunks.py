"""Trunks without a stack: results, the dial plan, which trunk takes a call, fail-over, and a SIP process that dies."""

from __future__ import annotations

import asyncio
import io
import re
import sys
import wave
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrier.lines import Cause, Clip
from carrier.lines.sip.announcements import CAUSES
from carrier.lines.sip.board import Sign
from carrier.lines.sip.line import SipLeg, SipLine, refusal, speak_text
from carrier.lines.sip.link import StackLink
from carrier.lines.sip.stack import SipProcess
from carrier.lines.sip.stack_config import SipConfig
from carrier.lines.sip.trunks import (
    AUTHENTICATION,
    BY_Q850,
    BY_STATUS,
    BadTrunk,
    SipEnd,
    Trunk,
    caller_in,
    cause_of,
    is_fault_of_trunk,
    may_fail_over,
    read_end,
)
from carrier.lines.sound import BadSound, read_wav, telephone_samples
from carrier.live_call import FINALS
from dialer.core.values import TelephonyResult
from dialer.telephony.callbacks import result_of
from tests.carrier.fake_time import FakeTimers
from tests.carrier.test_simulated_line import Log

PAGE = Path(__file__).resolve().parents[2] / "docs" / "trunk.md"
NUMBER = "+8613800138000"


def wav_at(rate: int, *, samples: int) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(2 * samples))
    return made.getvalue()


WORDS = {
    Cause.INVALID: "invalid number",
    Cause.NO_ANSWER: "no answer",
    Cause.BUSY: "busy",
    Cause.REJECTED: "rejected",
    Cause.POWERED_OFF: "switched off",
    Cause.BLOCKED: "ours",
}
RESULTS = {
    Cause.INVALID: TelephonyResult.INVALID_NUMBER,
    Cause.NO_ANSWER: TelephonyResult.NO_ANSWER,
    Cause.BUSY: TelephonyResult.BUSY,
    Cause.REJECTED: TelephonyResult.REJECTED,
    Cause.POWERED_OFF: TelephonyResult.POWERED_OFF,
    Cause.BLOCKED: TelephonyResult.BLOCKED,
    Cause.LOST: TelephonyResult.UNKNOWN,
    Cause.NO_SOUND: TelephonyResult.DEAD_AIR,
}
LINE_RESULTS = {Cause.POWERED_OFF: "powered_off", Cause.LOST: "lost", Cause.NO_SOUND: "no_sound"}
ENDS = st.builds(
    SipEnd,
    status=st.sampled_from([0, *range(300, 700)]),
    q850=st.integers(0, 127),
    is_unsent=st.booleans(),
)


def trunk(name: str = "one", **values: Any) -> Trunk:  # noqa: ANN401 - fields of a trunk
    return Trunk(**{"name": name, "address": "127.0.0.1:5060", "number": "047896110", **values})


@pytest.mark.parametrize(("mark", "table"), [("sip statuses", BY_STATUS), ("q850 causes", BY_Q850)])
def test_the_page_has_the_table(mark: str, table: dict[int, Cause]):
    part = PAGE.read_text(encoding="utf-8").partition(f"<!-- {mark} -->")[2].partition("<!-- end -->")[0]
    rows = {int(code): word for code, word in re.findall(r"^\| ([0-9]+) \| (.+) \|$", part, re.MULTILINE)}
    assert rows == {code: WORDS[cause] for code, cause in table.items()}


def test_the_page_has_the_announcements():
    part = (
        PAGE.read_text(encoding="utf-8").partition("<!-- announcements -->")[2].partition("<!-- end -->")[0]
    )
    rows = dict(re.findall(r"^\| ([a-z_]+) \| (.+) \|$", part, re.MULTILINE))
    rows.pop("announcement")
    assert rows == {announcement.value: WORDS[cause] for announcement, cause in CAUSES.items()}


@pytest.mark.parametrize("cause", RESULTS)
def test_a_cause_is_the_same_result_for_the_application(cause: Cause):
    status, code = FINALS[cause]
    result = result_of(status=status.value, sip_code=code, line_result=LINE_RESULTS.get(cause, ""))
    assert result is RESULTS[cause]


@given(ENDS)
def test_a_fault_of_the_trunk_is_never_the_persons(end: SipEnd):
    cause = cause_of(end)
    assert cause in WORDS or (cause is Cause.LOST and end.may_have_arrived)
    if end.may_have_arrived:
        assert cause is Cause.LOST
        assert not may_fail_over(end, may_have_rung=False)
    elif end.status in AUTHENTICATION or is_fault_of_trunk(end):
        assert cause is Cause.BLOCKED
    assert not may_fail_over(end, may_have_rung=True)


def test_a_403_after_ringing_is_what_its_reason_says():
    """What Asterisk and gateways to a PRI make of a call that the person rejects."""
    rejected = SipEnd(status=403, q850=21)
    assert cause_of(rejected, has_rung=True) is Cause.REJECTED
    assert cause_of(rejected) is Cause.BLOCKED
    for status, q850 in ((403, 0), (407, 21), (401, 21)):
        assert cause_of(SipEnd(status=status, q850=q850), has_rung=True) is Cause.BLOCKED


def test_the_words_of_the_stack_are_read():
    assert read_end('480 Gone,Q.850;cause=20;text="absent"') == SipEnd(status=480, q850=20)
    assert read_end("Connection timed out [110]").label == "timeout"


@pytest.mark.parametrize(
    ("text", "unsent_over_udp", "unsent_over_tls"),
    [
        ("Destination address required [89]", True, True),
        ("Connection refused [111]", False, True),
        ("No route to host [113]", False, True),
        ("Network is unreachable [101]", False, True),
        ("Protocol error [71]", False, True),
        ("Connection reset by peer [104]", False, False),
        ("Connection timed out [110]", False, False),
        ("", False, False),
        ("503 Connection refused", False, False),
    ],
)
def test_what_was_not_sent_is_known_by_the_words_of_the_stack(
    text: str, unsent_over_udp: bool, unsent_over_tls: bool
):
    """The texts are the stack's, measured with servers that refuse, stay silent, or hang up after the INVITE."""
    assert read_end(text).is_unsent == unsent_over_udp
    assert read_end(text, transport="tls").is_unsent == unsent_over_tls
    assert read_end(text, is_unsent=True).is_unsent


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (NUMBER, 0),
        ("+864788123456", 0),
        ("801", 0),
        ("802", 0),
        ("1001", 0),
        ("110", 21215),
        ("999", 21215),
        ("96110", 21211),
        ("sip:a@elsewhere.example", 21211),
        ("+12025550123", 21215),
        ("+85223456789", 21215),
        ("+861680012345", 21215),
        ("+861600012345", 21215),
        ("+86004479111234", 21215),
        ("+860447911123456", 21215),
        ("+86138-0013-8000", 21211),
        ("+8613800138000;phone", 21211),
        ("not a number", 21211),
    ],
)
def test_only_numbers_of_the_dial_plan_are_called(number: str, code: int):
    assert refusal(number, desk_numbers=("801",), trunks=[trunk()]) == code


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("address", {"address": "10.1.2.3:99999"}),
        ("address", {"address": "10.1.2.3:0"}),
        ("address", {"address": "ims..example.cn"}),
        ("proxy", {"proxy": "a" * 64 + ".example.cn"}),
        ("accepts_from", {"accepts_from": ("10.1.2.0/24",)}),
        ("accepts_from", {"accepts_from": ("10.1.2.3:5060",)}),
    ],
)
def test_a_place_that_nothing_can_reach_is_refused(field: str, values: dict[str, Any]):
    """Each ended the SIP process at its first look-up, or was taken and did nothing."""
    with pytest.raises(BadTrunk, match=field):
        trunk(**values)
    assert trunk(address="ims.example.cn.:5060", accepts_from=("10.1.2.4", "2001:db8::1", "sbc")).sources


def test_a_long_name_of_quotes_tells_no_number_and_takes_no_time():
    """64 kB of them, as a caller may send through a trunk, took seven seconds, in which no call had sound."""
    address = '"' + '\\"' * 30_000 + '" <sip:13800138000@trunk>'
    assert caller_in(asserted="", from_=address, privacy="") == ""
    assert caller_in(asserted=address, from_="<sip:13800138000@trunk>", privacy="") == "13800138000"


def test_a_plus_that_is_escaped_is_a_plus():
    assert caller_in(asserted="<sip:%2B8613800138000@op>", from_="", privacy="") == "+8613800138000"


def test_prefixes_are_replaced_the_longest_first():
    assert trunk().dialled(NUMBER) == "13800138000"
    assert trunk().dialled("+864788123456") == "04788123456"
    assert trunk(prefixes={"+86478": "9"}).dialled(NUMBER) is None


def test_a_trunk_without_what_it_needs_is_refused_without_its_password():
    with pytest.raises(BadTrunk, match="registers"):
        trunk(registers=True, user="u")
    assert "secret" not in repr(trunk(user="u", password="secret"))


class TrunkTimers(FakeTimers):
    """The monotonic clock is the test's too."""

    def monotonic(self) -> float:  # type: ignore[override]
        return self.now


class Called:
    """One call over two trunks, with a SIP process in the test's hands."""

    def __init__(self, *, connected: bool = True) -> None:
        self.timers = TrunkTimers()
        self.line = SipLine(self.timers, trunks=[trunk("a"), trunk("b", order=2)])
        self.told: list[dict[str, Any]] = []
        self.link = StackLink(lambda data: self.told.append(orjson.loads(data)), lambda _sound: None)
        if connected:
            self.line.attach(self.link)
        self.log = Log(self.timers)
        self.leg: SipLeg = self.line.dial(NUMBER, nth=1, events=self.log)
        self.timers.run(0.1)

    def hears(self, on: str, **values: object) -> None:
        self.line.heard({"on": on, "id": self.leg.id, **values})
        self.timers.run(0.1)

    @property
    def what(self) -> list[str]:
        return [what for _, what in self.log.told]


def test_a_trunk_that_fails_is_followed_by_the_next():
    called = Called()
    called.hears("ended", text="503 Service Unavailable")
    assert [one["trunk"] for one in called.told if one["do"] == "dial"] == ["a", "b"]
    called.hears("ended", text="486 Busy Here")
    assert called.what == ["busy"]
    assert {state.in_use for state in called.line.board.states.values()} == {0}


@pytest.mark.parametrize("text", ["Connection timed out [110]", "Connection reset by peer [104]", ""])
def test_no_other_trunk_is_tried_where_nothing_says_that_the_phone_did_not_ring(text: str):
    """An INVITE of which no answer came back: a second one would ring a telephone that rings."""
    called = Called()
    called.hears("ended", text=text)
    assert [one["trunk"] for one in called.told] == ["a"]
    assert called.what == ["lost"]
    assert called.leg.line_result == "lost"
    assert called.line.board.states["a"].in_a_row[Sign.FAULT] == 1, "such trunks rest"


def test_a_call_that_the_stack_did_not_take_goes_to_the_next_trunk():
    called = Called()
    called.hears("ended", text="dial failed: Cannot assign requested address", unsent=True)
    assert [one["trunk"] for one in called.told if one["do"] == "dial"] == ["a", "b"]
    called.hears("ended", text="Destination address required [89]")
    assert called.what == ["blocked"], "nobody was called"


def test_a_connection_that_is_lost_while_the_phone_rings_is_not_ours_alone():
    called = Called()
    called.hears("ringing")
    called.hears("ended", text="Connection reset by peer [104]")
    assert called.what == ["rings", "lost"]


def test_no_other_trunk_is_tried_once_the_phone_may_have_rung():
    called = Called()
    called.hears("ringing")
    called.hears("ended", text="503 Service Unavailable")
    assert called.what == ["rings", "blocked"]
    assert [one["trunk"] for one in called.told] == ["a"]


def test_a_call_without_a_sip_process_is_ours():
    assert Called(connected=False).what == ["blocked"]


def test_calls_of_a_sip_process_that_died_are_lost_and_the_next_call_is_placed():
    called = Called()
    called.hears("ringing")
    called.line.detached(called.link)
    assert called.what == ["rings", "lost"]
    assert called.leg.line_result == "lost"
    assert called.line.board.states["a"].in_use == 0
    called.line.attach(called.link)
    called.line.dial(NUMBER, nth=2, events=called.log)
    called.timers.run(1.0)
    assert [one["do"] for one in called.told] == ["dial", "dial"]


def test_an_answered_call_of_a_sip_process_that_died_was_not_hung_up_by_the_person():
    called = Called()
    called.hears("ringing")
    called.hears("answered")
    called.line.detached(called.link)
    assert called.what == ["rings", "answered", "lost"]
    assert called.leg.line_result == "lost"


def test_a_channel_is_given_back_once_when_the_sip_process_dies():
    """The end of one call hung up the second leg that it had dialled, which waited with a channel of a trunk: the trunk
    had one in use less than none, and took more calls than it has channels.
    """
    called = Called()
    slow = SipLine(called.timers, trunks=[trunk("a", calls_per_second=0.5)])
    slow.attach(called.link)

    class Caller(Log):
        def ended(self, cause: Cause) -> None:
            super().ended(cause)
            second.hang_up()

    slow.dial(NUMBER, nth=1, events=Caller(called.timers))
    second = slow.dial(NUMBER, nth=1, events=Log(called.timers))
    called.timers.run(0.1)
    slow.detached(called.link)
    assert slow.board.states["a"].in_use == 0


def test_a_call_hung_up_keeps_its_channel_until_the_trunk_says_that_it_is_over():
    called = Called()
    called.leg.hang_up()
    assert called.told[-1] == {"do": "hang_up", "id": called.leg.id}
    assert called.line.board.states["a"].in_use == 1
    called.hears("ended", text="487 Request Terminated")
    assert called.line.board.states["a"].in_use == 0
    assert called.what == []


def test_the_second_leg_of_a_call_is_dialled_by_the_plan_too():
    """A caller sets the telephone of the own desk, and a person who calls us is connected to it."""
    called = Called()
    log = Log(called.timers)
    called.line.dial("+861680012345", nth=1, events=log)
    called.timers.run(1.0)
    assert [what for _, what in log.told] == ["blocked"]
    assert [one["number"] for one in called.told if one["do"] == "dial"] == ["13800138000"]


def test_a_call_that_waited_for_its_second_when_the_sip_process_died_is_never_placed():
    called = Called()
    slow = SipLine(called.timers, trunks=[trunk("a", calls_per_second=0.5)])
    slow.attach(called.link)
    told = len(called.told)
    logs = [Log(called.timers) for _ in range(2)]
    for log in logs:
        slow.dial(NUMBER, nth=1, events=log)
    called.timers.run(0.1)
    slow.detached(called.link)
    slow.attach(called.link)
    called.timers.run(10.0)
    assert [what for _, what in logs[1].told] == ["blocked"], "it has ended, and ends once"
    assert [one["do"] for one in called.told[told:]] == ["dial"]


def test_a_sound_is_said_as_often_as_the_document_says():
    """A WAV file of 11025 Hz has a sample less at 8000 Hz than its length says: it was played twice."""
    called = Called()
    called.hears("answered")
    wav = wav_at(11_025, samples=11_074)
    for times in (1, 2):
        clip = Clip(seconds=times * read_wav(wav).seconds, wav=wav, name="a", times=times)
        called.leg.speak(clip, lambda: None)
        assert called.told[-1] == {
            "do": "speak",
            "id": called.leg.id,
            "say": times,
            "sound": called.told[-1]["sound"],
            "times": times,
        }


def test_sounds_that_are_not_spoken_any_more_are_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("carrier.lines.sip.link._MOST_SOUND_BYTES", 40)
    told: list[dict[str, Any]] = []
    sent: list[bytes] = []
    link = StackLink(lambda data: told.append(orjson.loads(data)), sent.append)
    first, second = link.give(bytes(20)), link.give(b"\1" * 20)
    link.give(bytes(20))
    assert told == []
    link.give(b"\2" * 20)
    assert told == [{"do": "forget", "sound": second}]
    assert link.give(bytes(20)) == first
    assert len(sent) == 3
    link.give(b"\1" * 20)
    assert len(sent) == 4, "what was forgotten is sent again"


class Breaks(Log):
    """A call in which something unexpected goes wrong at a key."""

    def pressed(self, key: str) -> None:
        raise ZeroDivisionError(key)


def test_an_unexpected_fault_in_one_call_ends_that_call_alone():
    """It closed the link of the SIP process, and with it every call was cut off."""
    called = Called()
    broken = Breaks(called.timers)
    other = called.line.dial(NUMBER, nth=1, events=broken)
    called.timers.run(1.0)
    for leg in (called.leg, other):
        called.line.heard({"on": "answered", "id": leg.id})
        called.line.heard({"on": "key", "id": leg.id, "key": "1"})
    assert [what for _, what in broken.told] == ["rings", "answered", "failed"]
    assert called.told[-1] == {"do": "hang_up", "id": other.id}
    assert called.what == ["rings", "answered", "1"]
    called.line.heard({"on": "ended", "id": other.id, "text": ""})
    assert called.line.board.states["a"].in_use == 1


def test_a_call_in_that_nobody_can_take_is_refused():
    called = Called()

    def receive(_caller: str, _connect: object) -> None:
        raise ZeroDivisionError

    called.line.receive = receive
    called.line.heard({"on": "incoming", "ref": 7, "trunk": "a", "caller": ""})
    assert called.told[-1] == {"do": "refuse", "ref": 7}


@pytest.mark.parametrize("rate", [1, 3999, 400_000, 4_000_000_000])
def test_a_sound_of_a_rate_that_no_sound_has_is_none(rate: int):
    wav = bytearray(wav_at(8000, samples=100))
    wav[24:28] = rate.to_bytes(4, "little")
    with pytest.raises(BadSound):
        telephone_samples(bytes(wav))


async def test_a_trace_that_does_not_come_leaves_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("carrier.lines.sip.line._TRACE_SECONDS", 0.01)
    called = Called()
    with pytest.raises(TimeoutError):
        await called.line.trace(1)
    assert called.line._traces == {}


@pytest.mark.parametrize("clip", [Clip(seconds=0.1, text="您好"), Clip(seconds=0.1, wav=b"RIFF", name="a")])
async def test_a_clip_without_sound_is_silence_and_told(clip: Clip, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("carrier.lines.sip.line._SPEAKER", "/nowhere/espeak-ng")
    called = Called()
    called.hears("answered")
    called.leg.speak(clip, lambda: None)
    await asyncio.gather(*called.line._tasks)
    assert called.told[-1]["do"] == "speak"
    assert called.what == ["rings", "answered", "unplayed"]


def test_who_has_put_us_on_hold_has_heard_the_prompt_only_if_it_ends_after_the_hold():
    """As a mobile does at a second call. The SIP process says it again from its start."""
    called = Called()
    called.hears("answered")
    clip = Clip(seconds=1.0, wav=wav_at(8000, samples=8000), name="a")
    called.hears("held", held=True)
    assert called.what == ["rings", "answered"]
    called.leg.speak(clip, lambda: None)
    called.hears("held", held=False)
    called.hears("spoken", say=called.told[-1]["say"])
    assert called.what == ["rings", "answered"]
    called.leg.speak(clip, lambda: None)
    called.hears("held", held=True)
    called.hears("ended", text="")
    assert called.what == ["rings", "answered", "unplayed", "hung_up"]


@pytest.mark.parametrize("does", ["exec sleep 30", "exit 1", ""])
async def test_a_speech_program_that_fails_or_hangs_holds_no_call(
    does: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    program = tmp_path / "espeak-ng"
    program.write_text(f"#!/bin/sh\n{does}\n" if does else "")
    program.chmod(0o755)
    monkeypatch.setattr("carrier.lines.sip.line._SPEAKER", str(program))
    monkeypatch.setattr("carrier.lines.sip.line._SPEAK_SECONDS", 0.2)
    assert await speak_text("您好") == b""


class Stalled(Exception):
    """A command that the stack has not carried out in time."""


class Gone(Exception):
    """A call that the stack does not know any more."""


class Native:
    """A call of a stack that fails."""

    handle = 1
    call_id = "1@stack"
    final_stats = None

    def __init__(self, fault: Exception) -> None:
        self.fault = fault
        self.hung_up = 0

    async def answer(self) -> None:
        raise self.fault

    async def hangup(self) -> None:
        self.hung_up += 1
        raise self.fault


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> SipProcess:
    stack = SimpleNamespace(BaresipError=Exception, CommandTimeout=Stalled, RuntimeDead=Stalled)
    monkeypatch.setitem(sys.modules, "baresip", stack)  # type: ignore[arg-type] - it is optional
    return SipProcess(SipConfig(carrier_url="", admin_token=""))


@pytest.mark.parametrize("order", ["answer", "hang_up"])
async def test_a_stack_that_stalls_leaves_no_call_up(process: SipProcess, order: str):
    """Whether the call is up is not known: the end of the process ends it."""
    process._came_in[1] = native = Native(Stalled())
    process._handle_command({"do": "answer", "id": 5, "ref": 1})
    if order == "hang_up":
        native.fault = Gone()
        process._handle_command({"do": "hang_up", "id": 5})
        native.fault = Stalled()
    await asyncio.wait_for(process._over.wait(), 1.0)


async def test_a_call_in_that_cannot_be_answered_is_hung_up_and_over(process: SipProcess):
    process._came_in[1] = native = Native(Gone())
    process._handle_command({"do": "answer", "id": 5, "ref": 1})
    said = await asyncio.wait_for(process._out.get(), 1.0)
    assert isinstance(said, dict)
    assert (said["on"], said["id"], native.hung_up) == ("ended", 5, 1)
    assert not process._over.is_set()


async def test_the_process_forgets_a_sound(process: SipProcess):
    process._sounds["a"] = b"\0\0"
    process._handle_command({"do": "forget", "sound": "a"})
    assert process._sounds == {}
