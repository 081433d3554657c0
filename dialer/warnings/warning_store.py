"""Rows of warnings. A warning is never changed; one (source, instruction number) is stored at most once."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from psycopg.types.json import Jsonb

from dialer.core.values import FraudType, Grade
from dialer.db import tables as t
from dialer.db.bulk import CopyIn, RowSet, among
from dialer.db.unit_of_work import Tx
from dialer.db.vault import KeyMissing, Tampered, Vault
from dialer.intake.records import Accepted, Record
from dialer.language.words import bilingual

ARRIVALS_LOCK = 0x6C6F6164
"""One batch of arrivals is written at a time, because each is compared with all persons and cases before it."""


def lock_arrivals(tx: Tx) -> None:
    """Takes the lock on arrivals until the transaction ends."""
    tx.execute(sa.select(sa.func.pg_advisory_xact_lock(ARRIVALS_LOCK)))


_KEYS = RowSet.of(t.warning, ("source", "instruction_no"))
_CASES_OF = sa.select(t.warning.c.source, t.warning.c.instruction_no, t.warning.c.case_id).join(
    _KEYS.clause,
    sa.and_(t.warning.c.source == _KEYS.c.source, t.warning.c.instruction_no == _KEYS.c.instruction_no),
)


def cases_of_warnings(tx: Tx, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The case by (source, instruction number); warnings that are not stored are left out."""
    given = _KEYS.given([{"source": source, "instruction_no": number} for source, number in keys])
    return {(row[0], row[1]): row[2] for row in tx.execute(_CASES_OF, given)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a warning says of whom, as far as two warnings under one number must agree on it."""

    grade: Grade
    fraud_type: FraudType
    name: str
    phones: frozenset[str]
    id_number: str
    amount_at_risk_fen: int | None
    amount_paid_fen: int | None

    @classmethod
    def of(cls, record: Record) -> Said:
        """What the record says."""
        return cls(**{name: getattr(record, name) for name in _SAID}, phones=frozenset(record.phones))

    def differs_from(self, stored: Said) -> bool:
        """Whether it says something that the stored one does not. What it leaves blank says nothing."""
        plain = ((getattr(self, name), getattr(stored, name)) for name in _SAID)
        return not self.phones <= stored.phones or any(
            new not in {"", None, FraudType.UNKNOWN, old} for new, old in plain
        )

    def digest(self, key: bytes) -> str:
        """Twelve hexadecimal digits that are the same for the same content, and reveal nothing of it."""
        parts = (*(str(getattr(self, name)) for name in _SAID), *sorted(self.phones))
        return hmac.digest(key, "\0".join(("said", *parts)).encode(), hashlib.sha256).hex()[:12]


_SAID = ("grade", "fraud_type", "name", "id_number", "amount_at_risk_fen", "amount_paid_fen")
_STORED = sa.select(
    *(t.warning.c[name] for name in ("id", "source", "instruction_no", "grade", "fraud_type")),
    *(t.warning.c[name] for name in ("amount_at_risk_fen", "amount_paid_fen", "sealed")),
).join(
    _KEYS.clause,
    sa.and_(t.warning.c.source == _KEYS.c.source, t.warning.c.instruction_no == _KEYS.c.instruction_no),
)


def said_by_warnings(tx: Tx, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Said]:
    """What the stored warnings say, by (source, instruction number). Those that cannot be opened are left out, such as
    those of erased persons.
    """
    given = _KEYS.given([{"source": source, "instruction_no": number} for source, number in keys])
    found: dict[tuple[str, str], Said] = {}
    for row in tx.rows(_STORED, given):
        try:
            personal = tx.vault.open_record(row["sealed"], table="warning", column="sealed", row=row["id"])
        except (Tampered, KeyMissing):
            continue
        if not personal:
            continue
        found[row["source"], row["instruction_no"]] = Said(
            grade=Grade(row["grade"]),
            fraud_type=FraudType(row["fraud_type"]),
            name=personal["name"],
            phones=frozenset(personal["phones"]),
            id_number=personal["id_number"],
            amount_at_risk_fen=row["amount_at_risk_fen"],
            amount_paid_fen=row["amount_paid_fen"],
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The content of a warning, with its personal part sealed for the row `id`; made before its person and case are
    known.
    """

    id: int
    columns: tuple[object, ...]

    def numbered(self, instruction_no: str) -> Content:
        """The same under another instruction number."""
        place = _CONTENT_COLUMNS.index("instruction_no")
        columns = (*self.columns[:place], instruction_no, *self.columns[place + 1 :])
        return replace(self, columns=columns)


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
    if record.coordinates:
        personal["coordinates"] = record.coordinates
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
    """Stores each warning with the ids of its person and its case."""
    rows = [
        (content.id, person_id, case_id, load_id, drill, now, *content.columns)
        for content, person_id, case_id in arrived
    ]
    _COPY.write(tx, rows)


def mark_missed_warnings(tx: Tx, case_ids: Sequence[int]) -> None:
    """Marks the warnings of these cases as missed: all of them expired before anybody was reached."""
    if case_ids:
        tx.execute(
            sa.update(t.warning)
            .where(among(t.warning.c.case_id, case_ids), ~t.warning.c.missed)
            .values(missed=True)
        )
