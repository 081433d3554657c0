"""A city's year behind the console: a million cases with everything that hangs on them, made by the database itself.

Each row follows from its number, so that two runs measure the same rows. Two per cent were opened within the last
hours, when a list came in; of the newest some wait for their robot call and some for people. Personal parts are
encrypted as in production.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bench.backlog import FIRST, FraudDetails, bare, copy_people
from dialer.core.access import Role
from dialer.db.unit_of_work import Store, Tx
from dialer.db.units import add_unit
from dialer.staff.store import insert_member

COUNTIES, STATIONS, PEOPLE = 12, 187, 300
LONG_LOAD, LOADS = 1, 4_000
"""The first list has a fifth of all cases, the others share the rest."""
GRADES = ("extra_high", "high", "medium", "low")
FRAUDS = ("fake_order_rebate", "investment", "shopping", "loan", "romance")
WAITING = 0.024
_RECENT, _WORKED, _WATCHED, _UNSORTED = 0.02, 0.006, 0.02, 0.5
"""Shares of the newest: opened within three hours; after those that wait for the robot those that wait for people, and
those that are watched.
"""
_MIX, _MODULUS = 2_654_435_761, 4_294_967_296

TABLES = (
    "person",
    "person_key",
    "person_phone",
    "list_load",
    "warning",
    "case",
    "attempt",
    "event",
    "assignment",
    "outcome",
    "audit",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    county: int
    station: int
    """Units in the middle of the tree and at its foot."""


def fill(store: Store, *, count: int, policy: int, now: datetime, waiting: float = WAITING) -> None:
    """Into an empty database. `waiting` is the share of cases that wait for their robot call; where that is half or
    more, most have no unit. Nothing is marked as changed: the first refresh counts every case.
    """
    with store.begin() as tx:
        stations = _tree(tx)
        _people(tx, stations, now)
    loads = min(LOADS, max(2, count // 250))
    given = {
        "first": FIRST,
        "count": count,
        "now": now,
        "policy": policy,
        "stations": stations,
        "loads": loads,
        "recent": count * _RECENT,
        "ringing": count * waiting,
        "worked": count * (waiting + _WORKED),
        "watched": count * (waiting + _WORKED + _WATCHED),
        "unsorted": 10 if waiting >= _UNSORTED else 1,
        "frauds": list(FRAUDS),
    }
    with store.begin() as tx, bare(tx, TABLES):
        warned = _Warnings(count, loads, now)
        copy_people(tx, first=FIRST, count=count, now=now, warned=warned.of)
        for statement in _STATEMENTS:
            wanted = sa.text(statement)
            tx.execute(wanted, {name: given[name] for name in wanted.compile().params})
    with store.begin() as tx:
        tx.execute(sa.text(_TRANSFERS))
        tx.execute(sa.text(_ALARMS), {"now": now, "first": FIRST, "count": count})
        tx.execute(sa.text(_STOP_PAYMENTS))
    vacuum(store)


def vacuum(store: Store) -> None:
    """What the server does by itself within minutes."""
    with store.sql_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


def find(store: Store) -> City:
    """Units to look from; of a county with its stations below it, and of a station."""
    with store.begin() as tx:
        row = tx.one(
            sa.text(
                "SELECT parent_id AS county, id AS station FROM unit"
                " WHERE level = 'station' AND parent_id IS NOT NULL ORDER BY id LIMIT 1"
            )
        )
    assert row is not None
    return City(**row)


def is_empty(store: Store) -> bool:
    with store.begin() as tx:
        return tx.scalar(sa.text('SELECT 1 FROM "case" LIMIT 1')) is None


def _tree(tx: Tx) -> list[int]:
    """The stations; above them the counties and the city."""
    city = add_unit(tx, name="市局", parent_id=None, level="city")
    counties = [add_unit(tx, name=f"第{n}分局", parent_id=city, level="county") for n in range(COUNTIES)]
    return [
        add_unit(tx, name=f"第{n}派出所", parent_id=counties[n % COUNTIES], level="station")
        for n in range(STATIONS)
    ]


def _people(tx: Tx, stations: Sequence[int], now: datetime) -> None:
    roles = (Role.OFFICER, Role.CALLER, Role.OFFICER, Role.CLERK, Role.CALLER, Role.SUPERVISOR)
    for n in range(PEOPLE):
        insert_member(
            tx,
            login=f"bench{n}",
            display_name=f"警员{n}",
            password_hash="-",
            role=roles[n % len(roles)],
            unit_id=stations[n % len(stations)] if n % 10 else None,
            language="zh",
            must_change=False,
            by="bench",
            real_now=now,
        )


@dataclass(frozen=True, slots=True)
class _Warnings:
    """The warning of each case by its number, as `_CASES` has it."""

    count: int
    loads: int
    now: datetime

    def of(self, case_id: int) -> FraudDetails:
        g = case_id - FIRST
        h = g * _MIX % _MODULUS
        recent = self.count * _RECENT
        if g >= self.count - recent:
            at = self.now - timedelta(hours=3) * ((self.count - g) / recent)
        else:
            past = (self.count - recent - g) / (self.count - recent)
            at = self.now - timedelta(hours=10) - timedelta(days=364) * past
        return FraudDetails(
            grade=GRADES[_place(h)],
            fraud_type=FRAUDS[h // 7 % len(FRAUDS)],
            load_id=LONG_LOAD if g < self.count // 5 else 2 + g % (self.loads - 1),
            loaded_at=at.isoformat(),
        )


def _place(h: int) -> int:
    return 0 if h % 1000 == 0 else 1 if h % 20 == 1 else 2 if h % 3 == 0 else 3


_LOADS = f"""
INSERT INTO list_load (id, filename, source, state, content_hash, size_bytes, next_line, total, rows, accepted, merged,
 duplicate, rejected, columns, by, created_at, finished_at) OVERRIDING SYSTEM VALUE
