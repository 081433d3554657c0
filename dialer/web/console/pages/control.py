"""Control: what is paused, how fast it rings, by which rules, and whether every part is well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Form
from starlette.responses import Response

from dialer.domain.access import Act
from dialer.domain.pause import PauseScope
from dialer.errors import Invalid
from dialer.language import mark
from dialer.sentences import refusal_sentence
from dialer.usecases.pause import pause, resume_one
from dialer.usecases.see_alarm import see_alarm, see_alarms
from dialer.usecases.set_pace import restore_pace, set_pace
from dialer.web.console.control_view import TEMPLATE, Typed, now_facts, page_facts
from dialer.web.console.door import House
from dialer.web.console.registry import Section
from dialer.web.console.visit import Asked, Visit

pages = Section()
_HOME = "/control"
_UNFIT = 422


@pages.get("/control", act=Act.SEE_CONTROL, nav=mark("Control"), order=80)
def control(visit: Asked) -> Response:
    return _show(visit)


@pages.get("/control/now", act=Act.SEE_CONTROL, while_idle=True)
def now(visit: Asked) -> Response:
    """What an open page asks for again and again, which is no use of it."""
    return visit.part(TEMPLATE, "now", **now_facts(visit))


@pages.post("/control/pause", act=Act.CONTROL)
def place(
    visit: Asked,
    scope: Annotated[str, Form()] = PauseScope.ALL.value,
    unit: Annotated[str, Form()] = "",
    load: Annotated[str, Form()] = "",
    grade: Annotated[str, Form()] = "",
    minutes: Annotated[str, Form()] = "",
    why: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    typed = Typed(scope=scope, unit=unit, load=load, grade=grade, minutes=minutes, why=why)
    try:
        wanted = _scope(scope)
        subject = {PauseScope.LOAD: load, PauseScope.GRADE: grade}.get(wanted, "")
        unit_id = _number(unit, "unit") if wanted is PauseScope.UNIT else None
        pause(
            visit.engine,
            scope=wanted,
            subject=subject,
            unit_id=unit_id,
            minutes=_number(minutes, "minutes"),
            by=visit.who,
            why=why,
            seen_by=visit.member.unit_id,
        )
    except Invalid as fault:
        return _show(visit, wrong={fault.field: refusal_sentence(fault, visit.lang)}, typed=typed)
    _forget_halted(visit)
    return visit.go(_HOME, notice=mark("Paused. Calls resume automatically when the time is over."))


@pages.post("/control/pauses/{hold_id}/resume", act=Act.CONTROL)
def go_on(visit: Asked, hold_id: int) -> Response:
    try:
        resume_one(visit.engine, hold_id, by=visit.who, seen_by=visit.member.unit_id)
    finally:
        _forget_halted(visit)
    return visit.go(_HOME, notice=mark("The pause is over."))


@pages.post("/control/pace", act=Act.CONTROL)
def pace(
    visit: Asked,
    calls_per_second: Annotated[str, Form()] = "",
    lines: Annotated[str, Form()] = "",
    pace_why: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    typed = Typed(calls_per_second=calls_per_second, lines=lines, pace_why=pace_why)
    try:
        set_pace(
            visit.engine,
            calls_per_second=_fraction(calls_per_second, "calls_per_second"),
            lines=_number(lines, "lines"),
            by=visit.who,
            why=pace_why,
            seen_by=visit.member.unit_id,
        )
    except Invalid as fault:
        field = "pace_why" if fault.field == "why" else fault.field
        return _show(visit, wrong={field: refusal_sentence(fault, visit.lang)}, typed=typed)
    return visit.go(_HOME, notice=mark("The new pace holds."))


@pages.post("/control/pace/settings", act=Act.CONTROL)
def pace_of_settings(visit: Asked) -> Response:
    restore_pace(visit.engine, by=visit.who, seen_by=visit.member.unit_id)
    return visit.go(_HOME, notice=mark("The pace of the settings holds again."))


@pages.post("/control/alarms/{alarm_id}/seen", act=Act.CONTROL)
def seen(visit: Asked, alarm_id: int) -> Response:
    see_alarm(visit.engine, alarm_id, by=visit.who, seen_by=visit.member.unit_id)
    return visit.go(f"{_HOME}#alarms", notice=mark("The alarm is off the list."))


@pages.post("/control/alarms/all/{code}/seen", act=Act.CONTROL)
def seen_all(visit: Asked, code: str) -> Response:
    see_alarms(visit.engine, code, by=visit.who, seen_by=visit.member.unit_id)
    return visit.go(f"{_HOME}#alarms", notice=mark("The alarms are off the list."))


def _show(visit: Visit, *, wrong: Mapping[str, str] | None = None, typed: Typed | None = None) -> Response:
    return visit.page(
        TEMPLATE, status=_UNFIT if wrong else 200, **page_facts(visit, wrong=wrong or {}, typed=typed)
    )


def _forget_halted(visit: Visit) -> None:
    house: House = visit.request.app.state.house
    house.halted.forget(None)


def _scope(text: str) -> PauseScope:
    try:
        return PauseScope(text)
    except ValueError:
        raise Invalid(field="scope", problem="is empty") from None


def _number(text: str, field: str) -> int:
    digits = text.strip()
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10):  # noqa: PLR2004  # fits every column
        raise Invalid(field=field, problem=mark("is no whole number") if digits else mark("is empty"))
    return int(digits)


def _fraction(text: str, field: str) -> float:
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        raise Invalid(
            field=field, problem=mark("is no number") if text.strip() else mark("is empty")
        ) from None
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124  # what is no number equals nothing
        raise Invalid(field=field, problem="is no number")
    return value
