"""Frequent openers, rings, restrictions and objections on the console."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated

from fastapi import Form, Path, Query
from starlette.responses import Response

from dialer.cards.determinations import TERMS, decide_determination, enter_determination, list_determinations
from dialer.cards.objections import decide_objection, list_objections, take_objection
from dialer.cards.openers import decide_opener, list_openers, read_ring, sign_opener
from dialer.cards.view import REASON_WORDS, draw_ring, sentences
from dialer.core.access import Permission
from dialer.core.cards import OpenerState
from dialer.core.errors import Conflict, Invalid
from dialer.core.text import gettext_noop
from dialer.language.sentences import refusal_sentence
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.rendering import PlaceGroup

opener_pages = PageSection()
_OPENERS, _RESTRICTIONS = "/cards/openers", "/cards/restrictions"
_INVALID, _CONFLICT = 422, 409
_SEE, _DECIDE = Permission.SEE_OPENERS, Permission.DECIDE_OPENERS
Number = Annotated[int, Path(ge=1, lt=2**63)]
Words = Annotated[str, Form(max_length=500)]
Cell = Annotated[str, Form(max_length=200)]


@opener_pages.get(_OPENERS, act=_SEE, nav=gettext_noop("Frequent openers"), order=56, group=PlaceGroup.CARDS)
def show_openers(request: CurrentRequest, state: Annotated[str, Query(max_length=20)] = "") -> Response:
    return _openers(request, state=state)


@opener_pages.post(_OPENERS + "/{opener_id}/sign", act=_DECIDE)
def sign(request: CurrentRequest, opener_id: Number) -> Response:
    """Signs for this frequent opener: the member decides about it."""
    unit_id = request.member.unit_id
    return _openers_after(
        request, lambda: sign_opener(request.services, opener_id, by=request.who, visible_to=unit_id)
    )


@opener_pages.post(_OPENERS + "/{opener_id}/confirm", act=_DECIDE)
def confirm(request: CurrentRequest, opener_id: Number, why: Words = "") -> Response:
    """Confirms that the openings are suspicious; outlets see the finding from now on."""
    return _decide(request, opener_id, why, confirm=True)


@opener_pages.post(_OPENERS + "/{opener_id}/lift", act=_DECIDE)
def lift(request: CurrentRequest, opener_id: Number, why: Words = "") -> Response:
    """Lifts the finding; outlets no longer see it."""
    return _decide(request, opener_id, why, confirm=False)


@opener_pages.post(_OPENERS + "/{opener_id}/object", act=_DECIDE)
def object_to_finding(request: CurrentRequest, opener_id: Number, words: Words = "") -> Response:
    """Takes an objection of the person to a confirmed finding; somebody else than both checks it on the page of
    restrictions.
    """
    unit_id = request.member.unit_id

    def act() -> None:
        take_objection(request.services, words=words, by=request.who, opener_id=opener_id, visible_to=unit_id)

    return _openers_after(request, act)


def _decide(request: RequestContext, opener_id: int, why: str, *, confirm: bool) -> Response:
    return _openers_after(
        request,
        lambda: decide_opener(
            request.services,
            opener_id,
            confirm=confirm,
            why=why,
            by=request.who,
            visible_to=request.member.unit_id,
        ),
    )


def _openers_after(request: RequestContext, act: Callable[[], None]) -> Response:
    try:
        act()
    except Invalid as fault:
        return _openers(request, refused=refusal_sentence(fault, request.lang), status=_INVALID)
    except Conflict as fault:
        return _openers(request, refused=refusal_sentence(fault, request.lang), status=_CONFLICT)
    return request.redirect_to(_OPENERS, notice=gettext_noop("Recorded."))


def _openers(request: RequestContext, *, state: str = "", refused: str = "", status: int = 200) -> Response:
    chosen = OpenerState(state) if state in set(OpenerState) else None
    found = list_openers(request.services, visible_to=request.member.unit_id, state=chosen)
    return request.page(
        "console/card_openers.html",
        status=status,
        openers=[(one, sentences(one.findings, request.lang)) for one in found],
        states=list(OpenerState),
        chosen=chosen,
        may_decide=request.may(_DECIDE),
        refused=refused,
    )


@opener_pages.get("/cards/rings/{ring_id}", act=_SEE)
def show_ring(request: CurrentRequest, ring_id: Number) -> Response:
    """Draws the ring: persons on the left, what they share on the right."""
    ring, members = read_ring(request.services, ring_id, visible_to=request.member.unit_id)
    return request.page(
        "console/card_ring.html",
        ring_id=ring_id,
        ring=ring,
        drawing=draw_ring(ring, members, request.lang),
        reasons=[request.say(REASON_WORDS[one]) for one in ring.reasons],
    )


@opener_pages.get(
    _RESTRICTIONS,
    act=_SEE,
    nav=gettext_noop("Restrictions"),
    order=57,
    group=PlaceGroup.CARDS,
    whole_centre=True,
)
def show_restrictions(request: CurrentRequest) -> Response:
    return _restrictions(request)


@opener_pages.post(_RESTRICTIONS, act=_DECIDE)
def enter(
    request: CurrentRequest,
    name: Cell = "",
    id_number: Cell = "",
    document_no: Cell = "",
    authority: Cell = "",
    from_on: Cell = "",
    years: Annotated[int, Form()] = 2,
) -> Response:
    """Enters the determination by which a person is restricted; a refused form keeps what was typed."""
    typed = {
        "name": name,
        "id_number": id_number,
        "document_no": document_no,
        "authority": authority,
        "from_on": from_on,
        "years": str(years),
    }

    def act() -> None:
        try:
            start = date.fromisoformat(from_on.strip())
        except ValueError:
            raise Invalid(field="from_on", problem="is not a day", fix="write it like 2026-11-26") from None
        enter_determination(
            request.services,
            name=name,
            id_number=id_number,
            document_no=document_no,
            authority=authority,
            from_on=start,
            years=years,
            by=request.who,
        )

    return _after(request, act, typed=typed)


@opener_pages.post(_RESTRICTIONS + "/{determination_id}/approve", act=Permission.APPROVE)
def approve(request: CurrentRequest, determination_id: Number) -> Response:
    """A second person puts the determination in force."""
    return _after(
        request,
        lambda: decide_determination(request.services, determination_id, approve=True, by=request.who),
    )


@opener_pages.post(_RESTRICTIONS + "/{determination_id}/refuse", act=Permission.APPROVE)
def refuse(request: CurrentRequest, determination_id: Number) -> Response:
    """A second person refuses the determination: it never restricts anybody."""
    return _after(
        request,
        lambda: decide_determination(request.services, determination_id, approve=False, by=request.who),
    )


@opener_pages.post(_RESTRICTIONS + "/{determination_id}/object", act=_DECIDE)
def object_to(request: CurrentRequest, determination_id: Number, words: Words = "") -> Response:
    """Takes an objection of a customer to a determination; neither the person who decided nor the one who took it can
    check it.
    """

    def act() -> None:
        take_objection(request.services, words=words, by=request.who, determination_id=determination_id)

    return _after(request, act)


@opener_pages.post("/cards/objections/{objection_id}/uphold", act=_DECIDE)
def uphold(request: CurrentRequest, objection_id: Number, reason: Words = "") -> Response:
    """Upholds the objection: the restriction or the finding is lifted."""
    return _answer(request, objection_id, reason, uphold=True)


@opener_pages.post("/cards/objections/{objection_id}/reject", act=_DECIDE)
def reject(request: CurrentRequest, objection_id: Number, reason: Words = "") -> Response:
    """Rejects the objection: the restriction or the finding stays."""
    return _answer(request, objection_id, reason, uphold=False)


def _answer(request: RequestContext, objection_id: int, reason: str, *, uphold: bool) -> Response:
    return _after(
        request,
        lambda: decide_objection(
            request.services, objection_id, uphold=uphold, reason=reason, by=request.who
        ),
    )


def _after(
    request: RequestContext, act: Callable[[], object], *, typed: dict[str, str] | None = None
) -> Response:
    request.check_sees_whole_centre()
    try:
        act()
    except Invalid as fault:
        refused = refusal_sentence(fault, request.lang)
        return _restrictions(request, typed=typed, refused=refused, status=_INVALID)
    except Conflict as fault:
        refused = refusal_sentence(fault, request.lang)
        return _restrictions(request, typed=typed, refused=refused, status=_CONFLICT)
    return request.redirect_to(_RESTRICTIONS, notice=gettext_noop("Recorded."))


def _restrictions(
    request: RequestContext, *, typed: dict[str, str] | None = None, refused: str = "", status: int = 200
) -> Response:
    request.check_sees_whole_centre()
    return request.page(
        "console/card_restrictions.html",
        status=status,
        determinations=list_determinations(request.services),
        objections=list_objections(request.services),
        terms=TERMS,
        typed=typed or {},
        may_decide=request.may(_DECIDE),
        may_approve=request.may(Permission.APPROVE),
        who=request.who,
        refused=refused,
    )
