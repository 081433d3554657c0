"""A telephone in somebody's hand: it rings, and everything else is done by the hand; what plays can be fetched."""

from __future__ import annotations

from typing import Any

import pytest

from carrier.config import ServiceClock
from carrier.lines.handset import HandsetState
from carrier.lines.simulated import SimulatedLine
from carrier.people import Behaviour, Pickup
from tests.carrier.stage import ADMIN, HANGUP, TO, DeskView, Start
from tests.carrier.test_documents import wav

ASKS = (
    '<Response><Gather input="dtmf speech" numDigits="1" timeout="9" action="/answer">'
    "<Play>/a.wav</Play><Say>请按键</Say></Gather></Response>"
)
REJECTS = Behaviour(name="rejects", share=1, pickup=Pickup.REJECTED)


@pytest.fixture
async def one(bench: Start) -> DeskView:
    """A carrier where everybody rejects, and an application that plays a sound and asks."""
    made = await bench(REJECTS, clock=ServiceClock(speed=10.0))
    made.app.documents |= {"/start": ASKS, "/answer": HANGUP, "/a.wav": wav(200.0)}
    return made


class Hand:
    """Acts through the admin API, as the page does."""

    def __init__(self, one: DeskView, handset: str) -> None:
        self.one = one
        self.path = f"handsets/{handset}"

    async def state(self) -> dict[str, Any]:
        return await self.one.admin("GET", self.path)

    async def act(self, act: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        return await self.one.admin("POST", f"{self.path}/{act}", body or {})

    async def until(self, state: str) -> dict[str, Any]:
        async def reached() -> dict[str, Any] | None:
            told = await self.state()
            return told if told["state"] == state else None

        while (told := await reached()) is None:
            pass
        return told

    async def spoken_to(self) -> dict[str, Any]:
        while not (told := await self.state())["played"]:
            pass
        return told


async def taken(one: DeskView, number: str = TO) -> Hand:
    async with one.session.post(
        f"{one.carrier.base_url}/admin/handsets",
        json={"number": number},
        headers={"Authorization": f"Bearer {ADMIN}"},
    ) as answer:
        assert answer.status == 201
        told = await answer.json()
    assert number not in str(told)
    return Hand(one, told["id"])


async def sound(hand: Hand, n: int) -> bytes:
    async with hand.one.session.get(
        f"{hand.one.carrier.base_url}/admin/{hand.path}/clips/{n}",
        headers={"Authorization": f"Bearer {ADMIN}"},
    ) as answer:
        return await answer.read() if answer.status == 200 else b""


async def test_the_very_sound_that_plays_can_be_fetched_and_a_key_cuts_it(one: DeskView):
    hand = await taken(one)
    sid = await one.call()
    await hand.until("ringing")
    assert (await hand.act("answer"))["did"] is True
    told = await hand.spoken_to()
    (clip,) = told["played"]
    assert (clip["has_sound"], clip["cut"], told["asking"]) == (True, False, 1)
    assert clip["name"].endswith("/a.wav")
    assert await sound(hand, clip["n"]) == wav(200.0)
    assert await sound(hand, clip["n"] + 1) == b""
    await hand.act("keys", {"keys": "2"})
    assert (await hand.state())["played"][0]["cut"] is True
    assert (await one.app.final(sid))["CallStatus"] == "completed"
    assert one.app.at("/answer")[0].params["Digits"] == "2"
    assert (await hand.state())["state"] == "over"


async def test_words_of_the_hand_are_heard(one: DeskView):
    hand = await taken(one)
    await one.call()
    await hand.until("ringing")
    await hand.act("answer")
    await hand.spoken_to()
    await hand.act("words", {"words": "是我"})
    await one.app.until(lambda: bool(one.app.at("/answer")))
    assert one.app.at("/answer")[0].params["SpeechResult"] == "是我"


async def test_put_down_while_it_rings_is_rejected(one: DeskView):
    hand = await taken(one)
    sid = await one.call()
    await hand.until("ringing")
    await hand.act("hang_up")
    told = await one.app.final(sid)
    assert (told["CallStatus"], told["SipResponseCode"]) == ("busy", "603")


async def test_put_down_while_talking_ends_the_call(one: DeskView):
    hand = await taken(one)
    sid = await one.call()
    await hand.until("ringing")
    await hand.act("answer")
    await hand.spoken_to()
    await hand.act("hang_up")
    assert (await one.app.final(sid))["CallStatus"] == "completed"
    assert (await hand.state())["played"][-1]["cut"] is True


async def test_one_that_nobody_picks_up_rings_out(one: DeskView):
    hand = await taken(one)
    sid = await one.call(timeout=5)
    assert (await one.app.final(sid))["CallStatus"] == "no-answer"
    told = await hand.state()
    assert (told["state"], told["calls"]) == ("over", 1)


async def test_a_second_call_meanwhile_finds_it_busy(one: DeskView):
    hand = await taken(one)
    first = await one.call()
    await hand.until("ringing")
    second = await one.call()
    assert (await one.app.final(second))["CallStatus"] == "busy"
    assert (await hand.act("answer"))["state"] == "talking"
    assert one.app.statuses_of(first)[-1] == "in-progress" or await hand.spoken_to()


async def test_let_go_the_number_is_a_simulated_person_s_again(one: DeskView):
    hand = await taken(one)
    await one.admin("DELETE", hand.path)
    sid = await one.call()
    assert (await one.app.final(sid))["SipResponseCode"] == "603"


async def test_nothing_in_hand_does_nothing(one: DeskView):
    hand = await taken(one)
    for act, body in (
        ("answer", None),
        ("hang_up", None),
        ("keys", {"keys": "1"}),
        ("words", {"words": "是"}),
    ):
        assert (await hand.act(act, body))["did"] is False


async def test_a_bounded_number_is_in_hand(one: DeskView):
    line = one.carrier.line
    assert isinstance(line, SimulatedLine)
    first = line.handsets.take("+8619900000000")
    for n in range(1, 40):
        line.handsets.take(f"+86199000000{n:02d}")
    assert line.handsets.find(first.id) is None
    newest = line.handsets.of("+8619900000039")
    assert newest is not None
    assert newest.state is HandsetState.IDLE


async def test_a_real_line_has_no_telephones_to_take(hands: DeskView):
    async with hands.session.post(
        f"{hands.carrier.base_url}/admin/handsets",
        json={"number": TO},
        headers={"Authorization": f"Bearer {ADMIN}"},
    ) as answer:
        assert answer.status == 404
