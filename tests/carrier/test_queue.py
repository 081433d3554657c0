"""The queue in front of the lines: nothing rings early, nothing queued is forgotten, what is cancelled never
rings.
"""

from __future__ import annotations

import asyncio
import time

from carrier.calls import Status
from carrier.people import Behaviour, Pickup
from tests.carrier.device_line import DeviceLine
from tests.carrier.stage import HANGUP, TO, App, Start


def number(n: int) -> str:
    return f"+8613800138{n:03d}"


async def test_calls_above_the_rate_wait_queued_and_are_placed_in_order(bench: Start, app: App):
    app.documents["/start"] = HANGUP
    one = await bench(
        Behaviour(name="x", share=1, ring_after_seconds=(0, 0), answer_after_seconds=(0, 0)),
        calls_per_second=5.0,
    )
    begun = time.monotonic()
    sids = [await one.call(number(n)) for n in range(6)]
    assert (await one.client.calls(sids[-1]).fetch_async()).status == "queued"
    await app.until(lambda: len([h for h in app.at("/status") if h.params["CallStatus"] == "ringing"]) == 6)
    assert time.monotonic() - begun >= 5 / 5.0
    ringing = [h.params["CallSid"] for h in app.at("/status") if h.params["CallStatus"] == "ringing"]
    assert ringing == sids


async def test_a_queued_call_is_cancelled_without_a_ring(bench: Start, app: App):
    one = await bench(make_line=DeviceLine, calls_per_second=0.01)
    first, second = one.carrier.line.phone(number(1)), one.carrier.line.phone(number(2))  # type: ignore[attr-defined]
    await one.call(number(1))
    waiting = await one.call(number(2))
    await first.rings()
    assert (await one.client.calls(waiting).update_async(status="canceled")).status == "canceled"
    last = await app.final(waiting)
    assert last["CallStatus"] == "canceled"
    await one.admin("PUT", "limits", {"calls_per_second": None, "max_lines": None})
    third = one.carrier.line.phone(number(3))  # type: ignore[attr-defined]
    await one.call(number(3))
    await third.rings()
    assert second.calls == []
    counts = await one.admin("GET", "rings")
    assert (counts["rings"], counts["not_rung"]) == (2, 1)


async def test_never_more_lines_than_set_and_the_next_call_takes_a_freed_one(bench: Start, app: App):
    app.documents["/start"] = "<Response><Pause length='2'/></Response>"
    one = await bench(
        Behaviour(name="x", share=1, ring_after_seconds=(1, 2), answer_after_seconds=(1, 3)), max_lines=3
    )
    sids = [await one.call(number(n)) for n in range(20)]
    for sid in sids:
        await app.final(sid)
    counts = await one.admin("GET", "rings")
    assert counts["peak_lines"] == 3
    assert (counts["rings"], counts["lines_in_use"], counts["queued"]) == (20, 0, 0)


async def test_calls_in_leave_half_of_the_lines_to_our_own_calls(bench: Start, app: App):
    app.documents["/in"] = "<Response><Pause length='7000'/></Response>"
    app.documents["/start"] = HANGUP
    one = await bench(
        Behaviour(name="x", share=1, waits_seconds=7000), max_lines=4, inbound_url=f"{app.base}/in"
    )
    for n in range(5):
        await one.admin("POST", f"people/{number(n)}/call_in")
    await app.until(lambda: len(app.at("/in")) == 2)
    exchange = one.carrier.exchange
    assert (exchange.lines_in_use, exchange.calls_in_refused) == (2, 3)
    assert (await app.final(await one.call(number(9))))["CallStatus"] == "completed"
    # One that ends makes room for another.
    (first, _) = exchange.live_calls()
    first.end(Status.COMPLETED, 200)
    await one.admin("POST", f"people/{number(6)}/call_in")
    await app.until(lambda: len(app.at("/in")) == 3)
    assert exchange.calls_in_refused == 3


async def test_the_only_line_may_take_a_call_in(bench: Start, app: App):
    app.documents["/in"] = HANGUP
    one = await bench(Behaviour(name="x", share=1), max_lines=1, inbound_url=f"{app.base}/in")
    await one.admin("POST", f"people/{number(1)}/call_in")
    await app.until(lambda: len(app.at("/in")) == 1)


async def test_lines_are_freed_by_calls_that_never_ring(bench: Start, app: App):
    one = await bench(Behaviour(name="x", share=1, pickup=Pickup.BUSY), max_lines=1)
    for sid in [await one.call(number(n)) for n in range(5)]:
        assert (await app.final(sid))["CallStatus"] == "busy"
    assert (await one.admin("GET", "rings"))["not_rung"] == 5


async def test_a_lifted_limit_places_what_waited(bench: Start):
    one = await bench(make_line=DeviceLine, max_lines=1)
    line = one.carrier.line
    assert isinstance(line, DeviceLine)
    phones = [line.phone(number(n)) for n in range(3)]
    for n in range(3):
        await one.call(number(n))
    await phones[0].rings()
    assert (await one.admin("GET", "rings"))["queued"] == 2
    await one.admin("PUT", "limits", {"calls_per_second": 1000, "max_lines": 3})
    for phone in phones[1:]:
        await phone.rings()


async def test_the_queue_time_is_told(bench: Start, app: App):
    one = await bench(
        Behaviour(name="x", share=1, pickup=Pickup.BUSY, ring_after_seconds=(0, 0)), calls_per_second=1.0
    )
    both = await asyncio.gather(one.call(TO), one.call(TO))
    told = []
    for sid in both:
        await app.final(sid)
        told.append(int(str((await one.client.calls(sid).fetch_async()).queue_time)))
    assert 20 <= max(told) <= 5000
