"""Announcements of the network before an answer (您拨打的电话已关机), recognised by their sound.

Each phrase of a closed list is scored against the sound; the best one counts where it fits well, and better than every
phrase of another verdict. Everything else, such as a ringing tone or music, is unknown. Needs the extra `hearing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final, Protocol

from carrier.lines import Cause
from carrier.speech_input import Engine


class Announcement(StrEnum):
    """What the network announced instead of putting the call through."""

    POWERED_OFF = "powered_off"
    SUSPENDED = "suspended"
    INVALID = "invalid"
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FORWARDED = "forwarded"
    ASSISTANT = "assistant"
    """A mailbox or an assistant of the phone's owner."""
    CONGESTION = "congestion"
    UNKNOWN = "unknown"
    """Something was heard that no phrase fits."""


PHRASES: Final[Mapping[str, Mapping[Announcement, tuple[str, ...]]]] = {
    "zh": {
        Announcement.POWERED_OFF: ("您拨打的电话已关机", "您所拨打的用户已关机"),
        Announcement.SUSPENDED: ("您拨打的电话已停机", "您拨打的号码已暂停服务"),
        Announcement.INVALID: ("您拨打的号码是空号", "您拨打的号码不存在"),
        Announcement.UNREACHABLE: ("您拨打的电话暂时无法接通", "您拨打的用户不在服务区"),
        Announcement.BUSY: ("您拨打的电话正在通话中", "您拨打的用户正忙"),
        Announcement.NO_ANSWER: ("您拨打的电话暂时无人接听",),
        Announcement.FORWARDED: ("您的呼叫正在转接",),
        Announcement.ASSISTANT: ("我是机主的语音助手", "请在提示音后留言"),
        Announcement.CONGESTION: ("网络正忙请稍后再拨",),
    },
    "en": {
        Announcement.POWERED_OFF: ("the subscriber you dialed is powered off",),
        Announcement.SUSPENDED: ("the number you dialed is out of service",),
        Announcement.INVALID: ("the number you dialed does not exist",),
        Announcement.UNREACHABLE: ("the subscriber you dialed can not be connected for the moment",),
        Announcement.BUSY: ("the subscriber you dialed is busy now",),
        Announcement.FORWARDED: ("your call is being forwarded",),
        Announcement.ASSISTANT: ("please leave a message after the tone",),
        Announcement.CONGESTION: ("the network is busy please try again later",),
    },
}
"""By language. As operators in mainland China say them, without greeting and advice."""

CAUSES: Final[Mapping[Announcement, Cause]] = {
    Announcement.POWERED_OFF: Cause.POWERED_OFF,
    Announcement.SUSPENDED: Cause.POWERED_OFF,
    Announcement.INVALID: Cause.INVALID,
    Announcement.UNREACHABLE: Cause.NO_ANSWER,
    Announcement.BUSY: Cause.BUSY,
    Announcement.NO_ANSWER: Cause.NO_ANSWER,
    Announcement.FORWARDED: Cause.NO_ANSWER,
    Announcement.ASSISTANT: Cause.NO_ANSWER,
    Announcement.CONGESTION: Cause.BLOCKED,
}
"""The cause of a call that was not answered, by announcement. A suspended telephone counts as one that is switched off:
it cannot be reached now.
"""

LEAST_FIT: Final = -2.8
"""The least mean log probability of a phrase's tokens. In 46 clips of three voices, every announcement had -2.3 or
more, every other sound, such as another sentence or a ringing tone, -3.4 or less.
"""
LEAST_LEAD: Final = 0.5
"""How far a phrase must be ahead of the best phrase of another verdict; in those clips it was 0.9 or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognisedAnnouncement:
    """The verdict with its score, from 0 to 1; 0.5 is the threshold. `score` is 0 for unknown."""

    verdict: Announcement
    score: float = 0.0


UNKNOWN: Final = RecognisedAnnouncement(verdict=Announcement.UNKNOWN)


class PhraseScorer(Protocol):
    """A recogniser that scores how well each phrase fits a sound."""

    def mean_log_probabilities(self, wav: bytes, *, hints: tuple[str, ...], language: str) -> list[float]:
        """The mean log probability of each phrase; empty for silence. May take seconds."""


def recognise_announcement(scorer: PhraseScorer, wav: bytes) -> RecognisedAnnouncement:
    """The announcement in the sound of a WAV file, or unknown. Takes seconds."""
    best: dict[Announcement, float] = {}
    for language, table in PHRASES.items():
        verdicts = [verdict for verdict, phrases in table.items() for _ in phrases]
        hints = tuple(phrase for phrases in table.values() for phrase in phrases)
        for verdict, fit in zip(
            verdicts, scorer.mean_log_probabilities(wav, hints=hints, language=language), strict=False
        ):
            best[verdict] = max(fit, best.get(verdict, fit))
    return best_announcement(best)


def best_announcement(best: Mapping[Announcement, float]) -> RecognisedAnnouncement:
    """The best of the announcements, given the best fit of each; unknown where it does not fit well, or not clearly
    better than the next one.
    """
    if not best:
        return UNKNOWN
    first, *others = sorted(best, key=lambda verdict: best[verdict], reverse=True)
    fit = best[first]
    if fit < LEAST_FIT or any(fit - best[other] < LEAST_LEAD for other in others[:1]):
        return UNKNOWN
    return RecognisedAnnouncement(
        verdict=first, score=round(min(1.0, max(0.0, 1.0 - fit / (2 * LEAST_FIT))), 4)
    )


OnUnderstood = Callable[[RecognisedAnnouncement], None]
_PATIENCE_SECONDS = 10.0


class AnnouncementListener:
    """Recognises announcements one at a time, beside the event loop; one that takes too long is unknown."""

    def __init__(self, scorer: PhraseScorer, *, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._scorer = scorer
        self._engine = Engine(patience_seconds=patience_seconds)

    def listen(self, wav: bytes, then: OnUnderstood) -> None:
        """`then` is called once, later, on the event loop."""
        self._engine.ask(partial(recognise_announcement, self._scorer, wav), otherwise=UNKNOWN, then=then)
