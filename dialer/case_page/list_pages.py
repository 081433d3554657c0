"""The list of cases 预警单: searched, filtered and sorted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from fastapi import Form, Query
from pydantic import Field, ValidationError
from starlette.responses import Response

from dialer.case_page.acts import BulkAct, act_on_many
from dialer.case_page.queries import CaseSort, Holding, holdings, sorted_cases
from dialer.cases.persons import PersonSearch
from dialer.cases.reveals import must_give_reason_to_search, note_export
from dialer.cases.search import (
    CaseLine,
    CaseQuery,
    SoughtKind,
    UnderstoodSearch,
    case_of_number,
    interpret_search,
    newest_cases,
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
from dialer.db.unit_of_work import Tx
from dialer.language.words import word_of
from dialer.staff.sign_in import list_units
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import Cell, Filter, Sheet, as_file, typed_number, typed_word, unit_tree

case_list_pages = PageSection()
_PAGE = 50
MOST_EXPORTED = 5000
"""The most cases of one file."""
_CHOSEN = re.compile(r"(\d{1,18})-(\d{1,9})")
"""A chosen case with the revision that was seen."""
_ACTS: Mapping[BulkAct, str] = {
    BulkAct.CALL_NOW: gettext_noop("Call now"),
    BulkAct.ASK_CALLER: gettext_noop("Give to a caller"),
    BulkAct.ASK_OFFICER: gettext_noop("Send an officer"),
    BulkAct.RAISE_HIGH: gettext_noop("Raise to high"),
    BulkAct.RAISE_EXTRA_HIGH: gettext_noop("Raise to extra high"),
}
_HEAD = (
    gettext_noop("Case"),
    gettext_noop("Grade"),
    gettext_noop("Person"),
    gettext_noop("Phone"),
    gettext_noop("Fraud type"),
    gettext_noop("State"),
    gettext_noop("Who has it"),
    gettext_noop("Unit"),
    gettext_noop("At risk, yuan"),
    gettext_noop("Opened"),
    gettext_noop("Next act"),
)
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
    """Cases that match the form, a page at a time."""
    return _show(request, form)


@case_list_pages.get("/cases/file", act=Permission.EXPORT)
def export(request: CurrentRequest, form: Annotated[CaseForm, Query()]) -> Response:
    """The matching cases in the order of the page as a workbook, their persons masked; audited."""
    found = _found(request, form, limit=MOST_EXPORTED)
    about = {name: text for name, text in found.asked.items() if name != "who"}
    with request.services.act(request.actor, Permission.EXPORT) as act:
        facts = about | {"lines": len(found.lines), "kind": "xlsx"}
        note_export(act, request.services, subject="cases", facts=facts)
    local = request.now.astimezone(request.services.centre.zone)
    rows = [_cells(request, line, found.held.get(line.id)) for line in found.lines]
    sheet = Sheet(
        title=request.say(gettext_noop("Cases")), head=[request.say(text) for text in _HEAD], rows=rows
    )
    return as_file([sheet], name=f"cases-{local:%Y%m%d-%H%M}", kind="xlsx")


def _cells(request: RequestContext, line: CaseLine, held: Holding | None) -> list[Cell]:
    zone = request.services.centre.zone
    return [
        line.id,
        word_of(line.grade, request.lang),
        line.person.name,
        " ".join(line.person.phones),
        word_of(line.fraud_type, request.lang),
        word_of(line.status, request.lang),
        ", ".join(held.names) if held else "",
        line.unit_name or line.unit,
        "" if line.amount_at_risk_fen is None else line.amount_at_risk_fen / 100,
        f"{line.opened_at.astimezone(zone):%Y-%m-%d %H:%M}",
        "" if line.due_at is None else f"{line.due_at.astimezone(zone):%Y-%m-%d %H:%M}",
    ]


@case_list_pages.post("/cases/bulk", act=Permission.WORK_CASES)
def bulk(
    request: CurrentRequest,
    chosen: Annotated[list[str] | None, Form(max_length=_PAGE)] = None,
    act: Annotated[str, Form(max_length=40)] = "",
    why: Annotated[str, Form(max_length=500)] = "",
    back: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Does one act to the chosen cases, with one reason, and shows the list again with what was refused and why."""
    try:
        form = CaseForm.model_validate(dict(parse_qsl(back)))
    except ValidationError:
        form = CaseForm.model_validate({})
    seen = {int(found[1]): int(found[2]) for text in chosen or () if (found := _CHOSEN.fullmatch(text))}
    typed = {"act": act, "why": why, "chosen": set(chosen or ())}
    try:
        refused = act_on_many(request.services, request.actor, seen, typed_word(BulkAct, act), why=why)
    except Invalid as fault:
        return _show(request, form, typed=typed, wrong=request.wrong(fault), status=422)
    done = request.say(
        gettext_noop("Done for %(n)s of %(all)s cases."), n=len(seen) - len(refused), all=len(seen)
    )
    if not refused:
        return request.redirect_to(_address(dict(parse_qsl(back))), notice=done)
    reasons = {case_id: request.refusal(fault) for case_id, fault in refused.items()}
    return _show(request, form, done=done, refused=reasons, status=409)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a form found, and what was wrong in it."""

    lines: tuple[CaseLine, ...]
    held: Mapping[int, Holding]
    older: str
    newest: str
    asked: Mapping[str, str]
    wanted: UnderstoodSearch | None
    wrong: Mapping[str, str]


def _found(request: RequestContext, form: CaseForm, *, limit: int = _PAGE) -> _Found:
    asked = form.asked()
    if not (form.load.isdecimal() and len(form.load) <= _DIGITS):
        asked.pop("load", None)
    period, wanted = Period(), None
    wrong: dict[str, str] = {}
    try:
        # A token that has expired or belongs to another person is no search.
        wanted = open_search(request.services, form.who, who=request.who) if form.who else None
    except Invalid as fault:
        wrong |= request.wrong(fault)
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
        limit=limit,
    )
    sort = typed_word(CaseSort, form.sort) or CaseSort.NEWEST
    with request.services.store.begin() as tx:
        lines, older, newest = _lines(tx, query, sort, asked=asked, page=form.page)
        held = holdings(tx, [line.id for line in lines])
    return _Found(lines=lines, held=held, older=older, newest=newest, asked=asked, wanted=wanted, wrong=wrong)


def _show(
    request: RequestContext,
    form: CaseForm,
    *,
    typed: Mapping[str, Any] | None = None,
    wrong: Mapping[str, str] | None = None,
    done: str = "",
    refused: Mapping[int, str] | None = None,
    status: int = 200,
) -> Response:
    """The list. `typed` and `wrong`: a form of an act on many cases that was rejected; `refused`: the cases to which
    such an act was not done, with the reason.
    """
    found = _found(request, form)
    lines, asked, wanted = found.lines, found.asked, found.wanted
    digits = (wanted.sought.last4 if wanted is not None else "") or form.no
    facts: dict[str, Any] = {
        "lines": lines,
        "held": found.held,
        "sorts": [(one.value, request.say(_SORTS[one])) for one in CaseSort],
        "also": case_of_number(request.services, digits, visible_to=request.member.unit_id),
        "asked": asked,
        "wrong": {**found.wrong, **(wrong or {})},
        "typed": typed or {},
        "done": done,
        "refused": refused or {},
        "acts": [(one.value, request.say(_ACTS[one])) for one in BulkAct],
        "may_work": request.may(Permission.WORK_CASES),
        "may_export": request.may(Permission.EXPORT),
        "here": urlencode(form.model_dump(by_alias=True, exclude_defaults=True)),
        "file": "/cases/file" + _address(asked).removeprefix("/cases"),
        "wanted": wanted,
        "units": unit_tree(list_units(request.services, visible_to=request.member.unit_id)),
        "older": found.older,
        "newest": found.newest,
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
    return request.page(_SEARCH, status=status, **facts)


def _lines(
    tx: Tx, query: CaseQuery, sort: CaseSort, *, asked: Mapping[str, str], page: int
) -> tuple[tuple[CaseLine, ...], str, str]:
    """The cases of a page, and the addresses of the next and of the first page; '' for none."""
    if sort is CaseSort.NEWEST:
        found = newest_cases(tx, query)
        last = found.next_before_id
        newest = _address(asked) if query.before_id else ""
        return found.cases, _address(asked, before=last) if last else "", newest
    lines, has_more = sorted_cases(tx, query, sort, page=page)
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
