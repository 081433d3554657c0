"""Webhooks: verified, kept and applied before they are answered; anything else is refused or told to come again.

A 2xx means that the event is committed. When it could not be, the answer is 503 with a sentence that is safe to
speak, so that the carrier asks again or goes to the fallback, and nothing is dropped behind a 200.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dialer.errors import DialerError, Invalid, NotFound, Unavailable
from dialer.scripts.dialogue import Position, Turn
from dialer.scripts.hearing import Heard
from dialer.telephony import urls
from dialer.telephony.callbacks import (
    dial_status,
    hand_over_taken,
    heard,
    machine_verdict,
    message_event,
    status_event,
)
from dialer.telephony.config import TelephonyConfig
from dialer.telephony.progress import CallProgress
from dialer.telephony.signature import BadSignature, verify
from dialer.telephony.twiml import fallback, hang_up, write
from dialer.usecases.engine import Engine
from dialer.usecases.hear_calls import Heard as Event
from dialer.usecases.hear_calls import Reply, hear_calls
from dialer.usecases.hear_message import hear_message
from dialer.usecases.hear_progress import News
from dialer.usecases.take_over import Taken
from dialer.usecases.talk import Step
from dialer.web.batch import Batch

_XML = "application/xml"
_PERSONAL = ("From", "To", "Caller", "Called", "SpeechResult", "Digits", "ForwardedFrom")
_MOST_BYTES = 64 * 1024

_log = logging.getLogger(__name__)

Params = list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One verified webhook, of an attempt or a message."""

    attempt_id: UUID
    params: Params

    @property
    def fields(self) -> dict[str, str]:
        return dict(self.params)

    @property
    def personal(self) -> dict[str, str]:
        return {name: value for name, value in self.params if name in _PERSONAL and value}


class _TooLarge(Exception):  # a signal within this module
    pass


def _fields(body: bytes) -> Params:
    """The form's fields, repeated ones kept."""
    if len(body) > _MOST_BYTES:
        raise _TooLarge
    params = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    if any("\0" in name or "\0" in value for name, value in params):
        raise Invalid(field="webhook", problem="holds a character that cannot be kept")
    return params


def _refused(fault: Exception) -> Response:
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
    return Response(fallback() if speaks else None, status_code=status, media_type=_XML if speaks else None)


def hook_routes(engine: Engine, telephony: TelephonyConfig) -> list[Route]:
    """The webhook addresses of `dialer.telephony.urls`."""
    hooks = _Hooks(engine, telephony)
    return [
        Route(urls.CALL_ROUTE, hooks.guarded(hooks.call), methods=["POST"]),
        Route(urls.DIAL_ROUTE, hooks.guarded(hooks.dialled), methods=["POST"]),
        Route(urls.STATUS_ROUTE, hooks.guarded(hooks.status), methods=["POST"]),
        Route(urls.AMD_ROUTE, hooks.guarded(hooks.machine), methods=["POST"]),
        Route(urls.MESSAGE_ROUTE, hooks.guarded(hooks.message), methods=["POST"]),
        Route(urls.FALLBACK_ROUTE, hooks.guarded(hooks.fall_back), methods=["POST"]),
    ]


class _Hooks:
    def __init__(self, engine: Engine, telephony: TelephonyConfig) -> None:
        self._engine = engine
        self._telephony = telephony
        self._base = telephony.public_url.rstrip("/")
        self._tokens = telephony.signing_tokens
        self._events: Batch[Event, Reply] = Batch(partial(hear_calls, engine))

    def guarded(
        self, answer: Callable[[Request, Hook], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """The handler behind the signature; every fault has its answer, and none is a 200."""

        async def handle(request: Request) -> Response:
            try:
                params = _fields(await request.body())
                verify(url=self._url(request), params=params, headers=request.headers, tokens=self._tokens)
                named = request.path_params.get("attempt_id") or request.path_params["message_id"]
                hook = Hook(attempt_id=UUID(named), params=params)
                return await answer(request, hook)
            except Exception as fault:  # noqa: BLE001  # whatever it was, the person at the telephone hears something
                return _refused(fault)

        return handle

    def _url(self, request: Request) -> str:
        query = request.url.query
        return self._base + request.url.path + (f"?{query}" if query else "")

    async def call(self, request: Request, hook: Hook) -> Response:
        """The next turn of a conversation, as TwiML."""
        fields = hook.fields
        position = request.path_params["position"]
        first = position == urls.START
        step = Step(
            attempt_id=hook.attempt_id,
            step=int(request.path_params["step"]),
            sid=fields.get("CallSid", ""),
            position=None if first else Position.decode(position),
            heard=heard(fields),
            personal=hook.personal,
        )
        return await self._turn(step)

    async def dialled(self, request: Request, hook: Hook) -> Response:
        """How a hand-over went: taken, the call is over; not taken, the script goes on."""
        fields = hook.fields
        number, desk = int(request.path_params["step"]), dial_status(fields)
        if hand_over_taken(fields):
            await self._heard(Taken(attempt_id=hook.attempt_id, step=number, desk=desk))
            return Response(hang_up(), media_type=_XML)
        step = Step(
            attempt_id=hook.attempt_id,
            step=number,
            sid=fields.get("CallSid", ""),
            desk=desk,
            position=Position.decode(request.path_params["position"]),
            heard=Heard.silence(),
            personal=hook.personal,
        )
        return await self._turn(step)

    async def _turn(self, step: Step) -> Response:
        turn = await self._heard(step)
        assert turn is not None
        twiml = write(
            turn,
            attempt_id=step.attempt_id,
            step=step.step,
            config=self._telephony,
            audio_url=lambda file: f"{self._base}/audio/{file}",
        )
        return Response(twiml, media_type=_XML)

    async def status(self, _request: Request, hook: Hook) -> Response:
        progress = status_event(hook.fields)
        step = f"status.{progress.sequence}" if progress.sequence is not None else f"status.{progress.stage}"
        return await self._hear(hook, step, progress)

    async def machine(self, _request: Request, hook: Hook) -> Response:
        return await self._hear(hook, "amd", machine_verdict(hook.fields))

    async def _hear(self, hook: Hook, step: str, progress: CallProgress) -> Response:
        news = News(attempt_id=hook.attempt_id, step=step, progress=progress, personal=hook.personal)
        await self._heard(news)
        return Response(status_code=204)

    async def _heard(self, event: Event) -> Turn | None:
        """Its transaction, shared with whatever else came meanwhile, is committed. Raises its fault."""
        reply = await self._events.add(event)
        if isinstance(reply, NotFound):
            raise reply
        return reply

    async def message(self, _request: Request, hook: Hook) -> Response:
        """How far a message came. They are few, so each has its own transaction."""
        progress = message_event(hook.fields)
        await asyncio.to_thread(hear_message, self._engine, hook.attempt_id, progress)
        return Response(status_code=204)

    async def fall_back(self, _request: Request, hook: Hook) -> Response:
        """Spoken when `call` failed: needs nothing but this process."""
        _log.warning(
            "fallback spoken: attempt=%s error=%s", hook.attempt_id, hook.fields.get("ErrorCode", "")
        )
        return Response(fallback(), media_type=_XML)
