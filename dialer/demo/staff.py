"""Simulated callers and officers, who work the assignments with outcomes as in practice; a second person approves.

Every choice comes from a hash of the assignment, so that the same list gives the same reports. Some visits move to a
neighbouring unit, and some stay unsigned until they are escalated.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from dialer.cases.store import get_case
from dialer.core.access import unrestricted
from dialer.core.case import (
    AssignmentState,
    CaseStatus,
    DeskCallState,
    FamilyResult,
    Reason,
    StopResult,
    VisitStage,
    contact_of_outcome,
)
from dialer.core.errors import Conflict, Invalid
from dialer.core.units import UnitIndex
from dialer.core.values import (
    Amounts,
    Contact,
    Evidence,
    EvidenceKind,
    OutcomeKind,
    ScammerContact,
    TelephonyResult,
    Track,
)
from dialer.demo.desks import CALLERS
from dialer.demo.sample_list import HOME
from dialer.knowledge.actions import cards_beside
from dialer.runtime.services import Services
from dialer.work.assignments import Assignment, waiting_assignments
from dialer.work.desk import complete_stop_payment
from dialer.work.desk_store import add_desk_call, change_desk_call, waiting_stop_payments
from dialer.work.tasks import WorkReport, approve_outcome, report_assignment, sign_assignment
from dialer.work.transfer_store import waiting_transfers
from dialer.work.transfers import accept_transfer, transfer_assignment
from dialer.work.visits import PhoneAct, take_step


def hash_percent(assignment: Assignment, what: str) -> int:
    """A number from 0 to 99, always the same for the same assignment and purpose."""
    digest = hashlib.sha256(
        f"{what}:{assignment.kind}:{assignment.case_id}:{assignment.id}".encode()
    ).digest()
    return int.from_bytes(digest[:4], "big") % 100


_ASK_AFTER = timedelta(seconds=50)
_ANSWER_AFTER = timedelta(minutes=3)
_MOVED_PERCENT = 10
_ANSWERED_PERCENT = 60
_LEFT_PERCENT = 10
_OFFICERS_PERCENT = 70
_WHY: Final = ("现住址在贵辖区", "本人在贵辖区上班，白天不在家", "名单地址有误，实际居住在贵辖区")
_SENDER, _RECEIVER = "值班民警 韩磊", "值班民警 马晓燕"


def reassign(services: Services, waiting: Sequence[Assignment], *, now: datetime) -> set[int]:
    """Asks neighbouring units to take some visits, and accepts most of these requests. Returns the ids of visits that
    the simulated staff does not touch: in transfer, unsigned until escalated, or kept for the demo's officer account.
    """
    with services.store.begin() as tx:
        index = services.units.current(tx)
        moving = {transfer.assignment_id: transfer for transfer in waiting_transfers(tx)}
    alone: set[int] = set()
    for assignment in waiting:
        if assignment.kind is not Track.VISIT or assignment.unit_id is None:
            continue
        transfer = moving.get(assignment.id)
        if transfer is not None:
            alone.add(assignment.id)
            if hash_percent(assignment, "answer") < _ANSWERED_PERCENT and now - transfer.at >= _ANSWER_AFTER:
                _ignore_conflict(accept_transfer, services, unrestricted(_RECEIVER), transfer.id)
        elif assignment.state is AssignmentState.OPEN and (
            _stays_unsigned(assignment) or _is_kept_for_officer(index, assignment)
        ):
            alone.add(assignment.id)
        elif (
            not assignment.transfers
            and hash_percent(assignment, "moves") < _MOVED_PERCENT
            and now - assignment.opened_at >= _ASK_AFTER
        ):
            to_unit_id = _neighbouring_unit(index, assignment)
            if to_unit_id is not None:
                why = _WHY[hash_percent(assignment, "why") % len(_WHY)]
                _ignore_conflict(
                    transfer_assignment,
                    services,
                    unrestricted(_SENDER),
                    assignment.id,
                    to_unit_id=to_unit_id,
                    why=why,
                )
                alone.add(assignment.id)
    return alone


def _stays_unsigned(assignment: Assignment) -> bool:
    """Whether its unit leaves the visit unsigned, so that it is escalated one level."""
    return (
        assignment.grade.is_high
        and not assignment.raises
        and hash_percent(assignment, "lies") < _LEFT_PERCENT
    )


def _is_kept_for_officer(index: UnitIndex, assignment: Assignment) -> bool:
    """Whether the visit is kept for the demo's officer, as most visits of their county are until they are escalated."""
    unit = index.get(assignment.unit_id) if assignment.unit_id is not None else None
    is_in_county = unit is not None and any(index[step].name == HOME for step in unit.path)
    return is_in_county and not assignment.raises and hash_percent(assignment, "officer") < _OFFICERS_PERCENT


def _neighbouring_unit(index: UnitIndex, assignment: Assignment) -> int | None:
    """Another unit with the same parent; None without one."""
    unit = index.get(assignment.unit_id) if assignment.unit_id is not None else None
    if unit is None or unit.parent_id is None:
        return None
    others = [other.id for other in index if other.parent_id == unit.parent_id and other.id != unit.id]
    return others[hash_percent(assignment, "door") % len(others)] if others else None


