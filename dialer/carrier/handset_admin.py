"""The operator's side of telephones in hand: taken, looked at, answered, pressed, spoken into, put down.

A handset is known by an id that says nothing; its number goes in once, in a body.
"""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from dialer.carrier.ears import Saying
from dialer.carrier.exchange import Exchange
from dialer.carrier.lines.handset import Handset, Played
from dialer.carrier.lines.simulated import SimulatedLine

_KEYS = frozenset("0123456789*#")
_LONGEST_WORDS = 200


class HandsetFront:
    """Handlers under /admin/handsets; the guard is the admin front's. Without a simulated line there are none."""

    def __init__(self, exchange: Exchange, line: SimulatedLine) -> None:
        self._exchange = exchange
        self._handsets = line.handsets

    async def take(self, request: web.Request) -> web.StreamResponse:
        """A number in hand; asked again, the same handset."""
        data = orjson.loads(await request.read())
        number = data.get("number") if isinstance(data, dict) else None
        if not isinstance(number, str) or not number.removeprefix("+").isdecimal():
            return _json({"error": "number: E.164"}, 400)
        return _json(self._state(self._handsets.take(number)), 201)

    async def show(self, request: web.Request) -> web.StreamResponse:
        handset = self._found(request)
        return _gone() if handset is None else _json(self._state(handset))

    async def let_go(self, request: web.Request) -> web.StreamResponse:
        handset = self._found(request)
        if handset is not None:
            self._handsets.let_go(handset)
        return _json({})

    async def act(self, request: web.Request) -> web.StreamResponse:
        """`answer`, `hang_up`, `keys` {"keys"}, `words` {"words"}, `sound` (a WAV file as the body)."""
        handset = self._found(request)
        if handset is None:
            return _gone()
        body = await request.read()
        match request.match_info["act"]:
            case "answer":
                did = handset.answer()
            case "hang_up":
                did = handset.hang_up()
            case "sound":
                did = handset.say(Saying(wav=body))
            case "keys":
                keys = _text(body, "keys")
                if not keys or set(keys) - _KEYS:
                    return _json({"error": "keys: only 0-9, * and #"}, 400)
                did = handset.press(keys)
            case "words":
                words = _text(body, "words").strip()
                if not words or len(words) > _LONGEST_WORDS:
                    return _json({"error": f"words: 1 to {_LONGEST_WORDS} signs"}, 400)
                did = handset.say(Saying(words=words))
            case _:
                return _json({"error": "no such act"}, 404)
        return _json({**self._state(handset), "did": did})

    async def clip(self, request: web.Request) -> web.StreamResponse:
        """The very sound that is being played, as long as it is remembered; 404 for words without sound."""
        handset = self._found(request)
        n = request.match_info["n"]
        clip = handset.clip(int(n)) if handset is not None and n.isdecimal() else None
        if clip is None or not clip.wav:
            return _gone()
        return web.Response(body=clip.wav, content_type="audio/wav")

    def _found(self, request: web.Request) -> Handset | None:
        return self._handsets.find(request.match_info["handset"])

    def _state(self, handset: Handset) -> dict[str, Any]:
        return {
            "id": handset.id,
            "state": handset.state.value,
            "calls": handset.calls,
            "asking": handset.asking,
            "played": [_played(one) for one in handset.played],
            "hears_sound": self._exchange.hearing.has_engine,
            "speed": self._exchange.timers.clock.speed,
        }


def _played(one: Played) -> dict[str, Any]:
    return {
        "n": one.n,
        "seconds": round(one.clip.seconds, 3),
        "name": one.clip.name,
        "text": one.clip.text,
        "has_sound": bool(one.clip.wav),
        "cut": one.cut,
    }


def _text(body: bytes, name: str) -> str:
    data = orjson.loads(body) if body else {}
    value = data.get(name) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""


def _gone() -> web.Response:
    return _json({"error": "no such handset or clip"}, 404)


def _json(data: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, content_type="application/json")
