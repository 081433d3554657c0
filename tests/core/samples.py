"""The shipped defaults of the domain's table as a policy, a case to start from, and short ways to tell its story."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TypeVar

from dialer.core.case import Case, RobotState, StaffTrackState
from dialer.core.decide import decide
from dialer.core.events import (
    AssignmentReported,
    AttemptEnded,
    CaseOpened,
    Effect,
    Event,
    OpenAssignment,
    WarningJoined,
    WithdrawAssignment,
)
from dialer.core.policy import GradePolicy, Policy, UrgencyPolicy, Window
from dialer.core.values import Answer, Contact, FraudType, Grade, TelephonyResult, Track

MORNING = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
"""10:00 in Shanghai: the window is open."""
NIGHT = datetime(2026, 11, 25, 14, 0, tzinfo=UTC)
"""22:00 in Shanghai: closed."""
NEXT_OPENING = datetime(2026, 11, 26, 1, 0, tzinfo=UTC)

SHANGHAI = Window(opens=time(9), closes=time(21), zone="Asia/Shanghai")

GRADES = {
    Grade.EXTRA_HIGH: GradePolicy(
        first_attempt_seconds=60,
        robot_tries=3,
        robot_gap_seconds=120,
        robot_patience_seconds=60,
        windowed=False,
        human_after_seconds=0,
        human_due_seconds=600,
        human_sample_percent=100,
        visit_after_seconds=0,
        visit_when_human_fails=True,
        visit_due_seconds=3_600,
        sign_seconds=180,
        feedback_seconds=7_200,
    ),
    Grade.HIGH: GradePolicy(
        first_attempt_seconds=180,
        robot_tries=2,
        robot_gap_seconds=300,
        robot_patience_seconds=180,
        windowed=False,
        human_after_seconds=600,
        human_due_seconds=1_200,
        human_sample_percent=100,
        visit_after_seconds=1_800,
        visit_when_human_fails=True,
        visit_due_seconds=7_200,
        sign_seconds=300,
        feedback_seconds=14_400,
    ),
    Grade.MEDIUM: GradePolicy(
        first_attempt_seconds=900,
        robot_tries=3,
        robot_gap_seconds=300,
        robot_patience_seconds=3_600,
        windowed=True,
        human_after_seconds=None,
        human_due_seconds=7_200,
        human_sample_percent=100,
        visit_after_seconds=None,
        visit_when_human_fails=True,
        visit_due_seconds=28_800,
        sign_seconds=1_800,
        feedback_seconds=86_400,
    ),
    Grade.LOW: GradePolicy(
        first_attempt_seconds=14_400,
        robot_tries=2,
        robot_gap_seconds=3_600,
        robot_patience_seconds=43_200,
        windowed=True,
        human_after_seconds=None,
        human_due_seconds=28_800,
        human_sample_percent=10,
        visit_after_seconds=None,
        visit_when_human_fails=False,
        visit_due_seconds=86_400,
        sign_seconds=14_400,
        feedback_seconds=172_800,
    ),
}

POLICY = Policy(
    version=1,
    grades=GRADES,
    window=SHANGHAI,
    urgency=UrgencyPolicy(
        grade_seconds={Grade.EXTRA_HIGH: 604_800, Grade.HIGH: 86_400, Grade.MEDIUM: 7_200, Grade.LOW: 0},
        amount_seconds_per_tenfold=1_800,
        amount_floor_fen=100_000,
        expiry_horizon_seconds=14_400,
    ),
    busy_retry_seconds=60,
    requeue_seconds=120,
    max_own_faults=3,
    number_spacing_seconds=60,
    visit_tries=3,
    visit_retry_seconds=7_200,
    watch_seconds=604_800,
)

IN_SAMPLE = 205
NOT_IN_SAMPLE = 242

E = TypeVar("E")


def has_next_step(case: Case) -> bool:
    """The case is settled or something will move it: a time, an assignment, or a pending attempt."""
    return (
        case.status.is_settled
        or case.due_at is not None
        or case.robot.state is RobotState.PENDING
        or case.human.is_pending
        or case.visit.is_pending
    )


def fresh(grade: Grade = Grade.MEDIUM, *, at: datetime = MORNING, **fields: object) -> Case:
    """A case as the first warning made it, not yet started; by default outside the sample of the low grade."""
    case = Case(
        id=NOT_IN_SAMPLE, grade=grade, fraud_type=FraudType.LOAN, opened_at=at, policy_version=1, numbers=1
    )
    return replace(case, **fields)  # type: ignore[arg-type]  # names are checked by replace


def ended(
    n: int, result: TelephonyResult, contact: Contact = Contact.NONE, answer: Answer = Answer.NONE
) -> Event:
    return AttemptEnded(n=n, result=result, contact=contact, answer=answer)


def answered(n: int, answer: Answer, contact: Contact = Contact.VERIFIED) -> Event:
    return ended(n, TelephonyResult.ANSWERED, contact, answer)


def joined(grade: Grade, fraud_type: FraudType = FraudType.LOAN, **fields: object) -> Event:
    return WarningJoined(grade=grade, fraud_type=fraud_type, **fields)  # type: ignore[arg-type]


def _open_tracks(case: Case) -> list[Track]:
    assignments = {Track.HUMAN: case.human, Track.VISIT: case.visit}
    return [track for track, one in assignments.items() if one.state is StaffTrackState.OPEN]


class Story:
    """One case lived through events at a time that only moves when told; keeps all effects, and the last ones. The
    assignments that are open, counted from the effects, must be those that the case knows.
    """

    def __init__(self, case: Case, *, policy: Policy = POLICY) -> None:
        self.policy = policy
        self.case = case
        self.now = case.opened_at
        self.last: tuple[Effect, ...] = ()
        self.effects: list[Effect] = []
        self.open_rows = Counter(_open_tracks(case))

    def tell(self, event: Event, *, after: float = 0) -> Story:
        self.now += timedelta(seconds=after)
        decision = decide(self.case, event, self.now, self.policy)
        if isinstance(event, AssignmentReported):
            self.open_rows[event.track] -= 1
        self.case, self.last = decision.case, decision.effects
        self.effects.extend(decision.effects)
        for effect in decision.effects:
            if isinstance(effect, OpenAssignment | WithdrawAssignment):
                self.open_rows[effect.track] += 1 if isinstance(effect, OpenAssignment) else -1
                assert self.open_rows[effect.track] in {0, 1}, f"two open rows of one {effect.track} track"
        assert +self.open_rows == Counter(_open_tracks(self.case)), (
            "a row is open that the case has forgotten"
        )
        return self

    def only(self, kind: type[E]) -> E:
        """The one effect of this kind among the last."""
        (effect,) = self.of(kind)
        return effect

    def of(self, kind: type[E]) -> list[E]:
        return [effect for effect in self.last if isinstance(effect, kind)]


def started(
    grade: Grade = Grade.MEDIUM, *, at: datetime = MORNING, policy: Policy = POLICY, **fields: object
) -> Story:
    return Story(fresh(grade, at=at, **fields), policy=policy).tell(CaseOpened())
