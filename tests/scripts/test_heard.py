"""Nothing that a call claims was heard without the time to hear it: whatever is pressed, said, and when."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.case import CaseStatus
from dialer.core.events import AttemptEnded
from dialer.core.reach import Conversation, HeardPrompt, Hearing, Reach, contact_of_reach, reach_of
from dialer.core.values import Answer, Contact, Grade, Tag, TelephonyResult
from dialer.scripts.answers import Heard
from dialer.scripts.dialogue import Context, Position, advance, start
from dialer.scripts.model import LANGUAGE_KEY, SUCCESS_ANSWERS, Ask, Script
from dialer.scripts.reading import shipped_scripts
from tests.core.samples import has_next_step, started

SCRIPTS = tuple(shipped_scripts().values())
BEGAN = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
SIGNS_A_SECOND = {"zh": 4.0, "en": 13.0}


@dataclass(frozen=True)
class Act:
    """What the person does, some seconds after a turn began."""

    after: float
    heard: Heard


def _seconds(text: str, language: str) -> float:
    return len(text) / SIGNS_A_SECOND[language]


@dataclass
class PhoneTalk:
    """A call as the carrier plays it, and a second account of what was heard, kept apart from the code's own."""

    script: Script
    tags: frozenset[Tag] = frozenset()
    language: str = "zh"
    offered: tuple[str, ...] = ()
    now: datetime = BEGAN
    hearing: Hearing = field(default_factory=Hearing)
    truth: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    """Of each prompt in each language, the share of it that was heard at one time."""
    must_say: set[str] = field(default_factory=set)
    spoke: bool = False
    step: int = 0

    def __post_init__(self) -> None:
        self.turn = start(self.script, self._context())
        self.warning = {utterance.prompt_id for utterance in self.turn.utterances if utterance.must_say}
        self._says()

    @property
    def waits_at(self) -> Position | None:
        return None if self.turn.is_over else self.turn.position

    def does(self, act: Act) -> None:
        position = self.waits_at
        assert position is not None
        self.passes(act.after)
        self.spoke = self.spoke or bool(act.heard.digits or act.heard.speech)
        self.hearing = self.hearing.after_turn(self.now, sent_at=position.sent_at)
        self.step += 1
        self.turn = advance(self.script, Position.decode(position.encode()), act.heard, self._context())
        self._says()

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        left = seconds
        for utterance in self.turn.utterances:
            length = _seconds(utterance.text, utterance.language)
            line = (utterance.prompt_id, utterance.language)
            self.truth[line] = max(self.truth[line], min(1.0, max(0.0, left) / length))
            left -= length

    def hangs_up(self, after: float) -> AttemptEnded:
        self.passes(after)
        hearing = self.hearing.after_turn(self.now)
        learned = self.turn.learned
        talk = Conversation(
            contact=learned.contact,
            answer=learned.answer,
            spoke=self.spoke,
            warned=self.warning <= hearing.whole,
        )
        reach = reach_of(TelephonyResult.ANSWERED, talk)
        return AttemptEnded(
            n=1,
            result=TelephonyResult.ANSWERED,
            contact=contact_of_reach(reach),
            answer=learned.answer,
            reach=reach,
        )

    def _context(self) -> Context:
        return Context(
            language=self.language,
            tags=self.tags,
            now=self.now,
            hearing=self.hearing,
            offered=self.offered,
        )

    def _says(self) -> None:
        said = [
            HeardPrompt(
                utterance.prompt_id,
                _seconds(utterance.text, utterance.language),
                utterance.must_say,
                language=utterance.heard_in,
            )
            for utterance in self.turn.utterances
        ]
        self.must_say |= {one.id for one in said if one.must_say}
        self.hearing = self.hearing.with_turn(self.step, said, self.now)

    def was_heard(self, prompt: str) -> bool:
        return any(
            self.truth[prompt, one] > 0.98 for one in ("zh", "en")
        )  # a twentieth of a second is lost to rounding


