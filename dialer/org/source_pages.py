"""Sources on the console: what each may send and has sent, how right it has been, its tokens, its alarms, and its
warnings that wait for a person to release or refuse them. For accounts of the whole centre.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, time, timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import Form
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import Conflict, Invalid
from dialer.core.events import AlarmCode
from dialer.core.rates import CaseFilter, Dimension, Period, Slice, rate_of
from dialer.core.text import gettext_noop
from dialer.core.values import Grade
from dialer.figures.bulletin_words import percent
from dialer.figures.report import RatesQuery, cut_rates
from dialer.language.figure_words import rate_word
from dialer.language.words import stored_word, word_of
from dialer.org.sources import TypedLimits
from dialer.runtime.services import Services
from dialer.signals.model import ListKind, SignalKind
from dialer.staff.sign_in import list_tokens
from dialer.warnings.source_limits import (
    alarms_of_source,
    change_source,
    list_sources,
    read_source,
    refuse_waiting,
    release_waiting,
    waiting_warnings,
)
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.rendering import PlaceGroup

source_pages = PageSection()
_PATH = "/sources"
_UNFIT, _TAKEN = 422, 409
_FIGURE_DAYS = 90
_Name = Annotated[str, Form(max_length=200)]
_Count = Annotated[str, Form(max_length=10)]
_Why = Annotated[str, Form(max_length=500)]

COUNT_WORDS: Mapping[str, str] = {
    "per_minute": gettext_noop("Warnings a minute"),
    "per_hour": gettext_noop("Warnings an hour"),
    "per_day": gettext_noop("Warnings a day"),
    "extra_high_per_minute": gettext_noop("Extra-high warnings a minute"),
    "extra_high_per_hour": gettext_noop("Extra-high warnings an hour"),
    "extra_high_per_day": gettext_noop("Extra-high warnings a day"),
    "signals_per_minute": gettext_noop("Signals a minute"),
    "signals_per_hour": gettext_noop("Signals an hour"),
    "signals_per_day": gettext_noop("Signals a day"),
}
KIND_WORDS: Mapping[SignalKind, str] = {
    SignalKind.CALL: gettext_noop("call"),
    SignalKind.SMS: gettext_noop("text message"),
    SignalKind.WEB: gettext_noop("visit to a site"),
    SignalKind.APP: gettext_noop("use of an app"),
    SignalKind.PAYMENT_ATTEMPT: gettext_noop("payment"),
    SignalKind.LOGIN: gettext_noop("sign-in"),
    SignalKind.PLATFORM_PUSH: gettext_noop("push of the platform"),
    SignalKind.REPORT: gettext_noop("report of fraud"),
    SignalKind.LIST_CHANGE: gettext_noop("change of a list"),
}
LIST_WORDS: Mapping[ListKind, str] = {
    ListKind.FRAUD: gettext_noop("fraud"),
    ListKind.SUSPECTED: gettext_noop("suspected"),
    ListKind.TRUSTED: gettext_noop("trusted"),
}
_BANK_WORDS: Mapping[str, str] = {
    "": gettext_noop("allowed, but not on probation"),
    "yes": gettext_noop("allowed"),
    "no": gettext_noop("not allowed"),
}
_BANK_REPORTS: Mapping[str, bool | None] = {"": None, "yes": True, "no": False}


@source_pages.get(
    _PATH,
    act=Permission.SEE_CONTROL,
    nav=gettext_noop("Sources"),
    order=90,
    group=PlaceGroup.ADMINISTRATION,
    whole_centre=True,
)
def sources(request: CurrentRequest) -> Response:
    """All sources, and above them what waits for release."""
    return _show_all(request)


@source_pages.get(_PATH + "/one", act=Permission.SEE_CONTROL)
def one(request: CurrentRequest, name: str = "") -> Response:
    """The page of a source."""
    return _show_one(request, name) if name else request.redirect_to(_PATH)


@source_pages.post(_PATH + "/waiting", act=Permission.APPROVE)
def decide(
    request: CurrentRequest,
    decision: Annotated[str, Form(max_length=10)] = "",
    load: Annotated[list[int] | None, Form()] = None,
    why: _Why = "",
) -> Response:
    """Releases or refuses the warnings that were ticked."""
    request.check_sees_whole_centre()
    try:
        if decision == "release":
            release_waiting(request.services, request.actor, load or ())
            notice = gettext_noop("Released: the warnings are being loaded.")
        else:
            refuse_waiting(request.services, request.actor, load or (), why=why)
            notice = gettext_noop("Refused: nobody is called for these warnings.")
    except Invalid as fault:
        return _show_all(request, wrong=request.wrong(fault), ticked=load or (), status=_UNFIT)
    except Conflict as fault:
        return _show_all(request, refused=request.refusal(fault), status=_TAKEN)
    return request.redirect_to(_PATH, notice=notice)


@source_pages.post(_PATH + "/one", act=Permission.CONTROL)
def change(
    request: CurrentRequest,
    name: _Name,
    why: _Why = "",
    on_probation: Annotated[str, Form(max_length=1)] = "",
    per_minute: _Count = "",
    per_hour: _Count = "",
    per_day: _Count = "",
    extra_high_per_minute: _Count = "",
    extra_high_per_hour: _Count = "",
    extra_high_per_day: _Count = "",
    signals_per_minute: _Count = "",
    signals_per_hour: _Count = "",
    signals_per_day: _Count = "",
    most_grade: Annotated[str, Form(max_length=20)] = "",
    most_amount: Annotated[str, Form(max_length=20)] = "",
    units: Annotated[str, Form(max_length=2000)] = "",
    signal_kinds: Annotated[list[str] | None, Form()] = None,
    list_kinds: Annotated[list[str] | None, Form()] = None,
    bank_reports: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    """Sets what the source may send."""
    request.check_sees_whole_centre()
    typed = TypedLimits(
        counts={
            "per_minute": per_minute,
            "per_hour": per_hour,
            "per_day": per_day,
            "extra_high_per_minute": extra_high_per_minute,
            "extra_high_per_hour": extra_high_per_hour,
            "extra_high_per_day": extra_high_per_day,
            "signals_per_minute": signals_per_minute,
            "signals_per_hour": signals_per_hour,
            "signals_per_day": signals_per_day,
        },
        most_grade=most_grade,
        most_amount=most_amount,
        units=units.splitlines(),
        signal_kinds=signal_kinds or (),
        list_kinds=list_kinds or (),
        bank_reports=_BANK_REPORTS.get(bank_reports),
    )
    is_on_probation = bool(on_probation)
    try:
        limits = typed.read()
        change_source(request.services, request.actor, name, limits, on_probation=is_on_probation, why=why)
    except Invalid as fault:
        return _show_one(
            request,
            name,
            typed=typed,
            on_probation=is_on_probation,
            why=why,
            wrong=request.wrong(fault),
            status=_UNFIT,
        )
    return request.redirect_to(
        f"{_PATH}/one?name={quote(name, safe='')}",
        notice=gettext_noop("What the source may send is changed."),
    )


def _show_all(
    request: RequestContext,
    *,
    wrong: Mapping[str, str] | None = None,
    refused: str = "",
    ticked: Collection[int] = (),
    status: int = 200,
) -> Response:
    request.check_sees_whole_centre()
    waiting = waiting_warnings(request.services)
    counts: dict[str, int] = {}
    for held in waiting:
        counts[held.source] = counts.get(held.source, 0) + held.total
    return request.page(
        "console/sources.html",
        status=status,
        sources=list_sources(request.services),
        waiting=waiting,
        counts=counts,
        wrong=wrong or {},
        refused=refused,
        ticked=ticked,
        may_decide=request.may(Permission.APPROVE),
        may_look=request.may(Permission.LOAD_LISTS),
    )


_RATES = ("false_alarms", "defrauded_after_warning", "verified_contact", "dissuaded")
"""How right a source has been, and what came of its cases."""


def _figures(services: Services, name: str) -> Slice:
    """The figures of its cases of the last days, as the page of success rates counts them."""
    zone = services.centre.zone
    first = services.clock.now().astimezone(zone).date() - timedelta(days=_FIGURE_DAYS)
    start = datetime.combine(first, time.min, zone)
    asked = RatesQuery(by=Dimension.GRADE, period=Period(start=start), cut=CaseFilter(source=name))
    return cut_rates(services, asked, reader_unit_id=None).breakdown.total


def _show_one(
    request: RequestContext,
    name: str,
    *,
    typed: TypedLimits | None = None,
    on_probation: bool | None = None,
    why: str = "",
    wrong: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    request.check_sees_whole_centre()
    services = request.services
    source = read_source(services, name)
    real_now = services.real.now()
    figures = request.cache("source", lambda key: _figures(services, key)).get(name)
    return request.page(
        "console/source.html",
        status=status,
        source=source,
        holds=source.limits(services.live_sources.general_limits()),
        typed=typed or TypedLimits.of(source.own_limits),
        on_probation=source.on_probation if on_probation is None else on_probation,
        why=why,
        wrong=wrong or {},
        tokens=[token for token in list_tokens(services) if token.may_send_for(name)],
        real_now=real_now,
        waiting=waiting_warnings(services, source=name),
        alarms=alarms_of_source(services, name),
        figures=figures.value,
        rates=[rate_of(figures.value, rate) for rate in _RATES] if figures.value else [],
        rate_word=lambda rate: rate_word(rate.definition, request.lang),
        percent=lambda rate: percent(rate.value),
        figure_days=_FIGURE_DAYS,
        alarm_word=lambda code: stored_word(AlarmCode, code, request.lang),
        kinds=lambda found: ", ".join(request.say(KIND_WORDS[SignalKind(kind)]) for kind in found),
        lists=lambda found: ", ".join(request.say(LIST_WORDS[ListKind(kind)]) for kind in found),
        grade_options=[("", request.say(gettext_noop("not limited")))]
        + [(grade.value, word_of(grade, request.lang)) for grade in Grade],
        bank_options=[(key, request.say(words)) for key, words in _BANK_WORDS.items()],
        count_words=COUNT_WORDS,
        kind_words=KIND_WORDS,
        list_words=LIST_WORDS,
        may_change=request.may(Permission.CONTROL),
        may_decide=request.may(Permission.APPROVE),
        may_look=request.may(Permission.LOAD_LISTS),
    )
