"""A caller's next task: claimed with a lease that a heartbeat renews, given back, kept for a call at an agreed time.

A caller or an officer says what came of it: a line in the ledger, the assignment done, the case moved on.

One particular task onto one's desk, beside the queue: what one has signed for, agreed to ring, or lost by silence,
and what the duty line put through.

A task goes to a colleague: kept for him first, and for anybody when he does not take it in time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dialer.cases.effects import PendingWrites, write_effects
from dialer.cases.store import Act, lock_cases, note_acts, save_cases
from dialer.core.access import DESK, ROBOT, Permission, actor_name, may, said
from dialer.core.case import AssignmentState, contact_of, may_report
from dialer.core.decide import decide
from dialer.core.effects import RecordOutcome
from dialer.core.errors import Conflict, Invalid
from dialer.core.events import AssignmentReported
from dialer.core.timeline import ActKind
from dialer.core.values import Amounts, Contact, OutcomeKind, Track, must_have_evidence
from dialer.db.audit import write_audit
from dialer.db.unit_of_work import Tx
from dialer.org.staff_store import Member, all_members, find_member
from dialer.org.unit_store import check_case_visible
from dialer.outcomes.ledger import append_outcome, approve_outcome_row, case_of_outcome
from dialer.services import Services
from dialer.work.assignments import (
    Assignment,
    GivenBack,
    Scope,
    assignment_claimed_by,
    assignments_of_case,
    check_assignment_visible,
    claim_next_assignment,
    finish_assignment,
    get_assignment,
    hand_assignment_to,
    is_assignment_visible,
    keep_for_caller,
    lock_assignment,
    lock_assignments_of,
    lock_idle_assignments,
    lock_signed_assignment,
    overtaken_by,
    release_assignments,
    renew_claim,
    sign_assignment_for,
)

_LONGEST_WAIT = timedelta(days=30)
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskTask:
    """One assignment in somebody's hands. Every act on it carries `assignment.token`."""

    assignment: Assignment
    lease_seconds: float
    """Real: a heartbeat well before they are over keeps it."""
    others: tuple[Assignment, ...]
    """What other people have in hand for the same case: nobody works on it unknowingly."""


def claim_next(services: Services, *, by: str, scope: Scope, kind: Track = Track.HUMAN) -> DeskTask | None:
    """The most urgent task of the caller's unit and below is the caller's; None when nothing waits. Whoever has one
    already gets that one again.
    """
    who = actor_name(by)
    rules = services.work
    with services.store.begin() as tx:
        now, real_now = services.clock.now(), services.real.now()
        lease_until = real_now + timedelta(seconds=rules.lease_seconds)
        idle_at = now + timedelta(seconds=rules.idle_seconds)
        found = assignment_claimed_by(tx, who, kind=kind, real_now=real_now)
        if found is None:
            found = claim_next_assignment(
                tx, by=who, kind=kind, scope=scope, now=now, lease_until=lease_until, idle_at=idle_at
            )
            if found is None:
                return None
            claimed = get_assignment(tx, found)
            facts = {"assignment_id": found, "track": kind.value}
            note_acts(tx, [Act(case_id=claimed.case_id, kind=ActKind.CLAIMED, by=who, facts=facts)], now=now)
        else:
            renew_claim(tx, found, lease_until=lease_until, idle_at=idle_at)
        return _task(tx, services, found)


def _task(tx: Tx, services: Services, assignment_id: int) -> DeskTask:
    assignment = get_assignment(tx, assignment_id)
    same_case = assignments_of_case(tx, assignment.case_id)
    return DeskTask(
        assignment=assignment,
        lease_seconds=services.work.lease_seconds,
        others=tuple(one for one in same_case if one.id != assignment_id and one.signed_by),
    )


def heartbeat(services: Services, assignment_id: int, *, by: str, token: int) -> None:
    """The desk is still at it: its lease is full again. Raises `Overtaken`."""
    who = actor_name(by)
    with services.store.begin() as tx:
        lock_signed_assignment(tx, assignment_id, by=who, token=token)
        rules = services.work
        renew_claim(
            tx,
            assignment_id,
            lease_until=services.real.now() + timedelta(seconds=rules.lease_seconds),
            idle_at=services.clock.now() + timedelta(seconds=rules.idle_seconds),
        )


