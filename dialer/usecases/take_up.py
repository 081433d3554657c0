"""One particular task onto one's desk, beside the queue: what one has signed for, agreed to ring, or lost by silence,
and what the duty line put through.
"""

from __future__ import annotations

from datetime import timedelta

from dialer.domain.access import DESK, actor_name
from dialer.domain.acts import ActKind
from dialer.domain.errand import AssignmentState
from dialer.domain.values import Track
from dialer.errors import Conflict
from dialer.store import acts, assignments, cases, desk
from dialer.store.acts import Act
from dialer.store.assignments import Assignment
from dialer.store.desk import Scope
from dialer.store.unit_of_work import Tx
from dialer.usecases.engine import Engine


def take_up(
    engine: Engine, assignment_id: int, *, by: str, scope: Scope, token: int | None = None, park: bool = False
) -> Assignment:
    """It is on this desk with a full lease. `token` is of the claim that went back to the queue for want of a
    heartbeat. With `park` the task in hand waits for the same caller meanwhile. Raises `NotFound` for other units'
    work, `Overtaken` for what is somebody else's, and `Conflict` while another task is in hand.
    """
    who = actor_name(by)
    with engine.store.begin() as tx:
        desk.check_work_seen(tx, assignment_id, scope)
        now, real_now = engine.clock.now(), engine.real.now()
        lease_until = real_now + timedelta(seconds=engine.work.lease_seconds)
        idle_at = now + timedelta(seconds=engine.work.idle_seconds)
        in_hand = desk.claimed_by(tx, who, kind=Track.HUMAN, real_now=real_now)
        if in_hand is not None and in_hand != assignment_id:
            # Two tasks at once: whoever moves both their cases locks them in another order.
            cases.lock(tx, [assignments.get(tx, one).case_id for one in (assignment_id, in_hand)])
        current = assignments.lock(tx, assignment_id)
        if current.kind is not Track.HUMAN or not _may_take(current, who, token):
            raise assignments.overtaken(current)
        if in_hand is not None and in_hand != assignment_id:
            if not park:
                raise Conflict("another task is in hand: finish it or give it back first", current="in hand")
            _park(tx, engine, in_hand, by=who)
        if current.state is AssignmentState.SIGNED and current.signed_by == who:
            desk.renew(tx, assignment_id, lease_until=lease_until, idle_at=idle_at)
        else:
            desk.hand_to(tx, assignment_id, by=who, now=now, lease_until=lease_until, idle_at=idle_at)
            facts = {"assignment_id": assignment_id, "track": Track.HUMAN.value, "from": current.signed_by}
            acts.note(tx, [Act(case_id=current.case_id, kind=ActKind.CLAIMED, by=who, facts=facts)], now=now)
        return assignments.get(tx, assignment_id)


def _may_take(current: Assignment, who: str, token: int | None) -> bool:
    match current.state:
        case AssignmentState.SIGNED:
            return current.signed_by in {who, DESK}
        case AssignmentState.OPEN:
            # Whatever goes back to the queue grows its token by one.
            return current.kept_for == who or (token is not None and current.token == token + 1)
        case _:
            return False


def _park(tx: Tx, engine: Engine, assignment_id: int, *, by: str) -> None:
    now = engine.clock.now()
    held = assignments.lock_held(tx, assignment_id, by=by)
    kept_until = now + timedelta(seconds=engine.work.kept_seconds)
    desk.keep(tx, assignment_id, by=by, call_at=now, kept_until=kept_until)
    facts = {"assignment_id": held.id, "track": held.kind.value}
    acts.note(tx, [Act(case_id=held.case_id, kind=ActKind.RELEASED, by=by, facts=facts)], now=now)
