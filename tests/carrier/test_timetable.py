"""Calls second by second: the exchange, the line and the application's wire on one clock that the test
moves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from carrier.calls import Call, CallOrder, RestProblem, Status
from carrier.config import CarrierConfig
from carrier.exchange import Exchange
from carrier.faults import FaultRule, InjectedFault
from carrier.lines.simulated import SimulatedLine
from carrier.outbound import Outbound
from carrier.people import AnsweredBy, Behaviour, PeopleConfig, Pickup
from tests.carrier.fake_time import FakeOutbound, FakeTimers
from tests.carrier.stage import ACCOUNT, FROM, TO, TOKEN

EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
PAUSE = "<Response><Pause length='1000'/></Response>"
MACHINE = {"answered_by": AnsweredBy.MACHINE_START, "verdict_after_seconds": 4.0, "greeting_seconds": 6.0}


def person(**values: object) -> Behaviour:
    fixed: dict[str, object] = {
        "name": "x",
        "share": 1,
        "ring_after_seconds": (2.0, 2.0),
        "answer_after_seconds": (5.0, 5.0),
        "key_after_seconds": (3.0, 3.0),
    }
    return Behaviour(**{**fixed, **values})  # type: ignore[arg-type]


class Scenario:
    """An exchange whose clock stands still until `run`."""

    def __init__(self, folder: Path, behaviour: Behaviour, **config: object) -> None:
        self.timers = FakeTimers()
        self.wire = FakeOutbound(self.timers)
        self.wire.documents["/start"] = PAUSE
        wire: Outbound = self.wire  # type: ignore[assignment]
        people = PeopleConfig(behaviours=(behaviour,))
        self.exchange = Exchange(
            CarrierConfig(account_sid=ACCOUNT, auth_token=TOKEN, state_dir=folder, **config),  # type: ignore[arg-type]
            line=SimulatedLine(self.timers, people=people, seed="1"),
            timers=self.timers,
            outbound=wire,
        )

    def call(self, to: str = TO, **order: object) -> Call:
        values: dict[str, object] = {
            "url": "http://a.test/start",
            "status_callback": "http://a.test/status",
            "events": EVENTS,
            **order,
        }
        return self.exchange.create(CallOrder(to=to, from_=FROM, **values))  # type: ignore[arg-type]

    def told(self, call: Call) -> list[tuple[float, str]]:
        return [
            (round(one.at, 2), one.params["CallStatus"])
            for one in self.wire.to("/status")
            if one.params["CallSid"] == call.sid
        ]


class Scenarios:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.made: list[Scenario] = []

    def __call__(self, behaviour: Behaviour | None = None, **config: object) -> Scenario:
        scenario = Scenario(self._folder / str(len(self.made)), behaviour or person(), **config)
        self.made.append(scenario)
        return scenario


@pytest.fixture
def scenario(tmp_path: Path) -> Iterator[Scenarios]:
    scenarios = Scenarios(tmp_path)
    yield scenarios
    for one in scenarios.made:
        one.exchange.halt()
        one.exchange.close()


def test_each_event_is_told_at_its_second(scenario: Scenarios):
    one = scenario(person(hang_up_after_seconds=(30.0, 30.0)))
    call = one.call()
    one.timers.run(100)
    assert one.told(call) == [(0, "initiated"), (2, "ringing"), (7, "in-progress"), (37, "completed")]
    assert [sent.at for sent in one.wire.to("/start")] == [7]
    assert (call.duration_seconds, call.start, call.end) == (30, 1_000_000.0, 1_000_037.0)


def test_only_the_events_that_were_asked_for_are_told_and_numbered(scenario: Scenarios):
    one = scenario(person(hang_up_after_seconds=(30.0, 30.0)))
    call = one.call(events=frozenset({"answered", "completed"}))
    one.timers.run(100)
    assert one.told(call) == [(7, "in-progress"), (37, "completed")]
    assert [sent.params["SequenceNumber"] for sent in one.wire.to("/status")] == ["0", "1"]


def test_a_call_without_a_callback_tells_nothing(scenario: Scenarios):
    one = scenario(person(pickup=Pickup.BUSY))
    call = one.call(status_callback="")
    one.timers.run(100)
    assert (one.wire.sent, call.status) == ([], Status.BUSY)


QUESTION = (
    "<Response><Gather numDigits='1' timeout='5' actionOnEmptyResult='true' action='/next'>"
    "<Play>/gone.wav</Play></Gather></Response>"
)


@pytest.mark.parametrize(("hangs_up_after", "asked", "end"), [(9.0, ["true"], None), (3.0, [], "true")])
def test_what_could_not_be_played_is_told_with_what_comes_next(
    scenario: Scenarios, hangs_up_after: float, asked: list[str], end: str | None
):
    """Without it the wait for a key counts as if the prompt had been heard."""
    one = scenario(person(hang_up_after_seconds=(hangs_up_after, hangs_up_after)))
    one.wire.documents |= {"/start": QUESTION, "/next": PAUSE}
    one.call()
    one.timers.run(100)
    assert "X-Unplayed" not in one.wire.to("/start")[0].params
    assert [sent.params.get("X-Unplayed") for sent in one.wire.to("/next")] == asked
    assert one.wire.to("/status")[-1].params.get("X-Unplayed") == end
    told = (one.wire.to("/next") or one.wire.to("/status"))[-1].params["X-Unfetched"]
    assert told.endswith("/gone.wav")


def test_a_full_disk_needs_no_record_of_what_is_told_and_refused(scenario: Scenarios):
    """The fault reached the connection to the application, with another request on it."""
    one = scenario(person(hang_up_after_seconds=(30.0, 30.0)))
    call = one.call()
    journal = one.exchange.call_journal
    journal.close()
    journal._file = os.open("/dev/full", os.O_WRONLY)
    one.timers.run(100)
    assert [status for _, status in one.told(call)] == ["initiated", "ringing", "in-progress", "completed"]
    with pytest.raises(RestProblem) as refused:
        one.exchange.refuse(TO, 21211)
    assert refused.value.code == 21211


def test_who_was_not_told_that_the_call_is_recorded_is_not_connected(scenario: Scenarios):
    """The sound of the notice could not be fetched: it was skipped, and the person recorded without knowing."""
    one = scenario(person(answer_after_seconds=(1.0, 1.0)))
    one.wire.documents["/start"] = (
        "<Response><Dial record='record-from-answer-dual' action='/dialled'>"
        "<Number url='/notice'>+8613900139000</Number></Dial></Response>"
    )
    one.wire.documents["/notice"] = "<Response><Play>/gone.wav</Play></Response>"
    one.wire.documents["/dialled"] = PAUSE
    one.call()
    one.timers.run(60)
    (leg,) = (leg for leg in one.exchange.newest_first() if leg.parent_sid)
    assert (leg.status, leg.duration_seconds) == (Status.COMPLETED, 1)
    assert len(one.wire.to("/dialled")) == 1


def test_a_call_that_gets_another_document_hangs_up_the_telephone_that_it_dialled(scenario: Scenarios):
    """The desk stayed in use until its time limit."""
    one = scenario(person(answer_after_seconds=(1.0, 1.0)))
    one.wire.documents["/start"] = "<Response><Dial action='/dialled'>801</Dial></Response>"
    one.wire.documents["/next"] = "<Response><Dial>802</Dial></Response>"
    call = one.call()
    one.timers.run(15)
    one.exchange.redirect(call.sid, url="http://a.test/next", method="POST", twiml="")
    one.timers.run(8)
    legs = {leg.to: leg.status for leg in one.exchange.newest_first() if leg.parent_sid}
    assert legs == {"801": Status.COMPLETED, "802": Status.IN_PROGRESS}
    assert [sent.params["DialCallStatus"] for sent in one.wire.to("/dialled")] == ["completed"]


@pytest.mark.parametrize("set_by", [7200.0, -7200.0])
def test_a_clock_that_is_set_during_a_call_leaves_its_length(scenario: Scenarios, set_by: float):
    one = scenario(person(hang_up_after_seconds=(30.0, 30.0)))
    call = one.call(records=True)
    one.timers.run(20)
    one.timers.set_by = set_by
    one.timers.run(100)
    (recording,) = one.exchange.recordings.newest_first()
    assert (call.duration_seconds, recording.duration_seconds) == (30, 30)


def test_a_clock_that_is_set_back_holds_no_queued_call(scenario: Scenarios):
    one = scenario(person(pickup=Pickup.BUSY), calls_per_second=2.0)
    calls = [one.call() for _ in range(3)]
    one.timers.run(0.1)
    one.timers.set_by = -7200.0
    one.timers.run(1.5)
    assert [one.told(call)[0] for call in calls] == [(0, "initiated"), (0.5, "initiated"), (1, "initiated")]


def test_the_parameters_are_twilios(scenario: Scenarios):
    one = scenario(person(hang_up_after_seconds=(61.0, 61.0)))
    call = one.call()
    one.timers.run(200)
    first, *_, last = [sent.params for sent in one.wire.to("/status")]
    assert first == {
        "CallSid": call.sid,
        "AccountSid": ACCOUNT,
        "From": FROM,
        "To": TO,
        "Caller": FROM,
        "Called": TO,
        "CallStatus": "initiated",
        "ApiVersion": "2010-04-01",
        "Direction": "outbound-api",
        "CallbackSource": "call-progress-events",
        "SequenceNumber": "0",
        "Timestamp": "Mon, 12 Jan 1970 13:46:40 +0000",
    }
    assert set(last) - set(first) == {"CallDuration", "Duration", "SipResponseCode"}
    assert (last["CallDuration"], last["Duration"], last["SipResponseCode"]) == ("61", "2", "200")


@pytest.mark.parametrize("timeout", [3, 4, 30, 60])
def test_the_phone_rings_for_its_timeout_and_no_longer(scenario: Scenarios, timeout: int):
    one = scenario(person(pickup=Pickup.NO_ANSWER))
    call = one.call(timeout_seconds=timeout)
    one.timers.run(500)
    assert one.told(call)[-1] == (2 + timeout, "no-answer")
    assert call.duration_seconds is None


def test_an_answer_in_the_second_of_the_timeout_is_one_or_the_other(scenario: Scenarios):
    one = scenario(person())
    call = one.call(timeout_seconds=5)
    one.timers.run(500)
    assert [status for _, status in one.told(call)][-1] in {"completed", "no-answer"}
    assert len([1 for _, status in one.told(call) if status in {"completed", "no-answer"}]) <= 1
    assert call.status.final or call.status is Status.IN_PROGRESS


@pytest.mark.parametrize(
    ("detection", "behaviour", "document_at", "answered_by"),
    [
        ("", {}, 7.0, None),
        ("Enable", {"verdict_after_seconds": 1.5}, 8.5, "human"),
        ("Enable", MACHINE, 11.0, "machine_start"),
        ("DetectMessageEnd", MACHINE, 17.0, "machine_end_beep"),
        ("DetectMessageEnd", {"verdict_after_seconds": 1.5}, 8.5, "human"),
        ("Enable", {"verdict_after_seconds": 99.0}, 37.0, "unknown"),
    ],
)
def test_detection_decides_when_the_document_is_asked_for(
    scenario: Scenarios,
    detection: str,
    behaviour: dict[str, object],
    document_at: float,
    answered_by: str | None,
):
    one = scenario(person(**behaviour))
    call = one.call(machine_detection=detection)
    one.timers.run(100)
    assert [sent.at for sent in one.wire.to("/start")] == [document_at]
    assert one.wire.to("/start")[0].params.get("AnsweredBy") == answered_by
    assert call.answered_by == answered_by


@pytest.mark.parametrize(("hang_up", "over_first"), [(2.0, True), (50.0, False)])
def test_an_asynchronous_verdict_comes_at_its_second_even_after_the_end(
    scenario: Scenarios, hang_up: float, over_first: bool
):
    one = scenario(person(hang_up_after_seconds=(hang_up, hang_up), **MACHINE))
    call = one.call(machine_detection="Enable", async_amd=True, async_amd_callback="http://a.test/amd")
    one.timers.run(200)
    verdict = one.wire.to("/amd")[0]
    assert (verdict.at, verdict.params["AnsweredBy"]) == (11.0, "machine_start")
    assert verdict.params["MachineDetectionDuration"] == "4000"
    assert [sent.at for sent in one.wire.to("/start")] == [7.0]
    last = one.wire.to("/status")[-1].params
    assert ("AnsweredBy" in last) is not over_first
    assert call.order is None


def test_a_hang_up_before_the_verdict_leaves_the_document_unasked(scenario: Scenarios):
    one = scenario(person(hang_up_after_seconds=(1.0, 1.0), verdict_after_seconds=3.0))
    call = one.call(machine_detection="Enable")
    one.timers.run(100)
    assert one.wire.to("/start") == []
    assert call.status is Status.COMPLETED


def test_a_time_limit_ends_the_talk_at_its_second(scenario: Scenarios):
    one = scenario(person())
    call = one.call(time_limit_seconds=20)
    one.timers.run(100)
    assert one.told(call)[-1] == (27, "completed")


def test_the_rate_is_kept_to_the_second(scenario: Scenarios):
    one = scenario(person(pickup=Pickup.BUSY), calls_per_second=0.5)
    calls = [one.call(f"+861380013800{n}") for n in range(5)]
    one.timers.run(100)
    assert [one.told(call)[0][0] for call in calls] == [0, 2, 4, 6, 8]
    assert [call.queue_ms for call in calls] == [0, 2000, 4000, 6000, 8000]


def test_an_idle_time_saves_up_no_burst(scenario: Scenarios):
    one = scenario(person(pickup=Pickup.BUSY), calls_per_second=1.0)
    one.call("+8613800138000")
    one.timers.run(1000)
    calls = [one.call(f"+861380013801{n}") for n in range(3)]
    one.timers.run(100)
    assert [one.told(call)[0][0] for call in calls] == [1000, 1001, 1002]


def test_a_cancelled_call_gives_its_place_in_the_queue_to_the_next(scenario: Scenarios):
    one = scenario(person(pickup=Pickup.BUSY), calls_per_second=0.1)
    first, second, third = [one.call(f"+861380013800{n}") for n in range(3)]
    one.timers.run(1)
    one.exchange.stop(second.sid, Status.CANCELED)
    one.timers.run(100)
    assert one.told(second) == [(1, "canceled")]
    assert one.told(third)[0] == (10, "initiated")
    assert first.status is Status.BUSY


def test_lines_are_taken_in_order_and_given_back(scenario: Scenarios):
    one = scenario(person(pickup=Pickup.BUSY), max_lines=2)
    calls = [one.call(f"+861380013800{n}") for n in range(5)]
    one.timers.run(100)
    assert [one.told(call)[0][0] for call in calls] == [0, 0, 2, 2, 4]
    assert (one.exchange.peak_lines, one.exchange.lines_in_use) == (2, 0)


def test_a_queue_longer_than_a_day_refuses(scenario: Scenarios):
    one = scenario(person(), calls_per_second=0.00001)
    one.call()
    one.timers.run(1)
    one.call()
    with pytest.raises(RestProblem) as refused:
        one.call()
    assert refused.value.code == 22005


def test_a_late_webhook_is_sent_at_its_own_time_twice_when_doubled(scenario: Scenarios):
    one = scenario(person(pickup=Pickup.BUSY))
    one.exchange.faults.set(InjectedFault.WEBHOOK_DELAY, FaultRule(seconds=30.0, only=("completed",)))
    one.exchange.faults.set(InjectedFault.WEBHOOK_DOUBLE, FaultRule(only=("completed",)))
    call = one.call()
    one.timers.run(100)
    assert one.told(call) == [(0, "initiated"), (32, "busy"), (32, "busy")]


def test_what_was_held_back_at_a_crash_is_never_sent(scenario: Scenarios):
    one = scenario(person(pickup=Pickup.BUSY))
    one.exchange.faults.set(InjectedFault.WEBHOOK_DELAY, FaultRule(seconds=30.0))
    call = one.call()
    one.timers.run(10)
    one.exchange.crash(memory=True)
    one.timers.run(100)
    assert one.told(call) == []


def test_a_reordered_webhook_follows_the_next_and_two_held_keep_their_order(scenario: Scenarios):
    one = scenario(person(hang_up_after_seconds=(10.0, 10.0)))
    one.exchange.faults.set(InjectedFault.WEBHOOK_REORDER, FaultRule(count=2))
    call = one.call()
    one.timers.run(100)
    assert [status for _, status in one.told(call)] == ["initiated", "in-progress", "ringing", "completed"]


def test_after_a_crash_no_timer_of_the_calls_is_left(scenario: Scenarios):
    one = scenario(person())
    for n in range(4):
        one.call(f"+861380013800{n}", machine_detection="Enable", async_amd=True)
    one.timers.run(3)
    assert one.exchange.crash(memory=True) == 4
    assert one.timers.pending == 0
    assert one.exchange.lines_in_use == 0


def test_the_nth_call_to_a_number_is_counted_by_the_witness(scenario: Scenarios):
    one = scenario(person(answers_from_call=2))
    first = one.call(timeout_seconds=10)
    one.timers.run(50)
    second = one.call(timeout_seconds=10)
    one.timers.run(50)
    assert (first.status, second.status) == (Status.NO_ANSWER, Status.IN_PROGRESS)


def test_the_attempt_is_read_from_the_callback_else_from_the_document(scenario: Scenarios):
    plain = scenario()
    assert plain.exchange.attempt_of(CallOrder(to=TO, from_=FROM, url="http://a/u")) == "http://a/u"
    assert (
        plain.exchange.attempt_of(
            CallOrder(to=TO, from_=FROM, url="http://a/u", status_callback="http://a/s")
        )
        == "http://a/s"
    )
    grouped = scenario(attempt_pattern=r"/attempt/(\w+)/")
    order = CallOrder(to=TO, from_=FROM, url="http://a/attempt/7f/1")
    assert grouped.exchange.attempt_of(order) == "7f"
    assert grouped.exchange.attempt_of(CallOrder(to=TO, from_=FROM, url="http://a/x")) == "http://a/x"