def release_assignment(
    services: Services, assignment_id: int, *, by: str, token: int | None = None, why: str
) -> None:
    """Back in the queue by the caller's own wish; its clocks go on. Raises `Overtaken`, `Invalid`."""
    who, reason = actor_name(by), said("why", why)
    with services.store.begin() as tx:
        held = lock_signed_assignment(tx, assignment_id, by=who, token=token)
        release_assignments(tx, [assignment_id])
        _note(tx, services, held, ActKind.RELEASED, by=who, words=reason)


def schedule_call_back(
    services: Services, assignment_id: int, *, by: str, token: int | None = None, at: datetime, note: str = ""
) -> None:
    """The person is rung at `at` (aware): by the same caller first, by anybody when he does not take it in time. Raises
    `Overtaken`, `Invalid`.
    """
    who = actor_name(by)
    with services.store.begin() as tx:
        now = services.clock.now()
        if not now < at <= now + _LONGEST_WAIT:
            raise Invalid(field="at", problem="is past or too far away", mend="within the next 30 days")
        held = lock_signed_assignment(tx, assignment_id, by=who, token=token)
        kept_until = at + timedelta(seconds=services.work.kept_seconds)
        keep_for_caller(tx, assignment_id, by=who, call_at=at, kept_until=kept_until)
        facts = {"assignment_id": held.id, "call_at": at.isoformat()}
        act = Act(case_id=held.case_id, kind=ActKind.CALL_BACK, by=who, facts=facts, words=note.strip())
        note_acts(tx, [act], now=now)


def return_idle_assignments(services: Services) -> int:
    """Everything that somebody signed for and then did nothing about is open again; how many."""
    total = 0
    while True:
        with services.store.begin() as tx:
            now = services.clock.now()
            idle = lock_idle_assignments(tx, now=now, real_now=services.real.now(), limit=_AT_ONCE)
            _give_back(tx, idle, ActKind.LAPSED, by=ROBOT, now=now)
        total += len(idle)
        if len(idle) < _AT_ONCE:
            return total


def return_work_of(services: Services, who: str, *, by: str) -> int:
    """Whoever's account is disabled has nothing any more: all of it is open again; how many."""
    actor = actor_name(by)
    with services.store.begin() as tx:
        return return_work(tx, services, who, by=actor)


def return_work(tx: Tx, services: Services, who: str, *, by: str) -> int:
    """As `return_work_of`, in the transaction that disables the account."""
    total = 0
    while True:
        held = lock_assignments_of(tx, who, limit=_AT_ONCE)
        _give_back(tx, held, ActKind.ACCOUNT_DISABLED, by=by, now=services.clock.now())
        total += len(held)
        if len(held) < _AT_ONCE:
            return total


def _give_back(tx: Tx, held: list[GivenBack], kind: ActKind, *, by: str, now: datetime) -> None:
    if not held:
        return
    release_assignments(tx, [one.id for one in held])
    facts = [{"assignment_id": one.id, "track": one.kind.value, "from": one.by} for one in held]
    noted = [
        Act(case_id=one.case_id, kind=kind, by=by, facts=about)
        for one, about in zip(held, facts, strict=True)
    ]
    note_acts(tx, noted, now=now)


def _note(tx: Tx, services: Services, held: Assignment, kind: ActKind, *, by: str, words: str) -> None:
    facts = {"assignment_id": held.id, "track": held.kind.value}
    note_acts(
        tx,
        [Act(case_id=held.case_id, kind=kind, by=by, facts=facts, words=words)],
        now=services.clock.now(),
    )


def sign_assignment(services: Services, assignment_id: int, *, by: str) -> None:
    """签收."""
    who = actor_name(by)
    with services.store.begin() as tx:
        sign_assignment_for(tx, assignment_id, by=who, now=services.clock.now())


