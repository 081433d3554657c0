"""The list of cases 预警单: searched, filtered and sorted, with the columns that the reader chose."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from fastapi import Form, Path, Query
from pydantic import Field, ValidationError, field_validator
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
from dialer.core.values import FEN_PER_YUAN, FilteredPage, FraudType, Grade
from dialer.db.unit_of_work import Tx
from dialer.language.words import word_of
from dialer.staff.filters import delete_filter, save_filter, saved_filters
from dialer.staff.sign_in import list_units
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import Cell, Filter, Sheet, as_file, format_span, typed_number, typed_word, unit_tree

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


class CaseColumn(StrEnum):
    """A column of the list that the reader chooses. The number of the case and the person are always shown."""

    GRADE = "grade"
    NEXT = "next"
    FRAUD = "fraud"
    STATE = "state"
    OWNER = "owner"
    OVERDUE = "overdue"
    UNIT = "unit"
    MONEY = "money"
    OPENED = "opened"
    SOURCE = "source"


_COLUMNS: Mapping[CaseColumn, str] = {
    CaseColumn.GRADE: gettext_noop("Grade"),
    CaseColumn.NEXT: gettext_noop("Next act"),
    CaseColumn.FRAUD: gettext_noop("Fraud type"),
    CaseColumn.STATE: gettext_noop("State"),
    CaseColumn.OWNER: gettext_noop("Who has it"),
    CaseColumn.OVERDUE: gettext_noop("Overdue by"),
    CaseColumn.UNIT: gettext_noop("Unit"),
    CaseColumn.MONEY: gettext_noop("At risk, yuan"),
    CaseColumn.OPENED: gettext_noop("Opened"),
    CaseColumn.SOURCE: gettext_noop("Source"),
}
_OF_WORK = (CaseColumn.OWNER, CaseColumn.OVERDUE, CaseColumn.UNIT)
"""They share a place on the page, for a screen has no room for all."""
_USUAL = frozenset(CaseColumn) - {CaseColumn.SOURCE}
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
_SORTED_BY: Mapping[CaseColumn, CaseSort] = {
    CaseColumn.GRADE: CaseSort.GRADE,
    CaseColumn.NEXT: CaseSort.NEXT,
    CaseColumn.OWNER: CaseSort.OWNER,
    CaseColumn.OVERDUE: CaseSort.OVERDUE,
    CaseColumn.UNIT: CaseSort.UNIT,
    CaseColumn.MONEY: CaseSort.MONEY,
    CaseColumn.OPENED: CaseSort.NEWEST,
}
"""The order of the list that the heading of a column leads to."""


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
    columns: list[str] = Field(default_factory=list, max_length=40)
    """The chosen columns, each by itself or several with commas between; none: the usual ones."""
    page: int = Field(1, ge=1, le=200)
    """Of a list that is sorted."""

    beside: ClassVar[frozenset[str]] = frozenset({"before", "page", "columns"})

    @field_validator("columns", mode="before")
    @classmethod
    def _split(cls, given: object) -> list[str]:
        """An address of ours has them with commas between, the form sends each by itself."""
        texts = given if isinstance(given, list) else [given]
        return [word for text in texts for word in str(text).split(",")]

    def chosen(self) -> frozenset[CaseColumn]:
        """The columns to show."""
        return frozenset(one for one in CaseColumn if one.value in self.columns) or _USUAL

    def asked(self) -> dict[str, str]:
        """The filters that are set, and the columns if they are not the usual ones."""
        shown = self.chosen()
        columns = {} if shown == _USUAL else {"columns": ",".join(one for one in CaseColumn if one in shown)}
        return super().asked() | columns

    def query(self) -> str:
        """The query string of the page with all of it."""
        place = {"before": self.before, "page": self.page if self.page > 1 else None}
        return urlencode(self.asked() | {name: value for name, value in place.items() if value is not None})


@case_list_pages.get(
    "/cases", act=Permission.SEE_CASES, nav=gettext_noop("Cases"), order=40, shows_people=True
)
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
    shown = [one for one in CaseColumn if one in form.chosen()]
    rows: list[list[Cell]] = []
    for line in found.lines:
        cells = _cells(request, line, found.held.get(line.id))
        person: list[Cell] = [line.id, line.person.name, " ".join(line.person.phones)]
        rows.append([*person, *(cells[one] for one in shown)])
    head = [
        gettext_noop("Case"),
        gettext_noop("Person"),
        gettext_noop("Phone"),
        *map(_COLUMNS.__getitem__, shown),
    ]
    sheet = Sheet(
        title=request.say(gettext_noop("Cases")), head=[request.say(text) for text in head], rows=rows
    )
    return as_file([sheet], name=f"cases-{local:%Y%m%d-%H%M}", kind="xlsx")


def _cells(request: RequestContext, line: CaseLine, held: Holding | None) -> Mapping[CaseColumn, Cell]:
    zone = request.services.centre.zone
    late = (request.now - held.until).total_seconds() if held else 0
    return {
        CaseColumn.GRADE: word_of(line.grade, request.lang),
        CaseColumn.NEXT: "" if line.due_at is None else f"{line.due_at.astimezone(zone):%Y-%m-%d %H:%M}",
        CaseColumn.FRAUD: word_of(line.fraud_type, request.lang),
        CaseColumn.STATE: word_of(line.status, request.lang),
        CaseColumn.OWNER: ", ".join(held.names) if held else "",
        CaseColumn.OVERDUE: format_span(late, request.lang) if late > 0 else "",
        CaseColumn.UNIT: line.unit_name or line.unit,
        CaseColumn.MONEY: "" if line.amount_at_risk_fen is None else line.amount_at_risk_fen / FEN_PER_YUAN,
        CaseColumn.OPENED: f"{line.opened_at.astimezone(zone):%Y-%m-%d %H:%M}",
        CaseColumn.SOURCE: line.source,
    }


@case_list_pages.post("/cases/saved", act=Permission.SEE_CASES)
def save(
    request: CurrentRequest,
    query: Annotated[str, Form(max_length=2_000)] = "",
    name: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Saves filter, order and columns of the address under a name; the same name again replaces it. A search for a
    person and the place in the list are left out.
    """
    form = _typed_form(query)
    asked = {name: text for name, text in form.asked().items() if name != "who"}
    try:
        save_filter(request.services, request.who, page=FilteredPage.CASES, name=name, query=urlencode(asked))
    except Invalid as fault:
        return _show(request, form, wrong=request.wrong(fault), status=422)
    return request.redirect_to(_address(asked), notice=gettext_noop("The filter is saved."))


