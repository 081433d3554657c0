"""The pages of orders to correct 督办单: what waits, one order with its course, and the form that issues one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import Form, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.corrections import LONGEST_TEXT, OrderEvent
from dialer.core.errors import Conflict, Invalid
from dialer.core.text import gettext_noop
from dialer.figures.unit_records import typed_month
from dialer.oversight.corrections import (
    OrderDraft,
    issue_order,
    move_order,
    read_order,
    read_orders,
    unit_of_case,
    units_below,
)
from dialer.staff.names import read_display_names
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import typed_number, typed_word, unit_tree
from dialer.web.rendering import PlaceGroup

correction_pages = PageSection()
_PATH: Final = "/corrections"
_UNFIT: Final = 422
_CONFLICT: Final = 409
_SAVED: Final[Mapping[OrderEvent, str]] = {
    OrderEvent.SIGNED: gettext_noop("The order is signed for."),
    OrderEvent.ANSWERED: gettext_noop("The answer is sent."),
    OrderEvent.SENT_BACK: gettext_noop("The answer is sent back."),
    OrderEvent.CLOSED: gettext_noop("The order is closed."),
    OrderEvent.WITHDRAWN: gettext_noop("The order is withdrawn."),
}


class ListForm(BaseModel):
    """Which orders are listed."""

    shown: Annotated[str, Field(max_length=10, alias="show")] = ""
    unit: Annotated[str, Field(max_length=20)] = ""
    before: Annotated[str, Field(max_length=20)] = ""


class AboutForm(BaseModel):
    """What a new order is about, from the page that leads to the form."""

    unit: Annotated[str, Field(max_length=20)] = ""
    case: Annotated[str, Field(max_length=20)] = ""
    month: Annotated[str, Field(max_length=10)] = ""


@correction_pages.get(
    _PATH,
    act=Permission.SEE_CORRECTIONS,
    nav=gettext_noop("Orders to correct"),
    order=56,
    group=PlaceGroup.RESULTS,
)
def orders(request: CurrentRequest, form: Annotated[ListForm, Query()]) -> Response:
    """The orders of the reader's units: those that somebody still has to act on, or all."""
    show_all = form.shown == "all"
    found = read_orders(
        request.services,
        request.actor,
        open_only=not show_all,
        unit_id=typed_number(form.unit, field="unit"),
        before=typed_number(form.before, field="before"),
    )
    kept = {"show": "all"} if show_all else {}
    if form.unit:
        kept["unit"] = form.unit
    names = {order.issued_by for order, _ in found.orders}
    return request.page(
        "console/corrections.html",
        found=found,
        show_all=show_all,
        names=read_display_names(request.services, names),
        tabs=[
            (_PATH, request.say(gettext_noop("To be done"))),
            (f"{_PATH}?show=all", request.say(gettext_noop("All"))),
        ],
        older=f"{_PATH}?{urlencode({**kept, 'before': found.older})}" if found.older else "",
        may_issue=request.may(Permission.ORDER_CORRECTIONS),
    )


@correction_pages.get(f"{_PATH}/new", act=Permission.ORDER_CORRECTIONS)
def new_form(request: CurrentRequest, form: Annotated[AboutForm, Query()]) -> Response:
    """The form, about the unit, the month of its record or the case that led here."""
    typed = {"unit": form.unit, "case": form.case, "month": form.month}
    case_id = typed_number(form.case, field="case")
    if case_id is not None and not form.unit:
        typed["unit"] = str(unit_of_case(request.services, request.actor, case_id) or "")
    return _new(request, typed=typed)


@correction_pages.post(f"{_PATH}/new", act=Permission.ORDER_CORRECTIONS)
def issue(
    request: CurrentRequest,
    unit: Annotated[str, Form(max_length=20)] = "",
    case: Annotated[str, Form(max_length=20)] = "",
    month: Annotated[str, Form(max_length=10)] = "",
    deadline: Annotated[str, Form(max_length=30)] = "",
    text: Annotated[str, Form(max_length=4 * LONGEST_TEXT)] = "",
) -> Response:
    """Issues the order; the people on duty of its unit are told."""
    typed = {"unit": unit, "case": case, "month": month, "deadline": deadline, "text": text}
    try:
        order_id = issue_order(request.services, request.actor, _draft(request, typed))
    except Invalid as fault:
        return _new(request, typed=typed, wrong=request.wrong(fault))
    return request.redirect_to(
        f"{_PATH}/{order_id}", notice=gettext_noop("The order is issued, and the unit is told.")
    )


def _draft(request: RequestContext, typed: Mapping[str, str]) -> OrderDraft:
    unit_id = typed_number(typed["unit"], field="unit")
    if unit_id is None:
        raise Invalid(field="unit", problem="is empty", fix="choose a unit")
    today = request.now.astimezone(request.services.centre.zone).date()
    return OrderDraft(
        unit_id=unit_id,
        text=typed["text"],
        deadline=typed["deadline"],
        case_id=typed_number(typed["case"], field="case"),
        month=typed_month(typed["month"], today) if typed["month"] else None,
    )


def _new(
    request: RequestContext, *, typed: Mapping[str, str], wrong: Mapping[str, str] | None = None
) -> Response:
    choose = request.say(gettext_noop("choose one"))
    return request.page(
        "console/correction_new.html",
        status=_UNFIT if wrong else 200,
        units=[("", choose), *unit_tree(units_below(request.services, request.actor))],
        typed=typed,
        wrong=dict(wrong or {}),
        longest=LONGEST_TEXT,
    )


@correction_pages.get(_PATH + "/{order_id}", act=Permission.SEE_CORRECTIONS)
def order(request: CurrentRequest, order_id: int) -> Response:
    """One order: what is to be corrected, what happened, and what the reader may do."""
    return _show(request, order_id)


@correction_pages.post(_PATH + "/{order_id}", act=Permission.SEE_CORRECTIONS)
def act_on(
    request: CurrentRequest,
    order_id: int,
    event: Annotated[str, Form(max_length=20)] = "",
    text: Annotated[str, Form(max_length=4 * LONGEST_TEXT)] = "",
    deadline: Annotated[str, Form(max_length=30)] = "",
) -> Response:
    """Signs for, answers, sends back, closes or withdraws the order."""
    asked = typed_word(OrderEvent, event)
    typed = {"event": event, "text": text, "deadline": deadline}
    if asked is None or asked not in _SAVED:
        return _show(request, order_id, wrong={"event": request.say(gettext_noop("is not known"))})
    try:
        move_order(request.services, request.actor, order_id, asked, text=text, deadline=deadline)
    except Invalid as fault:
        return _show(request, order_id, typed=typed, wrong=request.wrong(fault))
    except Conflict as fault:
        return _show(request, order_id, typed=typed, refused=request.refusal(fault))
    return request.redirect_to(f"{_PATH}/{order_id}", notice=_SAVED[asked])


def _show(
    request: RequestContext,
    order_id: int,
    *,
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    refused: str = "",
) -> Response:
    found = read_order(request.services, request.actor, order_id)
    logins = {step.by for step in found.steps} | {one.login for one in found.told}
    return request.page(
        "console/correction.html",
        status=_UNFIT if wrong else _CONFLICT if refused else 200,
        found=found,
        order=found.order,
        names=read_display_names(request.services, logins),
        may={event.value for event in found.allowed},
        may_see_case=request.may(Permission.SEE_CASES),
        typed=dict(typed or {}),
        wrong=dict(wrong or {}),
        refused=refused,
        longest=LONGEST_TEXT,
    )
