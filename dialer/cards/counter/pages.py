"""The page of an outlet: an opening is checked and decided, the desk is asked, and the customer gets a slip."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

from fastapi import Form, Path
from pydantic import BaseModel, Field
from starlette.responses import Response

from dialer.cards.counter.actions import check_opening, even_answer, finish_opening
from dialer.cards.counter.desk import ask_desk, lapse_questions, question_of_outlet
from dialer.cards.counter.store import last_check
from dialer.cards.determinations.objections import note_seen, take_objection, unseen_notices
from dialer.cards.openings.checks import (
    ASK_FIRST,
    CUSTOMER_QUESTIONS,
    CheckFinding,
    CheckResult,
    shipped_checks,
)
from dialer.cards.openings.store import (
    Outlet,
    latest_openings,
    masked_opener,
    outlet_of_teller,
    own_opening,
)
from dialer.core.access import Permission
from dialer.core.cards import CardProduct, CheckVerdict, ObjectionAbout, OpeningResult
from dialer.core.errors import Invalid, NotFound
from dialer.core.text import gettext_noop
from dialer.db.unit_of_work import Row
from dialer.intake.headings import CellRefused
from dialer.intake.opening_lists import OpeningField, OpeningOptions, read_opening
from dialer.language.catalogue import say
from dialer.web.console import CurrentRequest, PageSection, RequestContext

counter_pages = PageSection()
_PATH, _TEMPLATE, _OPENING = "/counter", "console/counter.html", "console/counter_opening.html"
_ACT = Permission.ENTER_OPENINGS
_LATEST = 12
_RESULTS = (OpeningResult.OPENED, OpeningResult.REFUSED, OpeningResult.ABANDONED)
_Cell = Annotated[str, Field(max_length=200)]
OpeningId = Annotated[int, Path(ge=1, lt=2**63)]
Words = Annotated[str, Form(max_length=500)]
_NOTICES: Final[Mapping[str, str]] = {
    "restriction_lifted": gettext_noop(
        "A restriction or finding of this customer is lifted: it no longer applies."
    ),
    "objection_upheld": gettext_noop(
        "The objection to this decision is upheld: offer the customer to open the card."
    ),
}


class OpeningForm(BaseModel):
    """An opening as a teller enters it; the fields are those of a daily file."""

    opening_no: _Cell = ""
    product: _Cell = ""
    name: _Cell = ""
    id_number: _Cell = ""
    phone: _Cell = ""
    address: _Cell = ""
    employer: _Cell = ""
    purpose: _Cell = ""
    limit: _Cell = ""
    agent: _Cell = ""
    accompanied: _Cell = ""
    guided: _Cell = ""


def _require_outlet(request: RequestContext) -> Outlet:
    """The outlet of the account. Raises `NotFound` for an account without one."""
    outlet = _outlet(request)
    if outlet is None:
        raise NotFound(kind="outlet", key=request.who)
    return outlet


def _outlet(request: RequestContext) -> Outlet | None:
    with request.services.store.begin() as tx:
        return outlet_of_teller(tx, request.member.id)


@counter_pages.get(_PATH, act=_ACT, nav=gettext_noop("Counter"), order=5)
def show_counter(request: CurrentRequest) -> Response:
    """The form of an opening, the latest openings, and notices; or these alone, for htmx."""
    services, outlet = request.services, _outlet(request)
    notices, latest = [], []
    if outlet is not None:
        notices = [
            (notice, request.say(_NOTICES[notice.code]))
            for notice in unseen_notices(services, outlet_id=outlet.id)
        ]
        if request.is_part:
            return request.part(_TEMPLATE, "notices", notices=notices)
        latest = _latest(request, outlet)
    today = request.now.astimezone(services.centre.zone)
    return request.page(
        _TEMPLATE,
        outlet=outlet,
        products=[product for product in CardProduct if outlet is None or product.is_sim != outlet.is_bank],
        opening_no=f"{today:%Y%m%d}-{secrets.token_hex(4).upper()}",
        notices=notices,
        latest=latest,
    )


def _latest(request: RequestContext, outlet: Outlet) -> list[dict[str, object]]:
    with request.services.store.begin() as tx:
        return [
            {
                "id": row["id"],
                "opening_no": row["opening_no"],
                "name": masked_opener(tx, row["id"], row["sealed"])["name"],
                "product": CardProduct(row["product"]),
                "result": OpeningResult(row["result"]),
                "verdict": _told(row, CheckVerdict(row["verdict"])).verdict if row["verdict"] else None,
                "at": row["asked_at"],
            }
            for row in latest_openings(tx, outlet.id, limit=_LATEST)
        ]


@counter_pages.post(_PATH, act=_ACT)
def check(request: CurrentRequest, form: Annotated[OpeningForm, Form()]) -> Response:
    """Checks the opening, then shows the answer."""
    outlet, services = _require_outlet(request), request.services
    wait = even_answer(services.cards.answer_seconds)
    cells = {OpeningField(name): text for name, text in form}
    cells |= {OpeningField.OUTLET: outlet.code, OpeningField.TELLER: request.who}
    options = OpeningOptions(
        now=services.clock.now(),
        timezone=services.centre.timezone,
        default_area=services.centre.area_code,
        is_bank=outlet.is_bank,
        is_asking=True,
    )
    try:
        record = read_opening(cells, options)
    except CellRefused as fault:
        raise Invalid(field=fault.field, problem=fault.reason) from None
    checked = check_opening(
        services,
        request.actor,
        record,
        outlet_id=outlet.id,
        source="form",
        most_unfinished=services.cards.unfinished_a_day,
    )
    time.sleep(wait())
    return request.redirect_to(f"{_PATH}/{checked.opening_id}")


@counter_pages.get(_PATH + "/{opening_id}", act=_ACT, shows_people=True)
def show_opening(request: CurrentRequest, opening_id: OpeningId) -> Response:
    return _opening(request, opening_id, _OPENING)


@counter_pages.post(_PATH + "/{opening_id}/ask", act=_ACT)
def ask(request: CurrentRequest, opening_id: OpeningId, note: Words = "") -> Response:
    """Asks the desk about the opening, which waits for the answer."""
    outlet_id = _require_outlet(request).id
    ask_desk(request.services, request.actor, opening_id, note=note, outlet_id=outlet_id)
    return request.redirect_to(f"{_PATH}/{opening_id}")


@counter_pages.post(_PATH + "/{opening_id}/result", act=_ACT)
def finish(
    request: CurrentRequest,
    opening_id: OpeningId,
    result: Annotated[OpeningResult, Form()] = OpeningResult.IN_PROGRESS,
    why: Words = "",
    number: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Records the decision of the outlet; the desk and the checks only advise."""
    outlet_id = _require_outlet(request).id
    finish_opening(
        request.services,
        request.actor,
        opening_id,
        result=result,
        outlet_id=outlet_id,
        why=why,
        number=number,
    )
    return request.redirect_to(f"{_PATH}/{opening_id}", notice=gettext_noop("The opening is decided."))


