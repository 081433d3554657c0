"""Simulated people, second by second, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from carrier.lines import Cause, Clip, Leg, LegEvents, MachineDetection, Quality
from carrier.lines.handset import Handsets, HandsetState
from carrier.lines.simulated import SimulatedLeg, SimulatedLine, chance
from carrier.people import AnsweredBy, Behaviour, PeopleConfig, Pickup
from carrier.speech_input import Speech
from tests.carrier.fake_time import FakeTimers

NUMBER = "+8613800138000"


class Log:
    """Writes down what a leg reports, with the second."""

    def __init__(self, timers: FakeTimers) -> None:
        self.timers = timers
        self.told: list[tuple[float, str]] = []
        self.spoken: list[tuple[float, str]] = []
        self.verdict: MachineDetection | None = None

    def ringing(self) -> None:
        self.told.append((self.timers.now, "rings"))

    def answered(self, verdict: MachineDetection | None) -> None:
        self.verdict = verdict
        self.told.append((self.timers.now, "answered"))

    def judged(self, verdict: MachineDetection) -> None:
        self.verdict = verdict

    def pressed(self, key: str) -> None:
        self.told.append((self.timers.now, key))

    def said(self, speech: Speech) -> None:
        self.spoken.append((self.timers.now, speech.words))

    def unplayed(self) -> None:
        self.told.append((self.timers.now, "unplayed"))

    def ended(self, cause: Cause) -> None:
        self.told.append((self.timers.now, cause.value))

    def measured(self, quality: Quality) -> None:
        self.quality = quality


class Called:
    """One call to a person of the given behaviour."""

    def __init__(self, behaviour: Behaviour, *, nth: int = 1, seed: str = "1") -> None:
        self.timers = FakeTimers()
        self.log = Log(self.timers)
        line = SimulatedLine(self.timers, people=PeopleConfig(behaviours=(behaviour,)), seed=seed)
        leg = line.dial(NUMBER, nth=nth, events=self.log)
        assert isinstance(leg, SimulatedLeg)
        self.leg = leg

    @property
    def what(self) -> list[str]:
        return [what for _, what in self.log.told]


def person(**values: object) -> Behaviour:
    fixed: dict[str, object] = {
        "name": "x",
        "share": 1,
        "ring_after_seconds": (2.0, 2.0),
        "answer_after_seconds": (5.0, 5.0),
        "key_after_seconds": (3.0, 3.0),
    }
    return Behaviour(**{**fixed, **values})  # type: ignore[arg-type]


def test_a_phone_rings_after_the_set_up_and_is_answered_after_its_ring():
    called = Called(person())
    called.timers.run(100)
    assert called.log.told == [(2.0, "rings"), (7.0, "answered")]


@pytest.mark.parametrize(
    ("pickup", "cause"),
    [
        (Pickup.BUSY, Cause.BUSY),
        (Pickup.POWERED_OFF, Cause.POWERED_OFF),
        (Pickup.INVALID, Cause.INVALID),
        (Pickup.BLOCKED, Cause.BLOCKED),
        (Pickup.REFUSED_AT_CREATION, Cause.INVALID),
    ],
)
def test_a_phone_that_cannot_be_reached_never_rings(pickup: Pickup, cause: Cause):
    called = Called(person(pickup=pickup))
    called.timers.run()
    assert called.log.told == [(2.0, cause.value)]


@pytest.mark.parametrize(
    ("pickup", "cause", "at"),
    [
        (Pickup.REJECTED, Cause.REJECTED, 7.0),
        (Pickup.RINGS_THEN_FAILS, Cause.FAILED, 7.0),
        (Pickup.NO_ANSWER, Cause.NO_ANSWER, 122.0),
    ],
)
def test_a_phone_that_is_not_answered_rings_first(pickup: Pickup, cause: Cause, at: float):
    called = Called(person(pickup=pickup))
    called.timers.run()
    assert called.log.told == [(2.0, "rings"), (at, cause.value)]


@pytest.mark.parametrize(("nth", "answers"), [(1, False), (2, False), (3, True), (4, True)])
def test_some_answer_only_from_a_later_call_on(nth: int, answers: bool):
    called = Called(person(answers_from_call=3), nth=nth)
    called.timers.run()
    assert ("answered" in called.what) is answers


def test_a_key_is_pressed_some_seconds_into_its_question():
    called = Called(person(keys=("1", "", "2")))
    called.timers.run(10)
    for question in (1, 2, 3, 4):
        called.leg.listen(question)
        called.timers.run(10)
        called.leg.stop_listening()
    assert called.log.told[2:] == [(13.0, "1"), (33.0, "2")]


def test_somebody_who_speaks_says_it_where_no_key_is_pressed():
    called = Called(person(keys=("", "1"), says=("是我", "不算", "有的")))
    called.timers.run(10)
    for question in (1, 2, 3, 4):
        called.leg.listen(question)
        called.timers.run(10)
        called.leg.stop_listening()
    assert called.log.spoken == [(13.0, "是我"), (33.0, "有的")]
    assert called.log.told[2:] == [(23.0, "1")]


def test_words_not_yet_said_when_the_question_is_over_never_are():
    called = Called(person(says=("是我",)))
    called.timers.run(10)
    called.leg.listen(1)
    called.timers.run(1)
    called.leg.stop_listening()
    called.timers.run()
    assert called.log.spoken == []


def test_a_key_not_yet_pressed_when_the_question_is_over_never_is():
    called = Called(person(keys=("1", "2")))
    called.timers.run(10)
    called.leg.listen(1)
    called.timers.run(1)
    called.leg.stop_listening()
    called.timers.run()
    assert called.what == ["rings", "answered"]


def test_who_has_pressed_all_keys_answers_the_next_call_with_later_ones():
    timers = FakeTimers()
    behaviour = person(keys=("1", "1"), later_keys=("3",))
    line = SimulatedLine(timers, people=PeopleConfig(behaviours=(behaviour,)), seed="1")
    told = []
    for nth, questions in enumerate((1, 2, 1), start=1):
        log = Log(timers)
        leg = line.dial(NUMBER, nth=nth, events=log)
        timers.run(30.0)
        for question in range(1, questions + 1):
            leg.listen(question)
            timers.run(10.0)
        told.append([what for _, what in log.told if what.isdigit()])
    assert told == [["1"], ["1", "1"], ["3"]]


def test_several_keys_come_one_after_the_other_until_the_question_is_over():
    called = Called(person(keys=("123",)))
    called.timers.run(10)
    called.leg.listen(1)
    called.timers.run(3.5)
    called.leg.stop_listening()
    called.timers.run()
    assert [(round(at, 1), key) for at, key in called.log.told[2:]] == [(13.0, "1"), (13.4, "2")]


def test_an_early_hang_up_takes_the_pending_key_with_it():
    called = Called(person(keys=("1",), hang_up_after_seconds=(1.0, 1.0)))
    called.timers.run(7)
    called.leg.listen(1)
    called.timers.run()
    assert called.log.told[1:] == [(7.0, "answered"), (8.0, "hung_up")]
    assert called.timers.pending == 0


def test_speech_is_heard_after_its_length_and_not_when_hushed():
    called = Called(person())
    called.timers.run(10)
    heard: list[float] = []
    called.leg.speak(Clip(seconds=4.0), lambda: heard.append(called.timers.now))
    called.timers.run(5)
    called.leg.speak(Clip(seconds=4.0), lambda: heard.append(called.timers.now))
    called.timers.run(1)
    called.leg.stop_speaking()
    called.timers.run()
    assert heard == [14.0]


@pytest.mark.parametrize("after", [0.0, 1.0, 3.0, 7.0, 9.0])
def test_hanging_up_at_any_moment_leaves_nothing_pending_and_reports_nothing(after: float):
    called = Called(person(keys=("1",), hang_up_after_seconds=(30.0, 30.0)))
    called.timers.run(after)
    called.leg.listen(1)
    before = list(called.log.told)
    called.leg.hang_up()
    called.timers.run()
    assert called.log.told == before
    assert called.timers.pending == 0


def test_only_a_ringing_phone_can_be_answered_at_once():
    called = Called(person())
    assert not called.leg.answer_now()
    called.timers.run(3)
    assert called.leg.answer_now()
    assert not called.leg.answer_now()
    called.timers.run()
    assert called.log.told == [(2.0, "rings"), (3.0, "answered")]


def test_a_phone_nobody_answers_is_answered_when_forced():
    called = Called(person(pickup=Pickup.NO_ANSWER))
    called.timers.run(3)
    assert called.leg.answer_now()
    called.timers.run()
    assert called.what == ["rings", "answered"]


def test_the_verdict_is_the_persons():
    called = Called(
        person(answered_by=AnsweredBy.MACHINE_START, verdict_after_seconds=4.0, greeting_seconds=6.0)
    )
    called.timers.run()
    assert called.log.verdict == MachineDetection(
        answered_by=AnsweredBy.MACHINE_START, after_seconds=4.0, greeting_seconds=6.0
    )


def test_the_same_call_happens_in_the_same_way_and_the_next_one_in_another():
    varied = person(ring_after_seconds=(1.0, 9.0), answer_after_seconds=(1.0, 30.0))

    def told(nth: int, seed: str = "1") -> list[tuple[float, str]]:
        called = Called(varied, nth=nth, seed=seed)
        called.timers.run()
        return called.log.told

    assert told(1) == told(1)
    assert told(1) != told(2)
    assert told(1) != told(1, seed="2")
    for at, what in told(1):
        assert 1.0 <= at <= (9.0 if what == "rings" else 39.0)


def test_shares_are_kept_over_many_numbers():
    mix = PeopleConfig(
        behaviours=(
            Behaviour(name="often", share=3),
            Behaviour(name="never", share=0),
            Behaviour(name="seldom", share=1),
        )
    )
    line = SimulatedLine(FakeTimers(), people=mix, seed="5")
    names = [line.behaviour_of(f"+86139{n:08d}").name for n in range(4000)]
    assert names.count("never") == 0
    assert 0.22 < names.count("seldom") / len(names) < 0.28


def test_an_assigned_behaviour_wins_until_it_is_taken_back():
    line = SimulatedLine(FakeTimers(), people=PeopleConfig(behaviours=(person(),)), seed="1")
    line.assign(NUMBER, Behaviour(name="own", pickup=Pickup.REFUSED_AT_CREATION, refusal_code=21215))
    assert line.refusal(NUMBER) == 21215
    line.assign(NUMBER, None)
    assert (line.refusal(NUMBER), line.behaviour_of(NUMBER).name) == (0, "x")
    line.assign(NUMBER, None)


def test_a_desk_answers_whatever_the_mix():
    line = SimulatedLine(
        FakeTimers(),
        people=PeopleConfig(behaviours=(person(pickup=Pickup.BUSY),)),
        seed="1",
        desk_numbers=(NUMBER,),
    )
    assert line.behaviour_of(NUMBER).pickup is Pickup.ANSWERED
    assert line.behaviour_of(NUMBER).hang_up_after_seconds is not None


def test_an_extension_is_a_desk():
    line = SimulatedLine(
        FakeTimers(), people=PeopleConfig(behaviours=(person(pickup=Pickup.BUSY),)), seed="1"
    )
    assert line.behaviour_of("8001").pickup is Pickup.ANSWERED
    assert line.behaviour_of("+8613800138000").pickup is Pickup.BUSY


def test_a_desk_is_one_telephone_and_busy_while_it_speaks():
    timers = FakeTimers()
    line = SimulatedLine(
        timers, people=PeopleConfig(behaviours=(person(),)), seed="1", desk_numbers=(NUMBER,)
    )
    first, second, third = Log(timers), Log(timers), Log(timers)
    line.dial(NUMBER, nth=1, events=first)
    timers.run(15)
    line.dial(NUMBER, nth=1, events=second)
    timers.run(300)
    line.dial(NUMBER, nth=1, events=third)
    timers.run(15)
    assert [what for _, what in first.told] == ["rings", "answered", Cause.HUNG_UP.value]
    assert [what for _, what in second.told] == [Cause.BUSY.value]
    assert [what for _, what in third.told] == ["rings", "answered"]


def test_chance_is_even_and_depends_on_every_part():
    draws = [chance("s", n) for n in range(2000)]
    assert all(0 <= draw < 1 for draw in draws)
    assert 0.47 < sum(draws) / len(draws) < 0.53
    assert chance("s", "a", "b") != chance("s", "ab")
    assert chance("s", 1) != chance("t", 1)


class Town:
    """A line whose people call us; each call in is answered, and what its person does is written down."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.timers = FakeTimers()
        self.line = SimulatedLine(self.timers, people=PeopleConfig(behaviours=(behaviour,)), seed="1")
        self.callers: list[str] = []
        self.log = Log(self.timers)
        self.leg: Leg | None = None
        self.line.receive = self.receive

    def receive(self, caller: str, connect: Callable[[LegEvents], Leg]) -> None:
        self.callers.append(caller)
        self.leg = connect(self.log)  # type: ignore[arg-type]


