"""Webhooks: verified, kept and applied before they are answered; anything else is refused or told to come again.

A 2xx means that the event is committed. When it could not be, the answer is 503 with a sentence that is safe to
speak, so that the carrier asks again or goes to the fallback, and nothing is dropped behind a 200.

They are most of what a web process does, so they stand before the framework, which would cost more than all of this
(bench/README.md).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote_plus
from uuid import UUID

from starlette.types import ASGIApp, Receive, Scope, Send

from dialer.errors import DialerError, Invalid, NotFound, Unavailable
from dialer.scripts.dialogue import Position, Turn
from dialer.scripts.hearing import Heard
from dialer.telephony import urls
from dialer.telephony.callbacks import (
    caller_left,
    desk_answered,
    dial_status,
    hand_over_taken,
    heard,
    machine_verdict,
    message_event,
    person_leg,
    status_event,
)
from dialer.telephony.config import TelephonyConfig
from dialer.telephony.progress import CallProgress
from dialer.telephony.signature import SETTINGS, SIGNATURE, BadSignature, verify
from dialer.telephony.twiml import fallback, hang_up, write
from dialer.usecases.engine import Engine
from dialer.usecases.hear_calls import Heard as Event
from dialer.usecases.hear_calls import Reply, hear_calls
from dialer.usecases.hear_desk import hear_desk_leg, hear_person_leg
from dialer.usecases.hear_message import hear_message
from dialer.usecases.hear_progress import News
from dialer.usecases.take_over import Taken
from dialer.usecases.talk import Step
from dialer.web.batch import Batch

PREFIX = "/hooks/"
_PERSONAL = frozenset({"From", "To", "Caller", "Called", "SpeechResult", "Digits", "ForwardedFrom"})
_MOST_BYTES = 64 * 1024
_XML = (b"content-type", b"application/xml")
_SIGNED = {SIGNATURE.lower().encode(): SIGNATURE, SETTINGS.lower().encode(): SETTINGS}

_log = logging.getLogger(__name__)

Params = list[tuple[str, str]]
Answer = tuple[int, str | None]
"""A status, and the TwiML to speak."""
_KEPT: Answer = (204, None)


@dataclass(slots=True, kw_only=True)
class Hook:
    """One verified webhook, of an attempt or a message. `rest` is what its address says beside whom it concerns."""

    attempt_id: UUID
    rest: Sequence[str]
    params: Params

    @property
    def fields(self) -> dict[str, str]:
        return dict(self.params)

    @property
    def personal(self) -> dict[str, str]:
        return {name: value for name, value in self.params if name in _PERSONAL and value}


class _TooLarge(Exception):  # a signal within this module
    pass


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Invalid(field="webhook", problem="broke off")
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > _MOST_BYTES:
            raise _TooLarge
        if not message.get("more_body", False):
            return body


def form_fields(body: bytes) -> Params:
    """The form's fields in order, repeated and blank ones kept."""
    params: Params = []
    for pair in body.decode("utf-8", "replace").split("&"):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        # Most of them hold nothing that is escaped.
        if "%" in pair or "+" in pair:
            name, value = unquote_plus(name), unquote_plus(value)
        if "\0" in name or "\0" in value:
            raise Invalid(field="webhook", problem="holds a character that cannot be kept")
        params.append((name, value))
    return params


def _refused(fault: Exception) -> Answer:
    """The answer to a webhook that was not applied; never a 2xx, and TwiML that is safe to speak where a call may
    still be going on.
    """
    match fault:
        case _TooLarge():
            status, speaks = 413, False
        case BadSignature():
            status, speaks = 403, False
        case Invalid():
            status, speaks = 400, False
        case ValueError():
            status, speaks = 400, False
            fault = Invalid(field="webhook", problem="cannot be read")  # the text may quote what was sent
        case NotFound():
            # Not ours, or of a database that is gone.
            status, speaks = 404, True
        case Unavailable():
            status, speaks = 503, True
        case _:
            status, speaks = 500, True
            _log.error("webhook failed", exc_info=fault)
    _log.warning(
        "webhook answered %d: %s",
        status,
        str(fault) if isinstance(fault, DialerError) else type(fault).__name__,
    )
    return status, fallback() if speaks else None


async def _nothing_here(_scope: Scope, _receive: Receive, send: Send) -> None:
    await _send(send, 404, None)


async def _send(send: Send, status: int, twiml: str | None) -> None:
    body = b"" if twiml is None else twiml.encode()
    headers = [] if status == _KEPT[0] else [(b"content-length", str(len(body)).encode())]
    if twiml is not None:
        headers.append(_XML)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _uncounted(_hook: str, _status: int) -> None:
    pass


