"""Stop-payment requests 止付: a request to one bank to hold a payment, as it was made; its answer, which a second
person reports; and alarms for requests that nobody has followed up in time. The account and the receipt are sealed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from dialer.cases.effects import Move, move_cases
from dialer.cases.store import lock_cases
from dialer.core.access import Actor, Permission
from dialer.core.case import StopResult, StopState
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.events import AlarmCode, PaymentReported
from dialer.core.rates import is_in_range
from dialer.core.text import Text
from dialer.core.values import format_yuan, parse_yuan
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm
from dialer.db.bulk import in_words
from dialer.db.columns import is_of_actor
from dialer.db.second_person import require_second_person
from dialer.db.unit_of_work import Row, Tx, record_of
from dialer.runtime.services import Services
from dialer.work.assignments import Scope
from dialer.work.desk_store import (
    check_stop_payment_open_to,
    finish_stop_payment,
    waiting_stop_payments,
)

FOLLOW_UP_AFTER = timedelta(minutes=30)
"""After the request, and after each time the bank gave no answer."""
_REPEAT_WITHIN = timedelta(minutes=1)
"""A request with the same content within this time is the same form, sent again."""
_FEWEST_DIGITS, _MOST_DIGITS = 6, 32
_SHOWN_DIGITS = 4
_LONGEST = 100
_AT_ONCE = 500
_WAITING = (StopState.ASKED, StopState.NO_ANSWER)
BANK_ANSWERS = (StopState.STOPPED, StopState.REFUSED, StopState.NO_ANSWER)
"""The answers of a bank that can be reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopForm:
    """A request to a bank. Raises `Invalid` for an invalid account, an empty name of the bank and a missing amount."""

    bank: str
    account: str
    amount_fen: int
    asked_at: datetime
    receipt: str = ""
    """The number under which the bank or the platform took the request; '' where it gave none."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.bank.strip()) <= _LONGEST:
            raise Invalid(field="bank", problem="is missing", fix="the name of the bank")
        digits = self.digits
        if not (digits.isascii() and digits.isalnum() and _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS):
            raise Invalid(
                field="account",
                problem="is not an account",
                fix=Text("%(few)s to %(most)s letters and digits", few=_FEWEST_DIGITS, most=_MOST_DIGITS),
            )
        if self.amount_fen <= 0:
            raise Invalid(field="amount", problem="is missing", fix="the amount to be stopped, in yuan")
        if len(self.receipt.strip()) > _LONGEST:
            raise Invalid(field="receipt", problem="is too long")

    @property
    def digits(self) -> str:
        """The account without spaces and dashes."""
        return self.account.replace(" ", "").replace("-", "")


def typed_stop_form(
    *, bank: str, account: str, amount: str, at: str, receipt: str, now: datetime, timezone: str
) -> StopForm:
    """The request as typed in a form or a command: the amount in yuan, the time local, '' for now. Raises `Invalid`."""
    try:
        moment = datetime.fromisoformat(at.strip()) if at.strip() else now
    except ValueError:
        raise Invalid(field="at", problem="is not a time", fix="choose a day and a time") from None
    if not is_in_range(moment):
        raise Invalid(field="at", problem="is out of range", fix="choose a day and a time")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(timezone))
    amount_fen = parse_yuan(amount, field="amount")
    return StopForm(bank=bank, account=account, amount_fen=amount_fen, asked_at=moment, receipt=receipt)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequest:
    """A request to a bank, masked. Amounts in fen."""

    id: int
    case_id: int
    bank: str
    account_masked: str
    """`****` and the last four characters; `****` alone once it is erased."""
    amount_fen: int
    asked_at: datetime
    recorded_by: str
    follow_up_by: datetime
    state: StopState
    stopped_fen: int | None
    confirmed_by: str
    confirmed_at: datetime | None
    times_unanswered: int

    @property
    def waits(self) -> bool:
        """Whether the bank has neither stopped the payment nor refused."""
        return self.state in _WAITING

    def is_overdue(self, now: datetime) -> bool:
        """Whether the bank should have been asked for its answer by now."""
        return self.waits and self.follow_up_by <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class StopNumbers:
    """The sealed part in clear."""

    account: str
    receipt: str


def report_paid(services: Services, actor: Actor, case_id: int) -> bool:
    """Records that the person has told the actor that money has been sent: opens the task to ask the bank to stop the
    payment, and raises the alarm. Returns False, and changes nothing, if the task is open already. Raises `NotFound`
    for a case that neither the actor nor the actor's unit works on.
    """
    with services.act(actor, Permission.WORK_DESK, Permission.WORK_VISITS) as act:
        tx = act.tx
        check_stop_payment_open_to(tx, case_id, scope=Scope(unit_id=actor.unit_id), by=act.by)
        locked = lock_cases(tx, [case_id])
        if waiting_stop_payments(tx, case_id=case_id):
            act.needs_no_record()
            return False
        moves = [Move(case_id=case_id, event=PaymentReported())]
        move_cases(tx, locked, moves, policies=services.policies, now=act.now)
        act.audit("report_paid", f"case/{case_id}")
    return True


def add_stop_request(services: Services, actor: Actor, stop_payment_id: int, given: StopForm) -> int:
    """Records that the bank was asked; returns the id of the request. This also ends the task, if it was open; another
    bank may be asked under the same task. The same form sent twice is one request. Raises `NotFound`, also for a task
    of a case that neither the actor nor the actor's unit works on, and `Invalid` for a time that is not past.
    """
    p = t.stop_payment.c
    with services.act(actor, Permission.WORK_DESK) as act:
        tx, who, now = act.tx, act.by, act.now
        if not now - timedelta(days=30) <= given.asked_at <= now:
            raise Invalid(field="at", problem="is not within the last 30 days")
        task = tx.one(sa.select(p.case_id).where(p.id == stop_payment_id))
        if task is None:
            raise NotFound(kind="stop payment", key=stop_payment_id)
        case_id = int(task["case_id"])
        scope = Scope(unit_id=actor.unit_id)
        check_stop_payment_open_to(tx, case_id, scope=scope, by=who)
        stored = lock_cases(tx, [case_id])[case_id]
        if tx.scalar(sa.select(p.done_at.is_(None)).where(p.id == stop_payment_id).with_for_update()):
            finish_stop_payment(tx, stop_payment_id, scope=scope, by=who, result=StopResult.ASKED, now=now)
        sent_before = _sent_before(tx, stop_payment_id, case_id, given, by=who, now=now)
        if sent_before is not None:
            act.needs_no_record()
            return sent_before
        sealed = tx.vault.seal_record(
            {"account": given.digits, "receipt": given.receipt.strip()}, **_place(case_id)
        )
        row = tx.one(
            sa.insert(t.stop_request)
            .values(
                stop_payment_id=stop_payment_id,
                case_id=case_id,
                bank=given.bank.strip(),
                sealed=sealed,
                amount_fen=given.amount_fen,
                asked_at=given.asked_at,
                recorded_by=who,
                recorded_at=now,
                follow_up_by=given.asked_at + FOLLOW_UP_AFTER,
                state=StopState.ASKED.value,
                drill=stored.drill,
            )
            .returning(t.stop_request.c.id)
        )
        assert row is not None
        facts = {"stop_payment": stop_payment_id, "stop_request": row["id"]}
        act.audit("ask_bank", f"case/{case_id}", facts=facts)
    return int(row["id"])


def _sent_before(
    tx: Tx, stop_payment_id: int, case_id: int, given: StopForm, *, by: str, now: datetime
) -> int | None:
    """The id of the request that this person recorded with the same content a moment ago; None without one."""
    r = t.stop_request.c
    same = sa.select(r.id, r.sealed).where(
        r.stop_payment_id == stop_payment_id,
        r.bank == given.bank.strip(),
        r.amount_fen == given.amount_fen,
        is_of_actor(r.recorded_by, by),
        r.state == StopState.ASKED.value,
        r.recorded_at > now - _REPEAT_WITHIN,
    )
    numbers = {"account": given.digits, "receipt": given.receipt.strip()}
    for row in tx.rows(same):
        if tx.vault.open_record(row["sealed"], **_place(case_id)) == numbers:
            return int(row["id"])
    return None


def report_stop_request(
    services: Services, actor: Actor, request_id: int, result: StopState, *, stopped_fen: int = 0
) -> None:
    """Records what the bank answered. That it stopped or refused the payment is reported by another person than the one
    who asked, and ends the request; no answer gives the request a new time to follow up. Raises `NotFound`, `Invalid`
    for an amount that does not fit, and `Conflict` for the person who asked, and once the request has ended.
    """
    if result is StopState.ASKED:
        raise Invalid(field="result", problem="is not chosen")
    r = t.stop_request.c
    with services.act(actor, Permission.WORK_DESK) as act:
        tx, who = act.tx, act.by
        row = tx.one(sa.select(t.stop_request).where(r.id == request_id))
        if row is None:
            raise NotFound(kind="stop request", key=request_id)
        case_id = int(row["case_id"])
        check_stop_payment_open_to(tx, case_id, scope=Scope(unit_id=actor.unit_id), by=who)
        lock_cases(tx, [case_id])
        row = tx.one(sa.select(t.stop_request).where(r.id == request_id).with_for_update())
        assert row is not None
        _check_answer(tx, row, result, stopped_fen, by=who)
        changed: dict[str, Any] = {"state": result.value}
        if result is StopState.NO_ANSWER:
            changed |= {"follow_up_by": act.now + FOLLOW_UP_AFTER, "times_unanswered": r.times_unanswered + 1}
        else:
            changed |= {"confirmed_by": who, "confirmed_at": act.now}
        if result is StopState.STOPPED:
            changed["stopped_fen"] = stopped_fen
        tx.execute(sa.update(t.stop_request).where(r.id == request_id).values(**changed))
        facts = {"stop_request": request_id}
        act.audit("report_bank", f"case/{case_id}", why=result.value, facts=facts)


def _check_answer(tx: Tx, row: Row, result: StopState, stopped_fen: int, *, by: str) -> None:
    if StopState(row["state"]) not in _WAITING:
        raise Conflict(Text("the bank's answer is on record already"), current=row["state"])
    if result is not StopState.NO_ANSWER:
        require_second_person(tx, by, row["recorded_by"])
    if result is StopState.STOPPED and not 0 < stopped_fen <= row["amount_fen"]:
        raise Invalid(
            field="stopped",
            problem="is not above 0 and at most what was asked",
            fix=Text("%(most)s yuan at most", most=format_yuan(row["amount_fen"])),
        )


def waiting_stop_requests(tx: Tx, *, scope: Scope | None = None, limit: int = 100) -> list[StopRequest]:
    """Unanswered requests of the cases of these units, or of all, the first to follow up first."""
    r = t.stop_request.c
    statement = (
        sa.select(t.stop_request)
        .where(in_words(r.state, _WAITING))
        .order_by(r.follow_up_by, r.id)
        .limit(limit)
    )
    if scope is not None:
        statement = statement.join(t.case, t.case.c.id == r.case_id).where(
            scope.includes(tx, t.case.c.unit_id)
        )
    return [_masked(tx, row) for row in tx.rows(statement)]


def raise_unanswered(services: Services) -> int:
    """Raises an alarm for each case with a request that nobody has followed up in time, once for each time that passed;
    returns the number of requests.
    """
    r, a = t.stop_request.c, t.alarm.c
    now = services.clock.now()
    raised = sa.exists().where(
        a.code == AlarmCode.STOP_UNANSWERED.value,
        a.case_id == r.case_id,
        sa.func.coalesce(a.last_at, a.raised_at) >= r.follow_up_by,
    )
    with services.store.begin() as tx:
        late = tx.rows(
            sa.select(r.id, r.case_id, r.times_unanswered)
            .where(in_words(r.state, _WAITING), r.follow_up_by <= now, ~raised)
            .order_by(r.follow_up_by, r.id)
            .limit(_AT_ONCE)
        )
        for row in late:
            facts = {"stop_request": row["id"], "times_unanswered": row["times_unanswered"]}
            code, case_id = AlarmCode.STOP_UNANSWERED, row["case_id"]
            raise_alarm(tx, code, now=now, case_id=case_id, facts=facts)
    return len(late)


def stop_requests_of(tx: Tx, case_id: int) -> list[StopRequest]:
    """The requests of one case, the oldest first."""
    r = t.stop_request.c
    rows = tx.rows(sa.select(t.stop_request).where(r.case_id == case_id).order_by(r.id))
    return [_masked(tx, row) for row in rows]


def stop_numbers_of(tx: Tx, case_id: int) -> dict[int, StopNumbers]:
    """Account numbers in clear by the id of the request, for an action that has audited who looks and why."""
    r = t.stop_request.c
    found = {}
    for row in tx.rows(sa.select(r.id, r.sealed).where(r.case_id == case_id)):
        record = tx.vault.open_record(row["sealed"], **_place(case_id))
        if record:
            found[row["id"]] = StopNumbers(account=record["account"], receipt=record["receipt"])
    return found


def _place(case_id: int) -> dict[str, str]:
    return {"table": "stop_request", "column": "sealed", "row": f"case/{case_id}"}


def _masked(tx: Tx, row: Row) -> StopRequest:
    account = tx.vault.open_record(row["sealed"], **_place(row["case_id"])).get("account", "")
    return record_of(
        StopRequest,
        row,
        account_masked=f"****{account[-_SHOWN_DIGITS:]}",
        confirmed_by=row["confirmed_by"] or "",
    )
