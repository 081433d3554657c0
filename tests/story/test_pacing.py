"""The pace as the carrier sees it: never exceeded, nearly all of it used while there is work, within the lines."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from bench.pacing import most_within
from carrier.people import Behaviour, Pickup
from dialer.calls.dial import dial
from dialer.runtime.services import LineRules
from tests.story.world import World

pytestmark = pytest.mark.story

BUSY = Behaviour(name="busy", share=1, pickup=Pickup.BUSY, ring_after_seconds=(1, 1))
PACE = 10.0
LINES = 40
WINDOW_SECONDS = 10
PATIENCE_SECONDS = 120.0


async def test_counted_at_the_carrier_the_pace_is_used_and_never_exceeded(w: World):
    """With work all the time, until some ten seconds have used the pace as they should: on a machine that is very busy
    with other things that takes a while.
    """
    w.scene.services = replace(w.scene.services, lines=LineRules())
    w.scene.lines(calls_per_second=PACE, lines=LINES)
    _open(w, 150)
    began = time.monotonic()
    stop = asyncio.Event()
    feeding = asyncio.create_task(_feed(w, stop))
    dialling = asyncio.create_task(_dial(w, stop))
    try:
        while most_within(moments := _moments(w), WINDOW_SECONDS) < 0.95 * PACE * WINDOW_SECONDS:
            assert time.monotonic() - began < PATIENCE_SECONDS, f"only {len(moments)} calls"
            await asyncio.sleep(0.1)
    finally:
        stop.set()
        await asyncio.gather(feeding, dialling)
    moments = _moments(w)
    for span in (10, 11, 12.5, 15, 20, 30):
        assert most_within(moments, span) <= PACE * span + 1
    assert w.carrier.exchange.peak_lines <= LINES


def _moments(w: World) -> list[float]:
    return sorted(call.created for call in w.carrier.exchange.newest_first())


async def _feed(w: World, stop: asyncio.Event) -> None:
    """There is always somebody to ring; little by little, so that the feeding itself does not starve the dialling."""
    while not stop.is_set():
        await asyncio.to_thread(_open, w, 1)
        await asyncio.sleep(0.8 / PACE)


def _open(w: World, count: int) -> None:
    for _ in range(count):
        w.open_case(behaviour=BUSY)


async def _dial(w: World, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await dial(w.scene.services, w.client, for_seconds=20.0, stopping=stop.is_set)
        await asyncio.sleep(0.02)