def report_assignment(
    services: Services,
    assignment_id: int,
    *,
    by: str,
    outcome: OutcomeKind,
    amounts: Amounts,
    evidence: str,
    contact: Contact | None = None,
    note: str = "",
    token: int | None = None,
) -> int:
    """The outcome's id in the ledger; `note` is kept sealed in the timeline. Raises `Overtaken` when the assignment is
    over (somebody reported before, or the person was reached on another track), or, where the token of a claim is
    given, when that claim is not this person's, or no longer the one that counts.
    """
    who = actor_name(by)
    with services.store.begin() as tx:
        outcome_id, must_cancel = report(
            tx,
            services,
            assignment_id,
            by=who,
            outcome=outcome,
            amounts=amounts,
            evidence=evidence,
            contact=contact,
            note=note,
            token=token,
        )
    if must_cancel:
        services.enqueue("cancel_calls")
    services.enqueue("dial")
    return outcome_id


def report(
    tx: Tx,
    services: Services,
    assignment_id: int,
    *,
    by: str,
    outcome: OutcomeKind,
    amounts: Amounts,
    evidence: str,
    contact: Contact | None,
    note: str,
    token: int | None,
) -> tuple[int, bool]:
    """As `report_errand`, in the caller's transaction; and whether the carrier must end a call."""
    must_have_evidence(amounts, evidence)
    now = services.clock.now()
    case_id = get_assignment(tx, assignment_id).case_id
    stored = lock_cases(tx, [case_id])[case_id]
    assignment = lock_assignment(tx, assignment_id)
    has_claim = token is None or (token == assignment.token and assignment.signed_by == by)
    if not may_report(assignment.state) or not has_claim:
        raise overtaken_by(assignment)
    reached = contact if contact is not None else contact_of(outcome)
    event = AssignmentReported(track=assignment.kind, outcome=outcome, contact=reached)
    decision = decide(stored.case, event, now, services.policies.of(stored.case.policy_version))
    finish_assignment(tx, assignment_id, by=by, outcome=outcome, now=now)
    outcome_id = append_outcome(
        tx,
        case_id=case_id,
        assignment_id=assignment_id,
        kind=outcome,
        contact=reached,
        track=assignment.kind,
        reason="reported",
        amounts=amounts,
        evidence=evidence,
        by=by,
        drill=stored.drill,
        now=now,
    )
    pending_writes = PendingWrites(now=now)
    # The person's own line stands for what the machine would have recorded.
    rest = [effect for effect in decision.effects if not isinstance(effect, RecordOutcome)]
    pending_writes.enter(replace(stored, case=decision.case), rest)
    save_cases(tx, [decision.case], now=now)
    cancels = write_effects(tx, pending_writes)
    if note.strip():
        facts = {"assignment_id": assignment_id, "track": assignment.kind.value}
        act = Act(case_id=case_id, kind=ActKind.NOTE, by=by, facts=facts, words=note.strip())
        note_acts(tx, [act], now=now)
    return outcome_id, bool(cancels)


def approve_outcome(services: Services, outcome_id: int, *, by: str, visible_to: int | None = None) -> None:
    """A second person stands for it. Raises `NotFound`, also for one of a case that the unit `seen_by` does not see,
    and `Conflict` for whoever recorded it and for one that is approved already.
    """
    who, now = actor_name(by), services.clock.now()
    with services.store.begin() as tx:
        case_id = case_of_outcome(tx, outcome_id)
        check_case_visible(tx, case_id, visible_to)
        approve_outcome_row(tx, outcome_id, by=who, now=now)
        write_audit(
            tx,
            who=who,
            act="approve_outcome",
            subject=f"case/{case_id}",
            why="",
            now=now,
            facts={"outcome_id": outcome_id},
        )


