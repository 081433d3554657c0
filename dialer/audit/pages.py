"""The audit page: who saw, changed and exported what, when and why; the names of acts and facts; the export, which is
audited itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Form, Query
from pydantic import Field
from starlette.responses import Response

from dialer.audit.trail import (
    MOST_PEOPLE,
    AuditLine,
    AuditQuery,
    LookQuery,
    TrailState,
    audited_act_names,
    read_trail_state,
    search_audit,
    sum_by_person,
)
from dialer.audit.words import TROUBLE, act_words, facts_words, subject_words, why_of
from dialer.core.access import Actor, Permission, required_text
from dialer.core.errors import Invalid
from dialer.core.rates import Period, period_of
from dialer.core.text import gettext_noop
from dialer.db.audit import Seal
from dialer.language.sentences import VIEWS
from dialer.runtime.services import Services
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import Filter, Sheet, as_file, format_number, format_span

MOST_EXPORTED = 100_000
"""The most lines of one file."""


def export_audit(services: Services, actor: Actor, query: AuditQuery, *, why: str) -> tuple[AuditLine, ...]:
    """The newest `MOST_EXPORTED` lines that fit the query; audits the reason and the number of lines first. Raises
    `Invalid` without a reason.
    """
    reason = required_text("why", why, fix="every export says what it is for")
    narrowed = {"who": query.who, "act": query.act, "subject": query.subject}
    with services.act(actor, Permission.SEE_AUDIT) as act:
        lines = search_audit(act.tx, replace(query, before=None, limit=MOST_EXPORTED)).lines
        facts = {"lines": len(lines)} | {name: text for name, text in narrowed.items() if text}
        act.audit("export", "audit", why=reason, facts=facts)
    return lines


audit_pages = PageSection()
_TEMPLATE = "console/audit.html"
_UNFIT = 422
_PAGE = 50
_DAYS = 7
"""Days of the summary by person unless others are asked for."""
_EXPORTS = frozenset({"export", "export_rejects", "show_rejects"})
_DIGITS = 18
"""A number of at most this many digits is an id."""
_SEALS = {
    Seal.WHOLE: gettext_noop("whole"),
    Seal.NONE: gettext_noop("not sealed"),
    Seal.BROKEN: gettext_noop("altered, or its key is missing"),
    Seal.LOOSE: gettext_noop("does not follow the line before it"),
}

_Text = Annotated[str, Field(max_length=100)]


class AuditFilter(Filter):
    """The filter of the page, as typed."""

    who: _Text = ""
    act: _Text = ""
    subject: _Text = ""
    since: Annotated[str, Field(alias="from", max_length=40)] = ""
    until: Annotated[str, Field(alias="to", max_length=40)] = ""


class AuditPlace(AuditFilter):
    """The filter, and where the page begins: below the line that `before` names, or at the newest line."""

    before: _Text = ""


class AuditExport(AuditFilter):
    """An export of the lines that the filter finds, as a file; `why` is audited."""

    beside = frozenset({"kind", "why"})
    kind: Literal["csv", "xlsx"]
    why: Annotated[str, Field(max_length=500)] = ""


@audit_pages.get("/audit", act=Permission.SEE_AUDIT, nav=gettext_noop("Audit"), order=95)
def audit(request: CurrentRequest, place: Annotated[AuditPlace, Query()]) -> Response:
    """Lines of the audit, newest first, a page at a time."""
    return _show(request, place.asked(), before=place.before)


class PeoplePlace(Filter):
    """The days of the summary, and the count by which the largest stands first."""

    since: Annotated[str, Field(alias="from", max_length=40)] = ""
    until: Annotated[str, Field(alias="to", max_length=40)] = ""
    order: Literal["looks", "searches", "exports", "outside"] = "looks"


@audit_pages.get("/audit/people", act=Permission.SEE_AUDIT)
def people(request: CurrentRequest, place: Annotated[PeoplePlace, Query()]) -> Response:
    """For each account how often it looked at hidden data, searched for people and exported, within the days that are
    asked for or the last seven.
    """
    asked, wrong = place.asked(), {}
    centre, window = request.services.centre, request.services.policies.newest.window
    first = request.now.astimezone(centre.zone).date() - timedelta(days=_DAYS - 1)
    days = {"from": first.isoformat()} if not {"from", "to"} & asked.keys() else asked
    try:
        period = _period(request, days)
    except Invalid as fault:
        wrong, period = {fault.field: request.refusal(fault)}, Period(start=request.now, end=request.now)
    query = LookQuery(
        period=period,
        looks=frozenset(VIEWS) - _EXPORTS,
        exports=_EXPORTS,
        timezone=centre.timezone,
        opens=window.opens,
        closes=window.closes,
        first=place.order,
        visible_to=request.member.unit_id,
    )
    with request.services.store.begin() as tx:
        found = sum_by_person(tx, query)
    return request.page(
        "console/audit_people.html",
        status=_UNFIT if wrong else 200,
        people=found,
        days=days,
        wrong=wrong,
        order=place.order,
        window=window,
        of=lambda who, act="": _address({"who": who, **({"act": act} if act else {}), **_days_of(days)}),
        by=lambda order: "/audit/people?" + urlencode({**_days_of(days), "order": order}),
        is_whole=len(found) < MOST_PEOPLE,
    )


def _days_of(asked: Mapping[str, str]) -> dict[str, str]:
    return {name: asked[name] for name in ("from", "to") if asked.get(name)}


@audit_pages.post("/audit/export", act=Permission.SEE_AUDIT)
def export(request: CurrentRequest, form: Annotated[AuditExport, Form()]) -> Response:
    """The lines as a file; the export itself is audited, with its reason."""
    asked = form.asked()
    try:
        query = _query(request, asked, _period(request, asked))
        lines = export_audit(request.services, request.actor, query, why=form.why)
    except Invalid as fault:
        wrong = request.wrong(fault)
        return _show(request, asked, status=_UNFIT, wrong=wrong)
    zone = request.services.centre.zone
    heading = [
        request.say(text)
        for text in (
            gettext_noop("When"),
            gettext_noop("Who"),
            gettext_noop("What"),
            gettext_noop("Act"),
            gettext_noop("About"),
            gettext_noop("Why"),
            gettext_noop("Facts"),
            gettext_noop("Number"),
            gettext_noop("Seal"),
        )
    ]
    rows = [
        (
            line.at.astimezone(zone).isoformat(sep=" ", timespec="seconds"),
            line.who,
            act_words(line.act, request.lang),
            line.act,
            line.subject,
            line.why,
            facts_words(line, request.lang),
            line.number,
            request.say(_SEALS[line.seal]),
        )
        for line in lines
    ]
    name = f"audit-{request.now.astimezone(zone):%Y%m%d-%H%M}"
    sheet = Sheet(title=request.say(gettext_noop("Audit")), head=heading, rows=rows)
    return as_file([sheet], name=name, kind=form.kind)


def _show(
    request: RequestContext,
    asked: Mapping[str, str],
    *,
    before: str = "",
    status: int = 200,
    wrong: Mapping[str, str] | None = None,
) -> Response:
    faults, period = dict(wrong or {}), Period()
    try:
        period = _period(request, asked)
    except Invalid as fault:
        faults[fault.field] = request.refusal(fault)
    with request.services.store.begin() as tx:
        found = search_audit(tx, _query(request, asked, period, before=_moment(before)))
        acts = {act: act_words(act, request.lang) for act in audited_act_names(tx)}
        state = read_trail_state(tx)
    facts: dict[str, Any] = {
        "found": found,
        "asked": asked,
        "wrong": faults,
        "acts": sorted(acts.items(), key=lambda act: act[1]),
        "act_words": lambda act: act_words(act, request.lang),
        "why": lambda line: why_of(line, request.lang),
        "facts_of": lambda line: facts_words(line, request.lang),
        "subject_of": lambda line: subject_words(line, request.lang),
        "trouble": TROUBLE,
        "check": state_words(request, state),
        "is_broken": state.found > 0,
        "seals": {seal.value: request.say(words) for seal, words in _SEALS.items()},
        "older": _address(asked, before=_token(found.next_before)) if found.next_before else "",
        "newest": _address(asked) if before else "",
    }
    if request.is_part:
        return request.part(_TEMPLATE, "found", **facts)
    return request.page(_TEMPLATE, status=status, **facts)


def state_words(request: RequestContext, state: TrailState) -> str:
    """A sentence about the last check of the chain: how far it got and what it found."""
    if state.at is None:
        return request.say(gettext_noop("The lines have not been checked yet."))
    values = {
        "number": format_number(state.number),
        "found": format_number(state.found),
        # Checks run by real time, so it tells no moment of another clock than that of the lines.
        "span": format_span((request.services.real.now() - state.at).total_seconds(), request.lang),
    }
    if state.found:
        return request.say(
            gettext_noop(
                "The check %(span)s ago found %(found)s lines missing or altered: dialer audit verify names them."
            ),
            **values,
        )
    return request.say(gettext_noop("Lines up to %(number)s were checked %(span)s ago: whole."), **values)


def _period(request: RequestContext, asked: Mapping[str, str]) -> Period:
    return period_of(asked.get("from"), asked.get("to"), timezone=request.services.centre.timezone)


def _query(
    request: RequestContext,
    asked: Mapping[str, str],
    period: Period,
    *,
    before: tuple[datetime, int] | None = None,
) -> AuditQuery:
    subject = asked.get("subject", "")
    return AuditQuery(
        who=asked.get("who", ""),
        act=asked.get("act", ""),
        # "#7" is what the pages call a case.
        subject=f"case/{subject[1:]}" if subject.startswith("#") else subject,
        period=period,
        visible_to=request.member.unit_id,
        before=before,
        limit=_PAGE,
    )


def _token(place: tuple[datetime, int]) -> str:
    return f"{place[0].astimezone(UTC).isoformat()}~{place[1]}"


def _moment(token: str) -> tuple[datetime, int] | None:
    """The place that `_token` wrote; None for any other text."""
    at, _, number = token.partition("~")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    is_whole = moment.tzinfo is not None and number.isdecimal() and len(number) <= _DIGITS
    return (moment, int(number)) if is_whole else None


def _address(asked: Mapping[str, str], **more: str) -> str:
    query = urlencode({**asked, **more})
    return "/audit" + (f"?{query}" if query else "")
