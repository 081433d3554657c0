"""Requests that arrive while a transaction runs share the next one. Idle, the first begins at once; busy, a moment is
waited for company, since a transaction costs ten times what one more event in it does.

Webhooks: verified, kept and applied before they are answered; anything else is refused or told to come again.

A 2xx means that the event is committed. When it could not be, the answer is 503 with a sentence that is safe to
speak, so that the carrier asks again or goes to the fallback, and nothing is dropped behind a 200.

The console, put together: every module of `pages` with its routes, behind one door.

The web application, put together.

`dialer web`: the application on uvicorn.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import Generic, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

import uvicorn
from fastapi import APIRouter, FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import Receive, Scope, Send

from dialer import __version__
from dialer.accounts.pages import account_pages, accounts_pages, first_pages, sign_in_pages
from dialer.api.app import API_PREFIX, create_api
from dialer.audit.pages import audit_pages
from dialer.calls.apply import News
from dialer.calls.conversation import Step
from dialer.calls.events import CallEvent, Reply, apply_call_events
from dialer.calls.messages import apply_message_event
from dialer.calls.reconcile import WEB
from dialer.casefile.pages import case_act_pages, case_pages, search_pages
from dialer.control.board import board_pages
from dialer.control.health import beating
from dialer.control.overview import all_paused
from dialer.control.pages import control_pages
from dialer.control.status import WebhookCounts, live, metrics, ready, services, status_routes
from dialer.core.errors import DialerError, Invalid, NotFound, Unavailable
from dialer.language import Lang
from dialer.outcomes.pages import rates_pages
from dialer.phone.pages import phone_routes
from dialer.runtime.forked import settle
from dialer.runtime.logs import ProcessMetrics
from dialer.scripts.dialogue import Heard, Position, Turn
from dialer.scripts.pages import script_pages
from dialer.scripts.trial_pages import trial_pages
from dialer.services import Application, Services
from dialer.telephony.callbacks import (
    caller_left,
    desk_answered,
    dial_status,
    hand_over_taken,
    heard,
    machine_verdict,
    message_event,
    person_leg,
    status_event,
)
from dialer.telephony.config import (
    AMD_ROUTE,
    CALL_ROUTE,
    DESK_ROUTE,
    DIAL_ROUTE,
    FALLBACK_ROUTE,
    MESSAGE_ROUTE,
    OFFICER_ROUTE,
    START_STEP,
    STATUS_ROUTE,
    TelephonyConfig,
)
from dialer.telephony.results import CallProgress
from dialer.telephony.signature import SETTINGS, SIGNATURE, BadSignature, verify
from dialer.telephony.twiml import fallback, hang_up, write
from dialer.units.pages import unit_pages
from dialer.warnings.pages import list_pages
from dialer.web.cache import Cache
from dialer.web.console import ConsoleContext, ConsoleHeaders, Declared, Section, ShutdownHooks, page_route_of
from dialer.web.refusals import add_faults, failed
from dialer.web.rendering import Pages, Place, sound
from dialer.work.desk_calls import Taken, apply_desk_event, apply_person_leg_event
from dialer.work.desk_pages import desk_pages
from dialer.work.visit_pages import visit_pages

In = TypeVar("In")
Out = TypeVar("Out")

AT_MOST = 200
"""Of one transaction: it holds its rows' locks until its commit."""
LINGER_SECONDS = 0.02
"""From the end of a batch that had company to the beginning of the next."""
_COMPANY = 4


