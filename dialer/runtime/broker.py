"""The Celery application, and how work is enqueued: by its name and ids, after the commit. A lost message loses no
work, since the database rows record what is due.

A message is an order, signed with a key that every process of the service derives from the key ring. A worker trusts
nothing else in a message: a message without a valid signature is discarded before Celery reads it, and a valid order is
put into a new message. So a message that somebody else puts on a queue cannot stop a worker.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import math
import threading
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from queue import Empty
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import parse_qs, urlsplit

from celery import Celery
from kombu.connection import Connection

from dialer.core.errors import Unavailable
from dialer.runtime.sections import BETWEEN_BROKERS

if TYPE_CHECKING:
    import redis
    from kombu.transport.redis import Channel, Transport

T = TypeVar("T")

TASK_PREFIX = "dialer."
DIAL_QUEUE = "dial"
BULK_QUEUE = "bulk"
BULK_TASKS: Final = frozenset(
    {
        "load_list", "resume_loads", "close_withdrawn", "render_script", "resume_renders", "reseal", "retention",
        "screen_openings", "send_webhooks", "draft_bulletins", "watch_fairness",
        "fetch_recordings", "refresh_figures", "transcribe", "inspect_calls",
    }
)  # fmt: skip
"""The tasks that go to `BULK_QUEUE`; all others go to `DIAL_QUEUE`."""
_EXPIRES_SECONDS = 30
_CLOCKS_APART_SECONDS = 60
"""How far the sender's clock may be ahead of ours."""
_DEEP = 100
_MOST_UNREAD = 1000
_AGAIN_SECONDS = 5.0
"""One of several brokers that did not answer is not asked again for this long."""
_ORDER, _SIGNATURE = "order", "signature"
_LONGEST_ORDER = 1000
"""Characters: a name and a few ids."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOrder:
    """The name of a task without `TASK_PREFIX`, and the ids that it works on. `sent_at` in Unix seconds: the order
    expires 30 seconds later, however often it is delivered.
    """

    name: str
    ids: tuple[int | str, ...]
    sent_at: float


class OrderAhead(Exception):
    """An order whose sender's clock is more than a minute ahead of ours."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"an order was discarded: it was sent {seconds:.0f} s after this machine's time;"
            " set the clocks of all machines by NTP"
        )


