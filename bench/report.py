"""How long the report takes, from fact rows and counted directly, over many attempts.

    python -m bench.report [--attempts 1000000] [--runs 7] [--days 365] [--stale 1000] [--direct] [--keep FOLDER]

A PostgreSQL of its own, gone afterwards (or kept in FOLDER and used again by the next run with it). Its rows are made
by the database itself: three attempts and a third a case, warnings, human calls and visits, outcomes, money, over a
year of days up to yesterday and today. Then the fact rows are made, as a worker would, and the report is
made over everything, over ninety whole days, and over a window with a part of a day at either end; and over everything
after `--stale` cases of the last days have changed without a refresh, and again after as many of any age. Up to a
million attempts, or with `--direct`, each is also counted directly, and both must agree in every figure.
"""

# ruff: noqa: E501  # rows are read best as they are written: one expression a line

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bench.backlog import bare
from dialer.core.policy import to_plain
from dialer.core.rates import Dimension, Period
from dialer.db.keys import Keys
from dialer.db.migrations import migrate_database
from dialer.db.policies import ensure_policy_version
from dialer.db.unit_of_work import Store
from dialer.db.vault import Vault
from dialer.figures.facts import FactFile, FactSource, open_source, refresh_facts
from dialer.figures.reader import CutWindow, RecordSource, Source, read_cut, read_figures
from dialer.runtime.embedded import ensure_servers
from dialer.runtime.settings import load_settings

ZONE = "Asia/Shanghai"
NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)
GOAL_MS = 100
_ATTEMPTS_PER_CASE = 10 / 3
_CASES_AT_ONCE = 100_000


