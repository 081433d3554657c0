"""A call at the real carrier speaks the version that was live when it was placed, and its row says so."""

from __future__ import annotations

import pytest

from dialer.script_versions.actions import seed_scripts
from dialer.scripts.store import live_scripts, script_version_by_id
from tests.story.world import World

pytestmark = pytest.mark.story


async def test_a_call_is_placed_with_the_live_version_and_walks_it(w: World):
    with w.scene.tx() as tx:
        seed_scripts(tx, now=w.scene.services.clock.now())
        live = live_scripts(tx)["loan"]
        version = script_version_by_id(tx, live.version_id)
    case_id = w.open_case()
    await w.until_over(case_id)
    row = w.attempt(case_id)
    assert (row["script_id"], row["script_version_id"]) == ("loan", live.version_id)
    assert (row["script_hash"], row["audio_hash"]) == (version.content_hash, live.audio_hash)
    assert (row["result"], bool(row["last_node"])) == ("answered", True)
