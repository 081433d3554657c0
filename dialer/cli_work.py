"""Commands for callers and officers: the work that waits, what came of it, a second person's approval."""

from __future__ import annotations

import json
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from dialer.bootstrap import application
from dialer.cli_end import By, signer
from dialer.domain.case import Reason
from dialer.domain.values import OutcomeKind, Track
from dialer.errors import Invalid
from dialer.language import Lang, Text
from dialer.outcomes.money import Amounts, fen_of
from dialer.sentences import moment_words
from dialer.settings import load_settings
from dialer.store import assignments, stop_payments
from dialer.store.stop_payments import StopPayment
from dialer.usecases.report_errand import approve_outcome, report_errand, sign_errand
from dialer.words import word

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
        with app.engine.store.begin() as tx:
            waiting = assignments.waiting(tx, kind=track, limit=limit)
            payments = stop_payments.waiting(tx, limit=limit) if track is None else []
        now = app.engine.clock.now()
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
            word(Reason.ALREADY_PAID, lang),
            "[red]立即[/]" if zh else "[red]now[/]",
            "-",
        )
    for a in waiting:
        due = moment_words(a.due_at.astimezone(zone), now, lang)
        late = ("超时 " if zh else "overdue ") if a.due_at <= now else ""
        table.add_row(
            str(a.id),
            str(a.case_id),
            word(a.kind, lang),
            word(a.grade, lang),
            word(Reason(a.reason), lang),
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
        sign_errand(app.engine, assignment_id, by=by)
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
        outcome_id = report_errand(
            app.engine,
            assignment_id,
            by=by,
            outcome=_outcome(result),
            amounts=amounts,
            evidence=evidence,
        )
    typer.echo(f"outcome {outcome_id} recorded")


@outcome.command("approve")
def approve(
    outcome_id: int,
    by: Annotated[str, typer.Option(help="another person than who recorded it", callback=signer)],
) -> None:
    """Approve an outcome, as the second person."""
    with application(load_settings()) as app:
        approve_outcome(app.engine, outcome_id, by=by)
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
