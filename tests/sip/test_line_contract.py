"""The line contract: what a leg promises to the carrier, held by the simulated line and by a SIP trunk alike.

The person of a trunk is sipp, in real time. What one line alone does is tested with that line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from carrier.config import ServiceClock, Timers
from carrier.lines import Cause, Clip, Leg, Line, MachineDetection, Quality
from carrier.lines.simulated import SimulatedLine
from carrier.people import Behaviour, PeopleConfig, Pickup
from carrier.speech_input import Speech
from tests.sip.conftest import MakePeer, OnTrunks, trunk_to
from tests.sip.peers import answer, hang_up, line_of, pause, play, refuse, ring, until

TRYING = ring("100 Trying")
NUMBER, OTHER = "+8613800138000", "+8613900139000"
LONG = Clip(seconds=20.0, text="a sentence that nobody hears to its end")
SHORT = Clip(seconds=0.6, text="short")
STAYS = '<recv request="BYE" timeout="60000"/>'


@dataclass(slots=True)
class Report:
    """What a leg has reported of one call."""

    events: list[str] = field(default_factory=list)
    verdict: MachineDetection | None = None
    qualities: list[Quality] = field(default_factory=list)

    def ringing(self) -> None:
        self.events.append("rings")

    def answered(self, verdict: MachineDetection | None) -> None:
        self.verdict = verdict
        self.events.append("answered")

    def judged(self, verdict: MachineDetection) -> None:
        self.verdict = verdict

    def pressed(self, key: str) -> None:
        self.events.append(key)

    def said(self, speech: Speech) -> None:
        self.events.append(f"said {speech.words}")

    def unplayed(self) -> None:
        """The clips of these tests are texts, and a machine without a speech program plays silence."""

    def ended(self, cause: Cause) -> None:
        self.events.append(cause.value)

    def measured(self, quality: Quality) -> None:
        self.qualities.append(quality)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One kind of person, as the simulated line and as sipp know it."""

    simulated: Behaviour
    sipp: tuple[str, ...]


def person(*steps: str, **behaviour: object) -> Person:
    soon: dict[str, object] = {
        "name": "x",
        "share": 1,
        "ring_after_seconds": (0.05, 0.05),
        "answer_after_seconds": (0.2, 0.2),
        "key_after_seconds": (0.3, 0.3),
        "verdict_after_seconds": 0.3,
    }
    return Person(simulated=Behaviour(**{**soon, **behaviour}), sipp=steps)  # type: ignore[arg-type]


PICKS_UP = (ring(), pause(200), answer())
STAYS_ON = person(*PICKS_UP, STAYS)
HANGS_UP = person(*PICKS_UP, pause(300), hang_up(), hang_up_after_seconds=(0.3, 0.3))
PRESSES = person(
    *PICKS_UP, pause(600), play("dtmf_2833_1"), pause(600), play("dtmf_2833_2"), STAYS, keys=("12",)
)
NEVER_ANSWERS = person(
    ring(),
    '<recv request="CANCEL" timeout="60000"/>',
    refuse("487 Request Terminated"),
    pickup=Pickup.NO_ANSWER,
)
REFUSALS = {
    Cause.BUSY: person(TRYING, refuse("486 Busy Here"), pickup=Pickup.BUSY),
    Cause.REJECTED: person(ring(), refuse("603 Decline"), pickup=Pickup.REJECTED),
    Cause.INVALID: person(TRYING, refuse("404 Not Found"), pickup=Pickup.INVALID),
    Cause.BLOCKED: person(TRYING, refuse("403 Forbidden"), pickup=Pickup.BLOCKED),
    Cause.POWERED_OFF: person(
        TRYING,
        refuse("480 Temporarily Unavailable", "Q.850;cause=20"),
        pickup=Pickup.POWERED_OFF,
        line_result="powered_off",
    ),
}
MakeLine = Callable[..., Awaitable[Line]]


@pytest.fixture(params=["simulated", "sip"])
def line_to(request: pytest.FixtureRequest) -> MakeLine:
    """Makes a line whose every number is such a person."""
    made: MakeLine = request.getfixturevalue(f"{request.param}_line_to")
    return made


