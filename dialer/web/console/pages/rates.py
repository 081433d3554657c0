"""Success rates: what became of the warnings, every figure with its definition and the records behind it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from dialer.domain.access import Act
from dialer.domain.values import AmountKind, FraudType, Grade
from dialer.errors import Invalid
from dialer.language import mark
from dialer.outcomes.cuts import Dimension
from dialer.outcomes.rates import rates_of
from dialer.sentences import refusal_sentence
from dialer.usecases.cut_rates import Asked as Cut
from dialer.usecases.cut_rates import (
    CutReport,
    check_behind,
    cut_choices,
    cut_rates,
    ids_behind,
    note_export,
    page_of,
)
from dialer.web.cache import Cache
from dialer.web.console import rates_view
from dialer.web.console.rates_form import Given, RatesForm, spans
from dialer.web.console.registry import Section
from dialer.web.console.sheets import as_file
from dialer.web.console.visit import Asked, Visit
from dialer.words import basis_word, count_word, rate_sentence, rate_word, stored_word

pages = Section()
_UNFIT = 422


class FileKind(StrEnum):
    XLSX = "xlsx"
    CSV = "csv"


def _words(visit: Visit) -> dict[str, Any]:
    return {
        "count_word": lambda name: count_word(name, visit.lang),
        "rate_word": lambda definition: rate_word(definition, visit.lang),
        "rate_sentence": lambda definition: rate_sentence(definition, visit.lang),
        "basis_word": lambda basis: basis_word(basis, visit.lang),
    }


@pages.get("/rates", act=Act.SEE_RATES, nav=mark("Success rates"), order=50)
def rates(visit: Asked, form: Given) -> Response:
    timezone = visit.engine.centre.timezone
    wrong: dict[str, str] = {}
    try:
        asked = form.asked(timezone)
    except Invalid as fault:
        wrong = {fault.field: refusal_sentence(fault, visit.lang)}
        asked = Cut()
    unit_id = visit.member.unit_id
    choices = cut_choices(visit.engine, asked, reader_unit_id=unit_id)
    count = _reports(visit).get((asked, unit_id))
    return visit.page(
        "console/rates.html",
        status=_UNFIT if wrong else 200,
        form=form,
        wrong=wrong,
        choices=choices,
        report=count.value,
        is_coming=count.is_coming,
        dimension=asked.by,
        **_figures(visit, count.value),
        funnel=rates_view.FUNNEL,
        beside_counts=rates_view.SHOWN_BESIDE,
        dimensions=rates_view.DIMENSIONS,
        parameters=rates_view.PARAMETERS,
        spans=spans(visit, timezone),
        script_word=lambda script: stored_word(FraudType, script, visit.lang),
        grades=tuple(Grade),
        fraud_types=tuple(FraudType),
        amount_kinds=tuple(AmountKind),
        can_open=visit.may(Act.SEE_CASES),
        can_export=visit.may(Act.EXPORT),
        by_unit=Dimension.UNIT,
        **_words(visit),
    )


def _figures(visit: Visit, report: CutReport | None) -> dict[str, Any]:
    if report is None:
        return {}
    shown = rates_view.lines(report, visit.lang)
    return {
        "total": report.breakdown.total,
        "rates": rates_of(report.breakdown.total.counts),
        "lines": shown,
        "bars": rates_view.bars(visit.lang),
        "beside": rates_view.beside_chart(shown, visit.lang),
        "waited": rates_view.waits_chart(report, visit.lang),
    }


@pages.get("/rates/cases", act=Act.SEE_RATES)
def behind(
    visit: Asked, form: Given, measure: Annotated[str, Query(max_length=60)], before: int | None = None
) -> Response:
    asked, unit_id = form.asked(visit.engine.centre.timezone), visit.member.unit_id
    check_behind(visit.engine, asked, measure, reader_unit_id=unit_id)
    reports = _reports(visit)
    reports.begin((asked, unit_id))
    count = _behind(visit).get((asked, measure, unit_id, before))
    report = reports.get((asked, unit_id)).value if count.value is not None else None
    return visit.page(
        "console/rates_cases.html",
        form=form,
        measure=measure,
        found=page_of(visit.engine, count.value) if count.value is not None else None,
        before=before,
        report=report,
        can_open=visit.may(Act.SEE_CASES),
        **_words(visit),
    )


@pages.get("/rates/file/{kind}", act=Act.EXPORT)
def export(visit: Asked, form: Given, kind: FileKind) -> Response:
    report = cut_rates(
        visit.engine, form.asked(visit.engine.centre.timezone), reader_unit_id=visit.member.unit_id
    )
    note_export(visit.engine, who=visit.who, subject="rates", facts=_filters(form) | {"kind": kind.value})
    name = f"rates-{visit.now:%Y%m%d-%H%M}"
    return as_file(rates_view.sheets(report, visit.lang), name=name, kind=kind.value)


def _filters(form: RatesForm) -> dict[str, object]:
    return {name: text for name, text in form.given.items() if text}


def _reports(visit: Visit) -> Cache[tuple[Cut, int | None], CutReport]:
    """By what is asked and the reader's unit."""
    engine = visit.engine
    return visit.cache("reports", lambda key: cut_rates(engine, key[0], reader_unit_id=key[1]))


def _behind(visit: Visit) -> Cache[tuple[Cut, str, int | None, int | None], tuple[int, ...]]:
    """The cases of a count, by what is asked, its name, the reader's unit, and where the last page ended."""
    engine = visit.engine
    return visit.cache(
        "behind", lambda key: ids_behind(engine, key[0], key[1], reader_unit_id=key[2], before_id=key[3])
    )