SELECT g, 'list-' || g || '.xlsx', 'bench', 'done', decode(md5('l' || g), 'hex'), 100000, n + 10, n + 10, n + 10, n, 3,
 6, 4, '[]', 'bench' || g % 300, :now - (:loads - g) * interval '2 hours', :now - (:loads - g) * interval '2 hours'
FROM generate_series(1, :loads) g CROSS JOIN LATERAL (
 SELECT CASE WHEN g = {LONG_LOAD} THEN CAST(:count AS bigint) / 5 ELSE 240 END AS n
) rows
"""
_CASES = f"""
INSERT INTO "case" (id, person_id, load_id, grade, fraud_type, source, unit, unit_id, status, outcome, contact,
 policy_version, numbers, warnings, missed, opted_out, drill, tags, opened_at, first_attempt_at, settled_at, due_at,
 robot_state, robot_attempts, robot_tries, robot_own_faults, robot_number, robot_dead_numbers, robot_at,
 robot_patience_at, robot_reason, human_state, human_tries, human_reason, visit_state, visit_tries, visit_reason)
SELECT :first + g, :first + g,
 CASE WHEN g < :count / 5 THEN {LONG_LOAD} ELSE 2 + g % (CAST(:loads AS integer) - 1) END,
 CASE WHEN h % 1000 = 0 THEN 'extra_high' WHEN h % 20 = 1 THEN 'high' WHEN h % 3 = 0 THEN 'medium' ELSE 'low' END,
 (CAST(:frauds AS text[]))[1 + h / 7 % 5], 'bench',
 CASE WHEN h % 11 < :unsorted THEN '第' || h % 300 || '所' ELSE '' END,
 CASE WHEN h % 11 < :unsorted THEN NULL ELSE (CAST(:stations AS bigint[]))[1 + h / 13 % {STATIONS}] END,
 status,
 CASE status WHEN 'open' THEN NULL WHEN 'reversed' THEN 'already_defrauded' WHEN 'closed' THEN 'mismatch'
  ELSE 'dissuaded_by_phone' END,
 CASE WHEN status IN ('open', 'closed') THEN 'none' ELSE 'verified' END, :policy, 1, 1, false, false, true, '{{}}',
 opened,
 CASE WHEN age <= :ringing THEN NULL WHEN age <= :watched THEN :now - h % 3600 * interval '1 second'
  ELSE opened + (5 + h % 600) * interval '1 second' END,
 CASE WHEN status IN ('open', 'watching') THEN NULL ELSE opened + interval '20 minutes' END,
 CASE status WHEN 'open' THEN :now + interval '1 day' WHEN 'watching' THEN :now + interval '7 days' END,
 CASE WHEN age <= :ringing THEN 'pending' ELSE 'done' END, 1, 1, 0, 0, '{{}}',
 CASE WHEN age <= :ringing THEN opened END, CASE WHEN age <= :ringing THEN :now + interval '1 day' END, 'new_warning',
 CASE WHEN status = 'open' AND age > :ringing AND h % 5 > 0 THEN 'open' ELSE 'none' END, 0, 'none',
 CASE WHEN status = 'open' AND age > :ringing AND h % 5 = 0 THEN 'open' ELSE 'none' END, 0, 'none'
