"""The audit: who saw, changed or exported what, when and why. Append-only, numbered without gaps, and chained.

A person types the reason and may name somebody in it, so it is encrypted. Each line has a seal, which covers the line
and its number, and a chain, which covers the chain of the line before and the seal: both are made with a key that the
database does not hold. Numbers are assigned just before the commit, in the order of the commits
(docs/decisions/0540-the-audit-is-one-chain.md).
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, cast

import sqlalchemy as sa

from dialer.core.access import ROBOT
from dialer.core.errors import Unavailable
from dialer.db import tables as t
from dialer.db.unit_of_work import Row, Tx, hold_snapshot, release_when_idle
from dialer.db.vault import AUDIT_TABLE, UNREADABLE, KeyMissing, Tampered, Vault, digest_of

CHAIN_ACT: Final = "audit_chain"
"""The act of the chain's first line if there were lines before the chain: its `facts` hold their number and digest."""
CHECKPOINT_ACT: Final = "audit_checkpoint"
"""The act of a line that permits the deletion of the lines up to `through`: its `facts` hold the chain of the
last one.
"""
_SEAL: Final = "audit"
_CHAIN: Final = "audit chain"
_FETCH_ROWS: Final = 2000
_INSERT_LAST_LINE: Final = sa.insert(t.audit).add_cte(
    sa.update(t.audit_head)
    .values(number=sa.bindparam("head_number"), chain=sa.bindparam("head_chain"))
    .cte("moved")
)
_LOCKED_HEAD: Final = sa.select(t.audit_head, release_when_idle).with_for_update()
MOST_NAMED: Final = 1000
_MOST_SUSPECTS: Final = 200
"""Altered lines that are compared with others, to find out which are copies and which were moved."""
_ANCHORS_AT_ONCE: Final = 1000
_log = logging.getLogger(__name__)


class Seal(StrEnum):
    """Whether a line of the audit is the one that was written."""

    WHOLE = "whole"
    NONE = "none"
    """Written before lines were sealed, or its seal was removed."""
    BROKEN = "broken"
    """The line was altered, or its key is missing."""
    LOOSE = "loose"
    """The line is the one that was written, but the line before it is missing or another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReason:
    """Why an act was done, and whether the line is the one that was written."""

    why: str
    seal: Seal


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPosition:
    """A position in the chain: a line's number and chain. Line 0 is the position before the first line."""

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
    """Adds a line to the audit just before the commit; `subject` names a row, such as case/7. Only `why` may contain
    personal data.
    """
    line = {"at": now, "who": who, "act": act, "subject": subject, "facts": dict(facts or {})}
    sealed = tx.vault.seal_reason(why, row=_bound_to(line))
    tx.writes_before_commit.setdefault(_append, []).append(line | {"why": "", "why_sealed": sealed})
    tx.acts_recorded.add(AUDIT_TABLE)


def _append(tx: Tx, lines: list[dict[str, Any]]) -> None:
    """Numbers, seals and inserts the lines. Locks the head, so only the commit may follow."""
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
    tx.execute(_INSERT_LAST_LINE, rows[-1] | {"head_number": number, "head_chain": chain})


def read_head(tx: Tx, *, lock: bool = False) -> ChainPosition:
    """The position of the last line, from the table `audit_head`. Raises `Unavailable` if somebody has removed that
    row.
    """
    row = tx.one(_LOCKED_HEAD if lock else sa.select(t.audit_head))
    if row is None:
        raise Unavailable(part="database", problem="the head of the audit is missing")
    return ChainPosition(number=row["number"], chain=row["chain"])


