"""The web application: webhooks, console, REST API, telephone and health under one router, and all pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from http import HTTPStatus

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from dialer.api.app import API_PREFIX, create_api
from dialer.approvals.pages import approval_pages
from dialer.audit.pages import audit_pages
from dialer.cards.counter.desk_pages import desk_pages as card_desk_pages
from dialer.cards.counter.pages import counter_pages
from dialer.cards.determinations.pages import determination_pages
from dialer.cards.outlets.pages import outlet_pages
from dialer.cards.rings.pages import opener_pages
from dialer.case_page.list_pages import case_list_pages
from dialer.case_page.pages import case_pages
from dialer.cases.reveals import note_pages
from dialer.control.board import board_pages
from dialer.control.overview import all_paused
from dialer.control.pages import control_pages
from dialer.control.plan_pages import plan_pages
from dialer.control.setting_pages import setting_pages
from dialer.control.status import StatusPage, WebhookCounts, engine, for_monitors, live, metrics, ready
from dialer.core.access import Actor, Permission
from dialer.core.text import Lang
from dialer.duty.leave_pages import leave_pages
from dialer.duty.online_pages import online_pages
from dialer.duty.pages import duty_pages
from dialer.duty.presence_pages import presence_pages
from dialer.figures.bulletin_pages import bulletin_pages
from dialer.figures.pages import rates_pages
from dialer.help.pages import help_pages
from dialer.knowledge.pages import knowledge_pages
from dialer.notifications.pages import notification_pages
from dialer.org.account_pages import pages as account_pages
from dialer.org.own_pages import own_pages
from dialer.org.source_pages import source_pages
from dialer.org.token_pages import token_pages
from dialer.org.unit_pages import unit_pages
from dialer.outcomes.filed_pages import filed_pages
from dialer.oversight.correction_pages import correction_pages
from dialer.oversight.pages import record_pages
from dialer.phone.pages import phone_routes
from dialer.practice.pages import practice_pages
from dialer.quality.pages import quality_pages
from dialer.quality.rule_pages import quality_rule_pages
from dialer.retention.pages import erasure_pages
from dialer.runtime.logs import ProcessMetrics
from dialer.runtime.sections import WebSettings
from dialer.runtime.services import Application
from dialer.script_versions.pages import script_pages, trial_pages
from dialer.server.webhooks import WEBHOOK_PREFIX, hooks
from dialer.signals.pages import robot_pages
from dialer.signals.rule_pages import rule_pages
from dialer.staff.names import DisplayNames
from dialer.warnings.pages import list_pages
from dialer.web.answer_headers import SECURITY_HEADERS, AnswerHeaders
from dialer.web.cache import Cache
from dialer.web.console import (
    ConsoleContext,
    Declared,
    ShutdownHooks,
    page_route_of,
)
from dialer.web.pages_of_people import REFUSED, PagesOfPeople
from dialer.web.refusals import add_refusal_pages, failed
from dialer.web.rendering import PageFiles, Pages, serve_sound
from dialer.webhooks.pages import webhook_pages
from dialer.work.desk_pages import desk_pages
from dialer.work.supervision_pages import supervision_pages
from dialer.work.visit_pages import visit_pages

_HALTED_SECONDS = 2.0
_MOVED: Mapping[str, str] = {
    "/wall": "/board",
    "/wall/live": "/board/live",
    "/units/tray": "/units/unassigned",
    "/units/tray/{case_id}": "/units/unassigned/{case_id}",
    "/units/tray/{case_id}/sort": "/units/unassigned/{case_id}/sort",
    "/units/tray/{case_id}/some": "/units/unassigned/{case_id}/some",
    "/cases/{case_id}/ring": "/cases/{case_id}/call",
    "/desk/tasks/{task_id}/take-up": "/desk/tasks/{task_id}/reclaim",
}
"""Former addresses, for bookmarks and for pages that are open during an upgrade."""

_UNDER_ANY_NAME = (f"{WEBHOOK_PREFIX}/", "/health/", "/audio/", f"{API_PREFIX}/")
"""What other machines ask for: signed, with a token, or the same to everybody."""
_NOT_OUR_NAME = (
    "这个域名不是本系统的地址，见 web.hosts · this name is none of ours: see web.hosts of the settings\n"
)


SECTIONS = (
    account_pages,
    own_pages,
    approval_pages,
    audit_pages,
    case_list_pages,
    case_pages,
    control_pages,
    setting_pages,
    plan_pages,
    erasure_pages,
    desk_pages,
    list_pages,
    rates_pages,
    bulletin_pages,
    record_pages,
    quality_rule_pages,
    quality_pages,
    correction_pages,
    knowledge_pages,
    trial_pages,
    script_pages,
    robot_pages,
    rule_pages,
    unit_pages,
    duty_pages,
    presence_pages,
    supervision_pages,
    leave_pages,
    online_pages,
    notification_pages,
    filed_pages,
    token_pages,
    source_pages,
    webhook_pages,
    visit_pages,
    board_pages,
    counter_pages,
    card_desk_pages,
    opener_pages,
    determination_pages,
    outlet_pages,
    practice_pages,
    help_pages,
)
"""All pages, in the order of their routes: the first one that matches an address answers it."""


def templates_of(app: Application) -> Pages:
    """The templates of this application, with the navigation over all pages."""
    centre = app.settings.centre
    sections = [section for section in SECTIONS if section is not practice_pages or app.services.practice]
    places = (place for section in sections for place in section.places)
    return Pages(
        zone=centre.timezone,
        bureau={Lang.ZH: centre.bureau_zh, Lang.EN: centre.bureau_en},
        drill=app.services.drill,
        practice=app.services.practice,
        places=tuple(sorted(places, key=lambda place: (place.order, place.path))),
        name_of=DisplayNames(app.services).of,
    )


def create_console(app: Application, pages: Pages, closing: ShutdownHooks) -> FastAPI:
    """The console: a FastAPI application with all pages."""
    limits = app.services.reveals
    pages_of_people = PagesOfPeople(
        app.celery.conf.broker_url,
        key=app.services.store.vault.derived(b"pages of people"),
        most=limits.pages,
        real_now=app.services.real.now,
    )
    closing.join(pages_of_people.close)

    def count_page(actor: Actor, right: Permission, account_id: int, address: str) -> None:
        count = pages_of_people.open(account_id, address)
        if count == REFUSED or count in {limits.pages_alarm, limits.pages}:
            note_pages(app.services, actor, right, count=count, is_refused=count == REFUSED)

    console = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    console.state.console_context = ConsoleContext(
        app=app,
        pages=pages,
        closing=closing,
        count_page=count_page,
        halted=Cache(lambda _: all_paused(app.services), seconds=_HALTED_SECONDS),
    )
    for former, path in _MOVED.items():
        console.router.add_route(former, _redirect_to(path), methods=["GET", "POST"])
    console.router.routes.extend(_routes())
    add_refusal_pages(console)
    console.add_middleware(
        AnswerHeaders,
        what="the console",
        headers=SECURITY_HEADERS,
        failed=failed,
        proxies=app.settings.web.proxies,
        https_only=app.settings.web.https_only,
    )
    return console


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Shared by all applications of a process: a page finds its application in the request."""
    router = APIRouter()
    for declared in declarations():
        router.add_api_route(
            declared.path,
            declared.answer,
            methods=[declared.method],
            response_model=None,
            response_class=HTMLResponse,
            route_class_override=page_route_of(declared),
            max_body_size=declared.most_bytes,
        )
    return tuple(router.routes)


