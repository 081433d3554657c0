"""Whether this process lives, and whether it can do its work now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dialer.bootstrap import Application
from dialer.errors import Unavailable
from dialer.store import facts


async def live(_request: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "live"})


def ready(app: Application) -> Callable[[Request], Awaitable[Response]]:
    """200 when the database answers, else 503 and which part does not."""

    def ask() -> None:
        with app.engine.store.begin() as tx:
            facts.is_drill(tx)

    async def handle(_request: Request) -> Response:
        try:
            await asyncio.to_thread(ask)
        except Unavailable as fault:
            return JSONResponse({"status": "not ready", "part": fault.part}, status_code=503)
        return JSONResponse({"status": "ready"})

    return handle
