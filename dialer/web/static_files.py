"""Styles, scripts and pictures of the pages. Under an address with `v=` they never change, so a browser keeps them."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_FOLDER = Path(__file__).resolve().parent / "static"
_FOREVER = "public, max-age=31536000, immutable"
_ASK = "no-cache"


class PageFiles(StaticFiles):
    def __init__(self) -> None:
        super().__init__(directory=_FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        query: bytes = scope.get("query_string", b"")
        response.headers["Cache-Control"] = _FOREVER if query.startswith(b"v=") else _ASK
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
