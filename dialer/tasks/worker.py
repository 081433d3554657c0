"""`dialer worker`: a Celery worker with its heartbeat row."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence

from celery.worker import state

from dialer.control.health import beating
from dialer.core.errors import Unavailable
from dialer.runtime.broker import BULK_QUEUE, DIAL_QUEUE, discard_messages
from dialer.runtime.processes import freeze_startup_objects
from dialer.runtime.services import Application
from dialer.tasks.application import stop_application, use_application, wait_for_stop

_DIAL_THREADS = 4
_RETRY_SECONDS = 1.0

_log = logging.getLogger(__name__)


def run_worker(app: Application, *, queues: Sequence[str]) -> None:
    """Works until SIGTERM or SIGINT; what has been claimed is sent or released first. The messages that wait in its
    queues are discarded at the start: the database rows record what is due, and a broken message cannot stop the worker
    again and again.
    """
    use_application(app)
    # A worker of one queue does without the libraries of the other.
    if DIAL_QUEUE in queues:
        import dialer.tasks.dial_work
    if BULK_QUEUE in queues:
        import dialer.tasks.bulk_work  # noqa: F401  # the import registers its tasks

    def stop(*_: object) -> None:
        stop_application()
        state.should_stop = 0

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)

    pool = "threads" if DIAL_QUEUE in queues else "solo"
    # The controller itself: the command-line worker around it would print its banner on a person's terminal.
    worker = app.celery.WorkController(
        hostname=f"{'-'.join(queues)}@{socket.gethostname()}.{os.getpid()}",
        queues=list(queues),
        pool=pool,
        concurrency=_DIAL_THREADS if pool == "threads" else 1,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    freeze_startup_objects()
    with beating(app.services, kind="worker", facts={"queues": list(queues)}):
        if _discard(app, queues):
            worker.start()
    if worker.exitcode:
        # A fault that Celery has logged and not survived: a supervisor must not take it for a stop.
        sys.exit(worker.exitcode)


def _discard(app: Application, queues: Sequence[str]) -> bool:
    """Discards the messages of these queues; False when the process was asked to stop before the broker answered."""
    while True:
        try:
            discard_messages(app.celery, queues)
        except Unavailable as fault:
            _log.warning("%s", fault)
            if wait_for_stop(_RETRY_SECONDS):
                return False
        else:
            return True
