"""`dialer scheduler`: ticks that send names of work. Several may run; one leads, by a lock in PostgreSQL."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from dialer.bootstrap import Application
from dialer.broker import BULK_QUEUE, DIAL_QUEUE, Nudger
from dialer.errors import Unavailable

LEADER_LOCK = 0x6C656164
_FOLLOW_SECONDS = 1.0
_RESUME_EVERY = 5
_RECONCILE_EVERY = 2

_log = logging.getLogger(__name__)


def run_scheduler(app: Application, *, stopped: threading.Event) -> None:
    """Leads when no other does, until `stopped`; a leader that loses the database or the lock steps down at once."""
    while not stopped.is_set():
        try:
            with app.engine.store.hold_advisory_lock(LEADER_LOCK) as still_held:
                if still_held is not None:
                    _log.info("leading")
                    _lead(app, still_held, stopped)
        except Unavailable as fault:
            _log.warning("%s", fault)
        stopped.wait(_FOLLOW_SECONDS)


def _lead(app: Application, still_held: Callable[[], bool], stopped: threading.Event) -> None:
    tick = app.settings.scheduler.tick_seconds
    nudge = Nudger(app.celery)
    scheduler = BackgroundScheduler(
        timezone="UTC",
        # A tick that was missed is run once, however late: what is due is in the rows, not in the tick.
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )

    def send(name: str, queue: str) -> None:
        if not nudge.is_deep(queue):
            nudge(name)

    for name, queue, seconds in (
        ("sweep", DIAL_QUEUE, tick),
        ("dial", DIAL_QUEUE, tick),
        ("reconcile", DIAL_QUEUE, tick * _RECONCILE_EVERY),
        ("resume_loads", BULK_QUEUE, tick * _RESUME_EVERY),
    ):
        scheduler.add_job(send, IntervalTrigger(seconds=seconds), args=(name, queue), id=name)
    scheduler.start()
    try:
        while not stopped.wait(_FOLLOW_SECONDS):
            if not still_held():
                _log.warning("lost the lead")
                return
    finally:
        scheduler.shutdown(wait=False)
