"""Warnings: accepted records, never changed. (source, instruction number) is unique, whoever loads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from psycopg.types.json import Jsonb

from dialer.domain.values import FraudType, Grade, Tag, WarningKind
from dialer.store import tables as t
from dialer.store.copying import CopyIn
from dialer.store.rowset import RowSet
from dialer.store.unit_of_work import Tx
from dialer.store.vault import Vault

LOAD_LOCK = 0x6C6F6164
"""One batch of arrivals is written at a time: what a person or an incident is, is decided against all before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a warning says, its personal part sealed for the row `id`: made before it is known whose it is."""

    id: int
    columns: tuple[object, ...]


def lock_arrivals(tx: Tx) -> None:
    """Held to the end of the transaction."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(LOAD_LOCK)))


def known_keys(tx: Tx, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (source, instruction number) are loaded already."""
    return {(row[0], row[1]) for row in tx.execute(_CASES_OF, _given(keys))}


def cases_of(tx: Tx, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The case that each of these (source, instruction number) belongs to; unknown ones are left out."""
    return {(row[0], row[1]): row[2] for row in tx.execute(_CASES_OF, _given(keys))}


_KEYS = RowSet.of(t.warning, "given", ("source", "instruction_no"))
_CASES_OF = sa.select(t.warning.c.source, t.warning.c.instruction_no, t.warning.c.case_id).join(
    _KEYS.clause,
    sa.and_(t.warning.c.source == _KEYS.c.source, t.warning.c.instruction_no == _KEYS.c.instruction_no),
)


def _given(keys: Sequence[tuple[str, str]]) -> dict[str, str]:
    return _KEYS.given([{"source": source, "instruction_no": number} for source, number in keys])


def content(
    vault: Vault,
    *,
    warning_id: int,
    source: str,
    instruction_no: str,
    kind: WarningKind,
    fraud_type: FraudType,
    grade: Grade,
    unit: str,
    amount_at_risk_fen: int | None,
    amount_paid_fen: int | None,
    talk_seconds: int | None,
    tags: frozenset[Tag],
    missed: bool,
    notices: Sequence[Mapping[str, str]],
    event_at: datetime | None,
    produced_at: datetime | None,
    expires_at: datetime | None,
    personal: dict[str, Any],
) -> Content:
    return Content(
        id=warning_id,
        columns=(
            source,
            instruction_no,
            kind.value,
            fraud_type.value,
            grade.value,
            unit,
            amount_at_risk_fen,
            amount_paid_fen,
            talk_seconds,
            sorted(tag.value for tag in tags),
            missed,
            Jsonb(notices),
            event_at,
            produced_at,
            expires_at,
            vault.seal_record(personal, table="warning", column="sealed", row=warning_id),
        ),
    )


def write(
    tx: Tx,
    arrived: Iterable[tuple[Content, int, int]],
    *,
    load_id: int | None,
    drill: bool,
    now: datetime,
) -> None:
    """Each with the ids of its person and its case."""
    _COPY.write(
        tx,
        [
            (one.id, person_id, case_id, load_id, drill, now, *one.columns)
            for one, person_id, case_id in arrived
        ],
    )


_COPY = CopyIn(
    t.warning,
    (
        "id",
        "person_id",
        "case_id",
        "load_id",
        "drill",
        "loaded_at",
        "source",
        "instruction_no",
        "kind",
        "fraud_type",
        "grade",
        "unit",
        "amount_at_risk_fen",
        "amount_paid_fen",
        "talk_seconds",
        "tags",
        "missed",
        "notices",
        "event_at",
        "produced_at",
        "expires_at",
        "sealed",
    ),
)
