"""What every request of the API passes: the token, its rate, and the threads in which its work is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Annotated, TypeVar

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from dialer.bootstrap import Application
from dialer.errors import Unavailable
from dialer.language import Text
from dialer.store.tokens import Scope, Token
from dialer.usecases.take_warnings import Answer, Delivery, take_deliveries
from dialer.usecases.tokens import Door, ScopeMissing, UnknownToken
from dialer.web.api.joining import Joining
from dialer.web.api.nudging import Nudging
from dialer.web.api.problems import Problem, ProblemCode, retry_after
from dialer.web.ratelimit import LocalLimiter, RateLimiter

_THREADS = 3
"""Its own: webhooks must not wait behind warnings, nor take more than the pool has connections."""
_MOST_WAITING = 100
_BUSY_SECONDS = 1.0
_DOWN_SECONDS = 5.0

T = TypeVar("T")


class Desk:
    """One web process's part of the API."""

    def __init__(self, app: Application) -> None:
        settings = app.settings.api
        self.engine = app.engine
        self.nudge_dialling = Nudging(lambda: app.engine.nudge("dial"))
        self._door = Door(app.engine)
        self._limiter = RateLimiter(
            app.celery.conf.broker_url, per_second=settings.requests_per_second, burst=settings.burst
        )
        self._strangers = LocalLimiter(per_second=settings.requests_per_second, burst=settings.burst)
        self._threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="api")
        self._joining = Joining(partial(take_deliveries, app.engine), self._threads)
        self._waiting = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns, done in a thread. Raises `Unavailable` when too much waits already."""
        with self._place():
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def take(self, delivery: Delivery) -> tuple[Answer, ...]:
        """The answers to its warnings, committed. Raises `Unavailable`."""
        with self._place():
            return await asyncio.wrap_future(self._joining.put(delivery))

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._waiting >= _MOST_WAITING:
            raise Unavailable(part="api", problem="too many requests are waiting")
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def admit(self, secret: str, scope: Scope) -> Token:
        """The token, with one permit of it taken. Raises `Problem` and `Unavailable`."""
        try:
            token = self._door.admit(secret, scope)
        except UnknownToken as fault:
            self._refuse_flood(self._strangers.take("strangers"))
            headers = {"WWW-Authenticate": 'Bearer realm="dialer"'}
            raise Problem(401, ProblemCode.UNKNOWN_SENDER, fault.text, headers=headers) from None
        except ScopeMissing as fault:
            headers = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{fault.scope.value}"'}
            raise Problem(403, ProblemCode.NO_SCOPE, fault.text, headers=headers) from None
        self._refuse_flood(self._limiter.take(str(token.id)))
        return token

    def _refuse_flood(self, wait_seconds: float) -> None:
        if wait_seconds > 0:
            raise Problem(
                429,
                ProblemCode.TOO_MANY,
                Text("too many requests: wait and send again"),
                headers=retry_after(wait_seconds),
            )


def unavailable(fault: Unavailable) -> Problem:
    """503: nothing was kept, or it is not known; sending the same again is safe."""
    seconds = _BUSY_SECONDS if fault.part == "api" else _DOWN_SECONDS
    detail = Text("unavailable: send the same again, nothing is taken twice")
    return Problem(503, ProblemCode.UNAVAILABLE, detail, headers=retry_after(seconds))


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="`dialer token add NAME --scope ...` 生成的令牌 · A token made by `dialer token add`. "
    "Scopes: warnings:write, cases:read, report:read.",
)
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]


def _needs(scope: Scope) -> Callable[[Request, _Credentials], Awaitable[Token]]:
    async def admit(request: Request, credentials: _Credentials) -> Token:
        secret = credentials.credentials if credentials is not None else ""
        desk = desk_of(request)
        return await desk.run(lambda: desk.admit(secret, scope))

    return admit


MayWriteWarnings = Annotated[Token, Security(_needs(Scope.WARNINGS_WRITE))]
MayReadCases = Annotated[Token, Security(_needs(Scope.CASES_READ))]
MayReadReport = Annotated[Token, Security(_needs(Scope.REPORT_READ))]
