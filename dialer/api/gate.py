"""What a request to the API passes: its token, its rate, its body, and the threads and shared transactions that do its
work. The rate of a sender is counted in the broker for all web processes together; while the broker does not answer
each process counts for itself, so that no warning is refused because of it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.message import Message
from functools import partial
from typing import Annotated, Any, Final, TypeVar

import orjson
from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from dialer.api.models import Problem, ProblemCode, retry_after
from dialer.core.errors import Unavailable
from dialer.core.text import Text
from dialer.runtime.broker import EnqueueLimiter, redis_url
from dialer.runtime.services import Application
from dialer.signals.deliveries import (
    SignalAnswer,
    SignalDelivery,
    SignalReception,
    TooManySignals,
    take_within_limits,
)
from dialer.staff.sign_in import ScopeMissing, TokenAuth, UnknownToken
from dialer.staff.token_store import ApiToken, TokenScope
from dialer.warnings.deliveries import WarningDelivery, WarningResult, take_deliveries
from dialer.web.write_batcher import WriteBatcher

MOST_BYTES = 2 * 1024 * 1024
_SECONDS = 30.0
_BOM = b"\xef\xbb\xbf"


async def read_body(request: Request) -> bytes:
    """The bytes of a JSON body. Raises `Problem` 408, 413 and 415."""
    _refuse_other_types(request)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > MOST_BYTES:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise _too_large()
    except TimeoutError:
        raise Problem(408, ProblemCode.TOO_SLOW, Text("the body took too long to arrive")) from None
    return bytes(body)


def _refuse_other_types(request: Request) -> None:
    header = Message()
    header["Content-Type"] = request.headers.get("content-type", "")
    charset = str(header.get_param("charset", "utf-8")).lower()
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if header.get_content_type() != "application/json" or charset not in {"utf-8", "utf8"}:
        raise Problem(415, ProblemCode.MEDIA_TYPE, Text("send application/json in UTF-8"))
    if encoding != "identity":
        raise Problem(415, ProblemCode.MEDIA_TYPE, Text("send the body uncompressed"))


def _too_large() -> Problem:
    return Problem(
        413, ProblemCode.TOO_LARGE, Text("more than %(most)s bytes: send fewer at a time", most=MOST_BYTES)
    )


def parsed(body: bytes) -> Any:  # noqa: ANN401  # JSON may be anything
    """The value of a JSON body. Raises `Problem` 400, also for NaN, Infinity, broken UTF-8 and too deep nesting."""
    try:
        return orjson.loads(body.removeprefix(_BOM))
    except orjson.JSONDecodeError as fault:
        raise Problem(
            400,
            ProblemCode.NOT_JSON,
            Text("no valid JSON: line %(line)s, column %(column)s", line=fault.lineno, column=fault.colno),
        ) from None


MOST_TOGETHER = 1000
"""Warnings in one transaction, unless a single request has more."""
MOST_SIGNALS_TOGETHER = 4000

_OPTIONS: Final[Mapping[str, Any]] = {
    "socket_timeout": 0.3,
    "socket_connect_timeout": 0.3,
    "retry": Retry(NoBackoff(), 0),
}
"""Of the connection to the broker: no request waits for it."""
_AGAIN_SECONDS = 5.0
"""A broker that did not answer is not asked again for this long."""
_PREFIX = "dialer:rate"

_log = logging.getLogger(__name__)


class BurstLimiter:
    """Allows a sender `burst` requests, or those of one second where these are more, then `per_second`. Counts in
    `storage`, by default in this process alone.
    """

    def __init__(self, *, per_second: float, burst: int, storage: Storage | None = None) -> None:
        seconds = max(1, round(burst / per_second))
        self._limit = RateLimitItemPerSecond(max(1, round(per_second * seconds)), seconds)
        self._window = MovingWindowRateLimiter(storage or MemoryStorage())

    def take(self, key: str) -> float:
        """0 when the request may be made, else the seconds until one may."""
        if self._window.hit(self._limit, key):
            return 0.0
        return max(0.001, self._window.get_window_stats(self._limit, key).reset_time - time.time())


class RateLimiter:
    """Limits requests as `BurstLimiter` does, for all processes, counted in the broker at `url`."""

    def __init__(self, url: str, *, per_second: float, burst: int) -> None:
        self._storage = RedisStorage(redis_url(url), wrap_exceptions=True, key_prefix=_PREFIX, **_OPTIONS)
        self._shared = BurstLimiter(per_second=per_second, burst=burst, storage=self._storage)
        self._own = BurstLimiter(per_second=per_second, burst=burst)
        self._broker_down_until = 0.0

    def take(self, key: str) -> float:
        """0 when the request may be made, else the seconds until one may. Never fails."""
        if time.monotonic() < self._broker_down_until:
            return self._own.take(key)
        try:
            return self._shared.take(key)
        except StorageError as fault:
            self._broker_down_until = time.monotonic() + _AGAIN_SECONDS
            _log.warning(
                "the broker does not answer, this process counts: %s", type(fault.storage_error).__name__
            )
            return self._own.take(key)

    def close(self) -> None:
        """Closes the connection to the broker."""
        self._storage.storage.close()


_THREADS = 2
"""Beside the one that writes warnings: webhooks must not wait for a connection of the pool."""
_MOST_WAITING = 100
_BUSY_SECONDS = 1.0
_DOWN_SECONDS = 5.0

T = TypeVar("T")


class ApiProcess:
    """One web process's part of the API."""

    def __init__(self, app: Application) -> None:
        settings = app.settings.api
        self.services = app.services
        self.enqueue = EnqueueLimiter(app.services.enqueue)
        """In the background: no sender waits for the broker."""
        self._token_auth = TokenAuth(app.services)
        self._limiter = RateLimiter(
            app.celery.conf.broker_url, per_second=settings.requests_per_second, burst=settings.burst
        )
        self._unknown_senders = BurstLimiter(per_second=settings.requests_per_second, burst=settings.burst)
        self._threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="api")
        self._deliveries: WriteBatcher[WarningDelivery, tuple[WarningResult, ...]] = WriteBatcher(
            partial(take_deliveries, app.services),
            at_most=MOST_TOGETHER,
            size=lambda delivery: len(delivery.read),
            is_urgent=lambda delivery: delivery.is_urgent,
        )
        self.signal_reception = SignalReception(app.services)
        self._signals: WriteBatcher[SignalDelivery, tuple[SignalAnswer, ...]] = WriteBatcher(
            partial(take_within_limits, app.services),
            at_most=MOST_SIGNALS_TOGETHER,
            size=lambda delivery: len(delivery.read),
        )
        self._waiting = 0

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, done in a thread. Raises `Unavailable` when too much waits already."""
        with self._place():
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def take(self, delivery: WarningDelivery) -> tuple[WarningResult, ...]:
        """The answers to its warnings, committed. Raises `Unavailable`."""
        with self._place():
            return await self._deliveries.add(delivery)

    async def take_signals(self, delivery: SignalDelivery) -> tuple[SignalAnswer, ...]:
        """The answers to its signals, committed. Raises `Unavailable`, and `Problem` 429 for more than their source may
        send.
        """
        with self._place():
            try:
                return await self._signals.add(delivery)
            except TooManySignals as fault:
                headers = retry_after(fault.wait_seconds)
                raise Problem(429, ProblemCode.TOO_MANY, fault.text, headers=headers) from None

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._waiting >= _MOST_WAITING:
            raise Unavailable(part="api", problem="too many requests are waiting")
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    def admit(self, secret: str, scope: TokenScope) -> ApiToken:
        """The token of this secret; counts one request of its rate. Raises `Unavailable`, and `Problem` 401, 403 and
        429.
        """
        try:
            token = self._token_auth.admit(secret, scope)
        except UnknownToken as fault:
            self._refuse_flood(self._unknown_senders.take("strangers"))
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
    """Problem 503: nothing was stored, or it is not known whether it was; sending the same again is safe."""
    seconds = _BUSY_SECONDS if fault.part == "api" else _DOWN_SECONDS
    detail = Text("unavailable: send the same again, nothing is taken twice")
    return Problem(503, ProblemCode.UNAVAILABLE, detail, headers=retry_after(seconds))


def process_of(request: Request) -> ApiProcess:
    """The `ApiProcess` of the application that answers this request."""
    process: ApiProcess = request.app.state.process
    return process


_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="`dialer token add NAME --scope ...` 生成的令牌 · A token made by `dialer token add`. "
    "Scopes: warnings:write, signals:write, cases:read, report:read, openings:write.",
)
_Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]


def _needs(scope: TokenScope) -> Callable[[Request, _Credentials], Awaitable[ApiToken]]:
    async def admit(request: Request, credentials: _Credentials) -> ApiToken:
        secret = credentials.credentials if credentials is not None else ""
        process = process_of(request)
        return await process.run(lambda: process.admit(secret, scope))

    return admit


MayWriteWarnings = Annotated[ApiToken, Security(_needs(TokenScope.WARNINGS_WRITE))]
MayWriteSignals = Annotated[ApiToken, Security(_needs(TokenScope.SIGNALS_WRITE))]
MayReadCases = Annotated[ApiToken, Security(_needs(TokenScope.CASES_READ))]
MayWriteOpenings = Annotated[ApiToken, Security(_needs(TokenScope.OPENINGS_WRITE))]
MayReadReport = Annotated[ApiToken, Security(_needs(TokenScope.REPORT_READ))]
