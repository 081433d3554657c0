"""`dialer worker`: a Celery worker with its heartbeat row."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Sequence

from celery.worker import state

from dialer.bootstrap import Application
from dialer.broker import BULK_QUEUE, DIAL_QUEUE
from dialer.errors import Unavailable
from dialer.store import facts
from dialer.tasks import application
from dialer.tasks import work as _tasks  # noqa: F401  # registers the tasks

BEAT_SECONDS = 2.0
_DIAL_THREADS = 4

_log = logging.getLogger(__name__)


def run_worker(app: Application, *, queues: Sequence[str]) -> None:
    """Works until SIGTERM or SIGINT; what has been claimed is sent or handed back first."""
    application.use(app)
    process = f"worker:{socket.gethostname()}:{os.getpid()}"
    stopped = threading.Event()
    beating = threading.Thread(target=_beat, args=(app, process, queues, stopped), daemon=True)
    beating.start()

    def stop(*_: object) -> None:
        application.stop()
        state.should_stop = 0

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)

    pool = "threads" if DIAL_QUEUE in queues else "solo"
    # The controller itself: the command-line worker around it would print its own words on a person's terminal.
    worker = app.celery.WorkController(
        hostname=f"{'-'.join(queues)}@{socket.gethostname()}.{os.getpid()}",
        queues=list(queues),
        pool=pool,
        concurrency=_DIAL_THREADS if pool == "threads" else 1,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    try:
        worker.start()
    finally:
        stopped.set()
        beating.join(timeout=BEAT_SECONDS)
        try:
            with app.engine.store.begin() as tx:
                facts.stop_beating(tx, process=process)
        except Unavailable as fault:
            _log.warning("%s", fault)


def _beat(app: Application, process: str, queues: Sequence[str], stopped: threading.Event) -> None:
    while True:
        try:
            with app.engine.store.begin() as tx:
                facts.beat(
                    tx,
                    process=process,
                    kind="worker",
                    real_now=app.engine.real.now(),
                    facts={"queues": list(queues)},
                )
        except Unavailable as fault:
            _log.warning("%s", fault)
        if stopped.wait(BEAT_SECONDS):
            return


__all__ = ["BULK_QUEUE", "DIAL_QUEUE", "run_worker"]
