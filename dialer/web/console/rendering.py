"""Templates, and what they can say. One environment for both languages: which one is asked for is known per render."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dialer.domain.access import Act
from dialer.language import Lang, say, say_many
from dialer.web.console import formats
from dialer.words import word

_WEB = Path(__file__).resolve().parent.parent
STATIC = _WEB / "static"


class Reader(Protocol):
    """For whom a page is made."""

    @property
    def lang(self) -> Lang: ...
    @property
    def csrf(self) -> str: ...
    @property
    def now(self) -> datetime: ...


_current: ContextVar[Reader] = ContextVar("reader")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One entry of the navigation."""

    path: str
    text: str
    """English of the catalogue."""
    act: Act
    order: int


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

        # A global, so that one block of a page, which htmx asks for, has the parts as well as the whole page.
        self._environment.globals["ui"] = self._environment.get_template("console/ui.html").module

    def render(self, reader: Reader, template: str, facts: Mapping[str, object], *, block: str = "") -> str:
        """The page, or one block of it, for this reader."""
        token = _current.set(reader)
        try:
            found = self._environment.get_template(template)
            if not block:
                return found.render(visit=reader, **facts)
            context = found.new_context({"visit": reader, **facts})
            return "".join(found.blocks[block](context))
        finally:
            _current.reset(token)

    def _formats(self) -> dict[str, Any]:
        zone = self._zone
        return {
            "money": formats.money,
            "number": formats.number,
            "day": lambda at: formats.day(at, _lang(), zone),
            "clock": lambda at: formats.clock(at, zone),
            "seconds": lambda at: formats.clock(at, zone, seconds=True),
            "moment": lambda at: formats.moment(at, _current.get().now, _lang(), zone),
            "ago": lambda at: formats.ago(at, _current.get().now, _lang()),
            "span": lambda seconds: formats.span(seconds, _lang()),
            "local": lambda at: at.astimezone(zone),
        }


def _lang() -> Lang:
    return _current.get().lang


def _words() -> dict[str, Any]:
    def told(text: str, **facts: object) -> str:
        return say(_lang(), text, **facts)

    def counted(one: str, many: str, n: int, **facts: object) -> str:
        return say_many(_lang(), one, many, n, **facts)

    def named(member: StrEnum) -> str:
        return word(member, _lang())

    return {
        "_": told,
        "ngettext": counted,
        "word": named,
        "csrf": lambda: _current.get().csrf,
        "csrf_field": lambda: Markup('<input type="hidden" name="csrf" value="{}">').format(
            _current.get().csrf
        ),
    }


@cache
def static(path: str) -> str:
    """The address of a static file, with what it holds in it: a browser may keep it for good."""
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]
    return f"/static/{path}?v={digest}"
