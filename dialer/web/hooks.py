"""Webhooks: verified, kept and applied before they are answered; anything else is refused or told to come again.

A 2xx means that the event is committed. When it could not be, the answer is 503 with a sentence that is safe to
speak, so that the carrier asks again or goes to the fallback, and nothing is dropped behind a 200.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router
from starlette.types import Receive, Scope, Send

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

PREFIX = "/hooks"
_PERSONAL = frozenset({"From", "To", "Caller", "Called", "SpeechResult", "Digits", "ForwardedFrom"})
_MOST_BYTES = 64 * 1024
_XML = "application/xml"

_log = logging.getLogger(__name__)

Params = list[tuple[str, str]]
Answer = tuple[int, str | None]
"""A status, and the TwiML to speak."""
_KEPT: Answer = (204, None)


@dataclass(slots=True, kw_only=True)
class Hook:
    """One verified webhook, of an attempt, a message or a call from a desk. `path` is what its address says."""

    path: Mapping[str, str]
    params: Params

    @property
    def attempt_id(self) -> UUID:
        return UUID(self.path["attempt_id"])

    @property
    def step(self) -> int:
        return int(self.path["step"])

    @property
    def fields(self) -> dict[str, str]:
        return dict(self.params)

    @property
    def personal(self) -> dict[str, str]:
        return {name: value for name, value in self.params if name in _PERSONAL and value}


class _TooLarge(Exception):  # a signal within this module
    pass


async def _form(request: Request) -> Params:
    """The form's fields in order, repeated and blank ones kept."""
    body = b""
    try:
        async for part in request.stream():
            body += part
            if len(body) > _MOST_BYTES:
                raise _TooLarge
    except ClientDisconnect:
        raise Invalid(field="webhook", problem="broke off") from None
    params = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    if any("\0" in name or "\0" in value for name, value in params):
        raise Invalid(field="webhook", problem="holds a character that cannot be kept")
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


def _response(answer: Answer) -> Response:
    status, twiml = answer
    return Response(twiml, status_code=status, media_type=_XML if twiml is not None else None)


def _uncounted(_hook: str, _status: int) -> None:
    pass


def hooks(
    engine: Engine, telephony: TelephonyConfig, *, count: Callable[[str, int], None] = _uncounted
) -> Mount:
    """The addresses of `dialer.telephony.urls`. `count` is told which hook was answered with which status."""
    return Mount(PREFIX, _Hooks(engine, telephony, count).router)


class _Hooks:
    def __init__(self, engine: Engine, telephony: TelephonyConfig, count: Callable[[str, int], None]) -> None:
        self._engine = engine
        self._telephony = telephony
        self._count = count
        self._base = telephony.public_url.rstrip("/")
        self._tokens = telephony.signing_tokens
        self._events: Batch[Event, Reply] = Batch(partial(hear_calls, engine))
        answers: Mapping[str, Callable[[Hook], Awaitable[Answer]]] = {
            urls.CALL_ROUTE: self._call,
            urls.DIAL_ROUTE: self._dialled,
            urls.OFFICER_ROUTE: self._officer,
            urls.STATUS_ROUTE: self._status,
            urls.AMD_ROUTE: self._machine,
            urls.MESSAGE_ROUTE: self._message,
            urls.DESK_ROUTE: self._desk,
            urls.FALLBACK_ROUTE: self._fall_back,
        }
        self.router = Router(
            [
                Route(
                    route.removeprefix(PREFIX), self._endpoint(route.split("/")[2], answer), methods=["POST"]
                )
                for route, answer in answers.items()
            ],
            redirect_slashes=False,
            default=self._nothing_here,
        )

    async def _nothing_here(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._count("other", 404)
        await Response(status_code=404)(scope, receive, send)

    def _endpoint(
        self, name: str, answer: Callable[[Hook], Awaitable[Answer]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            given = await self._guarded(answer, request)
            self._count(name, given[0])
            return _response(given)

        return endpoint

    async def _guarded(self, answer: Callable[[Hook], Awaitable[Answer]], request: Request) -> Answer:
        """The answer behind the signature; every fault has its own, and none is a 200."""
        try:
            params = await _form(request)
            headers = {
                name: request.headers[name] for name in (SIGNATURE, SETTINGS) if name in request.headers
            }
            verify(url=self._url(request), params=params, headers=headers, tokens=self._tokens)
            return await answer(Hook(path=request.path_params, params=params))
        except Exception as fault:  # noqa: BLE001  # whatever it was, the person at the telephone hears something
            return _refused(fault)

    def _url(self, request: Request) -> str:
        path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
        return f"{self._base}{path}?{query}" if query else f"{self._base}{path}"

    async def _call(self, hook: Hook) -> Answer:
        """The next turn of a conversation, as TwiML."""
        fields = hook.fields
        position = hook.path["position"]
        first = position == urls.START
        step = Step(
            attempt_id=hook.attempt_id,
            step=hook.step,
            sid=fields.get("CallSid", ""),
            position=None if first else Position.decode(position),
            heard=heard(fields),
            personal=hook.personal,
        )
        return await self._turn(step)

    async def _dialled(self, hook: Hook) -> Answer:
        """How a hand-over went: taken or left, the call is over; not taken, the script goes on."""
        fields = hook.fields
        number, desk = hook.step, dial_status(fields)
        took = hand_over_taken(fields)
        if took or caller_left(fields):
            await self._heard(Taken(attempt_id=hook.attempt_id, step=number, desk=desk, took=took))
            return 200, hang_up()
        step = Step(
            attempt_id=hook.attempt_id,
            step=number,
            sid=fields.get("CallSid", ""),
            desk=desk,
            position=Position.decode(hook.path["position"]),
            heard=Heard.silence(),
            personal=hook.personal,
        )
        return await self._turn(step)

    async def _officer(self, hook: Hook) -> Answer:
        """The officer's telephone was picked up: the assignment is theirs while they speak."""
        if desk_answered(hook.fields):
            await self._heard(
                Taken(attempt_id=hook.attempt_id, step=hook.step, desk="answered", talking=True)
            )
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
        await asyncio.to_thread(hear_message, self._engine, UUID(hook.path["message_id"]), progress)
        return _KEPT

    async def _desk(self, hook: Hook) -> Answer:
        """How far a call from a desk came, and how its second leg ended. They are few, as messages."""
        fields = hook.fields
        call_id = UUID(hook.path["call_id"])
        if hook.path["what"] == "dial":
            await asyncio.to_thread(hear_person_leg, self._engine, call_id, person_leg(fields))
            return 200, hang_up()
        await asyncio.to_thread(hear_desk_leg, self._engine, call_id, status_event(fields))
        return _KEPT

    async def _fall_back(self, hook: Hook) -> Answer:
        """Spoken when `call` failed: needs nothing but this process."""
        _log.warning(
            "fallback spoken: attempt=%s error=%s", hook.attempt_id, hook.fields.get("ErrorCode", "")
        )
        return 200, fallback()
