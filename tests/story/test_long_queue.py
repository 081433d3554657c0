"""Two thousand wait at one call a second, and fifty who cannot wait arrive last."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bench.backlog import FIRST, fill
from dialer.case_page.reading import show_case
from dialer.core.timeline import WaitReason
from dialer.core.values import Grade
from dialer.db import tables as t
from tests.control.scene import Scene
from tests.control.test_after_an_outage import dial_for, most_within

pytestmark = pytest.mark.story


def test_fifty_extra_high_that_come_last_go_first_and_the_others_know_why_they_wait(scene: Scene):
    fill(scene.store, count=2000, before=0, policy=scene.policy_version, now=scene.clock.now())
    scene.lines(calls_per_second=1.0, lines=10)
    scene.do(sa.update(t.line_group).values(next_slot_at=scene.clock.now()))
    people = [scene.person(name=f"急{n}", phones=(f"+861370000{n:04d}",)) for n in range(50)]
    urgent = {scene.open_case(grade=Grade.EXTRA_HIGH, person_id=person_id) for person_id in people}
    waiting = show_case(scene.services, FIRST).waiting
    assert waiting is not None
    assert waiting.reason is WaitReason.QUEUE
    left = sorted(dial_for(scene, 60))
    order = [case_id for _, case_id in left]
    assert set(order[:50]) == urgent
    # The rest of the minute is theirs who have waited longest.
    assert len(order) >= 57
    assert set(order[50:]) <= set(range(FIRST, FIRST + 2000))
    opened = {row["id"]: row["opened_at"] for row in scene.rows(sa.select(t.case.c.id, t.case.c.opened_at))}
    oldest = sorted((at, case_id) for case_id, at in opened.items() if case_id not in urgent)
    assert [case_id for _, case_id in oldest[: len(order) - 50]] == order[50:]
    assert most_within([moment for moment, _ in left], 10) <= 11