def _ignore_conflict(act: Callable[..., object], *about: object, **facts: object) -> None:
    try:
        act(*about, **facts)
    except Conflict:
        return  # The person was reached on another track meanwhile.


_AT_ONCE = 200
_SIGN_AFTER = timedelta(seconds=45)
_BANK_ASKED_AFTER = timedelta(minutes=2)
_CALL_AFTER = timedelta(minutes=4)
_VISIT_AFTER = timedelta(minutes=25)
_OFFICERS = ("临河所 孙辉", "五原所 周敏", "前旗所 吴强", "后旗所 郑洁")
_CHIEF = "值班长 刘岩"

_BY_PHONE = (
    (46, OutcomeKind.DISSUADED_BY_PHONE),
    (10, OutcomeKind.SAW_THROUGH_IT),
    (10, OutcomeKind.HALF_BELIEVES),
    (8, OutcomeKind.REFUSES),
    (14, OutcomeKind.CANNOT_FIND_YET),
    (5, OutcomeKind.ALREADY_DEFRAUDED),
    (4, OutcomeKind.NOT_THE_PERSON),
    (3, OutcomeKind.LANGUAGE_OR_HEARING),
)
_IN_PERSON = (
    (66, OutcomeKind.DISSUADED_IN_PERSON),
    (8, OutcomeKind.SAW_THROUGH_IT),
    (7, OutcomeKind.HALF_BELIEVES),
    (4, OutcomeKind.REFUSES),
    (9, OutcomeKind.CANNOT_FIND_YET),
    (6, OutcomeKind.ALREADY_DEFRAUDED),
)
_USES_A_CARD_PERCENT = 60
_APPROVED_PERCENT = 80
_OWN_PHONE_PERCENT = 8
_TALK_SECONDS = 60
_ABSENT_PERCENT = 60
_FAMILY: Final = (FamilyResult.WITH_PERSON, FamilyResult.PASSES_ON, FamilyResult.NOT_REACHED)
_SAVED_PERCENT = 35
_STOPPED_PERCENT = 40
_SAVED = frozenset({OutcomeKind.DISSUADED_BY_PHONE, OutcomeKind.DISSUADED_IN_PERSON})


def work_once_as_staff(services: Services) -> int:
    """Signs new assignments and reports old ones; returns the number of reports. One report that is refused does not
    stop the others; the first refusal is raised at the end.
    """
    with services.store.begin() as tx:
        waiting = waiting_assignments(tx, limit=_AT_ONCE)
        payments = waiting_stop_payments(tx, limit=_AT_ONCE)
    now = services.clock.now()
    alone = reassign(services, waiting, now=now)
    reported = 0
    refused: Invalid | None = None
    for payment in payments:
        if now - payment.opened_at >= _BANK_ASKED_AFTER:
            complete_stop_payment(services, unrestricted(_CHIEF), payment.id, result=StopResult.ASKED)
    for assignment in waiting:
        if assignment.lease_until is not None or assignment.id in alone:
            continue  # A person has claimed it, or it is between two units.
        if assignment.call_at is not None and assignment.call_at > now:
            continue  # It waits for its time, or for a second person.
        age = now - assignment.opened_at
        try:
            if assignment.state is AssignmentState.OPEN and age >= _SIGN_AFTER:
                sign_assignment(services, unrestricted(_who(assignment)), assignment.id)
            is_due = age >= (_CALL_AFTER if assignment.kind is Track.HUMAN else _VISIT_AFTER)
            if (
                is_due
                and assignment.signed_at is not None
                and now >= assignment.signed_at + _talk_time(assignment)
            ):
                _report(services, assignment)
                reported += 1
        except Conflict:
            continue  # The person was reached on another track meanwhile.
        except Invalid as fault:
            refused = refused or fault
    if refused is not None:
        raise refused
    return reported


