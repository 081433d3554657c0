"""/phone: a telephone in the browser for the simulated line, Chinese first. With a real line every address answers 404.

Only this machine may use it, and only the page itself may act: it plays simulated people, yet a page of another site
must not answer telephones here.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from dialer.casefile.reading import CaseStory, show_case
from dialer.cases.search import CaseLine, search_cases
from dialer.core.case import CaseStatus
from dialer.core.errors import Conflict, DialerError, Invalid, NotFound, Refusal, Unavailable
from dialer.core.values import FraudType
from dialer.language import Lang
from dialer.phone.actions import Line, number_of, read_of_oneself, request_call, warn_of_oneself
from dialer.scripts.rendered import shipped_manifest
from dialer.services import Application, Services
from dialer.wording.sentences import (
    entry_sentence,
    moment_words,
    refusal_sentence,
    step_sentence,
    waiting_sentence,
)
from dialer.wording.words import word_of

_GOOD = frozenset({"watching", "proven"})


def target_json(line: CaseLine, lang: Lang) -> dict[str, Any]:
    """A masked person who may be called."""
    return {
        "case_id": line.id,
        "name": line.person.name,
        "phone": line.person.phones[0] if line.person.phones else "",
        "grade": line.grade.value,
        "grade_word": word_of(line.grade, lang),
        "fraud_type": word_of(line.fraud_type, lang),
        "rings": line.robot_attempts,
    }


def story_json(story: CaseStory, lang: Lang) -> dict[str, Any]:
    """The case's timeline, newest last, and what comes next."""
    case, zone = story.file.stored.case, ZoneInfo(story.timezone)
    waiting = story.waiting
    return {
        "case_id": case.id,
        "name": story.file.person.name,
        "phone": story.file.person.phones[case.robot.number],
        "grade": case.grade.value,
        "status": word_of(case.status, lang),
        "is_settled_well": case.status.value in _GOOD,
        "contact": case.contact.value,
        "facts": [
            word_of(case.grade, lang),
            word_of(case.fraud_type, lang),
            word_of(case.contact, lang),
            *([word_of(case.outcome, lang)] if case.outcome is not None else []),
        ],
        "waiting": "" if waiting is None else waiting_sentence(waiting, lang),
        "next": [
            {"what": step_sentence(step, lang), "when": moment_words(step.at, story.told_at, lang)}
            for step in story.next_steps
        ],
        "timeline": [
            {
                "id": entry.id + entry.kind.value,
                "at": f"{entry.at.astimezone(zone):%H:%M:%S}",
                "by": entry.by,
                "kind": entry.kind.value,
                "what": entry_sentence(entry, lang),
            }
            for entry in story.file.timeline
        ],
    }


def handset_json(state: dict[str, Any], services: Services) -> dict[str, Any]:
    """The state of a handset as the carrier reports it, with the texts of what is played."""
    return {
        **{name: state[name] for name in ("id", "state", "calls", "asking", "hears_sound", "speed")},
        "did": state.get("did", True),
        "played": [
            {
                "n": one["n"],
                "seconds": one["seconds"],
                "text": one["text"] or _words_of(one["name"], services),
                "has_sound": one["has_sound"],
                "cut": one["cut"],
            }
            for one in state["played"]
        ],
    }


def _words_of(address: str, services: Services) -> str:
    """The text of the sound at that address, where a shipped or live script has it."""
    file = address.rpartition("/")[2]
    words = _shipped().get(file)
    if words is None and file:
        live = services.rendered_scripts.now(services.real.now()).live.values()
        found = (text for one in live for (_, text), named in one.by_text.items() if named == file)
        words = next(found, "")
    return words or ""


@cache
def _shipped() -> dict[str, str]:
    """By file; the sound of a name never changes."""
    return {clip.file: clip.text for clip in shipped_manifest().clips}