class UnsignedMessage(Exception):
    """A message that no process of ours has sent. The text states what is wrong and quotes nothing of the content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageKey:
    """Signs and reads orders. `secrets` returns the keys of the service, each of at least 32 bytes: the first one
    signs, and all are accepted, so that an order sent while keys are rotated is still read.
    """

    secrets: Callable[[], tuple[bytes, ...]] = field(repr=False)

    def headers(self, order: TaskOrder) -> dict[str, str]:
        """The message headers that carry this order and its signature."""
        text = json.dumps([order.name, list(order.ids), order.sent_at])
        return {_ORDER: text, _SIGNATURE: _signature(text, self.secrets()[0])}

    def read(self, headers: object, *, unix_seconds: float) -> TaskOrder | None:
        """The order in these headers; None where it has expired. Raises `UnsignedMessage`, and `OrderAhead` where its
        time is more than a minute ahead.
        """
        if not isinstance(headers, Mapping):
            raise UnsignedMessage("headers are no mapping")
        text, signature = headers.get(_ORDER), headers.get(_SIGNATURE)
        if not isinstance(text, str) or not isinstance(signature, str) or len(text) > _LONGEST_ORDER:
            raise UnsignedMessage("no order, or no signature")
        # Compared as bytes: `compare_digest` raises for a `str` that is not ASCII.
        given = signature.encode("utf-8", "replace")
        if not any(hmac.compare_digest(given, _signature(text, key).encode()) for key in self.secrets()):
            raise UnsignedMessage("the signature is not ours")
        # The signature is valid: a process of ours wrote this text.
        name, ids, sent_at = json.loads(text)
        age_seconds = unix_seconds - sent_at
        if age_seconds < -_CLOCKS_APART_SECONDS:
            raise OrderAhead(-age_seconds)
        if age_seconds > _EXPIRES_SECONDS:
            return None
        return TaskOrder(name=name, ids=tuple(ids), sent_at=sent_at)


def _signature(text: str, key: bytes) -> str:
    return hmac.new(key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _message_of(order: TaskOrder, key: MessageKey, *, queue: str, delivery_tag: str) -> dict[str, Any]:
    """A message in the form that kombu stores on a queue, with everything that Celery reads; none of it comes from the
    message that carried the order. It carries the same order, signed, and names its queue: kombu returns a message that
    a worker has taken but not started to that queue, and it is read again.
    """
    task_id = str(uuid.uuid4())
    expires = datetime.fromtimestamp(order.sent_at + _EXPIRES_SECONDS, UTC).isoformat()
    body = json.dumps(
        [list(order.ids), {}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
    )
    return {
        "body": b64encode(body.encode()).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {
            "lang": "py", "task": TASK_PREFIX + order.name, "id": task_id, "root_id": task_id, "parent_id": None,
            "group": None, "retries": 0, "timelimit": [None, None], "eta": None, "expires": expires, "shadow": None,
            "argsrepr": "", "kwargsrepr": "", "origin": "", "ignore_result": True,
            **key.headers(order),
        },
        "properties": {
            "correlation_id": task_id, "delivery_mode": 2, "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0, "body_encoding": "base64", "delivery_tag": delivery_tag,
        },
    }  # fmt: skip


@cache
def _transport_of(key: MessageKey) -> type[Transport]:
    """Kombu's transport for Redis, restricted to orders that `key` has signed, each delivered in a new message."""
    # Imported when a process first connects: the client library would cost every command 0.3 s.
    from kombu.transport import redis as kombu_redis  # noqa: PLC0415 - only where the broker is Redis

    faults_of_broker = (
        Empty,
        *kombu_redis.Transport.connection_errors,
        *kombu_redis.Transport.channel_errors,
    )

    class CheckedQoS(kombu_redis.QoS):
        """Counts a message as done with also when the broker does not answer its acknowledgement. Kombu counts it for
        good: a worker whose messages were all acknowledged in that second took no other, and did not notice that its
        connection was gone.
        """

        def ack(self, delivery_tag: str) -> None:
            try:
                super().ack(delivery_tag)  # type: ignore[no-untyped-call]
            finally:
                self._quick_ack(delivery_tag)

    class CheckedChannel(kombu_redis.Channel):
        """Discards items of a queue that are not messages."""

        QoS = CheckedQoS

        def _brpop_read(self, **options: object) -> object:
            # Read first: a closed channel has no transport any more.
            transport = self.connection
            try:
                return super()._brpop_read(**options)  # type: ignore[no-untyped-call]
            except faults_of_broker:
                raise
            except Exception as fault:
                if transport is None or transport.is_handling:
                    raise
                _log_discarded(type(fault).__name__)
                raise Empty from None

    class CheckedTransport(kombu_redis.Transport):
        Channel = CheckedChannel
        is_handling = False
        """Whether a signed message is being handled: an exception then does not come from the form of the message."""

        def _deliver(self, message: object, queue: str) -> None:
            headers = message.get("headers") if isinstance(message, dict) else None
            try:
                order = key.read(headers, unix_seconds=time.time())
            except UnsignedMessage as fault:
                _log_discarded(str(fault))
                return
            except OrderAhead as fault:
                _log.warning("%s", fault)
                return
            if order is None:
                _log.debug("an expired message was discarded")
                return
            self.is_handling = True
            try:
                clean = _message_of(order, key, queue=queue, delivery_tag=str(uuid.uuid4()))
                super()._deliver(clean, queue)  # type: ignore[no-untyped-call]
            finally:
                self.is_handling = False

    return CheckedTransport


def _log_discarded(why: str) -> None:
    _log.warning("a message that is not ours was discarded: %s", why)


def _connections(key: MessageKey) -> type[Connection]:
    """A connection class that uses the transport of this key, whatever the URL names."""

    class CheckedConnection(Connection):
        def get_transport_cls(self) -> type[Transport]:
            return _transport_of(key)

    return CheckedConnection


