"""What every page of the console stands on, without a database: cookies, forms, ways, headers, the navigation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dialer.core.access import Permission, Role, SessionRules
from dialer.core.errors import Unavailable
from dialer.core.text import Lang
from dialer.runtime.settings import load_settings
from dialer.server.application import SECTIONS
from dialer.staff.store import Member, Session
from dialer.web import console
from dialer.web.answer_headers import SECURITY_HEADERS, AnswerHeaders
from dialer.web.cache import Cache
from dialer.web.console import (
    HOMES,
    ChangePasswordFirst,
    ConsoleContext,
    EnrolFirst,
    Forbidden,
    ForeignForm,
    PageSection,
    RequestContext,
    ShutdownHooks,
    SignInFirst,
    context_of,
    context_or_anonymous,
    csrf_of_secret,
    drop_cookie,
    home_of,
    is_own_form,
    is_private_way,
    put_cookie,
    put_language_cookie,
    put_notice_cookie,
    require_top_unit,
    sees_everything,
)
from dialer.web.rendering import NavigationEntry, NavigationPlace
from tests.clock import FrozenClock

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
PLACES = tuple(place for section in SECTIONS for place in section.places)


def asked(
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    scheme: str = "http",
    peer: str = "127.0.0.1",
    path: str = "/account",
    query: bytes = b"",
    method: str = "POST",
    places: tuple[NavigationPlace, ...] = PLACES,
    halted: Any = lambda _: None,  # noqa: ANN401  # a function
) -> Request:
    """A request to a console whose pages need no database."""
    web = load_settings({}).web.model_copy(update={"proxies": (ip_network("127.0.0.0/8"),)})
    sessions = SessionRules(second_factor_roles=frozenset({Role.AUDITOR}), second_factor_grace_seconds=0)
    app = SimpleNamespace(
        settings=load_settings({}).model_copy(update={"web": web}),
        services=SimpleNamespace(sessions=sessions, real=FrozenClock(NOW), practice=False),
    )
    context = ConsoleContext(
        app=app,  # type: ignore[arg-type]  # what these need of it
        pages=SimpleNamespace(places=places),  # type: ignore[arg-type]
        closing=ShutdownHooks(),
        halted=Cache(halted, seconds=2.0),
    )

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    return Request(
        {
            "type": "http",
            "method": method,
            "scheme": scheme,
            "path": path,
            "query_string": query,
            "server": ("test", 80),
            "client": (peer, 4000),
            "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
            "app": SimpleNamespace(state=SimpleNamespace(console_context=context)),
        },
        receive,
    )


def member(role: Role = Role.CLERK, **more: Any) -> Member:  # noqa: ANN401  # columns of many kinds
    values: dict[str, Any] = {
        "id": 1, "login": "wang", "display_name": "王", "role": role, "unit_id": None, "language": "en",
        "must_change": False, "revision": 1, "created_at": NOW, "signed_in_at": None, "disabled_at": None,
        "locked_until": None,
    }  # fmt: skip
    return Member(**(values | more))


def session(*, second_factor: bool) -> Session:
    return Session(
        id=1, staff_id=1, login="wang", address="", created_at=NOW, seen_at=NOW, expires_at=NOW,
        second_factor=second_factor,
    )  # fmt: skip


def reader(
    request: Request, somebody: Member | None = None, *, second_factor: bool = False
) -> RequestContext:
    shared = request.app.state.console_context
    return RequestContext(
        app=shared.app,
        request=request,
        pages=shared.pages,
        lang=Lang.EN,
        csrf="",
        session=session(second_factor=second_factor) if somebody is not None else None,
        somebody=somebody,
    )


def cookie(response: Response, name: str) -> dict[str, str]:
    """The cookie of the answer: its value and its attributes."""
    jar: SimpleCookie = SimpleCookie(response.headers["set-cookie"])
    attributes = {key: str(value) for key, value in jar[name].items() if value}
    return attributes | {"value": jar[name].value}


OURS = {"path": "/", "httponly": "True", "samesite": "lax"}


class TestCookies:
    def test_a_browser_finds_after_an_upgrade_what_it_was_given_before(self) -> None:
        names = (
            console.SESSION_COOKIE, console.FORM_COOKIE, console.STEP_COOKIE, console.LANGUAGE_COOKIE,
            console.NOTICE_COOKIE, console.CSRF_FIELD, console.CSRF_HEADER,
        )  # fmt: skip
        assert names == (
            "dialer_session", "dialer_form", "dialer_step", "dialer_language", "dialer_notice", "csrf",
            "X-CSRF-Token",
        )  # fmt: skip
        assert csrf_of_secret("secret") == "a33e37c855ff0fd48638ca35f31ab336"
        assert csrf_of_secret("") == ""

    @pytest.mark.parametrize(
        ("scheme", "name", "more"), [("http", "x", {}), ("https", "__Host-x", {"secure": "True"})]
    )
    def test_they_are_for_this_site_alone_and_out_of_the_reach_of_scripts(
        self, scheme: str, name: str, more: dict[str, str]
    ) -> None:
        request, response = asked(scheme=scheme), Response()
        put_cookie(request, response, "x", "1")
        assert cookie(response, name) == OURS | more | {"value": "1"}
        response = Response()
        put_cookie(request, response, "x", "1", seconds=7)
        assert cookie(response, name) == OURS | more | {"value": "1", "max-age": "7"}
        response = Response()
        drop_cookie(request, response, "x")
        dropped = cookie(response, name)
        assert dropped.pop("expires")
        assert dropped == OURS | more | {"value": "", "max-age": "0"}

    def test_a_language_stays_for_a_year_and_a_notice_for_a_minute(self) -> None:
        response = Response()
        put_language_cookie(asked(), response, Lang.ZH)
        kept = cookie(response, "dialer_language")
        assert (kept["value"], kept["max-age"]) == ("zh", str(365 * 24 * 3600))
        response = Response()
        put_notice_cookie(asked(), response, "保存")
        kept = cookie(response, "dialer_notice")
        assert (bytes.fromhex(kept["value"]).decode(), kept["max-age"]) == ("保存", "60")

    @pytest.mark.parametrize(
        ("value", "shown"), [(b"Saved.".hex(), "Saved."), ("", ""), ("no hex", ""), ("ff", "")]
    )
    def test_a_notice_is_what_the_last_act_left(self, value: str, shown: str) -> None:
        assert reader(asked(headers={"Cookie": f"dialer_notice={value}"})).notice == shown


class TestForms:
    @pytest.mark.parametrize(
        ("headers", "body", "good"),
        [
            ({}, b"csrf=abc", True),
            ({"Sec-Fetch-Site": "same-origin"}, b"csrf=abc", True),
            ({"Sec-Fetch-Site": "none"}, b"csrf=abc", True),
            ({"Sec-Fetch-Site": "same-site"}, b"csrf=abc", False),
            ({"Sec-Fetch-Site": "cross-site"}, b"csrf=abc", False),
            ({"X-CSRF-Token": "abc"}, b"", True),
            ({"X-CSRF-Token": "abd"}, b"csrf=abc", False),
            ({}, b"csrf=abd", False),
            ({}, b"csrf=", False),
            ({}, b"", False),
        ],
    )
    async def test_only_a_page_of_ours_of_this_browser_sends_them(
        self, headers: dict[str, str], body: bytes, good: bool
    ) -> None:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        assert await is_own_form(asked(headers=kind | headers, body=body), "abc") is good

    async def test_a_browser_without_a_secret_sends_none(self) -> None:
        assert not await is_own_form(asked(headers={"X-CSRF-Token": ""}), "")

    async def test_a_file_is_no_token(self) -> None:
        part = b'--x\r\nContent-Disposition: form-data; name="csrf"; filename="abc"\r\n\r\nabc\r\n--x--\r\n'
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        request = asked(headers=headers, body=part)
        assert not await is_own_form(request, "abc")
        await request.close()


class TestWays:
    @pytest.mark.parametrize(
        ("scheme", "peer", "headers", "private"),
        [
            ("https", "10.0.0.5", {}, True),
            ("http", "10.0.0.5", {}, False),
            ("http", "10.0.0.5", {"X-Forwarded-Proto": "https"}, False),
            ("http", "127.0.0.1", {}, True),
            ("http", "::1", {}, True),
            ("http", "127.0.0.1", {"X-Forwarded-For": "10.0.0.5"}, False),
            ("http", "127.0.0.1", {"X-Forwarded-For": "10.0.0.5", "X-Forwarded-Proto": "http"}, False),
            ("http", "127.0.0.1", {"X-Forwarded-For": "10.0.0.5", "X-Forwarded-Proto": "https"}, True),
            ("http", "not an address", {}, False),
        ],
    )
    def test_nobody_reads_on_the_way_by_https_or_on_this_machine(
        self, scheme: str, peer: str, headers: dict[str, str], private: bool
    ) -> None:
        assert is_private_way(asked(scheme=scheme, peer=peer, headers=headers)) is private


class TestReader:
    @pytest.mark.parametrize(
        ("role", "home"),
        [
            (Role.CLERK, "/lists"),
            (Role.CALLER, "/desk"),
            (Role.OFFICER, "/visits"),
            (Role.SUPERVISOR, "/board"),
            (Role.ADMINISTRATOR, "/accounts"),
            (Role.SECURITY_ADMINISTRATOR, "/account-changes"),
            (Role.AUDITOR, "/audit"),
            (Role.ANALYST, "/robot"),
            (Role.TELLER, "/counter"),
        ],
    )
    def test_each_role_begins_on_its_own_page(self, role: Role, home: str) -> None:
        assert home_of(reader(asked(), member(role), second_factor=True)) == home
        assert (HOMES[role], set(HOMES)) == (home, set(Role))

    def test_without_that_page_they_begin_on_the_first_of_their_navigation_or_on_their_account(self) -> None:
        others = tuple(place for place in PLACES if place.path != "/lists")
        first = next(place.path for place in others if Role.CLERK in console_roles(place.act))
        assert home_of(reader(asked(places=others), member())) == first
        assert home_of(reader(asked(places=()), member())) == "/account"
        assert home_of(reader(asked(), member(must_change=True))) == "/account"

    def test_a_role_that_needs_a_second_factor_has_no_navigation_before_it(self) -> None:
        alone, shown = (
            reader(asked(), member(Role.AUDITOR)),
            reader(asked(), member(Role.AUDITOR), second_factor=True),
        )
        assert (alone.lacks_factor, shown.lacks_factor) == (True, False)
        assert (alone.places, bool(shown.places)) == ((), True)
        assert not reader(asked(), member()).lacks_factor
        assert not reader(asked()).lacks_factor
        assert reader(asked()).places == ()

    def test_the_place_of_a_page_is_the_one_that_its_address_begins_with(self) -> None:
        place = NavigationPlace(path="/rates", text="", act=Permission.SEE_RATES, order=0)
        other = replace(place, path="/audit")
        said = {
            path: reader(asked(path=path)).is_at(place)
            for path in ("/rates", "/rates/callers", "/ratesx", "/")
        }
        assert said == {"/rates": True, "/rates/callers": True, "/ratesx": False, "/": False}
        entry = NavigationEntry("Results", (other, place))
        assert reader(asked(path="/rates/7")).is_in(entry)
        assert not reader(asked(path="/cases")).is_in(entry)

    def test_the_number_beside_a_place_is_nothing_while_the_database_does_not_answer(self) -> None:
        def away(_: object) -> int:
            raise Unavailable(part="database", problem="is away")

        place = NavigationPlace(
            path="/desk", text="", act=Permission.WORK_DESK, order=0, badge=lambda of: len(of.path)
        )
        one = reader(asked(path="/desk"), member())
        numbers = [one.badge_of(of) for of in (place, replace(place, badge=None), replace(place, badge=away))]
        assert numbers == [5, 0, 0]

    def test_a_pause_is_shown_to_those_who_are_signed_in(self) -> None:
        def away(_: object) -> None:
            raise Unavailable(part="database", problem="is away")

        assert reader(asked(halted=lambda _: "paused"), member()).halted == "paused"
        assert reader(asked(halted=lambda _: "paused")).halted is None
        assert reader(asked(halted=away), member()).halted is None

    def test_a_cache_is_shared_by_all_requests_under_its_name(self) -> None:
        request = asked()
        one, other = reader(request), reader(request)
        first = one.cache("a", lambda key: key, seconds=60)
        assert other.cache("a", lambda key: None, seconds=0) is first
        assert other.cache("b", lambda key: None) is not first
        assert first.wait(7) == 7

    def test_after_an_act_a_browser_goes_on_and_htmx_is_told_where(self) -> None:
        gone = reader(asked()).redirect_to("/cases/7?no=王 1&x=a%20b#top", notice="Saved.")
        assert (gone.status_code, gone.headers["location"]) == (303, "/cases/7?no=%E7%8E%8B%201&x=a%20b#top")
        assert cookie(gone, "dialer_notice")["value"] == b"Saved.".hex()
        part = reader(asked(headers={"HX-Request": "true"})).redirect_to("/cases/7")
        assert (part.status_code, part.headers["HX-Redirect"], "location" in part.headers) == (
            204,
            "/cases/7",
            False,
        )
        assert "set-cookie" not in part.headers
        chinese = reader(asked(headers={"HX-Request": "true"})).redirect_to("/cases/7?no=王 1")
        assert chinese.headers["HX-Redirect"] == "/cases/7?no=%E7%8E%8B%201"
        assert not reader(asked(headers={"HX-Request": "false"})).is_part

    def test_a_page_shows_the_notice_once_and_a_part_leaves_it(self) -> None:
        def render(of: RequestContext, template: str, facts: Mapping[str, object], *, block: str = "") -> str:
            return f"{of.lang.value} {template} {facts} {block}"

        one = reader(asked(headers={"Cookie": "dialer_notice=6162"}))
        one.pages = SimpleNamespace(render=render)  # type: ignore[assignment]  # what is asked of it
        page, part = one.page("a.html", status=422, n=1), one.part("a.html", "list", status=403, n=1)
        assert (page.status_code, page.body) == (422, b"en a.html {'n': 1} ")
        assert (part.status_code, part.body) == (403, b"en a.html {'n': 1} list")
        assert (cookie(page, "dialer_notice")["max-age"], "set-cookie" in part.headers) == ("0", False)
        assert (one.page("a.html").status_code, one.part("a.html", "x").status_code) == (200, 200)
        without = reader(asked())
        without.pages = one.pages
        assert "set-cookie" not in without.page("a.html").headers

    def test_who_asks_is_named_by_login_and_by_the_address_that_our_proxy_gives(self) -> None:
        one = reader(asked(headers={"X-Forwarded-For": "10.0.0.5"}), member(Role.SUPERVISOR))
        assert (one.who, one.address, one.path) == ("wang", "10.0.0.5", "/account")
        assert (one.may(Permission.SEE_RATES), one.may(Permission.SEE_AUDIT)) == (True, False)
        assert not reader(asked()).may(Permission.OWN_ACCOUNT)
        assert one.say("The name %(name)s", name="x") == "The name x"

    @pytest.mark.parametrize(
        ("chosen", "lang"), [("en", Lang.EN), ("zh", Lang.ZH), ("fr", Lang.ZH), (None, Lang.ZH)]
    )
    async def test_without_a_database_a_page_about_faults_has_a_stranger_for_its_reader(
        self, monkeypatch: pytest.MonkeyPatch, chosen: str | None, lang: Lang
    ) -> None:
        async def away(_: Request) -> RequestContext:
            raise Unavailable(part="database", problem="is away")

        monkeypatch.setattr(console, "context_of", away)
        cookies = "dialer_form=secret" + (f"; dialer_language={chosen}" if chosen else "")
        request = asked(headers={"Cookie": cookies})
        request.state.refused = "the form"
        one = await context_or_anonymous(request)
        assert (one.somebody, one.lang, one.csrf, one.refused) == (
            None,
            lang,
            csrf_of_secret("secret"),
            "the form",
        )
        assert (await context_or_anonymous(asked())).refused is None


def console_roles(act: Permission) -> frozenset[Role]:
    return frozenset(role for role in Role if console.may(role, act))


PAGE = console.Declared(method="GET", path="/lists", act=Permission.LOAD_LISTS, answer=print)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class TestGuard:
    async def refused(self, one: RequestContext, page: console.Declared = PAGE) -> Exception | None:
        try:
            await console._authorize(one, page)
        except Exception as fault:  # noqa: BLE001  # which one it is, is asserted
            return fault
        return None

    @pytest.mark.parametrize(
        ("method", "query", "headers", "next_path", "was"),
        [
            ("GET", b"x=1&y=2", {}, "/account?x=1&y=2", False),
            ("HEAD", b"", {}, "/account", False),
            ("GET", b"", {"Cookie": "dialer_session=old"}, "/account", True),
            ("POST", b"x=1", {}, "", False),
        ],
    )
    async def test_a_stranger_signs_in_first_and_comes_back_to_a_page(
        self, method: str, query: bytes, headers: dict[str, str], next_path: str, was: bool
    ) -> None:
        fault = await self.refused(reader(asked(method=method, query=query, headers=headers)))
        assert isinstance(fault, SignInFirst)
        assert (fault.next_path, fault.was_signed_in) == (next_path, was)
        assert await self.refused(reader(asked(method="GET")), replace(PAGE, act=console.OPEN)) is None

    async def test_a_role_without_the_permission_is_refused_before_all_else(self) -> None:
        for role, kind in ((Role.CALLER, Forbidden), (Role.CLERK, type(None))):
            assert isinstance(await self.refused(reader(asked(method="GET"), member(role))), kind)
        assert isinstance(
            await self.refused(reader(asked(), member(Role.CALLER, must_change=True))), Forbidden
        )

    async def test_a_given_password_is_changed_first(self) -> None:
        one = reader(asked(method="GET"), member(must_change=True))
        assert isinstance(await self.refused(one), ChangePasswordFirst)
        assert await self.refused(one, replace(PAGE, while_must_change=True)) is None

    async def test_a_missing_factor_is_set_up_first_and_one_that_is_there_is_shown_at_a_new_sign_in(
        self,
    ) -> None:
        page = replace(PAGE, act=Permission.SEE_AUDIT)
        one = reader(asked(method="GET"), member(Role.AUDITOR))
        assert isinstance(await self.refused(one, page), EnrolFirst)
        assert await self.refused(one, replace(page, while_must_enrol=True)) is None
        assert (
            await self.refused(reader(asked(method="GET"), member(Role.AUDITOR), second_factor=True), page)
            is None
        )
        elsewhere = reader(asked(method="GET"), member(Role.AUDITOR, has_factor=True))
        fault = await self.refused(elsewhere, page)
        assert isinstance(fault, SignInFirst)
        assert (fault.next_path, fault.was_signed_in) == ("", True)

    async def test_a_form_is_our_own(self) -> None:
        for body, kind in ((b"csrf=abc", type(None)), (b"csrf=abd", ForeignForm)):
            one = reader(asked(headers=FORM, body=body), member())
            one.csrf = "abc"
            assert isinstance(await self.refused(one), kind)


class TestContext:
    async def test_a_session_is_looked_for_once_a_request(self, monkeypatch: pytest.MonkeyPatch) -> None:
        looked: list[tuple[object, str, bool]] = []
        found = session(second_factor=True), member(language="en")

        def recognise(services: object, token: str, *, even_idle: bool) -> object:
            looked.append((services, token, even_idle))
            return found if token == "good" else None

        monkeypatch.setattr(console, "recognise", recognise)
        request = asked(headers={"Cookie": "dialer_session=good; dialer_form=secret; dialer_language=zh"})
        one = await context_of(request, even_idle=True)
        assert (one.session, one.somebody, one.lang) == (*found, Lang.EN)
        assert (one.csrf, one.form_secret) == (csrf_of_secret("good"), "")
        assert await context_of(request) is one
        assert await context_or_anonymous(request) is one
        other = await context_of(asked(headers={"Cookie": "dialer_session=bad; dialer_form=secret"}))
        assert (other.session, other.somebody, other.lang) == (None, None, Lang.ZH)
        assert (other.csrf, other.form_secret) == (csrf_of_secret("secret"), "")
        assert [(token, even_idle) for _, token, even_idle in looked] == [("good", True), ("bad", False)]
        assert looked[0][0] is one.services

    async def test_a_stranger_s_forms_have_a_secret_of_their_own(self) -> None:
        one, other = await context_of(asked()), await context_of(asked())
        assert len(one.form_secret) == 32  # 24 random bytes
        assert one.form_secret != other.form_secret
        assert one.csrf == csrf_of_secret(one.form_secret)


class TestWhole:
    def test_a_reader_of_no_unit_sees_everything(self) -> None:
        one = reader(asked(), member())
        assert sees_everything(one)
        require_top_unit(one)

    def test_a_reader_of_the_topmost_unit_sees_everything_and_one_below_does_not(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        units = [SimpleNamespace(id=1, parent_id=None), SimpleNamespace(id=2, parent_id=1)]
        monkeypatch.setattr(
            console, "list_units", lambda _, *, visible_to: [unit for unit in units if unit.id >= visible_to]
        )
        top, below, gone = (reader(asked(), member(unit_id=number)) for number in (1, 2, 3))
        assert [sees_everything(one) for one in (top, below, gone)] == [True, False, False]
        require_top_unit(top)
        with pytest.raises(Forbidden):
            require_top_unit(below)


class TestDeclared:
    def test_a_page_says_what_it_needs_and_where_it_stands(self) -> None:
        section = PageSection()

        @section.get("/a", act=Permission.SEE_CASES, nav="Cases", order=3)
        def shown() -> None: ...

        @section.get("/c", act=Permission.SEE_CASES, nav="Others")
        def first() -> None: ...

        @section.get("/b", act=console.OPEN, while_must_change=True, while_must_enrol=True, while_idle=True)
        def opened() -> None: ...

        @section.post("/a", act=Permission.WORK_CASES)
        def sent() -> None: ...

        @section.post("/b", act=console.OPEN, most_bytes=7, while_must_change=True, while_must_enrol=True)
        def loaded() -> None: ...

        assert [(one.path, one.text, one.act, one.order) for one in section.places] == [
            ("/a", "Cases", Permission.SEE_CASES, 3),
            ("/c", "Others", Permission.SEE_CASES, 0),
        ]
        told = [
            (
                one.method, one.path, one.act, one.answer, one.most_bytes, one.while_must_change,
                one.while_must_enrol, one.while_idle,
            )
            for one in section.declared
        ]  # fmt: skip
        most = 256 * 1024
        assert told == [
            ("GET", "/a", Permission.SEE_CASES, shown, most, False, False, False),
            ("GET", "/c", Permission.SEE_CASES, first, most, False, False, False),
            ("GET", "/b", None, opened, most, True, True, True),
            ("POST", "/a", Permission.WORK_CASES, sent, most, False, False, False),
            ("POST", "/b", None, loaded, 7, True, True, False),
        ]

    def test_what_has_joined_is_called_when_the_process_stops(self) -> None:
        hooks, called = ShutdownHooks(), list[str]()
        hooks.join(lambda: called.append("a"))
        hooks.join(lambda: called.append("b"))
        hooks.begin()
        assert called == ["a", "b"]


def guarded(app: ASGIApp, **more: Any) -> AnswerHeaders:  # noqa: ANN401  # as AnswerHeaders
    async def failed(_: Request) -> Response:
        return PlainTextResponse("a fault of ours", status_code=500)

    return AnswerHeaders(app, what="the page", headers=SECURITY_HEADERS, failed=failed, **more)


async def answer_of(app: AnswerHeaders, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 4000), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get(
            "/", headers={name.replace("_", "-"): value for name, value in headers.items()}
        )


@pytest.fixture
def deep() -> ASGIApp:
    """An application that fails seven calls deep."""

    def fails(depth: int) -> None:
        if depth == 0:
            raise RuntimeError("13800138000")
        fails(depth - 1)

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        fails(6)

    return app


class TestHeaders:
    async def test_each_answer_has_all_of_them_unless_it_has_its_own(self) -> None:
        answer = await answer_of(guarded(PlainTextResponse("x", headers={"Cache-Control": "max-age=7"})))
        policy = "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
        assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == {
            "Cache-Control": "max-age=7",
            "Content-Security-Policy": policy,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "geolocation=(), microphone=(), payment=(), usb=()",
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        }
        assert (await answer_of(guarded(PlainTextResponse("x")))).headers["Cache-Control"] == "no-store"

    async def test_https_is_for_a_year_where_a_proxy_of_ours_says_that_it_was(self) -> None:
        told = load_settings({}).web.https_only
        for proxies, kept in (((), None), ((ip_network("127.0.0.0/8"),), "max-age=31536000")):
            app = guarded(PlainTextResponse("x"), proxies=proxies, https_only=told)
            answer = await answer_of(app, x_forwarded_proto="https")
            assert answer.headers.get("Strict-Transport-Security") == kept
            assert "Strict-Transport-Security" not in (await answer_of(app, x_forwarded_proto="http")).headers

    async def test_how_long_it_is_https_and_for_which_hosts_is_a_setting(self) -> None:
        for env, kept in (
            ({"DIALER_WEB__HSTS_SECONDS": "0"}, None),
            ({"DIALER_WEB__HSTS_SECONDS": "0", "DIALER_WEB__HSTS_SUBDOMAINS": "true"}, None),
            ({"DIALER_WEB__HSTS_SECONDS": "60"}, "max-age=60"),
            ({"DIALER_WEB__HSTS_SUBDOMAINS": "true"}, "max-age=31536000; includeSubDomains"),
        ):
            told = load_settings(env).web.https_only
            app = guarded(PlainTextResponse("x"), proxies=(ip_network("127.0.0.0/8"),), https_only=told)
            answer = await answer_of(app, x_forwarded_proto="https")
            assert answer.headers.get("Strict-Transport-Security") == kept

    async def test_a_fault_is_answered_as_one_and_logged_with_its_five_innermost_places(
        self,
        deep: ASGIApp,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        answer = await answer_of(guarded(deep))
        assert (answer.status_code, answer.text) == (500, "a fault of ours")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        [line] = [
            record.getMessage() for record in caplog.records if record.name == "dialer.web.answer_headers"
        ]
        places = " < ".join([r"fails:\d+"] * 5)
        assert re.fullmatch(rf"the page failed: RuntimeError at {places}", line)

    async def test_a_fault_after_the_answer_began_ends_it(self) -> None:
        async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise RuntimeError

        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        with pytest.raises(RuntimeError):
            await guarded(app)(asked().scope, receive_nothing, send)
        assert [message["status"] for message in sent] == [200]

    async def test_what_is_no_request_is_passed_on_with_its_faults(self) -> None:
        async def app(scope: Scope, _receive: Receive, send: Send) -> None:
            await send({"type": scope["type"] + ".done"})
            raise RuntimeError

        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        with pytest.raises(RuntimeError):
            await guarded(app)({"type": "lifespan"}, receive_nothing, send)
        assert sent == [{"type": "lifespan.done"}]


async def receive_nothing() -> Message:
    return {"type": "http.request"}