def _report(services: Services, assignment: Assignment) -> None:
    outcome = _outcome(assignment)
    amounts, evidence = _money(services, assignment, outcome)
    contacts = (ScammerContact.YES, ScammerContact.UNKNOWN, ScammerContact.NO)
    family = _FAMILY[hash_percent(assignment, "family") % len(_FAMILY)]
    is_call, reached = assignment.kind is Track.HUMAN, contact_of_outcome(outcome) is Contact.VERIFIED
    on_own_phone = is_call and reached and hash_percent(assignment, "dials") < _OWN_PHONE_PERCENT
    # A follow-up needs a staff call.
    on_own_phone = on_own_phone and not _is_follow_up(services, assignment)
    if is_call and reached and not on_own_phone:
        _add_ended_call(services, assignment)
    if not is_call and reached:
        phone = PhoneAct(client_id=uuid.uuid4(), actor=unrestricted(_who(assignment)))
        take_step(services, assignment.id, VisitStage.ARRIVED, phone=phone)
    given = WorkReport(
        outcome=outcome,
        amounts=amounts,
        evidence=evidence,
        scammer_contact=contacts[hash_percent(assignment, "contact") // 45]
        if contact_of_outcome(outcome) is Contact.VERIFIED
        else None,
        family=family if assignment.reason is Reason.FAMILY_CALL else None,
        used=_used(services, assignment) if is_call and reached else frozenset(),
        no_call="演练：用本人手机拨打 drill: called from my own telephone",
    )
    outcome_id = report_assignment(services, unrestricted(_who(assignment)), assignment.id, given)
    if on_own_phone or hash_percent(assignment, "approve") < _APPROVED_PERCENT:
        approve_outcome(services, unrestricted(_CHIEF), outcome_id)


def _used(services: Services, assignment: Assignment) -> frozenset[tuple[int, int]]:
    """What the caller ticks of the knowledge cards beside the call: nothing, or the answer to one objection."""
    if hash_percent(assignment, "knowledge") >= _USES_A_CARD_PERCENT:
        return frozenset()
    with services.store.begin() as tx:
        stored = get_case(tx, assignment.case_id)
    assert stored is not None
    cards = cards_beside(services, stored.case.fraud_type)
    if not cards:
        return frozenset()
    card = cards[hash_percent(assignment, "card") % len(cards)]
    objections = len(card.content.chinese.objections)
    return frozenset({(card.id, 1 + hash_percent(assignment, "objection") % objections)})


def _is_follow_up(services: Services, assignment: Assignment) -> bool:
    with services.store.begin() as tx:
        stored = get_case(tx, assignment.case_id)
    return stored is not None and stored.case.status is CaseStatus.WATCHING


def _talk_time(assignment: Assignment) -> timedelta:
    return timedelta(seconds=_TALK_SECONDS + hash_percent(assignment, "talk"))


def _add_ended_call(services: Services, assignment: Assignment) -> None:
    """Stores the row of a call from the desk as it would be after its end; no telephone rings."""
    call_id, ended_at = uuid.uuid4(), services.clock.now()
    talk_time = _talk_time(assignment)
    asked_at = ended_at - talk_time
    with services.store.begin() as tx:
        stored = get_case(tx, assignment.case_id)
        assert stored is not None
        add_desk_call(
            tx,
            call_id,
            assignment_id=assignment.id,
            case_id=assignment.case_id,
            person_id=stored.person_id,
            number=0,
            extension="",
            by=_who(assignment),
            drill=stored.drill,
            asked_at=asked_at,
            asked_real_at=services.real.now(),
        )
        change_desk_call(
            tx,
            call_id,
            state=DeskCallState.ENDED.value,
            result=TelephonyResult.ANSWERED.value,
            talk_seconds=int(talk_time.total_seconds()),
            settled=True,
            ended_at=ended_at,
        )


def _money(
    services: Services, assignment: Assignment, outcome: OutcomeKind
) -> tuple[Amounts, Evidence | None]:
    """Amounts and their evidence: some dissuaded people had money at risk; some of what was paid is stopped at the
    bank.
    """
    with services.store.begin() as tx:
        stored = get_case(tx, assignment.case_id)
    at_risk = stored.case.amount_at_risk_fen if stored is not None else None
    if not at_risk:
        return Amounts(), None
    if outcome in _SAVED and hash_percent(assignment, "saved") < _SAVED_PERCENT:
        page = "演练：转账页面截图 drill: screenshot of the transfer page"
        shown = Evidence(kind=EvidenceKind.PHOTO, reference=page, shows_fen=at_risk)
        return Amounts(intended_fen=at_risk), shown
    if outcome is OutcomeKind.ALREADY_DEFRAUDED and hash_percent(assignment, "stopped") < _STOPPED_PERCENT:
        receipt = "演练：银行止付回执 drill: the bank's stop-payment receipt"
        shown = Evidence(kind=EvidenceKind.BANK_RECEIPT, reference=receipt, shows_fen=at_risk)
        return Amounts(stopped_fen=at_risk // 2), shown
    return Amounts(), None


def _outcome(assignment: Assignment) -> OutcomeKind:
    if assignment.reason is Reason.FAMILY_CALL or _is_absent(assignment):
        return OutcomeKind.CANNOT_FIND_YET
    mix = _BY_PHONE if assignment.kind is Track.HUMAN else _IN_PERSON
    rest = hash_percent(assignment, "outcome")
    for share, outcome in mix:
        rest -= share
        if rest < 0:
            return outcome
    return mix[0][1]


def _is_absent(assignment: Assignment) -> bool:
    """Whether the first call of a case that starts with all tracks finds nobody: then the family may be called."""
    is_first = assignment.reason is Reason.PARALLEL_TRACKS and assignment.kind is Track.HUMAN
    return is_first and hash_percent(assignment, "absent") < _ABSENT_PERCENT


def _who(assignment: Assignment) -> str:
    names = CALLERS if assignment.kind is Track.HUMAN else _OFFICERS
    return names[hash_percent(assignment, "who") % len(names)]
