"""What the rows say of a ring after its end: whom it reached, what they heard, and what comes next."""

from __future__ import annotations

import pytest

from dialer.core.case import CaseStatus, Reason, StaffTrackState
from dialer.core.reach import Hearing
from dialer.core.values import Contact, Grade, TelephonyResult
from tests.calls.conversation import PhoneCall
from tests.control.scene import Scene


def test_a_three_second_pick_up_is_answered_and_nobody_was_reached(scene: Scene):
    ring = PhoneCall(scene)
    row = ring.answered().after(3).ends(seconds=3)
    assert (row["result"], row["reach"], row["contact"]) == ("answered", "hung_up_early", "none")
    assert (row["heard_seconds"], row["last_node"]) == (3, "identity")
    assert scene.case_of(ring.case_id).contact is Contact.NONE
    assert scene.attempt_of(ring.case_id)["reason"] == Reason.HUNG_UP_EARLY.value


def test_a_call_that_our_crash_cut_off_is_called_again_without_a_try_used_up(scene: Scene):
    ring = PhoneCall(scene)
    row = ring.answered().after(3).ends(cut_off=True)
    assert (row["result"], row["reach"], row["contact"]) == ("answered", "cut_off", "none")
    robot = scene.case_of(ring.case_id).robot
    assert (robot.tries, robot.own_faults) == (0, 1)
    assert scene.attempt_of(ring.case_id)["reason"] == Reason.OWN_FAULT.value


def test_keys_pressed_before_the_questions_were_heard_are_no_success(scene: Scene):
    ring = PhoneCall(scene)
    row = ring.answered().presses("1", "1", "1", at_once=True).after(1).ends()
    assert (row["reach"], row["contact"]) == ("hung_up_early", "none")
    assert row["answer"] != "acknowledged"
    assert scene.case_of(ring.case_id).status is CaseStatus.OPEN


def test_the_same_keys_after_the_questions_are_a_success(scene: Scene):
    ring = PhoneCall(scene)
    row = ring.answered().presses("1", "1", "1").after(30).ends()
    assert (row["answer"], row["reach"], row["contact"]) == ("acknowledged", "verified", "verified")
    assert scene.case_of(ring.case_id).status is CaseStatus.WATCHING
    heard = Hearing.of(row["hearing"])
    assert not heard.missed
    assert {prompt.id.partition(".")[2] for prompt in heard.prompts} >= {
        "opening",
        "identity",
        "warn",
        "acknowledge",
    }


def test_the_carrier_s_seconds_are_rounded_up_and_the_last_is_not_taken_for_heard(scene: Scene):
    ring = PhoneCall(scene).answered().listens()
    warned = Hearing.of(ring.row()["hearing"]).turn
    opening = sum(one.seconds for one in warned if one.must_say)
    row = ring.after(60).ends(seconds=int(opening) + 1)
    assert row["reach"] == "hung_up_early"


def test_what_the_carrier_could_not_play_was_not_heard(scene: Scene):
    """The wait for a key counted as the time of the prompt that was missing, and the person as warned."""
    ring = PhoneCall(scene).answered().listens()
    ring.unplayed = True
    row = ring.ends(seconds=60)
    assert (row["result"], row["reach"], row["heard_seconds"]) == ("answered", "hung_up_early", 0)
    assert Hearing.of(row["hearing"]).missed


def test_a_turn_that_the_carrier_could_not_play_is_not_heard_whatever_is_pressed_after_it(scene: Scene):
    ring = PhoneCall(scene).answered()
    ring.unplayed = True
    ring.presses("1", "1")
    assert not any(prompt.heard for prompt in Hearing.of(ring.row()["hearing"]).prompts)
    ring.unplayed = False
    row = ring.ends(seconds=60)
    assert row["reach"] == "hung_up_early"


