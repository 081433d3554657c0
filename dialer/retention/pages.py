"""The page of erasures 删除申请: one person asks, a second one confirms; certificates and legal holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Form, Path
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import Invalid, NotFound, Refusal
from dialer.core.text import gettext_noop
from dialer.retention.erasure import (
    ask_erasure,
    confirm_erasure,
    lift_legal_hold,
    place_legal_hold,
    read_erasures,
    read_holds,
    refuse_erasure,
)
from dialer.web.console import CurrentRequest, PageSection, RequestContext

erasure_pages = PageSection()
_PATH, _TEMPLATE = "/erasures", "console/erasures.html"
_UNFIT, _TAKEN = 422, 409
Number = Annotated[int, Path(ge=1, lt=2**63)]
Case = Annotated[int, Form(ge=1, lt=2**63)]
Words = Annotated[str, Form(max_length=500)]


@erasure_pages.get(_PATH, act=Permission.SEE_ERASURES, shows_people=True)
def erasures(request: CurrentRequest) -> Response:
    return _show(request)


@erasure_pages.post(_PATH + "/ask", act=Permission.ERASE_PERSONS)
def ask(request: CurrentRequest, case: Case, why: Words = "") -> Response:
    """Asks for the erasure of the person of a case."""
    return _act(
        request,
        lambda: ask_erasure(request.services, request.actor, case, why=why),
        gettext_noop("Asked for. Nothing is erased before a second person confirms it."),
    )


@erasure_pages.post(_PATH + "/{request_id}/confirm", act=Permission.ERASE_PERSONS)
def confirm(request: CurrentRequest, request_id: Number) -> Response:
    """Erases the person for good."""
    register = request.app.settings.register_of_erasures()
    return _act(
        request,
        lambda: confirm_erasure(request.services, request.actor, request_id, register=register),
        gettext_noop("The person is erased."),
    )


@erasure_pages.post(_PATH + "/{request_id}/refuse", act=Permission.ERASE_PERSONS)
def refuse(request: CurrentRequest, request_id: Number, why: Words = "") -> Response:
    """Refuses a request, or withdraws one's own."""
    return _act(
        request,
        lambda: refuse_erasure(request.services, request.actor, request_id, why=why),
        gettext_noop("Refused: nothing is erased."),
    )


@erasure_pages.post(_PATH + "/hold", act=Permission.ERASE_PERSONS)
def hold(request: CurrentRequest, case: Case, why: Words = "") -> Response:
    """Places a legal hold on the person of a case."""
    return _act(
        request,
        lambda: place_legal_hold(request.services, request.actor, case, why=why),
        gettext_noop("The person is under a legal hold."),
    )


@erasure_pages.post(_PATH + "/lift", act=Permission.ERASE_PERSONS)
def lift(request: CurrentRequest, case: Case, why: Words = "") -> Response:
    """Lifts the legal hold on the person of a case."""
    return _act(
        request,
        lambda: lift_legal_hold(request.services, request.actor, case, why=why),
        gettext_noop("The legal hold is lifted."),
    )


def _act(request: RequestContext, act: Callable[[], object], notice: str) -> Response:
    """What is wrong is shown above the page, with nothing done."""
    try:
        act()
    except NotFound:
        raise
    except Refusal as fault:
        status = _UNFIT if isinstance(fault, Invalid) else _TAKEN
        return _show(request, refused=request.refusal(fault), status=status)
    return request.redirect_to(_PATH, notice=notice)


def _show(request: RequestContext, *, refused: str = "", status: int = 200) -> Response:
    services, unit_id = request.services, request.member.unit_id
    return request.page(
        _TEMPLATE,
        status=status,
        refused=refused,
        erasures=read_erasures(services, visible_to=unit_id),
        holds=read_holds(services, visible_to=unit_id),
        can=request.may(Permission.ERASE_PERSONS),
        who=request.who,
    )
