"""Templates with their filters and functions, and the static files: styles, scripts, pictures, sound.

One template environment serves both languages: the language is that of the reader for whom a page is rendered.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cache, lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup, escape
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from dialer.core.access import Permission, is_same_actor
from dialer.core.cards import BANKS
from dialer.core.text import Lang, gettext_noop
from dialer.language.catalogue import say_many
from dialer.language.words import actor_word, sentence, word_of
from dialer.runtime.services import Services
from dialer.web.formats import (
    format_ago,
    format_clock,
    format_day,
    format_moment,
    format_money,
    format_number,
    format_span,
)

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
    @property
    def refused(self) -> RefusedForm | None: ...
    @property
    def path(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainReader:
    """A reader without a request, such as for all boards in one language."""

    lang: Lang
    now: datetime
    csrf: str = ""
    refused: RefusedForm | None = None
    path: str = ""


@dataclass(slots=True, kw_only=True)
class RefusedForm:
    """A form that was sent and refused. The page that contains it is rendered again with what was typed."""

    action: str
    """The address it was sent to."""
    field: str
    """The field that is wrong; '' if the fault is not in one field."""
    sentence: str
    typed: Mapping[str, str]
    as_note: bool = False
    """The sentence is shown above the form: no field can show it."""
    shown: bool = False
    """The page contains the form."""
    told: bool = False
    """The page shows the sentence."""


_current: ContextVar[Reader] = ContextVar("reader")
_form: ContextVar[RefusedForm | None] = ContextVar("form", default=None)
"""The refused form, while it is rendered."""


class PlaceGroup(Enum):
    """Entries of the navigation that are grouped for people who have many. The value is English of the catalogue."""

    RESULTS = gettext_noop("Results")
    CARDS = gettext_noop("Two-card control")
    ADMINISTRATION = gettext_noop("Administration")


@dataclass(frozen=True, slots=True, kw_only=True)
class NavigationPlace:
    """One entry of the navigation."""

    path: str
    text: str
    """English of the catalogue."""
    act: Permission
    order: int
    badge: Callable[[Any], int] | None = None
    """How many things wait there for this person; gets the `RequestContext`."""
    group: PlaceGroup | None = None
    whole_centre: bool = False
    """Its page is of the whole centre: accounts of a unit do not have it."""


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """One entry of the navigation bar: one place, or a group of several."""

    text: str
    places: tuple[NavigationPlace, ...]


_MOST_ENTRIES = 9
"""As many as fit beside the name of the service; people who have more places see groups."""


def navigation_of(places: Sequence[NavigationPlace]) -> tuple[NavigationEntry, ...]:
    """The places in their order; those of a group are together, where the first of them is."""
    grouped = len(places) > _MOST_ENTRIES
    found: dict[object, list[NavigationPlace]] = {}
    for place in places:
        found.setdefault(place.group if grouped and place.group else place.path, []).append(place)
    return tuple(
        NavigationEntry(
            key.value if isinstance(key, PlaceGroup) and len(held) > 1 else held[0].text, tuple(held)
        )
        for key, held in found.items()
    )


class _Forms(Extension):
    """Passes to each form with a token the address that it is sent to, so that a refused one is recognised when its
    page is rendered.
    """

    _BEGIN: Final = re.compile(
        r'(<form\b[^>]*?\baction="(?P<action>(?:\{\{.*?\}\}|[^"{])*)"[^>]*>\s*)\{\{ csrf_field\(\) \}\}'
    )
    _PLACE: Final = re.compile(r"\{\{(.*?)\}\}")

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002 - Jinja's signature
        """`{{ csrf_field() }}` right after `<form … action="A">` gets A; `</form>` ends it."""
        known = self._BEGIN.sub(self._with_action, source)
        return known.replace("</form>", "{{ form_end() }}</form>")

    def _with_action(self, found: re.Match[str]) -> str:
        parts = self._PLACE.split(found["action"])
        said = [f"({part})" if place % 2 else repr(part) for place, part in enumerate(parts) if part]
        return f"{found[1]}{{{{ csrf_field({' ~ '.join(said)}) }}}}"


class Pages:
    """The templates of one application, and its navigation."""

    def __init__(
        self,
        *,
        zone: str,
        bureau: Mapping[Lang, str],
        drill: bool,
        practice: bool,
        places: tuple[NavigationPlace, ...],
        name_of: Callable[[str], str],
    ) -> None:
        """`name_of`: the display name of the account with this login; the login where there is none."""
        self.places = places
        self.name_of = name_of
        self._zone = ZoneInfo(zone)
        self._environment = Environment(
            loader=FileSystemLoader(_WEB / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=[_Forms],
        )
        self._environment.globals |= (
            _words()
            | self._formats()
            | {
                "actor": self._actor,
                "static": static,
                "bureau": lambda: bureau[_lang()],
                "drill": drill,
                "practice": practice,
                "banks": lambda: BANKS,
                "other_lang": lambda: Lang.EN if _lang() is Lang.ZH else Lang.ZH,
            }
        )

        # A global, so that a single block of a page, which htmx asks for, has the macros too.
        self._environment.globals["ui"] = self._environment.get_template("console/ui.html").module

    def render(self, reader: Reader, template: str, facts: Mapping[str, object], *, block: str = "") -> str:
        """The page, or one block of it, for this reader."""
        token = _current.set(reader)
        _form.set(None)
        try:
            found = self._environment.get_template(template)
            if not block:
                return found.render(context=reader, **facts)
            block_context = found.new_context({"context": reader, **facts})
            return "".join(found.blocks[block](block_context))
        finally:
            _current.reset(token)

    def _actor(self, login: str | None, names: Mapping[str, str] | None = None) -> str:
        if login and not (names and login in names):
            names = {login: self.name_of(login)}
        return actor_word(login, _lang(), names)

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
        "_": lambda text, **facts: sentence(text, _lang(), **facts),
        "ngettext": lambda one, many, n, **facts: say_many(_lang(), one, many, n, **facts),
        "word": lambda member: word_of(member, _lang()),
        "is_same_actor": is_same_actor,
        "csrf": lambda: _current.get().csrf,
        "csrf_field": _csrf_field,
        "form_end": _form_end,
        "typed_value": _typed_value,
        "problem_of": _problem_of,
        "help_of": _help_of,
        "help_beside": _help_beside,
        "is_refused": lambda action: (form := _current.get().refused) is not None and form.action == action,
    }


_TOKEN = Markup('<input type="hidden" name="csrf" value="{}">')
_REFUSED = Markup("<span data-refused hidden></span>")
_NOTE = Markup('<p class="note note-trouble" role="alert">{}</p>')


def _csrf_field(*actions: str) -> Markup:
    """The token of a form that is sent to one of these addresses. From here to its end the fields of the refused form
    have what was typed.
    """
    reader = _current.get()
    form, token = reader.refused, _TOKEN.format(reader.csrf)
    if form is None or form.shown or form.action not in actions:
        _form.set(None)
        return token
    _form.set(form)
    form.shown = True
    if not form.as_note:
        return token + _REFUSED
    form.told = True
    return token + _REFUSED + _NOTE.format(form.sentence)


def _form_end() -> str:
    _form.set(None)
    return ""


def _typed_value(name: str, value: object) -> object:
    """What was typed in the field of a refused form, else `value`."""
    form = _form.get()
    return value if form is None else form.typed.get(name, value)


def _problem_of(name: str, problem: str) -> str:
    """What is wrong with the field: `problem`, or what the form was refused for."""
    form = _form.get()
    if problem or form is None or form.field != name or form.as_note:
        return problem
    form.told = True
    return form.sentence


def _help_of(field: str = "") -> str:
    """The address that leads to the manual's paragraph about this page, or about a field of it."""
    return _help_of_page(_current.get().path) + (f"&{urlencode({'field': field})}" if field else "")


