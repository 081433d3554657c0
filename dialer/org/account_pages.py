"""Pages of accounts: signing in and out, the first administrator by its one-time link, and the accounts of staff with
their sessions. The second step of signing in, and the own account, are in `own_pages`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Form, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from dialer.core.access import Permission, Role, StaffChangeKind
from dialer.core.errors import Conflict, Invalid, NotFound
from dialer.core.presence import PresenceEvent
from dialer.core.text import Lang, gettext_noop
from dialer.core.units import Unit
from dialer.duty.presence import say_presence
from dialer.org.account_changes import (
    ask_change,
    ask_new_account,
    ask_reset_or_enable,
    confirm_change,
    list_changes,
    refuse_change,
    withdraw_change,
)
from dialer.org.accounts import (
    LONGEST_REASON,
    LoginTaken,
    disable_staff,
    end_sessions,
    get_account,
    is_first_link_good,
    list_sessions,
    make_first_administrator,
)
from dialer.org.identity import ways_of
from dialer.staff.devices import remember_device
from dialer.staff.passwords import SignInBusy, sign_ins
from dialer.staff.sign_in import (
    FactorNeeded,
    PasswordExpired,
    SignedIn,
    SignInBlocked,
    SignInRefused,
    list_units,
    sign_in,
    sign_out,
)
from dialer.staff.store import all_members, set_staff
from dialer.web.console import (
    DEVICE_COOKIE,
    OPEN,
    SEE_OTHER,
    SESSION_COOKIE,
    STEP_COOKIE,
    CurrentRequest,
    PageSection,
    RequestContext,
    cookie_of,
    drop_cookie,
    home_of,
    is_private_way,
    put_cookie,
    put_device_cookie,
    put_language_cookie,
)
from dialer.web.formats import unit_tree
from dialer.web.rendering import PlaceGroup

pages = PageSection()
_SIGN_IN = "console/sign_in.html"
_FIRST = "console/first.html"
_GIVEN = "console/given_password.html"
SECOND_PATH = "/sign-in/second"
UNSAFE = gettext_noop(
    "This page came over http from another machine, where others can read a password. Open it with https."
)
_TOO_MANY = gettext_noop("Too many sign-ins at once. Try again in a few seconds.")
_REFUSED, _FORBIDDEN, _UNFIT, _BLOCKED, _BUSY = 401, 403, 422, 429, 503
_RETRY_SECONDS = "5"
_SHOWN_LENGTH = 64
"""The most characters of a typed value that are shown again beside its error."""
_LONGEST_PATH = 2000
_UNIT_DIGITS = 18
CHANGES_PATH = "/account-changes"
_WAITS = gettext_noop("Nothing is changed yet: a security administrator must confirm it.")
Why = Annotated[str, Form(max_length=LONGEST_REASON)]
ChangeNumber = Annotated[int, Path(ge=1, lt=2**63)]


@pages.get("/sign-in", act=OPEN)
def sign_in_page(request: CurrentRequest, next_path: Annotated[str, Query(alias="next")] = "") -> Response:
    if request.somebody is not None:
        return request.redirect_to(own_path(next_path) or home_of(request))
    return show_sign_in(request, next_path)


@pages.post("/sign-in", act=OPEN)
async def sign_in_now(
    request: CurrentRequest,
    login: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next_path: Annotated[str, Form(alias="next")] = "",
) -> Response:
    """Signs in by password. 503 while this address has too many sign-ins under way."""
    if not sign_ins.has_room(request.address):
        # Before a thread is taken, so that a flood leaves the threads to the pages.
        return show_sign_in(request, next_path, login=login, problem=_TOO_MANY, status=_BUSY)
    return await run_in_threadpool(_sign_in, request, login, password, next_path)


def _sign_in(request: RequestContext, login: str, password: str, next_path: str) -> Response:
    until, status = None, _REFUSED
    try:
        require_private_way(request)
        entered = sign_in(
            request.services,
            login=login,
            password=password,
            address=request.address,
            device=cookie_of(request.request, DEVICE_COOKIE),
        )
    except UnsafeWay:
        return show_sign_in(request, next_path, problem=UNSAFE, status=_FORBIDDEN)
    except SignInRefused:
        problem = gettext_noop("The login or the password is wrong.")
    except PasswordExpired:
        problem = gettext_noop(
            "The password that was given out has expired. Ask the administrator for a new one."
        )
    except SignInBlocked as blocked:
        problem = gettext_noop("Too many failed sign-ins. Wait, or ask the administrator.")
        until, status = blocked.until, _BLOCKED
    except SignInBusy:
        problem, status = _TOO_MANY, _BUSY
    else:
        if isinstance(entered, FactorNeeded):
            return to_second_step(request, entered, next_path)
        return signed_in(request, entered, own_path(next_path))
    return show_sign_in(request, next_path, login=login, problem=problem, until=until, status=status)


def show_sign_in(
    request: RequestContext,
    next_path: str = "",
    *,
    login: str = "",
    problem: str = "",
    until: datetime | None = None,
    status: int = 200,
) -> Response:
    """The page on which somebody signs in; `problem` is English of the catalogue."""
    response = request.page(
        _SIGN_IN,
        status=status,
        next=own_path(next_path),
        login=login[:_SHOWN_LENGTH],
        problem=problem,
        until=until,
        ways=ways_of(request.app),
    )
    if status == _BUSY:
        response.headers["Retry-After"] = _RETRY_SECONDS
    return response


class UnsafeWay(Exception):
    """A password or a code would be sent over http between two machines."""


def require_private_way(request: RequestContext) -> None:
    """Raises `UnsafeWay` where others could read the request on its way."""
    if not is_private_way(request.request):
        raise UnsafeWay


def to_second_step(request: RequestContext, needed: FactorNeeded, next_path: str) -> Response:
    """Redirects to the second factor; the cookie is valid for nothing else."""
    path = own_path(next_path)
    response = request.redirect_to(SECOND_PATH + (f"?{urlencode({'next': path})}" if path else ""))
    put_cookie(request.request, response, STEP_COOKIE, needed.token)
    put_language_cookie(request.request, response, Lang(needed.member.language))
    return response


def signed_in(request: RequestContext, entered: SignedIn, path: str = "", *, notice: str = "") -> Response:
    """Sets the cookies of the new session and redirects to `path`, by default to the account's home page."""
    request.somebody = entered.member
    response = request.redirect_to(path or home_of(request), notice=notice)
    put_cookie(request.request, response, SESSION_COOKIE, entered.token)
    known = cookie_of(request.request, DEVICE_COOKIE)
    put_device_cookie(request.request, response, remember_device(request.services, known, entered.member))
    put_language_cookie(request.request, response, Lang(entered.member.language))
    if cookie_of(request.request, STEP_COOKIE):
        drop_cookie(request.request, response, STEP_COOKIE)
    return response


