"""Simulated callers and officers, who work the assignments as practice reports; a second person approves."""

from __future__ import annotations

from datetime import timedelta

from dialer.demo.between_units import pass_on
from dialer.demo.dice import dice
from dialer.domain.errand import AssignmentState
from dialer.domain.stop_payment import StopResult
from dialer.domain.values import OutcomeKind, Track
from dialer.errors import Conflict
from dialer.outcomes.money import Amounts
from dialer.store import assignments, cases, stop_payments
from dialer.store.assignments import Assignment
from dialer.usecases.engine import Engine
from dialer.usecases.report_errand import approve_outcome, report_errand, sign_errand
from dialer.usecases.show_conversation import stop_payment_done

_AT_ONCE = 200
_SIGN_AFTER = timedelta(seconds=45)
_BANK_ASKED_AFTER = timedelta(minutes=2)
_CALL_AFTER = timedelta(minutes=4)
_VISIT_AFTER = timedelta(minutes=25)
_CALLERS = ("陈警官", "李警官", "王警官", "赵警官")
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
_AT_THE_DOOR = (
    (66, OutcomeKind.DISSUADED_IN_PERSON),
    (8, OutcomeKind.SAW_THROUGH_IT),
    (7, OutcomeKind.HALF_BELIEVES),
    (4, OutcomeKind.REFUSES),
    (9, OutcomeKind.CANNOT_FIND_YET),
    (6, OutcomeKind.ALREADY_DEFRAUDED),
)
_SAVED = frozenset({OutcomeKind.DISSUADED_BY_PHONE, OutcomeKind.DISSUADED_IN_PERSON})


def work_once(engine: Engine) -> int:
    """Signs what is new, reports what had its time; how many reports. The same list gives the same reports."""
    with engine.store.begin() as tx:
        waiting = assignments.waiting(tx, limit=_AT_ONCE)
        payments = stop_payments.waiting(tx, limit=_AT_ONCE)
    now = engine.clock.now()
    alone = pass_on(engine, waiting, now=now)
    reported = 0
    for payment in payments:
        if now - payment.opened_at >= _BANK_ASKED_AFTER:
            stop_payment_done(engine, payment.id, by=_CHIEF, result=StopResult.ASKED)
    for assignment in waiting:
        if assignment.lease_until is not None or assignment.id in alone:
            continue  # Somebody sits before it, or it is between two units.
        age = now - assignment.opened_at
        try:
            if assignment.state is AssignmentState.OPEN and age >= _SIGN_AFTER:
                sign_errand(engine, assignment.id, by=_who(assignment))
            if age >= (_CALL_AFTER if assignment.kind is Track.HUMAN else _VISIT_AFTER):
                _report(engine, assignment)
                reported += 1
        except Conflict:
            continue  # The person was reached on another track meanwhile: that is the point of it.
    return reported


def _report(engine: Engine, assignment: Assignment) -> None:
    outcome = _outcome(assignment)
    amounts, evidence = _money(engine, assignment, outcome)
    outcome_id = report_errand(
        engine,
        assignment.id,
        by=_who(assignment),
        outcome=outcome,
        amounts=amounts,
        evidence=evidence,
    )
    if dice(assignment, "approve") < 80:  # noqa: PLR2004  # percent
        approve_outcome(engine, outcome_id, by=_CHIEF)


def _money(engine: Engine, assignment: Assignment, outcome: OutcomeKind) -> tuple[Amounts, str]:
    """Part of those who were dissuaded had money ready to go; some of what was paid is stopped at the bank."""
    with engine.store.begin() as tx:
        at_risk = cases.amount_at_risk(tx, assignment.case_id)
    if not at_risk:
        return Amounts(), ""
    if outcome in _SAVED and dice(assignment, "saved") < 35:  # noqa: PLR2004  # percent
        return Amounts(intended_fen=at_risk), "演练：转账页面截图 drill: screenshot of the transfer page"
    if outcome is OutcomeKind.ALREADY_DEFRAUDED and dice(assignment, "stopped") < 40:  # noqa: PLR2004
        return Amounts(stopped_fen=at_risk // 2), "演练：银行止付回执 drill: the bank's stop-payment receipt"
    return Amounts(), ""


def _outcome(assignment: Assignment) -> OutcomeKind:
    mix = _BY_PHONE if assignment.kind is Track.HUMAN else _AT_THE_DOOR
    left = dice(assignment, "outcome")
    for share, outcome in mix:
        if left < share:
            return outcome
        left -= share
    return mix[0][1]


def _who(assignment: Assignment) -> str:
    names = _CALLERS if assignment.kind is Track.HUMAN else _OFFICERS
    return names[dice(assignment, "who") % len(names)]
