"""Lives of a replay, written into a database as the records of a period that has passed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from dialer.core.policy import Policy, to_plain
from dialer.core.values import Contact, OutcomeKind
from dialer.db import tables as t
from dialer.db.policies import ensure_policy_version
from dialer.db.unit_of_work import Tx
from dialer.whatif.engine import Life, Replayed
from dialer.whatif.generated import CALLS_PER_SECOND, LINES
from tests.core.samples import MORNING
from tests.outcomes.town import Scenario


def write_past(town: Scenario, replayed: Replayed, policy: Policy, *, end: datetime) -> None:
    """The lives as records; what had not happened at `end` is not there."""
    with town.tx() as tx:
        version = ensure_policy_version(tx, to_plain(policy), now=MORNING)
        tx.execute(
            sa.insert(t.line_group).values(
                name="default", lines=LINES, calls_per_second=CALLS_PER_SECOND, next_slot_at=MORNING
            )
        )
        first = int(tx.scalar(sa.text("SELECT coalesce(max(id), 0) + 1 FROM person")))
        written = list(enumerate(replayed.lives, first))
        _put(tx, t.person, (_person(n) for n, _ in written))
        _put(tx, t.case, (_case(n, life, version, drill=town.drill) for n, life in written))
        _put(tx, t.warning, (_warning(n, life, drill=town.drill) for n, life in written))
        _put(tx, t.attempt, (row for n, life in written for row in _attempts(n, life, end, drill=town.drill)))
        work = [_work(n, life, n * 100, drill=town.drill) for n, life in written]
        _put(tx, t.assignment, (task for tasks, _ in work for task in tasks))
        _put(tx, t.outcome, (line for _, lines in work for line in lines))


def _put(tx: Tx, table: sa.Table, rows: Iterable[dict[str, Any]]) -> None:
    if found := list(rows):
        tx.execute(sa.insert(table), found)


def _person(n: int) -> dict[str, Any]:
    return {"id": n, "name_blind": b"-", "numbers": 1, "sealed": b"-", "created_at": MORNING}


def _case(n: int, life: Life, version: int, *, drill: bool) -> dict[str, Any]:
    warned = life.warned
    return {
        "id": n,
        "person_id": n,
        "grade": warned.grade.value,
        "fraud_type": warned.fraud_type.value,
        "source": "s",
        "status": "closed",
        "contact": "none",
        "policy_version": version,
        "numbers": warned.numbers,
        "warnings": 1,
        "amount_at_risk_fen": warned.amount_fen,
        "missed": warned.missed,
        "opted_out": False,
        "drill": drill,
        "tags": [],
        "opened_at": warned.opened_at,
        "robot_state": "done",
        "robot_attempts": life.robot_calls,
        "robot_tries": life.robot_calls,
        "robot_own_faults": 0,
        "robot_number": 0,
        "robot_dead_numbers": [],
        "robot_reason": "none",
        "human_state": "none",
        "human_tries": 0,
        "human_reason": "none",
        "visit_state": "none",
        "visit_tries": 0,
        "visit_reason": "none",
    }


def _warning(n: int, life: Life, *, drill: bool) -> dict[str, Any]:
    return {
        "person_id": n,
        "case_id": n,
        "source": "s",
        "instruction_no": str(n),
        "kind": "telecom",
        "fraud_type": life.warned.fraud_type.value,
        "grade": life.warned.grade.value,
        "tags": [],
        "missed": life.warned.missed,
        "drill": drill,
        "notices": [],
        "loaded_at": life.warned.opened_at,
        "sealed": b"-",
    }


def _attempts(n: int, life: Life, end: datetime, *, drill: bool) -> Iterator[dict[str, Any]]:
    for number, (sent_at, call) in enumerate(life.calls, 1):
        ended_at = sent_at + timedelta(seconds=call.seconds)
        is_over = ended_at < end
        yield {
            "id": uuid.uuid5(uuid.NAMESPACE_OID, f"{n}/{number}"),
            "case_id": n,
            "person_id": n,
            "n": number,
            "number": 0,
            "state": "ended" if is_over else "answered",
            "reason": "new_warning",
            "windowed": True,
            "urgency_at": sent_at,
            "not_before": sent_at,
            "planned_at": life.warned.opened_at,
            "sent_at": sent_at,
            "sid": f"CA{n}-{number}",
            "ended_at": ended_at if is_over else None,
            "result": call.result.value if is_over else None,
            "contact": call.contact.value if is_over else "none",
            "answer": call.answer.value if is_over else "none",
            "reach": call.reach.value if is_over and call.reach else None,
            "drill": drill,
        }


def _work(
    n: int, life: Life, first_id: int, *, drill: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The assignments of a case, and the lines of the ledger."""
    tasks, lines = [], []
    for id_, task in enumerate(life.tasks, first_id):
        is_done = task.done_at is not None
        left = "withdrawn" if task.withdrawn else "signed" if task.taken_at else "open"
        tasks.append(
            {
                "id": id_,
                "case_id": n,
                "kind": task.track.value,
                "state": "done" if is_done else left,
                "reason": "not_verified",
                "urgency_at": task.urgency_at,
                "opened_at": task.opened_at,
                "sign_by": task.due_at,
                "due_at": task.due_at,
                "feedback_by": task.due_at,
                "signed_at": task.taken_at,
                "signed_by": None if task.by is None else f"p{task.by}",
                "done_at": task.done_at,
                "done_by": f"p{task.by}" if is_done else None,
                "outcome": task.outcome.value if task.outcome else None,
                "drill": drill,
            }
        )
        if task.outcome is not None:
            line = _line(n, task.outcome, task.contact, task.done_at, drill=drill)
            lines.append(line | {"assignment_id": id_, "track": task.track.value, "reason": "reported"})
    if life.success is not None and life.success not in [task.outcome for task in life.tasks]:
        lines.append(_line(n, life.success, Contact.VERIFIED, life.spoken_at, drill=drill))
    return tasks, lines


def _line(n: int, kind: OutcomeKind, contact: Contact, at: datetime | None, *, drill: bool) -> dict[str, Any]:
    return {
        "case_id": n,
        "assignment_id": None,
        "kind": kind.value,
        "contact": contact.value,
        "track": "robot",
        "reason": "verified_success",
        "recorded_by": "robot",
        "at": at,
        "drill": drill,
    }
