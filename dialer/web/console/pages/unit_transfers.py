"""Work on its way to another unit: asked for with a reason, accepted or refused by whoever is to have it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form
from starlette.responses import Response

from dialer.domain.access import Act
from dialer.domain.units import UnitIndex
from dialer.errors import Conflict, Invalid, NotFound
from dialer.language import mark
from dialer.sentences import refusal_sentence
from dialer.usecases.show_units import show_transfers, show_work
from dialer.usecases.transfer_errand import accept_transfer, refuse_transfer, transfer_errand
from dialer.web.console.registry import Section
from dialer.web.console.unit_choice import typed_unit, unit_names
from dialer.web.console.unit_views import names, unit_tabs
from dialer.web.console.visit import Asked, Visit

pages = Section()
_UNFIT = 422
_ALL = "/units/transfers"


@pages.get("/units/transfers", act=Act.SORT_UNITS)
def transfers(visit: Asked) -> Response:
    return _show_all(visit)


@pages.post("/units/transfers/{transfer_id}/accept", act=Act.SORT_UNITS)
def accept(visit: Asked, transfer_id: int) -> Response:
    accept_transfer(visit.engine, transfer_id, by=visit.who, seen_by=visit.member.unit_id)
    return visit.go(_ALL, notice=mark("Accepted: the work is signed for by you, and its clocks go on."))


@pages.post("/units/transfers/{transfer_id}/refuse", act=Act.SORT_UNITS)
def refuse(visit: Asked, transfer_id: int, why: Annotated[str, Form()] = "") -> Response:
    try:
        refuse_transfer(visit.engine, transfer_id, by=visit.who, why=why[:500], seen_by=visit.member.unit_id)
    except Invalid as fault:
        return _show_all(visit, wrong={transfer_id: refusal_sentence(fault, visit.lang)})
    return visit.go(_ALL, notice=mark("Refused: the work stays where it is, and both see why."))


@pages.get("/units/work/{assignment_id}/transfer", act=Act.WORK_CASES)
def ask_form(visit: Asked, assignment_id: int) -> Response:
    return _show_form(visit, assignment_id)


@pages.post("/units/work/{assignment_id}/transfer", act=Act.WORK_CASES)
def ask(
    visit: Asked, assignment_id: int, unit: Annotated[str, Form()] = "", why: Annotated[str, Form()] = ""
) -> Response:
    typed = {"unit": unit[:200], "why": why[:500]}
    work, index = show_work(visit.engine, assignment_id, seen_by=visit.member.unit_id)
    try:
        to_unit_id = typed_unit(index, unit[:200])
        transfer_errand(
            visit.engine,
            assignment_id,
            to_unit_id=to_unit_id,
            by=visit.who,
            why=why[:500],
            seen_by=visit.member.unit_id,
        )
    except Invalid as fault:
        return _show_form(
            visit, assignment_id, problems={fault.field: refusal_sentence(fault, visit.lang)}, typed=typed
        )
    except Conflict as fault:
        refused = refusal_sentence(fault, visit.lang)
        return _show_form(visit, assignment_id, problems={"unit": refused}, typed=typed)
    notice = mark("Asked: it stays here, and its clocks go on, until the other unit accepts.")
    return visit.go(f"/units/{work.unit_id}", notice=notice)


def _show_all(visit: Visit, *, wrong: dict[int, str] | None = None) -> Response:
    coming, leaving, index = show_transfers(visit.engine, seen_by=visit.member.unit_id)
    return visit.page(
        "console/transfers.html",
        status=_UNFIT if wrong else 200,
        coming=coming,
        leaving=leaving,
        names=names(index),
        wrong=wrong or {},
        tabs=unit_tabs(visit),
        seen=_seen(index, visit.member.unit_id),
    )


def _seen(index: UnitIndex, unit_id: int | None) -> frozenset[int] | None:
    """The units whose cases the reader may open; None: all."""
    if unit_id is None:
        return None
    return frozenset(unit.id for unit in index if unit_id in unit.path)


def _show_form(
    visit: Visit,
    assignment_id: int,
    *,
    problems: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    work, index = show_work(visit.engine, assignment_id, seen_by=visit.member.unit_id)
    if work.unit_id is None and visit.member.unit_id is not None:
        raise NotFound(kind="assignment", key=assignment_id)
    return visit.page(
        "console/transfer.html",
        status=_UNFIT if problems else 200,
        work=work,
        names=names(index),
        options=sorted(unit_names(index).values()),
        problems=problems or {},
        typed=typed or {},
    )
