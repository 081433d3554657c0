"""Pauses: what they hold, for how long, what they do not affect, and who placed them."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.calls.claims import Sending, claim_attempts, mark_attempts_sending
from dialer.calls.pacing import lock_line_group
from dialer.calls.pause_store import is_standing
from dialer.calls.pauses import (
    LONGEST_MINUTES,
    end_pauses,
    pause_calls,
    read_standing_pauses,
    resume_calls,
    resume_pause,
)
from dialer.calls.reconcile import sweep_attempts, sweep_cases
from dialer.cases.effects import Move, move_cases
from dialer.cases.store import lock_cases
from dialer.core.access import unrestricted
from dialer.core.attempt import AttemptState
from dialer.core.case import StaffTrackState
from dialer.core.errors import Invalid, NotFound
from dialer.core.events import GradeChanged
from dialer.core.text import Lang
from dialer.core.values import Grade, PauseScope
from dialer.db import tables as t
from dialer.db.units import add_unit
from dialer.language.sentences import refusal_sentence
from dialer.work.transfers import escalate_unsigned
from tests.audit_lines import audit_lines
from tests.control.scene import Scene
from tests.outcomes.town import MORNING


def load(scene: Scene) -> int:
    return scene.put(
        t.list_load,
        filename="list.csv",
        state="done",
        content_hash=b"",
        size_bytes=1,
        created_at=MORNING,
    )


def stop(scene: Scene, scope: PauseScope, subject: str = "", *, minutes: float = 30):
    return pause_calls(
        scene.services, unrestricted("zhao"), scope=scope, subject=subject, minutes=minutes, why="线路检修"
    )


def go_on(scene: Scene, scope: PauseScope, subject: str = "") -> int:
    return resume_calls(scene.services, unrestricted("zhao"), scope=scope, subject=subject, why="好了")


def held(scene: Scene) -> int:
    return len(scene.rows(sa.select(t.attempt.c.id).where(t.attempt.c.held)))


@pytest.mark.parametrize("scope", [PauseScope.UNIT, PauseScope.LOAD, PauseScope.GRADE])
def test_what_is_planned_already_is_held_and_the_rest_goes_on(scene: Scene, scope: PauseScope):
    load_id = load(scene)
    paused = scene.open_case(unit="临河", load_id=load_id, grade=Grade.LOW)
    other = scene.open_case(unit="五原", load_id=load(scene), grade=Grade.MEDIUM)
    subject = {PauseScope.UNIT: "临河", PauseScope.LOAD: str(load_id), PauseScope.GRADE: "low"}[scope]
    assert stop(scene, scope, subject).held == 1
    assert scene.attempt_of(paused)["held"]
    assert scene.claimed_cases() == [other]


def test_everything_is_held_without_touching_a_row(scene: Scene):
    for _ in range(3):
        scene.open_case()
    stop(scene, PauseScope.ALL)
    assert scene.claim() == []
    assert held(scene) == 0
    assert scene.group().paused_until == MORNING + timedelta(minutes=30)


def test_a_new_case_under_a_pause_is_held_when_it_is_due(scene: Scene):
    stop(scene, PauseScope.UNIT, "临河")
    urgent = scene.open_case(unit="临河", grade=Grade.EXTRA_HIGH)
    behind = scene.open_case(unit="五原", grade=Grade.LOW)
    assert scene.claimed_cases() == [behind]
    assert scene.attempt_of(urgent)["held"]


def test_a_long_paused_queue_does_not_delay_others(scene: Scene):
    """One line is free and two hundred paused calls are more urgent: the next claim passes over all of them."""
    stop(scene, PauseScope.GRADE, "medium")
    for _ in range(40):
        scene.open_case(grade=Grade.MEDIUM)
    low = scene.open_case(grade=Grade.LOW)
    assert [claimed.case_id for claimed in scene.claim(at_most=1)] == [low]
    assert held(scene) == 40


def test_a_planned_attempt_stays_held_when_its_time_comes(scene: Scene):
    case_id = scene.open_case(unit="临河")
    scene.change_attempt(
        scene.attempt_of(case_id)["id"], state="planned", not_before=MORNING + timedelta(minutes=5)
    )
    stop(scene, PauseScope.UNIT, "临河")
    scene.later(minutes=10)
    assert scene.claim() == []
    assert scene.attempt_of(case_id)["state"] == AttemptState.READY.value


def test_claimed_and_not_yet_sent_is_handed_back_with_a_stale_token(scene: Scene):
    case_id = scene.open_case(unit="临河")
    [claimed] = scene.claim()
    assert stop(scene, PauseScope.UNIT, "临河").handed_back == 1
    row = scene.attempt_of(case_id)
    assert (row["state"], row["held"]) == (AttemptState.PLANNED.value, True)
    assert scene.group().in_use == 0
    sending = Sending(
        attempt_id=claimed.attempt_id, token=claimed.token, script_id="", script_hash="", language=""
    )
    with scene.tx() as tx:
        now = scene.clock.now()
        assert mark_attempts_sending(tx, [sending], now=now, real_now=now, poll_at=now) == set()


def test_one_that_is_being_sent_is_left_alone(scene: Scene):
    case_id = scene.open_case()
    scene.claim()
    scene.change_attempt(scene.attempt_of(case_id)["id"], state="sending", posted_at=MORNING)
    assert stop(scene, PauseScope.ALL).handed_back == 0
    assert scene.attempt_of(case_id)["state"] == AttemptState.SENDING.value


def test_resume_releases_all_it_held(scene: Scene):
    first = scene.open_case(unit="临河")
    stop(scene, PauseScope.UNIT, "临河")
    second = scene.open_case(unit="临河")
    scene.claim()
    assert held(scene) == 2
    assert go_on(scene, PauseScope.UNIT, "临河") == 2
    assert sorted(scene.claimed_cases()) == [first, second]
    assert ("dial",) in scene.enqueued


def test_resuming_everything_lets_calls_leave_at_once(scene: Scene):
    case_id = scene.open_case()
    stop(scene, PauseScope.ALL)
    go_on(scene, PauseScope.ALL)
    assert scene.claimed_cases() == [case_id]


def test_it_runs_out_by_itself(scene: Scene):
    case_id = scene.open_case(unit="临河")
    stop(scene, PauseScope.UNIT, "临河", minutes=30)
    scene.later(minutes=29, seconds=59)
    assert end_pauses(scene.services) == 0
    assert scene.claim() == []
    scene.later(seconds=1)
    assert end_pauses(scene.services) == 1
    assert scene.claimed_cases() == [case_id]
    assert end_pauses(scene.services) == 0
    assert [row["act"] for row in scene.rows(sa.select(t.audit))] == ["pause", "pause.over"]


def test_what_a_claim_withholds_after_the_end_of_the_pause_is_released(scene: Scene):
    """The claim has read the pause; before it commits, the pause ends and finds nothing that is withheld."""
    stop(scene, PauseScope.GRADE, "low")
    case_id = scene.open_case(grade=Grade.LOW)
    rules = scene.services.lines
    with scene.tx() as tx:
        group = lock_line_group(tx)
        assert group is not None
        claim_attempts(
            tx,
            group,
            now=scene.clock.now(),
            real_now=scene.services.real.now(),
            horizon_seconds=rules.horizon_seconds,
            lease_seconds=rules.lease_seconds,
            at_most=10,
            number_retry_seconds=60.0,
        )
        assert go_on(scene, PauseScope.GRADE, "low") == 0
    assert held(scene) == 1
    assert end_pauses(scene.services) == 1
    assert end_pauses(scene.services) == 0
    assert scene.claimed_cases() == [case_id]


def test_a_pause_that_has_ended_stands_no_more_for_who_still_withholds(scene: Scene):
    pause = stop(scene, PauseScope.GRADE, "low").pause
    with scene.tx() as tx:
        assert is_standing(tx, pause, now=scene.clock.now())
    go_on(scene, PauseScope.GRADE, "low")
    scene.open_case(grade=Grade.LOW)
    with scene.tx() as tx:
        assert not is_standing(tx, pause, now=scene.clock.now())


def test_a_pause_of_everything_runs_out_even_when_nothing_tidies_up(scene: Scene):
    case_id = scene.open_case()
    stop(scene, PauseScope.ALL, minutes=1)
    scene.later(minutes=1)
    assert scene.claimed_cases() == [case_id]


def test_what_two_pauses_cover_waits_for_both(scene: Scene):
    case_id = scene.open_case(unit="临河", grade=Grade.LOW)
    stop(scene, PauseScope.UNIT, "临河")
    stop(scene, PauseScope.GRADE, "low")
    assert go_on(scene, PauseScope.UNIT, "临河") == 0
    assert scene.claim() == []
    assert go_on(scene, PauseScope.GRADE, "low") == 1
    assert scene.claimed_cases() == [case_id]


def test_placed_again_it_holds_until_the_new_time(scene: Scene):
    scene.open_case(unit="临河")
    stop(scene, PauseScope.UNIT, "临河", minutes=10)
    scene.later(minutes=5)
    stop(scene, PauseScope.UNIT, "临河", minutes=10)
    [standing] = read_standing_pauses(scene.services)
    assert standing.until == MORNING + timedelta(minutes=15)
    scene.later(minutes=6)
    assert end_pauses(scene.services) == 0
    assert scene.claim() == []


def test_a_case_whose_grade_rises_out_of_a_paused_grade_is_called(scene: Scene):
    case_id = scene.open_case(grade=Grade.LOW)
    stop(scene, PauseScope.GRADE, "low", minutes=30)
    with scene.tx() as tx:
        move_cases(
            tx,
            lock_cases(tx, [case_id]),
            [Move(case_id=case_id, event=GradeChanged(grade=Grade.HIGH))],
            policies=scene.services.policies,
            now=scene.clock.now(),
        )
    sweep_attempts(scene.services)
    assert scene.claimed_cases() == [case_id]


def test_while_everything_is_paused_nobody_of_a_high_grade_is_forgotten(scene: Scene):
    """The robot is paused; the deadlines and alarms of callers and officers go on."""
    high = scene.open_case(grade=Grade.HIGH)
    extra = scene.open_case(grade=Grade.EXTRA_HIGH)
    stop(scene, PauseScope.ALL, minutes=240)
    for _ in range(60):
        scene.later(minutes=1)
        sweep_attempts(scene.services)
        sweep_cases(scene.services)
        escalate_unsigned(scene.services)
        assert scene.claim() == []
    for case_id in (high, extra):
        case = scene.case_of(case_id)
        assert case.human.state is StaffTrackState.OPEN
        assert case.visit.state is StaffTrackState.OPEN
        assert {row["kind"] for row in scene.assignments_of(case_id)} == {"human", "visit"}
        assert {"waited_too_long", "human_overdue", "unsigned"} <= set(scene.alarms_of(case_id))
        assert scene.attempt_of(case_id)["sent_at"] is None


def test_low_grades_wait_patiently_and_then_a_person_is_asked(scene: Scene):
    case_id = scene.open_case(grade=Grade.MEDIUM)
    stop(scene, PauseScope.GRADE, "medium", minutes=60 * 24)
    scene.later(hours=3)
    sweep_cases(scene.services)
    assert scene.case_of(case_id).human.state is StaffTrackState.OPEN


def test_who_and_why_are_on_record(scene: Scene):
    stop(scene, PauseScope.ALL)
    [standing] = read_standing_pauses(scene.services)
    assert (standing.by, standing.why) == ("zhao", "线路检修")
    go_on(scene, PauseScope.ALL)
    assert read_standing_pauses(scene.services) == []
    audit = audit_lines(scene.services.store)
    assert [(row["who"], row["act"], row["subject"], row["why"]) for row in audit] == [
        ("zhao", "pause", "all", "线路检修"),
        ("zhao", "resume", "all", "好了"),
    ]
    [kept] = scene.rows(sa.select(t.hold))
    assert kept["ended_by"] == "zhao"


def test_what_cannot_be_a_pause_is_refused(scene: Scene):
    for wrong, field in (
        ({"why": ""}, "why"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": LONGEST_MINUTES + 1}, "minutes"),
        ({"minutes": float("nan")}, "minutes"),
        ({"scope": PauseScope.GRADE, "subject": "purple"}, "grade"),
        ({"scope": PauseScope.UNIT, "subject": " "}, "unit"),
        ({"scope": PauseScope.LOAD, "subject": "七"}, "load"),
    ):
        asked: dict[str, object] = {"scope": PauseScope.ALL, "minutes": 5, "why": "检修"}
        with pytest.raises(Invalid) as refused:
            pause_calls(scene.services, unrestricted("zhao"), **(asked | wrong))
        assert refused.value.field == field
        assert scene.rows(sa.select(t.hold)) == []
        assert scene.rows(sa.select(t.audit)) == []


def test_a_load_that_is_not_there_cannot_be_paused(scene: Scene):
    with pytest.raises(NotFound):
        stop(scene, PauseScope.LOAD, "404")


def test_what_is_not_paused_cannot_be_resumed(scene: Scene):
    for scope, subject, english, chinese in (
        (PauseScope.ALL, "", "pause of all dialling does not exist", "全部外呼的暂停不存在"),
        (PauseScope.UNIT, "临河", "pause of unit 临河 does not exist", "单位 临河 的暂停不存在"),
        (PauseScope.LOAD, "7", "pause of load 7 does not exist", "批次 7 的暂停不存在"),
        (PauseScope.GRADE, "high", "pause of grade high does not exist", "高危等级的暂停不存在"),
    ):
        with pytest.raises(NotFound) as refused:
            go_on(scene, scope, subject)
        assert refusal_sentence(refused.value, Lang.EN) == english
        assert refusal_sentence(refused.value, Lang.ZH) == chinese


def test_what_was_withdrawn_while_held_is_tidied_up(scene: Scene):
    case_id = scene.open_case(unit="临河")
    stop(scene, PauseScope.UNIT, "临河")
    scene.change_attempt(scene.attempt_of(case_id)["id"], state="ended", result="canceled", ended_at=MORNING)
    go_on(scene, PauseScope.UNIT, "临河")
    assert held(scene) == 0


def tree(scene: Scene) -> tuple[int, int, int]:
    """A county, its station, and a station of the same name in another county."""
    with scene.tx() as tx:
        county = add_unit(tx, name="临河区公安局", parent_id=None)
        station = add_unit(tx, name="城关派出所", parent_id=county)
        elsewhere = add_unit(tx, name="五原县公安局", parent_id=None)
        other = add_unit(tx, name="城关派出所", parent_id=elsewhere)
    return county, station, other


def test_a_unit_of_the_tree_is_paused_with_all_below_it(scene: Scene):
    county, station, other = tree(scene)
    cases = {unit: scene.open_case() for unit in (county, station, other)}
    for unit, case_id in cases.items():
        scene.change_case(case_id, unit_id=unit, unit="城关派出所")
    paused = pause_calls(
        scene.services, unrestricted("zhao"), scope=PauseScope.UNIT, unit_id=county, minutes=30, why="x"
    )
    assert paused.held == 2
    assert paused.pause.subject == "临河区公安局"
    late = scene.open_case()
    scene.change_case(late, unit_id=station)
    assert scene.claimed_cases() == [cases[other]]
    assert scene.attempt_of(late)["held"]
    assert resume_pause(scene.services, unrestricted("zhao"), paused.pause.id) == 3


def test_a_unit_may_be_named_as_a_list_would_name_it(scene: Scene):
    county, station, _ = tree(scene)
    case_id = scene.open_case()
    scene.change_case(case_id, unit_id=station)
    assert stop(scene, PauseScope.UNIT, "临河区").pause.unit_id == county
    assert stop(scene, PauseScope.UNIT, "临河区城关派出所").pause.subject == "临河区公安局/城关派出所"
    assert go_on(scene, PauseScope.UNIT, "临河区") == 0
    assert go_on(scene, PauseScope.UNIT, "临河区城关派出所") == 1


def test_a_member_of_a_unit_pauses_that_unit_alone(scene: Scene):
    county, station, other = tree(scene)
    for own, unit in ((station, county), (station, other)):
        with pytest.raises(NotFound):
            pause_calls(
                scene.services,
                unrestricted("zhao", unit_id=own),
                scope=PauseScope.UNIT,
                unit_id=unit,
                minutes=5,
                why="x",
            )
    with pytest.raises(NotFound):
        pause_calls(
            scene.services, unrestricted("zhao", unit_id=county), scope=PauseScope.ALL, minutes=5, why="x"
        )
    placed = pause_calls(
        scene.services,
        unrestricted("zhao", unit_id=county),
        scope=PauseScope.UNIT,
        unit_id=station,
        minutes=5,
        why="x",
    )
    with pytest.raises(NotFound):
        resume_pause(scene.services, unrestricted("zhao", unit_id=other), placed.pause.id)
    assert resume_pause(scene.services, unrestricted("zhao", unit_id=county), placed.pause.id) == 0
    with pytest.raises(NotFound):
        resume_pause(scene.services, unrestricted("zhao"), placed.pause.id)


def test_a_case_that_left_a_paused_unit_is_free_when_the_pause_is_over(scene: Scene):
    county, _, other = tree(scene)
    case_id = scene.open_case()
    scene.change_case(case_id, unit_id=county)
    pause_calls(
        scene.services, unrestricted("zhao"), scope=PauseScope.UNIT, unit_id=county, minutes=30, why="x"
    )
    scene.change_case(case_id, unit_id=other)
    scene.later(minutes=30)
    assert end_pauses(scene.services) == 1
    assert scene.claimed_cases() == [case_id]
