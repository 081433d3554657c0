"""Some days of a small made-up bureau: nobody off duty is told of work, and each task is taken or escalated in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bench.bureau import Bureau
from bench.bureau_town import Size
from bench.year_clock import Clock
from tests.control.scene import Scene


def test_some_days_of_a_small_bureau_hold_what_the_policy_promises(fresh_database: str):
    scene = Scene(fresh_database)
    clock = Clock(datetime(2026, 3, 1, 0, 30, tzinfo=UTC))
    services = replace(scene.services, clock=clock, real=clock)
    size = Size(counties=1, stations=2)
    found = Bureau(services, clock, size=size, tasks=12, days=3, seed=7).run().plain()
    scene.close()
    assert found["wrong"] == []
    assert found["tasks"] >= 12
    assert sum(found["accepted_at"].values()) + found["not_needed_any_more"] >= found["tasks"] - 2
    assert found["handed_over_at_the_end_of_a_shift"] + sum(found["changes"].values()) > 3
