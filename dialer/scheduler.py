"""`dialer scheduler`: sends ticks, which enqueue tasks by name. Several may run; one leads, by a lease in PostgreSQL.

The leader renews its lease with each heartbeat; when it dies, is stopped or is cut off, the lease ends and another one
leads. A leader whose lease may have ended sends nothing. The scheduler holds no business data: the database rows record
what is due.
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
from functools import partial
from pathlib import Path
from typing import Final

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from dialer.approvals.actions import watch_drafts
from dialer.audit.trail import anchor_trail, check_in_rounds, recent_anchors
from dialer.calls.number_marks import watch_number
from dialer.calls.recordings import RECORDINGS
from dialer.calls.stalls import StallWatch
from dialer.control.alarms import BrokerWatch, end_alarms_without_cause, raise_silent_hosts
from dialer.control.health import CONSISTENCY_PART, SCHEDULER_PART, TICK_PART, close_cycle, raise_overdue_work
from dialer.core.errors import Unavailable
from dialer.db.leases import LEADER, Lease, process_name, take_lease
from dialer.db.silence import SilenceWatch
from dialer.db.system_state import (
    CLOCKS_APART,
    cycle_parts,
    delete_old_deliveries,
    delete_silent_processes,
    end_heartbeat,
    is_anything_due,
    is_opening_unchecked,
    note_cycle_part,
    note_heartbeat,
)
from dialer.db.unit_of_work import Tx
from dialer.duty.actions import watch_gaps
from dialer.duty.presence import settle_presences
from dialer.duty.presence_store import delete_old_changes
from dialer.keys.actions import is_reseal_due
from dialer.notifications.store import delete_old_notifications
from dialer.oversight.corrections import watch_orders
from dialer.quality.store import TRANSCRIPTS, is_any_uninspected
from dialer.retention.retention import is_retention_due
from dialer.runtime.broker import BULK_QUEUE, DIAL_QUEUE, check_broker
from dialer.runtime.services import Application
from dialer.webhooks.actions import deliveries
from dialer.work.offer_store import delete_old_offers
from dialer.work.offers import offer_tasks, watch_desks

ALIVE_FILE = "engine-alive"
"""A file in the data folder of the leading scheduler's machine, touched whenever a whole cycle is complete: for a
watchdog that needs neither our database nor our web process.
"""
_FOLLOW_SECONDS = 1.0
_BEAT_SECONDS = 2.0
_LEASE_SECONDS = 8.0
"""Another scheduler leads at the latest this long after the leader was last able to renew its lease."""
_FORGET = timedelta(days=1)
"""Heartbeats are deleted once a day when they ended this long ago."""
_BACK_SECONDS = 2.0
"""A leader whose clock is set back by more stops leading: APScheduler would send nothing until the clock is where it
was.
"""
_CHECK_SECONDS = 60.0
_FIRST_CHECK, _FIRST_CHECK_SECONDS = "first_check", 3.0
"""The first round of the consistency checker under a new leader."""
_OVERDUE_SECONDS = 600.0
_BULLETIN_SECONDS = 600.0
_FIGURES_SECONDS = 120.0
_STALLS_SECONDS = 5.0
_PRESENCES_SECONDS = 5.0
_OFFERS_SECONDS = 1.0
_PRESENCE_KEPT = timedelta(days=90)
_BROKER_SECONDS = 10.0
_FAIRNESS_SECONDS = 3600.0
_RESUME_EVERY = 10
_ROUNDS = (("sweep", 1), ("dial", 1), ("reconcile", 2), ("send_messages", 2), ("notify", 2))
"""The tasks that ticks enqueue for the dialling workers, and every how many ticks."""
_AT_REST = 10
"""With nothing due only one tick in this many is sent: it finds what the check of the rows does not see."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class TickLog:
    """What the leader has sent and seen; shared by APScheduler's threads and the leading thread."""

    sent_at: datetime | None = None
    rounds: int = 0
    due: bool = True
    """Whether a worker would find work, as the leading thread last saw it."""
    leads: Callable[[], bool] = lambda: True
    """Whether this process still leads. A job that a suspended process begins when it wakes finds that another one
    leads now.
    """


