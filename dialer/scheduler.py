"""`dialer scheduler`: ticks that enqueue names of work. Several may run; one leads, by a lease in PostgreSQL.

The leader renews its lease with each heartbeat; when it died, is stopped or cut off, the lease ends and another one
leads. A leader whose lease may have ended sends nothing. The scheduler holds no business data: what is due is in the
rows.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from dialer.audit.trail import anchor_trail, check_new_lines, recent_anchors
from dialer.broker import BULK_QUEUE, DIAL_QUEUE
from dialer.control.health import SCHEDULER_PART, TICK_PART, close_cycle
from dialer.control.keys import is_reseal_due
from dialer.control.retention import is_retention_due
from dialer.core.errors import Unavailable
from dialer.db.leases import LEADER, Lease, own_name, take_lease
from dialer.db.system_state import (
    delete_old_deliveries,
    delete_silent_processes,
    end_heartbeat,
    is_anything_due,
    is_delivery_due,
    is_opening_unchecked,
    is_recording_due,
    note_cycle_part,
    note_heartbeat,
)
from dialer.db.unit_of_work import Tx
from dialer.services import Application

ALIVE_FILE = "engine-alive"
"""In the data folder of the leading scheduler's machine, touched whenever a whole cycle was completed: for a watchdog
that needs neither our database nor our web process.
"""
_FOLLOW_SECONDS = 1.0
_BEAT_SECONDS = 2.0
_LEASE_SECONDS = 8.0
"""Another one leads at the latest this long after the leader was last able to renew its lease."""
_FORGET = timedelta(days=1)
"""Heartbeats are deleted once a day when they ended this long ago."""
_BACK_SECONDS = 2.0
"""A clock that was set back by more stops a leader: APScheduler would send nothing before it is as late again."""
_CHECK_SECONDS = 60.0
_RESEAL_SECONDS = 5.0
_RETENTION_SECONDS = 30.0
_SCREEN_SECONDS = 10.0
_DELIVER_SECONDS = 3.0
_FETCH_SECONDS = 5.0
_BULLETIN_SECONDS = 600.0
_FAIRNESS_SECONDS = 3600.0
_RESUME_EVERY = 10
_ROUNDS = (("sweep", 1), ("dial", 1), ("reconcile", 2), ("send_messages", 2), ("fold", 5))
"""What a tick enqueues for the dialling workers, and in every how many ticks."""
_AT_REST = 10
"""With nothing due only one tick in this many is sent: it finds what the check of the rows does not see."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class TickLog:
    """What the leader has sent and seen, between APScheduler's threads and the leading one."""

    sent_at: datetime | None = None
    rounds: int = 0
    due: bool = True
    """Whether a worker would find work, as the leading thread last saw it."""
    leads: Callable[[], bool] = lambda: True
    """A job that a stopped process begins when it wakes finds that another one leads now."""


@dataclass(slots=True)
class _Lead:
    """The lease of the leader, and how long it is certain by this process's own time."""

    lease: Lease
    _until: float

    @classmethod
    def take(cls, app: Application, process: str, *, holder: str, seconds: float) -> _Lead | None:
        """The lead, taken for `seconds`; None where another process has it."""
        asked_at = time.monotonic()
        with app.services.store.begin() as tx:
            lease = take_lease(tx.connection, LEADER, holder=holder, seconds=seconds)
            _beat(tx, app, process, leader=lease is not None)
        return None if lease is None else cls(lease=lease, _until=asked_at + seconds)

    def renew(self, app: Application, process: str) -> bool:
        """Whether the lead is renewed; False where another process leads, or may soon. The heartbeat says the same, in
        the same transaction.
        """
        asked_at = time.monotonic()
        try:
            with app.services.store.begin() as tx:
                renewed = self.lease.renew(tx.connection)
                _beat(tx, app, process, leader=renewed)
        except Unavailable as fault:
            _log.warning("%s", fault)
            return self.is_certain()
        self._until = asked_at + self.lease.seconds if renewed else asked_at
        return renewed

    def is_certain(self) -> bool:
        """No other one leads at this moment, whatever the database says later."""
        return time.monotonic() < self._until


def run_scheduler(
    app: Application, *, stopped: threading.Event, lease_seconds: float = _LEASE_SECONDS
) -> None:
    """Leads when no other does, until `stopped`. A leader that cannot renew its lease of `lease_seconds` stops leading
    before another may begin.
    """
    process = f"{SCHEDULER_PART}:{socket.gethostname()}:{os.getpid()}:{threading.get_native_id()}"
    holder = own_name()
    while not stopped.is_set():
        try:
            lead = _Lead.take(app, process, holder=holder, seconds=lease_seconds)
            if lead is not None:
                _log.info("leading")
                _send_ticks(app, process, lead, stopped)
        except Unavailable as fault:
            _log.warning("%s", fault)
        stopped.wait(_FOLLOW_SECONDS)
    try:
        with app.services.store.begin() as tx:
            end_heartbeat(tx, process=process)
    except Unavailable as fault:
        _log.warning("%s", fault)


def _beat(tx: Tx, app: Application, process: str, *, leader: bool) -> None:
    note_heartbeat(
        tx, process=process, kind=SCHEDULER_PART, real_now=app.services.real.now(), facts={"leader": leader}
    )


