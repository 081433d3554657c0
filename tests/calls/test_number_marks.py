"""Our number is marked as a nuisance: what counts, and who is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from dialer.calls.number_marks import NumberMarks, number_marks, watch_number
from dialer.db import tables as t
from tests.control.scene import Scene


def called(scene: Scene, codes: list[int | None], *, hours_ago: float = 1.0) -> None:
    """Calls that ended so long ago with these SIP codes."""
    at = scene.clock.now() - timedelta(hours=hours_ago)
    for code in codes:
        case_id = scene.open_case()
        with scene.tx() as tx:
            values: dict[str, Any] = {
                "state": "ended",
                "result": "rejected",
                "sent_at": at,
                "ended_at": at + timedelta(seconds=20),
                "sip_code": code,
            }
            tx.execute(sa.update(t.attempt).where(t.attempt.c.case_id == case_id).values(values))


def alarms(scene: Scene) -> list[dict[str, Any]]:
    return scene.rows(sa.select(t.alarm).where(t.alarm.c.code == "number_marked"))


def test_calls_refused_as_unwanted_mark_the_number_and_raise_an_alarm_once(scene: Scene):
    called(scene, [607, 608, 603, 486, None, 200])
    assert number_marks(scene.services) is None
    assert not watch_number(scene.services)
    called(scene, [607], hours_ago=5)
    found = number_marks(scene.services)
    assert found is not None
    assert (found.calls, found.marked) == (7, 3)
    assert found.since == scene.clock.now() - timedelta(hours=5) + timedelta(seconds=20)
    for _ in range(2):
        assert watch_number(scene.services)
    [alarm] = alarms(scene)
    assert (alarm["times"], alarm["facts"]["names"]) == (1, [scene.services.centre.callback_number])
    told = alarm["facts"]["problem"]["values"]
    assert (told["marked"], told["calls"]) == ("3", "7")


def test_what_is_older_than_a_day_is_over(scene: Scene):
    called(scene, [607, 607, 608], hours_ago=23.5)
    assert number_marks(scene.services) is not None
    scene.later(hours=1)
    assert number_marks(scene.services) is None


def test_a_small_share_is_no_mark(scene: Scene):
    called(scene, [607] * 3 + [200] * 200)
    assert number_marks(scene.services) is None


@given(st.integers(0, 500), st.integers(0, 500), st.floats(0.1, 100))
def test_a_number_is_marked_by_three_calls_and_the_share(calls: int, marked: int, least: float):
    marks = NumberMarks(calls=calls + marked, marked=marked, since=None)
    assert 0 <= marks.percent <= 100
    is_enough = marked >= 3 and marked * 100 >= least * (calls + marked)
    assert marks.is_nuisance(least_percent=least) is is_enough or abs(marks.percent - least) < 1e-9
    assert not NumberMarks(calls=0, marked=0, since=None).is_nuisance(least_percent=least)
