"""Follow-ups as rows: swept when due, checked, reported by people, and in the ledger as no success of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from dialer.calls.reconcile import sweep_attempts, sweep_cases
from dialer.cases.effects import Move, move_cases
from dialer.cases.store import lock_cases
from dialer.control.consistency import Finding, check_consistency
from dialer.core.access import unrestricted
from dialer.core.case import CaseStatus, FollowUp
from dialer.core.events import Event, HandOverRequested, PersonCalledIn
from dialer.core.policy import to_plain
from dialer.core.rates import Period
from dialer.core.values import Answer, Grade, OutcomeKind, TelephonyResult, Track
from dialer.db import tables as t
from dialer.db.policies import ensure_policy_version
from dialer.outcomes.filing import file_case
from dialer.work.tasks import NoCall, WorkReport, report_assignment
from tests.control.scene import Scene
from tests.core.samples import GRADES, POLICY, answered
from tests.figures.sources import figures
from tests.outcomes.town import PHONE

WAYS = {Grade.HIGH: (Track.ROBOT, Track.HUMAN), Grade.MEDIUM: (Track.HUMAN, None)}
RULES = replace(
    POLICY,
    grades=GRADES
    | {
        grade: replace(GRADES[grade], follow_up_by=by, follow_up_then=then)
        for grade, (by, then) in WAYS.items()
    },
)


@pytest.fixture
def followed(scene: Scene) -> Scene:
    """Its cases have follow-ups a day after their success."""
    with scene.tx() as tx:
        scene.policy_version = ensure_policy_version(tx, to_plain(RULES), now=scene.clock.now())
    return scene


def dissuaded(scene: Scene, grade: Grade) -> int:
    """A case whose first call was a success, a day later."""
    case_id = just_dissuaded(scene, grade)
    scene.later(hours=24)
    sweep(scene)
    return case_id


def just_dissuaded(scene: Scene, grade: Grade) -> int:
    """A case whose first call was a success."""
    case_id = scene.open_case(grade=grade, person_id=scene.person(phones=(PHONE,)))
    now = scene.clock.now()
    scene.change_attempt(
        scene.attempt_of(case_id)["id"],
        state="ended",
        result=TelephonyResult.ANSWERED.value,
        contact="verified",
        answer=Answer.ACKNOWLEDGED.value,
        ended_at=now,
    )
    tell(scene, case_id, answered(1, Answer.ACKNOWLEDGED))
    assert scene.case_of(case_id).status is CaseStatus.WATCHING
    return case_id


def tell(scene: Scene, case_id: int, event: Event) -> None:
    with scene.tx() as tx:
        moves = [Move(case_id=case_id, event=event)]
        now = scene.clock.now()
        move_cases(tx, lock_cases(tx, [case_id]), moves, policies=scene.services.policies, now=now)


def sweep(scene: Scene) -> None:
    sweep_attempts(scene.services)
    sweep_cases(scene.services)


def test_a_call_in_the_queue_is_consistent_and_a_lost_one_goes_to_the_next_way(followed: Scene):
    case_id = dissuaded(followed, Grade.HIGH)
    call = followed.attempt_of(case_id)
    assert (call["n"], call["state"], call["reason"], call["windowed"]) == (2, "ready", "follow_up", True)
    assert check_consistency(followed.services).found == {}
    [claimed] = followed.claim()
    assert claimed.reason == "follow_up"
    followed.do(sa.delete(t.attempt).where(t.attempt.c.id == call["id"]))
    assert check_consistency(followed.services).found[Finding.MISSING_ATTEMPT] == 1
    assert followed.case_of(case_id).follow_up.by is Track.HUMAN


def test_a_lost_assignment_is_opened_again(followed: Scene):
    case_id = dissuaded(followed, Grade.MEDIUM)
    assert check_consistency(followed.services).found == {}
    followed.do(sa.delete(t.assignment))
    assert check_consistency(followed.services).found == {Finding.MISSING_ASSIGNMENT: 1}
    [work] = followed.assignments_of(case_id)
    assert (work["kind"], work["state"], work["reason"]) == ("human", "open", "follow_up")


def test_a_report_is_no_second_success_and_a_filed_case_undoes_the_first(followed: Scene):
    case_id = dissuaded(followed, Grade.MEDIUM)
    [work] = followed.assignments_of(case_id)
    success = WorkReport(outcome=OutcomeKind.DISSUADED_BY_PHONE, no_call="用本人手机拨打")
    with pytest.raises(NoCall):
        report_assignment(followed.services, unrestricted("li"), work["id"], success)
    followed.talked(work["id"])
    report_assignment(followed.services, unrestricted("li"), work["id"], success)
    case = followed.case_of(case_id)
    assert (case.status, case.follow_up) == (CaseStatus.WATCHING, FollowUp())
    first, second = followed.rows(sa.select(t.outcome).order_by(t.outcome.c.id))
    assert (first["reason"], second["reason"]) == ("verified_success", "follow_up")
    file_case(followed.services, unrestricted("zhao"), phone=PHONE, case_number="A1")
    [undone] = followed.rows(sa.select(t.outcome).where(t.outcome.c.reverses.is_not(None)))
    assert (undone["reverses"], undone["reason"]) == (first["id"], "case_filed")


def test_a_follow_up_for_which_the_person_calls_us_is_one_in_the_figures_and_in_the_ledger(followed: Scene):
    case_id = dissuaded(followed, Grade.MEDIUM)
    [work] = followed.assignments_of(case_id)
    tell(followed, case_id, PersonCalledIn(from_own_number=False))
    [called] = followed.assignments_of(case_id)
    assert called["urgency_at"] < work["urgency_at"]
    followed.talked(work["id"])
    report_assignment(
        followed.services, unrestricted("li"), work["id"], WorkReport(outcome=OutcomeKind.DISSUADED_BY_PHONE)
    )
    [done] = followed.assignments_of(case_id)
    [*_, line] = followed.rows(sa.select(t.outcome).order_by(t.outcome.c.id))
    assert (done["state"], done["reason"], line["reason"]) == ("done", "follow_up", "follow_up")
    with followed.tx() as tx:
        counts = figures(tx, Period(), drill=False, now=followed.clock.now()).total.counts
    assert (counts.human_calls, counts.followed_up) == (0, 1)


def test_a_reopened_case_stands_beside_the_one_of_a_later_warning(followed: Scene):
    case_id = dissuaded(followed, Grade.MEDIUM)
    with followed.tx() as tx:
        person_id = tx.scalar(sa.select(t.case.c.person_id).where(t.case.c.id == case_id))
    later = followed.open_case(person_id=person_id)
    [work] = followed.assignments_of(case_id)
    report_assignment(
        followed.services, unrestricted("li"), work["id"], WorkReport(outcome=OutcomeKind.REFUSES)
    )
    assert [followed.case_of(one).status for one in (case_id, later)] == [CaseStatus.OPEN] * 2
    [undone] = followed.rows(sa.select(t.outcome).where(t.outcome.c.reverses.is_not(None)))
    assert undone["reason"] == "follow_up"
    assert [row["kind"] for row in followed.assignments_of(case_id)] == ["human", "visit"]


def test_the_end_of_the_watch_withdraws_the_call(followed: Scene):
    case_id = dissuaded(followed, Grade.HIGH)
    followed.later(hours=24 * 6)
    sweep(followed)
    call = followed.attempt_of(case_id)
    assert (call["n"], call["state"], call["result"]) == (2, "ended", "canceled")
    assert followed.case_of(case_id).status is CaseStatus.PROVEN
    assert check_consistency(followed.services).found == {}


def test_danger_in_a_follow_up_after_the_person_called_us_keeps_the_one_assignment(followed: Scene):
    case_id = just_dissuaded(followed, Grade.HIGH)
    tell(followed, case_id, PersonCalledIn(from_own_number=False))
    followed.later(hours=24)
    sweep(followed)
    assert followed.attempt_of(case_id)["reason"] == "follow_up"
    tell(followed, case_id, HandOverRequested(n=2, answer=Answer.ALREADY_PAID))
    tell(followed, case_id, answered(2, Answer.ALREADY_PAID))
    assert followed.case_of(case_id).status is CaseStatus.OPEN
    calls = [assignment for assignment in followed.assignments_of(case_id) if assignment["kind"] == "human"]
    assert [(call["state"], call["reason"]) for call in calls] == [("open", "already_paid")]
