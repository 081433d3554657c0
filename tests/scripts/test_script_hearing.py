"""What was heard against what it means: keys beat words, long phrases beat short ones, doubt is asked again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.reach import HeardPrompt, Hearing
from dialer.core.values import Tag
from dialer.scripts.answers import SURE_ENOUGH, Heard, Understood, interpret_answer, normalise_speech
from dialer.scripts.dialogue import Context, Position, advance, start
from dialer.scripts.model import Ask, Target
from dialer.scripts.reading import shipped_scripts

GENERAL = shipped_scripts()["general"]


def ask(node: str, script_id: str = "general") -> Ask:
    found = shipped_scripts()[script_id].nodes[node]
    assert isinstance(found, Ask)
    return found


def understood(node: str, heard: Heard, *voices: str, script_id: str = "general") -> Understood:
    return interpret_answer(shipped_scripts()[script_id], ask(node, script_id), heard, voices or ("zh",))


def key_of(node: str, heard: Heard, *voices: str, script_id: str = "general") -> str:
    choice = understood(node, heard, *voices, script_id=script_id).choice
    return choice.key if choice else ""


class TestKeys:
    @pytest.mark.parametrize("key", ["1", "2", "3", "0", "9"])
    def test_a_key_that_is_offered_is_taken(self, key: str):
        assert key_of("scene", Heard.keys(key)) == key

    @pytest.mark.parametrize("key", ["4", "5", "*", "12", "11", "1*"])
    def test_any_other_means_nothing(self, key: str):
        assert understood("scene", Heard.keys(key)) == Understood()

    def test_the_hash_that_closes_digits_is_no_digit(self):
        assert key_of("scene", Heard.keys("1#")) == "1"

    def test_a_key_beats_what_was_said_at_the_same_time(self):
        assert key_of("scene", Heard(digits="2", speech="我已经转了")) == "2"

    def test_a_questions_own_key_beats_the_one_that_works_anywhere(self):
        own = GENERAL.anywhere["0"]
        assert own.next == "officer"
        again = GENERAL.anywhere["9"]
        assert again.next == Target.REPEAT


class TestKeysSpoken:
    @pytest.mark.parametrize(
        ("said", "key"),
        [
            ("一", "1"),
            ("按一", "1"),
            ("按幺", "1"),
            ("我按2", "2"),
            ("按三号键", "3"),
            ("press two", "2"),
            ("零", "0"),
        ],
    )
    def test_the_name_of_a_key_is_the_key(self, said: str, key: str):
        assert key_of("scene", Heard.said(said)) == key

    @pytest.mark.parametrize("said", ["一二", "按八", "一个人", "十", "press"])
    def test_other_numbers_are_no_key(self, said: str):
        assert understood("scene", Heard.said(said)) == Understood()

    def test_what_needs_its_key_is_asked_for_it(self):
        assert understood("identity", Heard.said("按一")) == Understood(wants_key=True)

    @pytest.mark.parametrize(
        ("said", "yuan"),
        [
            ("我已经转了五千", "5000"),
            ("我已经转了三万二千块", "32000"),
            ("已经转了，5万元", "50000"),
            ("我已经转了二十多万", "200000"),
            ("我已经转了 8000 块", "8000"),
            ("已经转了一次", ""),
            ("已经转了", ""),
        ],
    )
    def test_the_amount_said_with_having_paid_is_taken(self, said: str, yuan: str):
        found = understood("scene", Heard.said(said))
        assert found.choice is not None
        assert (found.choice.key, found.paid_yuan) == ("3", yuan)


class TestFactsTyped:
    @pytest.mark.parametrize("typed", ["30000", "1", "12345678", "007"])
    def test_an_amount_is_taken_as_it_was_typed(self, typed: str):
        assert understood("paid_amount", Heard.keys(typed)).digits == typed

    @pytest.mark.parametrize("typed", ["123456789", "3*5", "*", "٣٠٠"])
    def test_too_long_or_no_number_is_asked_again(self, typed: str):
        assert understood("paid_amount", Heard.keys(typed)) == Understood()

    def test_zero_alone_is_the_officer_and_nine_alone_is_again(self):
        assert key_of("paid_amount", Heard.keys("0")) == "0"
        assert key_of("paid_amount", Heard.keys("9")) == "9"
        assert understood("paid_amount", Heard.keys("90")).digits == "90"

    def test_a_question_that_collects_nothing_takes_no_number(self):
        assert understood("identity", Heard.keys("30000")) == Understood()


class TestSpeech:
    @pytest.mark.parametrize(
        ("said", "key"),
        [
            ("有", "1"),
            ("有的。", "1"),
            ("嗯，有啊", "1"),
            ("没有", "2"),
            ("没有啊没有", ""),
            ("我已经转了", "3"),
            ("哎呀我已经转了三万块钱了怎么办", "3"),
            ("钱转过去了", "3"),
            ("转人工", "0"),
            ("我要跟民警说两句", "0"),
            ("没听清，再说一遍", "9"),
            ("今天天气不错", ""),
            ("", ""),
        ],
    )
    def test_mandarin_at_the_scene(self, said: str, key: str):
        assert key_of("scene", Heard.said(said)) == key

    @pytest.mark.parametrize(
        ("said", "key"),
        [
            ("Yes.", "1"),
            ("No!", "2"),
            ("oh, I have already paid them", "3"),
            ("can I speak to an officer please", "0"),
            ("pardon", "9"),
            ("banana", ""),
        ],
    )
    def test_english_at_the_scene(self, said: str, key: str):
        assert key_of("scene", Heard.said(said), "en", "zh") == key

    def test_a_listener_of_english_may_still_answer_in_mandarin(self):
        assert key_of("scene", Heard.said("没有"), "en", "zh") == "2"

    def test_a_listener_of_mandarin_is_not_heard_in_english(self):
        assert key_of("scene", Heard.said("yes"), "zh") == ""

    @pytest.mark.parametrize("said", ["是", "嗯", "是我", "是的，我就是", "我是本人"])
    def test_who_one_is_wants_the_key(self, said: str):
        assert understood("identity", Heard.said(said)) == Understood(wants_key=True)

    @pytest.mark.parametrize("said", ["不是", "你打错了", "喂，打错了吧"])
    def test_not_being_the_owner_wants_the_key_too(self, said: str):
        assert understood("identity", Heard.said(said)) == Understood(wants_key=True)

    @pytest.mark.parametrize("said", ["明白了", "行", "嗯", "好", "嗯，好的"])
    def test_understanding_wants_the_key(self, said: str):
        assert understood("acknowledge", Heard.said(said)) == Understood(wants_key=True)

    def test_a_parent_who_says_so_is_listening(self):
        assert key_of("guardian", Heard.said("我在听")) == "1"

    def test_not_believing_needs_none(self):
        assert key_of("acknowledge", Heard.said("我不信，你才是骗子")) == "2"

    def test_yes_inside_another_word_is_no_yes(self):
        assert understood("identity", Heard.said("可是你们是谁")) == Understood()

    @pytest.mark.parametrize(
        ("confidence", "taken"), [(SURE_ENOUGH, True), (SURE_ENOUGH - 0.01, False), (0.0, False)]
    )
    def test_how_sure_the_recogniser_must_be(self, confidence: float, *, taken: bool):
        assert bool(key_of("scene", Heard.said("我已经转了", confidence))) is taken


class TestSilence:
    def test_silence_is_neither(self):
        assert understood("scene", Heard.silence()) == Understood()


@pytest.mark.parametrize(
    ("said", "bare"),
    [
        ("嗯，有的。", "有的"),
        ("  Yes, I did!  ", "yesidid"),
        ("好的呀", "好的"),
        ("啊", "啊"),
        ("", ""),
        ("It's me…", "itsme"),
    ],
)
def test_marks_and_small_words_do_not_count(said: str, bare: str):
    assert normalise_speech(said) == bare


@given(st.text(max_size=40))
def test_whatever_is_said_no_success_and_no_identity_comes_of_it(said: str):
    for script in shipped_scripts().values():
        for node in script.nodes.values():
            if isinstance(node, Ask):
                choice = interpret_answer(script, node, Heard.said(said), ("zh", "en")).choice
                assert choice is None or (choice.contact is None and not choice.needs_key)


class TestKeysBeforeARepeatedQuestion:
    """While 没有听清楚 is said, the question that it repeats has been asked, and a key answers it."""

    @pytest.mark.parametrize("heard", [Heard.said("吃了吗"), Heard.silence(), Heard.keys("5")])
    @pytest.mark.parametrize("is_heard", [True, False])
    def test_they_count_once_the_question_was_heard(self, heard: Heard, is_heard: bool):
        prompt = ask("identity").prompt.id
        spoken = HeardPrompt(prompt, 3.0, heard=3.0 if is_heard else 2.0)
        context = Context(language="zh", hearing=Hearing(prompts=(spoken,)))
        turn = advance(GENERAL, Position(node="identity"), heard, context)
        assert [one.prompt_id for one in turn.utterances][1] == prompt
        assert turn.ask is not None
        assert turn.ask.before_question == (0 if is_heard else 1)
        assert turn.ask.uninterrupted == 2

    def test_a_question_that_is_asked_for_the_first_time_has_none(self):
        turn = start(GENERAL, Context(language="zh", hearing=Hearing()))
        assert turn.ask is not None
        assert turn.ask.before_question == len(turn.utterances) - 1

    def test_nor_has_one_that_must_be_heard_first(self):
        context = Context(language="zh", hearing=Hearing(prompts=(HeardPrompt("common.opening", 2.0, True),)))
        turn = advance(GENERAL, Position(node="identity"), Heard.keys("1"), context)
        assert turn.ask is not None
        assert turn.ask.before_question == len(turn.utterances) - 1


class TestGreetings:
    @pytest.mark.parametrize("said", ["喂", "喂？", "喂，你好", "你好", "谁啊", "哪位", "喂喂"])
    def test_a_greeting_is_answered_and_the_question_begins_again(self, said: str):
        node = ask("identity")
        assert understood("identity", Heard.said(said)).is_greeting
        turn = advance(GENERAL, Position(node="identity"), Heard.said(said), Context(language="zh"))
        assert [one.prompt_id for one in turn.utterances] == [GENERAL.greeting.id, node.prompt.id]

    @pytest.mark.parametrize("said", ["你好，我没空", "吃了吗"])
    def test_other_words_are_not_understood_and_that_is_said(self, said: str):
        assert not understood("identity", Heard.said(said)).is_greeting
        turn = advance(GENERAL, Position(node="identity"), Heard.said(said), Context(language="zh"))
        assert turn.utterances[0].prompt_id == GENERAL.unclear.id

    def test_silence_is_said_to_be_silence(self):
        turn = advance(GENERAL, Position(node="identity"), Heard.silence(), Context(language="zh"))
        assert turn.utterances[0].prompt_id == GENERAL.again.id

    @pytest.mark.parametrize(("node", "pressed"), [("identity", "5"), ("paid_amount", "123456789")])
    def test_a_key_that_the_question_has_not_is_said_to_be_wrong(self, node: str, pressed: str):
        turn = advance(GENERAL, Position(node=node), Heard.keys(pressed), Context(language="zh"))
        assert [one.prompt_id for one in turn.utterances] == [GENERAL.wrong_key.id, ask(node).prompt.id]

    @pytest.mark.parametrize(
        ("language", "greeting", "other"), [("zh", "喂", "hello"), ("en", "hello", "喂")]
    )
    def test_the_recogniser_expects_greetings_of_the_language_too(
        self, language: str, greeting: str, other: str
    ):
        turn = advance(GENERAL, Position(node="identity"), Heard.silence(), Context(language=language))
        assert turn.ask is not None
        assert greeting in turn.ask.hints
        assert other not in turn.ask.hints
        assert "喂喂" not in turn.ask.hints

    def test_where_digits_are_typed_nothing_spoken_is_expected(self):
        turn = advance(GENERAL, Position(node="paid_amount"), Heard.silence(), Context(language="zh"))
        assert turn.ask is not None
        assert turn.ask.hints == ()


def test_who_does_not_hear_well_gets_the_warning_of_the_fraud_type_twice():
    script = shipped_scripts()["loan"]
    context = Context(language="zh", tags=frozenset({Tag.HEARING}))
    turn = start(script, context)
    for key in ("1", "1"):
        turn = advance(script, turn.position, Heard.keys(key), context)
    said = [one.prompt_id for one in turn.utterances]
    assert said.count("loan.warn") == 2