TEXTS: Mapping[str, tuple[str, str]] = {
    "title": ("接听电话", "A phone you can pick up"),
    "lead": (
        "选一位当事人，或者把自己加进来，等机器人打来：接听，听到的就是线路上播放的声音。",
        "Pick a person, or add yourself, and let the robot call: you hear the sound that is played on the line.",
    ),
    "drill": ("模拟线路：这里的电话打不到任何真实号码", "Simulated line: nothing here reaches a real number"),
    "other": ("English", "中文"),
    "status_page": ("状态页", "Status"),
    "yourself": ("把自己加为当事人", "Add yourself"),
    "name": ("姓名", "Name"),
    "phone": ("手机号（随便填，不会拨出）", "Mobile number (any; it is not dialled)"),
    "fraud_type": ("诈骗类型", "Fraud type"),
    "load": ("加入并让机器人拨打", "Add me and let the robot call"),
    "targets": ("或选一位当事人", "Or pick a person"),
    "none": ("现在没有待劝阻的预警单", "There is no open case now"),
    "rings": ("已呼叫 {n} 次", "called {n} times"),
    "waiting_call": ("等待机器人来电…", "Waiting for the robot's call…"),
    "ringing": ("来电：预警劝阻", "Incoming: fraud warning"),
    "talking": ("通话中", "Talking"),
    "over": ("通话结束", "The call is over"),
    "answer": ("接听", "Answer"),
    "reject": ("拒接", "Reject"),
    "hang_up": ("挂断", "Hang up"),
    "again": ("再打一次", "Call again"),
    "back": ("换一部电话", "Another telephone"),
    "hold_to_speak": ("按住说话", "Hold to speak"),
    "speaking": ("松开发送", "Release to send"),
    "say": ("打字代替说话", "Type instead of speaking"),
    "send": ("说", "Say"),
    "no_ear": (
        "没有安装语音识别（可选组件 hearing），请按键或打字",
        "Speech recognition (the extra `hearing`) is not installed: press keys, or write what you say",
    ),
    "no_microphone": ("没有麦克风可用", "No microphone can be used"),
    "shortcuts": (
        "键盘：0-9 * # 按键，Enter 接听，Esc 挂断",
        "Keyboard: 0-9 * #, Enter answers, Esc hangs up",
    ),
    "fast": (
        "线路时钟正以 {n} 倍运行，声音会被截断；等演练放慢到 1 倍再接听",
        "The line's clock runs {n} times as fast, so sound is cut off: wait until the drill runs at 1",
    ),
    "case": ("预警单", "Case"),
    "next": ("下一步", "Next step"),
    "happened": ("经过", "What happened"),
    "pick_first": ("选好电话后，预警单的经过会在这里同步显示", "Pick a phone to see its case here"),
    "robot_says": ("机器人", "Robot"),
    "listening": ("请按键或说话", "Press a key, or speak"),
    "lost": ("连不上服务，正在重试", "The service does not respond; retrying"),
    "failed": ("没有成功", "Failed"),
    "verified": ("已核实本人", "Verified contact"),
}


_TEMPLATES = Path(__file__).resolve().parents[1] / "web" / "templates"
_MOST_BYTES = 1024 * 1024
_SHOWN = 40
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_STATUS = ((NotFound, 404), (Conflict, 409), (Refusal, 422), (Unavailable, 503))

Handler = Callable[[Request], Awaitable[Response]]


def phone_routes(app: Application) -> list[BaseRoute]:
    """None on a real line."""
    if app.carrier is None:
        return []
    page = _Phone(app, Line(access=app.carrier))
    return [
        Route("/phone", page.guarded(page.show), methods=["GET"]),
        Route("/phone/targets", page.guarded(page.targets), methods=["GET"]),
        Route("/phone/targets", page.guarded(page.load), methods=["POST"]),
        Route("/phone/cases/{case_id:int}", page.guarded(page.case), methods=["GET"]),
        Route("/phone/cases/{case_id:int}/take", page.guarded(page.take), methods=["POST"]),
        Route("/phone/handsets/{handset}", page.guarded(page.state), methods=["GET"]),
        Route("/phone/handsets/{handset}/clips/{n:int}", page.guarded(page.clip), methods=["GET"]),
        Route("/phone/handsets/{handset}/{act}", page.guarded(page.act), methods=["POST"]),
    ]


