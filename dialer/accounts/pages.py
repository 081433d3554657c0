"""Signing in and out, and the language.

The first administrator, by the one-time link that the first start prints.

One's own account: who one is, the password, the first page.

Accounts of staff: who there is, what they may do, and from where they are signed in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Form
from starlette.responses import RedirectResponse, Response

from dialer.accounts.actions import (
    add_staff,
    change_staff,
    choose_language,
    disable_staff,
    enable_staff,
    end_sessions,
    is_first_link_good,
    list_sessions,
    list_staff,
    make_first_administrator,
    reset_password,
    show_staff,
)
from dialer.core.access import Permission, Role
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.language import Lang, gettext_noop
from dialer.org.sign_in import SignInBlocked, SignInRefused, change_password, sign_in, sign_out
from dialer.org.staff import list_units
from dialer.web.console import (
    OPEN,
    SEE_OTHER,
    SESSION_COOKIE,
    CurrentRequest,
    RequestContext,
    Section,
    drop_cookie,
    home_of,
    put_cookie,
    put_language_cookie,
)
from dialer.web.formats import unit_tree
from dialer.wording.sentences import refusal_sentence

sign_in_pages = Section()
_TEMPLATE = "console/sign_in.html"
_REFUSED, _BLOCKED = 401, 429


@sign_in_pages.get("/sign-in", act=OPEN)
def ask(visit: CurrentRequest, next: str = "") -> Response:  # noqa: A002  # the address says it so
    if visit.somebody is not None:
        return visit.go(own_path(next) or home_of(visit))
    return visit.page(_TEMPLATE, next=own_path(next), login="", problem="", until=None)


@sign_in_pages.post("/sign-in", act=OPEN)
def enter(
    visit: CurrentRequest,
    login: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",  # noqa: A002
) -> Response:
    problem, until, status = "", None, _REFUSED
    try:
        entered = sign_in(visit.services, visit.rules, login=login, password=password, address=visit.address)
    except SignInRefused:
        problem = gettext_noop("The login or the password is wrong.")
    except SignInBlocked as blocked:
        problem, until, status = (
            gettext_noop("Too many failed sign-ins. Wait, or ask the administrator."),
            blocked.until,
            _BLOCKED,
        )
    if problem:
        return visit.page(
            _TEMPLATE, status=status, next=own_path(next), login=login[:64], problem=problem, until=until
        )
    visit.somebody = entered.member
    response = visit.go(own_path(next) or home_of(visit))
    put_cookie(visit.request, response, SESSION_COOKIE, entered.token)
    put_language_cookie(visit.request, response, Lang(entered.member.language))
    return response


@sign_in_pages.post("/sign-out", act=OPEN)
def leave(visit: CurrentRequest) -> Response:
    if visit.session is not None:
        sign_out(visit.services, visit.session)
    response = visit.go("/sign-in", notice=gettext_noop("You are signed out."))
    drop_cookie(visit.request, response, SESSION_COOKIE)
    return response


@sign_in_pages.post("/language", act=OPEN)
def speak(
    visit: CurrentRequest,
    lang: Annotated[Lang, Form()],
    next: Annotated[str, Form()] = "",  # noqa: A002
) -> Response:
    if visit.somebody is not None:
        choose_language(visit.services, visit.somebody.id, lang.value)
    response = visit.go(own_path(next) or "/")
    put_language_cookie(visit.request, response, lang)
    return response


def own_path(path: str) -> str:
    """A path of ours; '' for anything that would lead elsewhere."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours and len(path) < 2000 else ""  # noqa: PLR2004


first_pages = Section()
_TEMPLATE_FIRST = "console/first.html"
_UNFIT = 422


@first_pages.get("/first/{token}", act=OPEN)
def ask_first(visit: CurrentRequest, token: str) -> Response:
    if not is_first_link_good(visit.services, token):
        raise NotFound(kind="link", key="")
    return visit.page(_TEMPLATE_FIRST, login="", display_name="", problems={})


