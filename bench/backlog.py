"""Low-grade cases that wait, by the hundred thousand: every row as a list's loading leaves it, personal parts sealed.

Persons come by COPY, since only we hold the keys; cases and attempts are made by the server. Indexes and
foreign keys are built, and so checked, once at the end: a million in about a minute of one core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import sqlalchemy as sa

from dialer.db.unit_of_work import Store, Tx
from dialer.db.vault import BlindKind, Vault

FIRST = 1_000_000_000
"""Far above the ids that the service itself gives."""
_LINES_AT_ONCE = 2_000
TABLES = ("person", "person_key", "person_phone", "warning", "case", "attempt")

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
_INDEXES = sa.text("""
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS made
FROM pg_index i WHERE i.indrelid = ANY(CAST(:tables AS regclass[])) AND NOT i.indisunique
""")
_REFERENCES = sa.text("""
SELECT c.conrelid::regclass::text AS "table", c.conname AS name, pg_get_constraintdef(c.oid) AS made
FROM pg_constraint c WHERE c.conrelid = ANY(CAST(:tables AS regclass[])) AND c.contype = 'f'
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class FraudDetails:
    """What a case's warning says of it."""

    grade: str = "low"
    fraud_type: str = "loan"
    load_id: int | None = None
    loaded_at: str


def fill(store: Store, *, count: int, before: int, policy: int, now: datetime) -> None:
    """`count` cases wait beside the `before` that do already, the earliest of them first."""
    first = FIRST + before
    given = {
        "first": first,
        "count": count,
        "now": now,
        "due": now + timedelta(days=1),
        "policy": policy,
    }
    with store.begin() as tx, bare(tx, TABLES):
        copy_people(tx, first=first, count=count, now=now)
        for statement in (_CASES, _ATTEMPTS):
            tx.execute(sa.text(statement), given)
    with store.sql_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in TABLES:
            connection.execute(sa.text(f'VACUUM ANALYZE "{table}"'))


@contextmanager
def bare(tx: Tx, tables: Sequence[str]) -> Iterator[None]:
    """Within the block the tables have their unique indexes and nothing else; afterwards all of it, checked. Their
    triggers do not fire.
    """
    tx.execute(sa.text("SET LOCAL maintenance_work_mem = '256MB'"))
    given = {"tables": [f'"{table}"' for table in tables]}
    indexes, references = tx.rows(_INDEXES, given), tx.rows(_REFERENCES, given)
    for reference in references:
        tx.execute(sa.text(f"ALTER TABLE {reference['table']} DROP CONSTRAINT {reference['name']}"))
    for index in indexes:
        tx.execute(sa.text(f"DROP INDEX {index['name']}"))
    for table in tables:
        tx.execute(sa.text(f'ALTER TABLE "{table}" DISABLE TRIGGER USER'))
    yield
    for table in tables:
        tx.execute(sa.text(f'ALTER TABLE "{table}" ENABLE TRIGGER USER'))
    for index in indexes:
        tx.execute(sa.text(index["made"].replace(":", r"\:")))
    for reference in references:
        tx.execute(
            sa.text(
                f"ALTER TABLE {reference['table']} ADD CONSTRAINT {reference['name']} {reference['made']}"
            )
        )


def copy_people(
    tx: Tx, *, first: int, count: int, now: datetime, warned: Callable[[int], FraudDetails] | None = None
) -> None:
    """Persons with one number and one warning each. `warned` by the number of person and case."""
    ids = range(first, first + count)
    at = now.isoformat()
    plain = FraudDetails(loaded_at=at)
    vault = tx.vault
    _copy(tx, "person (id, name_blind, numbers, sealed, created_at)", (_person(vault, i, at) for i in ids))
    _copy(tx, "person_key (name_phone_blind, person_id)", (_key(vault, i) for i in ids))
    _copy(
        tx,
        "person_phone (person_id, position, phone_blind, last4_blind)",
        (_phone_row(vault, i) for i in ids),
    )
    _copy(
        tx,
        "warning (id, person_id, case_id, load_id, source, instruction_no, kind, fraud_type, grade, tags, missed,"
        " drill, notices, loaded_at, sealed)",
        (_warning(vault, i, plain if warned is None else warned(i)) for i in ids),
    )


def _copy(tx: Tx, into: str, lines: Iterator[str]) -> None:
    with tx.connection.connection.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copy:  # type: ignore[attr-defined]
        while block := "".join(islice(lines, _LINES_AT_ONCE)):
            copy.write(block)


def _phone(i: int) -> str:
    return f"+86139{i % 100_000_000:08d}"


def _name(i: int) -> str:
    return f"甲{i % 1_000_000}"


def _bytes(value: bytes) -> str:
    return rf"\\x{value.hex()}"


def _person(vault: Vault, i: int, at: str) -> str:
    facts = {"name": _name(i), "phones": (_phone(i),), "id_number": "", "address": "", "family_contact": ""}
    sealed = vault.seal_record(facts, table="person", column="sealed", row=i)
    return f"{i}\t{_bytes(vault.blind(_name(i), kind=BlindKind.NAME))}\t1\t{_bytes(sealed)}\t{at}\n"


def _key(vault: Vault, i: int) -> str:
    together = "\0".join((_name(i), _phone(i)))
    return f"{_bytes(vault.blind(together, kind=BlindKind.NAME_PHONE))}\t{i}\n"


def _phone_row(vault: Vault, i: int) -> str:
    phone = _phone(i)
    last4 = vault.blind(phone[-4:], kind=BlindKind.PHONE_LAST4)
    return f"{i}\t0\t{_bytes(vault.blind(phone, kind=BlindKind.PHONE))}\t{_bytes(last4)}\n"


def _warning(vault: Vault, i: int, said: FraudDetails) -> str:
    sealed = vault.seal_record(
        {"name": _name(i), "phones": (_phone(i),)}, table="warning", column="sealed", row=i
    )
    load_id = r"\N" if said.load_id is None else said.load_id
    return (
        f"{i}\t{i}\t{i}\t{load_id}\tbench\tB{i}\ttelecom\t{said.fraud_type}\t{said.grade}\t{{}}\tf\tt\t[]\t"
        f"{said.loaded_at}\t{_bytes(sealed)}\n"
    )
