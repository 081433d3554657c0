"""The operator's API under /admin/: counts, clock, people, faults, limits, crash, and handsets that a person operates.

Not part of Twilio's API. A handset is addressed by a random id; its number is given once, in a body.
"""

from __future__ import annotations

import asyncio
import hmac
from base64 import b64decode
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
from aiohttp import web

from carrier.calls import RestProblem
from carrier.config import ServiceClock
from carrier.exchange import Exchange
from carrier.faults import read_faults
from carrier.lines import Clip
from carrier.lines.handset import Handset
from carrier.lines.simulated import SimulatedLine
from carrier.lines.sip.line import SipLine
from carrier.lines.sip.link import StackLink
from carrier.lines.sip.testing import place_test_call
from carrier.lines.sound import read_wav
from carrier.people import behaviour_from
from carrier.speech_input import Speech
from carrier.texts import TextBoard

_KEYS = frozenset("0123456789*#")
_LONGEST_WORDS = 200
_GONE = "no such handset or clip"


class _Refused(Exception):
    """Answered with this HTTP status and error text. A `ValueError` of a handler is answered with 400."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


class HandsetFront:
    """Handlers under /admin/handsets, of a simulated line only."""

    def __init__(self, exchange: Exchange, line: SimulatedLine) -> None:
        self._exchange = exchange
        self._handsets = line.handsets

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Creates the handset of a number and answers 201 with its state; asked again for the same number, the same
        handset.
        """
        number = _text(await request.read(), "number")
        if not number.removeprefix("+").isdecimal():
            raise ValueError("number: E.164")
        return _json(self._state(self._handsets.take(number)), 201)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """JSON of the handset in the address: its state, its call, what it has played. 404 without one."""
        return _json(self._state(self._found(request)))

    async def release(self, request: web.Request) -> web.StreamResponse:
        """Returns the handset's number to an ordinary person; an unknown handset is no error."""
        handset = self._handsets.find(request.match_info["handset"])
        if handset is not None:
            self._handsets.release(handset)
        return _json({})

    async def act(self, request: web.Request) -> web.StreamResponse:
        """`answer`, `hang_up`, `call_in` {"hides_number"}, `keys` {"keys"}, `words` {"words"}, or `sound` (a WAV file
        as the body).
        """
        handset = self._found(request)
        body = await request.read()
        match request.match_info["act"]:
            case "answer":
                did = handset.answer()
            case "hang_up":
                did = handset.hang_up()
            case "call_in":
                hides = _flag(body, "hides_number")
                did = handset.is_free
                if did:
                    caller = "" if hides else handset.number
                    did = self._exchange.receive(caller, handset.call_in) is not None
            case "sound":
                did = handset.say(Speech(wav=body))
            case "keys":
                keys = _text(body, "keys")
                if not keys or set(keys) - _KEYS:
                    raise ValueError("keys: only 0-9, * and #")
                did = handset.press(keys)
            case "words":
                words = _text(body, "words").strip()
                if not words or len(words) > _LONGEST_WORDS:
                    raise ValueError(f"words: 1 to {_LONGEST_WORDS} characters")
                did = handset.say(Speech(words=words))
            case _:
                raise _Refused(404, "no such act")
        return _json({**self._state(handset), "did": did})

    async def clip(self, request: web.Request) -> web.StreamResponse:
        """The sound of a prompt while it is kept; 404 for text without sound."""
        n = request.match_info["n"]
        clip = self._found(request).clip(int(n)) if n.isdecimal() else None
        if clip is None or not clip.wav:
            raise _Refused(404, _GONE)
        return web.Response(body=clip.wav, content_type="audio/wav")

    def _found(self, request: web.Request) -> Handset:
        handset = self._handsets.find(request.match_info["handset"])
        if handset is None:
            raise _Refused(404, _GONE)
        return handset

    def _state(self, handset: Handset) -> dict[str, Any]:
        return {
            "id": handset.id,
            "state": handset.state.value,
            "calls": handset.calls,
            "asking": handset.asking,
            "played": [
                {
                    "n": played.n,
                    "seconds": round(played.clip.seconds, 3),
                    "name": played.clip.name,
                    "text": played.clip.text,
                    "has_sound": bool(played.clip.wav),
                    "cut": played.cut,
                }
                for played in handset.played
            ],
            "hears_sound": self._exchange.hearing.has_engine,
            "speed": self._exchange.timers.clock.speed,
        }