def questions(script: Script, *, verifying: bool) -> set[str]:
    """The prompts of the questions that say who the person is, or that end the matter well."""
    return {
        node.prompt.id
        for node in script.nodes.values()
        if isinstance(node, Ask)
        and any(
            choice.contact is Contact.VERIFIED if verifying else choice.answer in SUCCESS_ANSWERS
            for choice in node.choices.values()
        )
    }


def check(talk: PhoneTalk, ended: AttemptEnded) -> None:
    learned = talk.turn.learned
    if learned.contact is Contact.VERIFIED:
        assert any(talk.was_heard(question) for question in questions(talk.script, verifying=True))
    if learned.answer in SUCCESS_ANSWERS:
        assert any(talk.was_heard(question) for question in questions(talk.script, verifying=False))
        # The farewell is said after the answer, and proves nothing.
        last = {utterance.prompt_id for utterance in talk.turn.utterances}
        assert [one for one in talk.must_say - last if not talk.was_heard(one)] == []
    if ended.reach in {Reach.VERIFIED, Reach.UNVERIFIED, Reach.SILENT}:
        assert all(talk.was_heard(one) for one in talk.warning)
    story = started(Grade.HIGH, numbers=2).tell(ended, after=60)
    succeeded = story.case.status is CaseStatus.WATCHING
    assert not succeeded or (ended.reach is Reach.VERIFIED and learned.answer in SUCCESS_ANSWERS)
    assert succeeded or has_next_step(story.case)


acts = st.builds(
    Act,
    after=st.floats(0, 40),
    heard=st.one_of(
        st.sampled_from("0123456789*#").map(Heard.keys),
        st.sampled_from(["喂", "是我", "明白了", "我没上当", "已经转了", "没有", "你是骗子", "吃了吗"]).map(
            Heard.said
        ),
        st.just(Heard.silence()),
    ),
)


@given(
    st.sampled_from(SCRIPTS),
    st.sampled_from([None, *Tag]),
    st.sampled_from([(), ("en",)]),
    st.lists(acts, max_size=9),
    st.floats(0, 40),
)
def test_no_end_claims_what_there_was_no_time_to_hear(
    script: Script, tag: Tag | None, offered: tuple[str, ...], done: list[Act], hangs_up_after: float
):
    talk = PhoneTalk(script, tags=frozenset({tag} if tag else ()), offered=offered)
    for act in done:
        if talk.waits_at is None:
            break
        talk.does(act)
    check(talk, talk.hangs_up(hangs_up_after))


@given(
    st.sampled_from(SCRIPTS),
    st.lists(st.floats(0, 40), min_size=1, max_size=6),
    st.lists(acts, max_size=6),
    st.floats(0, 40),
)
def test_nor_does_a_call_whose_language_is_changed_at_any_time(
    script: Script, changes: list[float], done: list[Act], hangs_up_after: float
):
    talk = PhoneTalk(script, offered=("en",))
    for act in (*(Act(after=after, heard=Heard.keys(LANGUAGE_KEY)) for after in changes), *done):
        if talk.waits_at is None:
            break
        talk.does(act)
    check(talk, talk.hangs_up(hangs_up_after))


def test_half_a_prompt_in_each_of_two_languages_is_not_heard():
    talk = PhoneTalk(shipped_scripts()["loan"], offered=("en",))
    half = _seconds(talk.turn.utterances[0].text, "zh") * 0.6
    talk.does(Act(after=half, heard=Heard.keys(LANGUAGE_KEY)))
    assert [utterance.language for utterance in talk.turn.utterances] == ["en", "en", "en", "zh"]
    ended = talk.hangs_up(_seconds(talk.turn.utterances[0].text, "en") * 0.6)
    check(talk, ended)
    assert ended.reach is Reach.HUNG_UP_EARLY


def test_the_warning_counts_in_the_language_in_which_it_was_heard():
    """The first language was cut off by the key; the second was heard, with its own length."""
    talk = PhoneTalk(shipped_scripts()["loan"], offered=("en",))
    talk.does(Act(after=1, heard=Heard.keys(LANGUAGE_KEY)))
    talk.does(Act(after=60, heard=Heard.keys("1")))
    talk.does(Act(after=60, heard=Heard.keys("2")))
    talk.does(Act(after=60, heard=Heard.keys("1")))
    ended = talk.hangs_up(20)
    check(talk, ended)
    assert (ended.reach, ended.answer) == (Reach.VERIFIED, Answer.ACKNOWLEDGED)
    whole = {
        (prompt.id.partition(".")[2], prompt.language) for prompt in talk.hearing.prompts if prompt.is_whole
    }
    assert {("opening", "en"), ("caution", "en"), ("warn", "en"), ("acknowledge", "en")} <= whole
    assert ("opening", "zh") not in whole


