"""`dialer records`: the record of each unit in a month. `dialer corrections`: orders to correct."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer

from dialer.cli.common import By
from dialer.cli.output import (
    AsJson,
    centre_time,
    command_application,
    print_found,
    print_json,
    print_rows,
    signed_application,
)
from dialer.core.access import Permission
from dialer.core.corrections import BY_THE_UNIT, OrderEvent
from dialer.core.errors import Invalid
from dialer.core.text import Lang
from dialer.core.units import find_unit
from dialer.figures.unit_record_tables import place_sentence, ranked_of, record_lines, records_out
from dialer.figures.unit_records import (
    GIVEN,
    SHARES,
    RecordLine,
    RecordShare,
    RecordsQuery,
    UnitRecords,
    read_unit_records,
    typed_month,
)
from dialer.language.catalogue import say
from dialer.language.figure_words import count_word
from dialer.language.words import word_of
from dialer.oversight.corrections import (
    OrderDraft,
    issue_order,
    move_order,
    plain_order,
    read_order,
    read_orders,
)
from dialer.runtime.services import Services


def records_command(
    month: Annotated[str, typer.Option(help="such as 2026-11; default: this month")] = "",
    unit: Annotated[
        str, typer.Option(help="the unit's name or path: compares those right below it; default: all")
    ] = "",
    lang: Annotated[Lang, typer.Option(help="zh or en")] = Lang.ZH,
    *,
    as_json: AsJson = False,
) -> None:
    """督办台账: what each unit was given in a month, what came late, and what became of its cases."""
    with command_application("records") as app:
        services = app.services
        today = services.clock.now().astimezone(services.centre.zone).date()
        query = RecordsQuery(month=typed_month(month, today), unit_id=_unit_id(services, unit))
        found = read_unit_records(services, query, reader_unit_id=None)
        out = records_out(services, found).plain()
    if as_json:
        print_json(out)
        return
    columns: dict[str, Callable[[_Row], str]] = {
        say(lang, "Unit"): lambda row: row[0],
        count_word(GIVEN, lang): lambda row: str(row[1].given),
    }
    for share in SHARES:
        columns[say(lang, share.title)] = partial(_cell, share, found, lang)
    columns[count_word("entries_missing", lang)] = lambda row: _portion(row[1].missing.share)
    rows = [(name, line) for _, name, line in record_lines(found, lang)]
    print_rows([*rows, (say(lang, "All together"), found.whole)], columns)


_Row = tuple[str, RecordLine]


def _unit_id(services: Services, name: str) -> int | None:
    if not name:
        return None
    with services.store.begin() as tx:
        return find_unit(services.units.current(tx), name).id


def _portion(share: float | None) -> str:
    return "—" if share is None else f"{share:.1%}"


def _cell(share: RecordShare, found: UnitRecords, lang: Lang, row: _Row) -> str:
    figure = row[1].shares[share.name]
    text = f"{_portion(figure.count.share)} {figure.count.hits:,}/{figure.count.people:,}"
    place = place_sentence(figure, ranked_of(found, share.name), lang)
    return f"{text}\n{place}" if place else text


corrections = typer.Typer(help="Orders to correct.", no_args_is_help=True)
_Text = Annotated[str, typer.Option(help="in a few sentences; stored encrypted")]
_Deadline = Annotated[str, typer.Option(help="local time, such as 2026-12-10T18:00, or a day")]


@corrections.command("list")
def list_corrections(
    by: By,
    *,
    unit: Annotated[str, typer.Option(help="the unit's name or path, with those below it")] = "",
    case: Annotated[int, typer.Option(help="those about one case")] = 0,
    everything: Annotated[bool, typer.Option("--all", help="also closed and withdrawn ones")] = False,
    as_json: AsJson = False,
) -> None:
    """督办单: which orders to correct wait for somebody, the newest first, fifty at most."""
    with signed_application("corrections", by, Permission.SEE_CORRECTIONS) as (app, actor):
        found = read_orders(
            app.services,
            actor,
            open_only=not everything,
            unit_id=_unit_id(app.services, unit),
            case_id=case or None,
        )
        now = app.services.clock.now()
        print_found(
            found.orders,
            as_json=as_json,
            plain=lambda row: plain_order(row[0], row[1], now),
            columns={
                "编号 number": lambda row: str(row[0].id),
                "单位 unit": lambda row: row[1],
                "状态 state": lambda row: word_of(row[0].state, Lang.ZH),
                "期限 deadline": lambda row: centre_time(row[0].deadline, app),
                "逾期 overdue": lambda row: "是 yes" if row[0].is_overdue(now) else "",
                "预警单 case": lambda row: str(row[0].case_id or ""),
            },
            empty="没有督办单 no orders to correct",
        )


@corrections.command("show")
def show_correction(order_id: int, by: By, *, as_json: AsJson = False) -> None:
    """One order with everything that happened to it."""
    with signed_application("corrections", by, Permission.SEE_CORRECTIONS) as (app, actor):
        found = read_order(app.services, actor, order_id)
        if as_json:
            print_json(found.plain(app.services.clock.now()))
            return
        state = word_of(found.order.state, Lang.ZH)
        typer.echo(f"督办单 {order_id}  {found.unit}  {state}  {centre_time(found.order.deadline, app)}")
        for step in found.steps:
            typer.echo(f"{centre_time(step.at, app)}  {word_of(step.event, Lang.ZH)}  {step.by}  {step.text}")


@corrections.command("issue")
def issue_correction(
    by: By,
    *,
    unit: Annotated[str, typer.Option(help="the unit's name or path")],
    text: _Text,
    deadline: _Deadline,
    case: Annotated[int, typer.Option(help="the case that it is about")] = 0,
    month: Annotated[str, typer.Option(help="the month of the record that it is about, as 2026-11")] = "",
) -> None:
    """Issues an order to correct to a unit; its people on duty are told."""
    with signed_application("corrections", by, Permission.ORDER_CORRECTIONS) as (app, actor):
        unit_id = _unit_id(app.services, unit)
        if unit_id is None:
            raise Invalid(field="unit", problem="is empty", fix="choose a unit")
        today = app.services.clock.now().astimezone(app.services.centre.zone).date()
        draft = OrderDraft(
            unit_id=unit_id,
            text=text,
            deadline=deadline,
            case_id=case or None,
            month=typed_month(month, today) if month else None,
        )
        order_id = issue_order(app.services, actor, draft)
    typer.echo(f"督办单 {order_id} 已下发 order to correct {order_id} issued")


def _move(by: str, order_id: int, event: OrderEvent, *, text: str = "", deadline: str = "") -> None:
    right = Permission.WORK_CASES if event in BY_THE_UNIT else Permission.ORDER_CORRECTIONS
    with signed_application("corrections", by, right) as (app, actor):
        move_order(app.services, actor, order_id, event, text=text, deadline=deadline)
    typer.echo(f"督办单 {order_id}：{word_of(event, Lang.ZH)} {word_of(event, Lang.EN)}")


@corrections.command("sign")
def sign_correction(order_id: int, by: By) -> None:
    """The unit signs for the order."""
    _move(by, order_id, OrderEvent.SIGNED)


@corrections.command("answer")
def answer_correction(order_id: int, by: By, *, text: _Text) -> None:
    """The unit answers: what was found and put right."""
    _move(by, order_id, OrderEvent.ANSWERED, text=text)


@corrections.command("send-back")
def send_back_correction(order_id: int, by: By, *, text: _Text, deadline: _Deadline) -> None:
    """Sends the answer back with a new deadline."""
    _move(by, order_id, OrderEvent.SENT_BACK, text=text, deadline=deadline)


@corrections.command("close")
def close_correction(order_id: int, by: By, *, text: _Text = "") -> None:
    """Accepts the answer and closes the order; another person than who answered."""
    _move(by, order_id, OrderEvent.CLOSED, text=text)


@corrections.command("withdraw")
def withdraw_correction(order_id: int, by: By, *, text: _Text) -> None:
    """Takes the order back, with the reason."""
    _move(by, order_id, OrderEvent.WITHDRAWN, text=text)