def make_app(url: str, key: MessageKey) -> Celery:
    """A Celery application on the broker at `url` (redis:// or redis+socket://; several separated by `;`, of which a
    worker reads one and goes on with the next when that is gone). It stores no results: the database rows are
    authoritative. A message is taken off the queue when a worker starts it, so that no visibility timeout can
    start a second copy; the work of a worker that dies is found again by the next tick.
    """
    app = Celery("dialer", broker=url, set_as_current=True)
    app.amqp.Connection = _connections(key)
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": 3600,
            "socket_timeout": 5,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
        task_default_queue=DIAL_QUEUE,
        task_routes={TASK_PREFIX + name: {"queue": BULK_QUEUE} for name in sorted(BULK_TASKS)},
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        task_serializer="json",
        accept_content=["json"],
        timezone="UTC",
        enable_utc=True,
    )
    return app


class Enqueuer:
    """Sends orders to the workers: `enqueue("dial")`. When the broker does not answer, it only logs a warning.

    With several brokers an order goes to each that answers: which one a worker reads is known to nobody else, and an
    order may be carried out twice or not at all. On a broker that no worker reads the newest thousand stay.
    """

    def __init__(self, app: Celery, key: MessageKey, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._key = key
        urls = _urls(app)
        self._brokers = [_Broker(app, url if len(urls) > 1 else None, clock) for url in urls]

    def __call__(self, name: str, *ids: int | str) -> None:
        self.send(name, *ids)

    def send(self, name: str, *ids: int | str) -> bool:
        """Sends an order; False when no broker answered."""
        queue = BULK_QUEUE if name in BULK_TASKS else DIAL_QUEUE
        headers = self._key.headers(TaskOrder(name=name, ids=ids, sent_at=time.time()))

        def order(connection: Any) -> bool:  # noqa: ANN401 - kombu's
            self._app.send_task(
                TASK_PREFIX + name,
                queue=queue,
                headers=headers,
                retry=False,
                ignore_result=True,
                connection=connection,
            )
            if len(self._brokers) > 1:
                connection.default_channel.client.ltrim(queue, 0, _MOST_UNREAD - 1)
            return True

        problem = "the broker does not answer; the next tick finds the work: %s"
        # Those that did not answer last time come last: nobody else waits for them.
        taken = [broker.ask(order, problem) for broker in sorted(self._brokers, key=_Broker.silent_until)]
        return any(taken)

    def is_deep(self, queue: str) -> bool:
        """True when more than 100 messages wait on the queue of every broker that answers, so that one more makes no
        difference.
        """
        problem = "the depth of a queue cannot be read: %s"
        depths = [
            broker.ask(lambda connection: int(connection.default_channel.client.llen(queue)), problem)
            for broker in self._brokers
        ]
        known = [depth for depth in depths if depth is not None]
        return bool(known) and min(known) > _DEEP


class _Broker:
    """One of the brokers, at `url`; None: the one of the application. One of several that does not answer is not asked
    again for some seconds, so that nobody waits for it.
    """

    def __init__(self, app: Celery, url: str | None, clock: Callable[[], float]) -> None:
        self._app = app
        self._is_one_of_several = url is not None
        self._pool = None if url is None else app.connection_for_write(url).Pool(app.conf.broker_pool_limit)
        self._clock = clock
        self._silent_until = -math.inf

    def silent_until(self) -> float:
        """Until when it is not asked, on the clock; of one that always answered, long ago."""
        return self._silent_until

    def ask(self, question: Callable[[Any], T], problem: str) -> T | None:
        """The answer of this broker; None, with a warning in the log, when it does not answer."""
        if self._clock() < self._silent_until:
            return None
        try:
            with self._connection() as connection:
                return question(connection)
        except Exception as fault:  # noqa: BLE001  # every kind of broker fault means the same here
            _log.warning(problem, type(fault).__name__)
            if self._is_one_of_several:
                self._silent_until = self._clock() + _AGAIN_SECONDS
            return None

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        """A connection of the pool. A broker that refuses is tried twice; by default kombu tries for six seconds."""
        pool = self._app.pool if self._pool is None else self._pool
        with pool.acquire(block=True) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0.2)
            yield connection


