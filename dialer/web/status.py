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
from starlette.staticfiles import StaticFiles

from dialer.bootstrap import Application
from dialer.domain.effects import AlarmCode
from dialer.errors import Unavailable
from dialer.store.reads.status import Status, status
from dialer.web.kept import Kept
from dialer.words import Lang, word

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
_TEXTS: Mapping[str, tuple[str, str]] = {
    "title": ("预警劝阻", "Fraud warning and dissuasion"),
    "now": ("此刻", "Right now"),
    "drill": (
        "演练数据：模拟线路，没有拨打任何真实电话",
        "Drill data: simulated line, no real phone was rung",
    ),
    "lines": ("线路", "lines in use"),
    "of": ("共", "of"),
    "rung": ("已响铃", "rings"),
    "attempts": ("次外呼", "attempts"),
    "waiting": ("待机器人外呼", "Waiting for the robot"),
    "oldest": ("最早", "oldest"),
    "work": ("待人工处理", "Waiting for people"),
    "overdue": ("超时", "overdue"),
    "cases": ("案件", "Cases"),
    "results": ("外呼结果", "What the calls met"),
    "loads": ("名单", "Lists"),
    "rows": ("行", "rows"),
    "accepted": ("接收", "accepted"),
    "rejected": ("拒绝", "refused"),
    "alarms": ("告警", "Alarms"),
    "no_alarms": ("没有未读告警", "no alarm is waiting"),
    "no_loads": ("还没有名单", "no list yet"),
    "no_calls": ("还没有外呼", "no call yet"),
    "refreshed": ("每 3 秒自动刷新", "refreshes every 3 seconds"),
    "other": ("English", "中文"),
    "gone": ("数据库没有回应，本页数字无法给出", "The database does not answer, so there are no figures"),
    "minutes": ("分钟", "min"),
}


def status_routes(app: Application) -> list[BaseRoute]:
    page = _Page(app)
    return [
        Route("/", page.show, methods=["GET"]),
        Mount("/static", StaticFiles(directory=_HERE / "static")),
    ]


class _Page:
    def __init__(self, app: Application) -> None:
        self._app = app
        self._zone = ZoneInfo(app.settings.centre.timezone)
        templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined
        )
        self._template = templates.get_template("status.html")
        self._status = Kept(self._read, seconds=_FRESH_SECONDS)

    async def show(self, request: Request) -> Response:
        lang = Lang.EN if request.query_params.get("lang") == "en" else Lang.ZH
        try:
            found: Status | None = await asyncio.to_thread(self._status.get)
        except Unavailable:
            found = None
        return HTMLResponse(
            self._template.render(self._facts(found, lang)),
            status_code=200 if found else 503,
            headers=_HEADERS | {"Refresh": str(_REFRESH_SECONDS)},
        )

    def _read(self) -> Status:
        engine = self._app.engine
        with engine.store.begin() as tx:
            return status(tx, now=engine.clock.now(), drill=engine.drill)

    def _facts(self, found: Status | None, lang: Lang) -> dict[str, Any]:
        place = 0 if lang is Lang.ZH else 1
        centre = self._app.settings.centre
        return {
            "lang": lang.value,
            "tag": "zh-CN" if lang is Lang.ZH else "en",
            "t": {key: texts[place] for key, texts in _TEXTS.items()},
            "bureau": centre.bureau_zh if lang is Lang.ZH else centre.bureau_en,
            "s": found,
            "word": lambda member: word(member, lang),
            "alarm": lambda code: word(AlarmCode(code), lang),
            "clock": lambda moment: moment.astimezone(self._zone).strftime("%H:%M:%S"),
            "day": lambda moment: moment.astimezone(self._zone).strftime("%Y-%m-%d"),
            "age": lambda moment: int((found.at - moment).total_seconds() // 60) if found else 0,
        }
