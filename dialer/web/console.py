"""What every page of the console is built on: how pages are declared, who asks, proof that a form is our own, headers.

The guard of a page checks session, permission and form before anything else of the request is read. A page without a
permission is open to everybody, and says so with `OPEN`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64encode
from collections.abc import Callable, Coroutine, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from typing import Annotated, Any, TypedDict, TypeVar, Unpack
from urllib.parse import quote

from fastapi import Depends
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dialer.core.access import Actor, Permission, Role, may
from dialer.core.errors import DialerError, Invalid, NotFound, Unavailable
from dialer.core.text import Lang, gettext_noop
from dialer.core.values import Pause
from dialer.language.catalogue import say
from dialer.language.sentences import refusal_sentence
from dialer.language.words import sentence
from dialer.runtime.services import Application, Services
from dialer.staff.sign_in import list_units, recognise
from dialer.staff.store import Member, Session
from dialer.web.cache import Cache
from dialer.web.clients import came_by_https, client_address, is_on_this_machine
from dialer.web.rendering import (
    NavigationEntry,
    NavigationPlace,
    Pages,
    PlaceGroup,
    RefusedForm,
    navigation_of,
)

OPEN = None
"""In place of a permission: also for people who are not signed in."""
SEE_OTHER = 303
SESSION_COOKIE = "dialer_session"
FORM_COOKIE = "dialer_form"
"""The secret behind a form's token before anybody has signed in."""
STEP_COOKIE = "dialer_step"
"""The step towards signing in that a browser has begun: the second factor, a passkey, the identity provider. It opens
no page.
"""
LANGUAGE_COOKIE = "dialer_language"
DEVICE_COOKIE = "dialer_device"
"""The accounts that this browser has signed in with; it opens nothing."""
NOTICE_COOKIE = "dialer_notice"
"""What the next page shows once, such as that something was saved."""
SENT_COOKIE = "dialer_sent"
"""The address of the form that was sent last and not refused: the next page has the browser delete what it kept of
it.
"""
CSRF_FIELD = "csrf"
CSRF_HEADER = "X-CSRF-Token"
HOMES: Mapping[Role, str] = {
    Role.CLERK: "/lists",
    Role.CALLER: "/desk",
    Role.OFFICER: "/visits",
    Role.SUPERVISOR: "/board",
    Role.ADMINISTRATOR: "/accounts",
    Role.SECURITY_ADMINISTRATOR: "/account-changes",
    Role.AUDITOR: "/audit",
    Role.ANALYST: "/robot",
    Role.TELLER: "/counter",
}
_MOST_BYTES = 256 * 1024
_YEAR_SECONDS = 31_536_000
_NOTICE_SECONDS = 60
_OWN_SITE = frozenset({"same-origin", "none"})
_SAFE = frozenset({"GET", "HEAD"})
_Answer = TypeVar("_Answer", bound=Callable[..., Any])
_Key = TypeVar("_Key", bound=Hashable)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One page: one method of one address."""

    method: str
    path: str
    act: Permission | None
    answer: Callable[..., Any]
    most_bytes: int = _MOST_BYTES
    """The largest form."""
    while_must_change: bool = False
    """Also before the first password has been changed."""
    while_must_enrol: bool = False
    """Also before a person whose role needs a second factor has set one up."""
    while_idle: bool = False
    """Also in a session that has expired through disuse; the request does not count as use."""
    shows_people: bool = False
    """Shows masked people: one account opens so many different ones in an hour."""


class _Flags(TypedDict, total=False):
    """Fields of `Declared` that few pages set."""

    most_bytes: int
    while_must_change: bool
    while_must_enrol: bool
    while_idle: bool
    shows_people: bool


@dataclass(frozen=True, slots=True)
class PageSection:
    """The pages of one module."""

    declared: list[Declared] = field(default_factory=list)
    places: list[NavigationPlace] = field(default_factory=list)

    def get(
        self,
        path: str,
        *,
        act: Permission | None,
        nav: str = "",
        order: int = 0,
        badge: Callable[[RequestContext], int] | None = None,
        group: PlaceGroup | None = None,
        whole_centre: bool = False,
        **flags: Unpack[_Flags],
    ) -> Callable[[_Answer], _Answer]:
        """Answers GET for those who have the permission `act`; with `nav` (English of the catalogue) the page is in
        their navigation, with the number that `badge` gives. People who have many places find it in its `group`.
        With `whole_centre` accounts of a unit do not have it there.
        """
        if nav:
            assert act is not None
            self.places.append(
                NavigationPlace(
                    path=path,
                    text=gettext_noop(nav),
                    act=act,
                    order=order,
                    badge=badge,
                    group=group,
                    whole_centre=whole_centre,
                )
            )
        return self._declare("GET", path, act, flags)

    def post(
        self, path: str, *, act: Permission | None, **flags: Unpack[_Flags]
    ) -> Callable[[_Answer], _Answer]:
        """Answers POST from a form of our own for those who have the permission `act`."""
        return self._declare("POST", path, act, flags)

    def _declare(
        self, method: str, path: str, act: Permission | None, flags: _Flags
    ) -> Callable[[_Answer], _Answer]:
        def declare(answer: _Answer) -> _Answer:
            self.declared.append(Declared(method=method, path=path, act=act, answer=answer, **flags))
            return answer

        return declare


def _cookie_name(request: Request, name: str) -> str:
    """The name in the browser. Over https a browser takes a name that begins with `__Host-` only from this very host,
    over https: neither another host of the domain nor somebody on the network sets or replaces such a cookie. A browser
    does not tell ports apart: the service for practice has names of its own, or it would end sessions of the real one.
    """
    own = f"{name}_practice" if _console(request).app.services.practice else name
    return f"__Host-{own}" if is_https(request) else own


def cookie_of(request: Request, name: str) -> str:
    """The value of a cookie of ours; '' where the browser sends none."""
    return request.cookies.get(_cookie_name(request, name), "")


def put_cookie(
    request: Request, response: Response, name: str, value: str, *, seconds: int | None = None
) -> None:
    """Sets a cookie for this site that scripts cannot read. Without `seconds` it ends when the browser is closed."""
    response.set_cookie(
        _cookie_name(request, name),
        value,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_https(request),
    )


def drop_cookie(request: Request, response: Response, name: str) -> None:
    """Has the browser delete the cookie."""
    response.delete_cookie(
        _cookie_name(request, name), path="/", httponly=True, samesite="lax", secure=is_https(request)
    )


def put_language_cookie(request: Request, response: Response, lang: Lang) -> None:
    """Keeps the language in this browser for a year."""
    put_cookie(request, response, LANGUAGE_COOKIE, lang.value, seconds=_YEAR_SECONDS)


def put_device_cookie(request: Request, response: Response, value: str) -> None:
    """Has this browser say for a year which accounts it has signed in with."""
    put_cookie(request, response, DEVICE_COOKIE, value, seconds=_YEAR_SECONDS)


def put_notice_cookie(request: Request, response: Response, text: str) -> None:
    """Has the next page show `text`, which is English of the catalogue, in its own language."""
    put_cookie(request, response, NOTICE_COOKIE, text.encode().hex(), seconds=_NOTICE_SECONDS)


def csrf_of_secret(secret: str) -> str:
    """The token that every form of a browser carries, made from its session token or form secret; '' for ''."""
    return hmac.new(secret.encode(), b"csrf", hashlib.sha256).hexdigest()[:32] if secret else ""


async def is_own_form(request: Request, wanted: str) -> bool:
    """Whether the request came from a page of ours: its header or form field contains the token `wanted`."""
    if request.headers.get("Sec-Fetch-Site", "none") not in _OWN_SITE:
        return False
    given = request.headers.get(CSRF_HEADER, "")
    if not given:
        field = (await request.form()).get(CSRF_FIELD)
        given = field if isinstance(field, str) else ""
    return bool(wanted) and hmac.compare_digest(given.encode(), wanted.encode())


def is_https(request: Request) -> bool:
    """Whether the browser used https, to us or to one of our own proxies."""
    return came_by_https(request, _console(request).app.settings.web.proxies)


def is_private_way(request: Request) -> bool:
    """Whether nobody can read the request on its way: it uses https, or comes from this machine's own browser."""
    proxies = _console(request).app.settings.web.proxies
    return is_https(request) or is_on_this_machine(request, proxies)


