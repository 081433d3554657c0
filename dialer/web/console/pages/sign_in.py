"""Signing in and out, and the language."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form
from starlette.responses import Response

from dialer.language import Lang, mark
from dialer.usecases.manage_staff import choose_language
from dialer.usecases.sign_in import SignInBlocked, SignInRefused, sign_in, sign_out
from dialer.web.console import cookies
from dialer.web.console.homes import home_of
from dialer.web.console.registry import OPEN, Section
from dialer.web.console.visit import Asked

pages = Section()
_TEMPLATE = "console/sign_in.html"
_REFUSED, _BLOCKED = 401, 429


@pages.get("/sign-in", act=OPEN)
def ask(visit: Asked, next: str = "") -> Response:  # noqa: A002  # the address says it so
    if visit.somebody is not None:
        return visit.go(own_path(next) or home_of(visit))
    return visit.page(_TEMPLATE, next=own_path(next), login="", problem="", until=None)


@pages.post("/sign-in", act=OPEN)
def enter(
    visit: Asked,
    login: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",  # noqa: A002
) -> Response:
    problem, until, status = "", None, _REFUSED
    try:
        entered = sign_in(visit.engine, visit.rules, login=login, password=password, address=visit.address)
    except SignInRefused:
        problem = mark("The login or the password is wrong.")
    except SignInBlocked as blocked:
        problem, until, status = (
            mark("Too many failed sign-ins. Wait, or ask the administrator."),
            blocked.until,
            _BLOCKED,
        )
    if problem:
        return visit.page(
            _TEMPLATE, status=status, next=own_path(next), login=login[:64], problem=problem, until=until
        )
    visit.somebody = entered.member
    response = visit.go(own_path(next) or home_of(visit))
    cookies.put(visit.request, response, cookies.SESSION, entered.token)
    cookies.put_language(visit.request, response, Lang(entered.member.language))
    return response


@pages.post("/sign-out", act=OPEN)
def leave(visit: Asked) -> Response:
    if visit.session is not None:
        sign_out(visit.engine, visit.session)
    response = visit.go("/sign-in", notice=mark("You are signed out."))
    cookies.drop(visit.request, response, cookies.SESSION)
    return response


@pages.post("/language", act=OPEN)
def speak(
    visit: Asked,
    lang: Annotated[Lang, Form()],
    next: Annotated[str, Form()] = "",  # noqa: A002
) -> Response:
    if visit.somebody is not None:
        choose_language(visit.engine, visit.somebody.id, lang.value)
    response = visit.go(own_path(next) or "/")
    cookies.put_language(visit.request, response, lang)
    return response


def own_path(path: str) -> str:
    """A path of ours; '' for anything that would lead elsewhere."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours and len(path) < 2000 else ""  # noqa: PLR2004
