"""A number is called so often in an hour and in a day, over all cases, and no oftener."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from dialer.calls.events import number_limits, rest_numbers
from dialer.cases.attempts import NumberLimits, rest_called_numbers
from dialer.core.values import TelephonyResult
from dialer.db import tables as t
from tests.control.scene import Scene
from tests.outcomes.town import MORNING

BLIND = b"a number"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def scene(shared: Scene) -> Scene:
    shared.do(sa.delete(t.live_number))
    shared.clock.set(MORNING)
    return shared


def ends(scene: Scene, limits: NumberLimits, *, at: datetime) -> datetime:
    """A call to the number ends; returns when the number may be called again."""
    call_id = uuid.uuid4()
    with scene.tx() as tx:
        taken = sa.update(t.live_number).values(attempt_id=call_id, free_at=None)
        if not tx.execute(taken).rowcount:
            tx.execute(sa.insert(t.live_number).values(phone_blind=BLIND, attempt_id=call_id))
        at_limit = rest_called_numbers(tx, {call_id: TelephonyResult.BUSY}, limits, now=at)
        [row] = tx.rows(sa.select(t.live_number))
    assert row["attempt_id"] is None
    free_at: datetime = row["free_at"]
    assert at_limit == ({call_id: free_at} if free_at > at + timedelta(seconds=limits.rest_seconds) else {})
    return free_at


def test_a_number_rests_after_each_call_and_waits_for_the_hour_after_the_last_that_it_may_have(scene: Scene):
    limits = NumberLimits(rest_seconds=60, an_hour=3, a_day=100)
    rest = timedelta(seconds=60)
    assert ends(scene, limits, at=MORNING) == MORNING + rest
    assert ends(scene, limits, at=MORNING + 2 * rest) == MORNING + 3 * rest
    assert ends(scene, limits, at=MORNING + 4 * rest) == MORNING + HOUR
    # The first of the hour is over: one more, and then the second one's hour counts.
    assert ends(scene, limits, at=MORNING + HOUR) == MORNING + 2 * rest + HOUR
    assert ends(scene, limits, at=MORNING + 5 * HOUR) == MORNING + 5 * HOUR + rest


def test_a_number_waits_for_the_day_after_the_last_that_it_may_have(scene: Scene):
    limits = NumberLimits(rest_seconds=60, an_hour=2, a_day=3)
    assert ends(scene, limits, at=MORNING) == MORNING + timedelta(seconds=60)
    assert ends(scene, limits, at=MORNING + 2 * HOUR) == MORNING + 2 * HOUR + timedelta(seconds=60)
    assert ends(scene, limits, at=MORNING + 4 * HOUR) == MORNING + DAY
    assert ends(scene, limits, at=MORNING + DAY) == MORNING + DAY + 2 * HOUR


@given(
    gaps=st.lists(st.integers(0, 30_000), min_size=1, max_size=40),
    an_hour=st.integers(1, 5),
    a_day=st.integers(1, 8),
)
def test_no_hour_and_no_day_has_more(shared: Scene, gaps: list[int], an_hour: int, a_day: int):
    limits = NumberLimits(rest_seconds=60, an_hour=an_hour, a_day=a_day)
    shared.do(sa.delete(t.live_number))
    at, seen = MORNING, []
    for gap in gaps:
        at = ends(shared, limits, at=at) + timedelta(seconds=gap)
        seen.append(at)
    for most, within in ((an_hour, HOUR), (a_day, DAY)):
        # A call that may begin at the end of the rest ends no earlier.
        assert all(later - earlier >= within for earlier, later in zip(seen, seen[most:], strict=False))
    [row] = shared.rows(sa.select(t.live_number))
    assert len(row["called_at"]) == min(len(gaps), max(an_hour, a_day))


def test_a_case_whose_number_was_called_as_often_as_it_may_be_has_an_alarm(scene: Scene):
    attempt = scene.attempt_of(scene.open_case())
    limits = number_limits(scene.services)
    minute = timedelta(minutes=1)
    for number in range(limits.an_hour - 1):
        with scene.tx() as tx:
            row = {"phone_blind": BLIND, "attempt_id": attempt["id"], "called_at": [MORNING] * number}
            tx.execute(sa.delete(t.live_number))
            tx.execute(sa.insert(t.live_number).values(row))
            rest_numbers(tx, scene.services, {attempt["id"]: TelephonyResult.BUSY}, now=MORNING + minute)
        assert scene.rows(sa.select(t.alarm).where(t.alarm.c.code == "number_at_limit")) == []
    with scene.tx() as tx:
        given_row = {
            "phone_blind": BLIND,
            "attempt_id": attempt["id"],
            "called_at": [MORNING] * (limits.an_hour - 1),
        }
        tx.execute(sa.delete(t.live_number))
        tx.execute(sa.insert(t.live_number).values(given_row))
        rest_numbers(tx, scene.services, {attempt["id"]: TelephonyResult.BUSY}, now=MORNING + minute)
    [alarm] = scene.rows(sa.select(t.alarm).where(t.alarm.c.code == "number_at_limit"))
    assert alarm["case_id"] == attempt["case_id"]
    assert alarm["facts"] == {"until": (MORNING + HOUR).isoformat()}


@pytest.mark.parametrize("result", [TelephonyResult.FAILED, TelephonyResult.BLOCKED])
def test_what_the_network_did_not_put_through_is_no_call_to_the_number(scene: Scene, result: TelephonyResult):
    attempt = scene.attempt_of(scene.open_case())
    with scene.tx() as tx:
        tx.execute(sa.insert(t.live_number).values(phone_blind=BLIND, attempt_id=attempt["id"]))
        rest_numbers(tx, scene.services, {attempt["id"]: result}, now=MORNING)
    [row] = scene.rows(sa.select(t.live_number))
    rest = timedelta(seconds=number_limits(scene.services).rest_seconds)
    assert (row["called_at"], row["free_at"], row["attempt_id"]) == ([], MORNING + rest, None)
