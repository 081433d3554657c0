"""One request to the console: who asks, in which language, and how it is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dialer.bootstrap import Application
from dialer.domain.access import Act, may
from dialer.domain.pause import Hold
from dialer.domain.sessions import SessionRules
from dialer.errors import Unavailable
from dialer.language import Lang, say
from dialer.store.staff import Member
from dialer.store.staff_sessions import Session
from dialer.usecases.engine import Engine
from dialer.web.cache import Cache
from dialer.web.console import cookies
from dialer.web.console.rendering import Pages, Place

SEE_OTHER = 303


class SignInFirst(Exception):  # the answer is a page, not an error
    """Nobody is signed in, or no longer; `next_path` is where they wanted to go."""

    def __init__(self, *, next_path: str, was_signed_in: bool) -> None:
        super().__init__("sign in first")
        self.next_path = next_path
        self.was_signed_in = was_signed_in


class Forbidden(Exception):
    """Signed in, and not allowed this."""


class ForeignForm(Exception):
    """A form that is not from one of our own pages, or from one that is too old."""


class ChangePasswordFirst(Exception):
    """The account has a password that somebody else knows."""


@dataclass(kw_only=True)
class Visit:
    """A request with nobody, or with a member of staff behind it."""

    app: Application
    rules: SessionRules
    request: Request
    pages: Pages
    lang: Lang
    csrf: str
    form_secret: str = ""
    """New in this visit: it goes out with the answer."""
    session: Session | None = None
    somebody: Member | None = None

    @property
    def engine(self) -> Engine:
        return self.app.engine

    @property
    def member(self) -> Member:
        """Who asks. Every page behind a permission has somebody."""
        assert self.somebody is not None
        return self.somebody

    @property
    def who(self) -> str:
        """As the audit names him."""
        return self.member.login

    @cached_property
    def now(self) -> datetime:
        """The service clock, one moment for the whole page."""
        return self.engine.clock.now()

    @property
    def address(self) -> str:
        return cookies.address(self.request, self.app.settings.web.proxies)

    @property
    def is_part(self) -> bool:
        """Htmx asks for a piece of a page."""
        return self.request.headers.get("HX-Request") == "true"

    @property
    def path(self) -> str:
        return self.request.url.path

    @cached_property
    def notice(self) -> str:
        """What the last act wants said on this page."""
        text = cookies.notice(self.request)
        return say(self.lang, text) if text else ""

    @cached_property
    def halted(self) -> Hold | None:
        """The pause of all dialling that stands, as somebody who is signed in is told on every page."""
        if self.somebody is None:
            return None
        halted: Cache[None, Hold | None] = self.request.app.state.house.halted
        try:
            return halted.wait(None)
        except Unavailable:
            return None

    def cache(self, name: str, read: Callable[[Any], Any]) -> Cache[Any, Any]:
        """What is counted behind pages under this name, shared by everybody of this process."""
        cache: Cache[Any, Any] = self.request.app.state.house.cache(name, read)
        return cache

    @property
    def places(self) -> tuple[Place, ...]:
        """The navigation, as far as it is open to this person."""
        if self.somebody is None:
            return ()
        return tuple(place for place in self.pages.places if may(self.somebody.role, place.act))

    def may(self, act: Act) -> bool:
        return self.somebody is not None and may(self.somebody.role, act)

    def say(self, text: str, **facts: object) -> str:
        return say(self.lang, text, **facts)

    def page(self, template: str, *, status: int = 200, **facts: object) -> HTMLResponse:
        """The whole page."""
        return self._answer(self.pages.render(self, template, facts), status)

    def part(self, template: str, block: str, *, status: int = 200, **facts: object) -> HTMLResponse:
        """One block of the page, for htmx."""
        return HTMLResponse(self.pages.render(self, template, facts, block=block), status_code=status)

    def go(self, path: str, *, notice: str = "") -> Response:
        """To another page after an act; `notice` is English of the catalogue, said there once."""
        response: Response = (
            Response(status_code=204, headers={"HX-Redirect": path})
            if self.is_part
            else RedirectResponse(quote(path, safe="/?&=%#:,+-._~"), status_code=SEE_OTHER)
        )
        if notice:
            cookies.put_notice(self.request, response, notice)
        return response

    def _answer(self, text: str, status: int) -> HTMLResponse:
        response = HTMLResponse(text, status_code=status)
        if cookies.NOTICE in self.request.cookies:
            cookies.drop(self.request, response, cookies.NOTICE)
        return response


def _visit(request: Request) -> Visit:
    visit: Visit = request.state.visit
    return visit


Asked = Annotated[Visit, Depends(_visit)]
"""What a page's function takes."""
