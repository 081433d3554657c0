"""Why a case has not been called yet: the first obstacle, in words a person can act on."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.calls.pacing import save_breaker
from dialer.calls.pauses import end_pauses, pause_calls
from dialer.case_page.reading import case_out, show_case
from dialer.core.access import unrestricted
from dialer.core.breaker import Breaker
from dialer.core.text import Lang
from dialer.core.timeline import Obstacle, Wait, WaitReason
from dialer.core.values import FraudType, Grade, PauseScope
from dialer.db import tables as t
from dialer.language.sentences import step_sentence, waiting_sentence
from tests.control.scene import Scene
from tests.outcomes.town import MORNING


def why(scene: Scene, case_id: int) -> Obstacle:
    found = show_case(scene.services, case_id).waiting
    assert found is not None
    return found


def said(scene: Scene, case_id: int) -> str:
    """As the API says it."""
    told = case_out(show_case(scene.services, case_id)).waiting
    assert told is not None
    return told.detail


def assert_both_say(scene: Scene, case_id: int, words: str) -> None:
    """The step and the sentence of its call, which stand side by side."""
    (step,) = show_case(scene.services, case_id).next_steps[:1]
    assert step_sentence(step, Lang.EN).endswith(f"; waiting: {words}")
    assert said(scene, case_id).startswith(words)
    waiting = why(scene, case_id)
    short = step_sentence(step, Lang.ZH).partition("等待：")[2]
    assert short
    assert waiting_sentence(waiting, Lang.ZH).startswith(short)


def set_breaker(scene: Scene, breaker: Breaker) -> None:
    with scene.tx() as tx:
        save_breaker(tx, breaker)


def test_without_a_planned_attempt_nothing_waits(scene: Scene):
    case_id = scene.open_case(missed=True)
    assert show_case(scene.services, case_id).waiting is None


def test_next_in_turn_it_waits_for_the_pace(scene: Scene):
    case_id = scene.open_case()
    scene.later(seconds=3)
    assert why(scene, case_id) == Obstacle(reason=WaitReason.PACING, since=MORNING, facts={"pace": "100"})
    assert said(scene, case_id) == "it is next, at the permitted pace: 100 calls a second"


def test_behind_more_urgent_ones_it_says_how_many(scene: Scene):
    low = scene.open_case(grade=Grade.LOW)
    for _ in range(3):
        scene.open_case(grade=Grade.EXTRA_HIGH)
    assert why(scene, low).reason is WaitReason.QUEUE
    assert said(scene, low) == "more urgent ones go first: 3"


def test_planned_for_later_says_for_when_and_what(scene: Scene):
    case_id = scene.open_case()
    later = MORNING + timedelta(minutes=10)
    scene.change_attempt(scene.attempt_of(case_id)["id"], state="planned", not_before=later, reason="retry")
    assert why(scene, case_id) == Obstacle(
        reason=WaitReason.PLANNED_FOR_LATER, since=MORNING, until=later, facts={"reason": "retry"}
    )


def test_at_night_it_waits_for_the_window(scene: Scene):
    case_id = scene.open_case()
    night = MORNING.replace(hour=14)
    scene.clock.set(night)
    found = why(scene, case_id)
    assert found.reason is WaitReason.WINDOW_CLOSED
    assert said(scene, case_id) == "the dialling window is closed: the robot calls from 09:00 to 21:00"
    assert found.until == MORNING.replace(day=26, hour=1)


def test_paused_it_says_by_whom_until_when_and_why(scene: Scene):
    case_id = scene.open_case(unit="临河")
    pause_calls(
        scene.services,
        unrestricted("zhao"),
        scope=PauseScope.UNIT,
        subject="临河",
        minutes=30,
        why="线路检修",
    )
    assert why(scene, case_id) == Obstacle(
        reason=WaitReason.PAUSED,
        since=MORNING,
        until=MORNING + timedelta(minutes=30),
        facts={"scope": "unit", "subject": "临河", "by": "zhao", "why": "线路检修"},
    )
    assert said(scene, case_id) == "dialling is paused (a unit 临河) by zhao: 线路检修"
    (step,) = show_case(scene.services, case_id).next_steps
    assert step_sentence(step, Lang.EN).endswith("; waiting: dialling is paused (a unit 临河)")


def test_of_two_pauses_the_widest_speaks_and_the_last_one_ends_it(scene: Scene):
    case_id = scene.open_case(grade=Grade.LOW)
    pause_calls(
        scene.services, unrestricted("qian"), scope=PauseScope.GRADE, subject="low", minutes=90, why="学校"
    )
    pause_calls(scene.services, unrestricted("zhao"), scope=PauseScope.ALL, minutes=30, why="检修")
    found = why(scene, case_id)
    assert said(scene, case_id) == "dialling is paused (all dialling) by zhao: 检修"
    assert found.until == MORNING + timedelta(minutes=90)


def test_a_pause_of_others_is_no_reason(scene: Scene):
    case_id = scene.open_case(unit="五原")
    pause_calls(
        scene.services, unrestricted("zhao"), scope=PauseScope.UNIT, subject="临河", minutes=30, why="检修"
    )
    assert why(scene, case_id).reason is WaitReason.PACING


def test_after_its_pause_and_before_its_release_it_is_held(scene: Scene):
    case_id = scene.open_case(unit="临河")
    pause_calls(
        scene.services, unrestricted("zhao"), scope=PauseScope.UNIT, subject="临河", minutes=30, why="检修"
    )
    scene.later(minutes=30)
    assert why(scene, case_id).reason is WaitReason.HELD
    assert_both_say(scene, case_id, "its pause is over: it is being released")
    end_pauses(scene.services)
    assert why(scene, case_id).reason is WaitReason.PACING


def test_a_shared_number_in_a_call_for_another_case(scene: Scene):
    person = scene.person()
    first = scene.open_case(person_id=person, fraud_type=FraudType.LOAN, grade=Grade.HIGH)
    second = scene.open_case(person_id=person, fraud_type=FraudType.ROMANCE, grade=Grade.LOW)
    assert scene.claimed_cases() == [first]
    assert why(scene, second).reason is WaitReason.NUMBER_BUSY
    assert_both_say(scene, second, "the same number is being called for another case")
    assert why(scene, first).reason is WaitReason.UNDER_WAY


def test_a_number_that_rests_says_until_when(scene: Scene):
    case_id = scene.open_case()
    scene.claim()
    ring = scene.attempt_of(case_id)["id"]
    scene.change_attempt(ring, state="planned", token=2)
    free_at = MORNING + timedelta(minutes=2)
    scene.do(sa.update(t.live_number).values(attempt_id=None, free_at=free_at))
    found = why(scene, case_id)
    assert (found.reason, found.until) == (WaitReason.NUMBER_BUSY, free_at)
    assert_both_say(scene, case_id, "the number rests after a call")


def test_the_breaker_speaks_of_the_carrier(scene: Scene):
    case_id = scene.open_case()
    wait = MORNING + timedelta(seconds=20)
    set_breaker(scene, Breaker(troubles=7, openings=1, opened_at=MORNING, wait_until=wait))
    found = why(scene, case_id)
    assert found.reason is WaitReason.CARRIER_TROUBLE
    assert found.facts == {"troubles": 7}
    assert_both_say(scene, case_id, "there is trouble with the telephone network")
    assert found.until == wait


def test_a_rest_that_the_carrier_asked_for(scene: Scene):
    case_id = scene.open_case()
    set_breaker(scene, Breaker(troubles=1, wait_until=MORNING + timedelta(seconds=20)))
    assert why(scene, case_id).reason is WaitReason.CARRIER_TROUBLE
    assert_both_say(scene, case_id, "the telephone network asked for a rest")


def test_full_lines_are_counted(scene: Scene):
    scene.lines(calls_per_second=100.0, lines=1)
    scene.open_case()
    scene.claim()
    second = scene.open_case()
    assert why(scene, second).reason is WaitReason.LINES_FULL
    assert_both_say(scene, second, "every line is in use")
    assert said(scene, second) == "every line is in use: 1 of 1"


@pytest.mark.parametrize("state", ["claimed", "sending", "ringing", "answered", "unknown"])
def test_under_way_it_says_how_far(scene: Scene, state: str):
    case_id = scene.open_case()
    scene.claim()
    scene.change_attempt(scene.attempt_of(case_id)["id"], state=state)
    found = why(scene, case_id)
    assert (found.reason, found.facts) == (WaitReason.UNDER_WAY, {"state": state})


def test_one_failed_post_is_no_line_trouble(scene: Scene):
    """Every surface asks the breaker: it lets calls leave until several in a row have failed."""
    case_id = scene.open_case()
    scene.later(seconds=3)
    set_breaker(scene, Breaker(troubles=1))
    story = show_case(scene.services, case_id)
    assert story.waiting is not None
    assert story.waiting.reason is WaitReason.PACING
    assert story.next_steps[0].waits == ()
    set_breaker(scene, Breaker(troubles=7, openings=1, opened_at=MORNING))
    story = show_case(scene.services, case_id)
    assert story.waiting is not None
    assert story.waiting.reason is WaitReason.CARRIER_TROUBLE
    assert story.next_steps[0].waits == (Wait.LINE_TROUBLE,)
