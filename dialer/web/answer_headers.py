"""The headers of every answer, and what an error of our own becomes."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dialer.web.clients import Networks, came_by_https

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Pages are not stored, framed or sniffed, and only scripts and styles of our own files run."""

_log = logging.getLogger(__name__)


class AnswerHeaders:
    """Sets these headers on every answer. An error of our own becomes the answer `failed`, a 500, and a line of the log
    that says where it was raised, without its text, which may be personal. `what` names the application; `proxies` are
    trusted to say whether the client used https. `https_only`: what answers over https say of the time to come
    (Strict-Transport-Security); '' for nothing.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        what: str,
        headers: Mapping[str, str],
        failed: Callable[[Request], Awaitable[Response]],
        proxies: Networks = (),
        https_only: str = "",
    ) -> None:
        self._app = app
        self._what = what
        self._headers = headers
        self._failed = failed
        self._proxies = proxies
        self._https_only = https_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                is_http = scope["type"] == "http"
                if self._https_only and is_http and came_by_https(Request(scope), self._proxies):
                    headers.setdefault("Strict-Transport-Security", self._https_only)
            await send(message)

        try:
            await self._app(scope, receive, send_guarded)
        except Exception as fault:
            frames = reversed(traceback.extract_tb(fault.__traceback__)[-5:])
            where = " < ".join(f"{frame.name}:{frame.lineno}" for frame in frames)
            _log.error("%s failed: %s at %s", self._what, type(fault).__name__, where)
            if begun or scope["type"] != "http":
                raise
            response = await self._failed(Request(scope, receive))
            await response(scope, receive, send_guarded)
