"""The guard of every page: session, permission and own form are looked at before anything of the request is read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from dialer.bootstrap import Application
from dialer.domain.access import may
from dialer.domain.pause import Hold
from dialer.domain.sessions import SessionRules
from dialer.errors import Unavailable
from dialer.language import Lang
from dialer.usecases.sign_in import recognise
from dialer.web.cache import Cache
from dialer.web.closing import Closing
from dialer.web.console import cookies
from dialer.web.console.registry import Declared
from dialer.web.console.rendering import Pages
from dialer.web.console.visit import ChangePasswordFirst, Forbidden, ForeignForm, SignInFirst, Visit

_Key = TypeVar("_Key", bound=Hashable)
_T = TypeVar("_T")
_SAFE = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What every request to the console shares."""

    app: Application
    rules: SessionRules
    pages: Pages
    closing: Closing
    halted: Cache[None, Hold | None]
    """The pause of all dialling, where one stands: every page says so."""
    caches: dict[str, Cache[Any, Any]] = field(default_factory=dict)
    """What is counted behind pages, by name: once for everybody of this process who asks the same."""

    def cache(self, name: str, read: Callable[[_Key], _T]) -> Cache[_Key, _T]:
        """The one of this name; `read` makes it when it is asked for first."""
        return self.caches.setdefault(
            name, Cache(read, patience_seconds=self.app.settings.console.patience_seconds)
        )


class PageRoute(APIRoute):
    """A route that lets in whom its declaration lets in."""

    declared: ClassVar[Declared]

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        declared = self.declared

        async def handle(request: Request) -> Response:
            visit = await visit_of(request, even_idle=declared.while_idle)
            await _admit(visit, declared)
            response = await answer(request)
            if visit.form_secret:
                cookies.put(request, response, cookies.FORM, visit.form_secret)
            return response

        return handle


def route_of(declared: Declared) -> type[PageRoute]:
    return type("PageRoute", (PageRoute,), {"declared": declared})


async def visit_of(request: Request, *, even_idle: bool = False) -> Visit:
    """Who asks, once for a request. Raises `Unavailable`."""
    known: Visit | None = getattr(request.state, "visit", None)
    if known is not None:
        return known
    house: House = request.app.state.house
    token = request.cookies.get(cookies.SESSION, "")
    found = (
        await run_in_threadpool(recognise, house.app.engine, house.rules, token, even_idle=even_idle)
        if token
        else None
    )
    visit = stranger(request)
    if found is not None:
        visit.session, visit.somebody = found
        visit.lang = Lang(visit.somebody.language)
        visit.csrf = cookies.csrf(request, token)
    elif not visit.csrf:
        visit.form_secret = cookies.new_form_secret()
        visit.csrf = cookies.csrf_of(visit.form_secret)
    request.state.visit = visit
    return visit


def stranger(request: Request) -> Visit:
    """The visit of somebody whom nothing is known of; asks no database."""
    house: House = request.app.state.house
    chosen = request.cookies.get(cookies.LANGUAGE)
    return Visit(
        app=house.app,
        rules=house.rules,
        request=request,
        pages=house.pages,
        lang=Lang.EN if chosen == Lang.EN.value else Lang.ZH,
        csrf=cookies.csrf(request, ""),
    )


async def whoever(request: Request) -> Visit:
    """As `visit_of`, and a stranger where the database does not answer: for pages about faults."""
    try:
        return await visit_of(request)
    except Unavailable:
        return stranger(request)


async def _admit(visit: Visit, declared: Declared) -> None:
    request = visit.request
    if declared.act is not None:
        if visit.somebody is None:
            wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            raise SignInFirst(
                next_path=wanted if request.method in _SAFE else "",
                was_signed_in=cookies.SESSION in request.cookies,
            )
        if not may(visit.somebody.role, declared.act):
            raise Forbidden
        if visit.somebody.must_change and not declared.while_must_change:
            raise ChangePasswordFirst
    if request.method not in _SAFE and not await cookies.is_own_form(request, visit.csrf):
        raise ForeignForm