class Batch(Generic[In, Out]):
    """`apply` gets the items of one batch, on a thread of its own, and returns for each its answer or its fault. One
    batch runs at a time, so items of one process are applied in the order in which they came.
    """

    def __init__(
        self,
        apply: Callable[[Sequence[In]], Sequence[Out | Exception]],
        *,
        at_most: int = AT_MOST,
        linger_seconds: float = LINGER_SECONDS,
    ) -> None:
        self._apply = apply
        self._linger = linger_seconds
        self._at_most = at_most
        self._waiting: deque[tuple[In, asyncio.Future[Out]]] = deque()
        self._runner: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="batch")

    async def add(self, item: In) -> Out:
        """The answer to `item`, once its batch is committed. Raises its fault."""
        answer: asyncio.Future[Out] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(self._at_most, len(self._waiting)))]
            try:
                answers = await loop.run_in_executor(self._thread, self._apply, [item for item, _ in taken])
            except BaseException as fault:
                _fail([waiter for _, waiter in taken], fault)
                if not isinstance(fault, Exception):
                    _fail([waiter for _, waiter in self._waiting], fault)
                    raise
                continue
            for (_, waiter), answer in zip(taken, answers, strict=True):
                if waiter.done():
                    continue
                if isinstance(answer, Exception):
                    waiter.set_exception(answer)
                else:
                    waiter.set_result(answer)
            if len(taken) >= _COMPANY and len(self._waiting) < self._at_most:
                await asyncio.sleep(self._linger)


def _fail(waiters: Sequence[asyncio.Future[Out]], fault: BaseException) -> None:
    """Whoever has gone meanwhile needs no answer."""
    for waiter in waiters:
        if waiter.done():
            continue
        if isinstance(fault, asyncio.CancelledError):
            waiter.cancel()
        else:
            waiter.set_exception(fault)


WEBHOOK_PREFIX = "/hooks"
_PERSONAL = frozenset({"From", "To", "Caller", "Called", "SpeechResult", "Digits", "ForwardedFrom"})
_MOST_BYTES = 64 * 1024
_XML = "application/xml"

_log = logging.getLogger(__name__)

Params = list[tuple[str, str]]
Answer = tuple[int, str | None]
"""A status, and the TwiML to speak."""
_KEPT: Answer = (204, None)


@dataclass(slots=True, kw_only=True)
class Webhook:
    """One verified webhook, of an attempt, a message or a call from a desk. `path` is what its address says."""

    path: Mapping[str, str]
    params: Params

    @property
    def attempt_id(self) -> UUID:
        return UUID(self.path["attempt_id"])

    @property
    def step(self) -> int:
        return int(self.path["step"])

    @property
    def fields(self) -> dict[str, str]:
        return dict(self.params)

    @property
    def personal(self) -> dict[str, str]:
        return {name: value for name, value in self.params if name in _PERSONAL and value}


class _TooLarge(Exception):  # a signal within this module
    pass


async def _form(request: Request) -> Params:
    """The form's fields in order, repeated and blank ones kept."""
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > _MOST_BYTES:
                raise _TooLarge
    except ClientDisconnect:
        raise Invalid(field="webhook", problem="broke off") from None
    params = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    if any("\0" in name or "\0" in value for name, value in params):
        raise Invalid(field="webhook", problem="holds a character that cannot be kept")
    return params


def _refused(fault: Exception) -> Answer:
    """The answer to a webhook that was not applied; never a 2xx, and TwiML that is safe to speak where a call may
    still be going on.
    """
    match fault:
        case _TooLarge():
            status, speaks = 413, False
        case BadSignature():
            status, speaks = 403, False
        case Invalid():
            status, speaks = 400, False
        case ValueError():
            status, speaks = 400, False
            fault = Invalid(field="webhook", problem="cannot be read")  # the text may quote what was sent
        case NotFound():
            # Not ours, or of a database that is gone.
            status, speaks = 404, True
        case Unavailable():
            status, speaks = 503, True
        case _:
            status, speaks = 500, True
            _log.error("webhook failed", exc_info=fault)
    _log.warning(
        "webhook answered %d: %s",
        status,
        str(fault) if isinstance(fault, DialerError) else type(fault).__name__,
    )
    return status, fallback() if speaks else None


def _response(answer: Answer) -> Response:
    status, twiml = answer
    return Response(twiml, status_code=status, media_type=_XML if twiml is not None else None)