@pytest.mark.parametrize("pickup", [Pickup.ANSWERED, Pickup.NO_ANSWER])
def test_a_person_rings_back_once_after_a_call(pickup: Pickup):
    town = Town(person(pickup=pickup, rings_back_after_seconds=(30.0, 30.0), rings_back_keys=("1", "2")))
    town.line.dial(NUMBER, nth=1, events=Log(town.timers)).hang_up()
    town.timers.run(29.0)
    assert town.callers == []
    town.timers.run(2.0)
    assert (town.callers, town.log.told) == ([NUMBER], [(30.0, "answered")])
    assert town.leg is not None
    town.leg.listen(2)
    town.timers.run(3.0)
    assert town.log.told[-1] == (34.0, "2")
    town.line.dial(NUMBER, nth=2, events=Log(town.timers)).hang_up()
    town.timers.run(100.0)
    assert len(town.callers) == 1


def test_a_person_who_does_not_ring_back_never_does():
    town = Town(person())
    town.line.dial(NUMBER, nth=1, events=Log(town.timers)).hang_up()
    town.timers.run()
    assert town.callers == []


def test_who_hides_their_number_types_it_when_asked_and_leaves_in_the_end():
    town = Town(person(hides_number=True, waits_seconds=50.0, says=("words",)))
    town.line.call_in(NUMBER)
    assert town.callers == [""]
    town.timers.run(0.0)
    assert town.leg is not None
    town.leg.listen(1)
    town.timers.run(60.0)
    keys = [(at, what) for at, what in town.log.told if len(what) == 1]
    assert "".join(key for _, key in keys) == "13800138000#"
    assert [at for at, _ in keys[:2]] == [3.0, pytest.approx(3.4)]
    assert (town.log.told[-1], town.log.spoken) == ((50.0, "hung_up"), [])