class SignInFirst(Exception):
    """There is no session, or it has ended; `next_path` is the page that was asked for."""

    def __init__(self, *, next_path: str, was_signed_in: bool) -> None:
        self.next_path = next_path
        self.was_signed_in = was_signed_in


class Forbidden(Exception):
    """Signed in without the permission of the page."""


class ForeignForm(Exception):
    """The form comes from no page of ours, or from one that is too old."""


class ChangePasswordFirst(Exception):
    """The account still has the password that an administrator gave out."""


class EnrolFirst(Exception):
    """The role needs a second factor, the account has none, and the time to set one up is over."""


@dataclass(kw_only=True)
class RequestContext:
    """One request to the console: who asks, in which language, and how it is answered."""

    app: Application
    request: Request
    pages: Pages
    lang: Lang
    csrf: str
    form_secret: str = ""
    """Made for this request; the answer sets it as a cookie."""
    session: Session | None = None
    somebody: Member | None = None
    refused: RefusedForm | None = None
    """The form that was refused, when its page is shown again."""
    is_refusal: bool = False
    """The page answers a form that was refused, under the address that the form was sent to."""

    @property
    def services(self) -> Services:
        return self.app.services

    @property
    def member(self) -> Member:
        """Who asks; only for pages behind a permission."""
        assert self.somebody is not None
        return self.somebody

    @property
    def who(self) -> str:
        """The account that asks, by the name that the audit uses."""
        return self.member.login

    @property
    def actor(self) -> Actor:
        """The account that asks, with its rights and its unit."""
        return self.member.actor

    @cached_property
    def now(self) -> datetime:
        """Service time, the same for the whole page."""
        return self.services.clock.now()

    @property
    def factor_due(self) -> datetime | None:
        """From when this account does nothing without a second factor; None where the role needs none or this session
        began with one.
        """
        if self.session is None or self.session.second_factor:
            return None
        since = self.member.factor_missing_at or self.session.created_at
        return self.services.sessions.factor_due(self.member.role, since=since)

    @property
    def factor_left_seconds(self) -> float:
        """How long until then: of real time, so the page tells no moment of another clock than its own."""
        due = self.factor_due
        return 0.0 if due is None else max(0.0, (due - self.services.real.now()).total_seconds())

    @property
    def lacks_factor(self) -> bool:
        """Whether nothing but the page that sets up a second factor opens."""
        due = self.factor_due
        return due is not None and (self.member.has_factor or self.services.real.now() >= due)

    @property
    def address(self) -> str:
        """The address of the browser, as the trusted proxies give it."""
        return client_address(self.request, self.app.settings.web.proxies)

    @property
    def is_part(self) -> bool:
        """Whether htmx asks for a part of a page."""
        return self.request.headers.get("HX-Request") == "true"

    @property
    def path(self) -> str:
        return self.request.url.path

    @cached_property
    def notice(self) -> str:
        """What the last act left to be shown once, on this page."""
        text = _text_of(cookie_of(self.request, NOTICE_COOKIE))
        return say(self.lang, text) if text else ""

    @cached_property
    def halted(self) -> Pause | None:
        """The pause of all dialling in force, which every page shows to those who are signed in."""
        if self.somebody is None:
            return None
        try:
            return _console(self.request).halted.wait(None)
        except Unavailable:
            return None

    @cached_property
    def sent(self) -> str:
        """The address of the form whose success this page follows; '' for none."""
        return _text_of(cookie_of(self.request, SENT_COOKIE))

    @property
    def typed_key(self) -> str:
        """The key, in base64, that seals what this account has entered and not sent in its browser. Another one after
        an administrator has changed the account.
        """
        key = self.services.store.vault.derived(b"typed")
        about = f"{self.member.id}\0{self.member.revision}".encode()
        return b64encode(hmac.digest(key, about, "sha256")).decode()

    def cache(self, name: str, read: Callable[[Any], Any], *, seconds: float = 0.0) -> Cache[Any, Any]:
        """The cache of this name, shared by all requests to this process; its values are valid for `seconds`."""
        return _console(self.request).cache(name, read, seconds=seconds)

    def badge_of(self, place: NavigationPlace) -> int:
        """The number beside an entry of the navigation; 0 while the database does not answer."""
        if place.badge is None:
            return 0
        try:
            return place.badge(self)
        except Unavailable:
            return 0

    @cached_property
    def places(self) -> tuple[NavigationPlace, ...]:
        """The navigation of this person."""
        if self.somebody is None or self.somebody.must_change or self.lacks_factor:
            return ()
        in_centre = self.somebody.unit_id is None
        return tuple(
            place
            for place in self.pages.places
            if may(self.somebody.role, place.act) and (in_centre or not place.whole_centre)
        )

    @cached_property
    def navigation(self) -> tuple[NavigationEntry, ...]:
        """The entries in the navigation bar of this person's pages."""
        return navigation_of(self.places)

    def is_at(self, place: NavigationPlace) -> bool:
        """Whether the page belongs to this place."""
        return self.path == place.path or self.path.startswith(place.path + "/")

    def is_in(self, entry: NavigationEntry) -> bool:
        """Whether the page belongs to one of its places."""
        return any(self.is_at(place) for place in entry.places)

    def may(self, act: Permission) -> bool:
        """Whether somebody is signed in whose role has the permission."""
        return self.somebody is not None and may(self.somebody.role, act)

    def say(self, text: str, **facts: object) -> str:
        """The sentence in the language of the page."""
        return sentence(text, self.lang, **facts)

    def refusal(self, fault: DialerError) -> str:
        """Why something was refused, in the language of the page."""
        return refusal_sentence(fault, self.lang)

    def wrong(self, fault: Invalid) -> dict[str, str]:
        """What is wrong with a form, by the name of its field."""
        return {fault.field: self.refusal(fault)}

    def page(self, template: str, *, status: int = 200, **facts: object) -> HTMLResponse:
        """The whole page."""
        is_post = self.request.method not in _SAFE
        self.is_refusal = self.refused is not None or (is_post and status >= HTTPStatus.BAD_REQUEST)
        response = HTMLResponse(self.pages.render(self, template, facts), status_code=status)
        for name in (NOTICE_COOKIE, SENT_COOKIE):
            if cookie_of(self.request, name):
                drop_cookie(self.request, response, name)
        return response

    def part(self, template: str, block: str, *, status: int = 200, **facts: object) -> HTMLResponse:
        """One block of the page, for htmx."""
        return HTMLResponse(self.pages.render(self, template, facts, block=block), status_code=status)

    def check_sees_whole_centre(self) -> None:
        """Raises `NotFound` for an account of a unit: what the page shows is of the whole centre."""
        if self.member.unit_id is not None:
            raise NotFound(kind="page", key=self.request.url.path)

    def redirect_to(self, path: str, *, notice: str = "") -> Response:
        """Redirects to another page after an act; `notice` is English of the catalogue and shown there once."""
        written = quote(path, safe="/?&=%#:,+-._~")
        response: Response = (
            Response(status_code=204, headers={"HX-Redirect": written})
            if self.is_part
            else RedirectResponse(written, status_code=SEE_OTHER)
        )
        if notice:
            put_notice_cookie(self.request, response, notice)
        return response