FROM (
 SELECT g, :count - g AS age, g * {_MIX} % {_MODULUS} AS h,
  CASE WHEN :count - g <= recent THEN :now - interval '3 hours' * ((:count - g) / recent)
   ELSE :now - interval '10 hours' - interval '364 days' * ((:count - recent - g) / (:count - recent))
  END AS opened,
  CASE WHEN :count - g <= :worked THEN 'open' WHEN :count - g <= :watched THEN 'watching'
   WHEN g % 2000 = 0 THEN 'reversed' WHEN g % 3 = 0 THEN 'closed' ELSE 'proven' END AS status
 FROM generate_series(CAST(0 AS bigint), :count - 1) g CROSS JOIN CAST(:recent AS double precision) recent
) rows
"""
_ATTEMPTS = """
INSERT INTO attempt (id, case_id, person_id, n, number, state, reason, windowed, urgency_at, not_before, planned_at,
 sid, sent_at, accepted_at, ringing_at, answered_at, ended_at, result, contact, answer, script_id, drill)
SELECT gen_random_uuid(), c.id, c.person_id, n, 0, CASE WHEN sent IS NULL THEN 'ready' ELSE 'ended' END, 'new_warning',
 true, c.opened_at, c.opened_at, c.opened_at, CASE WHEN sent IS NOT NULL THEN 'CA' || md5(c.id || '-' || n) END, sent,
 sent, sent + interval '2 seconds', CASE WHEN n = 1 AND c.contact = 'verified' THEN sent + interval '9 seconds' END,
 sent + interval '45 seconds',
 CASE WHEN sent IS NULL THEN NULL WHEN n = 1 AND c.contact = 'verified' THEN 'answered'
  ELSE (ARRAY['no_answer', 'busy', 'powered_off'])[1 + c.id % 3] END,
 CASE WHEN sent IS NULL OR n > 1 THEN 'none' ELSE c.contact END, 'none',
 CASE WHEN sent IS NULL THEN '' ELSE 'general' END, true
FROM (
 SELECT c.*, n, c.first_attempt_at + (n - 1) * interval '5 minutes' AS sent
 FROM "case" c CROSS JOIN generate_series(1, 2) n
 WHERE n = 1 OR (c.first_attempt_at IS NOT NULL AND c.status <> 'open' AND c.id % 2 = 0)
) c
"""
_EVENTS = """
INSERT INTO event (case_id, step, kind, at, by, facts)
SELECT c.id, 'act.' || c.id || '.' || n, CASE WHEN c.id % 500 = 0 THEN 'unit_raised' ELSE 'claimed' END,
 c.opened_at + n * interval '10 minutes', 'bench' || c.id % 300,
 CASE WHEN c.id % 500 = 0 THEN jsonb_build_object('track', 'human', 'grade', c.grade, 'from_id', c.unit_id, 'to_id', 1,
  'sign_seconds', 300) ELSE '{}' END
FROM "case" c CROSS JOIN generate_series(1, 2) n WHERE c.id % 2 = 0
"""
_ASSIGNMENTS = """
INSERT INTO assignment (case_id, kind, state, reason, unit_id, urgency_at, opened_at, sign_by, due_at, feedback_by,
 signed_at, signed_by, done_at, done_by, outcome, idle_at, call_at, kept_for, kept_until, drill)
