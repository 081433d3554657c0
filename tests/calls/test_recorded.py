"""The opening of a call that is recorded says so, and no other call does."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from dialer.calls.dial import prepare_sending
from dialer.core.policy import from_plain, to_plain
from dialer.core.reach import Hearing
from dialer.core.values import Grade
from dialer.db import tables as t
from dialer.scripts.reading import shipped_scripts
from tests.calls.conversation import PhoneCall
from tests.calls.test_language import offering, spoken
from tests.control.scene import Scene
from tests.core.samples import POLICY

QUESTION = [("recorded", "zh"), ("caution", "zh"), ("identity", "zh")]


def recorded(scene: Scene) -> PhoneCall:
    """A call that was sent as one that is recorded, and is answered."""
    call = PhoneCall(scene)
    scene.do(sa.update(t.attempt).where(t.attempt.c.id == call.attempt_id).values(records=True))
    return call.answered()


def test_it_is_said_in_place_of_the_opening_and_cannot_be_cut_off(scene: Scene):
    call = recorded(scene)
    assert spoken(call) == QUESTION
    assert call.turn is not None
    assert call.turn.ask is not None
    assert call.turn.ask.uninterrupted == 3
    assert [utterance.audio is not None for utterance in call.turn.utterances] == [True] * 3
    assert [utterance.must_say for utterance in call.turn.utterances] == [True, True, False]


def test_a_call_that_is_not_recorded_does_not_say_so(scene: Scene):
    assert ("recorded", "zh") not in spoken(PhoneCall(scene).answered())


def test_it_is_said_once_and_the_call_ends_as_any_other(scene: Scene):
    call = recorded(scene).presses("9")
    assert "recorded" not in {name for name, _ in spoken(call)}, "the question is only repeated"
    row = call.presses("1", "1", "1").after(30).ends()
    assert (row["answer"], row["contact"]) == ("acknowledged", "verified")


def test_it_is_part_of_the_warning_that_a_person_must_have_heard(scene: Scene):
    call = recorded(scene).listens()
    warned = Hearing.of(call.row()["hearing"]).turn
    assert [one.must_say for one in warned] == [True, True, False]
    seconds = warned[0].seconds
    assert call.after(60).ends(seconds=int(seconds) + 1)["reach"] == "hung_up_early"


def test_who_hears_it_and_the_caution_and_presses_nothing_was_warned(scene: Scene):
    row = recorded(scene).listens().after(60).ends(seconds=60)
    assert row["reach"] != "hung_up_early"


def test_who_chooses_another_language_hears_it_in_that_one(scene: Scene):
    call = recorded(offering(scene, "en")).presses("8", at_once=True)
    assert spoken(call)[:3] == [(name, "en") for name, _ in QUESTION]


def test_the_policy_of_the_case_decides_and_only_a_script_with_the_words_is_recorded(scene: Scene):
    scene.open_case(grade=Grade.HIGH)
    (claimed,) = scene.claim()
    choice = scene.services.rendered_scripts.now(scene.services.real.now())
    grades = {
        grade: replace(rules, record_calls=grade is Grade.HIGH) for grade, rules in POLICY.grades.items()
    }
    wanted = replace(POLICY, grades=grades)
    assert prepare_sending(choice, claimed, policy=wanted).records
    assert not prepare_sending(choice, claimed, policy=POLICY).records
    assert not prepare_sending(choice, replace(claimed, grade=Grade.LOW), policy=wanted).records
    silent = replace(
        choice,
        live={
            name: replace(one, script=replace(one.script, recorded=None)) for name, one in choice.live.items()
        },
    )
    assert not prepare_sending(silent, claimed, policy=wanted).records


def test_policies_from_before_there_were_recordings_record_nothing():
    plain = to_plain(POLICY)
    for rules in plain["grades"].values():
        del rules["record_calls"]
    assert not any(rules.record_calls for rules in from_plain(plain, version=1).grades.values())


def test_every_shipped_script_has_the_words_in_both_languages():
    for script in shipped_scripts().values():
        assert script.recorded is not None
        assert script.recorded.texts.keys() == {"zh", "en"}, script.id
