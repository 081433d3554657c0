"""Several schedulers: one leads, another follows it; which ticks are sent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa
from apscheduler.schedulers.background import BackgroundScheduler

from dialer.audit.trail import read_trail_state
from dialer.control.health import WORK_PARTS, note_part_done
from dialer.core.access import Role, unrestricted
from dialer.db import tables as t
from dialer.db.audit import write_audit
from dialer.db.system_state import cycle_parts, heartbeats
from dialer.org.accounts import add_staff
from dialer.retention.retention import apply_retention
from dialer.runtime.services import Application
from dialer.scheduler import ALIVE_FILE, TickLog, _ticking, run_scheduler
from dialer.staff.sign_in import token_hash
from dialer.staff.store import find_member, start_session
from tests.control.scene import Assemble

PATIENCE_SECONDS = 120.0


def until(true: Callable[[], object], *, within: float = PATIENCE_SECONDS) -> None:
    began = time.monotonic()
    ever = threading.Event()
    while not true():
        assert time.monotonic() - began < within, "it never came true"
        ever.wait(0.05)


def leaders(app: Application) -> list[str]:
    """Those who said so and did not take it back, latest first."""
    with app.services.store.begin() as tx:
        return [beat.process for beat in heartbeats(tx, kind="scheduler") if beat.facts["leader"]]


@contextmanager
def running(app: Application, **settings: float) -> Iterator[threading.Event]:
    stopped = threading.Event()
    thread = threading.Thread(target=run_scheduler, args=(app,), kwargs={"stopped": stopped, **settings})
    thread.start()
    try:
        yield stopped
    finally:
        stopped.set()
        thread.join(timeout=PATIENCE_SECONDS)
        assert not thread.is_alive()


def test_one_of_several_leads_and_another_when_it_leaves(assembled: Assemble):
    look = assembled()
    with running(assembled()) as first:
        until(lambda: len(leaders(look)) == 1)
        [leader] = leaders(look)
        with running(assembled()), running(assembled()):
            until(lambda: len(all_beats(look)) == 3)
            assert leaders(look) == [leader]
            first.set()
            until(lambda: leaders(look) not in ([], [leader]))
    assert all_beats(look) == []


def all_beats(app: Application) -> list[str]:
    with app.services.store.begin() as tx:
        return [beat.process for beat in heartbeats(tx, kind="scheduler")]


@contextmanager
def scheduler_process(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "dialer", "scheduler"],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.story
def test_a_killed_leader_is_followed(assembled: Assemble, environment: dict[str, str]):
    look = assembled()
    with scheduler_process(environment) as first:
        until(lambda: leaders(look))
        with running(assembled()):
            until(lambda: len(all_beats(look)) == 2)
            killed = leaders(look)[0]
            first.kill()
            until(lambda: leaders(look)[0] != killed)


@pytest.mark.story
def test_a_stopped_leader_is_deposed_and_steps_down_when_it_wakes(
    assembled: Assemble, environment: dict[str, str]
):
    look = assembled()
    with scheduler_process(environment) as first:
        until(lambda: leaders(look))
        stopped = leaders(look)[0]
        first.send_signal(signal.SIGSTOP)
        with running(assembled(), lease_seconds=3.0):
            until(lambda: leaders(look)[0] != stopped)
            first.send_signal(signal.SIGCONT)
            until(lambda: leaders(look) != [] and stopped not in leaders(look))
            assert len(leaders(look)) == 1


def test_a_leader_that_beats_is_never_deposed(assembled: Assemble):
    look = assembled()
    with running(assembled()):
        until(lambda: leaders(look))
        [leader] = leaders(look)
        seen: set[object] = set()

        def beaten_twice() -> bool:
            with look.services.store.begin() as tx:
                at = heartbeats(tx, kind="scheduler")[-1].at
            seen.add(at)
            return len(seen) >= 3

        with running(assembled(), lease_seconds=4.0):
            until(beaten_twice)
            assert leaders(look) == [leader]


def test_ticks_reach_the_broker_and_a_deep_queue_gets_no_more(assembled: Assemble, broker_url: str):
    app = assembled(DIALER_SCHEDULER__TICK_SECONDS="0.01")
    with redis.Redis.from_url(broker_url) as queue, running(app):
        until(lambda: queue.llen("dial") > 100)
        until(lambda: queue.llen("bulk") > 20)
        assert queue.llen("dial") < 120


def test_the_tick_is_noted_only_when_the_broker_has_it(assembled: Assemble):
    app = assembled(DIALER_BROKER__URL="redis://127.0.0.1:1/0")
    with running(app):
        until(lambda: leaders(app))
        with app.services.store.begin() as tx:
            assert "tick" not in cycle_parts(tx)


def test_a_whole_cycle_leaves_a_sign_of_life(assembled: Assemble):
    app = assembled()
    alive = app.settings.data_dir / ALIVE_FILE
    with running(app):
        until(lambda: leaders(app))
        assert not alive.exists()

        def is_noted() -> bool:
            # Again each time: the cycle of a new leader begins after it is known to lead.
            for name in WORK_PARTS:
                note_part_done(app.services, name, began_at=app.services.real.now())
            return alive.exists()

        until(is_noted)
        with app.services.store.begin() as tx:
            assert "cycle" in cycle_parts(tx)


def test_a_missed_tick_is_run_once_however_late(assembled: Assemble):
    ticking = _ticking(assembled(), TickLog())
    ticking.start(paused=True)
    jobs = {job.id: job for job in ticking.get_jobs()}
    ticking.shutdown(wait=False)
    assert set(jobs) == {
        *("round", "consistency", "first_check", "reseal", "resume_loads", "resume_renders", "clean_up"),
        *(
            "check_trail",
            "duty_gaps",
            "presences",
            "offers",
            "stalled_desks",
            "waiting_drafts",
            "number_marks",
            "overdue_work",
            "ended_alarms",
            "anchor",
            "retention",
            "screen_openings",
            "send_webhooks",
            "draft_bulletins",
            "correction_orders",
            "fetch_recordings",
            "inspect_calls",
            "transcribe",
            "watch_fairness",
            "refresh_figures",
            "stalled_calls",
            "broker",
            "silent_hosts",
        ),
    }
    for job in jobs.values():
        assert (job.misfire_grace_time, job.coalesce, job.max_instances) == (None, True, 1)


def test_the_first_consistency_check_is_sent_until_a_round_has_begun(assembled: Assemble, broker_url: str):
    """A worker empties its queue as it starts: what was sent before is gone, and the next would be 30 s later."""
    app = assembled()
    ticking = _ticking(app, TickLog())
    ticking.start(paused=True)
    try:
        job = ticking.get_job("first_check")
        assert job.trigger.interval == timedelta(seconds=3)
        with redis.Redis.from_url(broker_url) as queue:
            for _ in range(2):
                queue.delete("dial")
                job.func(*job.args)
                assert queue.llen("dial") == 1
            note_part_done(app.services, "consistency", began_at=app.services.real.now() - timedelta(hours=1))
            job.func(*job.args)
            assert queue.llen("dial") == 2
            # Noted before the clock was set back.
            note_part_done(app.services, "consistency", began_at=app.services.real.now() + timedelta(hours=1))
            job.func(*job.args)
            assert queue.llen("dial") == 3
            note_part_done(app.services, "consistency", began_at=app.services.real.now())
            job.func(*job.args)
            assert queue.llen("dial") == 3
        assert ticking.get_job("first_check") is None
    finally:
        ticking.shutdown(wait=False)


def test_the_first_consistency_check_leaves_the_rest_to_the_regular_one(assembled: Assemble, broker_url: str):
    """A round that lasts, or that fails each time, is not ordered every three seconds for ever."""
    ticking = _ticking(assembled(DIALER_SCHEDULER__CONSISTENCY_SECONDS="0.001"), TickLog())
    ticking.start(paused=True)
    try:
        job = ticking.get_job("first_check")
        job.func(*job.args)
        assert ticking.get_job("first_check") is None
        with redis.Redis.from_url(broker_url) as queue:
            assert queue.llen("dial") == 0
    finally:
        ticking.shutdown(wait=False)


class LaterClock:
    """The machine's, until it is set back."""

    def __init__(self) -> None:
        self.by = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by


