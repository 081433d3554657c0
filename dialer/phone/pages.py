"""A telephone in the browser (`/phone`), on which a person plays the person of a case on the simulated line.

On a real line every address answers 404. Only this machine may use it, and only the page itself may act.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from dialer.case_page.reading import CaseStory, show_case
from dialer.cases.search import CaseLine, CaseQuery, search_cases
from dialer.core.case import STANDING_STATUSES, CaseStatus
from dialer.core.errors import Conflict, DialerError, Invalid, NotFound, Refusal, Unavailable
from dialer.core.text import Lang, Text, gettext_noop
from dialer.core.values import FraudType
from dialer.language.sentences import (
    entry_sentence,
    moment_words,
    refusal_sentence,
    step_sentence,
    waiting_sentence,
)
from dialer.language.words import word_of
from dialer.phone.actions import read_own_warning, request_call, reveal_next_number, take_own_warning
from dialer.runtime.local import CarrierAccess
from dialer.runtime.sections import WebSettings
from dialer.runtime.services import Application, Services
from dialer.scripts.rendered import shipped_manifest
from dialer.web.clients import client_address


class _NumberConvertor(Convertor[int]):
    """An id of the database, of up to 18 digits; starlette's own `int` takes any number of digits."""

    regex = "[0-9]{1,18}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("number", _NumberConvertor())


_TIMEOUT_SECONDS = 5.0
_HANDSETS = "/admin/handsets"
ACTS = frozenset({"answer", "hang_up", "call_in", "keys", "words", "sound"})


_NOT_TAKEN = {
    "keys": gettext_noop("keys: only 0-9, * and #"),
    "words": gettext_noop("words: 1 to 200 characters"),
    "handsets": gettext_noop("number: E.164"),
}
"""Refusals of the carrier by the last part of the address."""


class ActRefused(Refusal):
    """The carrier refuses what was pressed or said."""


async def _ask_carrier(carrier: CarrierAccess, method: str, path: str, body: bytes | None = None) -> bytes:
    """The answer of this installation's own carrier about a handset. Raises `NotFound` for a handset that is unknown or
    was released, `ActRefused` and `Unavailable`.
    """
    import aiohttp  # noqa: PLC0415  # a web process at rest does without

    headers = {"Authorization": f"Bearer {carrier.admin_token}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)) as session,
            session.request(method, carrier.base_url + path, headers=headers, data=body) as answer,
        ):
            found, status = await answer.read(), answer.status
    except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
        raise Unavailable(part="carrier", problem=type(fault).__name__) from fault
    if status == HTTPStatus.NOT_FOUND:
        raise NotFound(kind="telephone in hand", key="")
    if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}:
        raise ActRefused(_NOT_TAKEN.get(path.rpartition("/")[2], gettext_noop("too much at once")))
    if status >= HTTPStatus.BAD_REQUEST:
        raise Unavailable(part="carrier", problem=Text("answered %(status)s", status=status))
    return found


def _handset_path(request: Request) -> str:
    """The carrier's path of the handset in the request. Raises `NotFound` for an id that no carrier gives out."""
    handset = request.path_params["handset"]
    if not handset.isascii() or not handset.isalnum():
        raise NotFound(kind="telephone in hand", key="")
    return f"{_HANDSETS}/{handset}"


def target_json(line: CaseLine, lang: Lang) -> dict[str, Any]:
    """JSON of a masked person who may be called."""
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
        "is_settled_well": case.status in STANDING_STATUSES,
        "contact": case.contact.value,
        "facts": [
            word_of(case.grade, lang),
            word_of(case.fraud_type, lang),
            word_of(case.contact, lang),
            *([word_of(case.outcome, lang)] if case.outcome is not None else []),
        ],
        "waiting": "" if waiting is None else waiting_sentence(waiting, lang),
        "next": [
            {"what": step_sentence(step, lang), "when": moment_words(step.at, story.as_of, lang)}
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
    played = [
        {name: value for name, value in part.items() if name != "name"}
        | {"text": part["text"] or _words_of(part["name"], services)}
        for part in state["played"]
    ]
    return {"did": True} | state | {"played": played}


def _words_of(address: str, services: Services) -> str:
    """The text of the sound at that address, where a shipped or live script has it."""
    file = address.rpartition("/")[2]
    words = _shipped().get(file)
    if words is None and file:
        live = services.rendered_scripts.now(services.real.now()).live.values()
        found = (
            text for script in live for (_, text), named in script.files_by_text.items() if named == file
        )
        words = next(found, "")
    return words or ""


@cache
def _shipped() -> dict[str, str]:
    """The shipped sounds by file; the sound of a name never changes."""
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
    "call_in": ("打给反诈中心", "Call the centre"),
    "hide": ("隐藏我的号码", "Hide my number"),
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
    "answer_first": (
        "接听之前按的键不起作用：请先接听，听到提问再按",
        "A key before you answer is lost: answer, then press it",
    ),
    "listening": ("请按键或说话", "Press a key, or speak"),
    "lost": ("连不上服务，正在重试", "The service does not respond; retrying"),
    "failed": ("没有成功", "Failed"),
    "verified": ("已核实本人", "Verified contact"),
}


