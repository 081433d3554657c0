"""The walk through a script: what each key means, and what no sequence of keys can do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.errors import Invalid
from dialer.core.values import Answer, Contact, Tag
from dialer.scripts.answers import Heard
from dialer.scripts.dialogue import Context, Position, Turn, advance, start
from dialer.scripts.model import EndUrgency
from dialer.scripts.reading import shipped_scripts

POLICE = "police_impersonation"


def walk(script_id: str, *keys: str, context: Context | None = None) -> Turn:
    """The turn after these keys; "" is silence."""
    script, context = shipped_scripts()[script_id], context or Context()
    turn = start(script, context)
    for key in keys:
        assert not turn.is_over, f"ended at {turn.node} before {key}"
        turn = advance(script, Position.decode(turn.position.encode()), Heard.keys(key), context)
    return turn


class TestTheGoodPath:
    def test_an_answered_call_is_not_yet_a_contact(self):
        turn = walk(POLICE)
        assert (turn.node, turn.learned.contact, turn.end) == ("identity", Contact.UNVERIFIED, None)

    def test_the_first_thing_said_names_the_bureau_and_stops_the_transfer(self):
        first = walk(POLICE).utterances[0]
        assert first.must_say
        assert "市公安局反诈中心" in first.text
        assert "有人让您转账，不要转，马上挂断他的电话" in first.text

    def test_the_identity_key_verifies(self):
        assert walk(POLICE, "1").learned.contact is Contact.VERIFIED

    def test_yes_then_understood_is_acknowledged_by_a_verified_person(self):
        end = walk(POLICE, "1", "1", "1")
        assert end.end is not None
        assert (end.learned.contact, end.learned.answer, end.end) == (
            Contact.VERIFIED,
            Answer.ACKNOWLEDGED,
            EndUrgency.NONE,
        )

    def test_not_the_owner_ends_the_call_without_verified_contact(self):
        end = walk(POLICE, "2")
        assert end.end is not None
        assert (end.learned.contact, end.learned.answer) == (Contact.UNVERIFIED, Answer.WRONG_PERSON)


class TestOfficers:
    def test_zero_calls_an_officer_from_the_first_question_without_claiming_who_it_was(self):
        turn = walk(POLICE, "0")
        assert turn.hand_over
        assert turn.end is not None
        assert (turn.learned.contact, turn.learned.answer) == (Contact.UNVERIFIED, Answer.WANTS_OFFICER)

    def test_nobody_takes_it_and_the_call_still_ends_as_it_was(self):
        end = walk(POLICE, "1", "0", "")
        assert end.end is not None
        assert (end.learned.contact, end.learned.answer) == (Contact.VERIFIED, Answer.WANTS_OFFICER)

    def test_not_believing_calls_an_officer(self):
        turn = walk(POLICE, "1", "1", "2")
        assert turn.hand_over
        assert turn.learned.answer is Answer.REFUSES

    def test_already_paid_calls_an_officer_and_asks_for_amount_account_and_time_when_none_is_free(self):
        turn = walk(POLICE, "1", "3")
        assert turn.hand_over
        assert turn.learned.answer is Answer.ALREADY_PAID
        asked = walk(POLICE, "1", "3", "")
        assert asked.ask is not None
        assert (asked.ask.num_digits, asked.ask.finish_on_key) == (8, "#")
        facts = [
            walk(POLICE, "1", "3", "", "30000").collected,
            walk(POLICE, "1", "3", "", "30000", "4417").collected,
            walk(POLICE, "1", "3", "", "30000", "4417", "1").collected,
        ]
        assert [(f.name, f.value) for f in facts if f] == [
            ("paid_yuan", "30000"),
            ("payee_account_last4", "4417"),
            ("paid_when", "1"),
        ]
        end = walk(POLICE, "1", "3", "", "30000", "", "1")
        assert end.end is not None
        assert (end.learned.contact, end.learned.answer, end.end) == (
            Contact.VERIFIED,
            Answer.ALREADY_PAID,
            EndUrgency.NOW,
        )

    def test_asking_for_an_officer_later_does_not_hide_that_money_was_paid(self):
        assert walk(POLICE, "1", "3", "", "0").learned.answer is Answer.ALREADY_PAID


class TestSilenceAndWrongKeys:
    @pytest.mark.parametrize("key", ["", "5", "55", "*"])
    def test_asked_twice_more_and_then_doubtful(self, key: str):
        assert [walk(POLICE, *[key] * n).node for n in (1, 2, 3)] == ["identity", "identity", "nobody_said"]
        end = walk(POLICE, key, key, key)
        assert end.end is not None
        assert (end.learned.contact, end.learned.answer) == (Contact.UNVERIFIED, Answer.DOUBTFUL)

    def test_after_verification_the_doubt_is_a_verified_persons(self):
        end = walk(POLICE, "1", "", "", "")
        assert end.end is not None
        assert (end.learned.contact, end.learned.answer) == (Contact.VERIFIED, Answer.DOUBTFUL)

    def test_a_repeat_says_the_warning_again_and_is_bounded(self):
        turn = walk(POLICE, "1", "1", "9")
        assert [u.prompt_id.split(".")[1] for u in turn.utterances] == ["warn", "acknowledge"]
        assert walk(POLICE, "1", "1", "9", "9", "9").end is not None


class TestSpeech:
    def said(self, *heard: Heard) -> Turn:
        script, context = shipped_scripts()[POLICE], Context()
        turn = start(script, context)
        for sound in heard:
            assert turn.ask is not None
            turn = advance(script, turn.position, sound, context)
        return turn

    def test_saying_who_one_is_asks_for_the_key(self):
        turn = self.said(Heard.said("是的，我是"))
        assert turn.node == "identity"
        assert turn.utterances[0].prompt_id == "common.confirm"
        assert turn.learned.contact is Contact.UNVERIFIED

    def test_saying_understood_is_no_success(self):
        turn = self.said(Heard.keys("1"), Heard.keys("1"), Heard.said("明白了"))
        assert turn.end is None
        assert turn.node == "acknowledge"

    def test_saying_already_paid_calls_an_officer_at_once(self):
        turn = self.said(Heard.keys("1"), Heard.said("哎呀，我已经转了三万了", 0.8))
        assert turn.hand_over
        assert turn.learned.answer is Answer.ALREADY_PAID

    def test_not_sure_enough_is_asked_again(self):
        turn = self.said(Heard.keys("1"), Heard.said("我已经转了", 0.3))
        assert turn.node == "scene"
        assert turn.utterances[0].prompt_id == "common.unclear"

    def test_no_is_not_heard_as_yes(self):
        assert self.said(Heard.said("不是")).utterances[0].prompt_id == "common.confirm"
        assert self.said(Heard.said("可是你们")).utterances[0].prompt_id == "common.unclear"


class TestLanguagesAndClips:
    def test_the_listeners_language_is_spoken(self):
        assert (
            walk(POLICE, context=Context(language="en"))
            .utterances[0]
            .text.startswith("This is the robot of the city")
        )

    def test_a_declared_language_without_text_falls_back_to_mandarin(self):
        assert walk(POLICE, context=Context(language="mn")).utterances[0].language == "zh"

    def test_a_centres_recording_is_played_in_its_language(self):
        context = Context(language="mn", recordings={("mn", "common.opening"): "a.wav"})
        assert walk(POLICE, context=context).utterances[0].audio == ("a.wav",)

    def test_a_clip_is_used_only_for_the_very_text_it_says(self):
        text = walk(POLICE).utterances[0].text
        clips = {("zh", text): "b.wav"}
        assert walk(POLICE, context=Context(clips=clips)).utterances[0].audio == ("b.wav",)
        other = Context(clips=clips, variables={"bureau": "临河区反诈中心"})
        assert walk(POLICE, context=other).utterances[0].audio is None
        assert "临河区反诈中心" in walk(POLICE, context=other).utterances[0].text


class TestPositions:
    @pytest.mark.parametrize(
        "segment", ["", "scene", "scene.x.verified.none", "scene.0.sure.none", "../a.0.none.none"]
    )
    def test_what_we_did_not_write_is_refused(self, segment: str):
        with pytest.raises(Invalid):
            Position.decode(segment)

    def test_a_node_that_waits_for_nothing_is_refused(self):
        with pytest.raises(Invalid):
            advance(shipped_scripts()[POLICE], Position(node="goodbye"), Heard.silence(), Context())


heard = st.one_of(
    st.sampled_from("0123456789*").map(Heard.keys),
    st.just(Heard.silence()),
    st.text("0123456789", min_size=2, max_size=9).map(Heard.keys),
    st.builds(
        Heard.said,
        st.sampled_from(["是我", "明白了", "不是", "我已经转了", "不信", "转人工", "嗯", "yes"]),
        st.floats(0, 1),
    ),
)


@given(
    script_id=st.sampled_from(sorted(shipped_scripts())),
    tags=st.frozensets(st.sampled_from(Tag)),
    language=st.sampled_from(["zh", "en", "mn", "xx"]),
    sounds=st.lists(heard, min_size=40, max_size=40),
)
def test_whatever_is_heard_the_call_ends_soon_and_claims_nothing_unearned(
    script_id: str, tags: frozenset[Tag], language: str, sounds: list[Heard]
):
    script, context = shipped_scripts()[script_id], Context(tags=tags, language=language)
    turn, keys_one, keys, paid = start(script, context), 0, 0, False
    for sound in sounds:
        if turn.is_over:
            break
        position = turn.position
        assert len(position.encode()) < 100
        node = script.nodes[position.node]
        turn = advance(script, Position.decode(position.encode()), sound, context)
        keys += bool(sound.digits)
        keys_one += sound.digits == "1"
        paid = paid or turn.learned.answer is Answer.ALREADY_PAID
        if turn.learned.contact is Contact.VERIFIED:
            assert keys_one >= 1, "verified without a key"
        if turn.learned.answer in {Answer.ACKNOWLEDGED, Answer.SAW_THROUGH}:
            assert sound.digits, f"a success at {node.id} without a key"
            assert turn.learned.contact is Contact.VERIFIED
            assert keys >= 2, "one key for the identity, one for the answer"
        assert not paid or turn.learned.answer is Answer.ALREADY_PAID
        assert all(u.text and "{" not in u.text for u in turn.utterances)
    assert turn.ask is None, "still asking after forty answers"
    assert turn.end is not None
