"""The page of unit records 督办台账: each unit's month, compared with the others', with the cases behind each count."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import Invalid
from dialer.core.intervals import Standing
from dialer.core.periods import add_months
from dialer.core.text import gettext_noop
from dialer.figures.report import RatesQuery, cut_choices
from dialer.figures.unit_record_tables import (
    difference_sentence,
    place_sentence,
    ranked_of,
    record_lines,
    record_sheets,
)
from dialer.figures.unit_records import (
    GIVEN,
    SHARES,
    RecordsQuery,
    UnitRecords,
    read_unit_records,
    typed_month,
)
from dialer.language.figure_words import count_word
from dialer.language.sentences import refusal_sentence
from dialer.web.cache import Cache
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import as_file, typed_number
from dialer.web.rendering import PlaceGroup

record_pages = PageSection()
_PATH = "/records"
_UNFIT = 422


class RecordsForm(BaseModel):
    """The month and the unit as typed."""

    month: Annotated[str, Field(max_length=10)] = ""
    unit: Annotated[str, Field(max_length=20)] = ""


class RecordsFile(StrEnum):
    """The formats of the file."""

    XLSX = "xlsx"
    CSV = "csv"


Given = Annotated[RecordsForm, Query()]


def _query(request: RequestContext, form: RecordsForm) -> RecordsQuery:
    today = request.now.astimezone(request.services.centre.zone).date()
    return RecordsQuery(month=typed_month(form.month, today), unit_id=typed_number(form.unit, field="unit"))


def _records(request: RequestContext) -> Cache[tuple[RecordsQuery, int | None], UnitRecords]:
    services = request.services
    return request.cache("records", lambda key: read_unit_records(services, key[0], reader_unit_id=key[1]))


@record_pages.get(
    _PATH, act=Permission.SEE_RATES, nav=gettext_noop("Unit records"), order=55, group=PlaceGroup.RESULTS
)
def records(request: CurrentRequest, form: Given) -> Response:
    """The units of one month side by side, and all of them together by month."""
    wrong: dict[str, str] = {}
    services, unit_id, lang = request.services, request.member.unit_id, request.lang
    try:
        query = _query(request, form)
    except Invalid as fault:
        wrong = {fault.field: refusal_sentence(fault, lang)}
        query = _query(request, RecordsForm())
    choices = cut_choices(services, RatesQuery(unit_id=query.unit_id), reader_unit_id=unit_id)
    count = _records(request).get((query, unit_id))
    found = count.value
    return request.page(
        "console/records.html",
        status=_UNFIT if wrong else 200,
        wrong=wrong,
        query=query,
        month=f"{query.month:%Y-%m}",
        before=_address(query, months=-1),
        after=_address(query, months=1),
        file=lambda kind: f"{_PATH}/file/{kind}?{_given(query)}",
        choices=choices.units,
        found=found,
        is_coming=count.is_coming,
        shares=SHARES,
        given=GIVEN,
        lines=record_lines(found, lang) if found else (),
        behind=_behind(query),
        own_unit=query.unit_id or unit_id,
        difference=lambda figure: difference_sentence(figure, lang),
        place=lambda figure, share: (
            place_sentence(figure, ranked_of(found, share.name), lang) if found else ""
        ),
        is_odd=lambda figure: (
            figure.adjusted is not None and figure.adjusted.standing in {Standing.ABOVE, Standing.BELOW}
        ),
        count_word=lambda name: count_word(name, lang),
        can_open=request.may(Permission.SEE_CASES),
        can_export=request.may(Permission.EXPORT),
        can_order=request.may(Permission.ORDER_CORRECTIONS),
    )


def _given(query: RecordsQuery) -> str:
    given = {"month": f"{query.month:%Y-%m}", "unit": str(query.unit_id or "")}
    return urlencode({name: text for name, text in given.items() if text})


def _address(query: RecordsQuery, *, months: int) -> str:
    moved = RecordsQuery(month=add_months(query.month, months), unit_id=query.unit_id)
    return f"{_PATH}?{_given(moved)}"


def _behind(query: RecordsQuery) -> str:
    """The address of the cases behind a count of the month, without the count and its unit."""
    given = {
        "from": query.month.isoformat(),
        "to": (add_months(query.month, 1) - timedelta(days=1)).isoformat(),
        "by": "unit",
        "unit": str(query.unit_id or ""),
    }
    return "/rates/cases?" + urlencode({name: text for name, text in given.items() if text})


@record_pages.get(_PATH + "/file/{kind}", act=Permission.EXPORT)
def export(request: CurrentRequest, form: Given, kind: RecordsFile) -> Response:
    """The records as a file; the export is audited."""
    query = _query(request, form)
    found = read_unit_records(request.services, query, reader_unit_id=request.member.unit_id)
    given = {"month": f"{query.month:%Y-%m}", "kind": kind.value}
    if query.unit_id is not None:
        given["unit"] = str(query.unit_id)
    with request.services.act(request.actor, Permission.EXPORT) as act:
        act.audit("export", "records", facts=given)
    return as_file(record_sheets(found, request.lang), name=f"records-{query.month:%Y-%m}", kind=kind.value)
