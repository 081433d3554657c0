"""The first administrator, by the one-time link that the first start prints."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form
from starlette.responses import Response

from dialer.errors import Invalid, NotFound
from dialer.language import mark
from dialer.sentences import refusal_sentence
from dialer.usecases.first_administrator import is_first_link_good, make_first_administrator
from dialer.web.console import cookies
from dialer.web.console.homes import home_of
from dialer.web.console.registry import OPEN, Section
from dialer.web.console.visit import Asked

pages = Section()
_TEMPLATE = "console/first.html"
_UNFIT = 422


@pages.get("/first/{token}", act=OPEN)
def ask(visit: Asked, token: str) -> Response:
    if not is_first_link_good(visit.engine, token):
        raise NotFound(kind="link", key="")
    return visit.page(_TEMPLATE, login="", display_name="", problems={})


@pages.post("/first/{token}", act=OPEN)
def make(
    visit: Asked,
    token: str,
    login: Annotated[str, Form()] = "",
    display_name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    try:
        made = make_first_administrator(
            visit.engine,
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
            _TEMPLATE,
            status=_UNFIT,
            login=login[:64],
            display_name=display_name[:64],
            problems={fault.field: refusal_sentence(fault, visit.lang)},
        )
    visit.somebody = made.member
    response = visit.go(home_of(visit), notice=mark("The first account is made. Make one for everybody."))
    cookies.put(visit.request, response, cookies.SESSION, made.token)
    return response
