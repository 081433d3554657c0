"""Webhooks: verified, kept and applied before they are answered; anything else is refused or told to come again.

A 2xx means that the event is committed. When it could not be, the answer is 503 with a sentence that is safe to
speak, so that the carrier asks again or goes to the fallback, and nothing is dropped behind a 200.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dialer.bootstrap import Application
from dialer.errors import Invalid, NotFound, Unavailable
from dialer.scripts.dialogue import Position
from dialer.scripts.hearing import Heard
from dialer.telephony import urls
from dialer.telephony.callbacks import hand_over_taken, machine_verdict, status_event
from dialer.telephony.progress import CallProgress
from dialer.telephony.signature import BadSignature, verify
from dialer.telephony.twiml import fallback, write
from dialer.usecases.hear_progress import News, hear_progress
from dialer.usecases.talk import Step, talk

_XML = "application/xml"
_PERSONAL = ("From", "To", "Caller", "Called", "SpeechResult", "Digits", "ForwardedFrom")
_MOST_BYTES = 64 * 1024

_log = logging.getLogger(__name__)

Params = list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One verified webhook."""

    attempt_id: UUID
    params: Params

    @property
    def fields(self) -> dict[str, str]:
        return dict(self.params)

    @property
    def personal(self) -> dict[str, str]:
        return {name: value for name, value in self.params if name in _PERSONAL and value}


def hook_routes(app: Application) -> list[Route]:
    """The webhook addresses of `dialer.telephony.urls`."""
    hooks = _Hooks(app)
    return [
        Route(urls.CALL_ROUTE, hooks.guarded(hooks.call), methods=["POST"]),
        Route(urls.DIAL_ROUTE, hooks.guarded(hooks.dialled), methods=["POST"]),
        Route(urls.STATUS_ROUTE, hooks.guarded(hooks.status), methods=["POST"]),
        Route(urls.AMD_ROUTE, hooks.guarded(hooks.machine), methods=["POST"]),
        Route(urls.FALLBACK_ROUTE, hooks.guarded(hooks.fall_back), methods=["POST"]),
    ]


class _Hooks:
    def __init__(self, app: Application) -> None:
        self._app = app
        self._base = app.telephony.public_url.rstrip("/")
        self._tokens = app.telephony.signing_tokens

    def guarded(
        self, answer: Callable[[Request, Hook], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """The handler behind the signature; every fault has its answer, and none is a 200."""

        async def handle(request: Request) -> Response:
            body = await request.body()
            if len(body) > _MOST_BYTES:
                return Response(status_code=413)
            params = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
            try:
                verify(url=self._url(request), params=params, headers=request.headers, tokens=self._tokens)
                hook = Hook(attempt_id=UUID(request.path_params["attempt_id"]), params=params)
                return await answer(request, hook)
            except BadSignature as fault:
                _log.warning("%s", fault)
                return Response(status_code=403)
            except (Invalid, ValueError) as fault:
                _log.warning("webhook refused: %s", fault)
                return Response(status_code=400)
            except NotFound:
                # Not ours, or of a database that is gone: the call must still say something safe.
                return Response(fallback(), status_code=404, media_type=_XML)
            except Unavailable as fault:
                _log.warning("webhook put off: %s", fault)
                return Response(fallback(), status_code=503, media_type=_XML)

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
            heard=Heard(digits=fields.get("Digits", ""), speech=fields.get("SpeechResult", "")),
            personal=hook.personal,
        )
        return await self._turn(step)

    async def dialled(self, request: Request, hook: Hook) -> Response:
        """How a hand-over went: taken, the call is over; not taken, the script goes on."""
        fields = hook.fields
        if hand_over_taken(fields):
            return Response("<Response><Hangup/></Response>", media_type=_XML)
        step = Step(
            attempt_id=hook.attempt_id,
            step=int(request.path_params["step"]),
            sid=fields.get("CallSid", ""),
            position=Position.decode(request.path_params["position"]),
            heard=Heard.silence(),
            personal=hook.personal,
        )
        return await self._turn(step)

    async def _turn(self, step: Step) -> Response:
        turn = await asyncio.to_thread(talk, self._app.engine, step)
        twiml = write(
            turn,
            attempt_id=step.attempt_id,
            step=step.step,
            config=self._app.telephony,
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
        await asyncio.to_thread(hear_progress, self._app.engine, [news])
        return Response(status_code=204)

    async def fall_back(self, _request: Request, hook: Hook) -> Response:
        """Spoken when `call` failed: needs nothing but this process."""
        _log.warning(
            "fallback spoken: attempt=%s error=%s", hook.attempt_id, hook.fields.get("ErrorCode", "")
        )
        return Response(fallback(), media_type=_XML)