@counter_pages.post(_PATH + "/{opening_id}/object", act=_ACT)
def object_to(request: CurrentRequest, opening_id: OpeningId, words: Words = "") -> Response:
    """Takes an objection of the customer at the counter."""
    outlet_id, about = _require_outlet(request).id, ObjectionAbout.OPENING
    take_objection(request.services, request.actor, about, opening_id, words=words, outlet_id=outlet_id)
    return request.redirect_to(f"{_PATH}/{opening_id}", notice=gettext_noop("The objection is taken."))


@counter_pages.get(_PATH + "/{opening_id}/slip", act=_ACT)
def slip(request: CurrentRequest, opening_id: OpeningId) -> Response:
    """The slip for the customer: what was decided, by whom, and how to object."""
    return _opening(request, opening_id, "console/counter_slip.html")


@counter_pages.post(_PATH + "/notices/{notice_id}/seen", act=_ACT)
def seen(request: CurrentRequest, notice_id: OpeningId) -> Response:
    """Records that the outlet has read the notice; its page no longer shows it."""
    outlet_id = _require_outlet(request).id
    note_seen(request.services, request.actor, notice_id, outlet_id=outlet_id)
    return request.redirect_to(_PATH)


def _told(
    row: Row,
    verdict: CheckVerdict,
    found: Sequence[CheckFinding] = (),
    *,
    version: str = "",
    at: datetime | None = None,
) -> CheckResult:
    """What the outlet is told of an opening: more once the card is open and its number is on record."""
    is_open = row["result"] == OpeningResult.OPENED.value and row["number_blind"] is not None
    result = CheckResult(verdict=verdict, findings=tuple(found), version=version)
    return shipped_checks().told(result, at=at or row["asked_at"], is_open=is_open)


def _opening(request: RequestContext, opening_id: int, template: str) -> Response:
    outlet, services = _require_outlet(request), request.services
    lapse_questions(services)
    with services.store.begin() as tx:
        row = own_opening(tx, opening_id, outlet_id=outlet.id)
        person = masked_opener(tx, opening_id, row["sealed"])
        checked = last_check(tx, opening_id)
    asked = question_of_outlet(services, opening_id, outlet_id=outlet.id)
    told = None
    if checked is not None:
        found = [CheckFinding.of(finding) for finding in checked["findings"]]
        told = _told(
            row, CheckVerdict(checked["verdict"]), found, version=checked["version"], at=checked["at"]
        )
    findings = () if told is None else told.findings
    asks = any(finding.check == ASK_FIRST for finding in findings)
    return request.page(
        template,
        outlet=outlet,
        opening=row,
        product=CardProduct(row["product"]),
        result=OpeningResult(row["result"]),
        person=person,
        verdict=None if told is None else told.verdict,
        findings=shipped_checks().sentences(findings, request.lang),
        version="" if told is None else told.version,
        questions=[say(request.lang, question) for question in CUSTOMER_QUESTIONS if asks],
        question=None if asked is None else asked[0],
        before=0 if asked is None else asked[1],
        results=_RESULTS,
        objection_days=services.cards.objection_days,
        hotline=services.centre.hotline,
    )
