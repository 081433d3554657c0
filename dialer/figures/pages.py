"""The page of success rates: its filter in the address, charts, the export, and the cases behind each count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from fastapi import Form, Path, Query
from markupsafe import Markup
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import Response

from dialer.cases.search import case_lines
from dialer.core.access import Permission
from dialer.core.errors import Invalid
from dialer.core.intervals import Standing
from dialer.core.periods import day_of
from dialer.core.rates import (
    CaseFilter,
    Dimension,
    Period,
    period_of,
    rates_of,
)
from dialer.core.text import Lang, gettext_noop
from dialer.core.values import AmountKind, FilteredPage, FraudType, Grade
from dialer.db.units import boundaries_of
from dialer.figures.rate_charts import (
    TODAY_HEAD,
    Trend,
    beside_chart,
    calendar_of,
    compared_lines,
    count_chart,
    funnel_steps,
    map_of,
    measure_word,
    rate_chart,
    today_lines,
    trend_of,
    waits_chart,
)
from dialer.figures.rate_tables import (
    PARQUET,
    RATE_DIMENSIONS,
    SHOWN_BESIDE,
    ExportInfo,
    NoParquet,
    RateLine,
    about_sheet,
    all_counts_sheet,
    definitions_sheet,
    has_parquet,
    parquet_file,
    rate_lines,
    rate_sheets,
    standing_sentence,
    wait_bars,
)
from dialer.figures.report import (
    CasesBehind,
    CutReport,
    RatesQuery,
    cases_behind,
    check_behind,
    clicked_count,
    cut_choices,
    cut_rates,
    moment_of,
    moment_text,
    read_case_page,
)
from dialer.language.catalogue import say
from dialer.language.figure_words import basis_word, rate_sentence, rate_word
from dialer.language.sentences import refusal_sentence
from dialer.language.words import script_word
from dialer.outcomes.ledger import (
    CallerReports,
    CallerSuccesses,
    SourceAnswers,
    answers_by_source,
    reports_by_caller,
    successes_by_caller,
)
from dialer.runtime.services import Services
from dialer.staff.filters import delete_filter, save_filter, saved_filters
from dialer.staff.names import read_display_names
from dialer.web.cache import Cache, CountedValue
from dialer.web.charts import Chart, draw_chart
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import as_file, typed_number
from dialer.web.rendering import PlaceGroup

W = TypeVar("W", bound=StrEnum)


class RatesForm(BaseModel):
    """The filter of the page as typed; the address holds all of it."""

    start: Annotated[str, Field(alias="from", max_length=40)] = ""
    end: Annotated[str, Field(alias="to", max_length=40)] = ""
    by: Annotated[str, Field(max_length=20)] = Dimension.UNIT.value
    unit: Annotated[str, Field(max_length=20)] = ""
    grade: Annotated[str, Field(max_length=20)] = ""
    fraud_type: Annotated[str, Field(alias="type", max_length=40)] = ""
    source: Annotated[str, Field(max_length=200)] = ""
    script: Annotated[str, Field(max_length=80)] = ""
    version: Annotated[str, Field(max_length=100)] = ""
    hour: Annotated[str, Field(max_length=2)] = ""
    person: Annotated[str, Field(max_length=100)] = ""
    at: Annotated[str, Field(max_length=40)] = ""
    """The moment of the report to show; '' for now."""

    @property
    def given(self) -> dict[str, str]:
        """The typed values, by their names in the address."""
        return self.model_dump(by_alias=True, include=set(RatesForm.model_fields))

    def asked(self, timezone: str) -> RatesQuery:
        """The query that the form describes. Raises `Invalid` for a field that cannot be read."""
        return RatesQuery(
            by=_one_of(Dimension, self.by, field="by") or Dimension.UNIT,
            period=period_of(self.start, self.end, timezone=timezone),
            unit_id=typed_number(self.unit, field="unit"),
            cut=CaseFilter(
                grade=_one_of(Grade, self.grade, field="grade"),
                fraud_type=_one_of(FraudType, self.fraud_type, field="type"),
                source=self.source,
                script_id=self.script,
                version=self.version,
                person=self.person,
                hour=typed_number(self.hour, field="hour"),
            ),
        )

    def query(self, **changed: str) -> str:
        """The query of an address with the same filter except for `changed`, as of now unless `at` is among them; empty
        parts are left out.
        """
        given = self.given | {"at": ""} | changed
        return urlencode({name: text for name, text in given.items() if text})

    @property
    def narrows(self) -> int:
        """How many filters are set."""
        filters = (
            self.unit,
            self.grade,
            self.fraud_type,
            self.source,
            self.script,
            self.version,
            self.hour,
            self.person,
        )
        return sum(bool(text) for text in filters)


class BehindForm(RatesForm):
    """The filter, with the count whose cases are listed and where the last page of them ended."""

    measure: Annotated[str, Field(max_length=60)]
    value: Annotated[str, Field(max_length=200)] = ""
    """The value of the dimension whose figure was clicked in the comparison; '' for the whole."""
    today: bool = False
    """Whether the figure was of the day of the report so far, whatever its period."""
    before: int | None = None


Given = Annotated[RatesForm, Query()]


def spans(request: CurrentRequest, timezone: str) -> tuple[tuple[str, str, str], ...]:
    """Frequent windows: name, first day, last day."""
    today = request.now.astimezone(ZoneInfo(timezone)).date()
    starts = (
        (gettext_noop("Today"), today),
        (gettext_noop("7 days"), today - timedelta(days=6)),
        (gettext_noop("30 days"), today - timedelta(days=29)),
        (gettext_noop("This year"), today.replace(month=1, day=1)),
    )
    return (
        *((request.say(name), start.isoformat(), today.isoformat()) for name, start in starts),
        (request.say(gettext_noop("All")), "", ""),
    )


def _one_of(kind: type[W], text: str, *, field: str) -> W | None:
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise Invalid(field=field, problem="is not known") from None


_MOST_BARS = 30

RATE_PARAMETERS = {
    dimension: "type" if dimension is Dimension.FRAUD_TYPE else dimension.value for dimension in Dimension
}
"""The name of each dimension's filter in the address."""


