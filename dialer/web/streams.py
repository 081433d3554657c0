"""Streams of events to an open page (server-sent events)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

from sse_starlette import EventSourceResponse
from sse_starlette.sse import SendTimeoutError
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

_EVENTS: Final = "text/event-stream"
_SEND_SECONDS: Final = 20.0


def wants_events(request: Request) -> bool:
    """Whether the client reads a stream of events; another one gets a single answer."""
    return _EVENTS in request.headers.get("accept", "")


class EventStream(EventSourceResponse):
    """An answer that sends events until they end. A reader that has disconnected is not an error, and one that takes
    nothing for 20 s is gone. `leave` is called however the stream ends.
    """

    def __init__(self, events: AsyncIterator[bytes], *, leave: Callable[[], None] | None = None) -> None:
        super().__init__(events, ping=0, send_timeout=_SEND_SECONDS)
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with contextlib.suppress(SendTimeoutError, OSError):
                await super().__call__(scope, receive, send)
        finally:
            if self._leave is not None:
                self._leave()
