"""One answer to whether work is overdue: of a value and of a statement, in every combination of its parts."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product

import sqlalchemy as sa

from dialer.core.case import AssignmentState, VisitStage
from dialer.core.values import Grade, OutcomeKind, Track
from dialer.db import tables as t
from dialer.org.queries import Waiting, count_unit_work, work_of_unit
from dialer.work.assignments import (
    Scope,
    assignment_of,
    is_overdue,
    overdue_among,
    select_assignments,
)
from dialer.work.desk_store import desk_queue
from tests.outcomes.town import MORNING
from tests.work.bureau import Bureau

_CLOCKS = tuple(MORNING + timedelta(minutes=minutes) for minutes in (-1, 0, 1))
_KEPT = (None, *_CLOCKS)


def expected(
    state: AssignmentState,
    stage: VisitStage,
    sign_by: datetime,
    due_at: datetime,
    feedback_by: datetime,
    kept_until: datetime | None,
) -> bool:
    """As docs/metrics.md says it, step by step."""
    if state in {AssignmentState.DONE, AssignmentState.WITHDRAWN}:
        return False
    if kept_until is not None and kept_until > MORNING:
        return False
    if state is AssignmentState.OPEN:
        return sign_by <= MORNING or due_at <= MORNING
    has_arrived = stage in {VisitStage.ARRIVED, VisitStage.SEEN}
    return (feedback_by if has_arrived else due_at) <= MORNING


def test_a_value_and_a_statement_agree_in_every_combination(bureau: Bureau):
    case_id, unit_id = bureau.open_case(grade=Grade.MEDIUM), bureau.unit["市局"]
    stories = list(product(AssignmentState, VisitStage, _CLOCKS, _CLOCKS, _CLOCKS, _KEPT))
    done = {"done_by": "li", "done_at": MORNING, "outcome": OutcomeKind.REFUSES.value}
    rows = [
        {
            "id": 1_000 + n,
            "case_id": case_id,
            "kind": Track.VISIT.value,
            "state": state.value,
            "reason": "not_verified",
            "stage": stage.value,
            "unit": "市局",
            "unit_id": unit_id,
            "urgency_at": MORNING,
            "opened_at": MORNING,
            "sign_by": sign_by,
            "due_at": due_at,
            "feedback_by": feedback_by,
            "kept_until": kept_until,
            "drill": False,
            **(done if state is AssignmentState.DONE else dict.fromkeys(done)),
        }
        for n, (state, stage, sign_by, due_at, feedback_by, kept_until) in enumerate(stories)
    ]
    # Only here has one case so many open visits.
    bureau.do(sa.text("DROP INDEX uq_assignment_open"))
    bureau.do(sa.insert(t.assignment).values(rows))
    wanted = {1_000 + n for n, one in enumerate(stories) if expected(*one)}
    ids = [row["id"] for row in rows]
    with bureau.tx() as tx:
        read = [assignment_of(row) for row in tx.rows(select_assignments().where(t.assignment.c.id.in_(ids)))]
        stated = tx.rows(sa.select(t.assignment.c.id).where(t.assignment.c.id.in_(ids), is_overdue(MORNING)))
        assert len(read) == len(stories)
        assert {one.id for one in read if one.is_overdue(MORNING)} == wanted
        assert {row["id"] for row in stated} == wanted
        assert overdue_among(tx, ids, now=MORNING) == wanted
        assert overdue_among(tx, [], now=MORNING) == set()
        assert count_unit_work(tx, now=MORNING)[unit_id].overdue == len(wanted)
        listed = work_of_unit(tx, unit_id, which=Waiting.OVERDUE, now=MORNING, limit=len(stories))
        assert {one.id for one, _ in listed} == wanted


def test_the_desk_counts_a_call_past_its_time_to_sign_as_overdue(bureau: Bureau):
    case_id = bureau.open_case(grade=Grade.EXTRA_HIGH)
    task = bureau.assignment_of(case_id)
    assert task["sign_by"] < task["due_at"]
    with bureau.tx() as tx:
        before, after = (
            [one.overdue for one in desk_queue(tx, Scope(), now=now)]
            for now in (task["sign_by"] - timedelta(seconds=1), task["sign_by"])
        )
    assert (before, after) == ([0], [1])