@pages.post("/sign-out", act=OPEN)
def sign_out_now(request: CurrentRequest) -> Response:
    if request.session is not None:
        if request.may(Permission.WORK_CASES):
            say_presence(request.services, request.actor, PresenceEvent.OFF)
        sign_out(request.services, request.actor, request.session)
    response = request.redirect_to("/sign-in", notice=gettext_noop("You are signed out."))
    drop_cookie(request.request, response, SESSION_COOKIE)
    return response


@pages.post("/language", act=OPEN)
def set_language(
    request: CurrentRequest,
    lang: Annotated[Lang, Form()],
    next_path: Annotated[str, Form(alias="next")] = "",
) -> Response:
    """Changes the language of the pages, of the account if somebody is signed in."""
    if request.somebody is not None:
        with request.services.store.begin() as tx:
            set_staff(tx, request.somebody.id, language=lang.value)
    response = request.redirect_to(own_path(next_path) or "/")
    put_language_cookie(request.request, response, lang)
    return response


def own_path(path: str) -> str:
    """The path if it is one of this site, else ''."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours and len(path) < _LONGEST_PATH else ""


@pages.get("/first/{token}", act=OPEN)
def first_administrator_page(request: CurrentRequest, token: str) -> Response:
    """The form behind the link that a new service prints. 404 once it is used or expired."""
    if not is_first_link_good(request.services, token):
        raise NotFound(kind="link", key="")
    return request.page(_FIRST, login="", display_name="", problems={})


@pages.post("/first/{token}", act=OPEN)
def add_first_administrator(
    request: CurrentRequest,
    token: str,
    login: Annotated[str, Form()] = "",
    display_name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Uses up the link: makes the account and signs it in."""
    try:
        made = make_first_administrator(
            request.services,
            token=token,
            login=login,
            display_name=display_name,
            password=password,
            again=again,
            language=request.lang.value,
            address=request.address,
        )
    except Invalid as fault:
        return request.page(
            _FIRST,
            status=_UNFIT,
            login=login[:_SHOWN_LENGTH],
            display_name=display_name[:_SHOWN_LENGTH],
            problems=request.wrong(fault),
        )
    notice = gettext_noop("The first account is made. Make one for a security administrator next.")
    return signed_in(request, made, notice=notice)