rates_pages = PageSection()
_UNFIT = 422


class FileKind(StrEnum):
    XLSX = "xlsx"
    CSV = "csv"
    PARQUET = "parquet"


def _words(request: RequestContext) -> dict[str, Any]:
    zone = request.services.centre.zone
    return {
        "exact_moment": lambda at: f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        "count_word": lambda name: measure_word(name, request.lang),
        "rate_word": lambda definition: rate_word(definition, request.lang),
        "rate_sentence": lambda definition: rate_sentence(definition, request.lang),
        "basis_word": lambda basis: basis_word(basis, request.lang),
    }


@rates_pages.get(
    "/rates", act=Permission.SEE_RATES, nav=gettext_noop("Success rates"), order=50, group=PlaceGroup.RESULTS
)
def rates(request: CurrentRequest, form: Given) -> Response:
    """Counts and rates for the filter of the form; computed in the background, and polled for."""
    return _show(request, form)


@rates_pages.post("/rates/saved", act=Permission.SEE_RATES)
def save(
    request: CurrentRequest,
    query: Annotated[str, Form(max_length=1_000)] = "",
    name: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Saves the filter of the address under a name; the same name again replaces it."""
    form = RatesForm()
    try:
        form = _typed_filter(query)
        form.asked(request.services.centre.timezone)
        save_filter(request.services, request.who, page=FilteredPage.RATES, name=name, query=form.query())
    except Invalid as fault:
        return _show(request, form, wrong_name=refusal_sentence(fault, request.lang))
    return request.redirect_to(f"/rates?{form.query()}", notice=gettext_noop("The filter is saved."))


def _typed_filter(query: str) -> RatesForm:
    """Raises `Invalid` for a query that no page of ours has."""
    try:
        return RatesForm.model_validate(dict(parse_qsl(query)))
    except ValidationError:
        raise Invalid(field="name", problem=gettext_noop("the filter cannot be read")) from None


@rates_pages.post("/rates/saved/{filter_id}/delete", act=Permission.SEE_RATES)
def forget(request: CurrentRequest, filter_id: Annotated[int, Path(ge=1, lt=2**63)]) -> Response:
    """Deletes one of the person's own saved filters."""
    delete_filter(request.services, request.who, filter_id)
    return request.redirect_to("/rates")


def _show(request: RequestContext, form: RatesForm, *, wrong_name: str = "") -> Response:
    timezone = request.services.centre.timezone
    wrong: dict[str, str] = {}
    unit_id = request.member.unit_id
    asked, kept = RatesQuery(), None
    try:
        asked = form.asked(timezone)
        kept = _kept(request, asked, form)
    except Invalid as fault:
        wrong = {fault.field: refusal_sentence(fault, request.lang)}
    choices = cut_choices(request.services, asked, reader_unit_id=unit_id)
    count = CountedValue(value=kept) if kept else _reports(request).get((asked, unit_id))
    return request.page(
        "console/rates.html",
        status=_UNFIT if wrong or wrong_name else 200,
        form=form,
        wrong=wrong,
        choices=choices,
        report=count.value,
        is_coming=count.is_coming,
        dimension=asked.by,
        **_figures(request, form, asked.period, count.value),
        saved=saved_filters(request.services, request.who, page=FilteredPage.RATES),
        wrong_name=wrong_name,
        beside_counts=SHOWN_BESIDE,
        dimensions=RATE_DIMENSIONS,
        parameters=RATE_PARAMETERS,
        spans=spans(request, timezone),
        script_word=lambda script: script_word(script, request.lang),
        grades=tuple(Grade),
        fraud_types=tuple(FraudType),
        amount_kinds=tuple(AmountKind),
        can_open=request.may(Permission.SEE_CASES),
        can_export=request.may(Permission.EXPORT),
        has_parquet=has_parquet(),
        by_unit=Dimension.UNIT,
        own_unit=form.unit or str(unit_id or ""),
        standing_sentence=lambda line: standing_sentence(line.adjusted, request.lang),
        **_words(request),
    )


def _figures(
    request: RequestContext, form: RatesForm, period: Period, report: CutReport | None
) -> dict[str, Any]:
    if report is None:
        return {"at": ""}
    lang, services = request.lang, request.services
    shown = rate_lines(report, lang)
    course = trend_of(report, period, services.centre.timezone)
    bars = wait_bars(lang)
    with services.store.begin() as tx:
        defrauded = case_lines(tx, report.defrauded)
        is_by_unit = report.breakdown.dimension is Dimension.UNIT
        ids = [int(value) for value in report.breakdown.slices if value and is_by_unit]
        boundaries = boundaries_of(tx, ids)
    return {
        "at": moment_text(report.generated_at),
        "total": report.breakdown.total,
        "rates": rates_of(report.breakdown.total.counts),
        "lines": shown,
        "bars": bars,
        "steps": funnel_steps(report.breakdown.total.counts),
        "today": today_lines(report, lang),
        "today_head": [say(lang, text) for text in TODAY_HEAD],
        "compared": compared_lines(report, lang),
        "course": course,
        "calendar": calendar_of(report, lang),
        "map": map_of(
            report, boundaries, {str(id_): f"/rates?{form.query(unit=str(id_))}" for id_ in ids}, lang
        )
        if boundaries
        else "",
        **_charts(report, course, shown, bars, lang),
        "workload": report.workload,
        "staff_names": report.staff_names,
        "defrauded": defrauded,
    }


def _charts(
    report: CutReport, course: Trend | None, shown: Sequence[RateLine], bars: Sequence[str], lang: Lang
) -> dict[str, Any]:
    """The drawings of a report, '' where there is nothing to draw."""
    courses: tuple[Chart, ...] = ()
    if course:
        drawn = (count_chart(course, "warnings", lang), count_chart(course, "dissuaded", lang))
        courses = (*drawn, rate_chart(course, lang))
    waited = waits_chart(report.waits, bars, say(lang, "Cases by time to the first call"), lang)
    beside = contacted = Markup()
    if len(shown) > 1:
        names, rates = [line.name for line in shown[:_MOST_BARS]], [line.rates for line in shown[:_MOST_BARS]]
        title = say(lang, "Verified contact and dissuaded compared; the table below has the figures")
        beside = draw_chart(beside_chart(names, rates, title, lang), "beside")
    if report.contacted is not None and any(report.contacted.total):
        title = say(lang, "Cases by time to the verified contact")
        contacted = draw_chart(waits_chart(report.contacted, bars, title, lang), "contacted")
    return {
        "course_charts": [
            (chart.title, draw_chart(chart, f"course-{place}")) for place, chart in enumerate(courses)
        ],
        "beside": beside,
        "waited": draw_chart(waited, "waited"),
        "contacted": contacted,
    }


@rates_pages.get("/rates/cases", act=Permission.SEE_RATES, shows_people=True)
def behind(request: CurrentRequest, form: Annotated[BehindForm, Query()]) -> Response:
    """The cases behind one figure of the rates, and what the figure was when it was clicked."""
    asked, unit_id = form.asked(request.services.centre.timezone), request.member.unit_id
    try:
        clicked = _kept(request, asked, form)
    except Invalid:
        clicked = None
    if form.value:
        asked = asked.narrowed(form.value)
    if form.today:
        moment = moment_of(form.at) or request.now
        asked = replace(asked, period=day_of(moment, timezone=request.services.centre.timezone))
    check_behind(request.services, asked, form.measure, reader_unit_id=unit_id)
    count = _behind(request).get((asked, form.measure, unit_id, form.before))
    return request.page(
        "console/rates_cases.html",
        form=form,
        measure=form.measure,
        behind=count.value,
        found=read_case_page(request.services, count.value.ids) if count.value is not None else None,
        before=form.before,
        report=clicked,
        clicked=clicked_count(clicked, form.measure, form.value, today=form.today) if clicked else None,
        can_open=request.may(Permission.SEE_CASES),
        **_words(request),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _CallerFigures:
    claims: list[CallerSuccesses]
    reports: list[CallerReports]
    answers: list[SourceAnswers]


def _caller_figures(services: Services, period: Period, visible_to: int | None) -> _CallerFigures:
    with services.store.begin() as tx:
        return _CallerFigures(
            claims=successes_by_caller(tx, period, drill=services.drill, visible_to=visible_to),
            reports=reports_by_caller(
                tx,
                period,
                drill=services.drill,
                least_seconds=services.work.least_call_seconds,
                visible_to=visible_to,
            ),
            answers=answers_by_source(tx, period, drill=services.drill, visible_to=visible_to),
        )


@rates_pages.get("/rates/callers", act=Permission.SEE_RATES)
def callers(request: CurrentRequest, form: Given) -> Response:
    """The page by caller: successes without a staff call, reports that came faster than a call lasts, and each person's
    share of successes compared with the others'; and by source, whether a scammer was in contact.
    """
    timezone = request.services.centre.timezone
    windows = spans(request, timezone)
    wrong: dict[str, str] = {}
    _, since, until = windows[2]
    try:
        period = period_of(form.start or since, form.end or until, timezone=timezone)
    except Invalid as fault:
        wrong = {fault.field: refusal_sentence(fault, request.lang)}
        period = period_of(since, until, timezone=timezone)
    services = request.services
    count = request.cache("callers", lambda key: _caller_figures(services, *key)).get(
        (period, request.member.unit_id)
    )
    found = count.value
    logins = {caller.login for caller in (*found.claims, *found.reports)} if found else set()
    return request.page(
        "console/rates_callers.html",
        status=_UNFIT if wrong else 200,
        wrong=wrong,
        start=form.start or since,
        end=form.end or until,
        spans=windows[:-1],
        found=found,
        is_coming=count.is_coming,
        compared=lambda adjusted: standing_sentence({"dissuaded": adjusted}, request.lang),
        is_odd=lambda adjusted: adjusted.standing in {Standing.ABOVE, Standing.BELOW},
        names=read_display_names(services, logins),
        least_seconds=services.work.least_call_seconds,
    )


@rates_pages.get("/rates/file/{kind}", act=Permission.EXPORT)
def export(request: CurrentRequest, form: Given, kind: FileKind) -> Response:
    """The rates as a file that says who made it and when; the export is audited. Raises `Invalid` for a format that is
    not installed.
    """
    made = ExportInfo(
        by=request.who,
        at=request.now,
        zone=request.services.centre.zone,
        given=form.given,
        drill=request.services.drill,
    )
    if kind is FileKind.PARQUET and not has_parquet():
        raise NoParquet
    report = cut_rates(
        request.services,
        form.asked(request.services.centre.timezone),
        reader_unit_id=request.member.unit_id,
        at=moment_of(form.at),
    )
    given = {name: text for name, text in form.given.items() if text}
    with request.services.act(request.actor, Permission.EXPORT) as act:
        act.audit("export", "rates", facts=given | {"kind": kind.value})
    lang = request.lang
    named = [(line.value, line.name, line.part) for line in rate_lines(report, lang)]
    if kind is FileKind.PARQUET:
        disposition = f'attachment; filename="{made.name}.parquet"'
        body = parquet_file(made, report, named)
        return Response(body, media_type=PARQUET, headers={"Content-Disposition": disposition})
    sheets = (
        *rate_sheets(report, lang, made.zone),
        all_counts_sheet(report.breakdown.total, named, lang),
        definitions_sheet(lang),
        about_sheet(made, report, lang),
    )
    return as_file(sheets, name=made.name, kind=kind.value)


def _reports(request: RequestContext) -> Cache[tuple[RatesQuery, int | None], CutReport]:
    """Reports by query and the reader's unit."""
    services = request.services
    return request.cache("reports", lambda key: cut_rates(services, key[0], reader_unit_id=key[1]))


def _kept(request: RequestContext, asked: RatesQuery, form: RatesForm) -> CutReport | None:
    """The report of the moment in the address; None if it has none. Raises `Invalid` if the report is not kept."""
    at = moment_of(form.at)
    if at is None:
        return None
    return cut_rates(request.services, asked, reader_unit_id=request.member.unit_id, at=at)


def _behind(request: RequestContext) -> Cache[tuple[RatesQuery, str, int | None, int | None], CasesBehind]:
    """The cases behind a count, by query, its name, the reader's unit, and the end of the previous page."""
    services = request.services
    return request.cache(
        "behind", lambda key: cases_behind(services, key[0], key[1], reader_unit_id=key[2], before_id=key[3])
    )
