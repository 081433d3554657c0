"""Frequent openers and rings on the console."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Path, Query
from starlette.responses import Response

from dialer.cards.determinations.objections import take_objection
from dialer.cards.openings.checks import shipped_checks
from dialer.cards.rings.openers import decide_opener, list_openers, read_ring, sign_opener
from dialer.cards.rings.view import REASON_WORDS, draw_ring
from dialer.core.access import Permission
from dialer.core.cards import ObjectionAbout, OpenerState
from dialer.core.text import gettext_noop
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.rendering import PlaceGroup

opener_pages = PageSection()
_PATH = "/cards/openers"
_SEE, _DECIDE = Permission.SEE_OPENERS, Permission.DECIDE_OPENERS
Number = Annotated[int, Path(ge=1, lt=2**63)]
Words = Annotated[str, Form(max_length=500)]


@opener_pages.get(
    _PATH, act=_SEE, nav=gettext_noop("Frequent openers"), order=56, group=PlaceGroup.CARDS, shows_people=True
)
def show_openers(request: CurrentRequest, state: Annotated[str, Query(max_length=20)] = "") -> Response:
    chosen = OpenerState(state) if state in set(OpenerState) else None
    found = list_openers(request.services, visible_to=request.member.unit_id, state=chosen)
    checks = shipped_checks()
    return request.page(
        "console/card_openers.html",
        openers=[(opener, checks.sentences(opener.findings, request.lang)) for opener in found],
        states=list(OpenerState),
        chosen=chosen,
        may_decide=request.may(_DECIDE),
    )


@opener_pages.post(_PATH + "/{opener_id}/sign", act=_DECIDE)
def sign(request: CurrentRequest, opener_id: Number) -> Response:
    """Signs for this frequent opener: the member decides about it."""
    sign_opener(request.services, request.actor, opener_id)
    return _recorded(request)


@opener_pages.post(_PATH + "/{opener_id}/confirm", act=_DECIDE)
def confirm(request: CurrentRequest, opener_id: Number, why: Words = "") -> Response:
    """Confirms that the openings are suspicious; outlets see the finding from now on."""
    decide_opener(request.services, request.actor, opener_id, confirm=True, why=why)
    return _recorded(request)


@opener_pages.post(_PATH + "/{opener_id}/lift", act=_DECIDE)
def lift(request: CurrentRequest, opener_id: Number, why: Words = "") -> Response:
    """Lifts the finding; outlets no longer see it."""
    decide_opener(request.services, request.actor, opener_id, confirm=False, why=why)
    return _recorded(request)


@opener_pages.post(_PATH + "/{opener_id}/object", act=_DECIDE)
def object_to_finding(request: CurrentRequest, opener_id: Number, words: Words = "") -> Response:
    """Takes an objection of the person to a confirmed finding; somebody else than both checks it on the page of
    restrictions.
    """
    take_objection(request.services, request.actor, ObjectionAbout.OPENER, opener_id, words=words)
    return _recorded(request)


def _recorded(request: RequestContext) -> Response:
    return request.redirect_to(_PATH, notice=gettext_noop("Recorded."))


@opener_pages.get("/cards/rings/{ring_id}", act=_SEE, shows_people=True)
def show_ring(request: CurrentRequest, ring_id: Number) -> Response:
    """Draws the ring: persons on the left, what they share on the right."""
    ring, members = read_ring(request.services, ring_id, visible_to=request.member.unit_id)
    return request.page(
        "console/card_ring.html",
        ring_id=ring_id,
        ring=ring,
        drawing=draw_ring(ring, members, request.lang),
        reasons=[request.say(REASON_WORDS[reason]) for reason in ring.reasons],
    )
