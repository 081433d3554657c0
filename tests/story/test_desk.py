"""A call handed over on the real carrier: the desk answers, does not, or is left, and the assignment says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from carrier.people import Behaviour
from dialer.core.access import DESK
from dialer.db import tables as t
from tests.story.world import COOPERATES, DESK_NUMBER, World

pytestmark = pytest.mark.story

ASKS = replace(COOPERATES, name="asks", keys=("1", "0"), key_after_seconds=(1, 1))
OFFICER = Behaviour(name="officer", answer_after_seconds=(2, 2), hang_up_after_seconds=(40, 40))


def assignment(w: World, case_id: int) -> dict[str, Any]:
    (one,) = w.scene.assignments_of(case_id)
    return one


def officer(w: World, behaviour: Behaviour) -> None:
    w.carrier.line.assign(DESK_NUMBER, behaviour)  # type: ignore[attr-defined]  # it is simulated here


async def test_the_desk_that_answers_has_the_assignment_while_they_speak(w: World):
    officer(w, replace(OFFICER, hang_up_after_seconds=(600, 600)))
    case_id = w.open_case(behaviour=ASKS)
    await w.until(lambda: [a["signed_by"] for a in w.scene.assignments_of(case_id)] == [DESK])
    assert w.attempt(case_id)["state"] == "answered"


async def test_a_desk_that_does_not_answer_leaves_it_at_the_top_and_the_script_goes_on(w: World):
    officer(w, replace(OFFICER, answer_after_seconds=(500, 500)))
    case_id = w.open_case(behaviour=ASKS)
    await w.until_over(case_id)
    assert (assignment(w, case_id)["state"], assignment(w, case_id)["signed_by"]) == ("open", None)
    assert w.attempt(case_id)["last_node"] == "officer_busy"


async def test_whoever_hangs_up_during_the_talk_has_been_taken(w: World):
    officer(w, replace(OFFICER, hang_up_after_seconds=(600, 600)))
    case_id = w.open_case(behaviour=replace(ASKS, hang_up_after_seconds=(120, 120)))
    await w.until_over(case_id)
    kept = "kind = 'desk'"
    await w.until(lambda: len(w.scene.rows(sa.select(t.event).where(sa.text(kept)))) == 2)
    assert assignment(w, case_id)["signed_by"] == DESK


async def test_whoever_hangs_up_while_the_desk_rings_is_called_by_a_person(w: World):
    officer(w, replace(OFFICER, answer_after_seconds=(500, 500)))
    paid = replace(ASKS, keys=("1", "3"), hang_up_after_seconds=(48, 48))
    case_id = w.open_case(behaviour=paid)
    await w.until_over(case_id)
    assert (assignment(w, case_id)["state"], assignment(w, case_id)["reason"]) == ("open", "already_paid")
    assert w.scene.rows(sa.select(t.stop_payment).where(t.stop_payment.c.case_id == case_id))
