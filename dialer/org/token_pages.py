"""API tokens on the console: what each may do, until when, when it was last used; asked for by one person, confirmed by
another, revoked at once by either. For accounts of the whole centre.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Form, Path
from starlette.responses import Response

from dialer.core.access import Permission
from dialer.core.errors import Conflict, Invalid
from dialer.core.text import gettext_noop
from dialer.org.tokens import ask_token, confirm_token, refuse_token, waiting_tokens
from dialer.staff.sign_in import NewToken, list_tokens, revoke_token
from dialer.staff.token_store import SCOPE_WORDS
from dialer.web.console import CurrentRequest, PageSection, RequestContext
from dialer.web.formats import typed_number
from dialer.web.rendering import PlaceGroup

token_pages = PageSection()
_PATH, _TEMPLATE = "/tokens", "console/tokens.html"
_UNFIT, _TAKEN = 422, 409
_SEE = Permission.SEE_STAFF_CHANGES
Number = Annotated[int, Path(ge=1, lt=2**63)]
Name = Annotated[str, Path(max_length=64)]


@token_pages.get(
    _PATH,
    act=_SEE,
    nav=gettext_noop("API tokens"),
    order=91,
    group=PlaceGroup.ADMINISTRATION,
    whole_centre=True,
)
def tokens(request: CurrentRequest) -> Response:
    return _show(request)


@token_pages.post(_PATH, act=Permission.MANAGE_STAFF)
def ask(
    request: CurrentRequest,
    name: Annotated[str, Form(max_length=64)] = "",
    scope: Annotated[list[str] | None, Form()] = None,
    days: Annotated[str, Form(max_length=6)] = "",
    sources: Annotated[str, Form(max_length=2000)] = "",
    unit: Annotated[str, Form(max_length=100)] = "",
    why: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Requests a token, which is made once another person confirms it."""
    request.check_sees_whole_centre()
    typed = {"name": name, "scope": scope or [], "days": days, "sources": sources, "unit": unit, "why": why}
    try:
        ask_token(
            request.services,
            request.actor,
            name=name.strip(),
            scopes=scope or (),
            days=typed_number(days, field="days") or 0,
            sources=[line.strip() for line in sources.splitlines() if line.strip()],
            unit=unit.strip(),
            why=why,
        )
    except Invalid as fault:
        wrong = request.wrong(fault)
        return _show(request, typed=typed, wrong=wrong, status=_UNFIT)
    except Conflict as fault:
        return _show(request, typed=typed, refused=request.refusal(fault), status=_TAKEN)
    return request.redirect_to(_PATH, notice=gettext_noop("A security administrator must confirm the token."))


@token_pages.post(_PATH + "/requests/{number}/confirm", act=Permission.CONFIRM_STAFF_CHANGES)
def confirm(request: CurrentRequest, number: Number) -> Response:
    """Makes the token. Its secret is on the page that answers, and nowhere else."""
    request.check_sees_whole_centre()
    try:
        new = confirm_token(request.services, request.actor, number)
    except Conflict as fault:
        return _show(request, refused=request.refusal(fault), status=_TAKEN)
    return _show(request, new=new)


@token_pages.post(_PATH + "/requests/{number}/refuse", act=_SEE)
def refuse(
    request: CurrentRequest, number: Number, back: Annotated[str, Form(max_length=20)] = ""
) -> Response:
    """Refuses a request, or withdraws one's own."""
    request.check_sees_whole_centre()
    try:
        refuse_token(request.services, request.actor, number)
    except Conflict as fault:
        return _show(request, refused=request.refusal(fault), status=_TAKEN)
    return request.redirect_to(
        "/approvals" if back == "approvals" else _PATH, notice=gettext_noop("No token is made.")
    )


@token_pages.post(_PATH + "/{name}/revoke", act=_SEE)
def revoke(request: CurrentRequest, name: Name) -> Response:
    """Revokes a token at once. One person is enough: a leaked secret must not wait."""
    request.check_sees_whole_centre()
    revoke_token(request.services, request.actor, name)
    return request.redirect_to(
        _PATH, notice=gettext_noop("The token is revoked; every process refuses it within seconds.")
    )


def _show(
    request: RequestContext,
    *,
    new: NewToken | None = None,
    typed: Mapping[str, object] | None = None,
    wrong: Mapping[str, str] | None = None,
    refused: str = "",
    status: int = 200,
) -> Response:
    request.check_sees_whole_centre()
    found = list_tokens(request.services)
    real_now = request.services.real.now()
    return request.page(
        _TEMPLATE,
        status=status,
        tokens=sorted(found, key=lambda token: (not token.is_good(real_now=real_now), token.name, token.id)),
        real_now=real_now,
        waiting=waiting_tokens(request.services),
        scopes=SCOPE_WORDS,
        new=new,
        typed=typed or {},
        wrong=wrong or {},
        refused=refused,
        may_ask=request.may(Permission.MANAGE_STAFF),
        may_confirm=request.may(Permission.CONFIRM_STAFF_CHANGES),
    )
