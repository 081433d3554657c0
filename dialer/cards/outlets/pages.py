"""Outlets on the console: involved cards by quarter, what is done about an outlet, the monthly notice, and fairness."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Annotated

from fastapi import Form, Path, Query
from starlette.responses import Response

from dialer.cards.openings.checks import shipped_checks
from dialer.cards.outlets.actions import (
    LONGEST_MONTHS,
    Quarter,
    QuarterCounts,
    StepForm,
    count_quarter,
    notice_months,
    quarters_until,
    read_cohort,
    read_matter,
    read_notice,
    take_step,
)
from dialer.cards.outlets.fairness import DAYS, read_fairness
from dialer.cards.outlets.view import PER, notice_document, per_ten_thousand, percent
from dialer.core.access import Permission
from dialer.core.cards import OutletStep
from dialer.core.errors import Invalid, NotFound
from dialer.core.intervals import Estimate
from dialer.core.text import gettext_noop
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.documents import as_docx
from dialer.web.rendering import PlaceGroup

outlet_pages = PageSection()
_PATH = "/cards/outlets"
_SEE, _DECIDE = Permission.SEE_OPENERS, Permission.DECIDE_OPENERS
Number = Annotated[int, Path(ge=1, lt=2**63)]
Words = Annotated[str, Form(max_length=500)]
Cell = Annotated[str, Form(max_length=200)]


def _today(request: RequestContext) -> date:
    return request.services.clock.now().astimezone(request.services.centre.zone).date()


@outlet_pages.get(_PATH, act=_SEE, nav=gettext_noop("Outlets"), order=58, group=PlaceGroup.CARDS)
def show_outlets(request: CurrentRequest, quarter: Annotated[str, Query(max_length=10)] = "") -> Response:
    """Involved cards of one quarter; by default the one before the current quarter, most of whose cases are known."""
    quarters = quarters_until(_today(request))
    chosen = next((known for known in quarters if known.name == quarter), quarters[1])
    cohort = read_cohort(request.services, _counted(request, chosen), visible_to=request.member.unit_id)
    return request.page(
        "console/card_outlets.html",
        quarters=quarters,
        chosen=chosen,
        cohort=cohort,
        mean=f"{PER * cohort.mean:.1f}",
        rows=[
            (own, per_ten_thousand(own.drawn), percent(own.completeness, request.lang))
            for own in cohort.outlets
        ],
        months=notice_months(_today(request)),
        may_export=request.may(Permission.EXPORT),
    )


@outlet_pages.get(_PATH + "/notice", act=Permission.EXPORT)
def notice(request: CurrentRequest, month: Annotated[str, Query(max_length=10)] = "") -> Response:
    """The monthly notice as docx."""
    months = notice_months(_today(request))
    first = next((known for known in months if f"{known:%Y-%m}" == month), None)
    if first is None:
        raise NotFound(kind="month", key=month)
    services = request.services
    found = read_notice(services, request.actor, first)
    document = notice_document(
        found,
        lang=request.lang,
        timezone=services.centre.timezone,
        who=request.who,
        now=services.clock.now(),
    )
    return as_docx(document, name=f"notice-{first:%Y-%m}")


@outlet_pages.get(_PATH + "/{outlet_id}", act=_SEE)
def show_outlet(request: CurrentRequest, outlet_id: Number) -> Response:
    """The quarters of an outlet, and what was done about it."""
    matter = read_matter(
        request.services,
        outlet_id,
        visible_to=request.member.unit_id,
        count=lambda quarter: _counted(request, quarter),
    )
    return request.page(
        "console/card_outlet.html",
        matter=matter,
        cohorts=[
            (
                quarter,
                f"{PER * mean:.1f}",
                own,
                "" if own is None else per_ten_thousand(own.drawn),
                "" if own is None else percent(own.completeness, request.lang),
            )
            for quarter, mean, own in matter.cohorts
        ],
        wants_letter=OutletStep.LETTER in matter.following,
        longest=LONGEST_MONTHS,
        may_decide=request.may(_DECIDE),
    )


@outlet_pages.post(_PATH + "/{outlet_id}/steps", act=_DECIDE)
def step(
    request: CurrentRequest,
    outlet_id: Number,
    step: Annotated[OutletStep | None, Form()] = None,
    why: Words = "",
    document_no: Cell = "",
    authority: Cell = "",
    months: Annotated[int, Form(ge=0, le=1000)] = 0,
) -> Response:
    """Records the next step about an outlet; a letter of the authority has its document and months."""
    if step is None:
        raise Invalid(field="step", problem="is not chosen", fix="choose one of the list")
    form = StepForm(step=step, why=why, document_no=document_no, authority=authority, months=months)
    take_step(request.services, request.actor, outlet_id, form)
    return request.redirect_to(f"{_PATH}/{outlet_id}", notice=gettext_noop("Recorded."))


def _counted(request: RequestContext, quarter: Quarter) -> QuarterCounts:
    """The cached figures of a quarter; the longer they took to count, the longer they are cached."""
    services = request.services
    found: QuarterCounts = request.cache("card_quarters", partial(count_quarter, services)).wait(quarter)
    return found


@outlet_pages.get("/cards/fairness", act=_SEE, nav=gettext_noop("Fairness"), order=59, group=PlaceGroup.CARDS)
def show_fairness(request: CurrentRequest, days: Annotated[int, Query(ge=1, le=3660)] = 90) -> Response:
    """Shows on whom the checks fall."""
    chosen = days if days in DAYS else 90
    found = read_fairness(request.services, days=chosen, visible_to=request.member.unit_id)
    return request.page(
        "console/card_fairness.html",
        found=found,
        days=DAYS,
        chosen=chosen,
        share=interval_text,
        title=lambda check: shipped_checks().title(check, request.lang),
        times=f"{request.services.cards.group_times:g}",
        least=request.services.cards.group_least,
    )


def interval_text(interval: Estimate | None) -> str:
    """The share in per cent with its interval of 95 %; '' for no openings."""
    if interval is None:
        return ""
    return f"{100 * interval.share:.1f} % ({100 * interval.low:.1f}–{100 * interval.high:.1f})"
