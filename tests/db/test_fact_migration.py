"""A database of the first schema, full of cases, has its figures after an upgrade as before."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from dialer.core.policy import to_plain
from dialer.db.keys import Keys
from dialer.db.migrations import migrate_database, script_location
from dialer.db.policies import ensure_policy_version
from dialer.db.unit_of_work import Store
from dialer.db.vault import Vault
from dialer.figures.facts import FactFile, FactSource, open_source, refresh_facts
from dialer.figures.reader import RecordSource, read_figures
from tests.core.samples import POLICY
from tests.figures.sources import window_of

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


def test_figures_of_an_old_database_are_the_same_before_and_after_its_upgrade(
    empty_database: str, tmp_path: Path
):
    """Counted before by hand, since the reader of the version before is gone."""
    store = Store(
        empty_database, Vault(Keys.of(encryption={1: bytes([1]) * 32}, index=bytes([9]) * 32, current=1))
    )
    facts = FactFile(folder=tmp_path, timezone=ZONE)
    try:
        fill(store)
        with store.begin() as tx:
            before = tx.one(sa.text(_COUNTED_BEFORE))
        migrate_database(store.sql_engine)
        with open_source(store, facts, most_behind=CASES - 1) as source:
            assert isinstance(source, RecordSource)
        assert refresh_facts(store, facts) == CASES
        for drill in (False, True):
            with open_source(store, facts, most_behind=0) as source:
                assert isinstance(source, FactSource)
                window = window_of(drill=drill, now=NOW)
                found = read_figures(source, window)
                assert found == read_figures(RecordSource(source.tx), window)
            counts = found.total.counts
            assert before is not None
            assert before["drill" if drill else "real"] == [
                counts.cases, counts.warnings, counts.robot_calls, counts.robot_calls_answered, counts.cases_proven,
            ]  # fmt: skip
    finally:
        store.dispose()


_COUNTED_BEFORE = """
SELECT array_agg(n ORDER BY place) FILTER (WHERE drill) AS drill,
    array_agg(n ORDER BY place) FILTER (WHERE NOT drill) AS real
FROM (
    SELECT 1 AS place, drill, count(*) AS n FROM "case" GROUP BY drill
    UNION ALL SELECT 2, drill, count(*) FROM warning GROUP BY drill
    UNION ALL SELECT 3, drill, count(*) FROM attempt WHERE sent_at IS NOT NULL GROUP BY drill
    UNION ALL SELECT 4, drill, count(*) FROM attempt WHERE result = 'answered' GROUP BY drill
    UNION ALL SELECT 5, drill, count(*) FROM "case" WHERE status = 'proven' GROUP BY drill
) counted
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
