"""The only synchronous standby is gone: no commit ends, and the service says so."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import httpx
import psycopg
import pytest
import sqlalchemy as sa

from dialer.bootstrap import application
from dialer.calls.reconcile import WebProcessCheck
from dialer.control.alarms import raise_stuck_commits
from dialer.control.health import check_system
from dialer.db import tables as t
from dialer.db.keys import create
from dialer.db.system_state import note_heartbeat
from dialer.runtime.embedded import ensure_servers
from dialer.runtime.settings import load_settings
from dialer.server.application import create_app

pytestmark = pytest.mark.story


class Counter:
    """A clock that stands."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def test_health_and_an_alarm_say_that_commits_wait_for_the_standby(tmp_path: Path):
    create(tmp_path / "keys.toml")
    with ensure_servers(tmp_path / "theirs", ephemeral=True) as servers:
        env = {
            "DIALER_DATABASE__URL": servers.database_url,
            "DIALER_DATABASE__OWNER_URL": servers.owner_url,
            "DIALER_BROKER__URL": servers.broker_url,
            "DIALER_KEYS__FILE": str(tmp_path / "keys.toml"),
            "DIALER_DATA_DIR": str(tmp_path / "data"),
        }
        url = sa.make_url(servers.database_url)
        password = servers._place.password("superuser")
        with (
            application(load_settings(env)) as app,
            psycopg.connect(
                host=url.host, port=url.port, user="postgres", password=password, dbname="postgres",
                autocommit=True,
            ) as owner,
        ):  # fmt: skip
            services = app.services
            transport = httpx.ASGITransport(app=create_app(app))
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                assert (await client.get("/health/ready")).status_code == 200
                owner.execute("ALTER SYSTEM SET synchronous_standby_names = 'gone'")
                owner.execute("SELECT pg_reload_conf()")

                def write() -> None:
                    with services.store.begin() as tx:
                        note_heartbeat(
                            tx, process="web:a:1", kind="web", real_now=services.real.now(), facts={}
                        )

                writing = threading.Thread(target=write)
                writing.start()
                deadline = time.monotonic() + 60
                while not raise_stuck_commits(services):
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.1)
                answer = await client.get("/health/ready")
                assert (answer.status_code, answer.json()) == (
                    503,
                    {"status": "not ready", "part": "commits"},
                )
                assert "commits" in check_system(services, late_seconds=120).stopped
                with services.store.begin() as tx:
                    [alarm] = tx.rows(sa.select(t.alarm))
                assert alarm["code"] == "commits_stuck"
                with services.store.begin() as tx:
                    watch = WebProcessCheck(clock := Counter())
                    assert not watch.may_call(tx, services)
                    clock.seconds += 60
                    assert not watch.may_call(tx, services), "its heartbeat cannot be committed"
                    assert [row["code"] for row in tx.rows(sa.select(t.alarm))] == ["commits_stuck"]
                owner.execute("ALTER SYSTEM RESET synchronous_standby_names")
                owner.execute("SELECT pg_reload_conf()")
                writing.join(60)
                assert not writing.is_alive()
                assert (await client.get("/health/ready")).status_code == 200