@dataclass(slots=True)
class _Lead:
    """The lease of the leader, and until when it is certain by this process's own clock."""

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
        """Renews the lead. False where another process leads, or may soon. The heartbeat records the same, in the same
        transaction.
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
        """Whether no other process can lead at this moment, whatever the database says later."""
        return time.monotonic() < self._until


def run_scheduler(
    app: Application, *, stopped: threading.Event, lease_seconds: float = _LEASE_SECONDS
) -> None:
    """Leads when no other scheduler does, until `stopped`. A leader that cannot renew its lease of `lease_seconds`
    stops leading before another may begin.
    """
    process = f"{SCHEDULER_PART}:{socket.gethostname()}:{os.getpid()}:{threading.get_native_id()}"
    holder = process_name()
    with SilenceWatch(app.services.store).running():
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
    """Sends ticks until the scheduler is stopped, may have lost the lead, or the machine's clock was set back: the jobs
    are then created anew.
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
    """How many seconds the machine's clock is ahead of the monotonic clock; fewer after it was set back."""
    return app.services.real.now().timestamp() - time.monotonic()


def _leading(ticks: TickLog, job: Callable[..., object]) -> Callable[..., None]:
    """Wraps a job so that it does nothing once another process leads. A fault of the database ends only this run: the
    job comes again.
    """

    def run(*args: object) -> None:
        if ticks.leads():
            try:
                job(*args)
            except Unavailable as fault:
                _log.warning("%s", fault)

    return run


Job = tuple[str, Callable[..., object], tuple[object, ...], float]
"""A job's name, what it calls with which arguments, and every how many seconds."""


