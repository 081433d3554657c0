"""One's own account: who one is, the password, the first page."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form
from starlette.responses import RedirectResponse, Response

from dialer.domain.access import Act
from dialer.errors import Invalid
from dialer.language import mark
from dialer.sentences import refusal_sentence
from dialer.usecases.manage_staff import end_sessions, list_sessions
from dialer.usecases.sign_in import SignInBlocked, change_password
from dialer.web.console import cookies
from dialer.web.console.homes import home_of
from dialer.web.console.registry import OPEN, Section
from dialer.web.console.visit import SEE_OTHER, Asked

pages = Section()
_CHOOSE = "console/password.html"
_UNFIT = 422


@pages.get("/", act=OPEN)
def first_page(visit: Asked) -> Response:
    return RedirectResponse("/sign-in" if visit.somebody is None else home_of(visit), status_code=SEE_OTHER)


@pages.get("/account", act=Act.OWN_ACCOUNT)
def account(visit: Asked) -> Response:
    sessions = list_sessions(visit.engine, visit.rules, visit.who)
    return visit.page("console/account.html", sessions=sessions)


@pages.post("/account/sessions/end", act=Act.OWN_ACCOUNT)
def end_everywhere(visit: Asked) -> Response:
    end_sessions(visit.engine, visit.who, by=visit.who)
    response = visit.go("/sign-in", notice=mark("You are signed out everywhere."))
    cookies.drop(visit.request, response, cookies.SESSION)
    return response


@pages.get("/account/password", act=Act.OWN_ACCOUNT, while_must_change=True)
def ask_password(visit: Asked) -> Response:
    return visit.page(_CHOOSE, problems={})


@pages.post("/account/password", act=Act.OWN_ACCOUNT, while_must_change=True)
def set_password(
    visit: Asked,
    old: Annotated[str, Form()] = "",
    new: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    assert visit.session is not None
    try:
        token = change_password(visit.engine, visit.rules, visit.session, old=old, new=new, again=again)
    except Invalid as fault:
        field = "new" if fault.field == "password" else fault.field
        return visit.page(_CHOOSE, status=_UNFIT, problems={field: refusal_sentence(fault, visit.lang)})
    except SignInBlocked as fault:
        return visit.page(_CHOOSE, status=_UNFIT, problems={"old": refusal_sentence(fault, visit.lang)})
    response = visit.go(home_of(visit), notice=mark("The new password is set."))
    cookies.put(visit.request, response, cookies.SESSION, token)
    return response
