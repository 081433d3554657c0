"""Hold and mute in a call from a desk: what the desk wants, what the carrier reports, and what is to be done at the
carrier next. Pure.

Caller and person talk over a Dial until the first hold or mute. Then both legs enter a conference, the room, and stay
in it until the call ends. What is wanted is stored first; only news of the carrier changes what holds, so that answers
which overtake each other leave nothing wrong: as long as the two differ there is a next step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class TalkChange(StrEnum):
    """What a desk asks for during a call."""

    HOLD = "hold"
    RESUME = "resume"
    MUTE = "mute"
    UNMUTE = "unmute"


class RoomVoice(StrEnum):
    """Who is in the room, by the label of the participant."""

    DESK = "desk"
    PERSON = "person"
    SUPERVISOR = "supervisor"
    """Who listens to the two."""
    THIRD_PARTY = "third_party"
    """Whom the desk has brought in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """Hold and mute of one call under way. `hold_since` and `mutes` are wanted, `is_held` and `is_muted` reported."""

    in_room: bool = False
    """The legs were asked to enter the room."""
    needs_room: bool = False
    """The two are to be in the room whatever is held or muted: a supervisor listens, or a third party comes."""
    room_sid: str | None = None
    """The carrier's id of the room, once it has begun; None before."""
    hold_since: datetime | None = None
    """Since when the person is to be on hold; None: not."""
    is_held: bool = False
    mutes: bool = False
    """The person is not to hear the desk."""
    is_muted: bool = False
    hold_sequence: int = -1
    """The number of the newest report about the hold; older ones are ignored."""
    mute_sequence: int = -1

    @property
    def holds(self) -> bool:
        """Whether the person is to be on hold."""
        return self.hold_since is not None

    @property
    def is_settled(self) -> bool:
        """Whether everything that is wanted is so."""
        has_room = self.room_sid is not None or not self.needs_room
        return has_room and self.holds == self.is_held and self.mutes == self.is_muted


def ask_talk(talk: Talk, change: TalkChange, *, now: datetime) -> Talk:
    """The talk after the desk asked for this change; unchanged if that was asked for before."""
    match change:
        case TalkChange.HOLD:
            return talk if talk.holds else replace(talk, hold_since=now)
        case TalkChange.RESUME:
            return replace(talk, hold_since=None)
        case TalkChange.MUTE:
            return replace(talk, mutes=True)
        case TalkChange.UNMUTE:
            return replace(talk, mutes=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomNews:
    """A report of the carrier about the room, or with `voice` about one who is in it. Numbers of reports grow with
    time; reports may arrive in any order.
    """

    room_sid: str
    sequence: int
    has_begun: bool = False
    """The room has begun: both are in it."""
    has_entered: bool = False
    """`voice` is in the room now."""
    voice: RoomVoice | None = None
    is_held: bool = False
    is_muted: bool = False


def report_talk(talk: Talk, news: RoomNews) -> Talk:
    """The talk after this report. One that is older than what is known changes nothing."""
    if not talk.in_room or talk.room_sid not in {None, news.room_sid}:
        return talk
    if news.has_begun:
        talk = replace(talk, room_sid=news.room_sid)
    if news.has_entered:
        return talk
    if news.voice is RoomVoice.PERSON and news.sequence > talk.hold_sequence:
        talk = replace(talk, is_held=news.is_held, hold_sequence=news.sequence)
    if news.voice is RoomVoice.DESK and news.sequence > talk.mute_sequence:
        talk = replace(talk, is_muted=news.is_muted, mute_sequence=news.sequence)
    return talk


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkStep:
    """What to ask the carrier for. With `enters` both legs enter the room; else the fields that are not None change."""

    enters: bool = False
    hold: bool | None = None
    mute: bool | None = None


def next_talk_step(talk: Talk) -> TalkStep | None:
    """What is to be asked for now; None: nothing, or the carrier's report is awaited."""
    if talk.is_settled:
        return None
    if not talk.in_room:
        return TalkStep(enters=True)
    if talk.room_sid is None:
        return None
    return TalkStep(
        hold=talk.holds if talk.holds != talk.is_held else None,
        mute=talk.mutes if talk.mutes != talk.is_muted else None,
    )