_TEMPLATES = Path(__file__).resolve().parent.parent / "web" / "templates"
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
    """The routes of the telephone in the browser; empty on a real line and over SIP."""
    if app.carrier is None or app.settings.carrier.is_sip:
        return []
    page = _Phone(app, app.carrier)
    return [
        Route("/phone", page.guarded(page.show), methods=["GET"]),
        Route("/phone/targets", page.guarded(page.targets), methods=["GET"]),
        Route("/phone/targets", page.guarded(page.load), methods=["POST"]),
        Route("/phone/cases/{case_id:number}", page.guarded(page.case), methods=["GET"]),
        Route("/phone/cases/{case_id:number}/take", page.guarded(page.take), methods=["POST"]),
        Route("/phone/handsets/{handset}", page.guarded(page.state), methods=["GET"]),
        Route("/phone/handsets/{handset}/clips/{n:number}", page.guarded(page.clip), methods=["GET"]),
        Route("/phone/handsets/{handset}/{act}", page.guarded(page.act), methods=["POST"]),
    ]


class _Phone:
    def __init__(self, app: Application, carrier: CarrierAccess) -> None:
        self._app = app
        self._services = app.services
        self._carrier = carrier
        templates = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined
        )
        self._template = templates.get_template("phone.html")

    def guarded(self, handler: Handler) -> Handler:
        """Wraps a handler: it answers only our own page on this machine, and a refusal becomes a JSON answer."""

        async def guarded(request: Request) -> Response:
            if not _is_ours(request, self._app.settings.web):
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
        query = CaseQuery(status=CaseStatus.OPEN, limit=_SHOWN)
        page = await asyncio.to_thread(search_cases, self._services, query)
        return _json({"targets": [target_json(line, lang) for line in page.cases]})

    async def load(self, request: Request) -> Response:
        """Picks up the handset first: the robot calls a high grade at once."""
        data = await _object(request)
        accepted = await asyncio.to_thread(
            read_own_warning,
            self._services,
            name=str(data.get("name", "")),
            phone=str(data.get("phone", "")),
            fraud_type=_fraud_type(str(data.get("fraud_type", ""))),
        )
        await self._take_handset(accepted.record.phones[0])
        case_id = await asyncio.to_thread(take_own_warning, self._services, accepted)
        return _json({"case_id": case_id}, 201)

    async def take(self, request: Request) -> Response:
        """Picks up the handset before the robot calls it."""
        case_id = int(request.path_params["case_id"])
        number = await asyncio.to_thread(reveal_next_number, self._services, case_id)
        state = await self._take_handset(number)
        await asyncio.to_thread(request_call, self._services, case_id)
        return self._handset(state, 201)

    async def case(self, request: Request) -> Response:
        story = await asyncio.to_thread(show_case, self._services, int(request.path_params["case_id"]))
        return _json(story_json(story, _lang(request)))

    async def state(self, request: Request) -> Response:
        return self._handset(await _ask_carrier(self._carrier, "GET", _handset_path(request)))

    async def clip(self, request: Request) -> Response:
        """The sound that the carrier plays, as a WAV file."""
        path = f"{_handset_path(request)}/clips/{request.path_params['n']}"
        sound = await _ask_carrier(self._carrier, "GET", path)
        return Response(sound, media_type="audio/wav", headers={"Cache-Control": "no-store"})

    async def act(self, request: Request) -> Response:
        body, act = await _body(request), request.path_params["act"]
        if act not in ACTS:
            raise NotFound(kind="act", key=act)
        return self._handset(
            await _ask_carrier(self._carrier, "POST", f"{_handset_path(request)}/{act}", body)
        )

    async def _take_handset(self, number: str) -> bytes:
        """Takes the telephone of that number in hand; returns its state."""
        return await _ask_carrier(self._carrier, "POST", _HANDSETS, orjson.dumps({"number": number}))

    def _handset(self, state: bytes, status: int = 200) -> Response:
        return _json(handset_json(orjson.loads(state), self._services), status)


def _is_ours(request: Request, web: WebSettings) -> bool:
    """From this machine, under a name of this machine, and not sent by a page of another site. Where the settings name
    an address of another machine, there is a proxy in front of us: it alone identifies the client, since it passes on
    any Host.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    if request.method != "GET" and site != "same-origin":
        return False
    addresses = (web.public_url, web.console_url)
    hosts = {urlsplit(str(address)).hostname or "" for address in addresses if address is not None}
    if not all(_is_loopback(host) for host in hosts) and "x-forwarded-for" not in request.headers:
        return False
    peer = request.client.host if request.client is not None else ""
    if not _is_loopback(peer) or not _is_loopback(client_address(request, web.proxies)):
        return False
    host = request.url.hostname or ""
    return _is_loopback(host) or host in hosts


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
