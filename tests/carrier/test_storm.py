"""Everything wrong at once: the counts still hold, and the same seed gives the same storm."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from twilio.base.exceptions import TwilioException

from tests.carrier.stage import App, DeskView, Start
from tests.carrier.test_lives import script

CALLS = 80
STORM = {
    "refuse_connection": {"probability": 0.05},
    "too_many": {"probability": 0.05},
    "error_before": {"probability": 0.05},
    "accept_then_error": {"probability": 0.05},
    "accept_then_timeout": {"probability": 0.05, "seconds": 0.05},
    "webhook_delay": {"probability": 0.2, "seconds": 0.05},
    "webhook_drop": {"probability": 0.1},
    "webhook_double": {"probability": 0.2},
    "webhook_reorder": {"probability": 0.2},
    "twiml_skip": {"probability": 0.1},
    "answer_on_cancel": {"probability": 0.5},
}


async def storm(one: DeskView, app: App) -> dict[str, int]:
    """Orders calls one after the other; returns how each creation ended."""
    ends: dict[str, int] = {}
    for n in range(CALLS):
        try:
            await one.call(f"+86138001{n:05d}", status_callback=f"{app.base}/status?attempt={n}")
            end = "accepted"
        except TwilioException as refused:
            end = str(getattr(refused, "code", "?"))
        except aiohttp.ClientError:
            end = "cut off"
        ends[end] = ends.get(end, 0) + 1
    return ends


async def calm(one: DeskView) -> dict[str, int]:
    """Waits until no call is live; returns the counts."""
    async with asyncio.timeout(60):
        while True:
            counts = await one.admin("GET", "rings")
            if counts["lines_in_use"] == 0 and counts["queued"] == 0:
                return counts
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("seed", ["1", "2"])
async def test_a_storm_loses_no_call_and_calls_nobody_twice(bench: Start, app: App, seed: str):
    script(app)
    one = await bench(seed=seed, max_lines=20, attempt_pattern=r"attempt=(\d+)")
    await one.admin("PUT", "faults", STORM)
    ends = await storm(one, app)
    counts = await calm(one)
    by_status = counts["by_status"]
    assert isinstance(by_status, dict)
    assert counts["max_rings_per_attempt"] == 1
    assert counts["rings"] + counts["not_rung"] == counts["calls"] == sum(by_status.values())
    assert counts["peak_lines"] <= 20
    assert counts["calls"] >= ends["accepted"]
    listed = await one.client.calls.list_async(page_size=7)
    assert len(listed) == counts["calls"]
    assert all(str(call.status) in by_status for call in listed)
    assert all(heard.signed for heard in app.heard)
    for n in range(CALLS):
        same = [call for call in listed if call.to == f"+86138001{n:05d}"]
        assert (await one.admin("GET", f"rings?attempt={n}"))["rings"] <= len(same) <= 1


async def test_the_same_seed_gives_the_same_fate_to_every_order(bench: Start, app: App):
    app.documents["/start"] = "<Response/>"
    fates = []
    for state in ("a", "b"):
        one = await bench(state=state, seed="9")
        await one.admin("PUT", "faults", {name: STORM[name] for name in list(STORM)[:5]})
        ends = await storm(one, app)
        counts = await calm(one)
        fates.append((ends, counts["by_status"], counts["rings"], counts["refused"]))
    assert fates[0] == fates[1]
    assert len(fates[0][0]) >= 5
