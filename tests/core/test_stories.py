"""Any story of events, lived by a case beside a shell that keeps rows as the store does. What must hold at every step
is said in `_hold`; what one step may do, in `_Shell.carry_out` and `CaseStory.tell`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dialer.core.case import (
    WISHES,
    BeforeFiling,
    Case,
    CaseStatus,
    FamilyContact,
    FamilyResult,
    Reason,
    RobotState,
    StaffTrackState,
)
from dialer.core.decide import decide
from dialer.core.errors import Conflict
from dialer.core.events import (
    AssignmentReported,
    AssignmentRequested,
    AttemptEnded,
    CallRequested,
    CaseClosed,
    CaseFiled,
    CaseOpened,
    Effect,
    Event,
    ExpediteAttempt,
    FilingUndone,
    GradeChanged,
    HandOverRequested,
    OpenAssignment,
    OptedOut,
    PersonCalledIn,
    PlanAttempt,
    RaiseAlarm,
    RecordOutcome,
    RestoreOutcome,
    ReverseOutcome,
    TimePassed,
    WarningJoined,
    WindowClosed,
    WithdrawAssignment,
    WithdrawAttempt,
)
from dialer.core.follow_up import UNDOING_ANSWERS, UNDOING_OUTCOMES
from dialer.core.policy import Policy
from dialer.core.values import (
    SUCCESSES,
    Answer,
    Contact,
    FraudType,
    Grade,
    OutcomeKind,
    Tag,
    TelephonyResult,
    Track,
)
from tests.core.samples import GRADES, MORNING, NIGHT, POLICY, answered, fresh, has_next_step

SHORT = replace(
    POLICY,
    grades={grade: replace(rules, robot_tries=1, human_sample_percent=0) for grade, rules in GRADES.items()},
    max_own_faults=0,
    visit_tries=1,
)
FAMILY = replace(
    SHORT,
    grades={
        grade: replace(rules, family_after_seconds=after_seconds)
        for (grade, rules), after_seconds in zip(SHORT.grades.items(), (0, 60, 0, 600), strict=True)
    },
    max_own_faults=1,
)
FOLLOWED_UP = replace(
    POLICY,
    grades={
        grade: replace(rules, follow_up_by=by, follow_up_then=then, follow_up_after_seconds=after_seconds)
        for (grade, rules), by, then, after_seconds in zip(
            GRADES.items(),
            (Track.ROBOT, Track.ROBOT, Track.HUMAN, Track.VISIT),
            (Track.HUMAN, None, Track.ROBOT, None),
            (60, 86_400, 7_200, 600_000),
            strict=True,
        )
    },
    max_own_faults=1,
)
OWN_FAULTS = {TelephonyResult.BLOCKED, TelephonyResult.CANCELED}
REPEATABLE = (
    CaseOpened,
    AttemptEnded,
    HandOverRequested,
    PersonCalledIn,
    WindowClosed,
    TimePassed,
    CaseFiled,
    FilingUndone,
)
CALLED = (Track.HUMAN, Track.VISIT)
HAND_OVER_ANSWERS = (Answer.WANTS_OFFICER, Answer.ALREADY_PAID)


@dataclass(slots=True)
class _Shell:
    """The rows that effects become. An effect that no row can follow fails the story."""

    rung: list[int] = field(default_factory=list)
    pending: int | None = None
    follow_ups: int = 0
    open_assignments: set[Track] = field(default_factory=set)
    ledger: list[OutcomeKind] = field(default_factory=list)
    filed: int = 0
    """Lines that filed cases added and that stand."""

    def carry_out(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            match effect:
                case PlanAttempt():
                    assert self.pending is None, "two attempts at once"
                    assert effect.n == len(self.rung) + 1, "attempts are numbered without a gap"
                    assert effect.reason is not Reason.NONE, "a ring without a reason"
                    self.rung.append(effect.number)
                    self.follow_ups += effect.reason is Reason.FOLLOW_UP
                    self.pending = effect.n
                case ExpediteAttempt():
                    assert effect.n == self.pending
                case WithdrawAttempt():
                    assert effect.n == self.pending
                    self.pending = None
                case OpenAssignment():
                    assert effect.track not in self.open_assignments, "two open rows of one track"
                    assert effect.reason is not Reason.NONE
                    self.open_assignments.add(effect.track)
                case WithdrawAssignment():
                    self.open_assignments.remove(effect.track)
                case RecordOutcome():
                    assert effect.outcome not in SUCCESSES or effect.contact is Contact.VERIFIED
                    self.ledger.append(effect.outcome)
                    self.filed += effect.reason is Reason.CASE_FILED
                case ReverseOutcome():
                    assert SUCCESSES & set(self.ledger), "nothing to reverse"
                case RestoreOutcome():
                    assert self.filed, "nothing to restore"
                    self.filed = 0
                case RaiseAlarm():
                    pass


class CaseStory(RuleBasedStateMachine):
    case: Case
    policy: Policy

    @initialize(
        grade=st.sampled_from(Grade),
        policy=st.sampled_from((POLICY, SHORT, FAMILY, FOLLOWED_UP, FOLLOWED_UP)),
        at=st.sampled_from((MORNING, NIGHT)),
        numbers=st.integers(1, 3),
        case_id=st.sampled_from((205, 242)),
        missed=st.booleans(),
        tags=st.sampled_from((frozenset(), frozenset({Tag.MINOR}))),
        expires_hours=st.none() | st.integers(1, 72),
        is_dissuaded=st.booleans(),
        family=st.sampled_from((FamilyContact.NONE, FamilyContact.KNOWN)),
    )
    def opens(
        self,
        grade: Grade,
        policy: Policy,
        at: object,
        numbers: int,
        case_id: int,
        missed: bool,
        tags: frozenset[Tag],
        expires_hours: int | None,
        is_dissuaded: bool,
        family: FamilyContact,
    ) -> None:
        """Many a story begins with the success of the first call, so that its follow-ups are lived too."""
        self.now = at
        self.policy = policy
        self.shell = _Shell()
        self.wishes_to_ring = 0
        self.wished_in = 0
        self.successes = 0
        self.before_filing: BeforeFiling | None = None
        self.case = fresh(
            grade,
            at=at,
            numbers=numbers,
            id=case_id,
            tags=tags,
            missed=missed and grade.is_high,
            family=family,
            expires_at=None if expires_hours is None else at + timedelta(hours=expires_hours),
        )
        self.tell(CaseOpened())
        if is_dissuaded and self.shell.pending is not None:
            self.it_is_dissuaded(answer=Answer.ACKNOWLEDGED)

    def tell(self, event: Event) -> None:
        before = self.case
        decision = decide(before, event, self.now, self.policy)
        self.case = decision.case
        self._stays_what_it_was(before, event, decision.effects)
        self._calls_only_whom_it_may(before, decision.effects)
        if isinstance(event, AttemptEnded) and event.n == self.shell.pending:
            self.shell.pending = None
        if isinstance(event, AssignmentReported):
            self.shell.open_assignments.remove(event.track)
        self.successes += self.case.status is CaseStatus.WATCHING and before.status is CaseStatus.OPEN
        self.shell.carry_out(decision.effects)
        if isinstance(event, REPEATABLE):
            again = decide(self.case, event, self.now, self.policy)
            assert (again.case, again.effects) == (self.case, ()), "told twice it did something twice"

    def _stays_what_it_was(self, before: Case, event: Event, effects: tuple[Effect, ...]) -> None:
        after = self.case
        if before.status.is_settled and not isinstance(event, CaseFiled | FilingUndone):
            assert after == before
            assert not effects
        if before.status is CaseStatus.WATCHING and after.status is CaseStatus.OPEN:
            assert isinstance(event, AttemptEnded | HandOverRequested | AssignmentReported), "no finding"
            assert after.reopened
        if (before.status, after.status) == (CaseStatus.WATCHING, CaseStatus.WATCHING):
            assert not any(isinstance(effect, ReverseOutcome) for effect in effects)
        if after.status is not before.status:
            spoken = any(
                isinstance(effect, RecordOutcome | ReverseOutcome | RestoreOutcome) for effect in effects
            )
            watch_ended = after.status is CaseStatus.PROVEN and isinstance(event, TimePassed)
            assert spoken or watch_ended, "it ended silently"
        if after.grade.rank < before.grade.rank:
            assert isinstance(event, GradeChanged)
        if before.contact is Contact.VERIFIED:
            assert after.contact is Contact.VERIFIED
        if after.human.is_pending and after.human.reason is Reason.FAMILY_CALL != before.human.reason:
            assert after.contact is not Contact.VERIFIED, "the family of a person who was reached"
            assert after.family is FamilyContact.KNOWN
            assert after.robot.state is not RobotState.PENDING or isinstance(event, FilingUndone)
            assert not after.opted_out or isinstance(event, FilingUndone)

    def _calls_only_whom_it_may(self, before: Case, effects: tuple[Effect, ...]) -> None:
        for plan in (effect for effect in effects if isinstance(effect, PlanAttempt)):
            is_follow_up = plan.reason is Reason.FOLLOW_UP
            assert self.case.status is (CaseStatus.WATCHING if is_follow_up else CaseStatus.OPEN)
            assert not is_follow_up or plan.windowed
            assert not self.case.opted_out
            assert plan.not_before >= self.now
            assert self.policy.window.is_open(plan.not_before)
            assert 0 <= plan.number < self.case.numbers
            assert plan.number not in self.case.robot.dead_numbers

    def act(self, event: Event) -> bool:
        """False when the core refused the act; then nothing has changed."""
        try:
            self.tell(event)
        except Conflict:
            return False
        return True

    @invariant()
    def _hold(self) -> None:
        case, shell = self.case, self.shell
        assert case.robot.attempts == len(shell.rung)
        assert (case.robot.state is RobotState.PENDING) == (shell.pending is not None)
        assert shell.pending in {None, case.robot.attempts}
        assignments = {Track.HUMAN: case.human, Track.VISIT: case.visit}
        assert {
            track for track in CALLED if assignments[track].state is StaffTrackState.OPEN
        } == shell.open_assignments
        assert has_next_step(case)
        pending = [assignment for assignment in assignments.values() if assignment.is_pending]
        assert all(assignment.at is not None for assignment in pending), "an errand without a deadline"
        if case.robot.state is RobotState.PENDING:
            assert case.robot.patience_at is not None, "a ring that may wait for ever"
        if case.status is CaseStatus.OPEN:
            assert pending or case.robot.state is RobotState.PENDING, "forgotten"
        else:
            under_way = len(pending) + (case.robot.state is RobotState.PENDING)
            called_in = case.human.is_pending and case.human.reason is Reason.CALLED_IN
            wanted = {under_way, under_way - called_in}
            assert case.follow_up.is_under_way in wanted, "a follow-up that is lost, or one too many"
        if case.status is not CaseStatus.WATCHING:
            assert case.follow_up.by is None
        elif case.follow_up.at is not None:
            assert case.watch_until is not None
            assert case.follow_up.at < case.watch_until
            assert self.policy.window.is_open(case.follow_up.at)
        if case.status in {CaseStatus.WATCHING, CaseStatus.PROVEN}:
            assert case.contact is Contact.VERIFIED
            assert case.outcome in SUCCESSES
            assert case.outcome in shell.ledger
        if case.status is CaseStatus.WATCHING:
            assert case.watch_until is not None

    @invariant()
    def _attempts_are_bounded(self) -> None:
        counted = max(rules.robot_tries for rules in self.policy.grades.values())
        reasons = counted + self.case.numbers + self.wishes_to_ring
        calls = len(self.shell.rung) - self.shell.follow_ups
        assert calls <= reasons * (self.policy.max_own_faults + 1)
        tries = max(rules.follow_up_tries for rules in self.policy.grades.values())
        most = (tries + self.case.numbers) * (self.policy.max_own_faults + 1)
        assert self.shell.follow_ups <= self.successes * most
        assert self.case.follow_up.tries < tries

    @rule(
        off_by=st.sampled_from((0, 0, 0, 0, -1, 1)),
        result=st.sampled_from((TelephonyResult.ANSWERED, *TelephonyResult)),
        contact=st.sampled_from(Contact),
        answer=st.sampled_from(Answer),
    )
    def an_attempt_ends(self, off_by: int, result: TelephonyResult, contact: Contact, answer: Answer) -> None:
        before = self.case
        n = before.robot.attempts + off_by
        is_news = n == self.shell.pending
        self.tell(AttemptEnded(n=n, result=result, contact=contact, answer=answer))
        if not is_news:
            assert self.case == before
        elif answer is Answer.OPT_OUT and result is not TelephonyResult.FORWARDED:
            assert self.case.opted_out, "who wants no more calls is called again"
        told = answer in {Answer.OPT_OUT, *UNDOING_ANSWERS}
        if before.missed and before.status is CaseStatus.OPEN:
            assert self.case.robot.attempts == before.robot.attempts, "an expired warning is called again"
        if result in OWN_FAULTS and before.robot.reason not in WISHES and not told:
            assert self.case.robot.tries == before.robot.tries
            assert self.case.follow_up.tries in {before.follow_up.tries, 0}
        if before.status is CaseStatus.OPEN and self.case.status is CaseStatus.WATCHING:
            assert n != self.wished_in, "who asked for an officer was counted as dissuaded"
            assert (result, contact) == (TelephonyResult.ANSWERED, Contact.VERIFIED)
            assert answer in {Answer.ACKNOWLEDGED, Answer.SAW_THROUGH}

    @precondition(lambda self: self.shell.pending is not None)
    @rule(answer=st.sampled_from((Answer.ACKNOWLEDGED, Answer.SAW_THROUGH)))
    def it_is_dissuaded(self, answer: Answer) -> None:
        n = self.case.robot.attempts
        result, contact = TelephonyResult.ANSWERED, Contact.VERIFIED
        self.tell(AttemptEnded(n=n, result=result, contact=contact, answer=answer))

    @rule(
        off_by=st.sampled_from((0, 0, -1, 1)),
        answer=st.sampled_from(HAND_OVER_ANSWERS),
    )
    def an_officer_is_wanted(self, off_by: int, answer: Answer) -> None:
        n = self.case.robot.attempts + off_by
        self.tell(HandOverRequested(n=n, answer=answer))
        if n == self.shell.pending:
            self.wished_in = n

    @rule(own=st.booleans())
    def the_person_calls_us(self, own: bool) -> None:
        before = self.case
        self.wishes_to_ring += 1
        self.tell(PersonCalledIn(from_own_number=own))
        assert (self.case.contact, self.case.outcome) == (before.contact, before.outcome)
        if not before.status.is_settled:
            assert Track.HUMAN in self.shell.open_assignments
            assert self.shell.pending is None or not own

    @rule(off_by=st.sampled_from((0, 0, -1)))
    def the_window_was_closed(self, off_by: int) -> None:
        self.tell(WindowClosed(n=self.case.robot.attempts + off_by))
        if (
            self.case.robot.state is RobotState.PENDING
            and off_by == 0
            and not self.policy.window.is_open(self.now)
        ):
            assert self.case.robot.at is not None
            assert self.case.robot.at > self.now

    @rule(seconds=st.sampled_from((0, 1, 60, 300, 1_800, 7_200, 43_200, 700_000)), rings=st.booleans())
    def time_passes(self, *, seconds: int, rings: bool) -> None:
        self.now += timedelta(seconds=seconds)
        self.tell(TimePassed(is_at_carrier=rings and self.shell.pending is not None))
        assert self.case.due_at is None or self.case.due_at > self.now

    @rule()
    def it_falls_due(self) -> None:
        if self.case.due_at is not None:
            self.now = max(self.now, self.case.due_at)
            before = self.case
            self.tell(TimePassed())
            assert self.case != before

    @rule(
        grade=st.sampled_from(Grade),
        hours=st.none() | st.integers(-1, 48),
        numbers=st.integers(0, 3),
        has_family=st.booleans(),
        amount=st.none() | st.integers(0, 10**9),
        tags=st.sampled_from((frozenset(), frozenset({Tag.MINOR}))),
    )
    def a_warning_joins(
        self,
        grade: Grade,
        hours: int | None,
        numbers: int,
        has_family: bool,
        amount: int | None,
        tags: frozenset[Tag],
    ) -> None:
        self.wishes_to_ring += 1
        self.tell(
            WarningJoined(
                grade=grade,
                fraud_type=FraudType.UNKNOWN,
                expires_at=None if hours is None else self.now + timedelta(hours=hours),
                missed=hours is not None and hours <= 0,
                numbers=numbers,
                has_family=has_family,
                amount_at_risk_fen=amount,
                tags=tags,
            )
        )
        if self.case.status is CaseStatus.OPEN:
            assert self.case.grade.rank >= grade.rank
            assert not self.case.missed or (hours is not None and hours <= 0), "it has not expired"

    @precondition(lambda self: self.shell.open_assignments)
    @rule(
        data=st.data(),
        outcome=st.sampled_from((OutcomeKind.CANNOT_FIND_YET, *OutcomeKind)),
        contact=st.sampled_from(Contact),
    )
    def an_errand_is_reported(self, data: st.DataObject, outcome: OutcomeKind, contact: Contact) -> None:
        track = data.draw(st.sampled_from(sorted(self.shell.open_assignments)))
        before = self.case
        if track is Track.HUMAN and before.is_family_called:
            assert not self.act(AssignmentReported(track=track, outcome=outcome, contact=contact))
            result = data.draw(st.sampled_from(FamilyResult))
            outcome, contact = OutcomeKind.CANNOT_FIND_YET, Contact.NONE
            self.tell(AssignmentReported(track=track, outcome=outcome, contact=contact, family=result))
            assert self.case.contact is before.contact, "the family is not the person"
            assert self.case.family is FamilyContact.CALLED
            assert self.case.human.is_pending is result.is_reached
            return
        taken = self.act(AssignmentReported(track=track, outcome=outcome, contact=contact))
        assert taken is (outcome not in SUCCESSES or contact is Contact.VERIFIED)

    @rule(track=st.sampled_from(Track))
    def an_errand_that_is_not_open_is_reported(self, track: Track) -> None:
        if track not in self.shell.open_assignments:
            with pytest.raises(Conflict):
                self.tell(AssignmentReported(track=track, outcome=OutcomeKind.REFUSES, contact=Contact.NONE))

    @precondition(lambda self: self.case.status is CaseStatus.WATCHING)
    @rule(
        typed=st.booleans(), danger=st.none() | st.sampled_from(sorted(UNDOING_ANSWERS)), during=st.booleans()
    )
    def a_follow_up_begins(self, *, typed: bool, danger: Answer | None, during: bool) -> None:
        """The person may call us meanwhile with a typed number, and a call of the robot may find danger."""
        for _ in range(2):  # In the night, at the opening.
            if self.case.follow_up.at is not None:
                self.now = max(self.now, self.case.follow_up.at)
                self.tell(TimePassed())
        if typed and self.case.status is CaseStatus.WATCHING:
            self.wishes_to_ring += 1
            self.tell(PersonCalledIn(from_own_number=False))
        if danger is None or self.case.status is not CaseStatus.WATCHING or self.shell.pending is None:
            return
        n = self.case.robot.attempts
        if during and danger in HAND_OVER_ANSWERS:
            self.tell(HandOverRequested(n=n, answer=danger))
            self.wished_in = n
        else:
            self.tell(answered(n, danger))
        assert self.case.status is CaseStatus.OPEN
        assert self.shell.open_assignments, "nobody goes on"

    @precondition(lambda self: self.case.status is CaseStatus.WATCHING and self.shell.open_assignments)
    @rule(data=st.data(), outcome=st.sampled_from(sorted(UNDOING_OUTCOMES)))
    def a_follow_up_by_people_finds_danger(self, data: st.DataObject, outcome: OutcomeKind) -> None:
        track = data.draw(st.sampled_from(sorted(self.shell.open_assignments)))
        self.tell(AssignmentReported(track=track, outcome=outcome, contact=Contact.VERIFIED))
        assert self.case.status in {CaseStatus.OPEN, CaseStatus.CLOSED}

    @precondition(lambda self: self.case.status is CaseStatus.WATCHING)
    @rule()
    def a_call_goes_on_when_it_falls_due(self) -> None:
        before, self.now = self.case, max(self.now, self.case.due_at)
        self.tell(TimePassed(is_at_carrier=before.robot.state is RobotState.PENDING))
        if before.robot.state is RobotState.PENDING:
            assert self.case.status is CaseStatus.WATCHING, "a call was cut off by the end of the watch"
        assert self.case.due_at is None or self.case.due_at > self.now

    @rule(grade=st.sampled_from(Grade))
    def a_person_sets_the_grade(self, grade: Grade) -> None:
        self.wishes_to_ring += 1
        assert self.act(GradeChanged(grade=grade)) is (self.case.status is CaseStatus.OPEN)

    @rule()
    def a_person_requests_a_call(self) -> None:
        self.wishes_to_ring += 1
        if self.act(CallRequested()):
            assert self.shell.pending is not None

    @rule(track=st.sampled_from(Track))
    def a_person_is_requested(self, track: Track) -> None:
        if self.act(AssignmentRequested(track=track)):
            assert track in self.shell.open_assignments

    @rule()
    def it_is_opted_out(self) -> None:
        self.act(OptedOut())
        assert self.case.status is not CaseStatus.OPEN or self.shell.pending is None

    @rule(outcome=st.sampled_from(OutcomeKind))
    @precondition(lambda self: self.case.robot.attempts > 2)
    def a_person_closes_it(self, outcome: OutcomeKind) -> None:
        was_open = self.case.status is CaseStatus.OPEN
        assert self.act(CaseClosed(outcome=outcome)) is (was_open and outcome not in SUCCESSES)

    @rule()
    @precondition(lambda self: self.case.robot.attempts > 2 or self.case.status is not CaseStatus.OPEN)
    def a_case_is_filed(self) -> None:
        before = self.case.status
        if self.before_filing is None:
            self.before_filing = BeforeFiling.of(self.case)
        self.tell(CaseFiled())
        assert self.case.outcome is OutcomeKind.ALREADY_DEFRAUDED
        succeeded = before in {CaseStatus.WATCHING, CaseStatus.PROVEN, CaseStatus.REVERSED}
        assert self.case.status is (CaseStatus.REVERSED if succeeded else CaseStatus.CLOSED)

    @rule()
    @precondition(lambda self: self.before_filing is not None)
    def the_filing_is_undone(self) -> None:
        """The case is what it was before the first of its filings, and something still moves it."""
        was = self.before_filing
        self.before_filing = None
        self.wishes_to_ring += 1
        self.successes += was.status is CaseStatus.WATCHING
        self.tell(FilingUndone(before=was))
        assert not self.shell.filed
        assert (self.case.status, self.case.outcome) == (was.status, was.outcome)
        assert self.case.watch_until == was.watch_until
        if was.status is CaseStatus.WATCHING and was.human.reason is Reason.CALLED_IN:
            assert self.case.human.is_pending >= was.human.is_pending, "nobody calls back"
        if was.status is CaseStatus.OPEN:
            assert (self.case.robot.state is RobotState.PENDING) >= (
                was.is_robot_pending and not self.case.opted_out and not self.case.missed
            )
            assert self.case.human.is_pending >= was.human.is_pending
            assert self.case.visit.is_pending >= was.visit.is_pending


CaseStory.TestCase.settings = settings(stateful_step_count=40)
TestCaseStory = CaseStory.TestCase