# Every number of a row follows from its id, so that two runs measure the same rows.
_PEOPLE = """
INSERT INTO person (id, name_blind, numbers, sealed, created_at) OVERRIDING SYSTEM VALUE
SELECT i, decode(md5('p' || i), 'hex'), 1, '\\x2d', CAST(:now AS timestamptz) FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) i
"""
_CASES = """
INSERT INTO "case" (id, person_id, grade, fraud_type, source, status, outcome, contact, policy_version, numbers,
    warnings, missed, opted_out, drill, tags, opened_at, first_attempt_at, settled_at, due_at, watch_until,
    robot_state, robot_attempts, robot_tries, robot_own_faults, robot_number, robot_dead_numbers, robot_reason,
    human_state, human_tries, human_reason, visit_state, visit_tries, visit_reason) OVERRIDING SYSTEM VALUE
SELECT i, i, (ARRAY['low', 'low', 'low', 'medium', 'medium', 'medium', 'medium', 'high', 'high', 'extra_high'])[1 + h % 10],
    (ARRAY['fake_order_rebate', 'investment', 'shopping', 'fake_customer_service', 'loan', 'credit',
        'boss_or_acquaintance', 'police_impersonation', 'romance', 'game_trade', 'unknown'])[1 + h / 10 % 11],
    'bench', status,
    CASE status WHEN 'open' THEN NULL WHEN 'closed'
        THEN (ARRAY['mismatch', 'cannot_find', 'refuses', 'duplicate', 'missed'])[1 + h / 7 % 5]
        WHEN 'reversed' THEN 'already_defrauded'
        ELSE (ARRAY['dissuaded_by_phone', 'dissuaded_by_phone', 'saw_through_it', 'dissuaded_in_person'])[1 + h / 7 % 4]
    END,
    CASE WHEN status IN ('watching', 'proven', 'reversed') THEN 'verified'
        ELSE (ARRAY['none', 'unverified', 'verified'])[1 + h / 13 % 3] END,
    :policy, 1, 1, h % 97 = 0, false, false, '{}', opened,
    CASE WHEN status <> 'open' OR h % 3 > 0 THEN opened + make_interval(secs => 5 + 40000000.0 / (100 + h % 1000003)) END,
    CASE WHEN status IN ('proven', 'reversed', 'closed') THEN opened + interval '20 minutes' END,
    CASE WHEN status = 'open' THEN opened + interval '30 days' WHEN status = 'watching' THEN opened + interval '7 days' END,
    NULL, 'done', 3, 3, 0, 0, '{}', '', 'none', 0, '', 'none', 0, ''
FROM (
    SELECT i, h, opened, CASE
        WHEN opened > CAST(:now AS timestamptz) - interval '7 days' AND h % 10 < 7 THEN 'watching'
        WHEN opened > CAST(:now AS timestamptz) - interval '2 hours' THEN 'open'
        WHEN h % 100 < 60 THEN 'proven' WHEN h % 100 < 61 THEN 'reversed' ELSE 'closed' END AS status
    FROM (
        SELECT i, abs(hashint8(i)) AS h,
            CAST(:now AS timestamptz) - make_interval(secs => CAST(:span AS double precision) * (CAST(:cases AS bigint) - i) / CAST(:cases AS bigint) + i % 1000 / 1000.0) AS opened
        FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) i
    ) plain
) told
"""
_WARNINGS = """
INSERT INTO warning (person_id, case_id, source, instruction_no, kind, fraud_type, grade, tags, missed, drill,
    notices, loaded_at, sealed)
SELECT c.person_id, c.id, 'bench', 'B' || c.id || '-' || n, 'telecom', c.fraud_type,
    CASE WHEN c.grade = 'high' AND n = 0 AND c.id % 3 = 0 THEN 'medium' ELSE c.grade END, '{}', false, false, '[]',
    c.opened_at + make_interval(hours => n), '\\x2d'
FROM "case" c CROSS JOIN generate_series(0, 1) n
WHERE c.id BETWEEN :first AND :last AND (n = 0 OR c.id % 5 = 0)
"""
_ATTEMPTS = """
INSERT INTO attempt (id, case_id, person_id, n, number, state, reason, windowed, urgency_at, not_before, planned_at,
    sid, sent_at, accepted_at, ringing_at, ended_at, result, contact, answer, script_id, drill)
SELECT gen_random_uuid(), c.id, c.person_id, n, 0, 'ended', 'new_warning', true, c.opened_at, c.opened_at, c.opened_at,
    'CA' || md5(c.id || '-' || n), sent, sent, sent + interval '2 seconds', sent + interval '45 seconds',
    (ARRAY['answered', 'answered', 'no_answer', 'no_answer', 'busy', 'machine', 'rejected', 'powered_off', 'blocked',
        'canceled', 'answered', 'no_answer'])[1 + h % 12],
    (ARRAY['none', 'unverified', 'verified'])[1 + h / 12 % 3], 'none', 'general', false
FROM (
    SELECT c.*, n, abs(hashint8(c.id * 16 + n)) AS h,
        coalesce(c.first_attempt_at, c.opened_at) + make_interval(mins => 5 * (n - 1)) AS sent
    FROM "case" c CROSS JOIN generate_series(1, 5) n
    WHERE c.id BETWEEN :first AND :last AND n <= 1 + c.id % 5 + CASE WHEN c.id % 3 = 0 THEN 1 ELSE 0 END
) c
"""
_ASSIGNMENTS = """
INSERT INTO assignment (case_id, kind, state, reason, urgency_at, opened_at, sign_by, due_at, feedback_by, signed_at,
    signed_by, done_at, done_by, outcome, drill)
SELECT id, CASE WHEN id % 30 = 0 THEN 'visit' ELSE 'human' END, CASE WHEN id % 7 = 0 THEN 'withdrawn' ELSE 'done' END,
    'not_verified', opened_at, opened_at + interval '10 minutes', opened_at + interval '15 minutes',
    opened_at + interval '25 minutes', opened_at + interval '4 hours',
    opened_at + make_interval(mins => CAST(10 + id % 9 AS integer)), 'li',
    opened_at + make_interval(mins => CAST(20 + id % 300 AS integer)), 'li',
    CASE WHEN id % 3 = 0 THEN 'refuses' ELSE 'dissuaded_by_phone' END, false
FROM "case" WHERE id BETWEEN :first AND :last AND id % 10 = 0
"""
_OUTCOMES = """
INSERT INTO outcome (case_id, kind, contact, reason, intended_fen, evidence_sealed, recorded_by, at, drill)
SELECT id, outcome, contact, 'told', CASE WHEN id % 100 = 0 THEN 100 + id % 5000000 ELSE 0 END,
    CASE WHEN id % 100 = 0 THEN CAST('\\x2d' AS bytea) END, 'li', opened_at + interval '15 minutes', false
FROM "case" WHERE id BETWEEN :first AND :last AND outcome IS NOT NULL AND id % 3 = 0 OR id BETWEEN :first AND :last
    AND outcome IS NOT NULL AND id % 100 = 0
"""
_FILED = """
INSERT INTO filed_case (case_number, case_id, by, at)
SELECT 'A' || id, id, 'li', opened_at + interval '3 days'
FROM "case" WHERE id BETWEEN :first AND :last AND status = 'reversed'
"""
_STATEMENTS = (_PEOPLE, _CASES, _WARNINGS, _ATTEMPTS, _ASSIGNMENTS, _OUTCOMES, _FILED)