@pages.get("/", act=OPEN)
def first_page(request: CurrentRequest) -> Response:
    """Redirects to the sign-in, or to the page that the person's role begins with."""
    return RedirectResponse(
        "/sign-in" if request.somebody is None else home_of(request), status_code=SEE_OTHER
    )


@pages.get(
    "/accounts",
    act=Permission.MANAGE_STAFF,
    nav=gettext_noop("Accounts"),
    order=90,
    group=PlaceGroup.ADMINISTRATION,
)
def accounts_page(request: CurrentRequest) -> Response:
    return _show_all(request)


@pages.post("/accounts", act=Permission.MANAGE_STAFF)
def add_account(
    request: CurrentRequest,
    role: Annotated[Role, Form()],
    language: Annotated[Lang, Form()] = Lang.ZH,
    login: Annotated[str, Form()] = "",
    display_name: Annotated[str, Form()] = "",
    unit: Annotated[str, Form()] = "",
    why: Why = "",
) -> Response:
    """Asks for a new account; a second person confirms it where that is needed."""
    typed = {
        "login": login[:_SHOWN_LENGTH],
        "display_name": display_name[:_SHOWN_LENGTH],
        "role": role.value,
        "unit": unit[:_SHOWN_LENGTH],
        "why": why,
        "language": language.value,
    }
    try:
        given = ask_new_account(
            request.services,
            request.actor,
            login=login,
            display_name=display_name,
            role=role,
            unit_id=_unit_id(unit),
            language=language.value,
            why=why,
        )
    except Invalid as fault:
        return _show_all(request, problems=request.wrong(fault), typed=typed)
    except LoginTaken:
        taken = request.say(gettext_noop("is taken: choose another one"))
        return _show_all(request, problems={"login": taken}, typed=typed)
    if given is None:
        return request.redirect_to(CHANGES_PATH, notice=_WAITS)
    return request.page(_GIVEN, given=given, is_new=True, back="/accounts")


@pages.get("/accounts/{login}", act=Permission.MANAGE_STAFF)
def account_page(request: CurrentRequest, login: str) -> Response:
    return _show_one(request, login)


@pages.post("/accounts/{login}/change", act=Permission.MANAGE_STAFF)
def change_account(
    request: CurrentRequest,
    login: str,
    role: Annotated[Role, Form()],
    revision: Annotated[int, Form()],
    display_name: Annotated[str, Form()] = "",
    unit: Annotated[str, Form()] = "",
    why: Why = "",
) -> Response:
    """Changes name, role or unit; a second person confirms it where that is needed."""
    try:
        is_done = ask_change(
            request.services,
            request.actor,
            login,
            display_name=display_name,
            role=role,
            unit_id=_unit_id(unit),
            revision=revision,
            why=why,
        )
    except Invalid as fault:
        return _show_one(request, login, problems=request.wrong(fault))
    if not is_done:
        return request.redirect_to(CHANGES_PATH, notice=_WAITS)
    return request.redirect_to(f"/accounts/{login}", notice=gettext_noop("The account is changed."))


@pages.post("/accounts/{login}/disable", act=Permission.MANAGE_STAFF)
def disable_account(request: CurrentRequest, login: str) -> Response:
    """Disables the account and ends its sessions."""
    try:
        disable_staff(request.services, request.actor, login)
    except Conflict as fault:
        return _show_one(request, login, refused=request.refusal(fault))
    return request.redirect_to(
        f"/accounts/{login}", notice=gettext_noop("The account is disabled; its sessions have ended.")
    )


@pages.post("/accounts/{login}/enable", act=Permission.MANAGE_STAFF)
def ask_to_enable(request: CurrentRequest, login: str, why: Why = "") -> Response:
    return _ask_for(request, StaffChangeKind.ENABLE, login, why)


@pages.post("/accounts/{login}/reset", act=Permission.MANAGE_STAFF)
def ask_to_reset_password(request: CurrentRequest, login: str, why: Why = "") -> Response:
    return _ask_for(request, StaffChangeKind.RESET_PASSWORD, login, why)


@pages.post("/accounts/{login}/factors/reset", act=Permission.MANAGE_STAFF)
def ask_to_reset_factors(request: CurrentRequest, login: str, why: Why = "") -> Response:
    return _ask_for(request, StaffChangeKind.RESET_FACTORS, login, why)


def _ask_for(request: RequestContext, kind: StaffChangeKind, login: str, why: str) -> Response:
    try:
        is_done = ask_reset_or_enable(
            request.services,
            request.actor,
            kind,
            login,
            why=why,
        )
    except Invalid as fault:
        wrong = request.wrong(fault)
        return _show_one(request, login, problems=wrong, asked=kind)
    if is_done:
        return request.redirect_to(f"/accounts/{login}", notice=gettext_noop("The account is enabled again."))
    return request.redirect_to(CHANGES_PATH, notice=_WAITS)


