"""Alarms of the service itself: the broker, hosts that fall silent, and commits that no standby confirms."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.control.alarms import BrokerWatch, raise_silent_hosts, raise_stuck_commits
from dialer.core.errors import Unavailable
from dialer.core.events import AlarmCode
from dialer.core.text import Text
from dialer.db import tables as t
from dialer.db.hosts import raise_alarm_with_cause
from dialer.db.system_state import end_heartbeat, longest_stuck_commit, note_cycle_part, note_heartbeat
from dialer.server.process import raise_public_address_alarm
from dialer.telephony.public_address import PublicAddressBlocked
from tests.control.scene import Scene


def beat(scene: Scene, host: str, kind: str = "worker", *, ago: float = 0.0, pid: int = 7) -> None:
    at = scene.services.real.now() - timedelta(seconds=ago)
    with scene.tx() as tx:
        note_heartbeat(tx, process=f"{kind}:{host}:{pid}", kind=kind, real_now=at, facts={})


def alarms(scene: Scene) -> dict[str, dict[str, Any]]:
    return {row["code"]: dict(row) for row in scene.rows(sa.select(t.alarm))}


def webhooks_missing(scene: Scene) -> None:
    services = scene.services
    with scene.tx() as tx:
        raise_alarm_with_cause(
            tx,
            AlarmCode.WEBHOOKS_MISSING,
            now=services.clock.now(),
            real_now=services.real.now(),
            facts={"since": "now"},
        )


def test_a_host_whose_processes_all_stopped_reporting_is_named(scene: Scene):
    beat(scene, "b", "web", ago=16)
    beat(scene, "b", "scheduler", ago=40)
    beat(scene, "c")
    assert raise_silent_hosts(scene.services) == ["b"]
    facts = alarms(scene)["host_silent"]["facts"]
    assert facts["names"] == ["b"]
    assert facts["problem"]["values"]["host"] == "b"
    assert facts["problem"]["values"]["kinds"] == "scheduler, web"
    assert facts["problem"]["values"]["at"].endswith(" UTC")


@pytest.mark.parametrize("ago", [14, 181])
def test_a_moment_is_no_alarm_and_what_is_long_gone_is_no_news(scene: Scene, ago: float):
    beat(scene, "b", ago=ago)
    beat(scene, "c")
    assert raise_silent_hosts(scene.services) == []
    assert alarms(scene) == {}


def test_a_host_is_there_while_one_of_its_processes_reports(scene: Scene):
    beat(scene, "b", "web", ago=60)
    beat(scene, "b", "worker")
    beat(scene, "c")
    assert raise_silent_hosts(scene.services) == []


def test_where_nobody_reports_the_fault_is_not_one_host_s(scene: Scene):
    beat(scene, "b", ago=20)
    beat(scene, "c", ago=9)
    with scene.tx() as tx:
        note_cycle_part(tx, "tick", began_at=scene.services.real.now(), real_now=scene.services.real.now())
    assert raise_silent_hosts(scene.services) == []


def test_a_process_that_ended_is_not_silent(scene: Scene):
    beat(scene, "b", ago=20)
    beat(scene, "c")
    with scene.tx() as tx:
        end_heartbeat(tx, process="worker:b:7")
    assert raise_silent_hosts(scene.services) == []


def test_missing_webhooks_of_a_host_that_fell_silent_are_its_alarm(scene: Scene):
    beat(scene, "b", "web", ago=20)
    beat(scene, "c", "web")
    webhooks_missing(scene)
    assert list(alarms(scene)) == ["host_silent"]
    beat(scene, "b", "web", ago=200)
    webhooks_missing(scene)
    assert set(alarms(scene)) == {"host_silent", "webhooks_missing"}, "it lasts longer than the host explains"


def test_a_public_address_that_a_silent_host_blocks_is_its_alarm_too(scene: Scene):
    fault = PublicAddressBlocked(Text("no answer"), fix="start the proxy")
    beat(scene, "b", "web", ago=20)
    beat(scene, "c", "web")
    raise_public_address_alarm(scene.services, fault)
    assert list(alarms(scene)) == ["host_silent"]
    with scene.tx() as tx:
        end_heartbeat(tx, process="web:b:7")
    raise_public_address_alarm(scene.services, fault)
    assert "public_url_blocked" in alarms(scene)


def test_a_broker_that_fails_twice_in_a_row_is_an_alarm(scene: Scene):
    answers = iter([True, False, True, False, False, False])

    def check() -> None:
        if not next(answers):
            raise Unavailable(part="broker", problem="Connection refused")

    watch = BrokerWatch(check)
    looks = [watch.look(scene.services) for _ in range(4)]
    assert (looks, alarms(scene)) == ([True, False, True, False], {})
    assert not watch.look(scene.services)
    assert not watch.look(scene.services)
    alarm = alarms(scene)["broker_down"]
    assert alarm["times"] == 1
    assert alarm["facts"]["problem"]["values"]["problem"]["text"] == "Connection refused"
    assert "broker.url" in alarm["facts"]["fix"]["text"]


def test_commits_that_end_are_no_alarm(scene: Scene):
    with scene.tx() as tx:
        assert longest_stuck_commit(tx) == 0
    assert not raise_stuck_commits(scene.services)
    assert alarms(scene) == {}
