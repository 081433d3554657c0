"""The body of a request: JSON in UTF-8, of bounded size, arriving in bounded time.

Requests that arrive while a transaction is under way share the next one: the more come, the less each costs.

Telling the workers that there is work, without making any sender wait for the broker.

How many requests a sender may make, counted for every web process together in the broker.

While the broker does not answer each process counts for itself: a warning is never refused for that.

What every request of the API passes: the token, its rate, and the threads in which its work is done.

The API described as OpenAPI 3.1: what the framework cannot see is added here.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from functools import partial
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import parse_qs, urlsplit

import orjson
from fastapi import FastAPI, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from pydantic.json_schema import models_json_schema
from redis.backoff import NoBackoff
from redis.retry import Retry

from dialer.api.models import MOST_WARNINGS, WarningIn
from dialer.api.problems import MEDIA_TYPE, Problem, ProblemCode, ProblemOut, retry_after
from dialer.core.errors import DialerError, Unavailable
from dialer.language import Text
from dialer.org.staff import ScopeMissing, TokenAuth, UnknownToken
from dialer.org.staff_store import Token, TokenScope
from dialer.services import Application
from dialer.warnings.deliveries import Answer, Delivery, take_deliveries

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
        413,
        ProblemCode.TOO_LARGE,
        Text("more than %(most)s bytes: send fewer at a time", most=MOST_BYTES),
    )


def parsed(body: bytes) -> Any:  # noqa: ANN401  # JSON may be anything
    """The JSON value. NaN, Infinity, numbers without end, broken UTF-8 and bottomless nesting are none."""
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

Take = Callable[[Sequence[Delivery]], list[tuple[Answer, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    delivery: Delivery
    told: Future[tuple[Answer, ...]] = field(default_factory=Future)


class WriteBatcher:
    """Deliveries are taken one transaction after the other; those with a warning of a high grade go first."""

    def __init__(self, take: Take, threads: Executor) -> None:
        self._take = take
        self._threads = threads
        self._waiting: list[_Waiting] = []
        self._running = False
        self._lock = threading.Lock()

    def put(self, delivery: Delivery) -> Future[tuple[Answer, ...]]:
        """The answers, when they are committed."""
        waiting = _Waiting(delivery=delivery)
        with self._lock:
            self._waiting.append(waiting)
            starts, self._running = not self._running, True
        if starts:
            self._threads.submit(self._drain)
        return waiting.told

    def _drain(self) -> None:
        while batch := self._next():
            wanted = [one for one in batch if one.told.set_running_or_notify_cancel()]
            if wanted:
                self._settle(wanted)

    def _next(self) -> list[_Waiting]:
        with self._lock:
            self._waiting.sort(key=lambda one: not one.delivery.is_urgent)
            size = count = 0
            for one in self._waiting:
                size += len(one.delivery.read)
                if count and size > MOST_TOGETHER:
                    break
                count += 1
            batch, self._waiting = self._waiting[:count], self._waiting[count:]
            self._running = bool(batch)
            return batch

    def _settle(self, batch: Sequence[_Waiting]) -> None:
        """Each has its answer or its own fault: what one breaks does not cost the others."""
        try:
            answers = self._take([one.delivery for one in batch])
        except DialerError as fault:
            for one in batch:
                one.told.set_exception(fault)
        except Exception as fault:  # noqa: BLE001  # whatever it is, nobody may wait for ever
            if len(batch) == 1:
                batch[0].told.set_exception(fault)
                return
            for one in batch:
                self._settle([one])
        else:
            for one, answer in zip(batch, answers, strict=True):
                one.told.set_result(answer)


class EnqueueLimiter:
    """One nudge at a time, in the background. Those that are wanted meanwhile become one more."""

    def __init__(self, enqueue: Callable[[], None]) -> None:
        self._nudge = enqueue
        self._lock = threading.Lock()
        self._running = False
        self._again = False

    def __call__(self) -> None:
        with self._lock:
            if self._running:
                self._again = True
                return
            self._running = True
        threading.Thread(target=self._run, name="api-nudge", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                self._nudge()
            finally:
                with self._lock:
                    goes_on, self._again = self._again, False
                    self._running = goes_on
            if not goes_on:
                return


_OPTIONS: Final[Mapping[str, Any]] = {
    "socket_timeout": 0.3,
    "socket_connect_timeout": 0.3,
    "retry": Retry(NoBackoff(), 0),
}
"""Of the connection to the broker: a sender does not wait for it."""
_AGAIN_SECONDS = 5.0
"""A broker that did not answer is left alone for so long."""
_PREFIX = "dialer:rate"

_log = logging.getLogger(__name__)


class LocalLimiter:
    """`burst` requests of a sender, and then `per_second`, counted in this process alone."""

    def __init__(self, *, per_second: float, burst: int) -> None:
        self._limit = _limit(per_second, burst)
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def take(self, key: str) -> float:
        """0 when the request may be made, else the seconds until one may."""
        return _take(self._window, self._limit, key)


class RateLimiter:
    """The same, counted in the broker at `url`."""

    def __init__(self, url: str, *, per_second: float, burst: int) -> None:
        self._limit = _limit(per_second, burst)
        self._storage = RedisStorage(redis_url(url), wrap_exceptions=True, key_prefix=_PREFIX, **_OPTIONS)
        self._window = MovingWindowRateLimiter(self._storage)
        self._own = LocalLimiter(per_second=per_second, burst=burst)
        self._left_alone_until = 0.0

    def take(self, key: str) -> float:
        """0 when the request may be made, else the seconds until one may. Never fails."""
        if time.monotonic() < self._left_alone_until:
            return self._own.take(key)
        try:
            return _take(self._window, self._limit, key)
        except StorageError as fault:
            self._left_alone_until = time.monotonic() + _AGAIN_SECONDS
            _log.warning(
                "broker does not answer, requests are counted here: %s", type(fault.storage_error).__name__
            )
            return self._own.take(key)

    def close(self) -> None:
        self._storage.storage.close()


def _limit(per_second: float, burst: int) -> RateLimitItemPerSecond:
    """A moving window that holds `burst` requests, or those of one second where these are more."""
    seconds = max(1, round(burst / per_second))
    return RateLimitItemPerSecond(max(1, round(per_second * seconds)), seconds)


def _take(window: MovingWindowRateLimiter, limit: RateLimitItemPerSecond, key: str) -> float:
    if window.hit(limit, key):
        return 0.0
    return max(0.001, window.get_window_stats(limit, key).reset_time - time.time())


def redis_url(broker_url: str) -> str:
    """The address as `limits` knows it: a socket is redis+unix:// there and redis+socket:// in the settings."""
    if not broker_url.startswith("redis+socket://"):
        return broker_url
    parts = urlsplit(broker_url)
    number = parse_qs(parts.query).get("virtual_host", ["0"])[0].lstrip("/")
    return f"redis+unix://{parts.path}?db={number}"


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
        self.services = app.services
        self.nudge_dialling = EnqueueLimiter(lambda: app.services.enqueue("dial"))
        self._token_auth = TokenAuth(app.services)
        self._limiter = RateLimiter(
            app.celery.conf.broker_url, per_second=settings.requests_per_second, burst=settings.burst
        )
        self._strangers = LocalLimiter(per_second=settings.requests_per_second, burst=settings.burst)
        self._threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="api")
        self._joining = WriteBatcher(partial(take_deliveries, app.services), self._threads)
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

    def admit(self, secret: str, scope: TokenScope) -> Token:
        """The token, with one permit of it taken. Raises `Problem` and `Unavailable`."""
        try:
            token = self._token_auth.admit(secret, scope)
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


