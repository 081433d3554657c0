"""Prompts as sound: files that were shipped or rendered here; they never change under a name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from dialer.usecases.engine import Engine


def sound(engine: Engine) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        file = request.path_params["file"]
        path = await asyncio.to_thread(engine.editions.sounds.path, file, real_now=engine.real.now())
        if path is None:
            return Response(status_code=404)
        return FileResponse(
            path, media_type="audio/wav", headers={"Cache-Control": "public, max-age=31536000, immutable"}
        )

    return answer
