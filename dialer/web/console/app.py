"""The console, put together: every module of `pages` with its routes, behind one door."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from fastapi import FastAPI
from starlette.responses import HTMLResponse

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
    for section in sections:
        for declared in section.declared:
            console.router.add_api_route(
                declared.path,
                declared.answer,
                methods=[declared.method],
                response_model=None,
                response_class=HTMLResponse,
                route_class_override=route_of(declared),
                max_body_size=declared.most_bytes,
            )
    add_faults(console)
    console.add_middleware(ConsoleHeaders, failed=failed)
    return console


def declarations() -> tuple[Declared, ...]:
    """Every page that there is."""
    return tuple(declared for section in _sections() for declared in section.declared)


def _sections() -> Iterator[Section]:
    for module in sorted(pkgutil.iter_modules(found.__path__), key=lambda module: module.name):
        section = importlib.import_module(f"{found.__name__}.{module.name}").pages
        assert isinstance(section, Section)
        yield section


def _places(sections: tuple[Section, ...]) -> tuple[Place, ...]:
    every = [place for section in sections for place in section.places]
    return tuple(sorted(every, key=lambda place: (place.order, place.path)))
