"""A carrier that comes back knows its messages, and brings those to their end that were under way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from twilio.base.exceptions import TwilioRestException

from carrier.config import ServiceClock
from carrier.people import Behaviour, Pickup
from carrier.texts import TextLog
from tests.carrier.stage import FROM, TO, DeskView, Start

ANYBODY = Behaviour(name="anybody", share=1)
OFF = Behaviour(name="off", share=1, pickup=Pickup.POWERED_OFF)


async def sent(one: DeskView) -> str:
    message = await one.client.messages.create_async(
        to=TO, from_=FROM, body="请先不要转账。", status_callback=f"{one.app.base}/message"
    )
    assert message.sid is not None
    return message.sid


def states(one: DeskView, sid: str) -> list[str]:
    return [h.params["MessageStatus"] for h in one.app.at("/message") if h.params["MessageSid"] == sid]


@pytest.mark.parametrize(("who", "end"), [(ANYBODY, "delivered"), (OFF, "undelivered")])
async def test_a_message_under_way_goes_on_after_a_kill(bench: Start, who: Behaviour, end: str):
    first = await bench(who, clock=ServiceClock(speed=0.01))
    sid = await sent(first)
    await first.carrier.stop()
    second = await bench(who)
    await second.app.until(lambda: end in states(second, sid))
    assert (await second.client.messages(sid).fetch_async()).status == end
    assert len([one async for one in await second.client.messages.stream_async(to=TO)]) == 1


async def test_a_message_that_was_over_is_known_and_not_told_again(bench: Start):
    first = await bench(ANYBODY)
    sid = await sent(first)
    await first.app.until(lambda: "delivered" in states(first, sid))
    await first.carrier.stop()
    told = len(states(first, sid))
    second = await bench(ANYBODY)
    found = await second.client.messages(sid).fetch_async()
    assert (found.status, found.body) == ("delivered", "请先不要转账。")
    assert len(states(second, sid)) == told


async def test_nothing_of_it_can_be_read_on_the_disk(bench: Start, tmp_path: Path):
    one = await bench(ANYBODY)
    await sent(one)
    data = b"".join(path.read_bytes() for path in (tmp_path / "carrier").iterdir() if path.suffix != ".key")
    assert TO.encode() not in data
    assert "转账".encode() not in data


async def test_a_message_that_cannot_be_written_down_is_not_listed(bench: Start):
    """It would be listed as queued, and never be sent."""
    one = await bench(ANYBODY)
    memory = one.carrier.texts._memory
    memory.close()
    memory._file = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(TwilioRestException):
        await sent(one)
    memory.close()
    memory.open()
    assert await one.client.messages.list_async() == []
    sid = await sent(one)
    await one.app.until(lambda: "delivered" in states(one, sid))


def test_one_of_yesterday_is_forgotten(tmp_path: Path):
    memory = TextLog(tmp_path)
    assert memory.recall(since_unix=0) == []
    memory.close()
    assert TextLog(tmp_path).recall(since_unix=1e12) == []
