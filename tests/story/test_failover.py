"""Calls are placed, the database fails over to a standby that lacks its last moments, and nobody is called twice."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import sqlalchemy as sa

from carrier.people import Behaviour, Pickup
from dialer.calls.comparison import NotCompared, read_awaited
from dialer.calls.pauses import pause_calls, read_standing_pauses
from dialer.core.access import unrestricted
from dialer.core.values import PauseScope
from dialer.db import tables as t
from dialer.db.migrations import migrate_database
from dialer.runtime.embedded import ensure_servers
from tests.control.scene import Scene
from tests.standby import standby_of
from tests.story.world import world

pytestmark = pytest.mark.story

ABSENT = Behaviour(name="absent", share=1, pickup=Pickup.BUSY, ring_after_seconds=(1, 1))


async def test_what_a_failover_lost_is_taken_over_from_the_carrier_and_dialling_resumes(tmp_path: Path):
    with ensure_servers(tmp_path / "theirs", valkey=False, ephemeral=True) as servers:
        assert servers.owner_url
        engine = sa.create_engine(servers.owner_url)
        migrate_database(engine)
        engine.dispose()
        with standby_of(servers) as standby:
            scene = Scene(standby.urls)
            async with world(scene, tmp_path / "carrier") as w:
                known, talked, missed, waiting = (
                    w.open_case(),
                    w.open_case(),
                    w.open_case(behaviour=ABSENT),
                    w.open_case(),
                )
                held = [w.attempt(case_id)["id"] for case_id in (talked, missed, waiting)]
                for attempt_id in held:
                    scene.change_attempt(attempt_id, held=True)
                await w.until_over(known)
                for attempt_id in held[:2]:
                    scene.change_attempt(attempt_id, held=False)
                standby.catch_up()
                standby.cut_off()
                await w.until_over(talked, missed)
                assert w.calls == 3
                os.kill(servers.process_numbers()["postgres"], signal.SIGQUIT)
                standby.promote()
                assert [w.attempt(case_id)["state"] for case_id in (talked, missed)] == ["ready", "ready"]

                scene.change_attempt(held[2], held=False)
                await w.until(lambda: read_awaited(scene.services))
                with pytest.raises(NotCompared):
                    pause_calls(scene.services, unrestricted("li"), scope=PauseScope.ALL, minutes=1, why="x")
                assert w.calls == 3
                await w.until(lambda: not read_awaited(scene.services))
                await w.until_over(waiting)
                # Only who had not been called is; who was missed is called again at its time, as a second attempt.
                assert w.calls == 4
                assert [w.attempt(case_id)["result"] for case_id in (talked, missed)] == ["unknown", "busy"]
                assert {row["kind"] for row in scene.assignments_of(talked)} == {"human"}
                assert read_standing_pauses(scene.services) == []
                [alarm] = scene.rows(sa.select(t.alarm).where(t.alarm.c.code == "database_failed_over"))
                assert (alarm["times"], alarm["facts"]["problem"]["values"]["calls"]) == (2, "2")
                assert [
                    row["act"] for row in scene.rows(sa.select(t.audit.c.act).order_by(t.audit.c.id))
                ] == [
                    "failover",
                    "restore.compared",
                    "resume",
                ]
            scene.close()