def _text_of(cookie: str) -> str:
    """The text of a cookie that the next page shows or uses once; '' for a broken one."""
    try:
        return bytes.fromhex(cookie).decode()
    except ValueError:
        return ""


def _console(request: Request) -> ConsoleContext:
    console: ConsoleContext = request.app.state.console_context
    return console


def _current(request: Request) -> RequestContext:
    context: RequestContext = request.state.context
    return context


CurrentRequest = Annotated[RequestContext, Depends(_current)]
"""What a page's function takes."""


def home_of(request: RequestContext) -> str:
    """The role's own page, else the first one of its navigation."""
    open_to = [place.path for place in request.places]
    wanted = HOMES[request.member.role]
    return wanted if wanted in open_to else (open_to or ["/account"])[0]


class ShutdownHooks:
    """What is called when this web process begins to stop, so that open streams end."""

    def __init__(self) -> None:
        self._stops: list[Callable[[], None]] = []

    def join(self, stop: Callable[[], None]) -> None:
        """Has `stop` called once, in the thread of the server's event loop."""
        self._stops.append(stop)

    def begin(self) -> None:
        """Calls every function that has joined."""
        for stop in self._stops:
            stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleContext:
    """What every request to the console shares."""

    app: Application
    pages: Pages
    closing: ShutdownHooks
    halted: Cache[None, Pause | None]
    """The pause of all dialling in force."""
    count_page: Callable[[Actor, Permission, int, str], None] = lambda *_: None
    """Counts a page of masked people at this address for the account with this id. Raises `TooMany`."""
    caches: dict[str, Cache[Any, Any]] = field(default_factory=dict)
    """Counts behind pages, by name, shared by all requests."""

    def cache(self, name: str, read: Callable[[_Key], _T], *, seconds: float = 0.0) -> Cache[_Key, _T]:
        """The cache of this name; its first use makes it with `read`."""
        patience_seconds = self.app.settings.console.patience_seconds
        return self.caches.setdefault(name, Cache(read, seconds=seconds, patience_seconds=patience_seconds))