@pytest.fixture
async def simulated_line_to() -> MakeLine:
    async def make(who: Person, *, calls: int = 1) -> Line:
        timers = Timers(asyncio.get_running_loop(), ServiceClock())
        return SimulatedLine(timers, people=PeopleConfig(behaviours=(who.simulated,)), seed="1")

    return make


@pytest.fixture
async def sip_line_to(peer: MakePeer, on_trunks: OnTrunks) -> MakeLine:
    async def make(who: Person, *, calls: int = 1) -> Line:
        view = await on_trunks(trunk_to(await peer(*who.sipp, calls=calls), calls_per_second=100.0))
        return line_of(view.carrier)

    return make


async def quiet() -> None:
    """Long enough for an event that must not come."""
    await asyncio.sleep(0.5)


async def answered(line: Line, number: str = NUMBER) -> tuple[Leg, Report]:
    report = Report()
    leg = line.dial(number, nth=1, events=report)
    await until(lambda: "answered" in report.events, "the phone is answered")
    return leg, report


async def test_it_rings_once_is_answered_once_and_after_our_hang_up_nothing_is_reported(line_to: MakeLine):
    leg, report = await answered(await line_to(STAYS_ON))
    leg.hang_up()
    leg.hang_up()
    await quiet()
    assert report.events == ["rings", "answered"]
    assert leg.line_result == ""
    assert len(report.qualities) <= 1


@pytest.mark.parametrize("cause", REFUSALS, ids=lambda cause: cause.value)
async def test_a_call_that_is_not_answered_ends_once_with_its_cause(line_to: MakeLine, cause: Cause):
    line = await line_to(REFUSALS[cause])
    report = Report()
    leg = line.dial(NUMBER, nth=1, events=report)
    await until(lambda: cause.value in report.events, "it ends")
    await quiet()
    assert report.events in ([cause.value], ["rings", cause.value])
    assert leg.line_result == ("powered_off" if cause is Cause.POWERED_OFF else "")


async def test_a_phone_that_nobody_answers_rings_until_the_carrier_hangs_up(line_to: MakeLine):
    line = await line_to(NEVER_ANSWERS)
    report = Report()
    leg = line.dial(NUMBER, nth=1, events=report)
    await until(lambda: "rings" in report.events, "it rings")
    await quiet()
    leg.hang_up()
    await quiet()
    assert report.events == ["rings"]


async def test_a_call_that_is_hung_up_at_once_reports_nothing(line_to: MakeLine):
    line = await line_to(STAYS_ON)
    report = Report()
    line.dial(NUMBER, nth=1, events=report).hang_up()
    await quiet()
    assert report.events == []


async def test_when_the_person_hangs_up_the_call_is_over_and_what_comes_later_has_no_effect(
    line_to: MakeLine,
):
    leg, report = await answered(await line_to(HANGS_UP))
    heard: list[str] = []
    leg.speak(LONG, lambda: heard.append("to the end"))
    await until(lambda: "hung_up" in report.events, "the person hangs up")
    leg.stop_speaking()
    leg.listen(1)
    leg.stop_listening()
    leg.hang_up()
    await quiet()
    assert report.events == ["rings", "answered", "hung_up"]
    assert heard == []


async def test_a_clip_is_done_once_and_not_before_its_length(line_to: MakeLine):
    leg, _ = await answered(await line_to(STAYS_ON))
    loop = asyncio.get_running_loop()
    began, done = loop.time(), []
    leg.speak(SHORT, lambda: done.append(loop.time() - began))
    await until(lambda: done, "the clip is heard")
    await quiet()
    assert len(done) == 1
    assert done[0] >= SHORT.seconds * 0.95
    leg.hang_up()


async def test_a_clip_that_is_stopped_is_never_done_and_the_next_one_is(line_to: MakeLine):
    leg, _ = await answered(await line_to(STAYS_ON))
    done: list[str] = []
    leg.speak(SHORT, lambda: done.append("first"))
    leg.stop_speaking()
    leg.stop_speaking()
    leg.speak(SHORT, lambda: done.append("second"))
    await until(lambda: done, "the second clip is heard")
    await quiet()
    assert done == ["second"]
    leg.hang_up()


