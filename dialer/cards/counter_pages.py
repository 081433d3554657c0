"""The page of an outlet: an opening is checked and decided, the desk is asked, and the customer gets a slip."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import Form, Path
from starlette.responses import Response

from dialer.cards.checks import CheckFinding
from dialer.cards.counter import check_opening, finish_opening, own_opening
from dialer.cards.desk import ask_desk, lapse_questions, masked_opener, question_of_outlet
from dialer.cards.objections import note_seen, take_objection, unseen_notices
from dialer.cards.store import Outlet, last_check, latest_openings, opening_personal, outlet_of_teller
from dialer.cards.view import NOTICE_WORDS, VICTIM_QUESTIONS, sentences
from dialer.core.access import Permission
from dialer.core.cards import CardProduct, CheckVerdict, OpeningResult
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.text import gettext_noop
from dialer.intake.opening_lists import OpeningField, OpeningOptions, OpeningRefused, read_opening
from dialer.language.catalogue import say
from dialer.language.sentences import refusal_sentence
from dialer.language.words import sentence
from dialer.web.console import CurrentRequest, PageSection, RequestContext

counter_pages = PageSection()
_PATH, _TEMPLATE = "/counter", "console/counter.html"
_INVALID, _CONFLICT = 422, 409
_LATEST = 12
Cell = Annotated[str, Form(max_length=200)]
OpeningId = Annotated[int, Path(ge=1, lt=2**63)]
Words = Annotated[str, Form(max_length=500)]


def _outlet(request: RequestContext) -> Outlet | None:
    with request.services.store.begin() as tx:
        return outlet_of_teller(tx, request.member.id)


def _require_outlet(request: RequestContext) -> Outlet:
    outlet = _outlet(request)
    if outlet is None:
        raise NotFound(kind="outlet", key=request.who)
    return outlet


@counter_pages.get(_PATH, act=Permission.ENTER_OPENINGS, nav=gettext_noop("Counter"), order=5)
def show_counter(request: CurrentRequest) -> Response:
    return _show(request)


@counter_pages.post(_PATH, act=Permission.ENTER_OPENINGS)
def check(
    request: CurrentRequest,
    opening_no: Cell = "",
    product: Cell = "",
    name: Cell = "",
    id_number: Cell = "",
    phone: Cell = "",
    address: Cell = "",
    employer: Cell = "",
    purpose: Cell = "",
    limit: Cell = "",
    agent: Cell = "",
    accompanied: Cell = "",
    guided: Cell = "",
) -> Response:
    """Checks the opening, then shows the answer. The fields are those of a daily file."""
    outlet = _require_outlet(request)
    given = {
        OpeningField.OPENING_NO: opening_no,
        OpeningField.OUTLET: outlet.code,
        OpeningField.PRODUCT: product,
        OpeningField.TELLER: request.who,
        OpeningField.NAME: name,
        OpeningField.ID_NUMBER: id_number,
        OpeningField.PHONE: phone,
        OpeningField.ADDRESS: address,
        OpeningField.EMPLOYER: employer,
        OpeningField.PURPOSE: purpose,
        OpeningField.LIMIT: limit,
        OpeningField.AGENT: agent,
        OpeningField.ACCOMPANIED: accompanied,
        OpeningField.GUIDED: guided,
    }
    services = request.services
    options = OpeningOptions(
        now=services.clock.now(),
        timezone=services.centre.timezone,
        default_area=services.centre.area_code,
        is_bank=outlet.is_bank,
        is_asking=True,
    )
    typed = {field.value: text for field, text in given.items()}
    try:
        record = read_opening(given, options)
        checked = check_opening(services, record, outlet_id=outlet.id, by=request.who, source="form")
    except OpeningRefused as fault:
        wrong = {fault.field.value: sentence(fault.reason, request.lang)}
        return _show(request, typed=typed, wrong=wrong, status=_INVALID)
    except Conflict as fault:
        refused = refusal_sentence(fault, request.lang)
        return _show(request, typed=typed, refused=refused, status=_CONFLICT)
    return request.redirect_to(f"{_PATH}/{checked.opening_id}")


@counter_pages.get(_PATH + "/{opening_id}", act=Permission.ENTER_OPENINGS)
def show_opening(request: CurrentRequest, opening_id: OpeningId) -> Response:
    return _opening(request, opening_id)


@counter_pages.post(_PATH + "/{opening_id}/ask", act=Permission.ENTER_OPENINGS)
def ask(request: CurrentRequest, opening_id: OpeningId, note: Words = "") -> Response:
    """Asks the desk about the opening, which waits for the answer."""
    outlet = _require_outlet(request)
    try:
        ask_desk(request.services, opening_id, note=note, outlet_id=outlet.id, by=request.who)
    except Conflict as fault:
        return _opening(request, opening_id, refused=refusal_sentence(fault, request.lang), status=_CONFLICT)
    return request.redirect_to(f"{_PATH}/{opening_id}")


@counter_pages.post(_PATH + "/{opening_id}/result", act=Permission.ENTER_OPENINGS)
def finish(
    request: CurrentRequest,
    opening_id: OpeningId,
    result: Annotated[OpeningResult, Form()] = OpeningResult.IN_PROGRESS,
    why: Words = "",
    number: Cell = "",
) -> Response:
    """Records the decision of the outlet; the desk and the checks only advise."""
    outlet = _require_outlet(request)
    try:
        finish_opening(
            request.services,
            opening_id,
            result=result,
            why=why,
            number=number,
            outlet_id=outlet.id,
            by=request.who,
        )
    except Invalid as fault:
        return _opening(request, opening_id, refused=refusal_sentence(fault, request.lang), status=_INVALID)
    except Conflict as fault:
        return _opening(request, opening_id, refused=refusal_sentence(fault, request.lang), status=_CONFLICT)
    return request.redirect_to(f"{_PATH}/{opening_id}", notice=gettext_noop("The opening is decided."))


@counter_pages.post(_PATH + "/{opening_id}/object", act=Permission.ENTER_OPENINGS)
def object_to(request: CurrentRequest, opening_id: OpeningId, words: Words = "") -> Response:
    """Takes an objection of the customer at the counter."""
    outlet = _require_outlet(request)
    try:
        take_objection(
            request.services, words=words, by=request.who, opening_id=opening_id, outlet_id=outlet.id
        )
    except Invalid as fault:
        return _opening(request, opening_id, refused=refusal_sentence(fault, request.lang), status=_INVALID)
    except Conflict as fault:
        return _opening(request, opening_id, refused=refusal_sentence(fault, request.lang), status=_CONFLICT)
    return request.redirect_to(f"{_PATH}/{opening_id}", notice=gettext_noop("The objection is taken."))


@counter_pages.get(_PATH + "/{opening_id}/slip", act=Permission.ENTER_OPENINGS)
def slip(request: CurrentRequest, opening_id: OpeningId) -> Response:
    """The slip for the customer: what was decided, by whom, and how to object."""
    return _opening(request, opening_id, template="console/counter_slip.html")


@counter_pages.post(_PATH + "/notices/{notice_id}/seen", act=Permission.ENTER_OPENINGS)
def seen(request: CurrentRequest, notice_id: OpeningId) -> Response:
    """Records that the outlet has read the notice; its page no longer shows it."""
    note_seen(request.services, notice_id, outlet_id=_require_outlet(request).id)
    return request.redirect_to(_PATH)


def _show(
    request: RequestContext,
    *,
    typed: dict[str, str] | None = None,
    wrong: dict[str, str] | None = None,
    refused: str = "",
    status: int = 200,
) -> Response:
    outlet = _outlet(request)
    notices, latest = [], []
    if outlet is not None:
        notices = [
            (one, request.say(NOTICE_WORDS[one.code]))
            for one in unseen_notices(request.services, outlet_id=outlet.id)
        ]
        if request.is_part:
            return request.part(_TEMPLATE, "notices", notices=notices)
        latest = _latest(request, outlet)
    products = [one for one in CardProduct if outlet is None or one.is_sim != outlet.is_bank]
    today = request.now.astimezone(request.services.centre.zone)
    number = f"{today:%Y%m%d}-{secrets.token_hex(4).upper()}"
    return request.page(
        _TEMPLATE,
        status=status,
        outlet=outlet,
        products=products,
        typed={"opening_no": number} | (typed or {}),
        wrong=wrong or {},
        refused=refused,
        notices=notices,
        latest=latest,
    )


def _latest(request: RequestContext, outlet: Outlet) -> list[dict[str, object]]:
    with request.services.store.begin() as tx:
        return [
            {
                "id": row["id"],
                "opening_no": row["opening_no"],
                "name": masked_opener(opening_personal(tx, row["id"], row["sealed"]))["name"],
                "product": CardProduct(row["product"]),
                "result": OpeningResult(row["result"]),
                "verdict": CheckVerdict(row["verdict"]) if row["verdict"] else None,
                "at": row["asked_at"],
            }
            for row in latest_openings(tx, outlet.id, limit=_LATEST)
        ]


def _opening(
    request: RequestContext,
    opening_id: int,
    *,
    refused: str = "",
    status: int = 200,
    template: str = "console/counter_opening.html",
) -> Response:
    outlet, services = _require_outlet(request), request.services
    lapse_questions(services)
    with services.store.begin() as tx:
        row = own_opening(tx, opening_id, outlet_id=outlet.id)
        person = masked_opener(opening_personal(tx, opening_id, row["sealed"]))
        checked = last_check(tx, opening_id)
    found = () if checked is None else tuple(CheckFinding.of(one) for one in checked["findings"])
    asked = question_of_outlet(services, opening_id, outlet_id=outlet.id)
    verdict = CheckVerdict(checked["verdict"]) if checked is not None else None
    results = (OpeningResult.OPENED, OpeningResult.REFUSED, OpeningResult.ABANDONED)
    return request.page(
        template,
        status=status,
        outlet=outlet,
        opening=row,
        product=CardProduct(row["product"]),
        result=OpeningResult(row["result"]),
        person=person,
        verdict=verdict,
        findings=sentences(found, request.lang),
        version=checked["version"] if checked is not None else "",
        questions=[say(request.lang, one) for one in VICTIM_QUESTIONS]
        if verdict is CheckVerdict.POSSIBLE_VICTIM
        else [],
        question=None if asked is None else asked[0],
        before=0 if asked is None else asked[1],
        results=results,
        objection_days=services.cards.objection_days,
        hotline=services.centre.hotline,
        refused=refused,
    )
