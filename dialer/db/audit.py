"""The audit: who saw, changed or exported what, when and why. Append-only.

The reason is typed by a person and may name somebody, so it is sealed; the seal covers the whole line, also where no
reason was typed. An altered line is recognised when it is read.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import sqlalchemy as sa

from dialer.db import tables as t
from dialer.db.unit_of_work import Row, Tx
from dialer.db.vault import UNREADABLE, KeyMissing, Tampered, Vault

_log = logging.getLogger(__name__)


class Seal(StrEnum):
    """Whether a line of the audit is the one that was written."""

    WHOLE = "whole"
    NONE = "none"
    """Written before lines were sealed, or its seal was removed."""
    BROKEN = "broken"
    """The line was altered, or its key is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why an act was done, and whether the line is the one that was written."""

    why: str
    seal: Seal


def write_audit(
    tx: Tx,
    *,
    who: str,
    act: str,
    subject: str,
    why: str,
    now: datetime,
    facts: Mapping[str, object] | None = None,
) -> None:
    """Adds a line; `subject` names a row, such as case/7. Only `why` may hold personal data."""
    line = {"at": now, "who": who, "act": act, "subject": subject, "facts": dict(facts or {})}
    sealed = tx.vault.seal(why.encode(), table="audit", column="why_sealed", row=_bound_to(line))
    tx.execute(sa.insert(t.audit).values(**line, why_sealed=sealed))


def audit_reason(vault: Vault, row: Row) -> Reason:
    """The reason in a whole line of the audit."""
    if row["why_sealed"] is None:
        return Reason(why=row["why"], seal=Seal.NONE)
    try:
        why = vault.open(row["why_sealed"], table="audit", column="why_sealed", row=_bound_to(row))
    except (Tampered, KeyMissing):
        _log.error("line %d of the audit does not fit its seal", row["id"])
        return Reason(why=UNREADABLE, seal=Seal.BROKEN)
    return Reason(why=why.decode(), seal=Seal.WHOLE)


def last_audit_reason(tx: Tx, *, act: str, subject: str) -> str:
    """The reason given the last time this act was done; '' for none."""
    a = t.audit.c
    row = tx.one(sa.select(t.audit).where(a.act == act, a.subject == subject).order_by(a.id.desc()).limit(1))
    return "" if row is None else audit_reason(tx.vault, row).why


def _bound_to(line: Row) -> str:
    at: datetime = line["at"]
    facts = json.dumps(_as_stored(line["facts"]), sort_keys=True)
    return "\0".join((at.astimezone(UTC).isoformat(), line["who"], line["act"], line["subject"], facts))


def _as_stored(fact: object) -> object:
    """As the database returns it: JSON may turn 1.0 into 1."""
    match fact:
        case float() if fact.is_integer():
            return int(fact)
        case Mapping():
            return {str(key): _as_stored(value) for key, value in fact.items()}
        case list() | tuple():
            return [_as_stored(value) for value in fact]
        case _:
            return fact
