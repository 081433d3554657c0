"""What the carrier reports about the room of a call from a desk."""

from __future__ import annotations

import pytest

from dialer.core.errors import Invalid
from dialer.core.talk import RoomNews, RoomVoice
from dialer.telephony.rooms import room_news

HELD = {
    "ConferenceSid": "CF1",
    "SequenceNumber": "7",
    "StatusCallbackEvent": "participant-hold",
    "ParticipantLabel": "person",
    "Hold": "true",
    "Muted": "false",
}


def test_the_report_of_a_participant():
    assert room_news(HELD) == RoomNews(room_sid="CF1", sequence=7, voice=RoomVoice.PERSON, is_held=True)
    muted = HELD | {"ParticipantLabel": "desk", "StatusCallbackEvent": "participant-mute", "Hold": "false"}
    assert room_news(muted | {"Muted": "true"}) == RoomNews(
        room_sid="CF1", sequence=7, voice=RoomVoice.DESK, is_muted=True
    )


def test_the_room_has_begun():
    begun = {"ConferenceSid": "CF1", "SequenceNumber": "3", "StatusCallbackEvent": "conference-start"}
    assert room_news(begun) == RoomNews(room_sid="CF1", sequence=3, has_begun=True)


def test_somebody_has_entered():
    joined = HELD | {
        "ParticipantLabel": "supervisor",
        "StatusCallbackEvent": "participant-join",
        "Hold": "false",
    }
    assert room_news(joined) == RoomNews(
        room_sid="CF1", sequence=7, voice=RoomVoice.SUPERVISOR, has_entered=True
    )


def test_somebody_with_another_label_is_nobody_of_the_call():
    assert room_news(HELD | {"ParticipantLabel": "bank"}).voice is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ConferenceSid", ""),
        ("SequenceNumber", ""),
        ("SequenceNumber", "-1"),
        ("SequenceNumber", "1" * 10),
        ("StatusCallbackEvent", "participant-leave"),
        ("StatusCallbackEvent", ""),
    ],
)
def test_a_report_that_cannot_be_read_is_refused(name: str, value: str):
    with pytest.raises(Invalid):
        room_news(HELD | {name: value})
