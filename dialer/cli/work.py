"""Commands for whoever takes a person over from the robot: the conversation so far, and stop payments.

Commands for callers and officers: the work that waits, what came of it, a second person's approval.
"""

from __future__ import annotations

import json
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from dialer.bootstrap import application
from dialer.cli.common import By, signer
from dialer.core.case import Reason, StopResult
from dialer.core.errors import Invalid
from dialer.core.values import FEN_PER_YUAN, Amounts, OutcomeKind, Track, fen_of
from dialer.language import Lang, Text
from dialer.runtime.settings import load_settings
from dialer.wording.sentences import moment_words
from dialer.wording.words import word_of
from dialer.work.assignments import waiting_assignments
from dialer.work.desk import HandOver, Paid, SpokenTurn, show_hand_over, stop_payment_done
from dialer.work.desk_store import StopPayment, waiting_stop_payments
from dialer.work.tasks import Report, approve_outcome, report_assignment, sign_assignment

desk = typer.Typer()


@desk.command("show")
def show(
    assignment_id: int,
    by: By,
    *,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """The conversation so far: what the robot said, what was pressed, what was typed."""
    with application(load_settings()) as app:
        told = show_hand_over(app.services, assignment_id, by=by)
    if as_json:
        typer.echo(json.dumps(hand_over_form(told), ensure_ascii=False))
        return
    a = told.assignment
    typer.echo(f"{a.kind.value} {a.id}  预警单 case {a.case_id}  {a.grade.value}  {a.reason}")
    if told.paid is not None:
        typer.echo("止付 paid: " + "  ".join(f"{name}={value}" for name, value in _paid(told.paid).items()))
    table = Table("时间 at", "呼叫 ring", "按键 pressed", "机器人 robot", "值班 desk")
    for said in told.said:
        table.add_row(
            said.at.isoformat(timespec="seconds"),
            str(said.n),
            said.pressed or said.speech or "-",
            "\n".join(said.robot),
            said.desk or "-",
        )
    Console().print(table)


@desk.command("stop-payment")
def stop_payment(
    stop_payment_id: int,
    by: By,
    result: Annotated[str, typer.Option(help="asked, too_late, or not_needed")] = StopResult.ASKED.value,
) -> None:
    """止付: the bank has been asked, or why not. What it stopped is reported with evidence: `dialer work done`."""
    if result not in set(StopResult):
        raise Invalid(
            field="--result",
            problem=Text("%(value)s is none", value=repr(result)),
            mend="one of asked, too_late, not_needed",
        )
    with application(load_settings()) as app:
        stop_payment_done(app.services, stop_payment_id, by=by, result=StopResult(result))
    typer.echo(f"stop payment {stop_payment_id}: {result}")


def hand_over_form(told: HandOver) -> dict[str, object]:
    """JSON-ready; money in fen."""
    return {
        "id": told.assignment.id,
        "case_id": told.assignment.case_id,
        "kind": told.assignment.kind.value,
        "state": told.assignment.state.value,
        "reason": told.assignment.reason,
        "paid": None
        if told.paid is None
        else {
            "amount_fen": told.paid.amount_fen,
            "payee_account_last4": told.paid.payee_account_last4,
            "when": told.paid.when.name.lower() if told.paid.when else None,
        },
        "said": [_said(said) for said in told.said],
    }


def _said(said: SpokenTurn) -> dict[str, object]:
    return {
        "at": said.at.isoformat(),
        "ring": said.n,
        "asked_at": said.asked_at,
        "pressed": said.pressed,
        "speech": said.speech,
        "robot": list(said.robot),
        "desk": said.desk,
    }


def _paid(paid: Paid) -> dict[str, str]:
    return {
        "元 yuan": "-" if paid.amount_fen is None else str(paid.amount_fen // FEN_PER_YUAN),
        "账号末四位 account": paid.payee_account_last4 or "-",
        "时间 when": "-"
        if paid.when is None
        else f"{word_of(paid.when, Lang.ZH)} {word_of(paid.when, Lang.EN)}",
    }


work = typer.Typer(help="Human calls and visits.", no_args_is_help=True)
outcome = typer.Typer(help="The ledger of outcomes.", no_args_is_help=True)


@work.command("list")
def list_work(
    kind: Annotated[str, typer.Option(help="human, visit, or all")] = "all",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    lang: Annotated[Lang, typer.Option(help="zh or en")] = Lang.ZH,
    *,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """What waits for a person, most urgent first."""
    track = None if kind == "all" else _track(kind)
    with application(load_settings()) as app:
        with app.services.store.begin() as tx:
            waiting = waiting_assignments(tx, kind=track, limit=limit)
            payments = waiting_stop_payments(tx, limit=limit) if track is None else []
        now = app.services.clock.now()
        zone = ZoneInfo(app.settings.centre.timezone)
    if as_json:
        typer.echo(
            json.dumps(
                [payment_row(payment) for payment in payments]
                + [
                    {
                        "id": a.id,
                        "case_id": a.case_id,
                        "kind": a.kind.value,
                        "state": a.state.value,
                        "grade": a.grade.value,
                        "reason": a.reason,
                        "unit": a.unit,
                        "opened_at": a.opened_at.isoformat(),
                        "due_at": a.due_at.isoformat(),
                        "overdue": a.due_at <= now,
                        "signed_by": a.signed_by or None,
                    }
                    for a in waiting
                ],
                ensure_ascii=False,
            )
        )
        return
    zh = lang is Lang.ZH
    headings = (
        ("编号", "预警单", "种类", "等级", "原因", "截止", "签收")
        if zh
        else ("ID", "case", "kind", "grade", "reason", "due", "signed by")
    )
    table = Table(*headings, box=None, header_style="dim", pad_edge=False)
    for payment in payments:
        table.add_row(
            f"止付 {payment.id}" if zh else f"stop {payment.id}",
            str(payment.case_id),
            "紧急止付" if zh else "stop payment",
            "",
            word_of(Reason.ALREADY_PAID, lang),
            "[red]立即[/]" if zh else "[red]now[/]",
            "-",
        )
    for a in waiting:
        due = moment_words(a.due_at.astimezone(zone), now, lang)
        late = ("超时 " if zh else "overdue ") if a.due_at <= now else ""
        table.add_row(
            str(a.id),
            str(a.case_id),
            word_of(a.kind, lang),
            word_of(a.grade, lang),
            word_of(Reason(a.reason), lang),
            f"[red]{late}[/]{due}",
            a.signed_by or "-",
        )
    Console().print(table if waiting or payments else ("没有待办" if zh else "nothing waits"))


def payment_row(payment: StopPayment) -> dict[str, object]:
    """A stop-payment task among the work; `dialer work stop-payment ID` ends it."""
    return {
        "id": payment.id,
        "case_id": payment.case_id,
        "kind": "stop_payment",
        "state": "open",
        "grade": None,
        "reason": "already_paid",
        "unit": "",
        "opened_at": payment.opened_at.isoformat(),
        "due_at": payment.opened_at.isoformat(),
        "overdue": True,
        "signed_by": None,
    }


@work.command("sign")
def sign(assignment_id: int, by: By) -> None:
    """签收: take an assignment."""
    with application(load_settings()) as app:
        sign_assignment(app.services, assignment_id, by=by)
    typer.echo(f"assignment {assignment_id} signed by {by}")


@work.command("done")
def done(
    assignment_id: int,
    by: By,
    result: Annotated[str, typer.Option("--outcome", help="such as dissuaded_by_phone")],
    intended_yuan: Annotated[str, typer.Option(help="never paid 劝阻")] = "0",
    stopped_yuan: Annotated[str, typer.Option(help="paid, stopped at the bank 止付")] = "0",
    returned_yuan: Annotated[str, typer.Option(help="returned 返还")] = "0",
    evidence: Annotated[str, typer.Option(help="needed beside any amount")] = "",
) -> None:
    """反馈: report what came of an assignment."""
    amounts = Amounts(
        intended_fen=fen_of(intended_yuan, field="--intended-yuan"),
        stopped_fen=fen_of(stopped_yuan, field="--stopped-yuan"),
        returned_fen=fen_of(returned_yuan, field="--returned-yuan"),
    )
    with application(load_settings()) as app:
        given = Report(outcome=_outcome(result), amounts=amounts, evidence=evidence)
        outcome_id = report_assignment(app.services, assignment_id, given, by=by)
    typer.echo(f"outcome {outcome_id} recorded")


@outcome.command("approve")
def approve(
    outcome_id: int,
    by: Annotated[str, typer.Option(help="another person than who recorded it", callback=signer)],
) -> None:
    """Approve an outcome, as the second person."""
    with application(load_settings()) as app:
        approve_outcome(app.services, outcome_id, by=by)
    typer.echo(f"outcome {outcome_id} approved by {by}")


def _track(text: str) -> Track:
    if text not in {Track.HUMAN.value, Track.VISIT.value}:
        raise Invalid(
            field="--kind",
            problem=Text("%(value)s is no kind of work", value=repr(text)),
            mend="human, visit or all",
        )
    return Track(text)


def _outcome(text: str) -> OutcomeKind:
    try:
        return OutcomeKind(text)
    except ValueError:
        known = ", ".join(kind.value for kind in OutcomeKind)
        raise Invalid(
            field="--outcome",
            problem=Text("%(value)s is no outcome", value=repr(text)),
            mend=Text("one of %(known)s", known=known),
        ) from None
