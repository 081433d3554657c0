"""Words of a recorded call with their times, and what follows from them. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dialer.core.inspection import NotInspected, Side

UNSURE_BELOW: Final = 0.6
"""A word of lower confidence is shown in grey, and proves nothing."""
LONGEST_WINDOW_SECONDS: Final = 28.0
"""What is read at once; the recogniser reads up to 30 s."""
_SHORTEST_WINDOW_SECONDS: Final = 16.0
_FRAME_SECONDS: Final = 0.1
_LEAST_SPEECH_SECONDS: Final = 0.5
_MOST_UNSURE: Final = 0.6
"""A call with a larger share of unsure words is not inspected."""
_LANGUAGES: Final = frozenset({"zh", "yue", "en"})
_TURN_GAP_SECONDS: Final = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What the recogniser took for one word: seconds from the beginning of the recording, confidence from 0 to 1."""

    side: Side
    begin: float
    end: float
    confidence: float
    text: str

    @property
    def is_unsure(self) -> bool:
        """Whether the recogniser may well be wrong."""
        return self.confidence < UNSURE_BELOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What the recogniser made of one side of one window: its words, the language that it took it for, and how many
    seconds of it are speech.
    """

    words: tuple[Word, ...]
    language: str
    speech_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A transcript so far. `speech_seconds` and `foreign_seconds`, by side: how long somebody spoke, and how long in a
    language that is not read. `sides`: the channels of the file.
    """

    words: tuple[Word, ...] = ()
    speech_seconds: Mapping[Side, float]
    foreign_seconds: Mapping[Side, float]

    def with_piece(self, side: Side, piece: Piece) -> Progress:
        """With what was read last. Words in another language are not kept: they would be invented ones."""
        is_foreign = piece.language not in _LANGUAGES
        foreign = piece.speech_seconds if is_foreign else 0.0
        return Progress(
            words=self.words if is_foreign else (*self.words, *piece.words),
            speech_seconds=_added(self.speech_seconds, side, piece.speech_seconds),
            foreign_seconds=_added(self.foreign_seconds, side, foreign),
        )

    def verdict(self) -> NotInspected | None:
        """Why the whole call cannot be inspected; None if it can."""
        spoken = self.speech_seconds
        if max(spoken.values()) < _LEAST_SPEECH_SECONDS:
            return NotInspected.NO_SPEECH
        if spoken[Side.OURS] < _LEAST_SPEECH_SECONDS:
            return NotInspected.ONE_CHANNEL
        if any(
            seconds >= _LEAST_SPEECH_SECONDS and seconds > spoken[side] / 2
            for side, seconds in self.foreign_seconds.items()
        ):
            return NotInspected.OTHER_LANGUAGE
        if not self.words or unsure_count(self.words) / len(self.words) > _MOST_UNSURE:
            return NotInspected.UNSURE
        return None

    def as_json(self) -> dict[str, Any]:
        """As it is sealed; words in the order in which they begin."""
        return {
            "words": [
                [
                    word.side.value,
                    round(word.begin, 2),
                    round(word.end, 2),
                    round(word.confidence, 2),
                    word.text,
                ]
                for word in in_order(self.words)
            ],
            "speech": {side.value: round(seconds, 2) for side, seconds in self.speech_seconds.items()},
            "foreign": {side.value: round(seconds, 2) for side, seconds in self.foreign_seconds.items()},
        }


NOTHING_YET: Final = Progress(
    speech_seconds=dict.fromkeys(Side, 0.0), foreign_seconds=dict.fromkeys(Side, 0.0)
)


def progress_of_json(plain: Mapping[str, Any]) -> Progress:
    """What `Progress.as_json` gave; of an empty record, nothing yet."""
    if not plain:
        return NOTHING_YET
    words = tuple(
        Word(side=Side(side), begin=begin, end=end, confidence=confidence, text=text)
        for side, begin, end, confidence, text in plain["words"]
    )
    spoken, foreign = (
        {Side(side): float(seconds) for side, seconds in plain[name].items()}
        for name in ("speech", "foreign")
    )
    return Progress(words=words, speech_seconds=spoken, foreign_seconds=foreign)


def _added(seconds: Mapping[Side, float], side: Side, more: float) -> dict[Side, float]:
    return {**seconds, side: seconds[side] + more}


def in_order(words: Iterable[Word]) -> list[Word]:
    """The words as they were said; of two at once, ours first."""
    return sorted(words, key=lambda word: (word.begin, word.side is not Side.OURS, word.end))


def unsure_count(words: Iterable[Word]) -> int:
    """How many of them the recogniser is not sure of."""
    return sum(word.is_unsure for word in words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one side says until the other one speaks, or nobody does for a while."""

    side: Side
    words: tuple[Word, ...]

    @property
    def begin(self) -> float:
        """When its first word begins, in seconds."""
        return self.words[0].begin

    @property
    def end(self) -> float:
        """When its last word is over, in seconds."""
        return max(word.end for word in self.words)

    @property
    def text(self) -> str:
        """Its words in one text; English words keep the space that begins them."""
        return "".join(word.text for word in self.words).strip()


def turns_of(words: Iterable[Word]) -> list[Turn]:
    """The words as turns, in the order in which they begin. Words of both sides at once are turns side by side."""
    turns: list[Turn] = []
    open_turn: dict[Side, list[Word]] = {}
    for word in in_order(words):
        current = open_turn.get(word.side)
        other = open_turn.get(_other(word.side))
        if current and (
            word.begin - current[-1].end > _TURN_GAP_SECONDS
            or (other and other[0].begin > current[-1].begin and other[-1].end <= word.begin)
        ):
            turns.append(Turn(side=word.side, words=tuple(current)))
            current = None
        if current:
            current.append(word)
        else:
            open_turn[word.side] = [word]
    turns.extend(Turn(side=side, words=tuple(rest)) for side, rest in open_turn.items())
    return sorted(turns, key=lambda turn: (turn.begin, turn.side is not Side.OURS))


def _other(side: Side) -> Side:
    return Side.PERSON if side is Side.OURS else Side.OURS


def window_end(sides: Sequence[bytes], rate_hz: int, begin_seconds: float) -> float:
    """Where the window that begins here ends, in seconds: where both sides are quietest, so that no word is cut, or at
    the end of the sound. `sides`: 16-bit samples of the same length.
    """
    whole = len(sides[0]) / 2 / rate_hz
    if whole - begin_seconds <= LONGEST_WINDOW_SECONDS:
        return whole
    step = int(_FRAME_SECONDS * rate_hz)
    first = int((begin_seconds + _SHORTEST_WINDOW_SECONDS) * rate_hz)
    last = int((begin_seconds + LONGEST_WINDOW_SECONDS) * rate_hz) - step
    samples = [array("h", side[2 * first : 2 * (last + step)]) for side in sides]

    def loudness(at: int) -> int:
        return sum(sum(map(abs, side[at : at + step])) for side in samples)

    # Of places that are equally quiet the latest: the fewest windows.
    _, quietest = min((loudness(at), -at) for at in range(0, last - first + 1, step))
    return (first - quietest + step / 2) / rate_hz