@pages.get(
    CHANGES_PATH,
    act=Permission.SEE_STAFF_CHANGES,
    nav=gettext_noop("Changes of accounts"),
    order=91,
    group=PlaceGroup.ADMINISTRATION,
)
def account_changes(request: CurrentRequest) -> Response:
    visible_to = request.member.unit_id
    return request.page(
        "console/account_changes.html",
        changes=list_changes(request.services, visible_to=visible_to),
        may_confirm=request.may(Permission.CONFIRM_STAFF_CHANGES),
        unit_names={unit.id: unit.name for unit in list_units(request.services, visible_to=visible_to)},
    )


@pages.post(CHANGES_PATH + "/{number}/confirm", act=Permission.CONFIRM_STAFF_CHANGES)
def confirm_account_change(request: CurrentRequest, number: ChangeNumber) -> Response:
    """Carries out what another person has asked for; a new password is shown once."""
    given = confirm_change(request.services, request.actor, number)
    if given is None:
        return request.redirect_to(CHANGES_PATH, notice=gettext_noop("The change is confirmed and done."))
    return request.page(_GIVEN, given=given, is_new=False, back=CHANGES_PATH)


@pages.post(CHANGES_PATH + "/{number}/refuse", act=Permission.CONFIRM_STAFF_CHANGES)
def refuse_account_change(request: CurrentRequest, number: ChangeNumber) -> Response:
    """Refuses what another person has asked for."""
    refuse_change(request.services, request.actor, number)
    return request.redirect_to(
        CHANGES_PATH, notice=gettext_noop("The change is refused. Nothing was changed.")
    )


@pages.post(CHANGES_PATH + "/{number}/withdraw", act=Permission.MANAGE_STAFF)
def withdraw_account_change(request: CurrentRequest, number: ChangeNumber) -> Response:
    """Withdraws what an administrator asked for."""
    withdraw_change(request.services, request.actor, number)
    return request.redirect_to(
        CHANGES_PATH, notice=gettext_noop("The change is withdrawn. Nothing was changed.")
    )


@pages.post("/accounts/{login}/sessions/end", act=Permission.MANAGE_STAFF)
def end_account_sessions(request: CurrentRequest, login: str) -> Response:
    end_sessions(request.services, request.actor, login)
    return request.redirect_to(
        f"/accounts/{login}", notice=gettext_noop("All sessions of the account have ended.")
    )


def _show_all(
    request: RequestContext,
    *,
    problems: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    visible_to = request.member.unit_id
    units = list_units(request.services, visible_to=visible_to)
    with request.services.store.begin() as tx:
        members = all_members(tx, visible_to=visible_to)
    return request.page(
        "console/accounts.html",
        status=_UNFIT if problems else 200,
        members=members,
        sessions=Counter(session.login for session in list_sessions(request.services)),
        unit_names={unit.id: unit.name for unit in units},
        units=_unit_choice(request, units),
        roles=list(Role),
        real_now=request.services.real.now(),
        problems=problems or {},
        typed=typed or {},
    )


def _show_one(
    request: RequestContext,
    login: str,
    *,
    problems: Mapping[str, str] | None = None,
    refused: str = "",
    asked: StaffChangeKind | None = None,
) -> Response:
    """`asked`: the kind of change whose form has the `problems`; None: the form of name, role and unit."""
    visible_to = request.member.unit_id
    with request.services.store.begin() as tx:
        member = get_account(tx, login, visible_to)
    return request.page(
        "console/one_account.html",
        status=_UNFIT if problems or refused else 200,
        one=member,
        sessions=list_sessions(request.services, login),
        units=_unit_choice(request, list_units(request.services, visible_to=visible_to)),
        roles=list(Role),
        real_now=request.services.real.now(),
        problems=problems or {},
        refused=refused,
        asked=asked.value if asked is not None else "",
    )


def _unit_choice(request: RequestContext, units: list[Unit]) -> list[tuple[str, str]]:
    """The units to choose from. Only somebody of the whole centre may choose the whole centre."""
    whole = [("", request.say(gettext_noop("the whole centre")))] if request.member.unit_id is None else []
    return whole + [(str(unit_id), name) for unit_id, name in unit_tree(units)]


def _unit_id(text: str) -> int | None:
    """The unit's id; None for the whole centre, which the form sends as ''. Raises `Invalid` for a text that is not the
    id of a unit.
    """
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _UNIT_DIGITS):
        raise Invalid(field="unit", problem="names no unit", fix="choose one of the list")
    return int(text)
