"""Warnings: accepted records, never changed. (source, instruction number) is unique, whoever loads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from dialer.domain.values import FraudType, Grade, Tag, WarningKind
from dialer.store.unit_of_work import Tx
from dialer.store.vault import Vault

LOAD_LOCK = 0x6C6F6164
"""One batch of arrivals is written at a time: what a person or an incident is, is decided against all before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One accepted record with where it belongs."""

    id: int
    person_id: int
    case_id: int
    load_id: int | None
    source: str
    instruction_no: str
    kind: WarningKind
    fraud_type: FraudType
    grade: Grade
    unit: str
    amount_at_risk_fen: int | None
    amount_paid_fen: int | None
    talk_seconds: int | None
    tags: frozenset[Tag]
    missed: bool
    drill: bool
    notices: tuple[dict[str, str], ...]
    event_at: datetime | None
    produced_at: datetime | None
    expires_at: datetime | None
    loaded_at: datetime
    personal: dict[str, Any]


def lock_arrivals(tx: Tx) -> None:
    """Held to the end of the transaction."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(LOAD_LOCK)))


def known_keys(tx: Tx, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (source, instruction number) are loaded already."""
    statement = sa.text(
        "SELECT w.source, w.instruction_no FROM warning w JOIN unnest(CAST(:sources AS text[]),"
        " CAST(:numbers AS text[])) AS k(source, number) ON w.source = k.source AND w.instruction_no = k.number"
    )
    rows = tx.execute(
        statement, {"sources": [source for source, _ in keys], "numbers": [number for _, number in keys]}
    )
    return {(row[0], row[1]) for row in rows}


def cases_of(tx: Tx, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The case that each of these (source, instruction number) belongs to; unknown ones are left out."""
    statement = sa.text(
        "SELECT w.source, w.instruction_no, w.case_id FROM warning w JOIN unnest(CAST(:sources AS text[]),"
        " CAST(:numbers AS text[])) AS k(source, number) ON w.source = k.source AND w.instruction_no = k.number"
    )
    rows = tx.execute(
        statement, {"sources": [source for source, _ in keys], "numbers": [number for _, number in keys]}
    )
    return {(row[0], row[1]): row[2] for row in rows}


def rows(vault: Vault, arrivals: Sequence[Arrival]) -> list[tuple[object, ...]]:
    """What `write` puts down, made without the database."""
    return [
        (
            a.id,
            a.person_id,
            a.case_id,
            a.load_id,
            a.source,
            a.instruction_no,
            a.kind.value,
            a.fraud_type.value,
            a.grade.value,
            a.unit,
            a.amount_at_risk_fen,
            a.amount_paid_fen,
            a.talk_seconds,
            f"{{{','.join(sorted(a.tags))}}}" if a.tags else "{}",
            a.missed,
            a.drill,
            orjson.dumps(a.notices).decode() if a.notices else "[]",
            a.event_at,
            a.produced_at,
            a.expires_at,
            a.loaded_at,
            vault.seal_record(a.personal, table="warning", column="sealed", row=a.id),
        )
        for a in arrivals
    ]


def write(tx: Tx, made: list[tuple[object, ...]]) -> None:
    tx.copy_in(
        "COPY warning (id, person_id, case_id, load_id, source, instruction_no, kind, fraud_type, grade, unit,"
        " amount_at_risk_fen, amount_paid_fen, talk_seconds, tags, missed, drill, notices, event_at, produced_at,"
        " expires_at, loaded_at, sealed) FROM STDIN",
        made,
    )