def reclaim(
    services: Services,
    assignment_id: int,
    *,
    by: str,
    scope: Scope,
    token: int | None = None,
    park: bool = False,
) -> Assignment:
    """It is on this desk with a full lease. `token` is of the claim that went back to the queue for want of a
    heartbeat. With `park` the task in hand waits for the same caller meanwhile. Raises `NotFound` for other units'
    work, `Overtaken` for what is somebody else's, and `Conflict` while another task is in hand.
    """
    who = actor_name(by)
    with services.store.begin() as tx:
        check_assignment_visible(tx, assignment_id, scope)
        now, real_now = services.clock.now(), services.real.now()
        lease_until = real_now + timedelta(seconds=services.work.lease_seconds)
        idle_at = now + timedelta(seconds=services.work.idle_seconds)
        in_hand = assignment_claimed_by(tx, who, kind=Track.HUMAN, real_now=real_now)
        if in_hand is not None and in_hand != assignment_id:
            # Two tasks at once: whoever moves both their cases locks them in another order.
            lock_cases(tx, [get_assignment(tx, one).case_id for one in (assignment_id, in_hand)])
        current = lock_assignment(tx, assignment_id)
        if current.kind is not Track.HUMAN or not _may_take(current, who, token):
            raise overtaken_by(current)
        if in_hand is not None and in_hand != assignment_id:
            if not park:
                raise Conflict("another task is in hand: finish it or give it back first", current="in hand")
            _park(tx, services, in_hand, by=who)
        if current.state is AssignmentState.SIGNED and current.signed_by == who:
            renew_claim(tx, assignment_id, lease_until=lease_until, idle_at=idle_at)
        else:
            hand_assignment_to(tx, assignment_id, by=who, now=now, lease_until=lease_until, idle_at=idle_at)
            facts = {"assignment_id": assignment_id, "track": Track.HUMAN.value, "from": current.signed_by}
            note_acts(tx, [Act(case_id=current.case_id, kind=ActKind.CLAIMED, by=who, facts=facts)], now=now)
        return get_assignment(tx, assignment_id)


def _may_take(current: Assignment, who: str, token: int | None) -> bool:
    match current.state:
        case AssignmentState.SIGNED:
            return current.signed_by in {who, DESK}
        case AssignmentState.OPEN:
            # Whatever goes back to the queue grows its token by one.
            return current.kept_for == who or (token is not None and current.token == token + 1)
        case _:
            return False


def _park(tx: Tx, services: Services, assignment_id: int, *, by: str) -> None:
    now = services.clock.now()
    held = lock_signed_assignment(tx, assignment_id, by=by)
    kept_until = now + timedelta(seconds=services.work.kept_seconds)
    keep_for_caller(tx, assignment_id, by=by, call_at=now, kept_until=kept_until)
    facts = {"assignment_id": held.id, "track": held.kind.value}
    note_acts(tx, [Act(case_id=held.case_id, kind=ActKind.RELEASED, by=by, facts=facts)], now=now)


def colleagues(services: Services, *, by: str, visible_to: int | None) -> list[Member]:
    """Who else works at a desk, of this unit and all below."""
    with services.store.begin() as tx:
        found = all_members(tx, visible_to=visible_to)
    return [one for one in found if one.login != by and _works(one)]


def reassign(
    services: Services, assignment_id: int, *, to: str, by: str, token: int | None = None, why: str
) -> None:
    """Its clocks go on. Raises `Overtaken`, `Invalid`, and `Conflict` for somebody who may not take this work."""
    who, reason = actor_name(by), said("why", why)
    with services.store.begin() as tx:
        held = lock_signed_assignment(tx, assignment_id, by=who, token=token)
        colleague = find_member(tx, to)
        if not to:
            raise Invalid(field="to", problem="choose who takes it over")
        if colleague is None or colleague.login == who or not _works(colleague):
            raise Invalid(field="to", problem="is nobody who works at a desk")
        scope = Scope(unit_id=colleague.unit_id)
        if not is_assignment_visible(tx, assignment_id, scope):
            raise Conflict("the colleague does not see the work of this unit", current="unit")
        now = services.clock.now()
        kept_until = now + timedelta(seconds=services.work.kept_seconds)
        keep_for_caller(tx, assignment_id, by=colleague.login, call_at=now, kept_until=kept_until)
        facts = {"assignment_id": held.id, "track": held.kind.value, "to": colleague.display_name}
        act = Act(case_id=held.case_id, kind=ActKind.RELEASED, by=who, facts=facts, words=reason)
        note_acts(tx, [act], now=now)


def _works(member: Member) -> bool:
    return member.disabled_at is None and may(member.role, Permission.WORK_DESK)
