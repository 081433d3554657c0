"""Every order of what can happen to a call leaves one final state, told once, with at most one ring."""

from __future__ import annotations

import itertools
import random

import pytest

from carrier.calls import Status
from carrier.lines import Cause, MachineDetection
from carrier.people import AnsweredBy
from tests.carrier.stage import TO, App, DeskView
from tests.seeds import seeds

ACTS = ("answer", "cancel", "complete", "callee ends", "busy", "rings again", "key")
FINAL = {"completed", "busy", "failed", "no-answer", "canceled"}


async def act(hands: DeskView, sid: str, what: str) -> None:
    live = next(
        (live_call for live_call in hands.carrier.exchange.live_calls() if live_call.call.sid == sid), None
    )
    device = hands.phones.phone(TO).calls[-1]
    if what == "answer":
        device.answer()
    elif what == "cancel":
        await hands.client.calls(sid).update_async(status="canceled")
    elif what == "complete":
        await hands.client.calls(sid).update_async(status="completed")
    elif what == "callee ends":
        device.hang_up_phone(Cause.HUNG_UP if device.answered_at_all else Cause.NO_ANSWER)
    elif what == "busy":
        device.hang_up_phone(Cause.BUSY)
    elif what == "rings again" and live is not None:
        live.ringing()
    elif what == "key":
        device.press("1")


@pytest.mark.parametrize("acts", [*itertools.permutations(ACTS[:5], 2)])
async def test_two_acts_in_any_order(hands: DeskView, app: App, acts: tuple[str, ...]):
    await story(hands, app, acts)


@seeds(12)
async def test_long_random_stories(hands: DeskView, app: App, seed: int):
    draw = random.Random(seed)
    await story(hands, app, tuple(draw.choice(ACTS) for _ in range(8)))


async def story(hands: DeskView, app: App, acts: tuple[str, ...]) -> None:
    app.documents["/start"] = "<Response><Gather timeout='60' numDigits='9'/></Response>"
    phone = hands.phones.phone(TO)
    sid = await hands.call()
    await phone.rings()
    for what in (*acts, "complete"):
        await act(hands, sid, what)
    await app.final(sid)
    call = await hands.client.calls(sid).fetch_async()
    said = app.statuses_of(sid)
    assert call.status in FINAL
    assert said[-1] == call.status
    assert sum(status in FINAL for status in said) == 1
    numbers = sorted(int(one.params["SequenceNumber"]) for one in app.at("/status"))
    assert numbers == list(range(len(numbers)))
    counts = await hands.admin("GET", "rings")
    assert (counts["rings"], counts["max_rings_per_attempt"], counts["lines_in_use"]) == (1, 1, 0)
    assert counts["by_status"] == {call.status: 1}


async def test_nothing_that_comes_after_the_end_has_an_effect(hands: DeskView, app: App):
    app.documents["/start"] = "<Response/>"
    phone = hands.phones.phone(TO)
    sid = await hands.call()
    await phone.rings()
    live = hands.carrier.exchange.live_calls()[0]
    live.end(Status.CANCELED, 487)
    live.ringing()
    live.answered(MachineDetection(answered_by=AnsweredBy.HUMAN, after_seconds=0, greeting_seconds=0))
    live.pressed("1")
    live.ended(Cause.BUSY)
    live.end(Status.COMPLETED, 200)
    await app.final(sid)
    await app.until(lambda: len(app.at("/status")) == 3)
    assert app.statuses_of(sid) == ["initiated", "ringing", "canceled"]
    assert app.at("/start") == []


async def test_a_call_that_was_answered_is_completed_however_the_line_ends_it(hands: DeskView, app: App):
    app.documents["/start"] = "<Response><Pause length='5000'/></Response>"
    phone = hands.phones.phone(TO)
    sid = await hands.call()
    call = await phone.rings()
    call.answer()
    call.hang_up_phone(Cause.FAILED)
    last = await app.final(sid)
    assert (last["CallStatus"], last["SipResponseCode"], last["CallDuration"]) == ("completed", "200", "1")


async def test_a_record_that_is_over_keeps_nothing_of_its_order(hands: DeskView, app: App):
    app.documents["/start"] = "<Response/>"
    phone = hands.phones.phone(TO)
    sid = await hands.call(
        machine_detection="Enable", async_amd="true", async_amd_status_callback=f"{app.base}/amd"
    )
    (await phone.rings()).answer(verdict_after_seconds=1.0)
    await app.final(sid)
    await app.until(lambda: bool(app.at("/amd")))
    assert hands.carrier.exchange.find(sid).order is None


@pytest.mark.parametrize("answered", [False, True])
async def test_a_line_that_reports_the_ring_again_rings_once(hands: DeskView, app: App, answered: bool):
    app.documents["/start"] = "<Response><Pause length='5000'/></Response>"
    phone = hands.phones.phone(TO)
    sid = await hands.call()
    call = await phone.rings()
    if answered:
        call.answer()
    live = hands.carrier.exchange.live_calls()[0]
    live.ringing()
    assert live.call.status is (Status.IN_PROGRESS if answered else Status.RINGING)
    await hands.client.calls(sid).update_async(status="completed")
    await app.final(sid)
    assert (await hands.admin("GET", "rings"))["max_rings_per_attempt"] == 1
    assert app.statuses_of(sid).count("ringing") == 1
