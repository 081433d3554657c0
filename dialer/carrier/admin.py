"""The operator's side: the ring count, the clock, the people, the faults and the crash. Not part of Twilio's
API.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import orjson
from aiohttp import web

from dialer.carrier.config import BadCarrierConfig, ServiceClock
from dialer.carrier.exchange import Exchange
from dialer.carrier.faults import BadFault, read_faults
from dialer.carrier.handset_admin import HandsetFront
from dialer.carrier.lines.simulated import SimulatedLine
from dialer.carrier.people import BadBehaviour, behaviour_from
from dialer.carrier.texts import TextBoard

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class AdminFront:
    """Handlers under /admin/, behind a bearer token of their own; with no token set, all but health are
    closed.
    """

    def __init__(
        self, exchange: Exchange, board: TextBoard, *, line: SimulatedLine | None, token: str
    ) -> None:
        self._exchange = exchange
        self._board = board
        self._line = line
        self._authorization = f"Bearer {token}".encode() if token else b""

    def add_routes(self, app: web.Application) -> None:
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
            ("GET", "/admin/faults", self.faults),
            ("PUT", "/admin/faults", self.set_faults),
            ("DELETE", "/admin/faults", self.clear_faults),
            ("PUT", "/admin/limits", self.set_limits),
            ("POST", "/admin/crash", self.crash),
            *self._of_handsets(),
        ):
            app.router.add_route(method, path, self._guarded(handler))

    def _of_handsets(self) -> list[tuple[str, str, Handler]]:
        """Nobody takes a real person's telephone in hand."""
        if self._line is None:
            return []
        front = HandsetFront(self._exchange, self._line)
        one = "/admin/handsets/{handset}"
        return [
            ("POST", "/admin/handsets", front.take),
            ("GET", one, front.show),
            ("DELETE", one, front.let_go),
            ("GET", one + "/clips/{n}", front.clip),
            ("POST", one + "/{act}", front.act),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
            if not self._authorization or not hmac.compare_digest(given, self._authorization):
                return _json({"error": "a valid bearer token is needed"}, 401)
            try:
                return await handler(request)
            except (BadFault, BadBehaviour, BadCarrierConfig, ValueError, OverflowError) as problem:
                return _json({"error": str(problem)}, 400)

        return guarded

    async def health(self, _request: web.Request) -> web.StreamResponse:
        return _json({"status": "ok", "lines_in_use": self._exchange.lines_in_use})

    async def rings(self, request: web.Request) -> web.StreamResponse:
        witness = self._exchange.witness
        number, attempt = request.query.get("number", ""), request.query.get("attempt", "")
        if number or attempt:
            rings = witness.rings_of_number(_e164(number)) if number else witness.rings_of_attempt(attempt)
            return _json({"rings": rings})
        live = self._exchange.live_calls()
        by_status = dict(witness.by_status)
        for one in live:
            by_status[one.call.status.value] = by_status.get(one.call.status.value, 0) + 1
        return _json(
            {
                "rings": witness.rings,
                "max_rings_per_attempt": witness.max_rings_per_attempt,
                "not_rung": witness.not_rung,
                "refused": witness.refused,
                "calls": witness.calls,
                "by_status": by_status,
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
        """The most calls accepted within any `seconds` (10 when not said), to hold a rate against."""
        seconds = float(request.query.get("seconds", "10"))
        return _json({"seconds": seconds, "most_calls": self._exchange.witness.most_calls_within(seconds)})

    async def calls(self, _request: web.Request) -> web.StreamResponse:
        """The live calls, without numbers."""
        return _json(
            {
                "live": [
                    {
                        "sid": one.call.sid,
                        "status": one.call.status.value,
                        "created_unix": one.call.created,
                        "rang": one.call.rang,
                        "errors": one.errors,
                    }
                    for one in self._exchange.live_calls()
                ]
            }
        )

    async def messages(self, _request: web.Request) -> web.StreamResponse:
        """How many messages there are and how far they came, without numbers."""
        return _json(self._board.summary())

    async def inbox(self, request: web.Request) -> web.StreamResponse:
        """What a simulated telephone holds, oldest first; nobody looks into a real one."""
        if self._line is None:
            return _json({"error": "this line reaches real people"}, 409)
        texts = self._board.inbox(_e164(request.match_info["number"]))
        return _json(
            {
                "messages": [
                    {"sid": text.sid, "from": text.order.from_, "body": text.order.body} for text in texts
                ]
            }
        )

    async def clock(self, _request: web.Request) -> web.StreamResponse:
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
        """`{"speed"}` alone goes on from the service time of now; `anchor_unix` and `epoch` set it
        outright.
        """
        data = await _object(request)
        timers = self._exchange.timers
        unix = timers.unix()
        epoch = datetime.fromisoformat(str(data["epoch"])) if data.get("epoch") else timers.clock.now(unix)
        anchor = float(data.get("anchor_unix", unix))
        clock = ServiceClock(
            anchor_unix=anchor, epoch=epoch, speed=float(data.get("speed", timers.clock.speed))
        )
        clock.now(unix)  # a moment that no calendar holds is refused here, not met later
        timers.clock = clock
        return await self.clock(request)

    async def set_person(self, request: web.Request) -> web.StreamResponse:
        if self._line is None:
            return _json({"error": "this line reaches real people"}, 409)
        data = await _object(request)
        behaviour = behaviour_from({"name": "assigned", **data})
        self._line.assign(_e164(request.match_info["number"]), behaviour)
        return _json({"name": behaviour.name})

    async def reset_person(self, request: web.Request) -> web.StreamResponse:
        if self._line is None:
            return _json({"error": "this line reaches real people"}, 409)
        self._line.assign(_e164(request.match_info["number"]), None)
        return _json({})

    async def faults(self, _request: web.Request) -> web.StreamResponse:
        return _json(self._exchange.faults.as_json())

    async def set_faults(self, request: web.Request) -> web.StreamResponse:
        for fault, knob in read_faults(await _object(request)).items():
            self._exchange.faults.set(fault, knob)
        return await self.faults(request)

    async def clear_faults(self, request: web.Request) -> web.StreamResponse:
        self._exchange.faults.clear()
        return await self.faults(request)

    async def set_limits(self, request: web.Request) -> web.StreamResponse:
        data = await _object(request)
        rate, lines = data.get("calls_per_second"), data.get("max_lines")
        if (rate is not None and float(rate) <= 0) or (lines is not None and int(lines) < 1):
            return _json({"error": "calls_per_second above 0, max_lines at least 1, or null"}, 400)
        self._exchange.limit(
            calls_per_second=None if rate is None else float(rate),
            max_lines=None if lines is None else int(lines),
        )
        return _json({"calls_per_second": rate, "max_lines": lines})

    async def crash(self, request: web.Request) -> web.StreamResponse:
        data = await _object(request)
        return _json({"dropped": self._exchange.crash(memory=bool(data.get("memory", True)))})


async def _object(request: web.Request) -> dict[str, Any]:
    body = await request.read()
    data = orjson.loads(body) if body else {}
    if not isinstance(data, dict):
        raise ValueError("the body must be a JSON object")  # noqa: TRY004 - answered as 400 with the rest
    return data


def _e164(number: str) -> str:
    """A plus sign in a query arrives as a blank; one in a path may have been left out."""
    digits = number.strip().lstrip("+")
    return f"+{digits}" if digits.isdecimal() else number


def _json(data: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, content_type="application/json")
