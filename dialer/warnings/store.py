"""Warnings: accepted records, never changed. One (source, instruction number) is stored at most once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from psycopg.types.json import Jsonb

from dialer.db import tables as t
from dialer.db.bulk import CopyIn, RowSet
from dialer.db.unit_of_work import Tx
from dialer.db.vault import Vault
from dialer.intake.records import Accepted
from dialer.language import bilingual

ARRIVALS_LOCK = 0x6C6F6164
"""One batch of arrivals is written at a time: each is compared with all persons and cases before it."""


def lock_arrivals(tx: Tx) -> None:
    """Held to the end of the transaction."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(ARRIVALS_LOCK)))


_KEYS = RowSet.of(t.warning, "given", ("source", "instruction_no"))
_CASES_OF = sa.select(t.warning.c.source, t.warning.c.instruction_no, t.warning.c.case_id).join(
    _KEYS.clause,
    sa.and_(t.warning.c.source == _KEYS.c.source, t.warning.c.instruction_no == _KEYS.c.instruction_no),
)


def cases_of_warnings(tx: Tx, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The case of each of these (source, instruction number); those that are not stored are left out."""
    given = _KEYS.given([{"source": source, "instruction_no": number} for source, number in keys])
    return {(row[0], row[1]): row[2] for row in tx.execute(_CASES_OF, given)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a warning says, its personal part sealed for the row `id`; made before its person and case are known."""

    id: int
    columns: tuple[object, ...]


_CONTENT_COLUMNS = (
    "source", "instruction_no", "kind", "fraud_type", "grade", "unit", "amount_at_risk_fen", "amount_paid_fen",
    "talk_seconds", "tags", "missed", "notices", "event_at", "produced_at", "expires_at", "sealed",
)  # fmt: skip
_COPY = CopyIn(t.warning, ("id", "person_id", "case_id", "load_id", "drill", "loaded_at", *_CONTENT_COLUMNS))


def warning_content(vault: Vault, accepted: Accepted, *, warning_id: int) -> Content:
    """The columns of an accepted record that do not depend on its case."""
    record = accepted.record
    personal = {
        "name": record.name,
        "phones": record.phones,
        "id_number": record.id_number,
        "address": record.address,
        "family_contact": record.family_contact,
        "fraud_numbers": record.fraud_numbers,
        "fraud_url": record.fraud_url,
        "fraud_app": record.fraud_app,
        "fraud_account": record.fraud_account,
        "remarks": record.remarks,
    }
    notices = [
        {"column": notice.column, "code": notice.code.value, "message": bilingual(notice.message)}
        for notice in accepted.notices
    ]
    columns = (
        record.source,
        record.instruction_no,
        record.kind.value,
        record.fraud_type.value,
        record.grade.value,
        record.unit,
        record.amount_at_risk_fen,
        record.amount_paid_fen,
        record.talk_seconds,
        sorted(tag.value for tag in record.tags),
        record.missed,
        Jsonb(notices),
        record.event_at,
        record.produced_at,
        record.expires_at,
        vault.seal_record(personal, table="warning", column="sealed", row=warning_id),
    )
    return Content(id=warning_id, columns=columns)


def write_warnings(
    tx: Tx, arrived: Iterable[tuple[Content, int, int]], *, load_id: int | None, drill: bool, now: datetime
) -> None:
    """Stores each with the ids of its person and its case."""
    rows = [
        (content.id, person_id, case_id, load_id, drill, now, *content.columns)
        for content, person_id, case_id in arrived
    ]
    _COPY.write(tx, rows)
