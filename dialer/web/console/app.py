"""The console, put together: every module of `pages` with its routes, behind one door."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from dialer.bootstrap import Application
from dialer.language import Lang
from dialer.usecases.show_control import all_paused
from dialer.web.cache import Cache
from dialer.web.closing import Closing
from dialer.web.console import pages as found
from dialer.web.console.door import House, route_of
from dialer.web.console.faults import add_faults, failed
from dialer.web.console.headers import ConsoleHeaders
from dialer.web.console.registry import Declared, Section
from dialer.web.console.rendering import Pages, Place

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


def create_console(app: Application, closing: Closing) -> FastAPI:
    """All pages on this application."""
    sections = tuple(_sections())
    console = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    centre = app.settings.centre
    console.state.house = House(
        app=app,
        rules=app.settings.console.rules(),
        pages=Pages(
            zone=centre.timezone,
            bureau={Lang.ZH: centre.bureau_zh, Lang.EN: centre.bureau_en},
            drill=app.engine.drill,
            places=_places(sections),
        ),
        closing=closing,
        halted=Cache(lambda _: all_paused(app.engine), seconds=_HALTED_SECONDS),
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
            route_class_override=route_of(declared),
            max_body_size=declared.most_bytes,
        )
    return tuple(router.routes)


def declarations() -> tuple[Declared, ...]:
    """Every page that there is."""
    return tuple(declared for section in _sections() for declared in section.declared)


def _moved(path: str) -> Callable[[Request], Response]:
    def go(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(path.format(**request.path_params) + query, status_code=_PERMANENTLY)

    return go


def _sections() -> Iterator[Section]:
    for module in sorted(pkgutil.iter_modules(found.__path__), key=lambda module: module.name):
        section = importlib.import_module(f"{found.__name__}.{module.name}").pages
        assert isinstance(section, Section)
        yield section


def _places(sections: tuple[Section, ...]) -> tuple[Place, ...]:
    every = [place for section in sections for place in section.places]
    return tuple(sorted(every, key=lambda place: (place.order, place.path)))
