"""Low-grade cases that wait, by the hundred thousand: put in by the server itself, with what a claim reads of them."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from dialer.store.people import Person, seal_person
from dialer.store.unit_of_work import Store

_PERSONS = """
INSERT INTO person (id, name_blind, numbers, sealed, created_at)
SELECT :first + g, decode(md5('n' || (:first + g)), 'hex'), 1, :sealed, :now FROM generate_series(0, :count - 1) g
"""
_PHONES = """
INSERT INTO person_phone (person_id, position, phone_blind, last4_blind)
SELECT :first + g, 0, decode(md5('p' || (:first + g)), 'hex'), decode(md5('l' || ((:first + g) % 10000)), 'hex')
FROM generate_series(0, :count - 1) g
"""
_CASES = """
INSERT INTO "case" (id, person_id, grade, fraud_type, source, status, contact, policy_version, numbers, warnings,
 missed, opted_out, drill, tags, opened_at,
 due_at, robot_state, robot_attempts, robot_tries, robot_own_faults, robot_number,
 robot_dead_numbers, robot_at, robot_patience_at, robot_reason, human_state, human_tries, human_reason, visit_state,
 visit_tries, visit_reason)
SELECT :first + g, :first + g, 'low', 'loan', 'bench', 'open', 'none', :policy, 1, 1, false, false, true, '{}',
 :now - g * interval '1 millisecond', :due, 'pending', 1, 0, 0, 0, '{}', :now, :due, 'new_warning',
 'none', 0, 'none', 'none', 0, 'none' FROM generate_series(0, :count - 1) g
"""
_ATTEMPTS = """
INSERT INTO attempt (id, case_id, person_id, n, number, state, reason, windowed, urgency_at, not_before, planned_at,
 contact, answer, drill)
SELECT gen_random_uuid(), :first + g, :first + g, 1, 0, 'ready', 'new_warning', true,
 :now - g * interval '1 millisecond', :now, :now, 'none', 'none', true FROM generate_series(0, :count - 1) g
"""
FIRST = 1_000_000_000
"""Far above the ids that the service itself gives."""


def fill(store: Store, *, count: int, before: int, policy: int, now: datetime) -> None:
    """`count` cases wait beside the `before` that do already; their people can be opened after `make_openable` only."""
    given = {
        "first": FIRST + before,
        "count": count,
        "now": now,
        "due": now + timedelta(days=1),
        "policy": policy,
        "sealed": b"-",
    }
    for statement in (_PERSONS, _PHONES, _CASES, _ATTEMPTS):
        with store.begin() as tx:
            tx.execute(sa.text(statement), given)
        # Before the next one refers to it: the server plans its own checks by what it knows of the table.
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text('ANALYZE attempt, "case", person, person_phone'))


def make_openable(store: Store, *, count: int) -> None:
    """The `count` people whose rings come first can be rung: a claim opens their numbers."""
    with store.begin() as tx:
        rows = tx.rows(
            sa.text("SELECT person_id FROM attempt WHERE state = 'ready' ORDER BY urgency_at LIMIT :n"),
            {"n": count},
        )
        for row in rows:
            person_id = row["person_id"]
            phone = f"+86139{person_id % 100_000_000:08d}"
            person = Person(name="甲", phones=(phone,), id_number="", address="", family_contact="")
            tx.execute(
                sa.text("UPDATE person SET sealed = :sealed WHERE id = :id"),
                {"sealed": seal_person(tx, person_id=person_id, person=person), "id": person_id},
            )
