"""Around the whole API: headers of every answer, and an answer where there would be none."""

from __future__ import annotations

import logging
import traceback

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dialer.language import Text
from dialer.web.api.problems import Problem, ProblemCode, problem_response

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Nothing of an answer is kept, guessed at, framed or read by a page of another site."""

_log = logging.getLogger(__name__)


class Guard:
    """A fault of ours is a 500 in the API's own words; the log says where, and not what was in hand."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
            await send(message)

        try:
            await self._app(scope, receive, send_guarded)
        except Exception as fault:
            _log.error(
                "the API failed: %s at %s", type(fault).__name__, _where(fault)
            )  # its text may be personal
            if begun or scope["type"] != "http":
                raise
            problem = Problem(500, ProblemCode.FAULT, Text("a fault of ours; it is logged"))
            await problem_response(problem)(scope, receive, send_guarded)


def _where(fault: Exception) -> str:
    frames = traceback.extract_tb(fault.__traceback__)
    return " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames[-5:]))
