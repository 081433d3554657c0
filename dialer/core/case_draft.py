"""The case and the effects of one decision while it is being made. Used inside `decide` only."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from dialer.core.case import (
    WISHES,
    Case,
    CaseStatus,
    FollowUp,
    Reason,
    Robot,
    RobotState,
    StaffTrack,
    StaffTrackState,
)
from dialer.core.events import (
    AlarmCode,
    Effect,
    ExpediteAssignment,
    ExpediteAttempt,
    OpenAssignment,
    OpenStopPayment,
    PlanAttempt,
    RaiseAlarm,
    RecordOutcome,
    ReverseOutcome,
    SendMessage,
    WithdrawAssignment,
    WithdrawAttempt,
)
from dialer.core.policy import GradePolicy, Policy, urgency
from dialer.core.values import FLASHES, Contact, MessagePurpose, OutcomeKind, Tag, Track

_TOP_OF_QUEUE = timedelta(days=30)
"""More than grade, amount and expiry together can move an assignment forward."""


class CaseDraft:
    """Collects what one event does to one case. Each method leaves the case consistent with its effects."""

    def __init__(self, case: Case, *, now: datetime, policy: Policy) -> None:
        self.case = case
        self.now = now
        self.policy = policy
        self.effects: list[Effect] = []

    @property
    def grade_policy(self) -> GradePolicy:
        """The limits of the case's grade as it is now."""
        return self.policy.of(self.case.grade)

    def change(self, **fields: object) -> None:
        """Replaces fields of the case. TypeError for a name that is not a field of it."""
        self.case = replace(self.case, **fields)  # type: ignore[arg-type]  # names are checked by replace itself

    def alarm(self, code: AlarmCode) -> None:
        """Adds the effect that raises this alarm."""
        self.effects.append(RaiseAlarm(code=code))

    def urgency_at(self) -> datetime:
        """The urgency time of a call planned now."""
        return urgency(self.case, self.policy.urgency).at

    # --- robot -----------------------------------------------------------------------------------------------

    def plan_attempt(self, *, after_seconds: int, reason: Reason, number: int | None = None) -> None:
        """Plans the next attempt. Outside the window it waits for the opening; a high grade then also gets a person."""
        robot = self.case.robot
        wanted = self.now + timedelta(seconds=after_seconds)
        not_before = self.policy.window.next_open(wanted)
        if not_before != wanted and not self.grade_policy.windowed:
            self.ensure_person(Reason.OUTSIDE_WINDOW)
        n = robot.attempts + 1
        chosen = robot.number if number is None else number
        self.change_robot(
            state=RobotState.PENDING,
            attempts=n,
            number=chosen,
            at=not_before,
            patience_at=not_before + timedelta(seconds=self.grade_policy.robot_patience_seconds),
            reason=reason,
        )
        self.effects.append(
            PlanAttempt(
                n=n,
                number=chosen,
                not_before=not_before,
                urgency_at=self.urgency_at(),
                windowed=self.grade_policy.windowed,
                reason=reason,
            )
        )

    def expedite_attempt(self, *, reason: Reason) -> None:
        """Moves the pending attempt to now. If the person has asked for something in that call, this stays its
        reason.
        """
        robot = self.case.robot
        reason = robot.reason if robot.reason in WISHES else reason
        opening = self.policy.window.next_open(self.now)
        not_before = opening if robot.at is None else min(opening, robot.at)
        patience_at = opening + timedelta(seconds=self.grade_policy.robot_patience_seconds)
        if robot.patience_at is not None:
            patience_at = min(patience_at, robot.patience_at)
        self.change_robot(at=not_before, patience_at=patience_at, reason=reason)
        self.effects.append(
            ExpediteAttempt(
                n=robot.attempts,
                not_before=not_before,
                urgency_at=self.urgency_at(),
                windowed=self.grade_policy.windowed,
            )
        )

    def stop_robot(self, reason: Reason) -> None:
        """Ends the robot track: a pending attempt is withdrawn, at the carrier too."""
        robot = self.case.robot
        if robot.state is RobotState.PENDING:
            self.effects.append(WithdrawAttempt(n=robot.attempts, reason=reason))
        self.finish_robot(reason)

    def finish_robot(self, reason: Reason) -> None:
        """Marks the robot track as done; no attempt is pending afterwards."""
        self.change_robot(state=RobotState.DONE, at=None, patience_at=None, reason=reason)

    def next_number(self) -> int | None:
        """The next of the person's numbers, in turn after the one called last, that is not known to be dead."""
        robot = self.case.robot
        for step in range(1, self.case.numbers + 1):
            candidate = (robot.number + step) % self.case.numbers
            if candidate not in robot.dead_numbers:
                return candidate
        return None

    # --- people ----------------------------------------------------------------------------------------------

    def staff_track(self, track: Track) -> StaffTrack:
        """The case's staff track: human calls for `Track.HUMAN`, otherwise visits."""
        return self.case.human if track is Track.HUMAN else self.case.visit

    def change_staff_track(self, track: Track, **fields: object) -> None:
        """Changes these fields of the staff track."""
        changed = replace(self.staff_track(track), **fields)  # type: ignore[arg-type]  # as in change
        self.change(**{track.value: changed})

    def schedule(self, track: Track, *, after_seconds: int, reason: Reason) -> None:
        """Schedules the assignment to open later, unless the person is reached before. A time that is earlier already
        stays.
        """
        assignment = self.staff_track(track)
        at = self.now + timedelta(seconds=after_seconds)
        if assignment.state is StaffTrackState.OPEN:
            return
        if assignment.state is StaffTrackState.SCHEDULED and assignment.at and assignment.at <= at:
            return
        if after_seconds == 0:
            self.open_assignment(track, reason)
        else:
            self.change_staff_track(track, state=StaffTrackState.SCHEDULED, at=at, reason=reason)

    def open_assignment(self, track: Track, reason: Reason, *, record_as: Reason | None = None) -> None:
        """Opens the assignment, unless it is open already. An open assignment of a follow-up that has opened the case
        again becomes the case's own and moves up the queue; an open call to the family becomes one to the person.
        `record_as`: the reason to record, if it differs from `reason`.
        """
        assignment = self.staff_track(track)
        if assignment.state is StaffTrackState.OPEN:
            is_other = assignment.reason in {Reason.FOLLOW_UP, Reason.FAMILY_CALL}
            if is_other and self.case.status is CaseStatus.OPEN:
                self.expedite_assignment(track, reason)
            return
        rules = self.grade_policy
        due_at = self.now + timedelta(seconds=rules.due_seconds(track))
        self.change_staff_track(
            track, state=StaffTrackState.OPEN, at=due_at, tries=assignment.tries + 1, reason=reason
        )
        self.effects.append(
            OpenAssignment(
                track=track,
                reason=record_as or reason,
                sign_by=self.now + timedelta(seconds=rules.sign_seconds),
                due_at=due_at,
                feedback_by=self.now + timedelta(seconds=rules.feedback_seconds),
                urgency_at=self.assignment_urgency_at(reason),
            )
        )

    def send_message(self, purpose: MessagePurpose) -> None:
        """Sends a message to the number called last, if the grade's policy has one for this purpose; where no call got
        through also flash messages, if the policy has them. After an opt-out none is sent.
        """
        rules = self.grade_policy
        after_warning = purpose is MessagePurpose.AFTER_WARNING
        wanted = rules.message_after_warning if after_warning else rules.message_when_unreachable
        if wanted and not self.case.opted_out:
            number, channel = self.case.robot.number, rules.message_channel
            self.effects.append(SendMessage(purpose=purpose, number=number, channel=channel))
        if purpose is MessagePurpose.UNREACHABLE and not self.case.opted_out:
            self._send_flashes()

    def _send_flashes(self) -> None:
        """All of them at once, each for its time: a case that is handled meanwhile gets none of those that are left
        (`outbox.may_flash`), whatever handled it.
        """
        rules = self.grade_policy
        every_seconds = rules.flash_every_seconds
        if every_seconds is None:
            return
        for number, purpose in enumerate(FLASHES[: rules.flash_times], start=1):
            self.effects.append(
                SendMessage(
                    purpose=purpose,
                    number=self.case.robot.number,
                    channel=rules.message_channel,
                    after_seconds=number * every_seconds,
                )
            )

    def assignment_urgency_at(self, reason: Reason) -> datetime:
        """The place in the queue: before everything else for a person who asked for an officer, has paid or called us,
        and for a case that a follow-up has opened again. A follow-up itself is queued as if its case were new and of
        the lowest grade.
        """
        if reason is Reason.FOLLOW_UP:
            return self.now
        is_first = reason in WISHES or reason is Reason.CALLED_IN or self.case.reopened
        return self.urgency_at() - (_TOP_OF_QUEUE if is_first else timedelta(0))

    def expedite_assignment(self, track: Track, reason: Reason, *, record_as: Reason | None = None) -> None:
        """Moves an open assignment up the queue for this reason, which replaces its own, except that `ALREADY_PAID`
        stays. `record_as`: as in `open_assignment`.
        """
        if self.staff_track(track).reason in {reason, Reason.ALREADY_PAID}:
            return
        self.change_staff_track(track, reason=reason)
        at = self.assignment_urgency_at(reason)
        self.effects.append(ExpediteAssignment(track=track, reason=record_as or reason, urgency_at=at))

    def open_stop_payment(self, *, unless_known: bool = False) -> None:
        """The person has paid: raises an alarm, and opens a task to ask the bank to stop the payment. `unless_known`:
        only if no such task was opened before.
        """
        self.alarm(AlarmCode.ALREADY_PAID)
        self.effects.append(OpenStopPayment(unless_known=unless_known))

    def ask_person(self, reason: Reason) -> None:
        """Opens a human call now, or a visit if the human call has been made. An assignment that is open already moves
        up the queue if the person asked for it.
        """
        track = Track.VISIT if self.case.human.state is StaffTrackState.DONE else Track.HUMAN
        if reason in WISHES and self.staff_track(track).state is StaffTrackState.OPEN:
            self.expedite_assignment(track, reason)
        else:
            self.open_assignment(track, reason)

    def ensure_person(self, reason: Reason) -> None:
        """Makes sure that an assignment is open: one that is open already, a human call, or, after a failed human call,
        a visit if this grade has one. A visit that is scheduled or done is not opened again.
        """
        human, visit = self.case.human.state, self.case.visit.state
        if StaffTrackState.OPEN in {human, visit}:
            return
        sends_officer = self.grade_policy.visit_when_human_fails and visit is StaffTrackState.NONE
        if human is not StaffTrackState.DONE or sends_officer:
            self.ask_person(reason)

    def withdraw_assignment(self, track: Track, reason: Reason) -> None:
        """Marks the track as done; an open assignment is withdrawn."""
        assignment = self.staff_track(track)
        if assignment.state is StaffTrackState.OPEN:
            self.effects.append(WithdrawAssignment(track=track, reason=reason))
        if assignment.is_pending:
            self.change_staff_track(track, state=StaffTrackState.DONE, at=None, reason=reason)

    # --- ends ------------------------------------------------------------------------------------------------

    def stand_down(self, reason: Reason) -> None:
        """Ends every track, at the carrier too."""
        self.stop_robot(reason)
        self.withdraw_assignment(Track.HUMAN, reason)
        self.withdraw_assignment(Track.VISIT, reason)

    def close(self, outcome: OutcomeKind, reason: Reason) -> None:
        """Ends the case without a success."""
        self.stand_down(reason)
        self.change(status=CaseStatus.CLOSED, outcome=outcome, watch_until=None)

    def succeed(self, outcome: OutcomeKind, reason: Reason) -> None:
        """Ends every track and starts the watch period of a provisional success. The calling code has checked the
        verified contact.
        """
        self.stand_down(reason)
        self.change(status=CaseStatus.WATCHING, outcome=outcome, watch_until=self.now + self.policy.watch())
        rules = self.grade_policy
        self.schedule_follow_up(rules.follow_up_by, after_seconds=rules.follow_up_after_seconds)

    # --- follow-ups ------------------------------------------------------------------------------------------

    def schedule_follow_up(self, way: Track | None, *, after_seconds: int, tries: int = 0) -> None:
        """Plans the follow-up in this way, in the dialling window. If the robot must not or cannot call, the policy's
        next way is used. If the watch period is over by then, or no way is left, no further follow-up is planned.
        """
        case = self.case
        if way is Track.ROBOT and (
            case.opted_out or Tag.MINOR in case.tags or self.follow_up_number() is None
        ):
            way, tries = self.next_follow_up_way(way), 0
        at = self.policy.window.next_open(self.now + timedelta(seconds=after_seconds))
        if way is None or case.watch_until is None or at >= case.watch_until:
            self.change(follow_up=FollowUp())
        else:
            self.change(follow_up=FollowUp(by=way, at=at, tries=tries))

    def next_follow_up_way(self, way: Track | None) -> Track | None:
        """The way that the policy names after this one; None if there is none."""
        rules = self.grade_policy
        is_last = way is not rules.follow_up_by or rules.follow_up_then is way
        return None if is_last else rules.follow_up_then

    def follow_up_number(self) -> int | None:
        """The number that a follow-up calls: the one called last, or the next one if that is dead; None if no number is
        left.
        """
        robot = self.case.robot
        return robot.number if robot.number not in robot.dead_numbers else self.next_number()

    def plan_follow_up_call(self, number: int) -> None:
        """Plans the follow-up's next call, which every grade makes in the dialling window only. It is queued as if its
        case were new and of the lowest grade.
        """
        n = self.case.robot.attempts + 1
        at = self.policy.window.next_open(self.now)
        patience_at = at + timedelta(seconds=self.grade_policy.robot_patience_seconds)
        reason = Reason.FOLLOW_UP
        self.change_robot(
            state=RobotState.PENDING, attempts=n, number=number, at=at, patience_at=patience_at, reason=reason
        )
        self.effects.append(
            PlanAttempt(n=n, number=number, not_before=at, urgency_at=at, windowed=True, reason=reason)
        )

    @property
    def is_followed_up_by_caller(self) -> bool:
        """Whether a follow-up by a caller is under way."""
        case = self.case
        by_caller = case.follow_up.by is Track.HUMAN and case.follow_up.is_under_way
        return case.status is CaseStatus.WATCHING and by_caller

    def reopen(self, *, reported: Track | None = None) -> None:
        """Reverses the success and opens the case again for people. The staff tracks start anew, except `reported`,
        whose report undid the success, and a track that is open, for example after an inbound call.
        """
        self.effects.append(ReverseOutcome(reason=Reason.FOLLOW_UP))
        called_in = (
            self.case.human.state is StaffTrackState.OPEN and self.case.human.reason is Reason.CALLED_IN
        )
        if called_in and self.is_followed_up_by_caller:
            # The follow-up for which the person called us becomes the case's own in the records too.
            at = self.assignment_urgency_at(Reason.CALLED_IN)
            self.effects.append(ExpediteAssignment(track=Track.HUMAN, reason=Reason.CALLED_IN, urgency_at=at))
        for track in (Track.HUMAN, Track.VISIT):
            if track is not reported and self.staff_track(track).state is not StaffTrackState.OPEN:
                self.change(**{track.value: StaffTrack()})
        self.change(
            status=CaseStatus.OPEN, outcome=None, watch_until=None, follow_up=FollowUp(), reopened=True
        )

    # --- the ledger ------------------------------------------------------------------------------------------

    def record(
        self, outcome: OutcomeKind, *, track: Track | None, reason: Reason, contact: Contact | None = None
    ) -> None:
        """Adds a line to the ledger; `contact` is that of this call or visit, by default the case's best."""
        reached = self.case.contact if contact is None else contact
        self.effects.append(RecordOutcome(outcome=outcome, contact=reached, track=track, reason=reason))

    def change_robot(self, **fields: object) -> None:
        """Changes these fields of the robot track."""
        robot: Robot = replace(self.case.robot, **fields)  # type: ignore[arg-type]  # as in change
        self.change(robot=robot)