def page_route_of(declared: Declared) -> type[APIRoute]:
    """The class of the route that answers this method: it checks the declared permission before the function of the
    page runs.
    """

    class PageRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            answer = super().get_route_handler()

            async def handle(request: Request) -> Response:
                context = await context_of(request, even_idle=declared.while_idle)
                await _authorize(context, declared)
                response = await answer(request)
                if context.form_secret:
                    put_cookie(request, response, FORM_COOKIE, context.form_secret)
                is_form = declared.method == "POST" and CSRF_HEADER not in request.headers
                if is_form and response.status_code < HTTPStatus.BAD_REQUEST:
                    put_cookie(request, response, SENT_COOKIE, request.url.path.encode().hex())
                return response

            return handle

    return PageRoute


async def context_of(request: Request, *, even_idle: bool = False) -> RequestContext:
    """The context of a request, made once. Raises `Unavailable`."""
    known: RequestContext | None = getattr(request.state, "context", None)
    if known is not None:
        return known
    console = _console(request)
    token = cookie_of(request, SESSION_COOKIE)
    found = (
        await run_in_threadpool(recognise, console.app.services, token, even_idle=even_idle)
        if token
        else None
    )
    context = anonymous_context(request)
    if found is not None:
        context.session, context.somebody = found
        context.lang = Lang(context.somebody.language)
        context.csrf = csrf_of_secret(token)
    elif not context.csrf:
        context.form_secret = secrets.token_urlsafe(24)
        context.csrf = csrf_of_secret(context.form_secret)
    request.state.context = context
    return context