@first_pages.post("/first/{token}", act=OPEN)
def make(
    visit: CurrentRequest,
    token: str,
    login: Annotated[str, Form()] = "",
    display_name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    try:
        made = make_first_administrator(
            visit.services,
            visit.rules,
            token=token,
            login=login,
            display_name=display_name,
            password=password,
            again=again,
            language=visit.lang.value,
            address=visit.address,
        )
    except Invalid as fault:
        return visit.page(
            _TEMPLATE_FIRST,
            status=_UNFIT,
            login=login[:64],
            display_name=display_name[:64],
            problems={fault.field: refusal_sentence(fault, visit.lang)},
        )
    visit.somebody = made.member
    response = visit.go(
        home_of(visit), notice=gettext_noop("The first account is made. Make one for everybody.")
    )
    put_cookie(visit.request, response, SESSION_COOKIE, made.token)
    return response


account_pages = Section()
_CHOOSE = "console/password.html"


@account_pages.get("/", act=OPEN)
def first_page(visit: CurrentRequest) -> Response:
    return RedirectResponse("/sign-in" if visit.somebody is None else home_of(visit), status_code=SEE_OTHER)


@account_pages.get("/account", act=Permission.OWN_ACCOUNT)
def account(visit: CurrentRequest) -> Response:
    sessions = list_sessions(visit.services, visit.rules, visit.who)
    return visit.page("console/account.html", sessions=sessions)


@account_pages.post("/account/sessions/end", act=Permission.OWN_ACCOUNT)
def end_everywhere(visit: CurrentRequest) -> Response:
    end_sessions(visit.services, visit.who, by=visit.who)
    response = visit.go("/sign-in", notice=gettext_noop("You are signed out everywhere."))
    drop_cookie(visit.request, response, SESSION_COOKIE)
    return response


@account_pages.get("/account/password", act=Permission.OWN_ACCOUNT, while_must_change=True)
def ask_password(visit: CurrentRequest) -> Response:
    return visit.page(_CHOOSE, problems={})


@account_pages.post("/account/password", act=Permission.OWN_ACCOUNT, while_must_change=True)
def set_password(
    visit: CurrentRequest,
    old: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    assert visit.session is not None
    try:
        token = change_password(visit.services, visit.rules, visit.session, old=old, new=new, again=again)
    except Invalid as fault:
        field = "new" if fault.field == "password" else fault.field
        return visit.page(_CHOOSE, status=_UNFIT, problems={field: refusal_sentence(fault, visit.lang)})
    except SignInBlocked as fault:
        return visit.page(_CHOOSE, status=_UNFIT, problems={"old": refusal_sentence(fault, visit.lang)})
    response = visit.go(home_of(visit), notice=gettext_noop("The new password is set."))
    put_cookie(visit.request, response, SESSION_COOKIE, token)
    return response


accounts_pages = Section()

_LIST = "console/accounts.html"
_ONE = "console/one_account.html"
_GIVEN = "console/given_password.html"


@accounts_pages.get("/accounts", act=Permission.MANAGE_STAFF, nav=gettext_noop("Accounts"), order=90)
def accounts(visit: CurrentRequest) -> Response:
    return _show_all(visit)


@accounts_pages.post("/accounts", act=Permission.MANAGE_STAFF)
def add(
    visit: CurrentRequest,
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
            visit.services,
            login=login,
            display_name=display_name,
            role=role,
            unit_id=_unit(unit),
            language=language.value,
            by=visit.who,
            visible_to=visit.member.unit_id,
        )
    except Invalid as fault:
        return _show_all(visit, problems={fault.field: refusal_sentence(fault, visit.lang)}, typed=typed)
    except Conflict:
        taken = visit.say(gettext_noop("is taken: choose another one"))
        return _show_all(visit, problems={"login": taken}, typed=typed)
    return visit.page(_GIVEN, given=given, is_new=True)


@accounts_pages.get("/accounts/{login}", act=Permission.MANAGE_STAFF)
def show_account(visit: CurrentRequest, login: str) -> Response:
    return _show_one(visit, login)


@accounts_pages.post("/accounts/{login}/change", act=Permission.MANAGE_STAFF)
def change(
    visit: CurrentRequest,
    login: str,
    role: Annotated[Role, Form()],
    revision: Annotated[int, Form()],
    display_name: Annotated[str, Form()] = "",
    unit: Annotated[str, Form()] = "",
) -> Response:
    try:
        change_staff(
            visit.services,
            login,
            display_name=display_name,
            role=role,
            unit_id=_unit(unit),
            revision=revision,
            by=visit.who,
            visible_to=visit.member.unit_id,
        )
    except Invalid as fault:
        return _show_one(visit, login, problems={fault.field: refusal_sentence(fault, visit.lang)})
    return visit.go(f"/accounts/{login}", notice=gettext_noop("The account is changed."))


@accounts_pages.post("/accounts/{login}/disable", act=Permission.MANAGE_STAFF)
def disable(visit: CurrentRequest, login: str) -> Response:
    try:
        disable_staff(visit.services, login, by=visit.who, visible_to=visit.member.unit_id)
    except Conflict as fault:
        return _show_one(visit, login, refused=refusal_sentence(fault, visit.lang))
    return visit.go(
        f"/accounts/{login}", notice=gettext_noop("The account is disabled; its sessions have ended.")
    )


@accounts_pages.post("/accounts/{login}/enable", act=Permission.MANAGE_STAFF)
def enable(visit: CurrentRequest, login: str) -> Response:
    enable_staff(visit.services, login, by=visit.who, visible_to=visit.member.unit_id)
    return visit.go(f"/accounts/{login}", notice=gettext_noop("The account opens again."))


@accounts_pages.post("/accounts/{login}/reset", act=Permission.MANAGE_STAFF)
def reset(visit: CurrentRequest, login: str) -> Response:
    given = reset_password(visit.services, login, by=visit.who, visible_to=visit.member.unit_id)
    return visit.page(_GIVEN, given=given, is_new=False)


@accounts_pages.post("/accounts/{login}/sessions/end", act=Permission.MANAGE_STAFF)
def end(visit: CurrentRequest, login: str) -> Response:
    end_sessions(visit.services, login, by=visit.who, visible_to=visit.member.unit_id)
    return visit.go(f"/accounts/{login}", notice=gettext_noop("All sessions of the account have ended."))


def _show_all(
    visit: RequestContext,
    *,
    problems: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    visible_to = visit.member.unit_id
    units = list_units(visit.services, visible_to=visible_to)
    facts: dict[str, Any] = {
        "members": list_staff(visit.services, visible_to=visible_to),
        "sessions": Counter(one.login for one in list_sessions(visit.services, visit.rules)),
        "unit_names": {unit.id: unit.name for unit in units},
        "units": _choice(visit, units=unit_tree(units)),
        "roles": list(Role),
        "real_now": visit.services.real.now(),
        "problems": problems or {},
        "typed": typed or {},
    }
    return visit.page(_LIST, status=_UNFIT if problems else 200, **facts)


def _show_one(
    visit: RequestContext, login: str, *, problems: Mapping[str, str] | None = None, refused: str = ""
) -> Response:
    visible_to = visit.member.unit_id
    member = show_staff(visit.services, login, visible_to=visible_to)
    facts: dict[str, Any] = {
        "one": member,
        "sessions": list_sessions(visit.services, visit.rules, login),
        "units": _choice(visit, units=unit_tree(list_units(visit.services, visible_to=visible_to))),
        "roles": list(Role),
        "real_now": visit.services.real.now(),
        "problems": problems or {},
        "refused": refused,
    }
    return visit.page(_ONE, status=_UNFIT if problems or refused else 200, **facts)


def _choice(visit: RequestContext, *, units: list[tuple[int, str]]) -> list[tuple[str, str]]:
    """Somebody of a unit gives nobody the whole centre."""
    whole = [("", visit.say(gettext_noop("the whole centre")))] if visit.member.unit_id is None else []
    return whole + [(str(unit_id), name) for unit_id, name in units]


def _unit(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
