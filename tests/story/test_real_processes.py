"""Real processes: four schedulers and one leader; a worker stopped past its lease and woken; a broker that is flushed,
killed, and delivers twice. Rings are counted at the carrier.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import psutil
import pytest
import redis

from dialer.db.system_state import Heartbeat, heartbeats
from tests.story.processes import WORKERS, Processes, processes, until

pytestmark = [pytest.mark.story, pytest.mark.timeout(500)]


@pytest.fixture(scope="module")
def p() -> Iterator[Processes]:
    with processes(calls_per_second=6.0) as made:
        for n in range(3):
            made.spawn(f"scheduler-{n}", "dialer", "scheduler")
        yield made


def test_of_four_schedulers_one_leads_and_everybody_is_called_once(p: Processes) -> None:
    p.submit(10)
    until(lambda: len(_schedulers(p)) == 4)
    until(p.everybody_called)
    leading = [beat for beat in _schedulers(p) if beat.facts["leader"]]
    assert len(leading) == 1
    assert p.count("lease WHERE name = 'scheduler' AND until > clock_timestamp() AND token = 2") == 1
    verdict = p.verdict()
    assert verdict.wrong == []
    # On a very slow machine one may be rung again, for a second attempt of its own.
    assert verdict.counts["rings"] >= p.people
    assert verdict.counts["max rings"] == 1


def _schedulers(p: Processes) -> list[Heartbeat]:
    with p.services.store.begin() as tx:
        return heartbeats(tx, kind="scheduler")


def test_a_worker_stopped_past_its_lease_and_woken_calls_nobody_again(p: Processes) -> None:
    stopped, other = (p.process(name) for name in WORKERS)
    other.suspend()
    try:
        p.submit(12)
        held = _stop_while_it_holds(p, stopped)
    finally:
        other.resume()
    try:
        # Another rings them, under a higher token.
        until(p.everybody_called)
        woken_at = time.time()
    finally:
        stopped.resume()
    until(lambda: _beat_at(p, stopped.pid) > woken_at)
    tokens = {row["id"]: row["token"] for row in p.rows("SELECT id, token FROM attempt")}
    assert all(tokens[attempt_id] > token for attempt_id, token in held.items())
    until(p.everybody_called)
    verdict = p.verdict()
    assert verdict.wrong == []
    assert (verdict.counts["cases"], verdict.counts["max rings"]) == (p.people, 1)


def _stop_while_it_holds(p: Processes, worker: psutil.Process) -> dict[object, int]:
    """Stopped between a claim and its sending, and not in the middle of a transaction: what it holds, with tokens."""
    held: dict[object, int] = {}

    def caught() -> bool:
        if not _claimed(p):
            if p.everybody_called():
                # On a slow machine the moment may be missed for all of them: others come.
                p.submit(12)
            return False
        worker.suspend()
        now = _claimed(p)
        if now and not p.count(
            "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND state LIKE 'idle in transaction%'"
        ):
            held.update(now)
            return True
        worker.resume()
        return False

    until(caught, every_seconds=0.02)
    return held


def _claimed(p: Processes) -> dict[object, int]:
    return {
        row["id"]: row["token"] for row in p.rows("SELECT id, token FROM attempt WHERE state = 'claimed'")
    }


def _beat_at(p: Processes, pid: int) -> float:
    with p.services.store.begin() as tx:
        beats = [beat for beat in heartbeats(tx, kind="worker") if beat.process.endswith(f":{pid}")]
    return beats[0].at.timestamp() if beats else 0.0


def test_flushed_killed_and_delivering_twice_it_loses_nobody_and_doubles_nothing(p: Processes) -> None:
    load_id = p.submit(30)
    # Delivered to both workers at once, and again: the second loses the conditional update.
    for _ in range(6):
        p.services.enqueue("load_list", load_id)
    with p.broker() as broker:
        before = p.people - 30
        until(lambda: p.count("attempt WHERE sid IS NOT NULL") >= before + 3)
        broker.flushall()
        killed = broker.info("server")["process_id"]
    for _ in range(20):
        p.services.enqueue("dial")
    p.made.processes()["valkey"][0].send_signal(signal.SIGKILL)
    # While it is away: its message is lost, and its row waits.
    p.submit(20)
    servers = p.made.app.servers
    assert servers is not None

    def everybody_called() -> bool:
        servers.restart_failed()
        return p.everybody_called()

    until(everybody_called)
    verdict = p.verdict()
    assert verdict.wrong == []
    assert (verdict.counts["accepted"], verdict.counts["cases"]) == (p.people, p.people)
    assert verdict.counts["max rings"] == 1
    until(lambda: _pid(p) not in {None, killed})


def _pid(p: Processes) -> int | None:
    try:
        with p.broker() as broker:
            return int(broker.info("server")["process_id"])
    except redis.RedisError:
        return None
