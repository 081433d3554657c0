"""What a person does with an assignment: claim, renew, release, agree on a call-back, reassign, report; and the return
to the queue of what its holder left idle. Every act on a claim carries the claim's token.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from dialer.cases.effects import IDLE_ASSIGNMENT, PendingWrites, write_effects
from dialer.cases.store import Act, StoredCase, lock_cases, note_acts, save_cases
from dialer.core.access import DESK, ROBOT, Actor, Permission, may, required_text
from dialer.core.case import (
    NO_CALL,
    AssignmentState,
    CaseStatus,
    FamilyResult,
    Reason,
    contact_of_outcome,
    may_report,
)
from dialer.core.decide import Decision, decide
from dialer.core.errors import Conflict, Invalid
from dialer.core.events import AssignmentReported, Effect, RecordOutcome
from dialer.core.offers import OfferEvent, TaskMode
from dialer.core.text import Text, gettext_noop
from dialer.core.timeline import ActKind
from dialer.core.values import (
    SUCCESSES,
    Amounts,
    Contact,
    Evidence,
    OutcomeKind,
    ScammerContact,
    Track,
    check_evidence,
)
from dialer.db.acts import OpenAct
from dialer.db.unit_of_work import Tx
from dialer.db.units import check_case_visible
from dialer.duty.presence import follow_work
from dialer.knowledge.actions import note_uses
from dialer.outcomes.evidence_files import FIELD, CleanFile, add_evidence_files
from dialer.outcomes.ledger import (
    ConflictingLine,
    OutcomeLine,
    ProvenCall,
    RecordedOutcome,
    append_outcome,
    approve_outcome_row,
    check_evidence_read,
    conflicting_lines,
    incidents_of,
    recorded_outcome,
)
from dialer.runtime.services import Services
from dialer.staff.store import Member, all_members, find_member
from dialer.work.assignments import (
    Assignment,
    Scope,
    assignment_claimed_by,
    check_assignment_visible,
    claim_next_assignment,
    finish_assignment,
    get_assignment,
    hand_assignment_to,
    has_arrived,
    is_assignment_visible,
    keep_for_approval,
    keep_for_caller,
    lock_assignment,
    lock_assignments_of,
    lock_claims_of,
    lock_idle_assignments,
    lock_signed_assignment,
    lock_work_of_cases,
    note_work,
    overtaken_by,
    release_assignments,
    renew_claim,
    sign_assignment_for,
)
from dialer.work.desk_store import longest_staff_call
from dialer.work.offer_store import end_offer, lock_offered, offer_of

NO_CALL_IN_FOLLOW_UP = gettext_noop("a follow-up asks the person again, so it needs a staff call")
CALL_MISSING = gettext_noop("there is no staff call with the person since the task was taken")
NOT_VERIFIED = gettext_noop("only a staff call with the person verifies the identity")
VERIFIES_NOBODY = gettext_noop("the identity cannot be verified with this result")
SUCCESS_NEEDS_ARRIVAL = gettext_noop(
    "the arrival is not on record: press Arrived first, a success in person needs it"
)

WORKS = (Permission.WORK_DESK, Permission.WORK_VISITS)
"""Either permits work on an assignment."""
_LONGEST_WAIT = timedelta(days=30)
_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkReport:
    """The result of a call or a visit. `evidence` is required with any amount; `note` is stored sealed in the timeline;
    if `contact` is None, the contact is the one that the outcome implies and a call proves.
    """

    outcome: OutcomeKind
    contact: Contact | None = None
    amounts: Amounts = field(default_factory=Amounts)
    evidence: Evidence | None = None
    note: str = ""
    scammer_contact: ScammerContact | None = None
    """None: the question was not asked."""
    ticked: tuple[str, ...] = ()
    """The keys of the points of the call checklist that were ticked."""
    used: frozenset[tuple[int, int]] = frozenset()
    """The passages of knowledge cards that were ticked, by the id of their version and their number."""
    no_call: str = ""
    """Why a success by phone has no staff call; not used where there is one."""
    family: FamilyResult | None = None
    """What a call to the family brought, with `CANNOT_FIND_YET` as the outcome; None for any other assignment."""
    files: tuple[CleanFile, ...] = ()
    """What proves the amounts, or why there was no call."""


class NoCall(Invalid):
    """The report needs a staff call with the person that has ended and lasted at least `least_seconds`."""

    def __init__(self, *, field: str, problem: str, least_seconds: int) -> None:
        fix = Text("call from the desk, talk for %(n)s seconds and hang up first", n=least_seconds)
        if problem == CALL_MISSING:
            fix = Text(
                "call from the desk, talk for %(n)s seconds and hang up first, or say why there is no such call:"
                " a second person then approves",
                n=least_seconds,
            )
        super().__init__(field=field, problem=problem, fix=fix)
        self.least_seconds = least_seconds


class NotArrived(Conflict):
    """The report of a visit says that the person was met, but no arrival is on record."""

    def __init__(self, text: str = SUCCESS_NEEDS_ARRIVAL) -> None:
        super().__init__(text, current="not arrived")


def lease_of_claim(services: Services) -> dict[str, datetime]:
    """The times until which a claim made now lasts."""
    return {
        "lease_until": services.real.now() + timedelta(seconds=services.work.lease_seconds),
        "idle_at": services.clock.now() + IDLE_ASSIGNMENT,
    }


def claim_next(services: Services, actor: Actor, *, scope: Scope) -> Assignment | None:
    """The call that this person has under a running lease, which is renewed, else the most urgent call of these units,
    or the one that this person is offered; None when there is none.
    """
    with services.act(actor, Permission.WORK_DESK) as act:
        lock_claims_of(act.tx, act.by)
        lease = lease_of_claim(services)
        found = assignment_claimed_by(act.tx, act.by, real_now=services.real.now())
        if found is not None:
            renew_claim(act.tx, found, **lease)
            act.needs_no_record()
        else:
            if services.work.tasks is TaskMode.OFFER:
                found = _claim_offered(act, services, lease)
            else:
                found = claim_next_assignment(act.tx, by=act.by, scope=scope, now=act.now, **lease)
            if found is None:
                act.needs_no_record()
                return None
            facts = {"track": Track.HUMAN.value}
            note_work(act, get_assignment(act.tx, found), ActKind.CLAIMED, facts=facts)
            follow_work(act.tx, services, act.by)
        return get_assignment(act.tx, found)


def _claim_offered(act: OpenAct, services: Services, lease: dict[str, datetime]) -> int | None:
    offer = offer_of(act.tx, act.by, real_now=services.real.now())
    if offer is None or not lock_offered(act.tx, offer):
        return None
    if not end_offer(act.tx, offer.id, OfferEvent.TAKEN, now=act.now):
        return None
    hand_assignment_to(act.tx, offer.assignment_id, by=act.by, now=act.now, **lease)
    return offer.assignment_id


def renew_lease(services: Services, actor: Actor, assignment_id: int, *, token: int) -> None:
    """Renews the lease. Raises `Overtaken`."""
    with services.act(actor, Permission.WORK_DESK) as act:
        lock_signed_assignment(act.tx, assignment_id, by=act.by, token=token)
        renew_claim(act.tx, assignment_id, **lease_of_claim(services))
        act.needs_no_record()


def release_assignment(
    services: Services, actor: Actor, assignment_id: int, *, token: int | None = None, why: str
) -> None:
    """Returns the assignment to the queue; its clocks go on. Raises `Overtaken`, `Invalid`."""
    reason = required_text("why", why)
    with services.act(actor, *WORKS) as act:
        held = lock_signed_assignment(act.tx, assignment_id, by=act.by, token=token)
        release_assignments(act.tx, [assignment_id])
        _note_released(act, held, words=reason)
        follow_work(act.tx, services, act.by)


def _note_released(act: OpenAct, held: Assignment, *, words: str = "", to: str = "") -> None:
    facts = {"track": held.kind.value} | ({"to": to} if to else {})
    note_work(act, held, ActKind.RELEASED, facts=facts, words=words)


def schedule_call_back(
    services: Services,
    actor: Actor,
    assignment_id: int,
    *,
    token: int | None = None,
    at: datetime,
    note: str = "",
) -> None:
    """Agrees on a call at `at` (aware): by the same caller, or by anybody if the caller does not take the task in time.
    Raises `Overtaken`, `Invalid`.
    """
    with services.act(actor, Permission.WORK_DESK) as act:
        if not act.now < at <= act.now + _LONGEST_WAIT:
            raise Invalid(field="at", problem="is past or too far away", fix="within the next 30 days")
        held = lock_signed_assignment(act.tx, assignment_id, by=act.by, token=token)
        _keep_for(act.tx, services, assignment_id, by=act.by, call_at=at)
        facts = {"call_at": at.isoformat()}
        note_work(act, held, ActKind.CALL_BACK, facts=facts, words=note.strip())
        follow_work(act.tx, services, act.by)


def _keep_for(tx: Tx, services: Services, assignment_id: int, *, by: str, call_at: datetime) -> None:
    kept_until = call_at + timedelta(seconds=services.work.kept_seconds)
    keep_for_caller(tx, assignment_id, by=by, call_at=call_at, kept_until=kept_until)


def return_idle_assignments(services: Services) -> int:
    """Returns every signed assignment whose holder is idle to the queue; returns how many."""
    total = 0
    while True:
        with services.store.begin() as tx:
            now = services.clock.now()
            idle = lock_idle_assignments(tx, now=now, real_now=services.real.now(), limit=_BATCH)
            _return_to_queue(tx, idle, ActKind.LAPSED, by=ROBOT, now=now)
        total += len(idle)
        if len(idle) < _BATCH:
            return total


def return_work_of(services: Services, actor: Actor, login: str) -> int:
    """Returns everything that this account has signed for to the queue, because it was disabled or has another role or
    unit; returns how many.
    """
    total = 0
    with services.act(actor, Permission.MANAGE_STAFF) as act:
        while held := lock_assignments_of(act.tx, login, limit=_BATCH):
            _return_to_queue(act.tx, held, ActKind.ACCOUNT_DISABLED, by=act.by, now=act.now)
            total += len(held)
        if not total:
            act.needs_no_record()
    return total


def return_calls_of(act: OpenAct, login: str) -> int:
    """Returns the human calls that this account has signed for to the queue, as part of an act; returns how many. Its
    visits stay with it.
    """
    held = [one for one in lock_assignments_of(act.tx, login, limit=_BATCH) if one.kind is Track.HUMAN]
    if held:
        _return_to_queue(act.tx, held, ActKind.SIGNED_OUT, by=act.by, now=act.now)
    return len(held)


def _return_to_queue(tx: Tx, held: list[Assignment], kind: ActKind, *, by: str, now: datetime) -> None:
    release_assignments(tx, [assignment.id for assignment in held])
    acts = []
    for assignment in held:
        facts = {"assignment_id": assignment.id, "track": assignment.kind.value, "from": assignment.signed_by}
        acts.append(Act(case_id=assignment.case_id, kind=kind, by=by, facts=facts))
    note_acts(tx, acts, now=now)


def sign_assignment(services: Services, actor: Actor, assignment_id: int) -> None:
    """签收: signs the assignment for this person. Raises `Overtaken`."""
    with services.act(actor, *WORKS) as act:
        sign_assignment_for(act.tx, assignment_id, by=act.by, now=act.now)
        follow_work(act.tx, services, act.by)


def report_assignment(
    services: Services, actor: Actor, assignment_id: int, given: WorkReport, *, token: int | None = None
) -> int:
    """Records the report; returns the id of the outcome in the ledger. Raises `Invalid`, and `Overtaken` when the
    assignment is over (reported before or withdrawn) or `token` is not of the current claim.
    """
    with services.act(actor, *WORKS) as act:
        outcome_id, must_cancel = report_in_transaction(act, services, assignment_id, given, token=token)
    enqueue_after_report(services, must_cancel=must_cancel)
    return outcome_id


def awaits_second_person(services: Services, outcome_id: int) -> bool:
    """Whether this outcome was recorded as a success without a staff call. Raises `NotFound`."""
    with services.store.begin() as tx:
        return recorded_outcome(tx, outcome_id).reason == NO_CALL


def enqueue_after_report(services: Services, *, must_cancel: bool) -> None:
    """Called after the commit: has the carrier end calls that are not needed any more, and freed numbers dialled."""
    if must_cancel:
        services.enqueue("cancel_calls")
    services.enqueue("dial")


def report_in_transaction(
    act: OpenAct, services: Services, assignment_id: int, given: WorkReport, *, token: int | None
) -> tuple[int, bool]:
    """As `report_assignment`, as part of an act; also returns whether the carrier must end a call. A success
    by phone without a staff call is recorded with its reason and changes nothing yet: `approve_outcome` applies it.
    """
    if given.outcome is OutcomeKind.WITHDRAWN:
        raise Invalid(field="outcome", problem="is not chosen", fix="choose one of the list")
    check_evidence(given.amounts, given.evidence)
    tx, by = act.tx, act.by
    case_id = get_assignment(tx, assignment_id).case_id
    stored = lock_cases(tx, [case_id])[case_id]
    assignment, now = lock_assignment(tx, assignment_id), act.now
    has_claim = token is None or (token == assignment.token and assignment.signed_by == by)
    if not may_report(assignment.state) or not has_claim:
        raise overtaken_by(assignment)
    if given.contact is Contact.VERIFIED and contact_of_outcome(given.outcome) is not Contact.VERIFIED:
        raise Invalid(
            field="contact", problem=VERIFIES_NOBODY, fix="choose another contact or another result"
        )
    is_call = assignment.kind is Track.HUMAN
    if not is_call and given.outcome in SUCCESSES and not has_arrived(tx, assignment, by=by):
        raise NotArrived
    call = longest_staff_call(tx, assignment, by=by) if is_call else None
    least = services.work.least_call_seconds
    proof = _proof_of(given, call, is_call=is_call, status=stored.case.status, least_seconds=least)
    if given.files and given.amounts.is_nothing and not proof.is_claim:
        raise Invalid(field=FIELD, problem="prove no amount", fix="enter the amount that they prove")
    event = AssignmentReported(
        track=assignment.kind, outcome=given.outcome, contact=proof.contact, family=given.family
    )
    decision = decide(stored.case, event, now, services.policies.of(stored.case.policy_version))
    line = OutcomeLine(
        case_id=case_id,
        assignment_id=assignment_id,
        kind=given.outcome,
        contact=proof.contact,
        track=assignment.kind,
        reason=NO_CALL if proof.is_claim else _ledger_reason(decision.effects),
        amounts=given.amounts,
        evidence=proof.evidence,
        drill=stored.drill,
        scammer_contact=given.scammer_contact,
        said=given.ticked,
        call=proof.call,
        proof=given.evidence,
    )
    outcome_id = append_outcome(tx, line, by=by, now=now)
    add_evidence_files(tx, outcome_id, given.files, case_id=case_id, by=by, now=now)
    note_uses(act, given.used, case_id=case_id, assignment_id=assignment_id)
    if proof.is_claim:
        until = now + timedelta(seconds=services.work.claim_seconds)
        keep_for_approval(tx, assignment_id, until=until)
        must_cancel = False
    else:
        must_cancel = _apply_report(tx, stored, assignment, decision, by=by, outcome=given.outcome, now=now)
    note = given.note.strip()
    if given.family is not None:
        note_work(act, assignment, ActKind.FAMILY_CALLED, facts={"family": given.family.value}, words=note)
    elif note:
        note_work(act, assignment, ActKind.NOTE, facts={"track": assignment.kind.value}, words=note)
    follow_work(tx, services, by)
    return outcome_id, must_cancel


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proof:
    """What a report rests on. `is_claim`: a success without a staff call, which a second person approves."""

    contact: Contact
    evidence: str
    call: ProvenCall | None
    is_claim: bool = False


def _proof_of(
    given: WorkReport, call: ProvenCall | None, *, is_call: bool, status: CaseStatus, least_seconds: int
) -> _Proof:
    """What proves this report; `call` is the longest one that its caller made. Raises `NoCall`."""
    contact = given.contact if given.contact is not None else contact_of_outcome(given.outcome)
    evidence = given.evidence.reference if given.evidence else ""
    talked_seconds = call.talk_seconds if call else 0
    if not is_call or contact is not Contact.VERIFIED or talked_seconds >= least_seconds:
        return _Proof(contact=contact, evidence=evidence, call=call)
    if given.outcome in SUCCESSES:
        reason = _reason_without_call(given.no_call, status, least_seconds=least_seconds)
        both = "\n".join(text for text in (evidence, reason) if text)
        return _Proof(contact=contact, evidence=both, call=None, is_claim=True)
    if given.contact is Contact.VERIFIED:
        raise NoCall(field="verified", problem=NOT_VERIFIED, least_seconds=least_seconds)
    return _Proof(contact=Contact.UNVERIFIED, evidence=evidence, call=None)


def _reason_without_call(typed: str, status: CaseStatus, *, least_seconds: int) -> str:
    """A follow-up asks the person again, so it cannot go without a call."""
    reason = typed.strip()
    if status is CaseStatus.WATCHING or not reason:
        problem = NO_CALL_IN_FOLLOW_UP if status is CaseStatus.WATCHING else CALL_MISSING
        raise NoCall(field="no_call", problem=problem, least_seconds=least_seconds)
    return reason


def _ledger_reason(effects: Iterable[Effect]) -> str:
    # A follow-up that confirms an earlier success does not count as another success.
    found = any(isinstance(effect, RecordOutcome) and effect.reason is Reason.FOLLOW_UP for effect in effects)
    return Reason.FOLLOW_UP.value if found else "reported"


def _apply_report(
    tx: Tx,
    stored: StoredCase,
    assignment: Assignment,
    decision: Decision,
    *,
    by: str,
    outcome: OutcomeKind,
    now: datetime,
) -> bool:
    """Ends the assignment and moves the case on; returns whether the carrier must end a call. The outcome that this
    person reports is in the ledger already.
    """
    writes = PendingWrites(now=now)
    _enter_report(tx, writes, stored, assignment, decision, by=by, outcome=outcome)
    save_cases(tx, [decision.case], now=now)
    return write_effects(tx, writes)


def _enter_report(
    tx: Tx,
    writes: PendingWrites,
    stored: StoredCase,
    assignment: Assignment,
    decision: Decision,
    *,
    by: str,
    outcome: OutcomeKind,
) -> None:
    finish_assignment(tx, assignment.id, by=by, outcome=outcome, now=writes.now)
    rest = [effect for effect in decision.effects if not isinstance(effect, RecordOutcome)]
    writes.enter(replace(stored, case=decision.case), rest)


def approve_outcome(services: Services, actor: Actor, outcome_id: int, *, in_place: bool = False) -> None:
    """A second person approves the outcome; a success without a call counts from now on. With `in_place`, amounts of
    the same kind and incident that were approved before are reversed; without it they raise `AmountsConflict`. Raises
    `NotFound`, also for an outcome of a case that the actor's unit does not see, `Conflict` for the person who
    recorded the outcome and for one that is already approved, `EvidenceUnread`, and `Overtaken` for a success
    without a call whose task is over.
    """
    with services.act(actor, Permission.APPROVE) as act:
        case_id = recorded_outcome(act.tx, outcome_id).case_id
        check_case_visible(act.tx, case_id, actor.unit_id)
        must_cancel = approve_in_transaction(act, services, {outcome_id: case_id}, in_place=in_place)
    if must_cancel is not None:
        enqueue_after_report(services, must_cancel=must_cancel)


def approve_in_transaction(
    act: OpenAct, services: Services, cases: Mapping[int, int], *, in_place: bool = False
) -> bool | None:
    """As `approve_outcome`, as part of an act, for all these lines of the ledger, each with its case, which
    this person may see. If one cannot be approved, none is. Returns None unless successes without a call are among
    them; these count from now on, the result is whether calls must be ended, and the caller then runs
    `enqueue_after_report`.
    """
    tx = act.tx
    # Locked in the order of all transactions, whichever line they are needed for: the cases, people's work, attempts.
    incidents = incidents_of(tx, set(cases.values()))
    stored = lock_cases(tx, {case_id for incident in incidents.values() for case_id in incident})
    if incidents_of(tx, set(cases.values())) != incidents:
        raise Conflict("a case was marked as a duplicate meanwhile: try again", current="marked")
    if in_place:
        _check_replaced_visible(tx, cases, act.actor.unit_id)
    lines = {outcome_id: recorded_outcome(tx, outcome_id) for outcome_id in sorted(cases)}
    claims = [line for line in lines.values() if line.reason == NO_CALL]
    work = lock_work_of_cases(tx, {line.case_id for line in claims})
    for outcome_id, line in lines.items():
        try:
            replaced = approve_outcome_row(tx, outcome_id, by=act.by, now=act.now, in_place=in_place)
        except Conflict as fault:
            task = work.get(line.assignment_id or 0)
            # Its task has ended meanwhile: naming who ended it says more than that this reversed the line.
            if line.reason == NO_CALL and task and not may_report(task.state) and fault.current == "reversed":
                raise overtaken_by(task) from None
            raise
        facts: dict[str, object] = {"outcome_id": outcome_id}
        if replaced:
            facts["replaces"] = replaced[0] if len(replaced) == 1 else ", ".join(map(str, replaced))
        act.audit("approve_outcome", f"case/{line.case_id}", facts=facts)
    # Last: who may not approve them at all is told so.
    check_evidence_read(tx, cases, who=act.by, now=act.now)
    return _apply_claims(tx, services, claims, stored, work, now=act.now) if claims else None


def _check_replaced_visible(tx: Tx, outcome_ids: Collection[int], visible_to: int | None) -> None:
    """Raises `Conflict` if an approved line that would be replaced is of a case that this unit does not see."""

    def approved(conflicts: Mapping[int, Sequence[ConflictingLine]]) -> set[int]:
        return {line.id for lines in conflicts.values() for line in lines if line.approved_by}

    seen = approved(conflicting_lines(tx, outcome_ids, visible_to=visible_to))
    if hidden := approved(conflicting_lines(tx, outcome_ids)) - seen:
        raise Conflict(
            Text(
                "outcome %(id)s is of a case of another unit: a supervisor who sees both cases decides",
                id=min(hidden),
            ),
            current="other unit",
        )


def _apply_claims(
    tx: Tx,
    services: Services,
    claims: Sequence[RecordedOutcome],
    stored: dict[int, StoredCase],
    work: dict[int, Assignment],
    *,
    now: datetime,
) -> bool:
    writes = PendingWrites(now=now)
    for line in claims:
        assert line.assignment_id is not None  # a success without a call is reported of an assignment
        case, assignment = stored[line.case_id], work[line.assignment_id]
        if not may_report(assignment.state):
            raise overtaken_by(assignment)
        event = AssignmentReported(track=assignment.kind, outcome=line.kind, contact=line.contact)
        decision = decide(case.case, event, now, services.policies.of(case.case.policy_version))
        stored[line.case_id] = replace(case, case=decision.case)
        # A second claim of this task finds it done.
        work[assignment.id] = replace(
            assignment, state=AssignmentState.DONE, done_by=line.recorded_by, outcome=line.kind
        )
        _enter_report(tx, writes, case, assignment, decision, by=line.recorded_by, outcome=line.kind)
    save_cases(tx, [stored[case_id].case for case_id in sorted({line.case_id for line in claims})], now=now)
    return write_effects(tx, writes)


def offer_refused_task(tx: Tx, line: RecordedOutcome, *, now: datetime) -> None:
    """A second person refused this success without a call: its task no longer waits for approval and is offered to
    anybody at once. The caller has locked the case.
    """
    assert line.assignment_id is not None  # a success without a call is reported of an assignment
    task = lock_assignment(tx, line.assignment_id)
    if task.state is AssignmentState.OPEN and task.kept_for is None and task.call_at and task.call_at > now:
        release_assignments(tx, [task.id])


def reclaim(
    services: Services,
    actor: Actor,
    assignment_id: int,
    *,
    scope: Scope,
    token: int | None = None,
    park: bool = False,
) -> Assignment:
    """Gives this person the task with a renewed lease: one that they signed for or agreed to call, one that the duty
    line took, or one that lapsed under `token`. With `park` the task in hand is kept for the same caller. Raises
    `NotFound` for work of other units, `Overtaken` for work that somebody else has, and `Conflict` while another task
    is in hand.
    """
    with services.act(actor, Permission.WORK_DESK) as act:
        tx, who = act.tx, act.by
        check_assignment_visible(tx, assignment_id, scope)
        lock_claims_of(tx, who)
        lease = lease_of_claim(services)
        in_hand = assignment_claimed_by(tx, who, real_now=services.real.now())
        other = in_hand if in_hand != assignment_id else None
        if other is not None:
            # Two assignments change in one transaction: both cases are locked first, in order, against deadlocks.
            lock_cases(tx, [get_assignment(tx, each).case_id for each in (assignment_id, other)])
        current = lock_assignment(tx, assignment_id)
        if current.kind is not Track.HUMAN or not _may_reclaim(current, who, token):
            raise overtaken_by(current)
        if other is not None:
            if not park:
                raise Conflict("another task is in hand: finish or release it first", current="in hand")
            parked = lock_signed_assignment(tx, other, by=who)
            _keep_for(tx, services, other, by=who, call_at=act.now)
            _note_released(act, parked)
        if current.is_held_by(who):
            renew_claim(tx, assignment_id, **lease)
            act.needs_no_record()
        else:
            hand_assignment_to(tx, assignment_id, by=who, now=act.now, **lease)
            facts = {"track": Track.HUMAN.value, "from": current.signed_by}
            note_work(act, current, ActKind.CLAIMED, facts=facts)
            follow_work(tx, services, who)
        return get_assignment(tx, assignment_id)


def _may_reclaim(current: Assignment, who: str, token: int | None) -> bool:
    match current.state:
        case AssignmentState.SIGNED:
            return current.signed_by in {who, DESK}
        case AssignmentState.OPEN:
            # A return to the queue raises the token by one.
            return current.kept_for == who or (token is not None and current.token == token + 1)
        case _:
            return False


def colleagues(services: Services, actor: Actor) -> list[Member]:
    """The other people who work at a desk, of the actor's unit and all below."""
    with services.store.begin() as tx:
        found = all_members(tx, visible_to=actor.unit_id)
    return [member for member in found if member.login != actor.name and _works_at_desk(member)]