@case_list_pages.post("/cases/saved/{filter_id}/delete", act=Permission.SEE_CASES)
def forget(request: CurrentRequest, filter_id: Annotated[int, Path(ge=1, lt=2**63)]) -> Response:
    """Deletes one of the person's own saved filters."""
    delete_filter(request.services, request.who, filter_id)
    return request.redirect_to("/cases")


def _typed_form(query: str) -> CaseForm:
    """The form of an address; an empty one for an address that no page of ours has."""
    try:
        return CaseForm.model_validate(dict(parse_qsl(query)))
    except ValidationError:
        return CaseForm.model_validate({})


@case_list_pages.post("/cases/bulk", act=Permission.WORK_CASES)
def bulk(
    request: CurrentRequest,
    chosen: Annotated[list[str] | None, Form(max_length=_PAGE)] = None,
    act: Annotated[str, Form(max_length=40)] = "",
    why: Annotated[str, Form(max_length=500)] = "",
    back: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Does one act to the chosen cases, with one reason, and shows the list again with what was refused and why."""
    form = _typed_form(back)
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
        return request.redirect_to(f"/cases?{form.query()}", notice=done)
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
        "here": form.query(),
        "shown": form.chosen(),
        "columns": [(one, request.say(_COLUMNS[one])) for one in CaseColumn],
        "heads": {column: _address({**asked, "sort": sort.value}) for column, sort in _SORTED_BY.items()},
        "sort_of": _SORTED_BY,
        "owns": [one for one in _OF_WORK if one in form.chosen()],
        "sorted_by": form.sort,
        "saved": saved_filters(request.services, request.who, page=FilteredPage.CASES),
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