def test_nobody_keeps_a_call_alive_by_changing_its_language():
    talk = PhoneTalk(shipped_scripts()["loan"], offered=("en",))
    for _ in range(10):
        if talk.waits_at is None:
            break
        talk.does(Act(after=60, heard=Heard.keys(LANGUAGE_KEY)))
    assert talk.turn.is_over


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda one: one.id)
@pytest.mark.parametrize("key", "12349")
def test_whoever_presses_one_key_at_once_at_every_question_is_no_success(script: Script, key: str):
    talk = PhoneTalk(script)
    for _ in range(30):
        if talk.waits_at is None:
            break
        talk.does(Act(after=0.2, heard=Heard.keys(key)))
    ended = talk.hangs_up(0.5)
    check(talk, ended)
    assert ended.reach is not Reach.VERIFIED


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda one: one.id)
def test_whoever_listens_and_answers_is_one(script: Script):
    talk = PhoneTalk(script)
    for _ in range(30):
        if talk.waits_at is None or talk.turn.hand_over:
            break
        talk.does(Act(after=60, heard=Heard.keys("2" if talk.turn.node == "scene" else "1")))
    ended = talk.hangs_up(10)
    check(talk, ended)
    assert (ended.reach, ended.answer) == (Reach.VERIFIED, Answer.ACKNOWLEDGED)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda one: one.id)
def test_hanging_up_in_each_second_is_a_contact_only_after_the_warning(script: Script):
    for second in range(60):
        talk = PhoneTalk(script)
        ended = talk.hangs_up(second)
        assert (ended.reach is Reach.HUNG_UP_EARLY) == (not all(talk.was_heard(one) for one in talk.warning))


def test_an_early_key_is_answered_with_the_question_and_nothing_interrupts_it():
    talk = PhoneTalk(shipped_scripts()["loan"])
    talk.does(Act(after=1, heard=Heard.keys("1")))
    ask = talk.turn.ask
    assert ask is not None
    assert ask.uninterrupted == len(talk.turn.utterances)
    assert talk.turn.node == "identity"


def test_a_success_without_the_warning_has_it_said_first():
    """A carrier that passes a key on before the warning was heard: the missed prompts come first."""
    talk = PhoneTalk(shipped_scripts()["loan"])
    talk.does(Act(after=60, heard=Heard.keys("1")))
    talk.does(Act(after=60, heard=Heard.keys("2")))
    assert talk.turn.node == "acknowledge"
    ids = [utterance.prompt_id for utterance in talk.turn.utterances]
    talk.does(Act(after=1, heard=Heard.keys("1")))
    assert talk.turn.node == "acknowledge"
    assert [utterance.prompt_id for utterance in talk.turn.utterances] == ids
    talk.does(Act(after=60, heard=Heard.keys("1")))
    assert talk.turn.is_over
    assert talk.turn.learned.answer is Answer.ACKNOWLEDGED


def test_a_position_says_when_its_turn_was_sent_to_the_millisecond():
    sent_at = BEGAN + timedelta(milliseconds=1)
    position = replace(Position(node="identity"), sent_at=sent_at)
    assert Position.decode(position.encode()) == position
    assert Position.decode("identity.0.unverified.none").sent_at is None


def test_a_position_carries_the_language_that_was_chosen():
    for position in (
        Position(node="identity", language="en"),
        Position(node="identity", sent_at=BEGAN, language="mn"),
    ):
        assert Position.decode(position.encode()) == position


def test_a_position_without_a_choice_is_written_as_before_there_was_one():
    assert Position(node="identity").encode() == "identity.0.unverified.none"
    assert Position.decode("identity.0.unverified.none.1764122400000").language == ""
