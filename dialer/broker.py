"""The Celery application, and nudges: names of work with ids, sent after the commit. Losing one loses nothing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from celery import Celery
from kombu.exceptions import OperationalError

TASK_PREFIX = "dialer."
DIAL_QUEUE = "dial"
BULK_QUEUE = "bulk"
_BULK = frozenset({"load_list", "resume_loads", "close_withdrawn", "render_script", "resume_renders"})
_EXPIRES_SECONDS = 30
_DEEP = 100

_log = logging.getLogger(__name__)


def make_app(url: str) -> Celery:
    """A Celery application on the broker at `url` (redis:// or redis+socket://). Results are never kept: the rows are
    the truth. A message is taken off the queue when a worker begins it, so that no visibility timeout can ever start a
    second copy; one that dies with its worker is found again by the next tick.
    """
    app = Celery("dialer", broker=url, set_as_current=True)
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
        task_routes={TASK_PREFIX + name: {"queue": BULK_QUEUE} for name in sorted(_BULK)},
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
    """`nudge("dial")` tells a worker that there is work. A broker that does not answer costs a log line."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def __call__(self, name: str, *ids: int | str) -> None:
        self.send(name, *ids)

    def send(self, name: str, *ids: int | str) -> bool:
        """As a call; whether the broker has it."""
        queue = BULK_QUEUE if name in _BULK else DIAL_QUEUE
        try:
            self._app.send_task(
                TASK_PREFIX + name,
                args=ids,
                queue=queue,
                expires=_EXPIRES_SECONDS,
                retry=False,
                ignore_result=True,
            )
        except (OperationalError, OSError) as fault:
            _log.warning("broker does not answer, the next tick finds the work: %s", type(fault).__name__)
            return False
        return True

    def is_deep(self, queue: str) -> bool:
        """True when so many messages wait that one more tells nobody anything."""
        try:
            with self._app.pool.acquire(block=True) as connection:
                depth: int = connection.default_channel.client.llen(queue)
        except Exception as fault:  # noqa: BLE001  # every kind of broker fault means the same here
            _log.warning("broker does not tell its depth: %s", type(fault).__name__)
            return False
        return depth > _DEEP


class WriteBatch:
    """Nudges for work that may come many times a second: at once, and then one for all that came meanwhile."""

    def __init__(self, enqueue: Callable[[str], None], *, spacing_seconds: float = 0.2) -> None:
        self._nudge = enqueue
        self._spacing = spacing_seconds
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}
        self._waiting: set[str] = set()

    def __call__(self, names: Iterable[str]) -> None:
        for name in names:
            self._want(name)

    def _want(self, name: str) -> None:
        now = time.monotonic()
        with self._lock:
            if name in self._waiting:
                return
            due = self._next.get(name, now)
            self._next[name] = max(due, now) + self._spacing
            if due > now:
                self._waiting.add(name)
                timer = threading.Timer(due - now, self._late, [name])
                timer.daemon = True
                timer.start()
                return
        self._nudge(name)

    def _late(self, name: str) -> None:
        with self._lock:
            self._waiting.discard(name)
        self._nudge(name)
