"""Every end of a ring: its own result, its own next step, and never a success that was not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.case import CaseStatus, Reason, RobotState, StaffTrackState
from dialer.core.events import (
    AttemptEnded,
    OpenAssignment,
    PlanAttempt,
    RecordOutcome,
)
from dialer.core.reach import NO_CONTACT, Conversation, Reach, contact_of_reach, heard_seconds, reach_of
from dialer.core.values import SUCCESSES, Answer, Contact, Grade, TelephonyResult, Track
from tests.core.samples import POLICY, Story, has_next_step, started

T = TelephonyResult

talks = st.builds(
    Conversation,
    contact=st.sampled_from(Contact),
    answer=st.sampled_from(Answer),
    spoke=st.booleans(),
    warned=st.booleans(),
)


def told(grade: Grade, result: TelephonyResult, talk: Conversation) -> tuple[Story, Reach]:
    """The first ring of a case ended so."""
    reach = reach_of(result, talk)
    event = AttemptEnded(n=1, result=result, contact=contact_of_reach(reach), answer=talk.answer, reach=reach)
    return started(grade, numbers=2).tell(event, after=60), reach


@given(st.sampled_from(Grade), st.sampled_from(TelephonyResult), talks)
def test_success_needs_the_right_person_the_whole_warning_and_an_answer(
    grade: Grade, result: TelephonyResult, talk: Conversation
):
    story, reach = told(grade, result, talk)
    succeeded = story.case.status is CaseStatus.WATCHING
    assert succeeded == (
        result is T.ANSWERED
        and talk.contact is Contact.VERIFIED
        and talk.spoke
        and talk.warned
        and talk.answer in {Answer.ACKNOWLEDGED, Answer.SAW_THROUGH}
    )
    assert succeeded == (reach is Reach.VERIFIED and bool(successes(story)))


def successes(story: Story) -> list[RecordOutcome]:
    return [record for record in story.of(RecordOutcome) if record.outcome in SUCCESSES]


@given(st.sampled_from(Grade), st.sampled_from(TelephonyResult), talks)
def test_no_machine_no_forwarding_and_no_early_end_is_ever_a_contact(
    grade: Grade, result: TelephonyResult, talk: Conversation
):
    story, reach = told(grade, result, talk)
    if reach in NO_CONTACT:
        assert contact_of_reach(reach) is Contact.NONE
        assert story.case.contact is Contact.NONE
        assert all(record.contact is not Contact.VERIFIED for record in story.of(RecordOutcome))
    if reach is not Reach.VERIFIED:
        assert story.case.contact is not Contact.VERIFIED


@given(st.sampled_from(Grade), st.sampled_from(TelephonyResult), talks)
def test_every_end_has_a_next_step_or_a_recorded_end(
    grade: Grade, result: TelephonyResult, talk: Conversation
):
    story, _ = told(grade, result, talk)
    assert has_next_step(story.case)
    if story.case.status is CaseStatus.CLOSED:
        assert story.of(RecordOutcome)
    elif story.case.status is CaseStatus.OPEN:
        waits = story.case.human.is_pending or story.case.visit.is_pending
        assert waits or story.case.robot.state is RobotState.PENDING


@given(st.sampled_from(TelephonyResult), talks)
def test_a_high_grade_that_was_not_reached_always_has_a_person_or_another_ring(
    result: TelephonyResult, talk: Conversation
):
    story, reach = told(Grade.HIGH, result, talk)
    if reach in {Reach.MACHINE, Reach.FORWARDED, Reach.HUNG_UP_EARLY, Reach.SILENT}:
        assert story.case.status is CaseStatus.OPEN
        assert StaffTrackState.OPEN in {story.case.human.state, story.case.visit.state}


@pytest.mark.parametrize(
    ("result", "talk", "reach"),
    [
        (T.NO_ANSWER, Conversation(), Reach.NOBODY),
        (T.UNKNOWN, Conversation(contact=Contact.VERIFIED, spoke=True), Reach.NOBODY),
        (T.MACHINE, Conversation(warned=True), Reach.MACHINE),
        (
            T.FORWARDED,
            Conversation(contact=Contact.VERIFIED, answer=Answer.ACKNOWLEDGED, spoke=True, warned=True),
            Reach.FORWARDED,
        ),
        (T.ANSWERED, Conversation(), Reach.HUNG_UP_EARLY),
        (
            T.ANSWERED,
            Conversation(contact=Contact.VERIFIED, spoke=True),
            Reach.HUNG_UP_EARLY,
        ),
        (T.ANSWERED, Conversation(warned=True), Reach.SILENT),
        (
            T.ANSWERED,
            Conversation(answer=Answer.WRONG_PERSON, spoke=True),
            Reach.WRONG_PERSON,
        ),
        (
            T.ANSWERED,
            Conversation(contact=Contact.UNVERIFIED, spoke=True, warned=True),
            Reach.UNVERIFIED,
        ),
        (
            T.ANSWERED,
            Conversation(contact=Contact.VERIFIED, spoke=True, warned=True),
            Reach.VERIFIED,
        ),
    ],
)
def test_each_end_of_a_ring_is_its_own_result(result: TelephonyResult, talk: Conversation, reach: Reach):
    assert reach_of(result, talk) is reach


@pytest.mark.parametrize("grade", Grade)
@pytest.mark.parametrize("spoke", [False, True])
def test_a_call_that_our_crash_cut_off_is_no_doing_of_the_person_s(grade: Grade, spoke: bool):
    """It counted as hung up early: a try was used up, and on a high grade a caller was set on the person."""
    story, reach = told(grade, T.ANSWERED, Conversation(cut_off=True, spoke=spoke))
    assert reach is Reach.CUT_OFF
    assert contact_of_reach(reach) is Contact.NONE
    assert story.only(PlanAttempt).reason is Reason.OWN_FAULT
    assert (story.case.robot.tries, story.case.robot.own_faults) == (0, 1)
    assert not story.of(OpenAssignment)


def test_a_warned_person_who_had_spoken_before_our_crash_was_reached():
    said = Conversation(contact=Contact.VERIFIED, spoke=True, warned=True, cut_off=True)
    assert reach_of(T.ANSWERED, said) is Reach.VERIFIED


@pytest.mark.parametrize("grade", Grade)
def test_hung_up_early_rings_again_and_a_high_grade_has_a_person_at_once(grade: Grade):
    story, _ = told(grade, T.ANSWERED, Conversation())
    assert story.only(PlanAttempt).reason is Reason.HUNG_UP_EARLY
    assert story.case.robot.tries == 1
    if grade is Grade.HIGH:
        opened = story.only(OpenAssignment)
        assert (opened.track, opened.reason) == (Track.HUMAN, Reason.HUNG_UP_EARLY)
    if not grade.is_high:
        assert not story.of(OpenAssignment)


def test_hung_up_early_on_the_last_try_goes_to_a_person():
    early = Conversation()
    story, reach = told(Grade.MEDIUM, T.ANSWERED, early)
    for n in range(2, POLICY.of(Grade.MEDIUM).robot_tries + 1):
        story.tell(AttemptEnded(n=n, result=T.ANSWERED, contact=Contact.NONE, reach=reach), after=60)
    assert story.case.human.state is StaffTrackState.OPEN
    assert story.case.contact is Contact.NONE


@pytest.mark.parametrize("grade", [Grade.EXTRA_HIGH, Grade.HIGH, Grade.MEDIUM])
def test_silence_all_the_time_goes_to_a_person_and_is_not_rung_again(grade: Grade):
    story, _ = told(grade, T.ANSWERED, Conversation(warned=True))
    assert story.case.human.state is StaffTrackState.OPEN
    assert not story.of(PlanAttempt)
    assert story.case.contact is Contact.UNVERIFIED


def test_silence_on_a_low_grade_is_rung_again_before_a_sample_is_taken():
    story, _ = told(Grade.LOW, T.ANSWERED, Conversation(warned=True))
    assert story.only(PlanAttempt).reason is Reason.SILENT


def test_a_wish_spoken_at_a_forwarded_telephone_is_served_and_still_no_contact():
    talk = Conversation(contact=Contact.VERIFIED, answer=Answer.WANTS_OFFICER, spoke=True, warned=True)
    story, reach = told(Grade.MEDIUM, T.FORWARDED, talk)
    assert reach is Reach.FORWARDED
    assert story.case.contact is Contact.NONE
    assert story.case.human.state is StaffTrackState.OPEN


@given(st.none() | st.floats(0, 600), st.floats(0, 600))
def test_nobody_heard_more_than_the_line_stood_or_was_played(elapsed: float | None, played: float):
    heard = heard_seconds(elapsed_seconds=elapsed, played_seconds=played)
    if elapsed is None:
        assert heard is None
    else:
        assert heard == int(min(elapsed, played))


def test_a_clock_that_went_back_is_no_negative_hearing():
    assert heard_seconds(elapsed_seconds=-3.0, played_seconds=9.0) == 0
