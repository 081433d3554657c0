"""A dissuaded person is called again in the watch period, and what they say then counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from carrier.people import Behaviour
from dialer.core.case import FollowUp
from dialer.core.policy import to_plain
from dialer.core.rates import Counts, Period
from dialer.core.values import Grade, Track
from dialer.db import tables as t
from dialer.db.policies import ensure_policy_version
from dialer.figures.progress import read_progress
from tests.core.samples import GRADES, POLICY
from tests.figures.sources import figures
from tests.story.world import World

pytestmark = pytest.mark.story

QUICK = {
    "share": 1.0,
    "ring_after_seconds": (1, 1),
    "answer_after_seconds": (2, 2),
    "key_after_seconds": (5, 5),
}
LISTENS = Behaviour(name="listens", keys=("1", "1", "1"), **QUICK)
SAYS_PAID = Behaviour(name="says_paid", keys=("1", "3"), **QUICK)
SAYS_NOTHING_HAPPENED = Behaviour(name="says_nothing_happened", keys=("1", "2", "1"), **QUICK)
SOON = replace(
    POLICY,
    grades={
        grade: replace(rules, follow_up_by=Track.ROBOT, follow_up_after_seconds=600)
        for grade, rules in GRADES.items()
    },
)


def counts(w: World) -> Counts:
    with w.scene.tx() as tx:
        return figures(tx, Period(), drill=w.scene.drill, now=w.scene.services.clock.now()).total.counts


def answer_differently(w: World, n: int, behaviour: Behaviour) -> None:
    w.carrier.line.assign(f"+861990000{n:04d}", behaviour)


async def test_of_a_person_who_has_paid_since_opens_the_case_again_and_reverses_the_figure(w: World):
    with w.scene.tx() as tx:
        w.scene.policy_version = ensure_policy_version(tx, to_plain(SOON), now=w.scene.clock.now())
    paid, safe = (w.open_case(grade=Grade.HIGH, behaviour=LISTENS) for _ in range(2))
    await w.until(lambda: {w.scene.case_of(one).status for one in (paid, safe)} == {"watching"})
    assert w.scene.case_of(paid).follow_up.by is Track.ROBOT
    assert (counts(w).dissuaded, counts(w).robot_calls) == (2, 2)
    answer_differently(w, 1, SAYS_PAID)
    answer_differently(w, 2, SAYS_NOTHING_HAPPENED)

    await w.until(lambda: all(w.newest(one)["n"] == 2 for one in (paid, safe)))
    await w.until(lambda: all(w.newest(one)["state"] == "ended" for one in (paid, safe)))
    second = w.newest(paid)
    assert (second["reason"], second["script_id"], second["answer"]) == (
        "follow_up",
        "follow_up",
        "already_paid",
    )
    assert w.times_called(second) == 1

    case = w.scene.case_of(paid)
    assert (case.status, case.reopened) == ("open", True)
    assert [(row["kind"], row["reason"]) for row in w.scene.assignments_of(paid)] == [
        ("human", "already_paid")
    ]
    assert len(w.scene.rows(sa.select(t.stop_payment).where(t.stop_payment.c.case_id == paid))) == 1
    first, undone = w.scene.rows(
        sa.select(t.outcome).where(t.outcome.c.case_id == paid).order_by(t.outcome.c.id)
    )
    assert (first["kind"], first["reverses"]) == ("dissuaded_by_phone", None)
    assert (undone["reason"], undone["reverses"]) == ("follow_up", first["id"])

    case = w.scene.case_of(safe)
    assert (case.status, case.follow_up) == ("watching", FollowUp())
    now = counts(w)
    assert (now.dissuaded, now.cases_open) == (1, 1)
    assert now.robot_calls == 2, "follow-ups are no warning calls"
    with w.scene.tx() as tx:
        assert read_progress(tx).is_settled