def _needs(scope: TokenScope) -> Callable[[Request, _Credentials], Awaitable[Token]]:
    async def admit(request: Request, credentials: _Credentials) -> Token:
        secret = credentials.credentials if credentials is not None else ""
        desk = desk_of(request)
        return await desk.run(lambda: desk.admit(secret, scope))

    return admit


MayWriteWarnings = Annotated[Token, Security(_needs(TokenScope.WARNINGS_WRITE))]
MayReadCases = Annotated[Token, Security(_needs(TokenScope.CASES_READ))]
MayReadReport = Annotated[Token, Security(_needs(TokenScope.REPORT_READ))]


_REF = "#/components/schemas/{model}"
_WHY = {
    400: "不是 JSON · No valid JSON",
    401: "令牌缺失或无效 · The token is missing or not valid",
    403: "令牌没有此权限 · The token has not this scope",
    404: "没有这张预警单 · No such case, or not of the token's unit",
    408: "请求体接收超时 · The body took too long to arrive",
    413: "请求体过大 · The body is too large",
    415: "类型不对 · Not application/json in UTF-8",
    422: "没有可读的内容 · Nothing in the request could be read; errors name the fields",
    429: "过于频繁 · Too many requests; Retry-After says when",
    500: "系统故障 · A fault of ours",
    503: "暂时不可用，请原样重发 · Unavailable: send the same again",
}
_ALWAYS = (401, 403, 429, 500, 503)
_RETRY = {
    "Retry-After": {
        "description": "秒 · seconds",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}
ABOUT = (
    "预警从上游系统进入本系统的接口。文档见 docs/api.md。\n\n"
    "The road for warnings from upstream systems. Every answer of `POST /warnings` is sent after the commit; sending "
    "the same again is always safe."
)


def problems(*own: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of one operation, its own and those that any may give."""
    return {status: _problem(status) for status in sorted({*own, *_ALWAYS})}


def _problem(status: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "description": _WHY[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="ProblemOut")}}},
    }
    return told | {"headers": _RETRY} if status in {429, 503} else told


def warnings_body() -> dict[str, Any]:
    """The request body of POST /warnings, which is read by hand so that one bad warning costs only itself."""
    one = {"$ref": _REF.format(model="WarningIn")}
    many = {"type": "array", "items": one, "minItems": 1, "maxItems": MOST_WARNINGS}
    return {
        "requestBody": {
            "required": True,
            "description": f"一条预警，或最多 {MOST_WARNINGS} 条的数组 · one warning, or up to {MOST_WARNINGS}",
            "content": {"application/json": {"schema": {"anyOf": [one, many]}}},
        }
    }


class DescribedApi(FastAPI):
    """The framework's description with the models that are only named in it."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            described = super().openapi()
            _, found = models_json_schema(
                [(WarningIn, "validation"), (ProblemOut, "validation")], ref_template=_REF
            )
            described.setdefault("components", {}).setdefault("schemas", {}).update(found["$defs"])
        return super().openapi()
