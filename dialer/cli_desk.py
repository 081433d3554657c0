"""Commands for whoever takes a person over from the robot: the conversation so far, and stop payments."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dialer.bootstrap import application
from dialer.cli_end import By
from dialer.domain.stop_payment import StopResult
from dialer.errors import Invalid
from dialer.language import Lang, Text
from dialer.outcomes.money import FEN_PER_YUAN
from dialer.settings import load_settings
from dialer.usecases.show_conversation import HandOver, Paid, Said, show_hand_over, stop_payment_done
from dialer.words import word

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
        told = show_hand_over(app.engine, assignment_id, by=by)
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
        stop_payment_done(app.engine, stop_payment_id, by=by, result=StopResult(result))
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


def _said(said: Said) -> dict[str, object]:
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
        "时间 when": "-" if paid.when is None else f"{word(paid.when, Lang.ZH)} {word(paid.when, Lang.EN)}",
    }