def begin_chain(tx: Tx, *, now: datetime) -> None:
    """Begins the chain if the audit has only lines of a version without a chain: the first line of the chain covers
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
    """The rows one after the other, by a server-side cursor: however many there are, only a few are in memory."""
    found = tx.connection.execute(statement, execution_options={"yield_per": _FETCH_ROWS})
    for row in found.mappings():
        yield cast("Row", row)


def is_line(vault: Vault, row: Row, number: int) -> bool:
    """Whether the row is the line that was written under this number."""
    return row["seal"] is not None and vault.verify_seal(row["seal"], content_of(row, number), purpose=_SEAL)


def follows(vault: Vault, row: Row, chain: bytes) -> bool:
    """Whether the row was added after the line with this chain."""
    return row["chain"] is not None and vault.verify_seal(row["chain"], chain + row["seal"], purpose=_CHAIN)


def audit_reason(vault: Vault, row: Row) -> AuditReason:
    """The reason in a line of the audit, and whether the line itself is intact."""
    if row["number"] is not None and not is_line(vault, row, row["number"]):
        return _broken_reason(row)
    if row["why_sealed"] is None:
        return AuditReason(why=row["why"], seal=Seal.NONE)
    try:
        why = vault.open(row["why_sealed"], table=AUDIT_TABLE, column="why_sealed", row=_bound_to(row))
    except (Tampered, KeyMissing):
        return _broken_reason(row)
    return AuditReason(why=why.decode(), seal=Seal.WHOLE)


def _broken_reason(row: Row) -> AuditReason:
    _log.error("line %d of the audit does not match its seal", row["id"])
    return AuditReason(why=UNREADABLE, seal=Seal.BROKEN)


def last_audit_reason(tx: Tx, *, act: str, subject: str) -> str:
    """The reason given the last time this act was done on the subject; '' if it never was."""
    a = t.audit.c
    row = tx.one(sa.select(t.audit).where(a.act == act, a.subject == subject).order_by(a.id.desc()).limit(1))
    return "" if row is None else audit_reason(tx.vault, row).why


def content_of(line: Row, number: int) -> bytes:
    """What a seal covers. No text of a row contains a NUL, so two lines never have the same content."""
    return f"{number}\0{_bound_to(line)}\0{line['why']}\0".encode() + (line["why_sealed"] or b"")


def _bound_to(line: Row) -> str:
    at: datetime = line["at"]
    facts = json.dumps(_as_stored(line["facts"]), sort_keys=True)
    return "\0".join((at.astimezone(UTC).isoformat(), line["who"], line["act"], line["subject"], facts))


def _as_stored(fact: object) -> object:
    """The fact as the database returns it: JSON may turn 1.0 into 1."""
    match fact:
        case float() if fact.is_integer():
            return int(fact)
        case Mapping():
            return {str(key): _as_stored(value) for key, value in fact.items()}
        case list() | tuple():
            return [_as_stored(value) for value in fact]
        case _:
            return fact


class AuditFlaw(StrEnum):
    """What a check of the audit can find."""

    MISSING = "missing"
    """Lines `number` to `last` are missing."""
    ALTERED = "altered"
    """The line with this number is not the one that was written, or its key is missing."""
    DOUBLED = "doubled"
    """The line is a copy of line `of`, or its number occurs twice."""
    MOVED = "moved"
    """The line was written as line `of`, or its place is not in the order of writing."""
    LOOSE = "loose"
    """The line is intact but does not follow the one before."""
    FOREIGN = "foreign"
    """The line has no number although it was written after the chain began; `id` names it."""
    EARLIER = "earlier"
    """Lines from before the chain were added, changed or removed."""
    HEAD = "head"
    """The table of the head names another last line."""
    ANCHOR = "anchor"
    """An anchor names another line under this number, or is not one of our anchors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """Something that is wrong with the audit, and where."""

    flaw: AuditFlaw
    number: int | None = None
    last: int | None = None
    """The last of a range of missing lines."""
    of: int | None = None
    id: int | None = None

    def name(self) -> str:
        """The finding as one word, such as missing:10-12: for an alarm."""
        place = f"id{self.id}" if self.number is None else str(self.number)
        return f"{self.flaw.value}:{place}{'' if self.last in {None, self.number} else f'-{self.last}'}"

    def plain(self) -> dict[str, Any]:
        """The finding as JSON values; what is not known is left out."""
        known = {"number": self.number, "last": self.last, "of": self.of, "id": self.id}
        return {"flaw": self.flaw.value} | {name: value for name, value in known.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailCheck:
    """What a check found. `findings` has the first `MOST_NAMED`; `counts` counts the lines of all findings by flaw."""

    lines: int
    """The number of lines read, including those from before the chain."""
    end: ChainPosition
    """The last line read."""
    is_complete: bool
    """False: there are more lines after `end`."""
    anchors: int = 0
    findings: tuple[AuditFinding, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


class _Check:
    """The state of one check, line after line."""

    def __init__(self, vault: Vault, start: ChainPosition) -> None:
        self.vault = vault
        self.number, self.chain = start.number, start.chain
        self.last_id = 0
        self.lines = 0
        self.was_suspect = False
        self.is_after_gap = False
        self.named: list[AuditFinding] = []
        self.counts: Counter[str] = Counter()
        self.suspects: list[Row] = []
        self.gaps: list[int] = []

    def found(self, flaw: AuditFlaw, *, lines: int = 1, **where: int | None) -> None:
        self.counts[flaw.value] += lines
        if len(self.named) < MOST_NAMED:
            self.named.append(AuditFinding(flaw=flaw, **where))

    def read(self, row: Row) -> None:
        number = row["number"]
        self.lines += 1
        if number == self.number:
            self.found(AuditFlaw.DOUBLED, number=number, id=row["id"])
            return
        self.is_after_gap = number > self.number + 1
        if self.is_after_gap:
            self.missing(self.number + 1, number - 1)
        is_suspect = not is_line(self.vault, row, number)
        if is_suspect:
            self.suspect(row)
        elif row["id"] <= self.last_id:
            self.found(AuditFlaw.MOVED, number=number, id=row["id"])
        elif not (self.is_after_gap or self.was_suspect or follows(self.vault, row, self.chain)):
            self.found(AuditFlaw.LOOSE, number=number)
        self.was_suspect = is_suspect
        self.number, self.chain = number, row["chain"] or b""
        self.last_id = self.last_id if is_suspect else row["id"]

    def missing(self, first: int, last: int) -> None:
        self.found(AuditFlaw.MISSING, lines=last - first + 1, number=first, last=last)
        self.gaps.extend(range(first, min(last + 1, first + _MOST_SUSPECTS - len(self.gaps))))

    def suspect(self, row: Row) -> None:
        if len(self.suspects) < _MOST_SUSPECTS:
            self.suspects.append(row)
        else:
            self.found(AuditFlaw.ALTERED, number=row["number"])

    def judge(self, copies: Mapping[bytes, Sequence[int]]) -> None:
        """Finds out what each suspect is. `copies`: the numbers of the lines with the same seal, by seal."""
        places = [*(row["number"] for row in self.suspects), *self.gaps]
        for row in self.suspects:
            number = row["number"]
            originals = [other for other in copies.get(row["seal"] or b"", ()) if other != number]
            of = next((other for other in originals if is_line(self.vault, row, other)), None)
            if of is not None and of not in places:
                self.found(AuditFlaw.DOUBLED, number=number, of=of)
                continue
            of = next(
                (other for other in places if other != number and is_line(self.vault, row, other)), None
            )
            self.found(AuditFlaw.ALTERED if of is None else AuditFlaw.MOVED, number=number, of=of)


def check_trail(
    tx: Tx,
    *,
    after: ChainPosition | None = None,
    anchors: Sequence[ChainPosition] = (),
    limit: int | None = None,
) -> TrailCheck:
    """Reads at most `limit` lines `after` a position that an earlier check reached (None: all, including those from
    before the chain), and reports what is wrong. Must be the first call in its transaction, which gets one snapshot.
    """
    hold_snapshot(tx)
    a, head = t.audit.c, read_head(tx)
    start, earlier = after, 0
    first = tx.scalar(sa.select(sa.func.min(a.number)).where(a.number > 0))
    check = _Check(tx.vault, ChainPosition())
    if after is None:
        start = start_of(tx, first) or ChainPosition() if first is not None and first > 1 else ChainPosition()
        earlier = _check_earlier(tx, check, first)
    assert start is not None
    check.number, check.chain = start.number, start.chain
    if after is not None and after.number:
        _check_reached(tx, check, after, first)
    statement = sa.select(t.audit).where(a.number > start.number).order_by(a.number, a.id)
    for row in stream(tx, statement if limit is None else statement.limit(limit)):
        check.read(row)
    is_complete = limit is None or check.lines < limit
    _check_anchors(tx, check, anchors, first=first or 1, names_missing=after is not None)
    if is_complete:
        _check_end(check, head, anchors)
    if check.suspects:
        check.judge(_copies(tx, check.suspects))
    named = sorted(check.named, key=lambda finding: (finding.number or 0, finding.id or 0))
    return TrailCheck(
        lines=check.lines + earlier,
        end=ChainPosition(number=check.number, chain=check.chain),
        is_complete=is_complete,
        anchors=len(anchors),
        findings=tuple(named),
        counts=dict(check.counts),
    )


def start_of(tx: Tx, first: int) -> ChainPosition | None:
    """The position before the line `first`, if a checkpoint permitted the deletion of all lines before it; otherwise
    None.
    """
    a = t.audit.c
    statement = sa.select(t.audit).where(a.act == CHECKPOINT_ACT, a.number >= first).order_by(a.number.desc())
    for row in tx.rows(statement):
        if is_line(tx.vault, row, row["number"]) and row["facts"].get("through") == first - 1:
            return ChainPosition(number=first - 1, chain=bytes.fromhex(row["facts"]["chain"]))
    return None


def _check_earlier(tx: Tx, check: _Check, first: int | None) -> int:
    """Compares the lines without a number with the line that covers them. Returns their number."""
    a = t.audit.c
    begun = tx.one(sa.select(t.audit).where(a.number == first)) if first is not None else None
    before = begun["id"] if begun is not None else None
    foreign = tx.rows(
        sa.select(a.id)
        .where(
            sa.or_(a.number < 1, sa.and_(a.number.is_(None), sa.true() if before is None else a.id > before))
        )
        .order_by(a.id)
        .limit(MOST_NAMED)
    )
    for row in foreign:
        check.found(AuditFlaw.FOREIGN, id=row["id"])
    lines, digest = digest_of_earlier(tx)
    if first is not None and first > 1 and start_of(tx, first) is not None:
        return lines  # The checkpoint permits their deletion too.
    covered = begun is not None and begun["act"] == CHAIN_ACT and is_line(tx.vault, begun, 1)
    if not covered:
        if lines > len(foreign):
            check.found(AuditFlaw.EARLIER)
        return lines
    assert begun is not None
    if not foreign and (begun["facts"]["lines"], begun["facts"]["digest"]) != (lines, digest):
        check.found(AuditFlaw.EARLIER)
        _name_earlier(tx, check)
    return lines


def _name_earlier(tx: Tx, check: _Check) -> None:
    """Adds a finding for each line from before the chain that is broken or a copy."""
    seen: dict[int, int] = {}
    for row in stream(tx, sa.select(t.audit).where(t.audit.c.number.is_(None)).order_by(t.audit.c.id)):
        if row["why_sealed"] is None:
            continue
        if audit_reason(tx.vault, row).seal is Seal.BROKEN:
            check.found(AuditFlaw.ALTERED, id=row["id"])
        elif (original := seen.setdefault(hash(row["why_sealed"]), row["id"])) != row["id"]:
            check.found(AuditFlaw.DOUBLED, id=row["id"], of=original)


def _check_reached(tx: Tx, check: _Check, after: ChainPosition, first: int | None) -> None:
    """Checks that the last line of an earlier check is still there and is the same one."""
    if first is not None and after.number < first and start_of(tx, first) is not None:
        return
    chain = tx.scalar(sa.select(t.audit.c.chain).where(t.audit.c.number == after.number))
    if chain is None:
        last = tx.scalar(sa.select(sa.func.max(t.audit.c.number))) or 0
        check.missing(min(last + 1, after.number), after.number)
    elif chain != after.chain:
        check.found(AuditFlaw.ALTERED, number=after.number)


def _check_anchors(
    tx: Tx, check: _Check, anchors: Sequence[ChainPosition], *, first: int, names_missing: bool
) -> None:
    """Checks that the line of each anchor is there and is the same one. Anchors after the last line are left to
    `_check_end`, those before the line `first` to the checkpoint.
    """
    chains: dict[int, set[bytes]] = {}
    for anchor in anchors:
        if anchor.number >= first:
            chains.setdefault(anchor.number, set()).add(anchor.chain)
    a, numbers = t.audit.c, sorted(chains)
    for begin in range(0, len(numbers), _ANCHORS_AT_ONCE):
        some = numbers[begin : begin + _ANCHORS_AT_ONCE]
        found = {
            row["number"]: row["chain"]
            for row in tx.rows(sa.select(a.number, a.chain).where(a.number.in_(some)))
        }
        last = tx.scalar(sa.select(sa.func.max(a.number))) or 0
        for number in some:
            if number in found and chains[number] != {found[number]}:
                check.found(AuditFlaw.ANCHOR, number=number)
            elif number not in found and number < last and names_missing:
                check.missing(number, number)


def _check_end(check: _Check, head: ChainPosition, anchors: Sequence[ChainPosition]) -> None:
    """Checks that the last line is the one that the head names, and that no anchor names a later one."""
    last = max((anchor.number for anchor in anchors), default=0)
    end = max(head.number, last)
    if end > check.number:
        check.missing(check.number + 1, end)
    if head.number < check.number or (head.number == check.number and head.chain != check.chain):
        check.found(AuditFlaw.HEAD, number=head.number)
    if last > head.number:
        check.found(AuditFlaw.ANCHOR, number=last)


def _copies(tx: Tx, suspects: Sequence[Row]) -> dict[bytes, list[int]]:
    """The numbers of the lines by seal, for the seals of these suspects."""
    a = t.audit.c
    seals = [row["seal"] for row in suspects if row["seal"] is not None]
    found: dict[bytes, list[int]] = {}
    for row in tx.rows(sa.select(a.number, a.seal).where(a.seal.in_(seals), a.number.is_not(None))):
        found.setdefault(row["seal"], []).append(row["number"])
    return found
