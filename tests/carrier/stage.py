"""A carrier, an application that records what it is told, and the official client, all on loopback."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp import ClientSession, web
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator, get_signature_algorithm
from twilio.rest import Client

from carrier.server import RunningCarrier
from tests.carrier.device_line import DeviceLine

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "token-of-the-account"
ADMIN = "token-of-the-admin"
FROM = "+8647896110"
TO = "+8613800138000"
FAST = 400.0
BY_HAND = 20.0
PATIENCE_SECONDS = 60.0

HANGUP = "<Response><Hangup/></Response>"


@dataclasses.dataclass(slots=True, kw_only=True)
class Heard:
    """One request that the application received."""

    path: str
    query: dict[str, str]
    params: dict[str, str]
    headers: dict[str, str]
    signed: bool
    method: str


class App:
    """The application's side: documents by path, a record of every request, signatures always checked."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.documents: dict[str, str | bytes | Callable[[Heard], Any]] = {}
        self.statuses: dict[str, list[int]] = {}
        self.base = ""
        self.token = TOKEN
        self._runner: web.AppRunner | None = None
        self._changed = asyncio.Condition()

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        params = dict(parse_qsl(body, keep_blank_values=True))
        algorithm = get_signature_algorithm(request.headers.get("X-Twilio-Webhooks-Signature-Settings"))
        signed = RequestValidator(self.token).validate(
            f"{self.base}{request.raw_path}", params, request.headers.get("X-Twilio-Signature", ""), algorithm
        )
        heard = Heard(
            path=request.path,
            query=dict(request.query),
            params=params,
            headers=dict(request.headers),
            signed=signed,
            method=request.method,
        )
        async with self._changed:
            self.heard.append(heard)
            self._changed.notify_all()
        planned = self.statuses.get(request.path)
        if planned:
            status = planned.pop(0)
            if status == 0:
                assert request.transport is not None
                request.transport.abort()
            if status != 200:
                return web.Response(status=status or 500)
        document = self.documents.get(request.path, "")
        if callable(document):
            document = document(heard)
        if isinstance(document, Awaitable):
            document = await document
        if isinstance(document, bytes):
            return web.Response(body=document, content_type="audio/wav")
        return web.Response(text=document, content_type="text/xml")

    def at(self, path: str) -> list[Heard]:
        return [one for one in self.heard if one.path == path]

    def statuses_of(self, sid: str) -> list[str]:
        """What the status callback said of one call, by SequenceNumber."""
        said = [one.params for one in self.at("/status") if one.params["CallSid"] == sid]
        return [one["CallStatus"] for one in sorted(said, key=lambda one: int(one["SequenceNumber"]))]

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
            await self._changed.wait_for(true)

    async def final(self, sid: str) -> dict[str, str]:
        """Waits for the last status of the call; returns its parameters."""

        def last() -> dict[str, str] | None:
            for one in self.at("/status"):
                if one.params["CallSid"] == sid and "SipResponseCode" in one.params:
                    return one.params
            return None

        await self.until(lambda: last() is not None)
        found = last()
        assert found is not None
        return found


class ToCarrier(AsyncTwilioHttpClient):
    """The official client, told another scheme and host; nothing else is changed."""

    def __init__(self, base_url: str) -> None:
        super().__init__(timeout=10.0)
        self._base = base_url

    async def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 - passed on as it came
        parts = urlsplit(url)
        moved = f"{self._base}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        return await super().request(method, moved, *args, **kwargs)


class DeskView:
    """Everything a test needs: the carrier, the application, the client, the admin API."""

    def __init__(self, *, carrier: RunningCarrier, app: App, client: Client, session: ClientSession) -> None:
        self.carrier = carrier
        self.app = app
        self.client = client
        self.session = session

    @property
    def phones(self) -> DeviceLine:
        assert isinstance(self.carrier.line, DeviceLine)
        return self.carrier.line

    async def call(self, to: str = TO, **order: Any) -> str:  # noqa: ANN401 - passed on as it came
        """Creates a call with all four events asked for; returns its sid."""
        order.setdefault("url", f"{self.app.base}/start")
        order.setdefault("status_callback", f"{self.app.base}/status")
        order.setdefault("status_callback_event", ["initiated", "ringing", "answered", "completed"])
        call = await self.client.calls.create_async(to=to, from_=FROM, **order)
        assert call.sid is not None
        return call.sid

    async def admin(self, method: str, path: str, body: Any = None) -> dict[str, Any]:  # noqa: ANN401 - passed on as it came
        async with self.session.request(
            method,
            f"{self.carrier.base_url}/admin/{path}",
            json=body,
            headers={"Authorization": f"Bearer {ADMIN}"},
        ) as answer:
            data: dict[str, Any] = await answer.json()
            assert answer.status == 200, data
            return data


Start = Callable[..., Awaitable[DeskView]]
