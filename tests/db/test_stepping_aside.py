"""While a migration wants its tables, long work of ours steps aside, and the migration knows who stands in its way."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from dialer.core.access import unrestricted
from dialer.db import tables as t
from dialer.db.migration_locks import (
    MIGRATION_LOCK,
    LocksNotObtained,
    is_migration_wanted,
    must_step_aside,
    wanting_tables,
)
from dialer.db.migrations import hold_schema, migrate_database, newest_revision
from dialer.figures.facts import FactFile, refresh_facts
from dialer.tasks.application import _made, background_task, use_application
from dialer.warnings.lists import load_list, submit_list
from tests.control.scene import Assemble, Scene

LIST = "编号,姓名,手机号,等级\nA1,某某,13900020001,低危\n"


def test_long_work_steps_aside_from_the_first_try_of_a_migration_to_its_last(scene: Scene):
    store = scene.services.store
    assert not must_step_aside(store)
    with wanting_tables(store.sql_engine):
        assert must_step_aside(store)
        # Who asks holds nothing: a second migration is not delayed by it, nor is another process told otherwise.
        with store.begin() as tx:
            assert is_migration_wanted(tx)
            assert must_step_aside(store)
        with wanting_tables(store.sql_engine):
            assert must_step_aside(store)
        assert must_step_aside(store)
    assert not must_step_aside(store)


def test_calls_are_claimed_between_two_tries(scene: Scene):
    """Only long work waits for the whole migration: a try is over within a fifth of a second."""
    with wanting_tables(scene.services.store.sql_engine), scene.services.store.begin() as tx:
        assert hold_schema(tx, built_for=newest_revision())


def test_a_look_holds_nothing(scene: Scene):
    with scene.services.store.begin() as tx:
        assert not is_migration_wanted(tx)
        held = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
        assert not tx.rows(sa.text(held))


@pytest.fixture
def service(assembled: Assemble) -> Iterator[None]:
    before = list(_made)
    use_application(assembled())
    yield
    _made[:] = before


def test_a_background_task_does_not_begin(scene: Scene, service: None):
    done: list[str] = []

    @background_task("stepping_aside_in_a_test")
    def work(name: str) -> None:
        done.append(name)

    with wanting_tables(scene.services.store.sql_engine):
        work("during")
    work("after")
    assert done == ["after"]


def test_a_list_that_is_being_loaded_stops_between_two_batches_and_goes_on_at_once(scene: Scene):
    load_id = submit_list(
        scene.services, unrestricted("li"), io.BytesIO(LIST.encode()), filename="a.csv", source="s"
    )
    with wanting_tables(scene.services.store.sql_engine):
        assert not load_list(scene.services, load_id)
    [load] = scene.rows(sa.select(t.list_load))
    assert (load["state"], load["next_line"]) == ("running", 0)
    assert load_list(scene.services, load_id)
    [load] = scene.rows(sa.select(t.list_load))
    assert (load["state"], load["accepted"]) == ("done", 1)


def test_fact_rows_wait(scene: Scene, tmp_path: Path):
    scene.open_case()
    facts = FactFile(folder=tmp_path, timezone="Asia/Shanghai")
    with wanting_tables(scene.services.store.sql_engine):
        assert refresh_facts(scene.services.store, facts) == 0
        assert not facts.path.exists()
    assert refresh_facts(scene.services.store, facts) == 1


_EARLIER = Path(__file__).resolve().parent / "data" / "0024.sql"


@pytest.fixture
def earlier(empty_database: str) -> str:
    with psycopg.connect(empty_database.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(_EARLIER.read_bytes())
    return empty_database


def test_the_message_names_the_session_that_was_waited_for(earlier: str):
    engine = sa.create_engine(earlier)
    url = earlier.replace("+psycopg", "")
    with (
        psycopg.connect(url, application_name="somebody else") as other,
        psycopg.connect(url, application_name="nightly export") as holder,
    ):
        other.execute("SELECT 1")
        holder.execute("SELECT  1\nFROM staff LIMIT 1")
        with pytest.raises(LocksNotObtained) as told:
            migrate_database(engine, locks_within_seconds=0.5)
        found = told.value.text.dump()
        assert f"nightly export (pid {holder.info.backend_pid}," in str(told.value)
        assert "with SELECT 1 FROM staff LIMIT 1;" in str(told.value), found
    engine.dispose()


def test_it_knows_since_when(scene: Scene):
    engine = scene.services.store.sql_engine
    with engine.begin() as holder, wanting_tables(engine) as waiting:
        began = datetime.now(UTC)
        holder.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))

        def wait() -> None:
            with engine.begin() as connection:
                waiting.pid = connection.scalar(sa.select(sa.func.pg_backend_pid())) or 0
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))

        thread = threading.Thread(target=wait)
        thread.start()
        seen = threading.Event()
        for _ in range(200):
            if waiting.holder is not None or seen.wait(0.05):
                break
        holder.rollback()
        thread.join()
        assert waiting.holder is not None
        assert waiting.holder.application_name.startswith("dialer")
        assert waiting.holder.since is not None
        assert abs(waiting.holder.since - began) < timedelta(seconds=60)


def test_a_backup_that_runs_stops_no_calls_while_somebody_wants_to_migrate(earlier: str):
    """A backup holds the lock of migrations for minutes. Who waits for it without an end keeps all claims out."""
    engine = sa.create_engine(earlier)
    with psycopg.connect(earlier.replace("+psycopg", ""), application_name="dialer backup") as backup:
        backup.execute("SELECT pg_advisory_xact_lock_shared(%s)", (MIGRATION_LOCK,))
        with pytest.raises(LocksNotObtained, match="dialer backup"):
            migrate_database(engine, locks_within_seconds=0.5)
    engine.dispose()
