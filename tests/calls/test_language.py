"""A caller who does not understand the call hears it in the other language by key 8, webhook by webhook."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dialer.core.case import CaseStatus
from dialer.core.reach import Hearing
from dialer.scripts.dialogue import Position
from dialer.scripts.rendered import shipped_manifest
from tests.calls.conversation import PhoneCall
from tests.control.scene import Scene


@pytest.fixture
def scene(scene: Scene) -> Scene:
    """Of a centre that offers English."""
    return offering(scene, "en")


def offering(scene: Scene, *languages: str) -> Scene:
    scene.services = replace(scene.services, centre=replace(scene.services.centre, languages=languages))
    return scene


def spoken(call: PhoneCall) -> list[tuple[str, str]]:
    assert call.turn is not None
    return [(utterance.prompt_id.partition(".")[2], utterance.language) for utterance in call.turn.utterances]


CHINESE = [("opening", "zh"), ("caution", "zh"), ("identity", "zh"), ("other_language", "en")]
ENGLISH = [("opening", "en"), ("caution", "en"), ("identity", "en"), ("other_language", "zh")]


def test_english_is_offered_in_english_after_the_first_question_where_a_key_may_cut_it_off(scene: Scene):
    call = PhoneCall(scene).answered()
    assert spoken(call) == CHINESE
    assert call.turn is not None
    assert call.turn.ask is not None
    assert (call.turn.ask.uninterrupted, call.turn.ask.language) == (3, "zh")
    assert [utterance.audio is not None for utterance in call.turn.utterances] == [True] * 4


def test_the_key_says_the_warning_from_its_start_in_english_and_the_call_goes_on_in_it(scene: Scene):
    call = PhoneCall(scene).answered().presses("8", at_once=True)
    assert spoken(call) == ENGLISH
    call.presses("1", "2")
    assert {language for _, language in spoken(call)} == {"en"}
    assert "other_language" not in {name for name, _ in spoken(call)}
    row = call.presses("1").after(30).ends()
    assert (row["answer"], row["reach"], row["contact"]) == ("acknowledged", "verified", "verified")
    assert scene.case_of(call.case_id).status is CaseStatus.WATCHING
    heard = Hearing.of(row["hearing"])
    assert not heard.missed
    assert {prompt.language for prompt in heard.prompts if prompt.must_say and prompt.is_whole} == {"en"}
    english = {
        clip.prompt_id: clip.duration_seconds
        for clip in shipped_manifest().clips
        if clip.language == "en" and not clip.slow and clip.prompt_id == "loan.warn"
    }
    assert (
        next(prompt.seconds for prompt in heard.prompts if prompt.id == "loan.warn") == english["loan.warn"]
    )


def test_what_was_heard_before_the_key_was_heard_in_the_call_s_own_language(scene: Scene):
    call = PhoneCall(scene).answered().listens().presses("8")
    row = call.after(1).ends()
    heard = {(prompt.id, prompt.language): prompt for prompt in Hearing.of(row["hearing"]).prompts}
    assert heard["common.opening", ""].is_whole
    assert not heard["common.opening", "en"].is_whole
    assert (row["reach"], row["contact"]) == ("unverified", "unverified")


def test_a_key_that_cuts_the_warning_off_in_both_languages_reached_nobody(scene: Scene):
    row = PhoneCall(scene).answered().after(3).presses("8", at_once=True).after(3).ends()
    assert (row["reach"], row["contact"]) == ("hung_up_early", "none")


def test_the_key_leads_back_to_the_call_s_own_language(scene: Scene):
    call = PhoneCall(scene).answered().presses("8", "8")
    assert spoken(call) == CHINESE
    assert Hearing.of(call.row()["hearing"]).turn[0].language == ""


def test_a_call_whose_key_is_pressed_again_and_again_ends_and_needs_a_person(scene: Scene):
    call = PhoneCall(scene).answered()
    for _ in range(10):
        assert call.turn is not None
        if call.turn.is_over:
            break
        call.presses("8")
    row = call.after(30).ends()
    assert row["last_node"] == "nobody_said"
    assert scene.case_of(call.case_id).status is CaseStatus.OPEN


def test_without_the_setting_nothing_is_offered_and_the_key_means_nothing(scene: Scene):
    call = PhoneCall(offering(scene)).answered()
    assert spoken(call) == CHINESE[:-1]
    call.presses("8")
    assert spoken(call) == [("wrong_key", "zh"), ("identity", "zh")]
    assert all(len(one) == 3 for one in call.row()["hearing"]["turn"])


def test_a_language_without_all_of_its_sound_is_not_offered(scene: Scene):
    assert spoken(PhoneCall(offering(scene, "mn")).answered()) == CHINESE[:-1]
    assert spoken(PhoneCall(offering(scene, "mn", "en")).answered()) == CHINESE


def test_a_call_goes_on_in_its_language_when_the_offer_ends_meanwhile(scene: Scene):
    call = PhoneCall(scene).answered().presses("8")
    offering(scene)
    call.presses("1")
    assert {language for _, language in spoken(call)} == {"en"}


def test_a_position_from_before_there_was_a_choice_goes_on_in_the_call_s_own_language(scene: Scene):
    call = PhoneCall(scene).answered().listens()
    assert call.turn is not None
    call.turn = replace(call.turn, position=Position.decode("identity.0.unverified.none"))
    call.presses("1", at_once=True)
    assert [language for _, language in spoken(call)] == ["zh"]