def check_broker(app: Celery) -> None:
    """Raises `Unavailable` when no broker answers within seconds."""
    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=len(_urls(app)), timeout=3)
            connection.default_channel.client.ping()
    except Exception as fault:
        line = _line_of(fault)
        raise Unavailable(part="broker", problem=line) from fault


def _line_of(fault: BaseException) -> str:
    """The first line of the text of an error of the broker's libraries, or of its causes, since the outermost text is
    often empty; else the name of its class.
    """
    cause: BaseException | None = fault
    while cause is not None:
        if line := str(cause).strip().partition("\n")[0]:
            return line
        cause = cause.__cause__ or cause.__context__
    return type(fault).__name__


_UNACKNOWLEDGED: Final = ("unacked", "unacked_index", "unacked_mutex")


def discard_messages(app: Celery, queues: Sequence[str]) -> None:
    """Empties these queues and restores the form in which kombu stores them, whatever anybody wrote there: the database
    rows record what is due. Of several brokers this is done on each that answers. Raises `Unavailable` when none does.
    """
    faults = []
    for url in _urls(app):
        try:
            _discard_messages(app, url, queues)
        except Unavailable as fault:
            faults.append(fault)
    if len(faults) == len(_urls(app)):
        raise faults[0]


def _urls(app: Celery) -> list[str]:
    """The addresses of the brokers."""
    return str(app.conf.broker_url).split(BETWEEN_BROKERS)


def _discard_messages(app: Celery, url: str, queues: Sequence[str]) -> None:
    try:
        with app.connection_for_write(url) as connection:
            channel = connection.default_channel
            with channel.conn_or_acquire() as client:
                client.delete(*_UNACKNOWLEDGED)
                for queue in queues:
                    client.delete(*(channel._q_for_pri(queue, step) for step in channel.priority_steps))  # noqa: SLF001 - kombu has no public name for it
                    _repair_bindings(client, channel, queue)
    except Exception as fault:
        raise Unavailable(part="broker", problem=type(fault).__name__) from fault


def _repair_bindings(client: redis.Redis, channel: Channel, queue: str) -> None:
    """Binds the exchange of this queue to it alone: kombu fails on an entry that it cannot read."""
    name = channel.keyprefix_queue % queue
    own = channel.sep.join((queue, "", queue)).encode()
    if client.type(name) == b"set":
        others = [member for member in client.smembers(name) if member != own]
        if others:
            client.srem(name, *others)
    else:
        client.delete(name)


def redis_url(broker_url: str, *, scheme: str = "redis+unix") -> str:
    """The URL of the first broker in the form that other libraries read: a socket is redis+socket:// in the settings,
    redis+unix:// for `limits` and unix:// for the client.
    """
    broker_url = broker_url.split(BETWEEN_BROKERS, maxsplit=1)[0]
    if not broker_url.startswith("redis+socket://"):
        return broker_url
    parts = urlsplit(broker_url)
    number = parse_qs(parts.query).get("virtual_host", ["0"])[0].lstrip("/")
    return f"{scheme}://{parts.path}?db={number}"


class EnqueueLimiter:
    """Enqueues work in the background that may be requested many times a second: at once when none of that name is
    under way, and then once for all requests made meanwhile, at least `spacing_seconds` later.
    """

    def __init__(self, enqueue: Callable[[str], object], *, spacing_seconds: float = 0.0) -> None:
        self._enqueue = enqueue
        self._spacing_seconds = spacing_seconds
        self._lock = threading.Lock()
        self._wanted_again: dict[str, bool] = {}
        """By the name that is under way: whether it was requested again."""

    def __call__(self, names: Iterable[str]) -> None:
        for name in names:
            with self._lock:
                is_under_way = name in self._wanted_again
                self._wanted_again[name] = is_under_way
            if not is_under_way:
                threading.Thread(target=self._run, args=(name,), name=f"enqueue-{name}", daemon=True).start()

    def _run(self, name: str) -> None:
        try:
            self._enqueue(name)
        finally:
            time.sleep(self._spacing_seconds)
            with self._lock:
                is_wanted_again = self._wanted_again.pop(name)
            if is_wanted_again:
                self([name])
