"""A life leaves nothing for the garbage collector: what refers to itself is freed by it alone, and cost a fifth of the
carrier's processor time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from carrier.people import Behaviour
from tests.carrier.stage import App, Start
from tests.carrier.test_lives import QUICK, script


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


async def test_a_life_leaves_no_cycles(bench: Start, app: App, no_collector: None):
    script(app)
    view = await bench(Behaviour(name="cooperates", share=1, keys=("1", "2", "3"), **QUICK))
    sid = await view.call(
        record=True,
        machine_detection="Enable",
        async_amd="true",
        async_amd_status_callback=f"{app.base}/amd",
    )
    await app.final(sid)
    await app.until(lambda: bool(app.at("/amd")))
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    left = [kept for kept in gc.garbage if getattr(kept, "__module__", "").startswith("carrier.")]
    assert [repr(kept)[:80] for kept in left] == []
