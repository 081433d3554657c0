"""Prompts as sound: only files that the manifest names, and they never change under a name."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from dialer.usecases.choose_script import manifest


async def sound(request: Request) -> Response:
    path = manifest().path(request.path_params["file"])
    if path is None or not path.is_file():
        return Response(status_code=404)
    return FileResponse(
        path, media_type="audio/wav", headers={"Cache-Control": "public, max-age=31536000, immutable"}
    )
