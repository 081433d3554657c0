"""The Celery application, and how work is enqueued: by its name and ids, after the commit. Losing a message loses
nothing, since what is due is in the rows.
"""

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
    """`enqueue("dial")` tells a worker that there is work. A broker that does not answer costs a log line."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def __call__(self, name: str, *ids: int | str) -> None:
        self.send(name, *ids)

    def send(self, name: str, *ids: int | str) -> bool:
        """As a call of this object; False when the broker did not answer."""
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
        """True when so many messages wait that one more makes no difference."""
        try:
            with self._app.pool.acquire(block=True) as connection:
                depth: int = connection.default_channel.client.llen(queue)
        except Exception as fault:  # noqa: BLE001  # every kind of broker fault means the same here
            _log.warning("broker does not tell its depth: %s", type(fault).__name__)
            return False
        return depth > _DEEP


class EnqueueLimiter:
    """Enqueues in the background work that may be wanted many times a second: at once when nothing is under way, and
    then once for all that was wanted meanwhile, at least `spacing_seconds` later.
    """

    def __init__(self, enqueue: Callable[[str], object], *, spacing_seconds: float = 0.0) -> None:
        self._enqueue = enqueue
        self._spacing_seconds = spacing_seconds
        self._lock = threading.Lock()
        self._wanted_again: dict[str, bool] = {}
        """By the name that is under way."""

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