def _ticking(app: Application, ticks: TickLog) -> BackgroundScheduler:
    scheduler = BackgroundScheduler(
        timezone="UTC",
        # A tick that was missed is run once, however late: what is due is in the rows, not in the tick.
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    # The first one at once: after a gap without a leader nothing may wait for the next round.
    first = app.services.real.now()
    jobs = (*jobs_of(app, ticks), _first_check(app, ticks, first, lambda: scheduler.remove_job(_FIRST_CHECK)))
    for number, (name, job, args, seconds) in enumerate(jobs):
        trigger = IntervalTrigger(seconds=seconds, timezone="UTC")
        # Each at another part of the second: at the same moment each would need a connection.
        begins = first + timedelta(seconds=number / len(jobs))
        scheduler.add_job(_leading(ticks, job), trigger, args=args, id=name, next_run_time=begins)
    return scheduler


def _send(app: Application, ticks: TickLog, name: str, queue: str) -> None:
    # A deep queue shows that the broker answers, and holds all the ticks that it needs.
    if app.enqueuer.is_deep(queue) or app.enqueuer.send(name):
        ticks.sent_at = app.services.real.now()


def _first_check(app: Application, ticks: TickLog, first: datetime, done: Callable[[], None]) -> Job:
    """Workers empty their queues as they start, and the first order with them: it is sent until a round has begun."""

    def send() -> None:
        with app.services.store.begin() as tx:
            last = cycle_parts(tx).get(CONSISTENCY_PART)
        real_now = app.services.real.now()
        has_begun = last is not None and first <= last.began_at <= real_now + CLOCKS_APART
        if has_begun or real_now >= first + timedelta(seconds=app.settings.scheduler.consistency_seconds):
            done()
        else:
            _send(app, ticks, "consistency", DIAL_QUEUE)

    return _FIRST_CHECK, send, (), _FIRST_CHECK_SECONDS


def jobs_of(app: Application, ticks: TickLog) -> tuple[Job, ...]:
    """All periodic jobs of the leader; of the tasks that workers do, they send the names."""
    settings, services = app.settings.scheduler, app.services
    tick, send = settings.tick_seconds, partial(_send, app, ticks)

    def go_round() -> None:
        number, ticks.rounds = ticks.rounds, ticks.rounds + 1
        wanted = [name for name, every in _ROUNDS if number % every == 0]
        if number % _AT_REST and not ticks.due:
            return
        for name in wanted:
            send(name, DIAL_QUEUE)

    broker = BrokerWatch(partial(check_broker, app.celery))
    stalls = StallWatch(is_broker_silent=lambda: broker.has_failed)
    return (
        ("round", go_round, (), tick),
        ("consistency", send, ("consistency", DIAL_QUEUE), settings.consistency_seconds),
        ("resume_loads", send, ("resume_loads", BULK_QUEUE), tick * _RESUME_EVERY),
        ("resume_renders", send, ("resume_renders", BULK_QUEUE), tick * _RESUME_EVERY),
        ("clean_up", _clean_up, (app,), _FORGET.total_seconds()),
        ("check_trail", _check_trail, (app,), _CHECK_SECONDS),
        ("overdue_work", raise_overdue_work, (services,), _OVERDUE_SECONDS),
        ("ended_alarms", end_alarms_without_cause, (services,), _CHECK_SECONDS),
        ("stalled_desks", watch_desks, (services,), _CHECK_SECONDS),
        ("offers", offer_tasks, (services,), _OFFERS_SECONDS),
        ("presences", settle_presences, (services,), _PRESENCES_SECONDS),
        ("duty_gaps", watch_gaps, (services,), _CHECK_SECONDS),
        ("number_marks", watch_number, (services,), _CHECK_SECONDS),
        ("correction_orders", watch_orders, (services,), _CHECK_SECONDS),
        ("waiting_drafts", watch_drafts, (services,), _CHECK_SECONDS),
        ("stalled_calls", stalls.look, (services,), _STALLS_SECONDS),
        ("silent_hosts", raise_silent_hosts, (services,), _STALLS_SECONDS),
        ("broker", broker.look, (services,), _BROKER_SECONDS),
        *((name, _send_if_due, (app, name, is_due), seconds) for name, is_due, seconds in _WHEN_DUE),
        ("refresh_figures", send, ("refresh_figures", BULK_QUEUE), _FIGURES_SECONDS),
        ("draft_bulletins", send, ("draft_bulletins", BULK_QUEUE), _BULLETIN_SECONDS),
        ("watch_fairness", send, ("watch_fairness", BULK_QUEUE), _FAIRNESS_SECONDS),
        ("anchor", anchor_trail, (services, app.settings.audit_places()), app.settings.audit.anchor_seconds),
    )


def _send_if_due(app: Application, name: str, is_due: Callable[[Application], bool]) -> None:
    # No tick is noted: for hours there may be nothing to send.
    if is_due(app) and not app.enqueuer.is_deep(BULK_QUEUE):
        app.enqueuer.send(name)


def _is_due_in_rows(app: Application, is_due: Callable[[Tx, datetime], bool]) -> bool:
    with app.services.store.begin() as tx:
        return is_due(tx, app.services.real.now())


_WHEN_DUE: Final[tuple[tuple[str, Callable[[Application], bool], float], ...]] = (
    # Seals values again until no value uses an old key: also after a worker was killed, or waited for calls.
    ("reseal", lambda app: is_reseal_due(app.services), 5.0),
    # Deletes what is past its period, each hour, and goes on where a worker was killed.
    ("retention", lambda app: is_retention_due(app.services, app.settings.retention), 30.0),
    # Checks openings of files and stored accounts, which nobody asked about at a counter.
    ("screen_openings", lambda app: _is_due_in_rows(app, lambda tx, _: is_opening_unchecked(tx)), 10.0),
    (
        "fetch_recordings",
        lambda app: _is_due_in_rows(app, lambda tx, now: RECORDINGS.is_any_free(tx, real_now=now)),
        5.0,
    ),
    # Reads recorded calls into words.
    (
        "transcribe",
        lambda app: (
            app.settings.quality.transcribe
            and _is_due_in_rows(app, lambda tx, now: TRANSCRIPTS.is_any_free(tx, real_now=now))
        ),
        30.0,
    ),
    # Judges calls that were read, and all of them again when other rules were approved.
    ("inspect_calls", lambda app: _is_due_in_rows(app, lambda tx, _: is_any_uninspected(tx)), 10.0),
    (
        "send_webhooks",
        lambda app: _is_due_in_rows(app, lambda tx, now: deliveries().is_any_free(tx, real_now=now)),
        3.0,
    ),
)
"""Tasks that are sent only while there is work for them: the name, the check for work, and how many seconds apart it is
made.
"""


def _clean_up(app: Application) -> None:
    real_now = app.services.real.now()
    kept = timedelta(days=app.settings.webhooks.keep_days)
    with app.services.store.begin() as tx:
        delete_silent_processes(tx, before=real_now - _FORGET, real_now=real_now)
        delete_old_deliveries(tx, before=real_now - kept)
        delete_old_notifications(tx, before=app.services.clock.now() - kept)
        delete_old_changes(tx, before=app.services.clock.now() - _PRESENCE_KEPT)
        delete_old_offers(tx, before=app.services.clock.now() - _PRESENCE_KEPT)


def _check_trail(app: Application) -> None:
    anchors = recent_anchors(app.services.store.vault, app.settings.audit_places().anchor_file)
    check_in_rounds(app.services, anchors=anchors)


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
    """Records the ticks of the leader; returns when the present cycle began."""
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