@pytest.mark.parametrize("says_so", ["talk", "status"])
def test_a_call_that_the_carrier_calls_forwarded_is_no_contact(scene: Scene, says_so: str):
    ring = PhoneCall(scene, grade=Grade.HIGH, forwarded=says_so == "talk")
    row = ring.answered().presses("1", "2", "1").after(30).ends(forwarded=says_so == "status")
    assert (row["result"], row["reach"], row["contact"]) == ("forwarded", "forwarded", "none")
    assert scene.case_of(ring.case_id).status is CaseStatus.OPEN


def test_a_repeated_request_says_the_turn_again_and_counts_nothing_as_heard(scene: Scene):
    """The answer to a request was lost; the carrier asks again after a minute."""
    ring = PhoneCall(scene).answered().presses("1")
    before = ring.row()["hearing"]
    ring.after(60).repeats()
    assert ring.row()["hearing"] == before
    assert ring.turn is not None
    assert ring.turn.position.sent_at == scene.clock.now()


def test_silence_throughout_is_its_own_result_and_opens_a_human_call(scene: Scene):
    ring = PhoneCall(scene)
    row = ring.answered().presses("", "", "").after(20).ends()
    assert (row["reach"], row["contact"], row["last_node"]) == ("silent", "unverified", "nobody_said")
    case = scene.case_of(ring.case_id)
    assert (case.human.state, case.human.reason) == (StaffTrackState.OPEN, Reason.SILENT)


def test_wrong_keys_are_no_silence(scene: Scene):
    ring = PhoneCall(scene)
    row = ring.answered().presses("5", "6", "7").after(10).ends()
    assert row["reach"] == "unverified"


def test_the_seconds_played_before_a_machine_was_detected_are_kept(scene: Scene):
    ring = PhoneCall(scene)
    ring.answered().after(4).machine().after(40)
    row = ring.ends(TelephonyResult.ANSWERED, seconds=44)
    assert (row["result"], row["reach"], row["contact"]) == ("machine", "machine", "none")
    assert row["heard_seconds"] == 4


def test_heard_seconds_never_exceed_what_was_played(scene: Scene):
    row = PhoneCall(scene).answered().after(300).ends(seconds=300)
    assert row["heard_seconds"] < 30


def test_all_the_right_keys_at_a_forwarded_telephone_are_no_contact(scene: Scene):
    ring = PhoneCall(scene, grade=Grade.HIGH)
    row = ring.answered().presses("1", "2", "1").after(30).ends(TelephonyResult.FORWARDED)
    assert (row["result"], row["reach"], row["contact"]) == ("forwarded", "forwarded", "none")
    case = scene.case_of(ring.case_id)
    assert case.status is CaseStatus.OPEN
    assert case.contact is Contact.NONE
    assert StaffTrackState.OPEN in {case.human.state, case.visit.state}


def test_the_wrong_person_is_never_a_contact_of_the_right_one(scene: Scene):
    ring = PhoneCall(scene)
    row = ring.answered().presses("2").after(6).ends()
    assert (row["reach"], row["contact"]) == ("wrong_person", "unverified")


def test_an_unanswered_call_reached_nobody(scene: Scene):
    row = PhoneCall(scene).after(30).ends(TelephonyResult.NO_ANSWER)
    assert (row["reach"], row["contact"]) == ("nobody", "none")


def test_without_the_carrier_s_duration_our_own_clock_counts(scene: Scene):
    row = PhoneCall(scene).answered().after(5).ends()
    assert (row["heard_seconds"], row["reach"]) == (5, "hung_up_early")


def test_the_right_person_who_hangs_up_without_an_answer_is_called_again(scene: Scene):
    ring = PhoneCall(scene)
    row = ring.answered().presses("1").after(5).ends()
    assert (row["reach"], row["contact"], row["answer"]) == ("verified", "verified", "none")
    assert scene.attempt_of(ring.case_id)["reason"] == Reason.LEFT_UNANSWERED.value
