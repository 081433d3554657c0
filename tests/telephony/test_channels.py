"""What a listing proves about a request whose result is uncertain: one table for calls and messages."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from dialer.core.errors import Unavailable
from dialer.core.values import MessageChannel
from dialer.telephony.channels import Conclusion, MessageClient, SendText, conclude_listing

C = Conclusion


@pytest.mark.parametrize(
    ("fitting", "others", "empty_before", "past_deadline", "expected"),
    [
        (1, 0, 0, False, C.FOUND),
        (1, 3, 9, True, C.FOUND),
        (2, 0, 0, True, C.UNCLEAR),
        (0, 1, 9, True, C.UNCLEAR),
        (0, 0, 0, True, C.NOT_YET),
        (0, 0, 1, True, C.ABSENT),
        (0, 0, 9, True, C.ABSENT),
        (0, 0, 0, False, C.NOT_YET),
        (0, 0, 9, False, C.NOT_YET),
    ],
)
def test_what_a_listing_proves(
    fitting: int, others: int, empty_before: int, past_deadline: bool, expected: Conclusion
):
    found = conclude_listing(
        fitting=fitting, others=others, empty_before=empty_before, past_deadline=past_deadline
    )
    assert found is expected


async def test_a_channel_that_cannot_look_says_so_and_does_not_say_that_there_is_nothing():
    class Blind(MessageClient):
        channel = MessageChannel.SMS

    now = datetime(2026, 11, 26, tzinfo=UTC)
    with pytest.raises(Unavailable):
        await Blind().find(SendText(message_id=uuid4(), to="+8613800138000", text=""), since=now, until=now)
