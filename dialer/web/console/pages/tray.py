"""The sorting tray: what lists wrote that no unit is known by, most urgent first; one word sorts all like it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form
from starlette.responses import Response

from dialer.domain.access import Act
from dialer.errors import Conflict, Invalid
from dialer.language import mark
from dialer.sentences import refusal_sentence
from dialer.usecases.sort_tray import Sorted, assign_cases, assign_unit, show_group, show_tray
from dialer.web.console.registry import Section
from dialer.web.console.unit_choice import typed_unit, unit_names
from dialer.web.console.unit_views import paths, unit_tabs
from dialer.web.console.visit import Asked, Visit

pages = Section()
_UNFIT = 422
_TRAY = "/units/unassigned"
_MOST_CASES = 50


@pages.get("/units/unassigned", act=Act.SORT_UNITS)
def tray(visit: Asked) -> Response:
    return _show(visit)


@pages.post("/units/unassigned/{case_id}/sort", act=Act.SORT_UNITS)
def sort(
    visit: Asked,
    case_id: int,
    unit: Annotated[str, Form()] = "",
    like: Annotated[str, Form()] = "",
    teach: Annotated[bool, Form()] = False,
) -> Response:
    """Every case whose list wrote what this one's did is the unit's; with `teach` later ones too."""
    seen_by, typed = visit.member.unit_id, (like or unit)[:200]
    group = show_group(visit.engine, case_id, seen_by=seen_by, limit=1)
    try:
        unit_id = typed_unit(group.index, typed)
        done = assign_unit(
            visit.engine, case_id, unit_id=unit_id, by=visit.who, alike=True, teach=teach, seen_by=seen_by
        )
    except Invalid as fault:
        return _show(visit, case_id=case_id, wrong=refusal_sentence(fault, visit.lang), typed=typed)
    except Conflict as fault:
        if fault.current == "alias":
            return _show(visit, case_id=case_id, wrong=refusal_sentence(fault, visit.lang), typed=typed)
        raise
    return visit.go(_TRAY, notice=_told(visit, done, group.index.label(unit_id)))


@pages.get("/units/unassigned/{case_id}", act=Act.SORT_UNITS)
def group(visit: Asked, case_id: int, before: int | None = None) -> Response:
    return _show_group(visit, case_id, before=before)


@pages.post("/units/unassigned/{case_id}/some", act=Act.SORT_UNITS)
def some(
    visit: Asked,
    case_id: int,
    unit: Annotated[str, Form()] = "",
    like: Annotated[str, Form()] = "",
    case: Annotated[list[int] | None, Form()] = None,
) -> Response:
    """Only the chosen cases are the unit's; nothing is learned."""
    seen_by, typed = visit.member.unit_id, (like or unit)[:200]
    page = show_group(visit.engine, case_id, seen_by=seen_by, limit=1)
    chosen = (case or [])[:_MOST_CASES]
    try:
        unit_id = typed_unit(page.index, typed)
        done = assign_cases(visit.engine, chosen, unit_id=unit_id, by=visit.who, seen_by=seen_by)
    except Invalid as fault:
        wrong = {fault.field: refusal_sentence(fault, visit.lang)}
        return _show_group(visit, case_id, wrong=wrong, typed=typed, chosen=frozenset(chosen))
    return visit.go(_TRAY, notice=_told(visit, done, page.index.label(unit_id)))


def _told(visit: Visit, done: Sorted, name: str) -> str:
    if done.alias:
        text = mark("%(unit)s: cases sorted: %(n)s. Lists that write “%(words)s” mean it from now on.")
        return visit.say(text, unit=name, n=f"{done.placed:,}", words=done.alias)
    return visit.say(mark("%(unit)s: cases sorted: %(n)s."), unit=name, n=f"{done.placed:,}")


def _show(visit: Visit, *, case_id: int | None = None, wrong: str = "", typed: str = "") -> Response:
    found = show_tray(visit.engine, seen_by=visit.member.unit_id)
    offered = unit_names(found.index)
    return visit.page(
        "console/tray.html",
        status=_UNFIT if wrong else 200,
        tray=found,
        tabs=unit_tabs(visit),
        offered=offered,
        offered_of=lambda units: [offered[one.id] for one in units],
        options=sorted(offered.values()),
        paths=paths(found.index),
        wrong_at=case_id,
        wrong=wrong,
        typed=typed,
        whole=visit.member.unit_id is None,
        liked=[offered[one.id] for one in found.index.near(typed)] if typed else [],
    )


def _show_group(
    visit: Visit,
    case_id: int,
    *,
    before: int | None = None,
    wrong: dict[str, str] | None = None,
    typed: str = "",
    chosen: frozenset[int] = frozenset(),
) -> Response:
    page = show_group(
        visit.engine, case_id, seen_by=visit.member.unit_id, before_id=before, limit=_MOST_CASES
    )
    offered = unit_names(page.index)
    here = f"{_TRAY}/{case_id}"
    return visit.page(
        "console/tray_group.html",
        status=_UNFIT if wrong else 200,
        page=page,
        case_id=case_id,
        offered=offered,
        offered_of=lambda units: [offered[one.id] for one in units],
        options=sorted(offered.values()),
        wrong=wrong or {},
        typed=typed,
        chosen=chosen,
        older=f"{here}?before={page.next_before_id}" if page.next_before_id else "",
        newest=here if before else "",
        may_open=visit.may(Act.SEE_CASES),
    )