def _help_beside(field: str) -> Markup:
    """The mark beside a field that leads to its paragraph, for the mouse and the finger: from the keyboard F1 leads to
    the same, so it is no stop of the Tab key and no part of what a label says.
    """
    reader = _current.get()
    return Markup(f'<a class="what" href="{_help_of_page(reader.path)}{_of_field(field, reader.lang)}')  # noqa: S704


@lru_cache(maxsize=256)
def _help_of_page(path: str) -> str:
    return f"/help/of?{urlencode({'page': path})}"


@cache
def _of_field(field: str, lang: Lang) -> str:
    """What in the mark beside a field is the same on each page."""
    said = escape(sentence("What this field wants", lang))
    return (
        f'&amp;{urlencode({"field": field})}" title="{said} (F1)" target="_blank" rel="noopener" tabindex="-1"'
        ' aria-hidden="true"></a>'
    )


@cache
def static(path: str) -> str:
    """The address of a static file with a digest of its content, so that a browser may keep it for good."""
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]
    return f"/static/{path}?v={digest}"


_FOREVER = "public, max-age=31536000, immutable"


_TEXTS = (".css", ".js", ".svg")


@cache
def _compressed(path: str) -> bytes:
    """The file, compressed by gzip once in the life of the process."""
    return gzip.compress((STATIC / path).read_bytes(), mtime=0)


class PageFiles(StaticFiles):
    """The static files, texts compressed. Under an address with `v=` a file never changes, so a browser keeps it."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A static file; one whose address has its version may be cached for good."""
        response = await super().get_response(path, scope)
        if path.endswith(_TEXTS):
            response.headers["Vary"] = "Accept-Encoding"
            asked = Headers(scope=scope)
            is_whole = response.status_code == HTTPStatus.OK and "range" not in asked
            if is_whole and "gzip" in asked.get("accept-encoding", ""):
                headers = {
                    name: value for name, value in response.headers.items() if name != "content-length"
                }
                body = await asyncio.to_thread(_compressed, path)
                response = Response(body, headers=headers | {"Content-Encoding": "gzip"})
        query: bytes = scope.get("query_string", b"")
        response.headers["Cache-Control"] = _FOREVER if query.startswith(b"v=") else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def serve_sound(services: Services) -> Callable[[Request], Awaitable[Response]]:
    """Answers with the sound of shipped and rendered prompts; a file of a given name never changes."""

    async def answer(request: Request) -> Response:
        file = request.path_params["file"]
        path = await asyncio.to_thread(
            services.rendered_scripts.sounds.path, file, real_now=services.real.now()
        )
        if path is None:
            return Response(status_code=404)
        return FileResponse(path, media_type="audio/wav", headers={"Cache-Control": _FOREVER})

    return answer
