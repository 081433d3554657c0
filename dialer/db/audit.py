"""The audit: who saw, changed or exported what, when and why. Append-only, numbered without gaps, and chained.

The reason is typed by a person and may name somebody, so it is encrypted. Each line has a seal, which covers the line
and its number, and a chain, which covers the chain of the line before and the seal: both are made with a key that the
database does not hold. Numbers are given just before the commit, in the order of the commits
(docs/decisions/0540-the-audit-is-one-chain.md).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, cast

import sqlalchemy as sa

from dialer.core.access import ROBOT
from dialer.core.errors import Unavailable
from dialer.db import tables as t
from dialer.db.unit_of_work import Row, Tx
from dialer.db.vault import UNREADABLE, KeyMissing, Tampered, Vault, digest_of

CHAIN_ACT: Final = "audit_chain"
"""Of the chain's first line where there were lines before the chain: `facts` hold how many and their digest."""
CHECKPOINT_ACT: Final = "audit_checkpoint"
"""Of a line that permits the lines up to `through` to be deleted: `facts` hold the chain of the last of them."""
_SEAL: Final = "audit"
_CHAIN: Final = "audit chain"
_AT_ONCE: Final = 2000
_ADD: Final = sa.insert(t.audit).add_cte(
    sa.update(t.audit_head)
    .values(number=sa.bindparam("head_number"), chain=sa.bindparam("head_chain"))
    .cte("moved")
)
_HELD_MS: Final = 5000
"""A process that is stopped between the lock of the head and its commit holds up the acts of others for no longer."""
_LOCKED_HEAD: Final = sa.select(
    t.audit_head, sa.func.set_config("idle_in_transaction_session_timeout", str(_HELD_MS), sa.true())
).with_for_update()
_log = logging.getLogger(__name__)


class Seal(StrEnum):
    """Whether a line of the audit is the one that was written."""

    WHOLE = "whole"
    NONE = "none"
    """Written before lines were sealed, or its seal was removed."""
    BROKEN = "broken"
    """The line was altered, or its key is missing."""
    LOOSE = "loose"
    """The line is the one that was written; the one before it is missing or is another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why an act was done, and whether the line is the one that was written."""

    why: str
    seal: Seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in the chain: a line's number and chain. Line 0 is the one before the first."""

    number: int = 0
    chain: bytes = b""


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
    """A line is added just before the commit; `subject` names a row, such as case/7. Only `why` may hold personal
    data.
    """
    line = {"at": now, "who": who, "act": act, "subject": subject, "facts": dict(facts or {})}
    sealed = tx.vault.seal(why.encode(), table="audit", column="why_sealed", row=_bound_to(line))
    tx.last.setdefault(_append, []).append(line | {"why": "", "why_sealed": sealed})


def _append(tx: Tx, lines: list[dict[str, Any]]) -> None:
    """Numbers, seals and adds the lines. Locks the head, so nothing but the commit may follow."""
    head = read_head(tx, lock=True)
    number, chain = head.number, head.chain
    rows = []
    for number, line in enumerate(lines, start=head.number + 1):  # the last one is the new head
        seal = tx.vault.sign(content_of(line, number), purpose=_SEAL)
        chain = tx.vault.sign(chain + seal, purpose=_CHAIN)
        rows.append(line | {"number": number, "seal": seal, "chain": chain})
    # The last line moves the head in its own statement: others wait for the head meanwhile.
    if rows[:-1]:
        tx.execute(sa.insert(t.audit), rows[:-1])
    tx.execute(_ADD, rows[-1] | {"head_number": number, "head_chain": chain})


def read_head(tx: Tx, *, lock: bool = False) -> Place:
    """The last line, as the table of the head says. Raises `Unavailable` when somebody has removed the head."""
    row = tx.one(_LOCKED_HEAD if lock else sa.select(t.audit_head))
    if row is None:
        raise Unavailable(part="database", problem="the head of the audit is missing")
    return Place(number=row["number"], chain=row["chain"])


def begin_chain(tx: Tx, *, now: datetime) -> None:
    """Where the audit has lines of a version without a chain and none with it, the chain begins with a line that covers
    them. Reads them all, once.
    """
    if read_head(tx).number or tx.scalar(sa.select(t.audit.c.id).limit(1)) is None:
        return
    if read_head(tx, lock=True).number:
        return  # another process was faster
    lines, digest = digest_of_earlier(tx)
    facts = {"lines": lines, "digest": digest}
    write_audit(tx, who=ROBOT, act=CHAIN_ACT, subject="audit", why="", now=now, facts=facts)


def digest_of_earlier(tx: Tx) -> tuple[int, str]:
    """How many lines from before the chain there are, and their digest."""
    count = 0

    def pieces() -> Iterator[bytes]:
        nonlocal count
        for row in stream(tx, sa.select(t.audit).where(t.audit.c.number.is_(None)).order_by(t.audit.c.id)):
            count += 1
            yield content_of(row, row["id"])

    digest = digest_of(pieces())
    return count, digest


def stream(tx: Tx, statement: sa.Select[Any]) -> Iterator[Row]:
    """The rows one after the other, by a cursor in the server: however many there are, few are in memory."""
    found = tx.connection.execute(statement, execution_options={"yield_per": _AT_ONCE})
    for row in found.mappings():
        yield cast("Row", row)


def is_line(vault: Vault, row: Row, number: int) -> bool:
    """Whether the row is the line that was written under this number."""
    return row["seal"] is not None and vault.fits(row["seal"], content_of(row, number), purpose=_SEAL)


def follows(vault: Vault, row: Row, chain: bytes) -> bool:
    """Whether the row was added after the line with this chain."""
    return row["chain"] is not None and vault.fits(row["chain"], chain + row["seal"], purpose=_CHAIN)


def audit_reason(vault: Vault, row: Row) -> Reason:
    """The reason in a line of the audit, and whether the line is whole by itself."""
    if row["number"] is not None and not is_line(vault, row, row["number"]):
        return _broken(row)
    if row["why_sealed"] is None:
        return Reason(why=row["why"], seal=Seal.NONE)
    try:
        why = vault.open(row["why_sealed"], table="audit", column="why_sealed", row=_bound_to(row))
    except (Tampered, KeyMissing):
        return _broken(row)
    return Reason(why=why.decode(), seal=Seal.WHOLE)


def _broken(row: Row) -> Reason:
    _log.error("line %d of the audit does not fit its seal", row["id"])
    return Reason(why=UNREADABLE, seal=Seal.BROKEN)


def last_audit_reason(tx: Tx, *, act: str, subject: str) -> str:
    """The reason given the last time this act was done; '' for none."""
    a = t.audit.c
    row = tx.one(sa.select(t.audit).where(a.act == act, a.subject == subject).order_by(a.id.desc()).limit(1))
    return "" if row is None else audit_reason(tx.vault, row).why


def content_of(line: Row, number: int) -> bytes:
    """What a seal covers. No text of a row holds a NUL, so two lines never have the same content."""
    return f"{number}\0{_bound_to(line)}\0{line['why']}\0".encode() + (line["why_sealed"] or b"")


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