_TABLES = ("person", "case", "warning", "attempt", "assignment", "outcome", "filed_case")
_DIRECT_UP_TO = 1_000_000

_TOUCH = """
UPDATE "case" SET outcome = CASE outcome WHEN 'saw_through_it' THEN 'dissuaded_by_phone' ELSE 'saw_through_it' END
WHERE id IN (
    SELECT id FROM "case" WHERE id > :above AND status IN ('proven', 'watching')
    ORDER BY hashint8(id + :salt) LIMIT :stale
)
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--attempts", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--stale", type=int, default=1000)
    parser.add_argument("--direct", action="store_true")
    parser.add_argument("--keep", type=Path)
    args = parser.parse_args()
    found = run(
        args.attempts, runs=args.runs, days=args.days, stale=args.stale, direct=args.direct, keep=args.keep
    )
    print(json.dumps(found, indent=1))


def run(
    attempts: int,
    *,
    runs: int = 7,
    days: int = 365,
    stale: int = 1000,
    direct: bool = False,
    keep: Path | None = None,
) -> dict[str, object]:
    with database(keep) as (store, facts):
        with store.begin() as tx:
            ready = tx.scalar(sa.text("SELECT EXISTS (SELECT FROM attempt)"))
        made: dict[str, object] = {}
        if not ready:
            made = {"rows_made_in_seconds": fill(store, attempts=attempts, days=days)}
        made |= refresh(store, facts)
        return made | measure(
            store, facts, runs=runs, stale=stale, direct=direct or attempts <= _DIRECT_UP_TO
        )


@contextmanager
def database(keep: Path | None) -> Iterator[tuple[Store, FactFile]]:
    with tempfile.TemporaryDirectory(prefix="bench-report-") as scratch:
        servers = ensure_servers(keep or Path(scratch), valkey=False, ephemeral=keep is None)
        vault = Vault(Keys.of(encryption={1: bytes([1]) * 32}, index=bytes([9]) * 32, current=1))
        store = Store(servers.owner_url, vault, pool_size=2)
        try:
            migrate_database(store.sql_engine)
            yield store, FactFile(folder=(keep or Path(scratch)) / "figures", timezone=ZONE)
        finally:
            store.dispose()
            servers.stop()


def fill(store: Store, *, attempts: int, days: int) -> float:
    """Seconds that it took. Nothing is marked: the first refresh counts every case."""
    cases = round(attempts / _ATTEMPTS_PER_CASE)
    started = time.monotonic()
    with store.begin() as tx:
        version = ensure_policy_version(tx, to_plain(load_settings().policy.policy(zone=ZONE)), now=NOW)
    with store.begin() as tx, bare(tx, _TABLES):
        for first in range(1, cases + 1, _CASES_AT_ONCE):
            given = {
                "first": first,
                "last": min(cases, first + _CASES_AT_ONCE - 1),
                "cases": cases,
                "span": days * 86_400,
                "policy": version,
                "now": NOW,
            }
            for statement in _STATEMENTS:
                tx.execute(sa.text(statement), given)
    vacuum(store)
    return round(time.monotonic() - started, 1)


def refresh(store: Store, facts: FactFile) -> dict[str, object]:
    """As a worker does it; the first one fetches every case."""
    started = time.monotonic()
    fetched = refresh_facts(store, facts)
    return {
        "fetched_cases": fetched,
        "fetched_in_seconds": round(time.monotonic() - started, 1),
        "fact_mb": round(facts.path.stat().st_size / 1e6),
    }


def vacuum(store: Store) -> None:
    """What the server does by itself within minutes."""
    with store.sql_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


def measure(store: Store, facts: FactFile, *, runs: int, stale: int, direct: bool) -> dict[str, object]:
    with store.begin() as tx:
        sizes = tx.one(
            sa.text(
                'SELECT (SELECT count(*) FROM "case") AS cases, (SELECT count(*) FROM attempt) AS attempts,'
                " (SELECT count(*) FROM outcome WHERE intended_fen + stopped_fen + returned_fen > 0) AS with_money,"
                " pg_database_size(current_database()) AS bytes"
            )
        )
    assert sizes is not None
    midnight = NOW.astimezone(ZoneInfo(ZONE)).replace(hour=0, minute=0)
    windows = {
        "everything": Period(),
        "90 whole days": Period(start=(midnight - 90 * DAY).astimezone(UTC), end=midnight.astimezone(UTC)),
        "yesterday": Period(start=(midnight - DAY).astimezone(UTC), end=midnight.astimezone(UTC)),
        "30 days to the hour": Period(start=NOW - 30 * DAY, end=NOW),
    }
    found = {name: report(store, facts, period, runs=runs, direct=direct) for name, period in windows.items()}
    for dimension in (Dimension.HOUR, Dimension.SOURCE, Dimension.PERSON, Dimension.VERSION):
        name = f"everything by {dimension.value}"
        found[name] = report(store, facts, Period(), runs=runs, direct=False, dimension=dimension)
    for age, above in (("of the last days", sizes["cases"] - 10 * stale), ("of any age", 0)):
        with store.begin() as tx:
            tx.execute(sa.text(_TOUCH), {"above": above, "salt": above % 1000, "stale": stale})
        # The first report fetches what has changed.
        found[f"everything, {stale} cases {age} changed"] = report(
            store, facts, Period(), runs=1, direct=direct
        )
    return {
        "attempts": sizes["attempts"],
        "cases": sizes["cases"],
        "lines_with_money": sizes["with_money"],
        "database_mb": round(sizes["bytes"] / 1e6),
        "milliseconds_of_a_report": found,
        "goal_ms": GOAL_MS,
    }


def report(
    store: Store,
    facts: FactFile,
    period: Period,
    *,
    runs: int,
    direct: bool,
    dimension: Dimension | None = None,
) -> dict[str, float]:
    window = CutWindow(period=period, drill=False, now=NOW, timezone=ZONE)

    def read(source: Source) -> object:
        return read_figures(source, window) if dimension is None else read_cut(source, dimension, window)

    taken = [timed(store, facts, read) for _ in range(runs)]
    told: dict[str, float] = {
        "median": round(statistics.median(ms for ms, *_ in taken)),
        "slowest": round(max(ms for ms, *_ in taken)),
        "processor": round(statistics.median(cpu for _, cpu, _ in taken)),
    }
    if direct:
        with open_source(store, facts) as source:
            started = time.monotonic()
            expected = read(RecordSource(source.tx))
            told["directly"] = round((time.monotonic() - started) * 1000)
        if any(found != expected for *_, found in taken):
            raise SystemExit("the two reports differ")
    return told


def timed(store: Store, facts: FactFile, read: Callable[[Source], object]) -> tuple[float, float, object]:
    """Milliseconds of a report with its snapshot and the opening of its file, and of the processor in this process."""
    started, used = time.monotonic(), time.process_time()
    with open_source(store, facts) as source:
        assert isinstance(source, FactSource)
        found = read(source)
    return (time.monotonic() - started) * 1000, (time.process_time() - used) * 1000, found


if __name__ == "__main__":
    main()
