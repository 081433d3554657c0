"""Answered is not dissuaded: whoever or whatever picks up, nothing counts as a success that was not."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from carrier.people import Behaviour
from dialer.core.values import Grade
from dialer.db import tables as t
from tests.story.world import World

pytestmark = pytest.mark.story

GOOD_KEYS = ("1", "1", "1")
QUICK = {"ring_after_seconds": (1, 1), "answer_after_seconds": (2, 2)}
NOT_DISSUADED = {
    "voicemail": {"answered_by": "machine_start", "verdict_after_seconds": 3.0, "line_result": "voicemail"},
    "machine_unknown": {"answered_by": "unknown", "hang_up_after_seconds": (20, 20)},
    "three_seconds": {"keys": ("1",), "hang_up_after_seconds": (3, 3)},
    "forwarded_to_somebody_who_presses_all_keys": {"keys": GOOD_KEYS, "line_result": "forwarded"},
    "wrong_keys": {"keys": ("5", "7", "8", "6", "5")},
    "hung_up_before_the_warning_ended": {"keys": ("1",), "hang_up_after_seconds": (6, 6)},
    "verdict_after_the_call_ended": {
        "answered_by": "machine_start",
        "verdict_after_seconds": 8.0,
        "hang_up_after_seconds": (7, 7),
    },
}


@pytest.mark.parametrize("who", list(NOT_DISSUADED))
async def test_who_was_not_dissuaded_is_no_success_and_the_case_goes_on(w: World, who: str):
    case_id = w.open_case(
        grade=Grade.HIGH, behaviour=Behaviour(name=who, share=1, **QUICK, **NOT_DISSUADED[who])
    )
    await w.until_over(case_id)
    row, case = w.attempt(case_id), w.scene.case_of(case_id)
    assert row["contact"] != "verified"
    assert case.contact != "verified"
    assert case.status == "open"
    assert not w.scene.rows(sa.select(t.outcome.c.id).where(t.outcome.c.contact == "verified"))
    # Somebody is on it: another ring, or a person.
    assert len(w.scene.attempts_of(case_id)) > 1 or w.scene.assignments_of(case_id)


async def test_who_listens_and_presses_the_right_keys_is_one_and_provisional(w: World):
    case_id = w.open_case(
        grade=Grade.HIGH,
        behaviour=Behaviour(name="listens", share=1, keys=GOOD_KEYS, key_after_seconds=(5, 5), **QUICK),
    )
    await w.until_over(case_id)
    assert w.attempt(case_id)["contact"] == "verified"
    assert w.scene.case_of(case_id).status == "watching"
