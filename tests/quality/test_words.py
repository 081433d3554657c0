"""Words of a call: turns, windows, progress and what cannot be inspected."""

from __future__ import annotations

import random
from array import array

from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.core.inspection import NotInspected, Side
from dialer.quality.model import (
    LONGEST_WINDOW_SECONDS,
    NOTHING_YET,
    Piece,
    Progress,
    Word,
    progress_of_json,
    turns_of,
    unsure_count,
    window_end,
)
from tests.quality.recorded import RATE, silence, tone


def word(
    side: Side, begin: float, *, text: str = "好", seconds: float = 0.4, confidence: float = 0.9
) -> Word:
    return Word(side=side, begin=begin, end=begin + seconds, confidence=confidence, text=text)


OURS, PERSON = Side.OURS, Side.PERSON


def said(turns: object) -> list[tuple[Side, str]]:
    return [(turn.side, turn.text) for turn in turns]  # type: ignore[attr-defined]


def test_a_turn_ends_when_the_other_answers_or_after_a_silence():
    words = [
        word(OURS, 0, text="您"),
        word(OURS, 0.5, text="好"),
        word(PERSON, 1.2, text="喂"),
        word(OURS, 2, text="我"),
        word(OURS, 9, text="在"),
    ]
    assert said(turns_of(words)) == [(OURS, "您好"), (PERSON, "喂"), (OURS, "我"), (OURS, "在")]


def test_a_word_into_the_others_sentence_is_a_turn_beside_it():
    words = [word(OURS, n * 0.5, text=str(n), seconds=0.5) for n in range(6)] + [
        word(PERSON, 1.1, seconds=0.9)
    ]
    assert said(turns_of(words)) == [(OURS, "012345"), (PERSON, "好")]


WORDS = st.lists(
    st.builds(
        Word,
        side=st.sampled_from(Side),
        begin=st.floats(0, 100).map(lambda x: round(x, 2)),
        end=st.just(100.0),
        confidence=st.floats(0, 1).map(lambda x: round(x, 2)),
        text=st.sampled_from(["好", " yes", "转账"]),
    ),
    max_size=30,
)


@given(WORDS)
def test_every_word_is_in_exactly_one_turn_and_turns_are_in_order(words: list[Word]):
    turns = turns_of(words)
    found = sorted((one for turn in turns for one in turn.words), key=repr)
    assert found == sorted(words, key=repr)
    assert [turn.begin for turn in turns] == sorted(turn.begin for turn in turns)
    assert all(one.side is turn.side for turn in turns for one in turn.words)


@given(WORDS, st.floats(0, 50), st.floats(0, 50))
def test_progress_survives_its_record(words: list[Word], spoken: float, foreign: float):
    made = Progress(
        words=tuple(words),
        speech_seconds={OURS: round(spoken, 2), PERSON: 0.0},
        foreign_seconds={OURS: 0.0, PERSON: round(foreign, 2)},
    )
    back = progress_of_json(made.as_json())
    assert sorted(back.words, key=repr) == sorted(words, key=repr)
    assert (back.speech_seconds, back.foreign_seconds) == (made.speech_seconds, made.foreign_seconds)
    assert back.verdict() == made.verdict()
    assert progress_of_json({}) == NOTHING_YET


def spoken(
    side: Side, seconds: float, *, language: str = "zh", confidence: float = 0.9
) -> tuple[Side, Piece]:
    words = tuple(word(side, n, confidence=confidence) for n in range(round(seconds)))
    return side, Piece(words=words, language=language, speech_seconds=seconds)


def verdict(*pieces: tuple[Side, Piece]) -> NotInspected | None:
    progress = NOTHING_YET
    for side, piece in pieces:
        progress = progress.with_piece(side, piece)
    return progress.verdict()


def test_what_cannot_be_inspected_says_why():
    assert verdict() is NotInspected.NO_SPEECH
    assert verdict(spoken(OURS, 0.4), spoken(PERSON, 0.4)) is NotInspected.NO_SPEECH
    assert verdict(spoken(PERSON, 9)) is NotInspected.ONE_CHANNEL
    assert verdict(spoken(OURS, 9)) is None, "a person who presses keys says nothing"
    assert verdict(spoken(OURS, 9), spoken(PERSON, 9, language="mn")) is NotInspected.OTHER_LANGUAGE
    assert verdict(spoken(OURS, 9), spoken(PERSON, 9), spoken(PERSON, 8, language="mn")) is None
    assert verdict(spoken(OURS, 9), spoken(PERSON, 9, language="en")) is None
    assert verdict(spoken(OURS, 9), spoken(PERSON, 20, confidence=0.3)) is NotInspected.UNSURE


def test_words_in_another_language_are_not_kept():
    progress = NOTHING_YET.with_piece(*spoken(PERSON, 3, language="mn")).with_piece(*spoken(PERSON, 2))
    assert len(progress.words) == 2
    assert (progress.speech_seconds[PERSON], progress.foreign_seconds[PERSON]) == (5, 3)


def test_a_word_below_the_limit_is_unsure():
    assert [word(OURS, 0, confidence=one).is_unsure for one in (0.59, 0.6)] == [True, False]
    assert unsure_count([word(OURS, 0, confidence=one) for one in (0.1, 0.9, 0.2)]) == 2


def test_a_window_ends_where_both_sides_are_silent():
    talks = tone(20) + silence(1) + tone(40)
    listens = tone(30) + silence(31)
    alone = window_end([talks, silence(61)], RATE, 0)
    assert 20 <= alone <= 21
    both = window_end([talks, listens], RATE, 0)
    assert 20 <= both <= 21, "the other speaks on: the quietest place all the same"


@settings(max_examples=30)
@given(st.integers(1, 120), st.integers(0, 100), st.integers(0, 10**6))
def test_windows_cover_the_sound_once_and_none_is_too_long(length: int, begin: int, seed: int):
    chance = random.Random(seed)
    samples = array("h", [chance.randrange(-900, 900) for _ in range(100 * length)]).tobytes()
    rate = 100
    at = min(begin, length)
    while at < length:
        end = window_end([samples, samples], rate, at)
        assert at < end <= at + LONGEST_WINDOW_SECONDS
        at = end
    assert at == length
