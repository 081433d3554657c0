"""The consistency checker finds every way in which a case could be lost, reports it once and repairs it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.calls.pauses import pause_calls
from dialer.calls.reconcile import sweep_attempts, sweep_cases
from dialer.control.consistency import Finding, check_consistency
from dialer.core.access import unrestricted
from dialer.core.case import RobotState, StaffTrackState
from dialer.core.values import Grade, PauseScope
from dialer.db import tables as t
from dialer.db.system_state import ClockRow, Restored, write_restored, write_service_clock
from tests.control.scene import Scene
from tests.outcomes.town import MORNING


def found(scene: Scene) -> dict[Finding, int]:
    """What a round found; a second one right after it finds nothing, since all of it was repaired."""
    first = check_consistency(scene.services)
    assert check_consistency(scene.services).found == {}
    return first.found


def test_consistent_data_has_no_finding(scene: Scene):
    for grade in Grade:
        scene.open_case(grade=grade)
    scene.open_case(grade=Grade.HIGH, missed=True)
    scene.claim()
    assert found(scene) == {}
    assert scene.rows(sa.select(t.alarm).where(t.alarm.c.code == "no_next_step")) == []


def test_data_stay_consistent_through_a_day_of_silence(scene: Scene):
    """Nobody answers anything: sweeps alone keep a future for everybody, hour by hour."""
    for grade in Grade:
        scene.open_case(grade=grade, expires_at=MORNING + timedelta(hours=5))
    for _ in range(24):
        scene.later(hours=1)
        sweep_attempts(scene.services)
        sweep_cases(scene.services)
        assert check_consistency(scene.services).found == {}


def test_a_case_whose_attempt_is_gone_goes_to_a_person(scene: Scene):
    case_id = scene.open_case()
    scene.do(sa.delete(t.attempt))
    assert found(scene) == {Finding.MISSING_ATTEMPT: 1}
    case = scene.case_of(case_id)
    assert case.robot.state is RobotState.DONE
    assert case.human.state is StaffTrackState.OPEN
    assert [row["kind"] for row in scene.assignments_of(case_id)] == ["human"]
    assert scene.alarms_of(case_id)["no_next_step"] == 1


def test_an_end_that_was_not_applied_to_the_case_is_applied(scene: Scene):
    """The row says that nobody answered: the case is called again, as it would have been."""
    case_id = scene.open_case()
    ring = scene.attempt_of(case_id)["id"]
    scene.change_attempt(ring, state="ended", result="no_answer", ended_at=MORNING)
    assert found(scene) == {Finding.MISSING_ATTEMPT: 1}
    assert [row["n"] for row in scene.attempts_of(case_id)] == [1, 2]
    assert scene.case_of(case_id).robot.tries == 1


def test_a_success_that_was_not_applied_counts_for_its_attempt(scene: Scene):
    case_id = scene.open_case()
    ring = scene.attempt_of(case_id)["id"]
    scene.change_attempt(
        ring, state="ended", result="answered", contact="verified", answer="acknowledged", ended_at=MORNING
    )
    assert found(scene) == {Finding.MISSING_ATTEMPT: 1}
    [outcome] = scene.rows(sa.select(t.outcome))
    assert (outcome["kind"], outcome["attempt_id"]) == ("dissuaded_by_phone", ring)


@pytest.mark.parametrize("kind", ["human", "visit"])
def test_a_missing_assignment_is_requested_again(scene: Scene, kind: str):
    case_id = scene.open_case(grade=Grade.EXTRA_HIGH)
    scene.do(sa.delete(t.assignment).where(t.assignment.c.kind == kind))
    assert found(scene) == {Finding.MISSING_ASSIGNMENT: 1}
    work = scene.assignments_of(case_id)
    assert sorted(row["kind"] for row in work) == ["human", "visit"]
    assert all(row["due_at"] > scene.clock.now() for row in work)


def test_two_missing_assignments_are_one_alarm(scene: Scene):
    case_id = scene.open_case(grade=Grade.EXTRA_HIGH)
    scene.do(sa.delete(t.assignment))
    assert found(scene) == {Finding.MISSING_ASSIGNMENT: 1}
    assert len(scene.assignments_of(case_id)) == 2
    assert scene.alarms_of(case_id)["no_next_step"] == 1


def test_an_attempt_of_a_settled_case_is_withdrawn(scene: Scene):
    case_id = scene.open_case()
    scene.change_case(
        case_id, status="closed", robot_state="done", due_at=None, settled_at=MORNING, outcome="duplicate"
    )
    assert found(scene) == {Finding.STRAY_ATTEMPT: 1}
    ring = scene.attempt_of(case_id)
    assert (ring["state"], ring["result"]) == ("ended", "canceled")
    assert scene.claim() == []


def test_a_live_call_of_a_settled_case_is_ended_at_the_carrier(scene: Scene):
    case_id = scene.open_case()
    scene.claim()
    ring = scene.attempt_of(case_id)["id"]
    scene.change_attempt(
        ring, state="ringing", sid="CA" + "0" * 32, posted_at=MORNING, poll_at=MORNING + timedelta(days=1)
    )
    scene.change_case(case_id, robot_state="done", human_state="none", due_at=MORNING + timedelta(hours=1))
    assert found(scene) == {Finding.STRAY_ATTEMPT: 1}
    assert scene.attempt_of(case_id)["cancel_asked"]
    assert ("cancel_calls",) in scene.enqueued


def test_an_older_attempt_beside_the_newest_is_withdrawn(scene: Scene):
    case_id = scene.open_case()
    first = scene.attempt_of(case_id)
    scene.attempt(case_id, n=2, result=None, state="ready", sent_at=None)
    scene.change_case(case_id, robot_attempts=2)
    assert found(scene) == {Finding.STRAY_ATTEMPT: 1}
    assert [row["state"] for row in scene.attempts_of(case_id)] == ["ended", "ready"]
    assert scene.attempts_of(case_id)[0]["id"] == first["id"]


def test_an_assignment_of_a_settled_case_is_withdrawn(scene: Scene):
    case_id = scene.open_case(grade=Grade.EXTRA_HIGH)
    columns = {"robot_state": "done", "human_state": "done", "visit_state": "done", "due_at": None}
    scene.change_case(case_id, status="closed", settled_at=MORNING, **columns)
    scene.do(sa.update(t.attempt).values(state="ended", result="canceled", ended_at=MORNING))
    assert found(scene) == {Finding.STRAY_ASSIGNMENT: 1}
    assert {row["state"] for row in scene.assignments_of(case_id)} == {"withdrawn"}
    assert {row["withdrawn_why"] for row in scene.assignments_of(case_id)} == {"case_closed"}


def test_a_case_that_no_sweep_moves_is_moved_and_reported(scene: Scene):
    case_id = scene.open_case(grade=Grade.HIGH)
    due_at = scene.case_of(case_id).due_at
    assert due_at is not None
    scene.clock.set(due_at + timedelta(seconds=119))
    assert check_consistency(scene.services).found == {}
    scene.later(seconds=2)
    assert found(scene) == {Finding.LONG_OVERDUE: 1}
    assert scene.case_of(case_id).human.state is StaffTrackState.OPEN


def test_long_is_measured_in_real_time_on_a_faster_clock(scene: Scene):
    scene.open_case(grade=Grade.HIGH)
    with scene.tx() as tx:
        write_service_clock(tx, ClockRow(anchor_unix=0.0, epoch=MORNING, speed=60.0))
    scene.later(minutes=13)
    assert check_consistency(scene.services).found == {}
    scene.later(hours=2)
    assert Finding.LONG_OVERDUE in check_consistency(scene.services).found


def test_a_case_that_cannot_be_repaired_is_reported_and_stops_no_other(scene: Scene):
    broken = scene.open_case(grade=Grade.HIGH)
    sound = scene.open_case(grade=Grade.HIGH)
    scene.change_case(broken, human_reason="no such reason")
    scene.later(hours=1)
    verdict = check_consistency(scene.services)
    assert verdict.found == {Finding.LONG_OVERDUE: 2}
    assert verdict.repaired == 1
    assert scene.case_of(sound).human.state is StaffTrackState.OPEN
    assert scene.alarms_of(broken)["no_next_step"] == 1


def test_a_number_without_a_live_call_is_freed(scene: Scene):
    scene.put_live_number(b"gone", uuid.uuid4())
    assert scene.group().in_use == 1
    assert found(scene) == {Finding.NUMBER_LEAKED: 1}
    assert scene.group().in_use == 0
    assert scene.alarms_of(None) == {"no_next_step": 1}


def test_a_number_with_a_live_call_stays_taken(scene: Scene):
    scene.open_case()
    scene.claim()
    assert found(scene) == {}
    assert scene.group().in_use == 1


def test_a_claim_whose_worker_is_gone_is_handed_back(scene: Scene):
    case_id = scene.open_case()
    scene.claim()
    lease = scene.services.lines.lease_seconds + scene.services.lines.horizon_seconds
    scene.later(seconds=lease + 119)
    assert check_consistency(scene.services).found == {}
    scene.later(seconds=2)
    assert found(scene) == {Finding.CLAIM_LAPSED: 1}
    assert scene.attempt_of(case_id)["state"] == "planned"
    assert scene.group().in_use == 0
    assert scene.claimed_cases() == [case_id]


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_an_unresolved_submission_goes_to_a_person_and_is_not_redialled(scene: Scene, state: str):
    case_id = scene.open_case()
    scene.claim()
    ring = scene.attempt_of(case_id)["id"]
    scene.change_attempt(ring, state=state, posted_at=MORNING, poll_at=MORNING + timedelta(hours=1))
    scene.later(minutes=15, seconds=1)
    assert found(scene) == {Finding.SUBMISSION_UNRESOLVED: 1}
    row = scene.attempt_of(case_id)
    assert (row["n"], row["state"], row["result"]) == (1, "ended", "unknown")
    assert scene.case_of(case_id).human.state is StaffTrackState.OPEN


@pytest.mark.parametrize("state", ["sending", "unknown", "ringing"])
def test_after_a_restore_nothing_is_late_until_reconciliation_had_its_time(scene: Scene, state: str):
    case_id = scene.open_case()
    scene.claim()
    sent = {"state": state, "sid": "CA" + "0" * 32 if state == "ringing" else None}
    scene.change_attempt(scene.attempt_of(case_id)["id"], posted_at=MORNING, **sent)
    before = scene.attempt_of(case_id)
    restored = Restored(backup_at=MORNING, restored_at=scene.later(minutes=20))

    def late() -> set[Finding]:
        return set(check_consistency(scene.services).found) - {Finding.LONG_OVERDUE}

    with scene.tx() as tx:
        write_restored(tx, restored)
    assert late() == set()
    with scene.tx() as tx:
        write_restored(tx, replace(restored, compared_at=scene.later(minutes=20)))
    scene.later(minutes=14)
    assert late() == set()
    assert scene.attempt_of(case_id) == before
    scene.later(minutes=1)
    assert late() == {Finding.SILENCE_UNASKED if state == "ringing" else Finding.SUBMISSION_UNRESOLVED}


@pytest.mark.parametrize(("poll_at", "repaired"), [(None, 1), (MORNING, 0)])
def test_a_silent_call_is_repaired_once_and_is_one_alarm_while_reconciliation_stands_still(
    scene: Scene, poll_at: object, repaired: int
):
    case_id = scene.open_case()
    scene.claim()
    attempt_id = scene.attempt_of(case_id)["id"]
    scene.change_attempt(attempt_id, state="ringing", sid="CA" + "0" * 32, poll_at=poll_at)
    scene.later(minutes=16)
    scene.change_case(case_id, due_at=scene.clock.now() + timedelta(days=1))
    first = check_consistency(scene.services)
    assert (first.found, first.repaired) == ({Finding.SILENCE_UNASKED: 1}, repaired)
    scene.later(minutes=16)
    second = check_consistency(scene.services)
    assert (second.found, second.repaired) == ({Finding.SILENCE_UNASKED: 1}, 0)
    assert scene.alarms_of(case_id)["no_next_step"] == 1


@pytest.mark.parametrize("poll_at", [None, MORNING])
def test_a_call_that_is_not_polled_is_reported(scene: Scene, poll_at: object):
    case_id = scene.open_case()
    scene.claim()
    scene.change_attempt(
        scene.attempt_of(case_id)["id"], state="ringing", sid="CA" + "0" * 32, poll_at=poll_at
    )
    scene.later(minutes=16)
    assert Finding.SILENCE_UNASKED in check_consistency(scene.services).found
    assert scene.attempt_of(case_id)["poll_at"] is not None


def test_a_paused_case_is_consistent(scene: Scene):
    scene.open_case(unit="临河")
    pause_calls(
        scene.services, unrestricted("zhao"), scope=PauseScope.UNIT, subject="临河", minutes=30, why="检修"
    )
    assert found(scene) == {}


@pytest.mark.parametrize("beside", [True, False])
def test_an_attempt_that_no_pause_covers_any_more_is_released(scene: Scene, beside: bool):
    case_id = scene.open_case(unit="临河")
    if beside:
        paused = scene.open_case(unit="五原")
        pause_calls(
            scene.services,
            unrestricted("zhao"),
            scope=PauseScope.UNIT,
            subject="五原",
            minutes=30,
            why="检修",
        )
    scene.change_attempt(scene.attempt_of(case_id)["id"], held=True)
    assert found(scene) == {Finding.WITHHELD_FOR_NOTHING: 1}
    assert scene.alarms_of(case_id)["no_next_step"] == 1
    assert not scene.attempt_of(case_id)["held"]
    assert not beside or scene.attempt_of(paused)["held"]


def test_a_pause_whose_time_is_over_and_that_is_being_ended_is_no_finding(scene: Scene):
    scene.open_case(unit="临河", grade=Grade.LOW)
    pause_calls(
        scene.services, unrestricted("zhao"), scope=PauseScope.UNIT, subject="临河", minutes=1, why="检修"
    )
    scene.later(minutes=1)
    assert found(scene) == {}


def test_a_finding_is_one_alarm_a_case(scene: Scene):
    case_id = scene.open_case(grade=Grade.EXTRA_HIGH)
    for _ in range(3):
        scene.do(sa.delete(t.assignment))
        check_consistency(scene.services)
    alarms = scene.rows(sa.select(t.alarm).where(t.alarm.c.code == "no_next_step"))
    assert [(alarm["case_id"], alarm["times"]) for alarm in alarms] == [(case_id, 3)]


def test_a_round_goes_on_where_the_last_one_ended(scene: Scene):
    ids = [scene.open_case() for _ in range(5)]
    scene.do(sa.delete(t.attempt))
    first = check_consistency(scene.services, at_once=2)
    assert (first.found[Finding.MISSING_ATTEMPT], first.after, first.complete) == (2, ids[1], False)
    second = check_consistency(scene.services, after=first.after, at_once=2)
    assert (second.found[Finding.MISSING_ATTEMPT], second.after) == (2, ids[3])
    third = check_consistency(scene.services, after=second.after, at_once=2)
    assert (third.found[Finding.MISSING_ATTEMPT], third.after, third.complete) == (1, 0, True)


def test_the_verdict_in_plain_names_every_kind(scene: Scene):
    plain = check_consistency(scene.services).plain()
    assert plain == {
        "found": dict.fromkeys([kind.value for kind in Finding], 0),
        "repaired": 0,
        "after": 0,
        "complete": True,
    }