class Hooks:
    """The addresses of `dialer.telephony.urls` as an ASGI application; every other request is `otherwise`'s. `count`
    hears which hook was answered with which status.
    """

    def __init__(
        self,
        engine: Engine,
        telephony: TelephonyConfig,
        *,
        otherwise: ASGIApp = _nothing_here,
        count: Callable[[str, int], None] = _uncounted,
    ) -> None:
        self._engine = engine
        self._telephony = telephony
        self._otherwise = otherwise
        self._count = count
        self._base = telephony.public_url.rstrip("/")
        self._tokens = telephony.signing_tokens
        self._events: Batch[Event, Reply] = Batch(partial(hear_calls, engine))
        routes: Mapping[str, Callable[[Hook], Awaitable[Answer]]] = {
            urls.CALL_ROUTE: self._call,
            urls.DIAL_ROUTE: self._dialled,
            urls.OFFICER_ROUTE: self._officer,
            urls.STATUS_ROUTE: self._status,
            urls.AMD_ROUTE: self._machine,
            urls.MESSAGE_ROUTE: self._message,
            urls.DESK_ROUTE: self._desk,
            urls.FALLBACK_ROUTE: self._fall_back,
        }
        # By name and number of parts, which no two share.
        self._routes = {(route.split("/")[2], route.count("/")): answer for route, answer in routes.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._otherwise(scope, receive, send)
            return
        parts = scope["path"].split("/")
        answer = self._routes.get((parts[2], len(parts) - 1))
        if answer is None or not all(parts[1:]):
            status, twiml = 404, None
        elif scope["method"] != "POST":
            status, twiml = 405, None
        else:
            status, twiml = await self._guarded(answer, parts, scope, receive)
        self._count(parts[2], status)
        await _send(send, status, twiml)

    async def _guarded(
        self,
        answer: Callable[[Hook], Awaitable[Answer]],
        parts: Sequence[str],
        scope: Scope,
        receive: Receive,
    ) -> Answer:
        """The answer behind the signature; every fault has its own, and none is a 200."""
        try:
            params = form_fields(await _body(receive))
            headers: dict[str, str] = {}
            for name, value in scope["headers"]:
                if name in _SIGNED:
                    headers.setdefault(_SIGNED[name], value.decode("latin-1"))
            verify(url=self._url(scope), params=params, headers=headers, tokens=self._tokens)
            return await answer(Hook(attempt_id=UUID(parts[3]), rest=parts[4:], params=params))
        except Exception as fault:  # noqa: BLE001  # whatever it was, the person at the telephone hears something
            return _refused(fault)

    def _url(self, scope: Scope) -> str:
        query = scope["query_string"]
        path: str = scope["path"]
        return self._base + path + (f"?{query.decode('latin-1')}" if query else "")

    async def _call(self, hook: Hook) -> Answer:
        """The next turn of a conversation, as TwiML."""
        fields = hook.fields
        number, position = hook.rest
        first = position == urls.START
        step = Step(
            attempt_id=hook.attempt_id,
            step=int(number),
            sid=fields.get("CallSid", ""),
            position=None if first else Position.decode(position),
            heard=heard(fields),
            personal=hook.personal,
        )
        return await self._turn(step)

    async def _dialled(self, hook: Hook) -> Answer:
        """How a hand-over went: taken or left, the call is over; not taken, the script goes on."""
        fields = hook.fields
        number, desk = int(hook.rest[0]), dial_status(fields)
        took = hand_over_taken(fields)
        if took or caller_left(fields):
            await self._heard(Taken(attempt_id=hook.attempt_id, step=number, desk=desk, took=took))
            return 200, hang_up()
        step = Step(
            attempt_id=hook.attempt_id,
            step=number,
            sid=fields.get("CallSid", ""),
            desk=desk,
            position=Position.decode(hook.rest[1]),
            heard=Heard.silence(),
            personal=hook.personal,
        )
        return await self._turn(step)

    async def _officer(self, hook: Hook) -> Answer:
        """The officer's telephone was picked up: the assignment is theirs while they speak."""
        if desk_answered(hook.fields):
            number = int(hook.rest[0])
            await self._heard(Taken(attempt_id=hook.attempt_id, step=number, desk="answered", talking=True))
        return _KEPT

    async def _turn(self, step: Step) -> Answer:
        turn = await self._heard(step)
        assert turn is not None
        twiml = write(
            turn,
            attempt_id=step.attempt_id,
            step=step.step,
            config=self._telephony,
            audio_url=lambda file: f"{self._base}/audio/{file}",
        )
        return 200, twiml

    async def _status(self, hook: Hook) -> Answer:
        progress = status_event(hook.fields)
        step = f"status.{progress.sequence}" if progress.sequence is not None else f"status.{progress.stage}"
        return await self._hear(hook, step, progress)

    async def _machine(self, hook: Hook) -> Answer:
        return await self._hear(hook, "amd", machine_verdict(hook.fields))

    async def _hear(self, hook: Hook, step: str, progress: CallProgress) -> Answer:
        news = News(attempt_id=hook.attempt_id, step=step, progress=progress, personal=hook.personal)
        await self._heard(news)
        return _KEPT

    async def _heard(self, event: Event) -> Turn | None:
        """Its transaction, shared with whatever else came meanwhile, is committed. Raises its fault."""
        reply = await self._events.add(event)
        if isinstance(reply, NotFound):
            raise reply
        return reply

    async def _message(self, hook: Hook) -> Answer:
        """How far a message came. They are few, so each has its own transaction."""
        progress = message_event(hook.fields)
        await asyncio.to_thread(hear_message, self._engine, hook.attempt_id, progress)
        return _KEPT

    async def _desk(self, hook: Hook) -> Answer:
        """How far a call from a desk came, and how its second leg ended. They are few, as messages."""
        fields = hook.fields
        (what,) = hook.rest
        if what == "dial":
            await asyncio.to_thread(hear_person_leg, self._engine, hook.attempt_id, person_leg(fields))
            return 200, hang_up()
        await asyncio.to_thread(hear_desk_leg, self._engine, hook.attempt_id, status_event(fields))
        return _KEPT

    async def _fall_back(self, hook: Hook) -> Answer:
        """Spoken when `call` failed: needs nothing but this process."""
        _log.warning(
            "fallback spoken: attempt=%s error=%s", hook.attempt_id, hook.fields.get("ErrorCode", "")
        )
        return 200, fallback()
