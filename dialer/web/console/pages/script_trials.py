"""Trials: which words work. Shares are set by one person, since a second one approved each version."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Form
from starlette.responses import Response

from dialer.domain.access import Act
from dialer.domain.values import Grade
from dialer.errors import Conflict, Invalid, NotFound
from dialer.language import mark
from dialer.sentences import refusal_sentence
from dialer.store.scripts import Version
from dialer.usecases.script_book import script_versions, show_script
from dialer.usecases.try_scripts import Comparison, compare_versions, set_trial
from dialer.web.console.registry import Section
from dialer.web.console.script_pages import address, heading, need_all, sees_all
from dialer.web.console.visit import Asked, Visit
from dialer.words import MEASURES, MEASURES_SAY, verdict_in

pages = Section()
_TEMPLATE = "console/script_trial.html"
_UNFIT, _TAKEN = 422, 409
_AT_LEAST, _MOST = 2, 1_000_000.0


@pages.get("/scripts/{script_id}/trial", act=Act.SEE_RATES)
def trial(visit: Asked, script_id: str, grade: str = "") -> Response:
    return _show(visit, script_id, _grade(grade))


@pages.post("/scripts/{script_id}/trial", act=Act.EDIT_SCRIPTS)
def begin(
    visit: Asked,
    script_id: str,
    number: Annotated[list[int] | None, Form()] = None,
    share: Annotated[list[str] | None, Form()] = None,
    reason: Annotated[str, Form()] = "",
    grade: Annotated[str, Form()] = "",
    do: Annotated[str, Form()] = "",
) -> Response:
    """`number` and `share` stand beside each other; an empty share leaves its version out. `do` end ends the trial."""
    need_all(visit)
    typed = dict(zip(number or (), share or (), strict=False))
    scope = _grade(grade)
    ends = do == "end"
    try:
        weights = {} if ends else _weights(typed)
        set_trial(visit.engine, script_id, weights, by=visit.who, reason=reason, grade=scope)
    except Invalid as fault:
        wrong = {fault.field: refusal_sentence(fault, visit.lang)}
        return _show(visit, script_id, scope, status=_UNFIT, wrong=wrong, typed=typed, reason=reason)
    except Conflict:
        refused = visit.say(mark("A draft cannot be tried: it must be approved first."))
        return _show(visit, script_id, scope, status=_TAKEN, wrong={"weights": refused}, typed=typed)
    notice = (
        mark("The trial is over.") if ends else mark("The trial is under way: new calls speak these shares.")
    )
    return visit.go(address(script_id, "/trial", grade=grade), notice=notice)


def _weights(typed: dict[int, str]) -> dict[int, float]:
    """Raises `Invalid`."""
    try:
        weights = {number: float(text) for number, text in typed.items() if text.strip()}
    except ValueError as fault:
        raise Invalid(field="weights", problem=mark("must be numbers")) from fault
    if len(weights) < _AT_LEAST or not all(0 < weight <= _MOST for weight in weights.values()):
        raise Invalid(field="weights", problem=mark("must name two versions or more, each above 0"))
    return weights


def _show(
    visit: Visit,
    script_id: str,
    grade: Grade | None,
    *,
    status: int = 200,
    wrong: dict[str, str] | None = None,
    typed: dict[int, str] | None = None,
    reason: str = "",
) -> Response:
    page = show_script(visit.engine, script_id)
    found = script_versions(visit.engine, script_id)
    approved = [version for version in found if version.approvals]
    all_units = sees_all(visit)
    compared = _comparison(visit, script_id, grade) if all_units else None
    return visit.page(
        _TEMPLATE,
        status=status,
        **heading(visit, page.script, page.version, "/trial"),
        compared=compared,
        running=compared is not None and compared.trial.ended_at is None,
        rows=_rows(visit, compared),
        measures=[(name, visit.say(MEASURES[name]), visit.say(MEASURES_SAY[name])) for name in MEASURES],
        approved=approved,
        shares=_shares(approved, compared, typed),
        all_units=all_units,
        may_set=visit.may(Act.EDIT_SCRIPTS) and all_units,
        grade=grade,
        grades=[(one, address(script_id, "/trial", grade=one.value)) for one in Grade],
        any_grade=address(script_id, "/trial"),
        wrong=wrong or {},
        reason=reason,
    )


def _comparison(visit: Visit, script_id: str, grade: Grade | None) -> Comparison | None:
    try:
        return compare_versions(visit.engine, script_id, grade=grade)
    except NotFound:
        return None


def _rows(visit: Visit, compared: Comparison | None) -> list[dict[str, Any]]:
    if compared is None:
        return []
    return [
        {
            "version": one,
            "cells": [
                {
                    "measured": cell,
                    "name": visit.say(MEASURES[cell.measure]),
                    "verdict": verdict_in(visit.lang, cell.verdict, compared.trial.live)
                    if cell.verdict
                    else "",
                }
                for cell in one.measured
            ],
        }
        for one in compared.versions
    ]


def _shares(
    approved: list[Version], compared: Comparison | None, typed: dict[int, str] | None
) -> dict[int, str]:
    """What stands in the form: what was typed, else the shares of the running trial."""
    if typed is not None:
        return typed
    if compared is None or compared.trial.ended_at is not None:
        return {version.number: "50" for version in approved if version.is_live}
    return {number: f"{weight:g}" for number, weight in compared.trial.weights.items()}


def _grade(value: str) -> Grade | None:
    return next((grade for grade in Grade if grade.value == value), None)