class _Phone:
    def __init__(self, app: Application, line: Line) -> None:
        self._app = app
        self._services = app.services
        self._line = line
        templates = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined
        )
        self._template = templates.get_template("phone.html")

    def guarded(self, handler: Handler) -> Handler:
        """Our own page on this machine, and an answer for every refusal."""

        async def guarded(request: Request) -> Response:
            if not _is_ours(request):
                return _json({"error": "this page is for this machine alone"}, 403)
            try:
                return await handler(request)
            except DialerError as fault:
                status = next((code for kind, code in _STATUS if isinstance(fault, kind)), 500)
                field = fault.field if isinstance(fault, Invalid) else ""
                return _json({"error": refusal_sentence(fault, _lang(request)), "field": field}, status)

        return guarded

    async def show(self, request: Request) -> Response:
        lang = _lang(request)
        words = {name: pair[lang is Lang.EN] for name, pair in TEXTS.items()}
        centre = self._app.settings.centre
        html = self._template.render(
            lang=lang.value,
            tag="zh-CN" if lang is Lang.ZH else "en",
            t=words,
            texts=orjson.dumps(words).decode(),
            bureau=centre.bureau_zh if lang is Lang.ZH else centre.bureau_en,
            fraud_types=[(kind.value, word_of(kind, lang)) for kind in FraudType],
        )
        return HTMLResponse(html, headers=_HEADERS)

    async def targets(self, request: Request) -> Response:
        lang = _lang(request)
        page = await asyncio.to_thread(search_cases, self._services, status=CaseStatus.OPEN, limit=_SHOWN)
        return _json({"targets": [target_json(line, lang) for line in page.cases]})

    async def load(self, request: Request) -> Response:
        """Picks up the handset first: the robot calls a high grade at once."""
        data = await _object(request)
        accepted = await asyncio.to_thread(
            read_of_oneself,
            self._services,
            name=str(data.get("name", "")),
            phone=str(data.get("phone", "")),
            fraud_type=_fraud_type(str(data.get("fraud_type", ""))),
        )
        await self._line.take(accepted.record.phones[0])
        case_id = await asyncio.to_thread(warn_of_oneself, self._services, accepted)
        return _json({"case_id": case_id}, 201)

    async def take(self, request: Request) -> Response:
        """Picks up the handset before the robot calls it."""
        case_id = int(request.path_params["case_id"])
        number = await asyncio.to_thread(number_of, self._services, case_id)
        state = await self._line.take(number)
        await asyncio.to_thread(request_call, self._services, case_id)
        return _json(handset_json(state, self._services), 201)

    async def case(self, request: Request) -> Response:
        story = await asyncio.to_thread(show_case, self._services, int(request.path_params["case_id"]))
        return _json(story_json(story, _lang(request)))

    async def state(self, request: Request) -> Response:
        return _json(handset_json(await self._line.state(request.path_params["handset"]), self._services))

    async def clip(self, request: Request) -> Response:
        sound = await self._line.clip(request.path_params["handset"], int(request.path_params["n"]))
        return Response(sound, media_type="audio/wav", headers={"Cache-Control": "no-store"})

    async def act(self, request: Request) -> Response:
        body = await _body(request)
        state = await self._line.act(request.path_params["handset"], request.path_params["act"], body)
        return _json(handset_json(state, self._services))


def _is_ours(request: Request) -> bool:
    """From this machine, under a name of this machine, and not sent by a page of another site."""
    client = request.client.host if request.client is not None else ""
    host = request.url.hostname or ""
    site = request.headers.get("sec-fetch-site", "same-origin")
    if request.method != "GET" and site != "same-origin":
        return False
    return _is_loopback(client) and _is_loopback(host)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _lang(request: Request) -> Lang:
    return Lang.EN if request.query_params.get("lang") == "en" else Lang.ZH


def _fraud_type(text: str) -> FraudType:
    try:
        return FraudType(text)
    except ValueError:
        raise Invalid(field="fraud_type", problem="is not known") from None


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            raise Invalid(field="body", problem="is larger than 1 MB")
    return body


async def _object(request: Request) -> dict[str, Any]:
    try:
        data = orjson.loads(await _body(request))
    except orjson.JSONDecodeError:
        data = None
    if not isinstance(data, dict):
        raise Invalid(field="body", problem="is no JSON object")
    return data


def _json(data: object, status: int = 200) -> Response:
    return Response(orjson.dumps(data), status_code=status, media_type="application/json", headers=_HEADERS)
