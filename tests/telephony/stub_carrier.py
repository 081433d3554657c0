"""A carrier of a few lines, over real HTTP on loopback: answers what the test says, remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from aiohttp import web

ACCOUNT = "AC" + "0" * 32
TOKEN = "a-token-of-the-tests"
CALLS = f"/2010-04-01/Accounts/{ACCOUNT}/Calls"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentRequest:
    method: str
    path: str
    query: list[tuple[str, str]]
    form: list[tuple[str, str]]
    headers: dict[str, str]
    peer: object

    def value(self, name: str) -> str:
        return dict(self.form)[name]


@dataclass(slots=True)
class Stub:
    """`answers` are used up one by one, the last one for ever."""

    address: str = ""
    answers: list[Answer] = field(default_factory=list)
    asked: list[CurrentRequest] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = (await request.read()).decode()
        self.asked.append(
            CurrentRequest(
                method=request.method,
                path=request.path,
                query=parse_qsl(request.query_string, keep_blank_values=True),
                form=parse_qsl(body, keep_blank_values=True),
                headers=dict(request.headers),
                peer=request.transport.get_extra_info("peername") if request.transport else None,
            )
        )
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)

    def says(self, status: int, payload: object, headers: dict[str, str] | None = None) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.json_response(payload, status=status, headers=headers)

        self.answers.append(answer)

    def says_text(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(text=text, status=status, headers=headers)

        self.answers.append(answer)

    def hangs(self) -> None:
        """Has the request and never answers."""

        async def answer(_: web.Request) -> web.StreamResponse:
            await self.gone.wait()
            return web.Response()

        self.answers.append(answer)

    def drops(self) -> None:
        """Has the request and closes the connection instead of answering."""

        async def answer(request: web.Request) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.close()
            return web.Response()

        self.answers.append(answer)
