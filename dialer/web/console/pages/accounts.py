"""Accounts of staff: who there is, what they may do, and from where they are signed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Form
from starlette.responses import Response

from dialer.domain.access import Act, Role
from dialer.errors import Conflict, Invalid
from dialer.language import Lang, mark
from dialer.sentences import refusal_sentence
from dialer.usecases.list_units import list_units
from dialer.usecases.manage_staff import (
    add_staff,
    change_staff,
    disable_staff,
    enable_staff,
    end_sessions,
    list_sessions,
    list_staff,
    reset_password,
    show_staff,
)
from dialer.web.console.registry import Section
from dialer.web.console.unit_choice import unit_tree
from dialer.web.console.visit import Asked, Visit

pages = Section()
_UNFIT = 422
_LIST = "console/accounts.html"
_ONE = "console/one_account.html"
_GIVEN = "console/given_password.html"


@pages.get("/accounts", act=Act.MANAGE_STAFF, nav=mark("Accounts"), order=90)
def accounts(visit: Asked) -> Response:
    return _show_all(visit)


@pages.post("/accounts", act=Act.MANAGE_STAFF)
def add(
    visit: Asked,
    role: Annotated[Role, Form()],
    language: Annotated[Lang, Form()] = Lang.ZH,
    login: Annotated[str, Form()] = "",
    display_name: Annotated[str, Form()] = "",
    unit: Annotated[str, Form()] = "",
) -> Response:
    typed = {
        "login": login[:64],
        "display_name": display_name[:64],
        "role": role.value,
        "unit": unit,
        "language": language.value,
    }
    try:
        given = add_staff(
            visit.engine,
            login=login,
            display_name=display_name,
            role=role,
            unit_id=_unit(unit),
            language=language.value,
            by=visit.who,
            seen_by=visit.member.unit_id,
        )
    except Invalid as fault:
        return _show_all(visit, problems={fault.field: refusal_sentence(fault, visit.lang)}, typed=typed)
    except Conflict:
        taken = visit.say(mark("is taken: choose another one"))
        return _show_all(visit, problems={"login": taken}, typed=typed)
    return visit.page(_GIVEN, given=given, is_new=True)


@pages.get("/accounts/{login}", act=Act.MANAGE_STAFF)
def account(visit: Asked, login: str) -> Response:
    return _show_one(visit, login)


@pages.post("/accounts/{login}/change", act=Act.MANAGE_STAFF)
def change(
    visit: Asked,
    login: str,
    role: Annotated[Role, Form()],
    revision: Annotated[int, Form()],
    display_name: Annotated[str, Form()] = "",
    unit: Annotated[str, Form()] = "",
) -> Response:
    try:
        change_staff(
            visit.engine,
            login,
            display_name=display_name,
            role=role,
            unit_id=_unit(unit),
            revision=revision,
            by=visit.who,
            seen_by=visit.member.unit_id,
        )
    except Invalid as fault:
        return _show_one(visit, login, problems={fault.field: refusal_sentence(fault, visit.lang)})
    return visit.go(f"/accounts/{login}", notice=mark("The account is changed."))


@pages.post("/accounts/{login}/disable", act=Act.MANAGE_STAFF)
def disable(visit: Asked, login: str) -> Response:
    try:
        disable_staff(visit.engine, login, by=visit.who, seen_by=visit.member.unit_id)
    except Conflict as fault:
        return _show_one(visit, login, refused=refusal_sentence(fault, visit.lang))
    return visit.go(f"/accounts/{login}", notice=mark("The account is disabled; its sessions have ended."))


@pages.post("/accounts/{login}/enable", act=Act.MANAGE_STAFF)
def enable(visit: Asked, login: str) -> Response:
    enable_staff(visit.engine, login, by=visit.who, seen_by=visit.member.unit_id)
    return visit.go(f"/accounts/{login}", notice=mark("The account opens again."))


@pages.post("/accounts/{login}/reset", act=Act.MANAGE_STAFF)
def reset(visit: Asked, login: str) -> Response:
    given = reset_password(visit.engine, login, by=visit.who, seen_by=visit.member.unit_id)
    return visit.page(_GIVEN, given=given, is_new=False)


@pages.post("/accounts/{login}/sessions/end", act=Act.MANAGE_STAFF)
def end(visit: Asked, login: str) -> Response:
    end_sessions(visit.engine, login, by=visit.who, seen_by=visit.member.unit_id)
    return visit.go(f"/accounts/{login}", notice=mark("All sessions of the account have ended."))


def _show_all(
    visit: Visit, *, problems: Mapping[str, str] | None = None, typed: Mapping[str, str] | None = None
) -> Response:
    seen_by = visit.member.unit_id
    units = list_units(visit.engine, seen_by=seen_by)
    facts: dict[str, Any] = {
        "members": list_staff(visit.engine, seen_by=seen_by),
        "sessions": Counter(one.login for one in list_sessions(visit.engine, visit.rules)),
        "unit_names": {unit.id: unit.name for unit in units},
        "units": _choice(visit, units=unit_tree(units)),
        "roles": list(Role),
        "real_now": visit.engine.real.now(),
        "problems": problems or {},
        "typed": typed or {},
    }
    return visit.page(_LIST, status=_UNFIT if problems else 200, **facts)


def _show_one(
    visit: Visit, login: str, *, problems: Mapping[str, str] | None = None, refused: str = ""
) -> Response:
    seen_by = visit.member.unit_id
    member = show_staff(visit.engine, login, seen_by=seen_by)
    facts: dict[str, Any] = {
        "one": member,
        "sessions": list_sessions(visit.engine, visit.rules, login),
        "units": _choice(visit, units=unit_tree(list_units(visit.engine, seen_by=seen_by))),
        "roles": list(Role),
        "real_now": visit.engine.real.now(),
        "problems": problems or {},
        "refused": refused,
    }
    return visit.page(_ONE, status=_UNFIT if problems or refused else 200, **facts)


def _choice(visit: Visit, *, units: list[tuple[int, str]]) -> list[tuple[str, str]]:
    """Somebody of a unit gives nobody the whole centre."""
    whole = [("", visit.say(mark("the whole centre")))] if visit.member.unit_id is None else []
    return whole + [(str(unit_id), name) for unit_id, name in units]


def _unit(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
