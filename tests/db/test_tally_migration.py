"""A database of the first schema, full of cases, comes up at once and is tallied batch by batch afterwards."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from dialer.core.policy import to_plain
from dialer.core.rates import Period
from dialer.db.keys import Keys
from dialer.db.migrations import migrate_database, script_location
from dialer.db.policies import ensure_policy_version
from dialer.db.unit_of_work import Store, hold_snapshot
from dialer.db.vault import Vault
from dialer.figures.measures import figures
from dialer.figures.rollup import read_fact_state, refresh_rollup_once, rollup_figures
from tests.core.samples import POLICY

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
ZONE = "Asia/Shanghai"
CASES = 40

_ROWS = (
    """
    INSERT INTO person (name_blind, numbers, sealed, created_at)
    SELECT decode(md5('p' || i), 'hex'), 1, 'x', :now FROM generate_series(1, :cases) i
    """,
    """
    INSERT INTO "case" (person_id, grade, fraud_type, source, status, outcome, contact, policy_version, numbers,
        warnings, missed, opted_out, drill, tags, opened_at, first_attempt_at, settled_at, robot_state, robot_attempts,
        robot_tries, robot_own_faults, robot_number, robot_dead_numbers, robot_reason, human_state, human_tries,
        human_reason, visit_state, visit_tries, visit_reason)
    SELECT i, CASE WHEN i % 3 = 0 THEN 'high' ELSE 'low' END, 'loan', 'old', 'proven', 'dissuaded_by_phone', 'verified',
        :version, 1, 1, false, false, i % 8 = 0, '{}', opened, opened + make_interval(mins => i), opened, 'done', 1, 1,
        0, 0, '{}', '', 'none', 0, '', 'none', 0, ''
    FROM (
        SELECT i, CAST(:now AS timestamptz) - make_interval(hours => 20 * i) AS opened FROM generate_series(1, :cases) i
    ) told
    """,
    """
    INSERT INTO warning (person_id, case_id, source, instruction_no, kind, fraud_type, grade, tags, missed, drill,
        notices, loaded_at, sealed)
    SELECT person_id, id, 'old', 'Z' || id, 'telecom', fraud_type, grade, '{}', false, drill, '[]', opened_at, 'x'
    FROM "case"
    """,
    """
    INSERT INTO attempt (id, case_id, person_id, n, number, state, reason, windowed, urgency_at, not_before, planned_at,
        sid, sent_at, result, contact, answer, drill)
    SELECT gen_random_uuid(), id, person_id, n, 0, 'ended', 'new_warning', true, opened_at, opened_at, opened_at,
        'CA' || id || n, first_attempt_at, CASE n WHEN 1 THEN 'busy' ELSE 'answered' END, 'verified', 'none', drill
    FROM "case" CROSS JOIN generate_series(1, 2) n
    """,
)


def test_old_cases_are_tallied_in_bounded_batches_and_reported_exactly_meanwhile(empty_database: str):
    store = Store(
        empty_database, Vault(Keys.of(encryption={1: bytes([1]) * 32}, index=bytes([9]) * 32, current=1))
    )
    try:
        fill(store)
        migrate_database(store.sql_engine)
        batches = 0
        while True:
            compare(store)
            refreshed = refresh_rollup_once(store, timezone=ZONE, now=NOW, limit=15)
            assert refreshed <= 15
            if not refreshed:
                break
            batches += 1
        assert batches == 3
        with store.begin() as tx:
            assert read_fact_state(tx) is not None
            assert tx.scalar(sa.text("SELECT count(DISTINCT case_id) FROM case_fact")) == CASES
            # Every figure but those of the drill is in the sums of days.
            assert tx.scalar(sa.text(_CALLS)) == 2 * (CASES - CASES // 8)
    finally:
        store.dispose()


_CALLS = """
SELECT sum(robot_calls) FROM day_figure WHERE NOT drill
"""


def fill(store: Store) -> None:
    config = Config()
    config.set_main_option("script_location", str(script_location()))
    config.set_main_option("path_separator", "os")
    with store.sql_engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with store.begin() as tx:
        version = ensure_policy_version(tx, to_plain(POLICY), now=NOW)
        for statement in _ROWS:
            tx.execute(sa.text(statement), {"now": NOW, "cases": CASES, "version": version})


def compare(store: Store) -> None:
    for drill in (False, True):
        with store.begin() as tx:
            hold_snapshot(tx)
            rolled = rollup_figures(tx, Period(), drill=drill, now=NOW, timezone=ZONE)
            assert rolled == figures(tx, Period(), drill=drill, now=NOW)
            assert rolled.total.counts.cases == (CASES // 8 if drill else CASES - CASES // 8)