def anonymous_context(request: Request) -> RequestContext:
    """The context of a request without a session; asks no database."""
    console = _console(request)
    chosen = cookie_of(request, LANGUAGE_COOKIE)
    return RequestContext(
        app=console.app,
        request=request,
        pages=console.pages,
        lang=Lang.EN if chosen == Lang.EN.value else Lang.ZH,
        csrf=csrf_of_secret(cookie_of(request, FORM_COOKIE)),
        refused=getattr(request.state, "refused", None),
    )


async def context_or_anonymous(request: Request) -> RequestContext:
    """As `context_of`, but without a session while the database does not answer: for pages about errors."""
    try:
        return await context_of(request)
    except Unavailable:
        return anonymous_context(request)


async def _authorize(context: RequestContext, declared: Declared) -> None:
    request = context.request
    if declared.act is not None:
        if context.somebody is None:
            wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            raise SignInFirst(
                next_path=wanted if request.method in _SAFE else "",
                was_signed_in=bool(cookie_of(request, SESSION_COOKIE)),
            )
        if not may(context.somebody.role, declared.act):
            raise Forbidden
        if context.somebody.must_change and not declared.while_must_change:
            raise ChangePasswordFirst
        if context.lacks_factor and not declared.while_must_enrol:
            if context.somebody.has_factor:  # set up in another browser meanwhile
                raise SignInFirst(next_path="", was_signed_in=True)
            raise EnrolFirst
    if request.method not in _SAFE and not await is_own_form(request, context.csrf):
        raise ForeignForm
    if declared.shows_people and declared.act is not None:
        count_page, address = _console(request).count_page, f"{request.url.path}?{request.url.query}"
        await run_in_threadpool(count_page, context.actor, declared.act, context.member.id, address)


def sees_everything(request: RequestContext) -> bool:
    """Whether the reader belongs to the whole centre or to its topmost unit: scripts and rules concern every unit."""
    unit_id = request.member.unit_id
    if unit_id is None:
        return True
    own = next(
        (unit for unit in list_units(request.services, visible_to=unit_id) if unit.id == unit_id), None
    )
    return own is not None and own.parent_id is None


def require_top_unit(request: RequestContext) -> None:
    """Raises `Forbidden` for a reader of any unit but the topmost one."""
    if not sees_everything(request):
        raise Forbidden
