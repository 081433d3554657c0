"""The audit: who saw, changed or exported what, when and why. Append-only.

Why is what a person typed, and may name somebody: it is sealed, and the seal is of the whole line, also where nothing
was typed. A line that was altered shows itself when it is read.
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
    """Of a line of the audit."""

    WHOLE = "whole"
    NONE = "none"
    """It was written before lines were sealed; or its seal was taken off."""
    BROKEN = "broken"
    """It is not the line that was written, or its key is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
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
    """One more line; `subject` names a row, such as case/7. Nothing but `why` may be personal."""
    line = {"at": now, "who": who, "act": act, "subject": subject, "facts": dict(facts or {})}
    sealed = tx.vault.seal(why.encode(), table="audit", column="why_sealed", row=_bound_to(line))
    tx.execute(sa.insert(t.audit).values(**line, why_sealed=sealed))


def audit_reason(vault: Vault, row: Row) -> Reason:
    """Of a whole line of the audit."""
    if row["why_sealed"] is None:
        return Reason(why=row["why"], seal=Seal.NONE)
    try:
        why = vault.open(row["why_sealed"], table="audit", column="why_sealed", row=_bound_to(row))
    except (Tampered, KeyMissing):
        _log.error("line %d of the audit does not fit its seal", row["id"])
        return Reason(why=UNREADABLE, seal=Seal.BROKEN)
    return Reason(why=why.decode(), seal=Seal.WHOLE)


def last_audit_reason(tx: Tx, *, act: str, subject: str) -> str:
    """The reason given the last time this was done; '' when it never was."""
    a = t.audit.c
    row = tx.one(sa.select(t.audit).where(a.act == act, a.subject == subject).order_by(a.id.desc()).limit(1))
    return "" if row is None else audit_reason(tx.vault, row).why


def _bound_to(line: Row) -> str:
    at: datetime = line["at"]
    facts = json.dumps(_as_kept(line["facts"]), sort_keys=True)
    return "\0".join((at.astimezone(UTC).isoformat(), line["who"], line["act"], line["subject"], facts))


def _as_kept(fact: object) -> object:
    """As the database gives it back: a number without a fraction may come as a whole one."""
    match fact:
        case float() if fact.is_integer():
            return int(fact)
        case Mapping():
            return {str(key): _as_kept(value) for key, value in fact.items()}
        case list() | tuple():
            return [_as_kept(value) for value in fact]
        case _:
            return fact