def _send_ticks(app: Application, process: str, lead: _Lead, stopped: threading.Event) -> None:
    """Sends ticks until it is stopped, may have lost the lead, or the machine's clock was set back: the jobs are then
    made anew.
    """
    ticks = TickLog(leads=lead.is_certain)
    ahead = _seconds_ahead(app)
    scheduler = _ticking(app, ticks)
    cycle_began = app.services.real.now()
    renewed = time.monotonic()
    scheduler.start()
    try:
        while not stopped.is_set():
            if not lead.is_certain():
                _log.warning("lost the lead")
                return
            if ahead - _seconds_ahead(app) > _BACK_SECONDS:
                _log.warning("the clock was set back by %.0f s", ahead - _seconds_ahead(app))
                return
            ahead = max(ahead, _seconds_ahead(app))
            ticks.due = _is_due(app)
            if time.monotonic() - renewed >= _BEAT_SECONDS:
                renewed = time.monotonic()
                if lead.renew(app, process):
                    cycle_began = _note(app, ticks, cycle_began)
            stopped.wait(_FOLLOW_SECONDS)
    finally:
        # A process that ends lets its jobs end first: they hold connections. One that lost the lead stops at once.
        scheduler.shutdown(wait=stopped.is_set())
        with suppress(Unavailable), app.services.store.begin() as tx:
            lead.lease.end(tx.connection)


def _seconds_ahead(app: Application) -> float:
    """The seconds of the machine's clock before one that is never set: less when it was set back."""
    return app.services.real.now().timestamp() - time.monotonic()


def _ticking(app: Application, ticks: TickLog) -> BackgroundScheduler:
    settings = app.settings.scheduler
    tick = settings.tick_seconds
    enqueue = app.enqueuer

    def leading(job: Callable[..., None]) -> Callable[..., None]:
        def run(*args: object) -> None:
            if ticks.leads():
                job(*args)

        return run

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
    jobs: tuple[tuple[str, Callable[..., None], tuple[object, ...], float], ...] = (
        ("round", go_round, (), tick),
        ("audit", send, ("audit", DIAL_QUEUE), settings.audit_seconds),
        ("resume_loads", send, ("resume_loads", BULK_QUEUE), tick * _RESUME_EVERY),
        ("resume_renders", send, ("resume_renders", BULK_QUEUE), tick * _RESUME_EVERY),
        ("clean_up", _clean_up, (app,), _FORGET.total_seconds()),
        ("check_trail", _check_trail, (app,), _CHECK_SECONDS),
        ("reseal", _resume_reseal, (app,), _RESEAL_SECONDS),
        ("retention", _resume_retention, (app,), _RETENTION_SECONDS),
        ("screen_openings", _screen_openings, (app,), _SCREEN_SECONDS),
        ("fetch_recordings", _fetch_recordings, (app,), _FETCH_SECONDS),
        ("send_webhooks", _send_webhooks, (app,), _DELIVER_SECONDS),
        ("draft_bulletins", send, ("draft_bulletins", BULK_QUEUE), _BULLETIN_SECONDS),
        ("watch_fairness", send, ("watch_fairness", BULK_QUEUE), _FAIRNESS_SECONDS),
        ("anchor", _anchor, (app,), app.settings.audit.anchor_seconds),
    )
    for number, (name, job, args, seconds) in enumerate(jobs):
        trigger = IntervalTrigger(seconds=seconds, timezone="UTC")
        # Each at another part of the second: together they would need a connection each.
        begins = first + timedelta(seconds=number / len(jobs))
        scheduler.add_job(leading(job), trigger, args=args, id=name, next_run_time=begins)
    return scheduler


def _clean_up(app: Application) -> None:
    real_now = app.services.real.now()
    kept = timedelta(days=app.settings.webhooks.keep_days)
    try:
        with app.services.store.begin() as tx:
            delete_silent_processes(tx, before=real_now - _FORGET, real_now=real_now)
            delete_old_deliveries(tx, before=real_now - kept)
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


def _resume_retention(app: Application) -> None:
    """A worker deletes what is past its period, each hour, and goes on where one was killed."""
    try:
        if is_retention_due(app.services, app.settings.retention) and not app.enqueuer.is_deep(BULK_QUEUE):
            app.enqueuer.send("retention")
    except Unavailable as fault:
        _log.warning("%s", fault)


def _screen_openings(app: Application) -> None:
    """A worker checks openings of files and stored accounts, which nobody asked about at a counter."""
    try:
        with app.services.store.begin() as tx:
            is_due = is_opening_unchecked(tx)
        if is_due and not app.enqueuer.is_deep(BULK_QUEUE):
            app.enqueuer.send("screen_openings")
    except Unavailable as fault:
        _log.warning("%s", fault)


def _fetch_recordings(app: Application) -> None:
    """A worker fetches recordings of calls that are over from the carrier."""
    try:
        with app.services.store.begin() as tx:
            is_due = is_recording_due(tx, real_now=app.services.real.now())
        if is_due and not app.enqueuer.is_deep(BULK_QUEUE):
            app.enqueuer.send("fetch_recordings")
    except Unavailable as fault:
        _log.warning("%s", fault)


def _send_webhooks(app: Application) -> None:
    """A worker sends the messages of outgoing webhooks that are due."""
    try:
        with app.services.store.begin() as tx:
            is_due = is_delivery_due(tx, real_now=app.services.real.now())
        if is_due and not app.enqueuer.is_deep(BULK_QUEUE):
            app.enqueuer.send("send_webhooks")
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


def _note(app: Application, ticks: TickLog, cycle_began: datetime) -> datetime:
    """Writes the ticks of the leader; returns when the present cycle began."""
    services = app.services
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
