"""The metrics: figures of the database, counters of the process, nothing personal."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from dialer.calls.pauses import pause_calls
from dialer.control.health import WORK_PARTS, close_cycle, note_part_done, run_consistency_round
from dialer.control.overview import FIRST_ATTEMPT_BOUNDS, measure, measure_first_attempts
from dialer.core.access import unrestricted
from dialer.core.events import AlarmCode
from dialer.core.values import Grade, PauseScope
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm
from dialer.db.system_state import note_heartbeat
from dialer.retention.retention import apply_retention
from dialer.runtime.sections import RetentionSettings
from dialer.server.application import create_app
from tests.control.scene import Assemble, Scene
from tests.outcomes.town import MORNING, NAME, PHONE

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def figures(scene: Scene):
    return measure(scene.services, late_seconds=60)


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [(0, 15), (15, 15), (15.001, 30), (60, 60), (181, 300), (43_200, 43_200), (43_201, None)],
)
def test_a_first_attempt_falls_into_the_bucket_of_its_time(scene: Scene, seconds: float, bucket: int | None):
    scene.case(grade=Grade.HIGH, first_attempt_at=MORNING + timedelta(seconds=seconds))
    found = measure_first_attempts(scene.services)
    place = FIRST_ATTEMPT_BOUNDS.index(bucket) if bucket is not None else len(FIRST_ATTEMPT_BOUNDS)
    expected = [0] * (len(FIRST_ATTEMPT_BOUNDS) + 1)
    expected[place] = 1
    assert found[Grade.HIGH].counts == tuple(expected)
    assert found[Grade.HIGH].sum_seconds == pytest.approx(seconds)
    assert sum(found[Grade.LOW].counts) == 0


def test_cases_that_were_not_called_or_are_older_than_a_day_are_left_out(scene: Scene):
    old = MORNING - timedelta(days=1, seconds=1)
    scene.case(opened_at=old, first_attempt_at=old + timedelta(seconds=20))
    scene.case()
    assert all(sum(found.counts) == 0 for found in measure_first_attempts(scene.services).values())


def test_the_queue_is_counted_and_aged_by_grade(scene: Scene):
    for grade in (Grade.HIGH, Grade.LOW, Grade.LOW):
        scene.open_case(grade=grade)
    held = scene.open_case(grade=Grade.MEDIUM, unit="临河")
    pause_calls(
        scene.services, unrestricted("zhao"), scope=PauseScope.UNIT, subject="临河", minutes=60, why="检修"
    )
    later = scene.open_case(grade=Grade.EXTRA_HIGH)
    scene.change_attempt(
        scene.attempt_of(later)["id"], state="planned", not_before=MORNING + timedelta(hours=1)
    )
    scene.change_case(later, robot_at=MORNING + timedelta(hours=1))
    scene.later(minutes=4)
    told = figures(scene)
    assert (told.queue.ready, told.queue.planned, told.queue.held) == (3, 1, 1)
    scene.change_attempt(scene.attempt_of(later)["id"], held=True)
    told = figures(scene)
    assert (told.queue.ready, told.queue.planned, told.queue.held) == (3, 0, 2)
    assert told.queue_age_seconds == {
        Grade.EXTRA_HIGH: 0,
        Grade.HIGH: 240,
        Grade.MEDIUM: 240,
        Grade.LOW: 240,
    }
    assert told.pauses == 1
    assert scene.attempt_of(held)["held"]


def test_a_live_attempt_does_not_age_in_the_queue(scene: Scene):
    scene.open_case(grade=Grade.HIGH)
    scene.claim()
    scene.later(minutes=4)
    told = figures(scene)
    assert told.queue_age_seconds[Grade.HIGH] == 0
    assert told.lines is not None
    assert (told.lines.in_use, told.lines.lines) == (1, 50)


def test_unknown_ones_alarms_and_work_are_counted(scene: Scene):
    case_id = scene.open_case(grade=Grade.EXTRA_HIGH)
    scene.claim()
    scene.do(sa.update(t.attempt).values(state="unknown", posted_at=MORNING))
    human, _ = sorted(scene.assignments_of(case_id), key=lambda row: row["due_at"])
    assert human["kind"] == "human"
    with scene.tx() as tx:
        raise_alarm(tx, AlarmCode.HUMAN_OVERDUE, now=MORNING, case_id=1)
        raise_alarm(tx, AlarmCode.HUMAN_OVERDUE, now=MORNING, case_id=2)
    scene.clock.set(human["due_at"])
    told = figures(scene)
    assert told.queue.unknown == 1
    assert told.alarms == {"human_overdue": 2}
    assert {kind.value: (work.open, work.overdue) for kind, work in told.work.items()} == {
        "human": (1, 1),
        "visit": (1, 1),
    }


def test_the_checkers_last_verdict_and_the_processes_alive(scene: Scene):
    scene.open_case()
    scene.do(sa.delete(t.attempt))
    run_consistency_round(scene.services)
    with scene.tx() as tx:
        note_heartbeat(tx, process="web:a", kind="web", real_now=MORNING, facts={})
        note_heartbeat(tx, process="web:b", kind="web", real_now=MORNING - timedelta(minutes=1), facts={})
    told = figures(scene)
    assert told.findings["robot_without_attempt"] == 1
    assert told.findings["number_leaked"] == 0
    assert told.processes == {"web": 1, "worker": 0, "scheduler": 0}


@pytest.fixture
async def http(scene: Scene, assembled: Assemble) -> AsyncIterator[httpx.AsyncClient]:
    scene.person(name=NAME, phones=(PHONE,))
    transport = httpx.ASGITransport(app=create_app(assembled()))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def page(http: httpx.AsyncClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = await http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_the_page_holds_every_figure(http: httpx.AsyncClient, scene: Scene):
    case_id = scene.open_case(grade=Grade.HIGH)
    scene.change_case(case_id, opened_at=MORNING, first_attempt_at=MORNING + timedelta(seconds=90))
    scene.clock.set(MORNING)
    for name in ("tick", *WORK_PARTS):
        note_part_done(scene.services, name, began_at=MORNING)
    close_cycle(scene.services, began_at=MORNING)
    run_consistency_round(scene.services)
    with scene.tx() as tx:
        raise_alarm(tx, AlarmCode.CARRIER_DOWN, now=MORNING)
    found = await page(http)
    names = {name for name, _ in found}
    assert {
        "dialer_database_up",
        "dialer_time_to_first_attempt_seconds_bucket",
        "dialer_rings_waiting",
        "dialer_queue_age_seconds",
        "dialer_unknown_attempts",
        "dialer_lines_in_use",
        "dialer_lines",
        "dialer_calls_per_second",
        "dialer_breaker_open",
        "dialer_pauses",
        "dialer_assignments_open",
        "dialer_alarms_unseen",
        "dialer_consistency_findings",
        "dialer_processes",
        "dialer_resealed_share",
        "dialer_leader",
        "dialer_engine_late",
        "dialer_cycle_age_seconds",
        "dialer_part_age_seconds",
        "process_cpu_seconds_total",
    } <= names
    assert found["dialer_database_up", ()] == found["dialer_resealed_share", ()] == 1
    assert found["dialer_alarms_unseen", (("code", "carrier_down"),)] == 1
    assert found["dialer_rings_waiting", (("state", "ready"),)] == 1


async def test_the_histogram_is_cumulative(http: httpx.AsyncClient, scene: Scene):
    now = datetime.now(UTC)  # the application's clock is the machine's, not the scene's
    for seconds in (10, 100, 100_000):
        scene.case(grade=Grade.HIGH, opened_at=now, first_attempt_at=now + timedelta(seconds=seconds))
    found = await page(http)

    def bucket(bound: str) -> float:
        key = (("grade", "high"), ("le", bound))
        return found["dialer_time_to_first_attempt_seconds_bucket", key]

    assert [bucket("15.0"), bucket("60.0"), bucket("120.0"), bucket("43200.0"), bucket("+Inf")] == [
        1,
        1,
        2,
        2,
        3,
    ]


async def test_webhooks_are_counted_by_hook_and_result(http: httpx.AsyncClient):
    attempt = "00000000-0000-0000-0000-000000000001"
    assert (await http.post(f"/hooks/status/{attempt}", data={"CallSid": "CA"})).status_code == 403
    assert (await http.post("/hooks/nothing/at/all")).status_code == 404
    await http.get("/health/live")
    found = await page(http)
    counted = {labels: value for (name, labels), value in found.items() if name == "dialer_webhooks_total"}
    assert counted == {
        (("hook", "status"), ("result", "refused")): 1,
        (("hook", "other"), ("result", "refused")): 1,
    }


async def test_nothing_personal_is_on_the_page(http: httpx.AsyncClient, scene: Scene):
    scene.open_case(person_id=1, unit="临河")
    text = (await http.get("/metrics")).text
    for secret in (NAME, PHONE, PHONE[3:], "临河"):
        assert secret not in text


async def test_a_database_that_is_away_is_a_figure_and_no_fault(assembled: Assemble, fresh_database: str):
    app = assembled()
    app.services.store.dispose()
    server, _, name = fresh_database.rpartition("/")
    admin = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
    admin.dispose()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=create_app(app)), base_url="http://test"
    ) as client:
        found = await page(client)
    assert found["dialer_database_up", ()] == 0
    assert not any(name == "dialer_lines" for name, _ in found)


async def test_scrapes_within_seconds_read_the_database_once(http: httpx.AsyncClient, scene: Scene):
    first = await page(http)
    scene.open_case()
    second = await page(http)
    key = ("dialer_rings_waiting", (("state", "ready"),))
    assert first[key] == second[key]


async def test_the_shipped_alerts_and_the_dashboard_read_metrics_that_there_are(
    http: httpx.AsyncClient, scene: Scene
):
    with scene.tx() as tx:
        raise_alarm(tx, AlarmCode.CARRIER_DOWN, now=MORNING)
    run_consistency_round(scene.services)
    apply_retention(scene.services, RetentionSettings())
    await http.post("/hooks/status", data={})
    printed = {name for name, _ in await page(http)} | {"up", "dialer_queue_age_seconds"}
    for file in ("prometheus/alerts.yaml", "grafana/dialer.json"):
        text = (DEPLOY / file).read_text(encoding="utf-8")
        asked = set(re.findall(r"\b((?:dialer|process)_[a-z_]+)\b(?=[{\[)\s\\])", text))
        assert len(asked) > 5
        assert asked - printed == set()
        codes = re.findall(r'code=~\\?"([a-z_|]+)', text)
        assert {code for one in codes for code in one.split("|")} <= {code.value for code in AlarmCode}


async def test_a_histogram_has_its_sum_and_its_count(http: httpx.AsyncClient, scene: Scene):
    opened_at = datetime.now(UTC) - timedelta(minutes=5)
    scene.case(grade=Grade.HIGH, opened_at=opened_at, first_attempt_at=opened_at + timedelta(seconds=40))
    found = await page(http)
    high = (("grade", "high"),)
    assert found["dialer_time_to_first_attempt_seconds_sum", high] == 40
    assert found["dialer_time_to_first_attempt_seconds_count", high] == 1


async def test_a_stranger_from_elsewhere_reads_no_figures_without_the_token(
    scene: Scene, assembled: Assemble
):
    app = assembled()
    rules = app.settings.monitoring.model_copy(update={"token": SecretStr("let-me")})
    settings = app.settings.model_copy(update={"monitoring": rules})
    transport = httpx.ASGITransport(app=create_app(replace(app, settings=settings)))
    elsewhere, inside = {"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "10.1.2.3"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for path in ("/metrics", "/status"):
            assert (await client.get(path, headers=elsewhere)).status_code == 403
            wrong = elsewhere | {"Authorization": "Bearer let-you"}
            assert (await client.get(path, headers=wrong)).status_code == 403
            right = elsewhere | {"Authorization": "Bearer let-me"}
            assert (await client.get(path, headers=right)).status_code == 200
            assert (await client.get(path, headers=inside)).status_code == 200
        assert (await client.get("/health/live", headers=elsewhere)).status_code == 200
