"""Templates with what they can say, and the files beside them: styles, scripts, pictures, sound.

One template environment serves both languages: the language is that of the reader for whom a page is rendered.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from dialer.core.access import Permission
from dialer.language import Lang, gettext_noop, say, say_many
from dialer.services import Services
from dialer.web.formats import (
    format_ago,
    format_clock,
    format_day,
    format_moment,
    format_money,
    format_number,
    format_span,
)
from dialer.words import actor_word, word_of

_WEB = Path(__file__).resolve().parent
STATIC = _WEB / "static"


class Reader(Protocol):
    """For whom a page is rendered."""

    @property
    def lang(self) -> Lang: ...
    @property
    def csrf(self) -> str: ...
    @property
    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainReader:
    """A reader without a request: everybody of one language."""

    lang: Lang
    now: datetime
    csrf: str = ""


_current: ContextVar[Reader] = ContextVar("reader")


class PlaceGroup(Enum):
    """Entries of the navigation that one entry holds for people who have many. The value is English of the
    catalogue.
    """

    RESULTS = gettext_noop("Results")
    CARDS = gettext_noop("Two-card control")
    ADMINISTRATION = gettext_noop("Administration")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One entry of the navigation."""

    path: str
    text: str
    """English of the catalogue."""
    act: Permission
    order: int
    badge: Callable[[Any], int] | None = None
    """How many things wait there for this person, by the `RequestContext`."""
    group: PlaceGroup | None = None


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """What stands in the bar: one place, or a group of several."""

    text: str
    places: tuple[Place, ...]


_MOST_ENTRIES = 9
"""So many fit beside the name of the service; people who have more places see groups."""


def navigation_of(places: Sequence[Place]) -> tuple[NavigationEntry, ...]:
    """The places in their order, those of a group together at its first one."""
    grouped = len(places) > _MOST_ENTRIES
    found: dict[object, list[Place]] = {}
    for place in places:
        found.setdefault(place.group if grouped and place.group else place.path, []).append(place)
    return tuple(
        NavigationEntry(
            key.value if isinstance(key, PlaceGroup) and len(held) > 1 else held[0].text, tuple(held)
        )
        for key, held in found.items()
    )


class Pages:
    """The templates of one application, and its navigation."""

    def __init__(
        self, *, zone: str, bureau: Mapping[Lang, str], drill: bool, places: tuple[Place, ...]
    ) -> None:
        self.places = places
        self._zone = ZoneInfo(zone)
        self._environment = Environment(
            loader=FileSystemLoader(_WEB / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals |= (
            _words()
            | self._formats()
            | {
                "static": static,
                "bureau": lambda: bureau[_lang()],
                "drill": drill,
                "other_lang": lambda: Lang.EN if _lang() is Lang.ZH else Lang.ZH,
            }
        )

        # A global, so that a single block of a page, which htmx asks for, has the macros too.
        self._environment.globals["ui"] = self._environment.get_template("console/ui.html").module

    def render(self, reader: Reader, template: str, facts: Mapping[str, object], *, block: str = "") -> str:
        """The page, or one block of it, for this reader."""
        token = _current.set(reader)
        try:
            found = self._environment.get_template(template)
            if not block:
                return found.render(context=reader, **facts)
            block_context = found.new_context({"context": reader, **facts})
            return "".join(found.blocks[block](block_context))
        finally:
            _current.reset(token)

    def _formats(self) -> dict[str, Any]:
        zone = self._zone
        return {
            "money": format_money,
            "number": format_number,
            "day": lambda at: format_day(at, _lang(), zone),
            "clock": lambda at: format_clock(at, zone),
            "seconds": lambda at: format_clock(at, zone, seconds=True),
            "moment": lambda at: format_moment(at, _current.get().now, _lang(), zone),
            "ago": lambda at: format_ago(at, _current.get().now, _lang()),
            "span": lambda seconds: format_span(seconds, _lang()),
            "local": lambda at: at.astimezone(zone),
        }


def _lang() -> Lang:
    return _current.get().lang


def _words() -> dict[str, Any]:
    return {
        "_": lambda text, **facts: say(_lang(), text, **facts),
        "ngettext": lambda one, many, n, **facts: say_many(_lang(), one, many, n, **facts),
        "word": lambda member: word_of(member, _lang()),
        "actor": lambda login, names=None: actor_word(login, _lang(), names),
        "csrf": lambda: _current.get().csrf,
        "csrf_field": lambda: Markup('<input type="hidden" name="csrf" value="{}">').format(
            _current.get().csrf
        ),
    }


@cache
def static(path: str) -> str:
    """The address of a static file with a digest of its content, so that a browser may keep it for good."""
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]
    return f"/static/{path}?v={digest}"


_FOREVER = "public, max-age=31536000, immutable"


class PageFiles(StaticFiles):
    """The static files. Under an address with `v=` a file never changes, so a browser keeps it."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A static file; one whose address has its version may be cached for good."""
        response = await super().get_response(path, scope)
        query: bytes = scope.get("query_string", b"")
        response.headers["Cache-Control"] = _FOREVER if query.startswith(b"v=") else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def sound(services: Services) -> Callable[[Request], Awaitable[Response]]:
    """Shipped and rendered prompts; a file of a given name never changes."""

    async def answer(request: Request) -> Response:
        file = request.path_params["file"]
        path = await asyncio.to_thread(
            services.rendered_scripts.sounds.path, file, real_now=services.real.now()
        )
        if path is None:
            return Response(status_code=404)
        return FileResponse(path, media_type="audio/wav", headers={"Cache-Control": _FOREVER})

    return answer
