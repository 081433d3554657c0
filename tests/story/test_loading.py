"""The same list loaded twice at once: nobody is lost, and nobody becomes two."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from chaos.targets import targets
from dialer.store import tables as t
from dialer.usecases.load_list import load_list, load_report, submit_list
from tests.ops.scene import Scene

pytestmark = pytest.mark.story


def test_the_same_list_twice_at_once_counts_everybody_once(fresh_database: str):
    scene = Scene(fresh_database)
    try:
        load_ids = [
            submit_list(
                scene.engine,
                io.BytesIO(targets("twice", count=60)),
                filename="list.csv",
                source="bureau",
                by="story",
            )
            for _ in range(2)
        ]
        with ThreadPoolExecutor(2) as both:
            list(both.map(lambda load_id: load_list(scene.engine, load_id), load_ids))
        reports = [load_report(scene.engine, load_id) for load_id in load_ids]
        cases = scene.rows(sa.select(sa.func.count().label("n")).select_from(t.case))[0]["n"]
    finally:
        scene.close()
    accepted, merged = sum(r.accepted for r in reports), sum(r.merged for r in reports)
    assert accepted == 60
    assert sum(r.duplicate for r in reports) == 60
    assert cases == accepted - merged
