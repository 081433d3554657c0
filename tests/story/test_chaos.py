"""The random run itself: its schedule is the seed's, and a short one leaves everybody accounted for."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import make_url

from chaos.distance import distant
from chaos.drill import Plan, drill
from chaos.schedule import SECOND_HOST, SERVERS, Injection, draw_schedule, targets
from chaos.strikes import Injections
from dialer.demo.run import clean_environment
from dialer.runtime.embedded import EmbeddedServers, ensure_servers, wait_until
from dialer.runtime.local import CarrierAccess
from dialer.runtime.settings import load_settings
from dialer.runtime.supervisor import Child, Supervisor

pytestmark = [pytest.mark.story, pytest.mark.timeout(400)]


def test_the_same_seed_gives_the_same_schedule_and_list():
    assert draw_schedule("night", seconds=120) == draw_schedule("night", seconds=120)
    assert draw_schedule("night", seconds=120) != draw_schedule("day", seconds=120)
    assert targets("night", count=40) == targets("night", count=40)


def test_faults_come_in_order_and_within_the_time():
    strikes = draw_schedule("night", seconds=600)
    moments = [inject.at_seconds for inject in strikes]
    assert moments == sorted(moments)
    assert moments[-1] <= 600
    assert {
        *("kill", "stop", "kill_server", "cut_database", "flush_broker", "crash_carrier"),
        *("freeze_host", "starve", "slow_database"),
    } <= {inject.what for inject in strikes}


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    strikes: Injections
    by_name: dict[str, psutil.Process]
    database_port: int

    def strike(self, what: str, **params: object) -> None:
        self.strikes.inject(Injection(at_seconds=0, what=what, params=params))

    def is_stopped(self, name: str) -> bool:
        return self.by_name[name].status() == psutil.STATUS_STOPPED


@contextmanager
def struck(servers: EmbeddedServers, *names: str) -> Iterator[Struck]:
    """What strikes processes with these names, which do nothing, and these servers."""
    argv = [sys.executable, "-c", "import time; time.sleep(600)"]
    url = make_url(servers.database_url)
    assert url.host is not None
    assert url.port is not None
    supervisor = Supervisor([Child(name=name, argv=argv, env={}) for name in names], lambda _event: None)
    with distant(url.host, url.port) as way:
        strikes = Injections(
            supervisor=supervisor,
            carrier=CarrierAccess(port=0, account_sid="", auth_token="", admin_token=""),
            servers=servers,
            distance=way,
            load_again=lambda: None,
        )
        supervisor.start()
        supervisor.run_once(seconds=0)
        try:
            by_name = {name: psutil.Process(pid) for name, pid in supervisor.pids().items()}
            yield Struck(strikes=strikes, by_name=by_name, database_port=way.port)
        finally:
            strikes.end()
            supervisor.stop()


def test_a_strike_meets_the_servers_of_its_own_run_only(
    embedded_servers: EmbeddedServers, admin: psycopg.Connection, tmp_path: Path
):
    """The process that runs the drill may keep other servers, as a worker of the tests does."""
    with ensure_servers(tmp_path, ephemeral=True) as own, struck(own) as run:
        ours = [psutil.Process(own.process_numbers()[server]) for server in SERVERS]
        for server in SERVERS:
            run.strike("kill_server", who=server)
        ended = {psutil.STATUS_ZOMBIE}
        assert wait_until(lambda: {process.status() for process in ours} == ended, seconds=10)
        assert admin.execute("select 1").fetchone() == (1,)


def test_a_frozen_host_is_all_that_stands_for_it_and_nothing_else(embedded_servers: EmbeddedServers):
    with struck(embedded_servers, *SECOND_HOST, "worker-dial") as run:
        run.strike("freeze_host", for_seconds=60.0)
        assert wait_until(lambda: all(map(run.is_stopped, SECOND_HOST)), seconds=10)
        run.strikes.tend()
        assert [run.is_stopped(name) for name in (*SECOND_HOST, "worker-dial")] == [True, True, False]
        run.strikes.end()
        assert wait_until(lambda: not any(map(run.is_stopped, run.by_name)), seconds=10)


def test_a_starved_worker_runs_for_a_part_of_each_turn(embedded_servers: EmbeddedServers):
    with struck(embedded_servers, "worker-dial") as run:
        changes: list[bool] = []

        def look() -> bool:
            run.strikes.tend()
            if changes[-1:] != [run.is_stopped("worker-dial")]:
                changes.append(run.is_stopped("worker-dial"))
            return len(changes) >= 5

        run.strike("starve", who="worker-dial", for_seconds=60.0)
        assert wait_until(look, seconds=30)
        run.strikes.end()
        assert wait_until(lambda: not run.is_stopped("worker-dial"), seconds=10)


def test_a_slow_database_answers_after_the_round_trip(embedded_servers: EmbeddedServers):
    with struck(embedded_servers) as run:
        url = make_url(embedded_servers.database_url).set(drivername="postgresql", port=run.database_port)
        with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:

            def seconds() -> float:
                began = time.monotonic()
                assert connection.execute("select 1").fetchone() == (1,)
                return time.monotonic() - began

            run.strike("slow_database", milliseconds=200.0, for_seconds=60.0)
            assert wait_until(lambda: seconds() >= 0.2, seconds=10)
            assert seconds() >= 0.2
            run.strikes.end()
            assert wait_until(lambda: seconds() < 0.2, seconds=10)


def test_the_drill_can_strike_its_servers_and_starts_them_again(tmp_path: Path):
    with clean_environment(load_settings({"DIALER_DATA_DIR": str(tmp_path)})) as app:
        assert app.servers is not None
        before = app.servers.process_numbers()
        assert set(before) == set(SERVERS)
        psutil.Process(before["valkey-server"]).kill()

        def is_back() -> bool:
            assert app.servers is not None
            app.servers.restart_failed()
            return app.servers.process_numbers()["valkey-server"] != before["valkey-server"]

        assert wait_until(is_back, seconds=60)


FAR_AND_FROZEN = [
    Injection(at_seconds=1.0, what="slow_database", params={"milliseconds": 100.0, "for_seconds": 9.0}),
    Injection(at_seconds=2.0, what="starve", params={"who": "worker-dial", "for_seconds": 6.0}),
    Injection(at_seconds=3.0, what="freeze_host", params={"for_seconds": 60.0}),
]


@pytest.mark.parametrize(
    "strikes",
    [draw_schedule("smoke", seconds=12.0, mean_gap_seconds=1.5), FAR_AND_FROZEN],
    ids=["drawn", "slow database, starved worker, frozen host"],
)
def test_a_short_run_loses_nobody_and_calls_nobody_twice(strikes: list[Injection]):
    told: list[str] = []
    plan = Plan(
        seed="smoke",
        seconds=12.0,
        strikes=strikes,
        targets=30,
        settle_seconds=240.0,
    )
    outcome = drill(plan, told.append)
    assert outcome.settled, (told, outcome.log.read_text()[-2000:] if outcome.log.exists() else "")
    assert outcome.verdict.wrong == []
    assert outcome.problems == []
    assert (
        outcome.verdict.counts["cases"]
        == outcome.verdict.counts["accepted"] - outcome.verdict.counts["merged"]
    )
    assert outcome.verdict.counts["rings"] > 0
    assert outcome.struck == len(strikes)
