"""A proxy that refuses our sound: people hear nothing, nobody is blamed, and dialling goes on when it is mended."""

from __future__ import annotations

import pytest

from dialer.core.events import AlarmCode
from tests.story.world import World

pytestmark = pytest.mark.story


async def test_sound_that_is_refused_stops_dialling_until_it_can_be_fetched(w: World):
    w.has_sound = False
    case_id = w.open_case()
    await w.until_over(case_id)
    row = w.attempt(case_id)
    assert (row["result"], row["contact"]) == ("dead_air", "none")
    assert w.scene.group().sound.is_open
    assert AlarmCode.PROMPTS_MISSING in w.scene.alarms_of(None)
    assert w.scene.case_of(case_id).robot.tries == 0
    called = w.calls
    other = w.open_case()
    for _ in range(5):
        await w.tick()
    assert w.calls == called, "nobody is called meanwhile"
    w.has_sound = True
    await w.until_over(other)
    assert not w.scene.group().sound.is_open
    assert w.attempt(other)["result"] == "answered"
