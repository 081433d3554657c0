"""The list of cases 预警单: searched, filtered and sorted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from urllib.parse import urlencode

from fastapi import Form, Query
from pydantic import Field
from starlette.responses import Response

from dialer.case_page.queries import CaseSort, holdings, sorted_cases
from dialer.cases.persons import PersonSearch
from dialer.cases.reveals import must_give_reason_to_search
from dialer.cases.search import (
    CaseLine,
    CaseQuery,
    SoughtKind,
    case_of_number,
    interpret_search,
    open_search,
    seal_search,
    search_cases,
)
from dialer.core.access import Permission, RevealReason
from dialer.core.case import CaseStatus
from dialer.core.errors import Invalid
from dialer.core.rates import Period, period_of
from dialer.core.text import gettext_noop
from dialer.core.values import FraudType, Grade
from dialer.staff.sign_in import list_units
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import Filter, typed_number, typed_word, unit_tree

case_list_pages = PageSection()
_SEARCH = "console/cases.html"
_DIGITS = 18
"""A number of at most this many digits is an id."""
_SORTS: Mapping[CaseSort, str] = {
    CaseSort.NEWEST: gettext_noop("newest first"),
    CaseSort.NEXT: gettext_noop("next act first"),
    CaseSort.OVERDUE: gettext_noop("longest overdue first"),
    CaseSort.MONEY: gettext_noop("most money first"),
    CaseSort.GRADE: gettext_noop("highest grade first"),
    CaseSort.OWNER: gettext_noop("by who has it"),
    CaseSort.UNIT: gettext_noop("by unit"),
}


class CaseForm(Filter):
    """The form of the search, and where the page begins: below the case `before`, or at the newest one."""

    who: str = ""
    no: str = ""
    grade: str = ""
    status: str = ""
    fraud: str = ""
    unit: str = ""
    load: str = ""
    since: str = Field("", alias="from")
    until: str = Field("", alias="to")
    before: int | None = None
    sort: str = ""
    page: int = Field(1, ge=1, le=200)
    """Of a list that is sorted."""

    beside: ClassVar[frozenset[str]] = frozenset({"before", "page"})


@case_list_pages.get("/cases", act=Permission.SEE_CASES, nav=gettext_noop("Cases"), order=40)
def cases(request: CurrentRequest, form: Annotated[CaseForm, Query()]) -> Response:
    """Cases that match the form, newest first, a page at a time."""
    asked = form.asked()
    if not (form.load.isdecimal() and len(form.load) <= _DIGITS):
        asked.pop("load", None)
    period, wanted, wrong = Period(), None, {}
    try:
        # A token that has expired or belongs to another person is no search.
        wanted = open_search(request.services, form.who, who=request.who) if form.who else None
    except Invalid as fault:
        wrong = request.wrong(fault)
        asked.pop("who", None)
    try:
        period = period_of(form.since, form.until, timezone=request.services.centre.timezone)
    except Invalid as fault:
        wrong |= request.wrong(fault)
    query = CaseQuery(
        sought=wanted.sought if wanted is not None else PersonSearch(),
        instruction_no=form.no,
        grade=typed_word(Grade, form.grade),
        status=typed_word(CaseStatus, form.status),
        fraud_type=typed_word(FraudType, form.fraud),
        unit_id=typed_number(form.unit, field="unit") if form.unit.isdecimal() else None,
        load_id=int(asked["load"]) if "load" in asked else None,
        visible_to=request.member.unit_id,
        period=period,
        before_id=form.before,
    )
    sort = typed_word(CaseSort, form.sort) or CaseSort.NEWEST
    lines, older, newest = _lines(request, query, sort, asked=asked, page=form.page)
    with request.services.store.begin() as tx:
        held = holdings(tx, [line.id for line in lines])
    digits = (wanted.sought.last4 if wanted is not None else "") or form.no
    facts: dict[str, Any] = {
        "lines": lines,
        "held": held,
        "sorts": [(one.value, request.say(_SORTS[one])) for one in CaseSort],
        "also": case_of_number(request.services, digits, visible_to=request.member.unit_id),
        "asked": asked,
        "wrong": wrong,
        "wanted": wanted,
        "units": unit_tree(list_units(request.services, visible_to=request.member.unit_id)),
        "older": older,
        "newest": newest,
        "without": {name: _address({k: v for k, v in asked.items() if k != name}) for name in asked},
        "grades": list(Grade),
        "statuses": list(CaseStatus),
        "frauds": list(FraudType),
        "reveal_reasons": list(RevealReason)
        if must_give_reason_to_search(request.services, request.who)
        else [],
    }
    if request.is_part:
        return request.part(_SEARCH, "found", **facts)
    return request.page(_SEARCH, **facts)


def _lines(
    request: RequestContext, query: CaseQuery, sort: CaseSort, *, asked: Mapping[str, str], page: int
) -> tuple[tuple[CaseLine, ...], str, str]:
    """The cases of a page, and the addresses of the next and of the first page; '' for none."""
    if sort is CaseSort.NEWEST:
        found = search_cases(request.services, query)
        last = found.next_before_id
        newest = _address(asked) if query.before_id else ""
        return found.cases, _address(asked, before=last) if last else "", newest
    lines, has_more = sorted_cases(request.services, query, sort, page=page)
    return lines, _address(asked, page=page + 1) if has_more else "", _address(asked) if page > 1 else ""


@case_list_pages.post("/cases/find", act=Permission.SEE_CASES)
def find(
    request: CurrentRequest,
    text: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
) -> Response:
    """Redirects from the search box to an address that contains nothing personal."""
    wanted = interpret_search(request.services, text)
    match wanted.kind:
        case SoughtKind.NOTHING:
            return request.redirect_to("/cases")
        case SoughtKind.CASE:
            return request.redirect_to(f"/cases/{wanted.case_id}")
        case SoughtKind.INSTRUCTION:
            case_id = _case_instead(request, wanted.instruction_no)
            found = f"/cases/{case_id}" if case_id else _address({"no": wanted.instruction_no})
            return request.redirect_to(found)
        case _:
            shift = request.app.settings.console.session_seconds
            token = seal_search(
                request.services, request.actor, wanted, good_seconds=shift, reason=reason, why=why
            )
            return request.redirect_to(_address({"who": token}))


def _case_instead(request: RequestContext, digits: str) -> int | None:
    """The case with this number, where no warning that the reader sees has the instruction number."""
    visible_to = request.member.unit_id
    case_id = case_of_number(request.services, digits, visible_to=visible_to)
    query = CaseQuery(instruction_no=digits, visible_to=visible_to, limit=1)
    return None if case_id is None or search_cases(request.services, query).cases else case_id


def _address(asked: Mapping[str, object], **more: object) -> str:
    query = urlencode({**asked, **more})
    return "/cases" + (f"?{query}" if query else "")