def _uncounted(_hook: str, _status: int) -> None:
    pass


def hooks(
    services: Services, telephony: TelephonyConfig, *, count: Callable[[str, int], None] = _uncounted
) -> Mount:
    """The addresses of `dialer.telephony.config`. `count` is told which hook was answered with which status."""
    return Mount(WEBHOOK_PREFIX, _Hooks(services, telephony, count).router)


class _Hooks:
    def __init__(
        self, services: Services, telephony: TelephonyConfig, count: Callable[[str, int], None]
    ) -> None:
        self._services = services
        self._telephony = telephony
        self._count = count
        self._base = telephony.public_url.rstrip("/")
        self._tokens = telephony.signing_tokens
        self._events: Batch[CallEvent, Reply] = Batch(partial(apply_call_events, services))
        answers: Mapping[str, Callable[[Webhook], Awaitable[Answer]]] = {
            CALL_ROUTE: self._call,
            DIAL_ROUTE: self._dialled,
            OFFICER_ROUTE: self._officer,
            STATUS_ROUTE: self._status,
            AMD_ROUTE: self._machine,
            MESSAGE_ROUTE: self._message,
            DESK_ROUTE: self._desk,
            FALLBACK_ROUTE: self._fall_back,
        }
        self.router = Router(
            [
                Route(
                    route.removeprefix(WEBHOOK_PREFIX),
                    self._endpoint(route.split("/")[2], answer),
                    methods=["POST"],
                )
                for route, answer in answers.items()
            ],
            redirect_slashes=False,
            default=self._nothing_here,
        )

    async def _nothing_here(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._count("other", 404)
        await Response(status_code=404)(scope, receive, send)

    def _endpoint(
        self, name: str, answer: Callable[[Webhook], Awaitable[Answer]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            given = await self._guarded(answer, request)
            self._count(name, given[0])
            return _response(given)

        return endpoint

    async def _guarded(self, answer: Callable[[Webhook], Awaitable[Answer]], request: Request) -> Answer:
        """The answer behind the signature; every fault has its own, and none is a 200."""
        try:
            params = await _form(request)
            headers = {
                name: request.headers[name] for name in (SIGNATURE, SETTINGS) if name in request.headers
            }
            verify(url=self._url(request), params=params, headers=headers, tokens=self._tokens)
            return await answer(Webhook(path=request.path_params, params=params))
        except Exception as fault:  # noqa: BLE001  # whatever it was, the person at the telephone hears something
            return _refused(fault)

    def _url(self, request: Request) -> str:
        path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
        return f"{self._base}{path}?{query}" if query else f"{self._base}{path}"

    async def _call(self, hook: Webhook) -> Answer:
        """The next turn of a conversation, as TwiML."""
        fields = hook.fields
        position = hook.path["position"]
        first = position == START_STEP
        step = Step(
            attempt_id=hook.attempt_id,
            step=hook.step,
            sid=fields.get("CallSid", ""),
            position=None if first else Position.decode(position),
            heard=heard(fields),
            personal=hook.personal,
        )
        return await self._turn(step)

    async def _dialled(self, hook: Webhook) -> Answer:
        """How a hand-over went: taken or left, the call is over; not taken, the script goes on."""
        fields = hook.fields
        number, desk = hook.step, dial_status(fields)
        took = hand_over_taken(fields)
        if took or caller_left(fields):
            await self._heard(Taken(attempt_id=hook.attempt_id, step=number, desk=desk, took=took))
            return 200, hang_up()
        step = Step(
            attempt_id=hook.attempt_id,
            step=number,
            sid=fields.get("CallSid", ""),
            desk=desk,
            position=Position.decode(hook.path["position"]),
            heard=Heard.silence(),
            personal=hook.personal,
        )
        return await self._turn(step)

    async def _officer(self, hook: Webhook) -> Answer:
        """The officer's telephone was picked up: the assignment is theirs while they speak."""
        if desk_answered(hook.fields):
            await self._heard(
                Taken(attempt_id=hook.attempt_id, step=hook.step, desk="answered", talking=True)
            )
        return _KEPT

    async def _turn(self, step: Step) -> Answer:
        turn = await self._heard(step)
        assert turn is not None
        twiml = write(
            turn,
            attempt_id=step.attempt_id,
            step=step.step,
            config=self._telephony,
            audio_url=lambda file: f"{self._base}/audio/{file}",
        )
        return 200, twiml

    async def _status(self, hook: Webhook) -> Answer:
        progress = status_event(hook.fields)
        step = f"status.{progress.sequence}" if progress.sequence is not None else f"status.{progress.stage}"
        return await self._hear(hook, step, progress)

    async def _machine(self, hook: Webhook) -> Answer:
        return await self._hear(hook, "amd", machine_verdict(hook.fields))

    async def _hear(self, hook: Webhook, step: str, progress: CallProgress) -> Answer:
        news = News(attempt_id=hook.attempt_id, step=step, progress=progress, personal=hook.personal)
        await self._heard(news)
        return _KEPT

    async def _heard(self, event: CallEvent) -> Turn | None:
        """Its transaction, shared with whatever else came meanwhile, is committed. Raises its fault."""
        reply = await self._events.add(event)
        if isinstance(reply, NotFound):
            raise reply
        return reply

    async def _message(self, hook: Webhook) -> Answer:
        """How far a message came. They are few, so each has its own transaction."""
        progress = message_event(hook.fields)
        await asyncio.to_thread(apply_message_event, self._services, UUID(hook.path["message_id"]), progress)
        return _KEPT

    async def _desk(self, hook: Webhook) -> Answer:
        """How far a call from a desk came, and how its second leg ended. They are few, as messages."""
        fields = hook.fields
        call_id = UUID(hook.path["call_id"])
        if hook.path["what"] == "dial":
            await asyncio.to_thread(apply_person_leg_event, self._services, call_id, person_leg(fields))
            return 200, hang_up()
        await asyncio.to_thread(apply_desk_event, self._services, call_id, status_event(fields))
        return _KEPT

    async def _fall_back(self, hook: Webhook) -> Answer:
        """Spoken when `call` failed: needs nothing but this process."""
        _log.warning(
            "fallback spoken: attempt=%s error=%s", hook.attempt_id, hook.fields.get("ErrorCode", "")
        )
        return 200, fallback()


_HALTED_SECONDS = 2.0
_MOVED: Mapping[str, str] = {
    "/wall": "/board",
    "/wall/live": "/board/live",
    "/units/tray": "/units/unassigned",
    "/units/tray/{case_id:int}": "/units/unassigned/{case_id}",
    "/units/tray/{case_id:int}/sort": "/units/unassigned/{case_id}/sort",
    "/units/tray/{case_id:int}/some": "/units/unassigned/{case_id}/some",
    "/cases/{case_id:int}/ring": "/cases/{case_id}/call",
    "/desk/tasks/{task_id:int}/take-up": "/desk/tasks/{task_id}/reclaim",
}
"""Addresses of before, kept for bookmarks and for pages that were open during an upgrade."""
_PERMANENTLY = 308


SECTIONS = (
    account_pages,
    accounts_pages,
    audit_pages,
    case_pages,
    case_act_pages,
    search_pages,
    control_pages,
    desk_pages,
    first_pages,
    list_pages,
    rates_pages,
    trial_pages,
    script_pages,
    sign_in_pages,
    unit_pages,
    visit_pages,
    board_pages,
)
"""Every page. The order is that of the routes: the first that fits an address answers it."""


def create_console(app: Application, closing: ShutdownHooks) -> FastAPI:
    """All pages on this application."""
    sections = SECTIONS
    console = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    centre = app.settings.centre
    console.state.console_context = ConsoleContext(
        app=app,
        rules=app.settings.console.rules(),
        pages=Pages(
            zone=centre.timezone,
            bureau={Lang.ZH: centre.bureau_zh, Lang.EN: centre.bureau_en},
            drill=app.services.drill,
            places=_places(sections),
        ),
        closing=closing,
        halted=Cache(lambda _: all_paused(app.services), seconds=_HALTED_SECONDS),
    )
    for before, now in _MOVED.items():
        console.router.add_route(before, _moved(now), methods=["GET", "POST"])
    console.router.routes.extend(_routes())
    add_faults(console)
    console.add_middleware(ConsoleHeaders, failed=failed)
    return console


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """The same for every application of a process: a page finds its application in the request."""
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
    """Every page that there is."""
    return tuple(declared for section in SECTIONS for declared in section.declared)


def _moved(path: str) -> Callable[[Request], Response]:
    def go(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(path.format(**request.path_params) + query, status_code=_PERMANENTLY)

    return go


def _places(sections: tuple[Section, ...]) -> tuple[Place, ...]:
    every = [place for section in sections for place in section.places]
    return tuple(sorted(every, key=lambda place: (place.order, place.path)))


def create_app(app: Application, closing: ShutdownHooks | None = None) -> FastAPI:
    """All routes on this application; `closing` is told when the process begins to stop. Interactive API pages are left
    out: they would load from elsewhere.
    """
    web = FastAPI(title="dialer", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    own = ProcessMetrics()
    # First: they are most of what a web process answers.
    web.router.routes.append(hooks(app.services, app.telephony, count=WebhookCounts(own).count))
    web.router.routes.extend(status_routes(app))
    web.router.routes.extend(phone_routes(app))
    web.router.routes.append(Route("/audio/{file}", sound(app.services), methods=["GET"]))
    # Browsers ask for it unasked; nothing is missing.
    web.router.routes.append(
        Route("/favicon.ico", lambda _request: Response(status_code=204), methods=["GET"])
    )
    web.router.routes.append(Route("/health/live", live, methods=["GET"]))
    web.router.routes.append(Route("/health/ready", ready(app), methods=["GET"]))
    web.router.routes.append(Route("/metrics", metrics(app, own), methods=["GET"]))
    web.mount(API_PREFIX, create_api(app))
    web.router.routes.append(Route("/health/engine", services(app), methods=["GET"]))
    # Last: whatever is nobody else's is a page, if only one that says that there is nothing.
    web.mount("", create_console(app, closing or ShutdownHooks()))
    return web


_NOT_STARTED = 3
_SWITCH_SECONDS = 0.0005
"""A batch of webhooks comes back from the database a dozen times, and would wait each time until the loop's thread has
had its whole turn of 5 ms.
"""


class _Server(uvicorn.Server):
    """Beats for as long as it listens. Before it waits for answers under way it tells those that would never end."""

    def __init__(
        self, config: uvicorn.Config, closing: ShutdownHooks, alive: ExitStack, services: Services
    ) -> None:
        super().__init__(config)
        self._closing = closing
        self._alive = alive
        self._services = services

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            # Not before: for whoever rings, a beat means that somebody answers.
            self._alive.enter_context(beating(self._services, kind=WEB))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Before it stops to listen, for whoever would ring meanwhile.
        await asyncio.to_thread(self._alive.close)
        self._closing.begin()
        await super().shutdown(sockets)


def run_web(app: Application) -> None:
    """Serves until SIGTERM or SIGINT; requests under way are finished first."""
    web = app.settings.web
    sys.setswitchinterval(_SWITCH_SECONDS)
    # uvicorn sends itself the signal that ended it once more; the default would end us before our row is gone.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    closing = ShutdownHooks()
    config = uvicorn.Config(
        create_app(app, closing),
        host=web.host,
        port=web.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=75,
    )
    with ExitStack() as alive:
        server = _Server(config, closing, alive, app.services)
        settle()
        with suppress(KeyboardInterrupt):
            server.run()
        if not server.started:
            sys.exit(_NOT_STARTED)
