"""The room of a call from a desk: a conference at the carrier, into which both legs move for the first hold or mute.
What is answered to the carrier about it, and what the carrier reports.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

from dialer.core.errors import Invalid
from dialer.core.talk import RoomNews, RoomVoice
from dialer.telephony.config import HookUrls

TALK_LIMIT_SECONDS: Final = 3600
"""People talk longer than the robot; still, no call from a desk may use a line for ever."""
_EVENTS: Final = "start join mute hold"
_LONGEST_NUMBER: Final = 9


def room_name(call_id: UUID) -> str:
    """The name of the room of this call."""
    return f"desk-{call_id}"


def write_room_entry(call_id: UUID, voice: RoomVoice, *, urls: HookUrls) -> str:
    """The TwiML with which a leg enters the room; when one of the two leaves, the call is over for both."""
    news = quoteattr(urls.desk(call_id, "room"))
    return (
        f'<Response><Dial timeLimit="{TALK_LIMIT_SECONDS}">'
        f'<Conference participantLabel="{voice.value}" beep="false" waitUrl="" endConferenceOnExit="true"'
        f' maxParticipants="10" statusCallback={news} statusCallbackMethod="POST" statusCallbackEvent="{_EVENTS}">'
        f"{escape(room_name(call_id))}</Conference></Dial></Response>"
    )


def write_listener_entry(call_id: UUID, *, urls: HookUrls, pause_seconds: int = 0) -> str:
    """The TwiML with which a supervisor's leg enters the room, muted and without a sound; the call goes on when it
    leaves. `pause_seconds`: it waits for so long, until the two have heard that somebody listens.
    """
    news = quoteattr(urls.desk(call_id, "room"))
    pause = f'<Pause length="{pause_seconds}"/>' if pause_seconds else ""
    return (
        f'<Response>{pause}<Dial timeLimit="{TALK_LIMIT_SECONDS}">'
        f'<Conference participantLabel="{RoomVoice.SUPERVISOR.value}" muted="true" beep="false" waitUrl=""'
        f' startConferenceOnEnter="false" endConferenceOnExit="false" maxParticipants="10"'
        f' statusCallback={news} statusCallbackMethod="POST" statusCallbackEvent="{_EVENTS}">'
        f"{escape(room_name(call_id))}</Conference></Dial></Response>"
    )


def write_party_entry(call_id: UUID, *, urls: HookUrls) -> str:
    """The TwiML with which a third party enters the room. The call goes on when it leaves, until it has the call."""
    news = quoteattr(urls.desk(call_id, "room"))
    return (
        f'<Response><Dial timeLimit="{TALK_LIMIT_SECONDS}">'
        f'<Conference participantLabel="{RoomVoice.THIRD_PARTY.value}" beep="false" waitUrl=""'
        f' startConferenceOnEnter="false" endConferenceOnExit="false" maxParticipants="10"'
        f' statusCallback={news} statusCallbackMethod="POST" statusCallbackEvent="{_EVENTS}">'
        f"{escape(room_name(call_id))}</Conference></Dial></Response>"
    )


_VOICE_EVENTS: Final = frozenset(
    {"participant-hold", "participant-unhold", "participant-mute", "participant-unmute"}
)
_ENTERED: Final = "participant-join"


def room_news(params: Mapping[str, str]) -> RoomNews:
    """A report about the room. Raises `Invalid` for one that names no room or no event that we know."""
    room_sid, event, number = (
        params.get(name, "") for name in ("ConferenceSid", "StatusCallbackEvent", "SequenceNumber")
    )
    if not room_sid:
        raise Invalid(field="ConferenceSid", problem="is missing")
    if not (number.isascii() and number.isdecimal() and len(number) <= _LONGEST_NUMBER):
        raise Invalid(field="SequenceNumber", problem="is not a number")
    if event == "conference-start":
        return RoomNews(room_sid=room_sid, sequence=int(number), has_begun=True)
    if event != _ENTERED and event not in _VOICE_EVENTS:
        raise Invalid(field="StatusCallbackEvent", problem="is not a known value")
    label = params.get("ParticipantLabel", "")
    return RoomNews(
        room_sid=room_sid,
        sequence=int(number),
        voice=RoomVoice(label) if label in set(RoomVoice) else None,
        is_held=params.get("Hold") == "true",
        is_muted=params.get("Muted") == "true",
        has_entered=event == _ENTERED,
    )
