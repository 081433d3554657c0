"""/phone and what it asks for. With a real telephone network there is no such page: every address answers 404.

Only this machine may use it, and only the page itself may act: whoever it plays is a simulated person, and yet a page
of another site must not answer telephones here.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from dialer.bootstrap import Application
from dialer.domain.case import CaseStatus
from dialer.domain.values import FraudType
from dialer.errors import Conflict, DialerError, Invalid, NotFound, Refusal, Unavailable
from dialer.language import Lang
from dialer.sentences import refusal_sentence
from dialer.usecases.pick_up_phone import ask_for_ring, number_of, read_of_oneself, warn_of_oneself
from dialer.usecases.search_cases import search_cases
from dialer.usecases.show_case import show_case
from dialer.web.phone import told
from dialer.web.phone.line import Line
from dialer.web.phone.words import texts
from dialer.words import word

_TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
_MOST_BYTES = 1024 * 1024
_SHOWN = 40
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_STATUS = ((NotFound, 404), (Conflict, 409), (Refusal, 422), (Unavailable, 503))

Handler = Callable[[Request], Awaitable[Response]]


def phone_routes(app: Application) -> list[BaseRoute]:
    """None on a real line."""
    if app.carrier is None:
        return []
    page = _Phone(app, Line(access=app.carrier))
    return [
        Route("/phone", page.guarded(page.show), methods=["GET"]),
        Route("/phone/targets", page.guarded(page.targets), methods=["GET"]),
        Route("/phone/targets", page.guarded(page.load), methods=["POST"]),
        Route("/phone/cases/{case_id:int}", page.guarded(page.case), methods=["GET"]),
        Route("/phone/cases/{case_id:int}/take", page.guarded(page.take), methods=["POST"]),
        Route("/phone/handsets/{handset}", page.guarded(page.state), methods=["GET"]),
        Route("/phone/handsets/{handset}/clips/{n:int}", page.guarded(page.clip), methods=["GET"]),
        Route("/phone/handsets/{handset}/{act}", page.guarded(page.act), methods=["POST"]),
    ]


class _Phone:
    def __init__(self, app: Application, line: Line) -> None:
        self._app = app
        self._engine = app.engine
        self._line = line
        templates = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined
        )
        self._template = templates.get_template("phone.html")

    def guarded(self, handler: Handler) -> Handler:
        """Our own page on this machine, and an answer for every refusal."""

        async def guarded(request: Request) -> Response:
            if not _is_ours(request):
                return _json({"error": "this page is for this machine alone"}, 403)
            try:
                return await handler(request)
            except DialerError as fault:
                status = next((code for kind, code in _STATUS if isinstance(fault, kind)), 500)
                field = fault.field if isinstance(fault, Invalid) else ""
                return _json({"error": refusal_sentence(fault, _lang(request)), "field": field}, status)

        return guarded

    async def show(self, request: Request) -> Response:
        lang = _lang(request)
        words = texts(english=lang is Lang.EN)
        centre = self._app.settings.centre
        html = self._template.render(
            lang=lang.value,
            tag="zh-CN" if lang is Lang.ZH else "en",
            t=words,
            texts=orjson.dumps(words).decode(),
            bureau=centre.bureau_zh if lang is Lang.ZH else centre.bureau_en,
            fraud_types=[(kind.value, word(kind, lang)) for kind in FraudType],
        )
        return HTMLResponse(html, headers=_HEADERS)

    async def targets(self, request: Request) -> Response:
        lang = _lang(request)
        page = await asyncio.to_thread(search_cases, self._engine, status=CaseStatus.OPEN, limit=_SHOWN)
        return _json({"targets": [told.target(line, lang) for line in page.cases]})

    async def load(self, request: Request) -> Response:
        """In hand first: the robot rings a high grade at once."""
        data = await _object(request)
        accepted = await asyncio.to_thread(
            read_of_oneself,
            self._engine,
            name=str(data.get("name", "")),
            phone=str(data.get("phone", "")),
            fraud_type=_fraud_type(str(data.get("fraud_type", ""))),
        )
        await self._line.take(accepted.record.phones[0])
        case_id = await asyncio.to_thread(warn_of_oneself, self._engine, accepted)
        return _json({"case_id": case_id}, 201)

    async def take(self, request: Request) -> Response:
        """The telephone is in hand before the robot rings it."""
        case_id = int(request.path_params["case_id"])
        number = await asyncio.to_thread(number_of, self._engine, case_id)
        state = await self._line.take(number)
        await asyncio.to_thread(ask_for_ring, self._engine, case_id)
        return _json(told.handset(state, self._engine), 201)

    async def case(self, request: Request) -> Response:
        story = await asyncio.to_thread(show_case, self._engine, int(request.path_params["case_id"]))
        return _json(told.story(story, _lang(request)))

    async def state(self, request: Request) -> Response:
        return _json(told.handset(await self._line.state(request.path_params["handset"]), self._engine))

    async def clip(self, request: Request) -> Response:
        sound = await self._line.clip(request.path_params["handset"], int(request.path_params["n"]))
        return Response(sound, media_type="audio/wav", headers={"Cache-Control": "no-store"})

    async def act(self, request: Request) -> Response:
        body = await _body(request)
        state = await self._line.act(request.path_params["handset"], request.path_params["act"], body)
        return _json(told.handset(state, self._engine))


def _is_ours(request: Request) -> bool:
    """From this machine, under a name of this machine, and not sent by a page of another site."""
    client = request.client.host if request.client is not None else ""
    host = request.url.hostname or ""
    site = request.headers.get("sec-fetch-site", "same-origin")
    if request.method != "GET" and site != "same-origin":
        return False
    return _is_loopback(client) and _is_loopback(host)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _lang(request: Request) -> Lang:
    return Lang.EN if request.query_params.get("lang") == "en" else Lang.ZH


def _fraud_type(text: str) -> FraudType:
    try:
        return FraudType(text)
    except ValueError:
        raise Invalid(field="fraud_type", problem="is not known") from None


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            raise Invalid(field="body", problem="is larger than 1 MB")
    return body


async def _object(request: Request) -> dict[str, Any]:
    try:
        data = orjson.loads(await _body(request))
    except orjson.JSONDecodeError:
        data = None
    if not isinstance(data, dict):
        raise Invalid(field="body", problem="is no JSON object")
    return data


def _json(data: object, status: int = 200) -> Response:
    return Response(orjson.dumps(data), status_code=status, media_type="application/json", headers=_HEADERS)