class StopAfter(threading.Event):
    """Set by the fifth wait; the first one sets the clock back by two hours."""

    def __init__(self, clock: LaterClock) -> None:
        super().__init__()
        self._clock = clock
        self._waits = 0

    def wait(self, timeout: float | None = None) -> bool:
        self._waits += 1
        self._clock.by = timedelta(hours=-2)
        if self._waits == 5:
            self.set()
        return self.is_set()


def test_after_the_clock_was_set_back_the_jobs_are_made_anew(
    assembled: Assemble, monkeypatch: pytest.MonkeyPatch
):
    app, clock = assembled(), LaterClock()
    app = replace(app, services=replace(app.services, real=clock))
    made: list[datetime] = []

    def ticking(app: Application, ticks: TickLog) -> BackgroundScheduler:
        made.append(clock.now())
        return _ticking(app, ticks)

    monkeypatch.setattr("dialer.scheduler._ticking", ticking)
    run_scheduler(app, stopped=StopAfter(clock))
    first, second = made
    assert second < first - timedelta(hours=1)


def test_the_leader_checks_the_audit_and_anchors_it(assembled: Assemble, tmp_path: Path):
    file = tmp_path / "anchors"
    app = assembled(DIALER_AUDIT__ANCHOR_FILE=str(file))
    with app.services.store.begin() as tx:
        write_audit(tx, who="li", act="reveal", subject="case/1", why="", now=app.services.clock.now())

    def checked() -> bool:
        with app.services.store.begin() as tx:
            return read_trail_state(tx).number == 1

    with running(app):
        until(lambda: file.exists() and file.read_text().endswith("\n"))
        until(checked)


def test_sessions_that_expired_long_ago_are_deleted_and_no_others(assembled: Assemble):
    app = assembled()
    now = app.services.real.now()
    hours_left = {"long expired": -25, "just expired": -1, "valid": 1}
    add_staff(
        app.services,
        unrestricted("test"),
        login="li.na",
        display_name="Li Na",
        role=Role.CALLER,
        unit_id=None,
        language="en",
    )
    with app.services.store.begin() as tx:
        member = find_member(tx, "li.na")
        assert member is not None
        for address, hours in hours_left.items():
            start_session(
                tx,
                staff_id=member.id,
                token_hash=token_hash(address),
                address=address,
                real_now=now - timedelta(days=2),
                expires_at=now + timedelta(hours=hours),
            )

    def kept() -> set[str]:
        with app.services.store.begin() as tx:
            return {row["address"] for row in tx.rows(sa.select(t.staff_session.c.address))}

    apply_retention(app.services, app.settings.retention)
    assert kept() == {"just expired", "valid"}