def test_who_shows_their_number_presses_nothing_of_their_own_accord():
    town = Town(person(keys=("1",)))
    town.line.call_in(NUMBER)
    assert town.leg is not None
    town.timers.run(1.0)
    town.leg.listen(1)
    town.timers.run(200.0)
    assert [what for _, what in town.log.told] == ["answered"]


def test_a_behaviour_given_for_a_call_in_is_that_of_the_call_alone():
    town = Town(person())
    town.line.call_in(NUMBER, person(hides_number=True, rings_back_keys=("9",)))
    assert (town.callers, town.line.behaviour_of(NUMBER).hides_number) == ([""], False)
    assert town.leg is not None
    town.timers.run(1.0)
    town.leg.listen(1)
    town.timers.run(3.0)
    assert town.log.told[-1] == (4.0, "9")


@pytest.mark.parametrize(
    ("pickup", "refusal", "text_error"),
    [
        (Pickup.ANSWERED, 0, 0),
        (Pickup.BUSY, 0, 0),
        (Pickup.POWERED_OFF, 0, 30003),
        (Pickup.BLOCKED, 0, 30004),
        (Pickup.INVALID, 0, 30005),
        (Pickup.REFUSED_AT_CREATION, 21214, 0),
    ],
)
def test_what_is_refused_and_what_is_not_delivered(pickup: Pickup, refusal: int, text_error: int):
    line = Town(person(pickup=pickup, refusal_code=21214)).line
    assert (line.refusal(NUMBER), line.text_error(NUMBER)) == (refusal, text_error)
    line.handsets.take(NUMBER)
    assert (line.refusal(NUMBER), line.text_error(NUMBER)) == (0, 0)


def test_a_handset_in_a_call_is_busy():
    town = Town(person())
    handset = town.line.handsets.take(NUMBER)
    assert town.line.dial(NUMBER, nth=1, events=Log(town.timers)) is not None
    second = Log(town.timers)
    town.line.dial(NUMBER, nth=2, events=second)
    town.timers.run(3.0)
    assert ([what for _, what in second.told], handset.state) == (["busy"], HandsetState.RINGING)


def test_beyond_the_limit_the_oldest_idle_handset_is_released():
    timers = FakeTimers()
    handsets = Handsets(timers)
    first = handsets.take("+8613000000000")
    first.dial(Log(timers))  # type: ignore[arg-type]
    timers.run(1.0)
    for n in range(1, 32):
        handsets.take(f"+86130000000{n:02d}")
    assert handsets.of("+8613000000001") is not None
    handsets.take("+8613000000032")
    assert handsets.of(first.number) is first, "it is in a call"
    assert handsets.of("+8613000000001") is None
    assert handsets.find(first.id) is first
    handsets.release(first)
    assert (handsets.of(first.number), first.state) == (None, HandsetState.OVER)