async def test_keys_come_in_their_order_also_while_a_clip_plays(line_to: MakeLine):
    leg, report = await answered(await line_to(PRESSES))
    done: list[str] = []
    leg.listen(1)
    leg.speak(LONG, lambda: done.append("to the end"))
    await until(lambda: "1" in report.events, "the first key")
    leg.stop_speaking()
    await until(lambda: "2" in report.events, "the second key")
    leg.stop_listening()
    leg.hang_up()
    assert report.events == ["rings", "answered", "1", "2"]
    assert done == []


async def test_somebody_is_judged_at_the_answer_or_later(line_to: MakeLine):
    leg, report = await answered(await line_to(person(*PICKS_UP, play("g711a"), STAYS)))
    await until(lambda: report.verdict is not None, "a verdict")
    assert report.verdict is not None
    assert report.verdict.after_seconds > 0
    leg.hang_up()


class Recorded:
    """What a leg gives its recorder."""

    def __init__(self) -> None:
        self.sound_bytes = bytearray()
        self.times_over = 0

    def sound(self, data: bytes) -> None:
        assert not self.times_over, "nothing follows the end"
        self.sound_bytes += data

    def over(self) -> None:
        self.times_over += 1

    @property
    def seconds(self) -> float:
        return len(self.sound_bytes) / 16_000


@pytest.mark.parametrize("who", [STAYS_ON, HANGS_UP], ids=["we hang up", "they hang up"])
async def test_a_recording_is_over_once_and_as_long_as_the_call(line_to: MakeLine, who: Person):
    line, recorded, report = await line_to(who), Recorded(), Report()
    loop = asyncio.get_running_loop()
    leg = line.dial(NUMBER, nth=1, events=report)
    await until(lambda: "answered" in report.events, "the phone is answered")
    began = loop.time()
    leg.record(recorded)
    done: list[str] = []
    if who is STAYS_ON:
        leg.speak(SHORT, lambda: done.append("done"))
        await until(lambda: done, "the clip is heard")
        leg.hang_up()
    await until(lambda: recorded.times_over, "the recording is whole")
    took = loop.time() - began
    await quiet()
    assert recorded.times_over == 1
    assert len(recorded.sound_bytes) % 2 == 0
    assert took - 0.6 <= recorded.seconds <= took + 0.3, (recorded.seconds, took)


async def test_calls_at_once_do_not_touch_each_other(line_to: MakeLine):
    line = await line_to(STAYS_ON, calls=2)
    (first, told), (second, told_second) = await answered(line, NUMBER), await answered(line, OTHER)
    done: list[str] = []
    first.speak(SHORT, lambda: done.append("first"))
    second.speak(SHORT, lambda: done.append("second"))
    first.hang_up()
    await until(lambda: done, "the other call speaks on")
    await quiet()
    assert done == ["second"]
    assert told.events == told_second.events == ["rings", "answered"]
    second.hang_up()


async def test_two_that_are_joined_end_each_for_itself(line_to: MakeLine):
    line = await line_to(STAYS_ON, calls=2)
    (first, _), (second, told) = await answered(line, NUMBER), await answered(line, OTHER)
    first.join(second)
    first.hang_up()
    await quiet()
    assert told.events == ["rings", "answered"]
    done: list[str] = []
    second.speak(SHORT, lambda: done.append("spoken"))
    await until(lambda: done, "the one who is left is spoken to")
    second.hang_up()


async def test_who_hears_others_ends_for_itself_and_is_spoken_to_alone(line_to: MakeLine):
    line = await line_to(STAYS_ON, calls=2)
    (first, _), (second, told) = await answered(line, NUMBER), await answered(line, OTHER)
    first.join(second)
    first.hear((second,))
    second.hear((first,))
    done: list[str] = []
    second.speak(SHORT, lambda: done.append("heard in a conference"))
    await until(lambda: done, "a prompt in a conference comes to its end")
    first.hang_up()
    await quiet()
    assert told.events == ["rings", "answered"]
    second.hear(())
    second.speak(SHORT, lambda: done.append("heard alone"))
    await until(lambda: len(done) == 2, "the one who is left is spoken to")
    second.hang_up()


async def test_a_phone_that_does_not_ring_cannot_be_answered_and_a_mobile_is_not_refused(line_to: MakeLine):
    line = await line_to(STAYS_ON)
    assert line.refusal(NUMBER) == 0
    leg, report = await answered(line)
    assert leg.answer_now() is False
    assert report.events == ["rings", "answered"]
    leg.hang_up()
