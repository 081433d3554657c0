"""A newer version migrates the database while calls live: older workers claim nothing, and every webhook is taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest
import sqlalchemy as sa

from carrier.people import Behaviour
from dialer.bootstrap import assemble
from dialer.calls.dial import dial
from dialer.control.health import SCHEMA_PART, check_system
from dialer.db.migration_locks import MIGRATION_LOCK
from dialer.db.migrations import NewerDatabase, SchemaMoved, hold_schema, newest_revision
from dialer.runtime.settings import load_settings
from dialer.server.application import create_app
from tests.control.scene import Assemble, Scene
from tests.story.world import World

pytestmark = pytest.mark.story

NEWER = "9999"
TALKS = Behaviour(
    name="talks",
    share=1,
    ring_after_seconds=(1, 1),
    answer_after_seconds=(1, 1),
    keys=("1", "1", "1"),
    key_after_seconds=(20, 20),
)


def migrate_further(url: str) -> None:
    """What the next version may do: it adds, and leaves what the older one reads."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        connection.execute(sa.text("ALTER TABLE attempt ADD COLUMN of_the_next_version text"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :newer"), {"newer": NEWER})
    engine.dispose()


async def test_calls_that_live_are_heard_to_their_end_and_no_new_one_is_claimed(w: World):
    live = w.open_case(behaviour=TALKS)
    await w.until(lambda: w.attempt(live)["state"] == "answered")
    migrate_further(w.scene.store.url)
    waiting = [w.open_case() for _ in range(3)]
    await w.until_over(live)
    assert w.attempt(live)["result"] == "answered"
    with pytest.raises(SchemaMoved) as told:
        await dial(w.scene.services, w.client, for_seconds=0.1, stopping=lambda: False)
    assert (told.value.found, told.value.built_for) == (NEWER, w.scene.services.schema)
    assert w.calls == 1
    assert {w.attempt(case_id)["state"] for case_id in waiting} == {"ready"}
    assert w.scene.alarms_of(None) == {"schema_moved": 1}
    assert SCHEMA_PART in check_system(w.scene.services, late_seconds=1000).late
    # The new version takes over, and nobody was lost meanwhile.
    w.scene.services = replace(w.scene.services, schema=NEWER)
    await w.until_over(*waiting)
    assert w.calls == 4
    assert SCHEMA_PART not in check_system(w.scene.services, late_seconds=1000).late


@contextmanager
def migrating(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        yield connection
    engine.dispose()


async def test_while_the_migration_runs_nothing_is_claimed_and_nobody_waits_for_it(w: World):
    case_id = w.open_case()
    with migrating(w.scene.store.url):
        assert await dial(w.scene.services, w.client, for_seconds=0.1, stopping=lambda: False) == 0
        assert w.attempt(case_id)["state"] in {"planned", "ready"}
    await w.until_over(case_id)
    assert w.calls == 1


def test_a_claim_under_way_ends_before_the_migration_begins(scene: Scene):
    engine = sa.create_engine(scene.store.url)
    may_begin = sa.select(sa.func.pg_try_advisory_xact_lock(MIGRATION_LOCK))
    with engine.connect() as migration:
        with scene.tx() as tx:
            assert hold_schema(tx, built_for=scene.services.schema)
            assert not migration.scalar(may_begin)
        assert migration.scalar(may_begin)
    engine.dispose()


def test_an_older_version_refuses_to_start_in_one_line(env_of_newer: dict[str, str]):
    with pytest.raises(
        NewerDatabase, match=f"at {NEWER}, and this version knows it up to {newest_revision()}"
    ):
        assemble(load_settings(env_of_newer))


@pytest.fixture
def env_of_newer(environment: dict[str, str]) -> dict[str, str]:
    migrate_further(environment["DIALER_DATABASE__URL"])
    return environment


async def test_an_older_web_stays_ready_for_webhooks_and_its_engine_is_late(assembled: Assemble):
    app = assembled()
    assert app.services.schema == newest_revision()
    transport = httpx.ASGITransport(create_app(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        assert (await client.get("/health/ready")).json() == {"status": "ready"}
        migrate_further(app.services.store.url)
        ready, services = await client.get("/health/ready"), await client.get("/health/engine")
    assert (ready.status_code, ready.json()["schema"]) == (200, "newer than this process")
    assert services.status_code == 503
    assert "schema" in services.json()["late"]
