"""When a message is wanted: where the voice did not get through, and after a verified warning; by grade."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.case import CaseStatus
from dialer.core.events import AttemptEnded, OptedOut, SendMessage
from dialer.core.outbox import may_flash
from dialer.core.policy import from_plain, to_plain
from dialer.core.reach import Reach
from dialer.core.values import FLASHES, Answer, Contact, Grade, MessagePurpose, TelephonyResult
from tests.core.samples import POLICY, Story, answered, ended, started

T = TelephonyResult
P = MessagePurpose
TALKATIVE = replace(
    POLICY,
    grades={
        grade: replace(rules, message_when_unreachable=True, message_after_warning=True)
        for grade, rules in POLICY.grades.items()
    },
)


def purposes(story: Story) -> list[MessagePurpose]:
    return [effect.purpose for effect in story.of(SendMessage)]


@pytest.mark.parametrize("grade", Grade)
@pytest.mark.parametrize("result", [T.NO_ANSWER, T.REJECTED, T.POWERED_OFF, T.MACHINE, T.FORWARDED])
def test_the_voice_did_not_get_through(grade: Grade, result: TelephonyResult):
    assert purposes(started(grade, policy=TALKATIVE).tell(ended(1, result))) == [P.UNREACHABLE]


@pytest.mark.parametrize("grade", Grade)
def test_busy_is_a_reason_on_a_high_grade_alone(grade: Grade):
    story = started(grade, policy=TALKATIVE).tell(ended(1, T.BUSY))
    assert purposes(story) == ([P.UNREACHABLE] if grade.is_high else [])


@pytest.mark.parametrize("result", [T.INVALID_NUMBER, T.BLOCKED, T.CANCELED, T.UNKNOWN])
def test_a_dead_number_and_a_fault_of_ours_are_no_reason(result: TelephonyResult):
    assert purposes(started(policy=TALKATIVE).tell(ended(1, result))) == []


@pytest.mark.parametrize("answer", [Answer.ACKNOWLEDGED, Answer.SAW_THROUGH, Answer.DOUBTFUL])
def test_after_a_verified_warning(answer: Answer):
    assert purposes(started(policy=TALKATIVE).tell(answered(1, answer))) == [P.AFTER_WARNING]


@pytest.mark.parametrize("contact", [Contact.NONE, Contact.UNVERIFIED])
def test_not_after_one_that_was_not_verified(contact: Contact):
    story = started(policy=TALKATIVE).tell(answered(1, Answer.ACKNOWLEDGED, contact))
    assert purposes(story) == []


@pytest.mark.parametrize("reach", [Reach.SILENT, Reach.HUNG_UP_EARLY])
def test_who_says_nothing_may_read_who_hung_up_is_rung_again(reach: Reach):
    event = AttemptEnded(n=1, result=T.ANSWERED, contact=Contact.UNVERIFIED, reach=reach)
    story = started(policy=TALKATIVE).tell(event)
    assert purposes(story) == ([P.UNREACHABLE] if reach is Reach.SILENT else [])


def test_who_cannot_hear_reads():
    story = started(policy=TALKATIVE).tell(answered(1, Answer.LANGUAGE_OR_HEARING))
    assert purposes(story) == [P.UNREACHABLE]


def test_it_goes_to_the_number_that_was_rung():
    story = started(policy=TALKATIVE, numbers=2).tell(ended(1, T.NO_ANSWER)).tell(ended(2, T.NO_ANSWER))
    assert story.only(SendMessage).number == 1


@pytest.mark.parametrize("grade", Grade)
def test_a_grade_that_wants_none_sends_none(grade: Grade):
    assert purposes(started(grade).tell(ended(1, T.NO_ANSWER))) == []
    assert purposes(started(grade).tell(answered(1, Answer.ACKNOWLEDGED))) == []


def test_nobody_who_opted_out_gets_one():
    story = started(policy=TALKATIVE).tell(OptedOut())
    assert story.case.opted_out
    story.tell(ended(1, T.NO_ANSWER))
    assert purposes(story) == []


def test_a_message_needs_no_record_of_the_case():
    plain = started().tell(answered(1, Answer.ACKNOWLEDGED)).case
    with_message = started(policy=TALKATIVE).tell(answered(1, Answer.ACKNOWLEDGED)).case
    assert plain == with_message
    assert plain.status is CaseStatus.WATCHING


EVERY = 1800
FLASHING = replace(
    POLICY,
    grades={
        grade: replace(rules, message_when_unreachable=True, flash_every_seconds=EVERY, flash_times=3)
        for grade, rules in POLICY.grades.items()
    },
)


def test_flash_messages_follow_a_call_that_did_not_get_through():
    sent = started(policy=FLASHING).tell(ended(1, T.NO_ANSWER)).of(SendMessage)
    assert [(one.purpose, one.after_seconds) for one in sent] == [
        (P.UNREACHABLE, 0),
        (P.FLASH_1, EVERY),
        (P.FLASH_2, 2 * EVERY),
        (P.FLASH_3, 3 * EVERY),
    ]


def test_flash_messages_need_no_ordinary_one_and_no_opt_out():
    rules = {
        grade: replace(rules, message_when_unreachable=False) for grade, rules in FLASHING.grades.items()
    }
    alone = replace(FLASHING, grades=rules)
    assert purposes(started(policy=alone).tell(ended(1, T.NO_ANSWER))) == list(FLASHES[:3])
    story = started(policy=alone).tell(OptedOut())
    assert purposes(story) == []
    assert not set(FLASHES) & set(purposes(started(policy=TALKATIVE).tell(ended(1, T.NO_ANSWER))))


def test_a_warned_person_gets_none():
    told = purposes(started(policy=FLASHING).tell(answered(1, Answer.ACKNOWLEDGED)))
    assert not set(FLASHES) & set(told)


@given(st.sampled_from(CaseStatus), st.sampled_from(Contact), st.booleans())
def test_a_flash_message_goes_while_the_case_is_open_and_nobody_was_reached(
    status: CaseStatus, contact: Contact, refused: bool
):
    wanted = status is CaseStatus.OPEN and contact in {Contact.NONE, Contact.UNVERIFIED} and not refused
    assert may_flash(status, contact, opted_out=refused) is wanted


def test_a_policy_stored_before_has_none():
    plain = to_plain(FLASHING)
    for rules in plain["grades"].values():
        del rules["flash_every_seconds"], rules["flash_times"]
    assert from_plain(plain, version=1).of(Grade.HIGH).flash_every_seconds is None
    assert from_plain(to_plain(FLASHING), version=1).of(Grade.HIGH).flash_every_seconds == EVERY