SELECT id, kind, state, 'not_verified', unit_id, opened_at, began,
 began + interval '4 hours', began + interval '5 hours', began + interval '1 day',
 CASE WHEN state <> 'open' THEN began + interval '3 minutes' END, CASE WHEN state <> 'open' THEN who END,
 CASE WHEN state = 'done' THEN began + interval '20 minutes' END, CASE WHEN state = 'done' THEN who END,
 CASE WHEN state = 'done' THEN 'dissuaded_by_phone' END,
 CASE WHEN state = 'signed' THEN began + interval '6 hours' END,
 CASE WHEN state = 'open' AND kind = 'human' AND id % 50 = 7 THEN CAST(:now AS timestamptz) + interval '5 hours' END,
 CASE WHEN state = 'open' AND kind = 'human' AND id % 50 = 7 THEN who END,
 CASE WHEN state = 'open' AND kind = 'human' AND id % 50 = 7 THEN CAST(:now AS timestamptz) + interval '6 hours' END,
 true
FROM (
 SELECT id, unit_id, opened_at, opened_at + interval '10 minutes' AS began, 'bench' || id % 300 AS who,
  CASE WHEN visit_state = 'open' OR (status <> 'open' AND id % 5 = 0) THEN 'visit' ELSE 'human' END AS kind,
  CASE WHEN status <> 'open' THEN 'done' WHEN id % 11 = 3 THEN 'signed' ELSE 'open' END AS state
 FROM "case" WHERE human_state = 'open' OR visit_state = 'open' OR (status <> 'open' AND id % 4 = 0)
) c
"""
_OUTCOMES = """
INSERT INTO outcome (case_id, kind, contact, track, reason, intended_fen, evidence_sealed, recorded_by, at, drill)
SELECT id, outcome, contact, 'human', 'told', CASE WHEN id % 100 = 0 THEN 100 + id % 5000000 ELSE 0 END,
 CASE WHEN id % 100 = 0 THEN CAST('\\x2d' AS bytea) END, 'bench' || id % 300, opened_at + interval '15 minutes', true
FROM "case" WHERE outcome IS NOT NULL
"""
_AUDIT = """
INSERT INTO audit (at, who, act, subject, why, facts)
SELECT :now - (:count - g) * interval '31 seconds', 'bench' || g % 300,
 CASE WHEN g % 5000 = 0 THEN 'export' ELSE (ARRAY['sign_in', 'reveal', 'search', 'sign_out'])[1 + g % 4] END,
 'case/' || (:first + g % 200000), '', '{}' FROM generate_series(0, :count - 1) g
"""
# The audit as a version without a chain left it.
_UNCHAINED = "ALTER TABLE audit DISABLE TRIGGER chained"
_CHAINED = "ALTER TABLE audit ENABLE ALWAYS TRIGGER chained"
_STATEMENTS = (
    *(_LOADS, _CASES, _ATTEMPTS, _EVENTS, _ASSIGNMENTS, _OUTCOMES),
    *(_UNCHAINED, _AUDIT, _CHAINED),
)

_TRANSFERS = """
INSERT INTO assignment_transfer (assignment_id, from_unit_id, to_unit_id, state, by, why, at)
SELECT id, unit_id, (SELECT max(id) FROM unit) - id % 150, 'asked', 'bench1', '不是我们辖区', opened_at
FROM assignment WHERE state IN ('open', 'signed') AND unit_id IS NOT NULL AND id % 17 = 0
"""
_ALARMS = """
INSERT INTO alarm (code, case_id, facts, raised_at, last_at, seen_at, seen_by)
SELECT 'unsigned', :first + :count - g, '{}', :now - g * interval '1 minute', :now - g * interval '1 minute',
 CASE WHEN g > 300 THEN :now END, CASE WHEN g > 300 THEN 'bench1' END
FROM generate_series(1, CAST(:count AS bigint) / 50) g
"""
_STOP_PAYMENTS = """
INSERT INTO stop_payment (case_id, opened_at, drill) SELECT id, opened_at, true FROM "case"
WHERE status = 'open' AND id % 200 = 0
"""
