"""The status page: read-only, the service at one moment, refreshed by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from dialer.bootstrap import Application
from dialer.domain.effects import AlarmCode
from dialer.errors import Unavailable
from dialer.language import Lang, mark, say
from dialer.store.reads.status import Status, status
from dialer.web.cache import Cache
from dialer.web.static_files import PageFiles
from dialer.words import word

_HERE = Path(__file__).resolve().parent
_REFRESH_SECONDS = 3
_FRESH_SECONDS = 1.0
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_TEXTS: Mapping[str, str] = {
    "title": mark("Fraud warning and dissuasion"),
    "now": mark("Right now"),
    "drill": mark("Drill data: simulated line, no real phone was called"),
    "lines": mark("lines in use"),
    "of": mark("of"),
    "rung": mark("rings"),
    "attempts": mark("attempts"),
    "waiting": mark("Waiting for the robot"),
    "oldest": mark("oldest"),
    "work": mark("Waiting for people"),
    "overdue": mark("overdue"),
    "cases": mark("Cases"),
    "results": mark("What the calls met"),
    "loads": mark("Lists"),
    "rows": mark("rows"),
    "accepted": mark("accepted"),
    "rejected": mark("refused"),
    "alarms": mark("Alarms"),
    "no_alarms": mark("no unacknowledged alarms"),
    "no_loads": mark("no list yet"),
    "no_calls": mark("no call yet"),
    "refreshed": mark("refreshes every 3 seconds"),
    "gone": mark("The database does not answer, so there are no figures"),
    "minutes": mark("min"),
}


def status_routes(app: Application) -> list[BaseRoute]:
    page = _Page(app)
    return [
        Route("/status", page.show, methods=["GET"]),
        Mount("/static", PageFiles()),
    ]


class _Page:
    def __init__(self, app: Application) -> None:
        self._app = app
        self._zone = ZoneInfo(app.settings.centre.timezone)
        templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined
        )
        self._template = templates.get_template("status.html")
        self._status = Cache[None, Status](self._read, seconds=_FRESH_SECONDS)

    async def show(self, request: Request) -> Response:
        lang = Lang.EN if request.query_params.get("lang") == "en" else Lang.ZH
        try:
            found: Status | None = await asyncio.to_thread(self._status.wait, None)
        except Unavailable:
            found = None
        return HTMLResponse(
            self._template.render(self._facts(found, lang)),
            status_code=200 if found else 503,
            headers=_HEADERS | {"Refresh": str(_REFRESH_SECONDS)},
        )

    def _read(self, _key: None) -> Status:
        engine = self._app.engine
        with engine.store.begin() as tx:
            return status(tx, now=engine.clock.now(), drill=engine.drill)

    def _facts(self, found: Status | None, lang: Lang) -> dict[str, Any]:
        centre = self._app.settings.centre
        return {
            "lang": lang.value,
            "tag": "zh-CN" if lang is Lang.ZH else "en",
            "t": {key: say(lang, text) for key, text in _TEXTS.items()}
            | {"other": "English" if lang is Lang.ZH else "中文"},
            "bureau": centre.bureau_zh if lang is Lang.ZH else centre.bureau_en,
            "s": found,
            "word": lambda member: word(member, lang),
            "alarm": lambda code: word(AlarmCode(code), lang),
            "clock": lambda moment: moment.astimezone(self._zone).strftime("%H:%M:%S"),
            "day": lambda moment: moment.astimezone(self._zone).strftime("%Y-%m-%d"),
            "age": lambda moment: int((found.at - moment).total_seconds() // 60) if found else 0,
        }