def _text(body: bytes, name: str) -> str:
    data = orjson.loads(body) if body else {}
    value = data.get(name) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""


def _flag(body: bytes, name: str) -> bool:
    data = orjson.loads(body) if body else {}
    return isinstance(data, dict) and data.get(name) is True


def _json(data: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, content_type="application/json")


class StackFront:
    """The handler of the SIP process's connection, on a line of trunks only."""

    def __init__(self, line: SipLine) -> None:
        self._line = line

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """A WebSocket over which the process receives commands and reports events, until one of the two sides ends it.
        A second process is refused meanwhile (409): it would take the line from the first one, and leave that one's
        calls up.
        """
        if self._line.is_connected:
            raise _Refused(409, "a SIP process is connected")
        socket = web.WebSocketResponse(heartbeat=10.0, max_msg_size=_LARGEST_MESSAGE)
        await socket.prepare(request)
        queue: asyncio.Queue[tuple[bool, bytes]] = asyncio.Queue()
        link = StackLink(
            lambda text: queue.put_nowait((True, text)), lambda sound: queue.put_nowait((False, sound))
        )

        async def send() -> None:
            while True:
                is_text, data = await queue.get()
                await (socket.send_str(data.decode()) if is_text else socket.send_bytes(data))

        self._line.attach(link)
        sender = asyncio.create_task(send())
        try:
            async for message in socket:
                if message.type is web.WSMsgType.TEXT and self._line.link is link:
                    self._line.heard(orjson.loads(message.data))
                elif message.type is web.WSMsgType.BINARY and self._line.link is link:
                    self._line.heard_sound(message.data)
        finally:
            sender.cancel()
            self._line.detached(link)
        return socket