def declarations() -> tuple[Declared, ...]:
    """The declaration of every method of every page."""
    return tuple(declared for section in SECTIONS for declared in section.declared)


def _redirect_to(path: str) -> Callable[[Request], Response]:
    def redirect(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(path.format(**request.path_params) + query, status_code=308)

    return redirect


class _WebhooksFirst(FastAPI):
    """Gives requests below the prefix to the webhooks before the framework sees them: they are most of the requests,
    and its layers and its search for a route cost as much as reading and verifying one. Pages are answered under names
    of ours alone.
    """

    def __init__(self, webhooks: Mount, web: WebSettings) -> None:
        super().__init__(docs_url=None, redoc_url=None, openapi_url=None)
        self._webhooks = webhooks.app
        self._is_own_host = lru_cache(maxsize=64)(web.is_own_host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_webhook = scope["type"] == "http" and scope["path"].startswith(f"{WEBHOOK_PREFIX}/")
        if scope["type"] == "http" and not scope["path"].startswith(_UNDER_ANY_NAME):
            host = Request(scope).url.hostname or ""
            if not self._is_own_host(host):
                refusal = PlainTextResponse(_NOT_OUR_NAME, HTTPStatus.MISDIRECTED_REQUEST)
                await refusal(scope, receive, send)
                return
        await (self._webhooks if is_webhook else super().__call__)(scope, receive, send)


def create_app(app: Application, closing: ShutdownHooks | None = None) -> FastAPI:
    """All routes on this application; `closing` runs when the process begins to stop. FastAPI's own documentation pages
    are left out: they would load scripts from another host.
    """
    own, pages = ProcessMetrics(), templates_of(app)
    webhooks = hooks(app.services, app.telephony, count=WebhookCounts(own).count)
    web = _WebhooksFirst(webhooks, app.settings.web)
    web.router.routes += [
        Route("/status", for_monitors(app, StatusPage(app, pages).show), methods=["GET"]),
        Mount("/static", PageFiles()),
        *phone_routes(app),
        Route("/audio/{file}", serve_sound(app.services), methods=["GET"]),
        Route("/favicon.ico", lambda _request: Response(status_code=204), methods=["GET"]),
        Route("/health/live", live, methods=["GET"]),
        Route("/health/ready", ready(app), methods=["GET"]),
        Route("/health/engine", engine(app), methods=["GET"]),
        Route("/metrics", for_monitors(app, metrics(app, own)), methods=["GET"]),
        Mount(API_PREFIX, create_api(app)),
        # The console last: it answers every other address, if only with a page that says that nothing is there.
        Mount("", create_console(app, pages, closing or ShutdownHooks())),
    ]
    return web
