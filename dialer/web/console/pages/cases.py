"""Cases: found by whatever is known of them, newest first, masked."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import Form, Query
from starlette.responses import Response

from dialer.domain.access import Act
from dialer.domain.case import CaseStatus
from dialer.domain.values import FraudType, Grade
from dialer.errors import Invalid
from dialer.language import mark
from dialer.outcomes.period import Period, period_of
from dialer.sentences import refusal_sentence
from dialer.usecases.list_units import list_units
from dialer.usecases.search_cases import search_cases
from dialer.usecases.seek_text import SoughtKind, open_search, seal_search, understand
from dialer.web.console.registry import Section
from dialer.web.console.unit_choice import unit_tree
from dialer.web.console.visit import Asked

pages = Section()
_TEMPLATE = "console/cases.html"
_PAGE = 50
_DIGITS = 19
"""As many has the largest number of a row."""


@pages.get("/cases", act=Act.SEE_CASES, nav=mark("Cases"), order=40)
def cases(
    visit: Asked,
    who: str = "",
    no: str = "",
    grade: str = "",
    status: str = "",
    fraud: str = "",
    unit: str = "",
    load: str = "",
    since: Annotated[str, Query(alias="from")] = "",
    until: Annotated[str, Query(alias="to")] = "",
    before: int | None = None,
) -> Response:
    asked = {
        "who": who,
        "no": no,
        "grade": grade,
        "status": status,
        "fraud": fraud,
        "unit": unit,
        "load": load if load.isdecimal() and len(load) < _DIGITS else "",
        "from": since,
        "to": until,
    }
    asked = {name: text.strip() for name, text in asked.items() if text.strip()}
    period, wanted, wrong = Period(), None, {}
    try:
        # A search that cannot be opened any more is none.
        wanted = open_search(visit.engine, who, who=visit.who) if who else None
    except Invalid as fault:
        wrong = {fault.field: refusal_sentence(fault, visit.lang)}
        asked.pop("who", None)
    try:
        period = period_of(since, until, timezone=visit.engine.centre.timezone)
    except Invalid as fault:
        wrong |= {fault.field: refusal_sentence(fault, visit.lang)}
    found = search_cases(
        visit.engine,
        sought=wanted.sought if wanted is not None else None,
        instruction_no=no,
        grade=_member(Grade, grade),
        status=_member(CaseStatus, status),
        fraud_type=_member(FraudType, fraud),
        unit_id=int(unit) if unit.isdecimal() else None,
        load_id=int(asked["load"]) if "load" in asked else None,
        seen_by=visit.member.unit_id,
        period=period,
        before_id=before,
        limit=_PAGE,
    )
    facts: dict[str, Any] = {
        "found": found,
        "asked": asked,
        "wrong": wrong,
        "wanted": wanted,
        "units": unit_tree(list_units(visit.engine, seen_by=visit.member.unit_id)),
        "older": _address(asked, before=found.next_before_id) if found.next_before_id else "",
        "newest": _address(asked) if before else "",
        "without": {name: _address({k: v for k, v in asked.items() if k != name}) for name in asked},
        "grades": list(Grade),
        "statuses": list(CaseStatus),
        "frauds": list(FraudType),
    }
    if visit.is_part:
        return visit.part(_TEMPLATE, "found", **facts)
    return visit.page(_TEMPLATE, **facts)


@pages.post("/cases/find", act=Act.SEE_CASES)
def find(visit: Asked, text: Annotated[str, Form()] = "") -> Response:
    """From the search box to an address that holds nothing personal."""
    wanted = understand(visit.engine, text)
    match wanted.kind:
        case SoughtKind.NOTHING:
            return visit.go("/cases")
        case SoughtKind.CASE:
            return visit.go(f"/cases/{wanted.case_id}")
        case SoughtKind.INSTRUCTION:
            return visit.go(_address({"no": wanted.instruction_no}))
        case _:
            shift = visit.app.settings.console.session_seconds
            token = seal_search(visit.engine, wanted, who=visit.who, good_seconds=shift)
            return visit.go(_address({"who": token}))


_Word = TypeVar("_Word", bound=StrEnum)


def _member(kind: type[_Word], value: str) -> _Word | None:
    """Nothing is asked by a word that is none."""
    return next((member for member in kind if member.value == value), None)


def _address(asked: Mapping[str, object], **more: object) -> str:
    query = urlencode({**asked, **more})
    return "/cases" + (f"?{query}" if query else "")