_LARGEST_MESSAGE = 64 * 1024 * 1024
_MOST_TRACED = 50
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class AdminFront:
    """Handlers under /admin/, with a bearer token of their own; without a configured token only health answers."""

    def __init__(self, exchange: Exchange, board: TextBoard, *, token: str) -> None:
        self._exchange = exchange
        self._board = board
        line = exchange.line
        self._line = line if isinstance(line, SimulatedLine) else None
        self._sip = line if isinstance(line, SipLine) else None
        self._authorization = f"Bearer {token}".encode() if token else b""

    def add_routes(self, app: web.Application) -> None:
        """Adds every route below `/admin/`. All but health require the bearer token."""
        app.router.add_get("/admin/health", self.health)
        for method, path, handler in (
            ("GET", "/admin/rings", self.rings),
            ("GET", "/admin/pace", self.pace),
            ("GET", "/admin/calls", self.calls),
            ("GET", "/admin/messages", self.messages),
            ("GET", "/admin/inbox/{number}", self.inbox),
            ("GET", "/admin/clock", self.clock),
            ("PUT", "/admin/clock", self.set_clock),
            ("PUT", "/admin/people/{number}", self.set_person),
            ("DELETE", "/admin/people/{number}", self.reset_person),
            ("POST", "/admin/people/{number}/call_in", self.call_in),
            ("GET", "/admin/faults", self.faults),
            ("PUT", "/admin/faults", self.set_faults),
            ("DELETE", "/admin/faults", self.clear_faults),
            ("PUT", "/admin/limits", self.set_limits),
            ("POST", "/admin/crash", self.crash),
            *self._of_handsets(),
            *self._of_trunks(),
        ):
            app.router.add_route(method, path, self._guarded(handler))

    def _of_handsets(self) -> list[tuple[str, str, Handler]]:
        """The routes of the handsets; empty on a line that reaches real people."""
        if self._line is None:
            return []
        front = HandsetFront(self._exchange, self._line)
        handset = "/admin/handsets/{handset}"
        return [
            ("POST", "/admin/handsets", front.take),
            ("GET", handset, front.show),
            ("DELETE", handset, front.release),
            ("GET", handset + "/clips/{n}", front.clip),
            ("POST", handset + "/{act}", front.act),
        ]

    def _of_trunks(self) -> list[tuple[str, str, Handler]]:
        """The routes of the trunks; empty on a line without trunks."""
        if self._sip is None:
            return []
        return [
            ("GET", "/admin/line", StackFront(self._sip).connect),
            ("GET", "/admin/trunks", self.trunks),
            ("GET", "/admin/calls/{sid}/quality", self.quality),
            ("GET", "/admin/trunks/trace", self.trace),
            ("POST", "/admin/trunks/call", self.test_call),
        ]

    async def trunks(self, _request: web.Request) -> web.StreamResponse:
        """The state of every trunk, without telephone numbers."""
        assert self._sip is not None
        return _json(self._sip.as_json() | {"calls_in_refused": self._exchange.calls_in_refused})

    async def quality(self, request: web.Request) -> web.StreamResponse:
        """The sound quality of one call for as long as the call is kept; 404 for a call that was not answered."""
        try:
            found = self._exchange.find(request.match_info["sid"]).quality
        except RestProblem:
            found = None
        if found is None:
            raise _Refused(404, "no call with figures")
        return _json(asdict(found))

    async def trace(self, request: web.Request) -> web.StreamResponse:
        """The masked SIP messages of the newest calls; `?calls=` is their number (1 to 50, default 1)."""
        assert self._sip is not None
        wanted = request.query.get("calls", "1")
        if not wanted.isdecimal() or not 1 <= int(wanted) <= _MOST_TRACED:
            raise ValueError(f"calls: 1 to {_MOST_TRACED}")
        try:
            return _json({"calls": await self._sip.trace(int(wanted))})
        except TimeoutError:
            raise _Refused(504, "the SIP process does not answer") from None

    async def test_call(self, request: web.Request) -> web.StreamResponse:
        """Calls `number` once, plays `wav` (base64), accepts keys for `listen_seconds`, and answers what happened."""
        assert self._sip is not None
        data = await _object(request)
        wav = b64decode(str(data.get("wav", "")), validate=True)
        clip = Clip(seconds=read_wav(wav).seconds, wav=wav, name=f"test/{sha256(wav).hexdigest()}")
        listens = min(60.0, max(1.0, float(data.get("listen_seconds", 10))))
        number = _e164(str(data.get("number", "")))
        return _json(await place_test_call(self._sip, number, clip, listen_seconds=listens))

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
            if not self._authorization or not hmac.compare_digest(given, self._authorization):
                return _json({"error": "a valid bearer token is needed"}, 401)
            try:
                return await handler(request)
            except _Refused as refusal:
                return _json({"error": str(refusal)}, refusal.status)
            except (ValueError, OverflowError) as problem:
                return _json({"error": str(problem)}, 400)

        return guarded

    async def health(self, _request: web.Request) -> web.StreamResponse:
        return _json({"status": "ok", "lines_in_use": self._exchange.lines_in_use})

    async def rings(self, request: web.Request) -> web.StreamResponse:
        """How many calls rang: of `?number=`, of `?attempt=`, or of all, with the live calls by state."""
        call_journal = self._exchange.call_journal
        if number := request.query.get("number"):
            return _json({"rings": call_journal.attempts_of_number(_e164(number))})
        if attempt := request.query.get("attempt"):
            return _json({"rings": call_journal.call_count_of_attempt(attempt)})
        live = Counter(live_call.call.status.value for live_call in self._exchange.live_calls())
        return _json(
            {
                "rings": call_journal.rings,
                "max_rings_per_attempt": call_journal.max_rings_per_attempt,
                "not_rung": call_journal.not_rung,
                "refused": call_journal.refused,
                "calls": call_journal.calls,
                "by_status": call_journal.by_status + live,
                "lines_in_use": self._exchange.lines_in_use,
                "peak_lines": self._exchange.peak_lines,
                "queued": self._exchange.queued,
                "webhooks": {
                    "sent": self._exchange.notices.sent,
                    "failed": self._exchange.notices.failed,
                },
                "errors": {str(code): n for code, n in self._exchange.errors.items()},
            }
        )

    async def pace(self, request: web.Request) -> web.StreamResponse:
        """The most calls accepted within any `seconds` (default 10), to check a rate."""
        seconds = float(request.query.get("seconds", "10"))
        most = self._exchange.call_journal.most_calls_within(seconds)
        return _json({"seconds": seconds, "most_calls": most})

    async def calls(self, _request: web.Request) -> web.StreamResponse:
        """The live calls, without telephone numbers."""
        return _json(
            {
                "live": [
                    {
                        "sid": live_call.call.sid,
                        "status": live_call.call.status.value,
                        "created_unix": live_call.call.created,
                        "rang": live_call.call.rang,
                        "errors": live_call.errors,
                    }
                    for live_call in self._exchange.live_calls()
                ]
            }
        )

    async def messages(self, _request: web.Request) -> web.StreamResponse:
        """Counts of messages by status, without telephone numbers."""
        return _json(self._board.summary())

    async def inbox(self, request: web.Request) -> web.StreamResponse:
        """The messages on a simulated telephone, oldest first."""
        self._simulated()
        texts = self._board.inbox(_e164(request.match_info["number"]))
        messages = [{"sid": text.sid, "from": text.order.from_, "body": text.order.body} for text in texts]
        return _json({"messages": messages})

    async def clock(self, _request: web.Request) -> web.StreamResponse:
        """Anchor (Unix seconds), epoch and speed of the service clock, and what it shows now."""
        timers = self._exchange.timers
        clock = timers.clock
        return _json(
            {
                "anchor_unix": clock.anchor_unix,
                "epoch": clock.epoch.isoformat() if clock.epoch else None,
                "speed": clock.speed,
                "service_now": timers.service_now().isoformat(),
            }
        )

    async def set_clock(self, request: web.Request) -> web.StreamResponse:
        """`speed` alone continues from the present service time; `anchor_unix` and `epoch` set another time."""
        data = await _object(request)
        timers = self._exchange.timers
        unix = timers.unix()
        epoch = datetime.fromisoformat(str(data["epoch"])) if data.get("epoch") else timers.clock.now(unix)
        anchor = float(data.get("anchor_unix", unix))
        clock = ServiceClock(
            anchor_unix=anchor, epoch=epoch, speed=float(data.get("speed", timers.clock.speed))
        )
        clock.now(unix)  # OverflowError now, not at a later call, for a time beyond the calendar
        timers.clock = clock
        return await self.clock(request)

    async def set_person(self, request: web.Request) -> web.StreamResponse:
        """Sets the behaviour of the number from the JSON body. 400 for a behaviour that does not exist."""
        line = self._simulated()
        behaviour = behaviour_from({"name": "assigned", **await _object(request)})
        line.assign(_e164(request.match_info["number"]), behaviour)
        return _json({"name": behaviour.name})

    async def reset_person(self, request: web.Request) -> web.StreamResponse:
        """The number returns to the behaviour that the mix of people gives it."""
        self._simulated().assign(_e164(request.match_info["number"]), None)
        return _json({})

    async def call_in(self, request: web.Request) -> web.StreamResponse:
        """The person at the number calls us, with the behaviour of the JSON body, else with their own."""
        line, data = self._simulated(), await _object(request)
        behaviour = behaviour_from({"name": "calls in", **data}) if data else None
        line.call_in(_e164(request.match_info["number"]), behaviour)
        return _json({})

    def _simulated(self) -> SimulatedLine:
        if self._line is None:
            raise _Refused(409, "this line reaches real people")
        return self._line

    async def faults(self, _request: web.Request) -> web.StreamResponse:
        return _json(self._exchange.faults.as_json())

    async def set_faults(self, request: web.Request) -> web.StreamResponse:
        """Sets the faults of the JSON body, `{fault: rule}`, and leaves the others; answers all that are set."""
        for fault, rule in read_faults(await _object(request)).items():
            self._exchange.faults.set(fault, rule)
        return await self.faults(request)

    async def clear_faults(self, request: web.Request) -> web.StreamResponse:
        self._exchange.faults.clear()
        return await self.faults(request)

    async def set_limits(self, request: web.Request) -> web.StreamResponse:
        """Calls a second and lines at once; null removes a limit. ValueError for one that admits no call."""
        data = await _object(request)
        rate, lines = data.get("calls_per_second"), data.get("max_lines")
        if (rate is not None and float(rate) <= 0) or (lines is not None and int(lines) < 1):
            raise ValueError("calls_per_second above 0, max_lines at least 1, or null")
        self._exchange.limit(
            calls_per_second=None if rate is None else float(rate),
            max_lines=None if lines is None else int(lines),
        )
        return _json({"calls_per_second": rate, "max_lines": lines})

    async def crash(self, request: web.Request) -> web.StreamResponse:
        """Drops all live calls without a webhook, as a crash does; without `memory` every call is forgotten."""
        data = await _object(request)
        return _json({"dropped": self._exchange.crash(memory=bool(data.get("memory", True)))})


async def _object(request: web.Request) -> dict[str, Any]:
    body = await request.read()
    data = orjson.loads(body) if body else {}
    if not isinstance(data, dict):
        raise ValueError("the body must be a JSON object")  # noqa: TRY004 - the handler answers ValueError with 400
    return data


def _e164(number: str) -> str:
    """Restores the plus sign, which arrives as a blank in a query and may be left out in a path."""
    digits = number.strip().lstrip("+")
    return f"+{digits}" if digits.isdecimal() else number