def reassign(
    services: Services, actor: Actor, assignment_id: int, *, to: str, token: int | None = None, why: str
) -> None:
    """Keeps the assignment for the colleague, and offers it to anybody if the colleague does not take it in time; its
    clocks go on. Raises `Overtaken`, `Invalid`, and `Conflict` for a colleague who does not see this work.
    """
    reason = required_text("why", why)
    with services.act(actor, Permission.WORK_DESK) as act:
        tx, who = act.tx, act.by
        held = lock_signed_assignment(tx, assignment_id, by=who, token=token)
        colleague = find_member(tx, to)
        if not to:
            raise Invalid(field="to", problem="choose who takes it over")
        if colleague is None or colleague.login == who or not _works_at_desk(colleague):
            raise Invalid(field="to", problem="is not a caller at a desk")
        if not is_assignment_visible(tx, assignment_id, Scope(unit_id=colleague.unit_id)):
            raise Conflict("the colleague does not see the work of this unit", current="unit")
        _keep_for(tx, services, assignment_id, by=colleague.login, call_at=act.now)
        _note_released(act, held, words=reason, to=colleague.display_name)
        follow_work(tx, services, who)


def _works_at_desk(member: Member) -> bool:
    return member.disabled_at is None and may(member.role, Permission.WORK_DESK)
