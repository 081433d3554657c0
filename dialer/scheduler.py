"""`dialer scheduler`: ticks that enqueue names of work. Several may run; one leads, by a lock in PostgreSQL.

A leader that dies loses its connection and with it the lock, and another leads within a second. A leader that is
stopped or cut off keeps its lock and is silent: the others end its session after a while. The scheduler holds no
business data: what is due is in the rows.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from dialer.audit.trail import anchor_trail, check_new_lines, recent_anchors
from dialer.broker import BULK_QUEUE, DIAL_QUEUE
from dialer.control.health import SCHEDULER_PART, TICK_PART, close_cycle
from dialer.control.keys import is_reseal_due
from dialer.core.errors import Unavailable
from dialer.db.system_state import (
    Heartbeat,
    delete_silent_processes,
    end_heartbeat,
    end_lock_holder,
    heartbeats,
    is_anything_due,
    note_cycle_part,
    note_heartbeat,
)
from dialer.org.staff_store import delete_expired_sessions
from dialer.services import Application

LEADER_LOCK = 0x6C656164
ALIVE_FILE = "engine-alive"
"""In the data folder of the leading scheduler's machine, touched whenever a whole cycle was completed: for a watchdog
that needs neither our database nor our web process.
"""
_FOLLOW_SECONDS = 1.0
_BEAT_SECONDS = 2.0
_FORGET = timedelta(days=1)
"""Heartbeats and sessions are deleted once a day when they ended so long ago."""
_CHECK_SECONDS = 60.0
_RESEAL_SECONDS = 5.0
_RESUME_EVERY = 5
_ROUNDS = (("sweep", 1), ("dial", 1), ("reconcile", 2), ("send_messages", 2), ("fold", 5))
"""What a tick enqueues for the dialling workers, and in every how many ticks."""
_AT_REST = 5
"""With nothing due only one tick in so many is sent: it finds what the check of the rows does not see."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class TickLog:
    """What the leader has sent and seen, between APScheduler's threads and the leading one."""

    sent_at: datetime | None = None
    rounds: int = 0
    due: bool = True
    """Whether a worker would find work, as the leading thread last saw it."""


@dataclass(slots=True)
class _Patience:
    """How long the leader has been silent, measured by this process alone: no two machines' clocks are compared."""

    limit_seconds: float
    _last: tuple[str, datetime] | None = None
    _since: float = field(default_factory=time.monotonic)

    def is_over(self, leader: Heartbeat | None) -> bool:
        heard = None if leader is None else (leader.process, leader.at)
        if heard is not None and heard != self._last:
            self._last = heard
            self.begin()
        return time.monotonic() - self._since > self.limit_seconds

    def begin(self) -> None:
        self._since = time.monotonic()


def run_scheduler(app: Application, *, stopped: threading.Event, silent_seconds: float = 8.0) -> None:
    """Leads when no other does, until `stopped`. A leader that loses the database or the lock stops leading at once;
    the session of one that is silent for `silent_seconds` is ended.
    """
    process = f"{SCHEDULER_PART}:{socket.gethostname()}:{os.getpid()}:{threading.get_native_id()}"
    patience = _Patience(limit_seconds=silent_seconds)
    while not stopped.is_set():
        try:
            with app.services.store.hold_advisory_lock(LEADER_LOCK) as still_held:
                if still_held is not None:
                    _log.info("leading")
                    _lead(app, process, still_held, stopped)
                    patience.begin()
                else:
                    _follow(app, process, patience)
        except Unavailable as fault:
            _log.warning("%s", fault)
            patience.begin()
        stopped.wait(_FOLLOW_SECONDS)
    try:
        with app.services.store.begin() as tx:
            end_heartbeat(tx, process=process)
    except Unavailable as fault:
        _log.warning("%s", fault)


def _follow(app: Application, process: str, patience: _Patience) -> None:
    _beat(app, process, leader=False)
    with app.services.store.begin() as tx:
        leaders = [beat for beat in heartbeats(tx, kind=SCHEDULER_PART) if beat.facts.get("leader")]
        if patience.is_over(leaders[0] if leaders else None):
            patience.begin()
            if end_lock_holder(tx, key=LEADER_LOCK):
                _log.warning("the leading scheduler is silent: its session was ended")


def _beat(app: Application, process: str, *, leader: bool) -> None:
    with app.services.store.begin() as tx:
        note_heartbeat(
            tx,
            process=process,
            kind=SCHEDULER_PART,
            real_now=app.services.real.now(),
            facts={"leader": leader},
        )


