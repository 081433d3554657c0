"""The audit: who saw, changed and exported what, when and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Form, Query
from starlette.responses import Response

from dialer.domain.access import Act
from dialer.errors import Invalid
from dialer.language import mark
from dialer.outcomes.period import Period, period_of
from dialer.sentences import refusal_sentence, why_words
from dialer.store.audits import Seal
from dialer.store.reads.audit_search import AuditQuery
from dialer.usecases.read_audit import audited_acts, export_audit, read_audit
from dialer.web.console.audit_words import TROUBLE, act_words, facts_words, subject_words
from dialer.web.console.registry import Section
from dialer.web.console.sheets import Sheet, as_file
from dialer.web.console.visit import Asked, Visit

pages = Section()
_TEMPLATE = "console/audit.html"
_UNFIT = 422
_PAGE = 50
_SEALS = {
    Seal.WHOLE: mark("whole"),
    Seal.NONE: mark("not sealed"),
    Seal.BROKEN: mark("altered, or its key is missing"),
}

_Text = Annotated[str, Query(max_length=100)]


@pages.get("/audit", act=Act.SEE_AUDIT, nav=mark("Audit"), order=95)
def audit(
    visit: Asked,
    who: _Text = "",
    act: _Text = "",
    subject: _Text = "",
    since: Annotated[str, Query(alias="from", max_length=40)] = "",
    until: Annotated[str, Query(alias="to", max_length=40)] = "",
    before: _Text = "",
) -> Response:
    return _show(visit, _asked(who, act, subject, since, until), before=before)


@pages.post("/audit/export", act=Act.SEE_AUDIT)
def export(
    visit: Asked,
    kind: Annotated[Literal["csv", "xlsx"], Form()],
    why: Annotated[str, Form(max_length=500)] = "",
    who: Annotated[str, Form(max_length=100)] = "",
    act: Annotated[str, Form(max_length=100)] = "",
    subject: Annotated[str, Form(max_length=100)] = "",
    since: Annotated[str, Form(alias="from", max_length=40)] = "",
    until: Annotated[str, Form(alias="to", max_length=40)] = "",
) -> Response:
    asked = _asked(who, act, subject, since, until)
    try:
        query = _query(visit, asked, _period(visit, asked))
        lines = export_audit(visit.engine, query, who=visit.who, why=why)
    except Invalid as fault:
        return _show(visit, asked, status=_UNFIT, wrong={fault.field: refusal_sentence(fault, visit.lang)})
    zone = ZoneInfo(visit.engine.centre.timezone)
    heading = [
        visit.say(text)
        for text in (
            mark("When"),
            mark("Who"),
            mark("What"),
            mark("Act"),
            mark("About"),
            mark("Why"),
            mark("Facts"),
            mark("Seal"),
        )
    ]
    rows = [
        (
            line.at.astimezone(zone).isoformat(sep=" ", timespec="seconds"),
            line.who,
            act_words(line.act, visit.lang),
            line.act,
            line.subject,
            line.why,
            facts_words(line, visit.lang),
            visit.say(_SEALS[line.seal]),
        )
        for line in lines
    ]
    name = f"audit-{visit.now.astimezone(zone):%Y%m%d-%H%M}"
    return as_file([Sheet(title=visit.say(mark("Audit")), head=heading, rows=rows)], name=name, kind=kind)


def _show(
    visit: Visit,
    asked: Mapping[str, str],
    *,
    before: str = "",
    status: int = 200,
    wrong: Mapping[str, str] | None = None,
) -> Response:
    faults, period = dict(wrong or {}), Period()
    try:
        period = _period(visit, asked)
    except Invalid as fault:
        faults[fault.field] = refusal_sentence(fault, visit.lang)
    found = read_audit(visit.engine, _query(visit, asked, period, before=_moment(before)))
    facts: dict[str, Any] = {
        "found": found,
        "asked": asked,
        "wrong": faults,
        "acts": sorted(
            ((one, act_words(one, visit.lang)) for one in audited_acts(visit.engine)),
            key=lambda pair: pair[1],
        ),
        "told": lambda act: act_words(act, visit.lang),
        "why": lambda why: why_words(why, visit.lang),
        "facts_of": lambda line: facts_words(line, visit.lang),
        "subject_of": lambda line: subject_words(line, visit.lang),
        "trouble": TROUBLE,
        "older": _address(asked, before=_token(found.next_before)) if found.next_before else "",
        "newest": _address(asked) if before else "",
    }
    if visit.is_part:
        return visit.part(_TEMPLATE, "found", **facts)
    return visit.page(_TEMPLATE, status=status, **facts)


def _asked(who: str, act: str, subject: str, since: str, until: str) -> dict[str, str]:
    given = {"who": who, "act": act, "subject": subject, "from": since, "to": until}
    return {name: text.strip() for name, text in given.items() if text.strip()}


def _period(visit: Visit, asked: Mapping[str, str]) -> Period:
    return period_of(asked.get("from"), asked.get("to"), timezone=visit.engine.centre.timezone)


def _query(
    visit: Visit, asked: Mapping[str, str], period: Period, *, before: tuple[datetime, int] | None = None
) -> AuditQuery:
    subject = asked.get("subject", "")
    return AuditQuery(
        who=asked.get("who", ""),
        act=asked.get("act", ""),
        # "#7" is what the pages call a case.
        subject=f"case/{subject[1:]}" if subject.startswith("#") else subject,
        period=period,
        seen_by=visit.member.unit_id,
        before=before,
        limit=_PAGE,
    )


def _token(place: tuple[datetime, int]) -> str:
    at, number = place
    return f"{at.astimezone(UTC).isoformat()}~{number}"


def _moment(token: str) -> tuple[datetime, int] | None:
    """Where a page ended; None for anything that we did not write."""
    at, _, number = token.partition("~")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    is_whole = moment.tzinfo is not None and number.isdecimal() and len(number) < 19  # noqa: PLR2004
    return (moment, int(number)) if is_whole else None


def _address(asked: Mapping[str, str], **more: str) -> str:
    query = urlencode({**asked, **more})
    return "/audit" + (f"?{query}" if query else "")
