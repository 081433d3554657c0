"""The random run itself: its schedule is the seed's, and a short one leaves everybody accounted for."""

from __future__ import annotations

from pathlib import Path

import psutil
import psycopg
import pytest

from chaos.drill import Plan, drill
from chaos.schedule import SERVERS, Injection, draw_schedule, targets
from chaos.strikes import Injections
from dialer.runtime.embedded import EmbeddedServers, ensure_servers, wait_until
from dialer.runtime.local import CarrierAccess
from dialer.runtime.supervisor import Supervisor

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
    assert {"kill", "stop", "kill_server", "cut_database", "flush_broker", "crash_carrier"} <= {
        inject.what for inject in strikes
    }


def test_a_strike_meets_the_servers_of_its_own_run_only(
    embedded_servers: EmbeddedServers, admin: psycopg.Connection, tmp_path: Path
):
    """The process that runs the drill may keep other servers, as a worker of the tests does."""
    with ensure_servers(tmp_path, ephemeral=True) as own:
        strikes = Injections(
            supervisor=Supervisor([], lambda *_event: None),
            carrier=CarrierAccess(port=0, account_sid="", auth_token="", admin_token=""),
            servers=own,
            load_again=lambda: None,
        )
        struck = [psutil.Process(own.process_numbers()[server]) for server in SERVERS]
        for server in SERVERS:
            strikes.inject(Injection(at_seconds=0, what="kill_server", params={"who": server}))
        ended = {psutil.STATUS_ZOMBIE}
        assert wait_until(lambda: {process.status() for process in struck} == ended, seconds=10)
        assert admin.execute("select 1").fetchone() == (1,)


def test_a_short_run_loses_nobody_and_calls_nobody_twice():
    told: list[str] = []
    plan = Plan(
        seed="smoke",
        seconds=12.0,
        strikes=draw_schedule("smoke", seconds=12.0, mean_gap_seconds=1.5),
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
    assert outcome.struck > 0