def _lead(app: Application, process: str, still_held: Callable[[], bool], stopped: threading.Event) -> None:
    ticks = TickLog()
    scheduler = _ticking(app, ticks)
    cycle_began = app.services.real.now()
    beaten = -_BEAT_SECONDS
    scheduler.start()
    try:
        while not stopped.is_set():
            if not still_held():
                _log.warning("lost the lead")
                return
            ticks.due = _is_due(app)
            if time.monotonic() - beaten >= _BEAT_SECONDS:
                beaten = time.monotonic()
                cycle_began = _note(app, process, ticks, cycle_began)
            stopped.wait(_FOLLOW_SECONDS)
    finally:
        # A process that ends lets its jobs end first: they hold connections. One that lost the lead stops at once.
        scheduler.shutdown(wait=stopped.is_set())


def _ticking(app: Application, ticks: TickLog) -> BackgroundScheduler:
    settings = app.settings.scheduler
    tick = settings.tick_seconds
    enqueue = app.enqueuer
    scheduler = BackgroundScheduler(
        timezone="UTC",
        # A tick that was missed is run once, however late: what is due is in the rows, not in the tick.
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )

    def send(name: str, queue: str) -> None:
        # A deep queue shows that the broker answers, and holds all the ticks that it needs.
        if enqueue.is_deep(queue) or enqueue.send(name):
            ticks.sent_at = app.services.real.now()

    def go_round() -> None:
        number, ticks.rounds = ticks.rounds, ticks.rounds + 1
        wanted = [name for name, every in _ROUNDS if number % every == 0]
        if number % _AT_REST and not ticks.due:
            return
        for name in wanted:
            send(name, DIAL_QUEUE)

    # The first one at once: after a gap without a leader the next round must not be waited for.
    first = app.services.real.now()
    for name, job, args, seconds in (
        ("round", go_round, (), tick),
        ("audit", send, ("audit", DIAL_QUEUE), settings.audit_seconds),
        ("resume_loads", send, ("resume_loads", BULK_QUEUE), tick * _RESUME_EVERY),
        ("resume_renders", send, ("resume_renders", BULK_QUEUE), tick * _RESUME_EVERY),
        ("clean_up", _clean_up, (app,), _FORGET.total_seconds()),
        ("check_trail", _check_trail, (app,), _CHECK_SECONDS),
        ("reseal", _resume_reseal, (app,), _RESEAL_SECONDS),
        ("anchor", _anchor, (app,), app.settings.audit.anchor_seconds),
    ):
        trigger = IntervalTrigger(seconds=seconds, timezone="UTC")
        scheduler.add_job(job, trigger, args=args, id=name, next_run_time=first)
    return scheduler


def _clean_up(app: Application) -> None:
    before = app.services.real.now() - _FORGET
    try:
        with app.services.store.begin() as tx:
            delete_silent_processes(tx, before=before)
            delete_expired_sessions(tx, before=before)
    except Unavailable as fault:
        _log.warning("%s", fault)


def _check_trail(app: Application) -> None:
    try:
        anchors = recent_anchors(app.services.store.vault, app.settings.audit.anchor_file)
        check_new_lines(app.services, anchors=anchors)
    except Unavailable as fault:
        _log.warning("%s", fault)


def _resume_reseal(app: Application) -> None:
    """A worker seals values again until no value uses an old key: also one that was killed, or waits for calls."""
    try:
        if is_reseal_due(app.services) and not app.enqueuer.is_deep(BULK_QUEUE):
            app.enqueuer.send("reseal")
    except Unavailable as fault:
        _log.warning("%s", fault)


def _anchor(app: Application) -> None:
    try:
        anchor_trail(app.services, app.settings.audit)
    except Unavailable as fault:
        _log.warning("%s", fault)


def _is_due(app: Application) -> bool:
    """Whether a worker would find work; True when the database does not answer."""
    services = app.services
    try:
        with services.store.begin() as tx:
            return is_anything_due(tx, now=services.clock.now())
    except Unavailable as fault:
        _log.warning("%s", fault)
        return True


def _note(app: Application, process: str, ticks: TickLog, cycle_began: datetime) -> datetime:
    """Writes the heartbeat and ticks of the leader; returns when the present cycle began."""
    services = app.services
    _beat(app, process, leader=True)
    if ticks.sent_at is not None:
        with services.store.begin() as tx:
            note_cycle_part(tx, TICK_PART, began_at=ticks.sent_at, real_now=ticks.sent_at)
    if not close_cycle(services, began_at=cycle_began):
        return cycle_began
    _touch(app.settings.data_dir / ALIVE_FILE)
    return services.real.now()


def _touch(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
    except OSError as fault:
        _log.warning("the alive file cannot be written: %s", fault.strerror)
