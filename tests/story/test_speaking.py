"""People who speak instead of pressing: understood, and believed only with a key."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from carrier.people import Behaviour
from dialer.case_page.reading import show_case
from dialer.core.timeline import EntryKind
from dialer.db import tables as t
from tests.story.world import COOPERATES, World

pytestmark = pytest.mark.story


def speaker(*says: str, keys: tuple[str, ...] = ()) -> Behaviour:
    return replace(COOPERATES, name="speaker", says=says, keys=keys, key_after_seconds=(1, 1))


async def test_spoken_answers_that_keys_confirm_are_a_success(w: World):
    case_id = w.open_case(behaviour=speaker("是我", "", "有的", "明白了", keys=("", "1", "", "", "1")))
    await w.until_over(case_id)
    row = w.attempt(case_id)
    assert (row["contact"], row["answer"], row["last_node"]) == ("verified", "acknowledged", "goodbye")
    assert w.scene.case_of(case_id).outcome == "dissuaded_by_phone"


async def test_without_a_single_key_nobody_is_verified_whatever_they_say(w: World):
    says = ("是我", "我是本人", "是我本人", "明白了", "我不转了")
    case_id = w.open_case(behaviour=speaker(*says))
    await w.until_over(case_id)
    row = w.attempt(case_id)
    assert row["contact"] == "unverified"
    assert row["answer"] != "acknowledged"
    assert w.scene.case_of(case_id).outcome is None


async def test_an_acknowledgement_that_is_only_said_is_none(w: World):
    case_id = w.open_case(behaviour=speaker("", "", "明白了", "明白了", "明白了", keys=("1", "1")))
    await w.until_over(case_id)
    row = w.attempt(case_id)
    assert (row["contact"], row["answer"], row["last_node"]) == ("verified", "doubtful", "unsure")
    assert w.scene.assignments_of(case_id)


async def test_whoever_says_that_they_have_paid_is_believed_at_once(w: World):
    case_id = w.open_case(behaviour=speaker("", "我已经转了", keys=("1", "")))
    await w.until_over(case_id)
    assert w.attempt(case_id)["answer"] == "already_paid"
    assert w.scene.rows(sa.select(t.stop_payment).where(t.stop_payment.c.case_id == case_id))


async def test_the_timeline_tells_that_it_was_said_and_the_words_stay_sealed(w: World):
    case_id = w.open_case(behaviour=speaker("转人工"))
    await w.until_over(case_id)
    told = [e.facts for e in show_case(w.scene.services, case_id).file.timeline if e.kind is EntryKind.SPOKEN]
    assert (told[1]["heard_at"], told[1]["key"], told[1]["spoke"]) == ("identity", "", True)
    assert "转人工" not in str(w.scene.rows(sa.select(t.event.c.facts)))
