"""Restrictions and objections on the console."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Form, Path
from starlette.responses import Response

from dialer.cards.determinations.actions import (
    TERMS,
    DeterminationForm,
    decide_determination,
    enter_determination,
    list_determinations,
)
from dialer.cards.determinations.objections import decide_objection, list_objections, take_objection
from dialer.core.access import Permission
from dialer.core.cards import ObjectionAbout
from dialer.core.errors import Invalid
from dialer.core.text import gettext_noop
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.rendering import PlaceGroup

determination_pages = PageSection()
_PATH = "/cards/restrictions"
_SEE, _DECIDE = Permission.SEE_OPENERS, Permission.DECIDE_OPENERS
Number = Annotated[int, Path(ge=1, lt=2**63)]
Words = Annotated[str, Form(max_length=500)]
Cell = Annotated[str, Form(max_length=200)]


@determination_pages.get(
    _PATH,
    act=_SEE,
    nav=gettext_noop("Restrictions"),
    order=57,
    group=PlaceGroup.CARDS,
    whole_centre=True,
    shows_people=True,
)
def show_restrictions(request: CurrentRequest) -> Response:
    request.check_sees_whole_centre()
    return request.page(
        "console/card_restrictions.html",
        determinations=list_determinations(request.services),
        objections=list_objections(request.services),
        terms=TERMS,
        may_decide=request.may(_DECIDE),
        may_approve=request.may(Permission.APPROVE),
        who=request.who,
    )


@determination_pages.post(_PATH, act=_DECIDE)
def enter(
    request: CurrentRequest,
    name: Cell = "",
    id_number: Cell = "",
    document_no: Cell = "",
    authority: Cell = "",
    from_on: Cell = "",
    years: Annotated[int, Form()] = 2,
) -> Response:
    """Enters the determination by which a person is restricted."""
    request.check_sees_whole_centre()
    try:
        start = date.fromisoformat(from_on.strip())
    except ValueError:
        raise Invalid(field="from_on", problem="is not a day", fix="write it like 2026-11-26") from None
    form = DeterminationForm(
        name=name,
        id_number=id_number,
        document_no=document_no,
        authority=authority,
        from_on=start,
        years=years,
    )
    enter_determination(request.services, request.actor, form)
    return _recorded(request)


@determination_pages.post(_PATH + "/{determination_id}/approve", act=Permission.APPROVE)
def approve(request: CurrentRequest, determination_id: Number) -> Response:
    """A second person puts the determination in force."""
    return _decide(request, determination_id, approve=True)


@determination_pages.post(_PATH + "/{determination_id}/refuse", act=Permission.APPROVE)
def refuse(request: CurrentRequest, determination_id: Number) -> Response:
    """A second person refuses the determination: it never restricts anybody."""
    return _decide(request, determination_id, approve=False)


def _decide(request: RequestContext, determination_id: int, *, approve: bool) -> Response:
    request.check_sees_whole_centre()
    decide_determination(request.services, request.actor, determination_id, approve=approve)
    return _recorded(request)


@determination_pages.post(_PATH + "/{determination_id}/object", act=_DECIDE)
def object_to(request: CurrentRequest, determination_id: Number, words: Words = "") -> Response:
    """Takes an objection of a customer to a determination; neither the person who decided nor the one who took it can
    check it.
    """
    request.check_sees_whole_centre()
    about = ObjectionAbout.DETERMINATION
    take_objection(request.services, request.actor, about, determination_id, words=words)
    return _recorded(request)


@determination_pages.post("/cards/objections/{objection_id}/uphold", act=_DECIDE)
def uphold(request: CurrentRequest, objection_id: Number, reason: Words = "") -> Response:
    """Upholds the objection: the restriction or the finding is lifted."""
    return _answer(request, objection_id, reason, uphold=True)


@determination_pages.post("/cards/objections/{objection_id}/reject", act=_DECIDE)
def reject(request: CurrentRequest, objection_id: Number, reason: Words = "") -> Response:
    """Rejects the objection: the restriction or the finding stays."""
    return _answer(request, objection_id, reason, uphold=False)


def _answer(request: RequestContext, objection_id: int, reason: str, *, uphold: bool) -> Response:
    request.check_sees_whole_centre()
    decide_objection(request.services, request.actor, objection_id, uphold=uphold, reason=reason)
    return _recorded(request)


def _recorded(request: RequestContext) -> Response:
    return request.redirect_to(_PATH, notice=gettext_noop("Recorded."))
