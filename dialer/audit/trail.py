"""The audit trail: its lines searched, its chain checked, and its head anchored outside the database.

`check_trail` is the one check: `dialer audit verify`, the scheduler's rounds and the console all use it. An anchor says
which line was the last at some time; it is written where the administrator of the database cannot change it, so that
lines cut off at the end are missed.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import socket
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import sqlalchemy as sa

from dialer.cases.alarms import raise_alarm_once
from dialer.core.access import actor_name, said
from dialer.core.errors import Invalid, NotFound
from dialer.core.events import AlarmCode
from dialer.core.rates import Period
from dialer.db import tables as t
from dialer.db.audit import (
    CHAIN_ACT,
    CHECKPOINT_ACT,
    Place,
    Seal,
    audit_reason,
    digest_of_earlier,
    follows,
    is_line,
    read_head,
    stream,
    write_audit,
)
from dialer.db.system_state import cycle_parts, note_cycle_part
from dialer.db.unit_of_work import Row, Tx, hold_snapshot
from dialer.db.vault import Vault
from dialer.org.unit_store import is_within_unit
from dialer.runtime.settings import AuditSettings
from dialer.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """All that is given must hold; `before` is where the last page ended."""

    who: str = ""
    act: str = ""
    subject: str = ""
    """The whole of it, such as case/7."""
    period: Period = field(default_factory=Period)
    visible_to: int | None = None
    """Only acts of the staff of this unit and of those below it; None: of everybody."""
    before: tuple[datetime, int] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    id: int
    number: int | None
    """None: from before the chain."""
    at: datetime
    who: str
    act: str
    subject: str
    why: str
    seal: Seal
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    lines: tuple[AuditLine, ...]
    next_before: tuple[datetime, int] | None
    """Where the next page begins; None when this is the last."""


def search_audit(tx: Tx, query: AuditQuery) -> AuditPage:
    """Newest first; each line is checked, and whether it follows the one before."""
    a, before = t.audit.c, t.audit.alias("line_before")
    rows = tx.rows(
        sa.select(t.audit, before.c.chain.label("chain_before"))
        .outerjoin(before, before.c.number == a.number - 1)
        .where(*_asked(query))
        .order_by(a.at.desc(), a.id.desc())
        .limit(query.limit + 1)
    )
    lines = tuple(_line(tx, row) for row in rows[: query.limit])
    more = len(rows) > query.limit
    return AuditPage(lines=lines, next_before=(lines[-1].at, lines[-1].id) if more else None)


def _line(tx: Tx, row: Row) -> AuditLine:
    reason = audit_reason(tx.vault, row)
    seal = reason.seal
    if seal is Seal.WHOLE and row["number"] is not None and not _is_linked(tx, row):
        seal = Seal.LOOSE
    plain = {name: row[name] for name in ("id", "number", "at", "who", "act", "subject", "facts")}
    return AuditLine(why=reason.why, seal=seal, **plain)


def _is_linked(tx: Tx, row: Row) -> bool:
    before = row["chain_before"]
    if before is None:
        start = Place() if row["number"] == 1 else _start(tx, row["number"])
        before = None if start is None else start.chain
    return before is not None and follows(tx.vault, row, before)


def _asked(query: AuditQuery) -> Iterator[sa.ColumnElement[bool]]:
    a = t.audit.c
    for column, text in ((a.who, query.who), (a.act, query.act), (a.subject, query.subject)):
        if text:
            yield column == text
    if query.visible_to is not None:
        own: sa.Select[Any] = sa.select(t.staff.c.login).where(
            is_within_unit(t.staff.c.unit_id, query.visible_to)
        )
        yield a.who.in_(own)
    if query.period.start is not None:
        yield a.at >= query.period.start
    if query.period.end is not None:
        yield a.at < query.period.end
    if query.before is not None:
        yield sa.tuple_(a.at, a.id) < sa.tuple_(*query.before)


def audited_act_names(tx: Tx) -> list[str]:
    """Every act in the audit, each once, by a loose scan of the index."""
    a = t.audit.c
    first = sa.select(sa.func.min(a.act).label("act")).cte("each", recursive=True)
    following = sa.select(sa.func.min(a.act)).where(a.act > first.c.act).scalar_subquery()
    each = first.union_all(sa.select(following).where(first.c.act.is_not(None)))
    return [row["act"] for row in tx.rows(sa.select(each.c.act).where(each.c.act.is_not(None)))]


class Flaw(StrEnum):
    """What a check finds."""

    MISSING = "missing"
    """Lines `number` to `last` are not there."""
    ALTERED = "altered"
    """The line with this number is not the one that was written, or its key is missing."""
    DOUBLED = "doubled"
    """The line is a copy of line `of`, or its number stands twice."""
    MOVED = "moved"
    """The line is line `of`, or stands in another order than it was written."""
    LOOSE = "loose"
    """The line is whole but does not follow the one before."""
    FOREIGN = "foreign"
    """The line has no number although it was written after the chain began; `id` names it."""
    EARLIER = "earlier"
    """Lines from before the chain were added, changed or removed."""
    HEAD = "head"
    """The table of the head names another last line."""
    ANCHOR = "anchor"
    """An anchor names another line under this number, or is itself no anchor of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    flaw: Flaw
    number: int | None = None
    last: int | None = None
    """Of a range of missing lines."""
    of: int | None = None
    id: int | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON; what is not known is left out."""
        known = {"number": self.number, "last": self.last, "of": self.of, "id": self.id}
        return {"flaw": self.flaw.value} | {name: value for name, value in known.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The last line at a time. `seal` is made with our key; `stamp` is a time stamp of the seal (RFC 3161)."""

    number: int
    chain: bytes
    at: datetime
    seal: bytes
    stamp: bytes = b""

    def text(self) -> str:
        """One line of an anchor file."""
        known: dict[str, Any] = {
            "number": self.number,
            "chain": self.chain.hex(),
            "at": self.at.astimezone(UTC).isoformat(),
            "seal": self.seal.hex(),
        }
        if self.stamp:
            known["stamp"] = base64.b64encode(self.stamp).decode()
        return json.dumps({"audit_anchor": known})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check found. `findings` names the first `MOST_NAMED`, `counts` counts the lines of all of them."""

    lines: int
    """Lines read, those from before the chain included."""
    end: Place
    """The last line read."""
    is_complete: bool
    """False: there are more lines after `end`."""
    anchors: int = 0
    findings: tuple[Finding, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


MOST_NAMED: Final = 1000
_MOST_COMPARED: Final = 200
"""Altered lines that are compared with others, to tell which are copies and which stand in another place."""
_TRAIL_PART: Final = "trail"
_ANCHOR_PART: Final = "anchor"
_ANCHOR: Final = "audit anchor"
_ROUND_LINES: Final = 20_000
_WHOLE_EVERY: Final = timedelta(days=1)
_NET_SECONDS: Final = 10.0
_PLACE_SECONDS: Final = 30.0
_writing: Final[dict[str, threading.Thread]] = {}
"""The last write to each place; one that hangs is not joined by others."""
_MOST_ANSWER: Final = 1 << 20
_PREFIX: Final = re.compile(r"\{\"audit_anchor\":.*\}")


class _Check:
    """The state of one check, line after line."""

    def __init__(self, vault: Vault, start: Place) -> None:
        self.vault = vault
        self.number, self.chain = start.number, start.chain
        self.last_id = 0
        self.lines = 0
        self.was_suspect = False
        self.is_after_gap = False
        self.named: list[Finding] = []
        self.counts: Counter[str] = Counter()
        self.suspects: list[Row] = []
        self.gaps: list[int] = []

    def found(self, flaw: Flaw, *, lines: int = 1, **where: int | None) -> None:
        self.counts[flaw.value] += lines
        if len(self.named) < MOST_NAMED:
            self.named.append(Finding(flaw=flaw, **where))

    def read(self, row: Row) -> None:
        number = row["number"]
        self.lines += 1
        if number == self.number:
            self.found(Flaw.DOUBLED, number=number, id=row["id"])
            return
        self.is_after_gap = number > self.number + 1
        if self.is_after_gap:
            self.missing(self.number + 1, number - 1)
        is_suspect = not is_line(self.vault, row, number)
        if is_suspect:
            self.suspect(row)
        elif row["id"] <= self.last_id:
            self.found(Flaw.MOVED, number=number, id=row["id"])
        elif not (self.is_after_gap or self.was_suspect or follows(self.vault, row, self.chain)):
            self.found(Flaw.LOOSE, number=number)
        self.was_suspect = is_suspect
        self.number, self.chain = number, row["chain"] or b""
        self.last_id = self.last_id if is_suspect else row["id"]

    def missing(self, first: int, last: int) -> None:
        self.found(Flaw.MISSING, lines=last - first + 1, number=first, last=last)
        self.gaps.extend(range(first, min(last + 1, first + _MOST_COMPARED - len(self.gaps))))

    def suspect(self, row: Row) -> None:
        if len(self.suspects) < _MOST_COMPARED:
            self.suspects.append(row)
        else:
            self.found(Flaw.ALTERED, number=row["number"])

    def judge(self, copies: Mapping[bytes, Sequence[int]]) -> None:
        """Names what each suspect is. `copies` are the numbers of the lines with its seal."""
        places = [*(row["number"] for row in self.suspects), *self.gaps]
        for row in self.suspects:
            number = row["number"]
            originals = [one for one in copies.get(row["seal"] or b"", ()) if one != number]
            of = next((one for one in originals if is_line(self.vault, row, one)), None)
            if of is not None and of not in places:
                self.found(Flaw.DOUBLED, number=number, of=of)
                continue
            of = next((one for one in places if one != number and is_line(self.vault, row, one)), None)
            self.found(Flaw.ALTERED if of is None else Flaw.MOVED, number=number, of=of)


def check_trail(
    tx: Tx, *, after: Place | None = None, anchors: Sequence[Anchor] = (), limit: int | None = None
) -> Verdict:
    """Reads the lines `after` a place that an earlier check reached (None: all, also those from before the chain), at
    most `limit` of them, and names what is wrong. Must be the first of its transaction, which gets one snapshot.
    """
    hold_snapshot(tx)
    a, head = t.audit.c, read_head(tx)
    start, earlier = after, 0
    first = tx.scalar(sa.select(sa.func.min(a.number)).where(a.number > 0))
    check = _Check(tx.vault, Place())
    if after is None:
        start = _start(tx, first) or Place() if first is not None and first > 1 else Place()
        earlier = _check_earlier(tx, check, first)
    assert start is not None
    check.number, check.chain = start.number, start.chain
    if after is not None and after.number:
        _check_reached(tx, check, after, first)
    expected: dict[int, set[bytes]] = {}
    for anchor in anchors:
        expected.setdefault(anchor.number, set()).add(anchor.chain)
    statement = sa.select(t.audit).where(a.number > start.number).order_by(a.number, a.id)
    for row in stream(tx, statement if limit is None else statement.limit(limit)):
        check.read(row)
        if row["number"] in expected and expected[row["number"]] != {row["chain"]}:
            check.found(Flaw.ANCHOR, number=row["number"])
    is_complete = limit is None or check.lines < limit
    if is_complete:
        _check_end(check, head, start, anchors)
    if check.suspects:
        check.judge(_copies(tx, check.suspects))
    named = sorted(check.named, key=lambda one: (one.number or 0, one.id or 0))
    return Verdict(
        lines=check.lines + earlier,
        end=Place(number=check.number, chain=check.chain),
        is_complete=is_complete,
        anchors=len(anchors),
        findings=tuple(named),
        counts=dict(check.counts),
    )


def _start(tx: Tx, first: int) -> Place | None:
    """The place before the line `first`, where a checkpoint permitted to delete all lines before it."""
    a = t.audit.c
    statement = sa.select(t.audit).where(a.act == CHECKPOINT_ACT, a.number >= first).order_by(a.number.desc())
    for row in tx.rows(statement):
        if is_line(tx.vault, row, row["number"]) and row["facts"].get("through") == first - 1:
            return Place(number=first - 1, chain=bytes.fromhex(row["facts"]["chain"]))
    return None


def _check_earlier(tx: Tx, check: _Check, first: int | None) -> int:
    """Compares the lines without a number with the line that covers them. Returns how many there are."""
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
        check.found(Flaw.FOREIGN, id=row["id"])
    lines, digest = digest_of_earlier(tx)
    covered = begun is not None and begun["act"] == CHAIN_ACT and is_line(tx.vault, begun, 1)
    if not covered:
        if lines > len(foreign):
            check.found(Flaw.EARLIER)
        return lines
    assert begun is not None
    if not foreign and (begun["facts"]["lines"], begun["facts"]["digest"]) != (lines, digest):
        check.found(Flaw.EARLIER)
        _name_earlier(tx, check)
    return lines


def _name_earlier(tx: Tx, check: _Check) -> None:
    """Names the lines from before the chain that show by themselves what is wrong with them."""
    seen: dict[int, int] = {}
    for row in stream(tx, sa.select(t.audit).where(t.audit.c.number.is_(None)).order_by(t.audit.c.id)):
        if row["why_sealed"] is None:
            continue
        if audit_reason(tx.vault, row).seal is Seal.BROKEN:
            check.found(Flaw.ALTERED, id=row["id"])
        elif (original := seen.setdefault(hash(row["why_sealed"]), row["id"])) != row["id"]:
            check.found(Flaw.DOUBLED, id=row["id"], of=original)


def _check_reached(tx: Tx, check: _Check, after: Place, first: int | None) -> None:
    """The last line of an earlier check is still there, and the same one."""
    if first is not None and after.number < first and _start(tx, first) is not None:
        return
    chain = tx.scalar(sa.select(t.audit.c.chain).where(t.audit.c.number == after.number))
    if chain is None:
        last = tx.scalar(sa.select(sa.func.max(t.audit.c.number))) or 0
        check.missing(min(last + 1, after.number), after.number)
    elif chain != after.chain:
        check.found(Flaw.ALTERED, number=after.number)


def _check_end(check: _Check, head: Place, start: Place, anchors: Sequence[Anchor]) -> None:
    """The last line is the one that the head names, and no anchor names a later one."""
    last = max((one.number for one in anchors), default=0)
    end = max(head.number, last)
    if end > check.number:
        check.missing(check.number + 1, end)
    if head.number < check.number or (head.number == check.number and head.chain != check.chain):
        check.found(Flaw.HEAD, number=head.number)
    if last > head.number:
        check.found(Flaw.ANCHOR, number=last)
    if any(one.number == start.number and one.chain != start.chain for one in anchors):
        check.found(Flaw.ANCHOR, number=start.number)


def _copies(tx: Tx, suspects: Sequence[Row]) -> dict[bytes, list[int]]:
    """The numbers of the lines that have the seals of these."""
    a = t.audit.c
    seals = [row["seal"] for row in suspects if row["seal"] is not None]
    found: dict[bytes, list[int]] = {}
    for row in tx.rows(sa.select(a.number, a.seal).where(a.seal.in_(seals), a.number.is_not(None))):
        found.setdefault(row["seal"], []).append(row["number"])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailState:
    """What the last checks reached, for the console."""

    number: int
    """The last line that was checked."""
    at: datetime | None
    """Real time of the last check; None: never."""
    whole_at: datetime | None
    """Real time at which the last check of all lines ended."""
    found: int
    """Findings, in lines."""


def read_trail_state(tx: Tx) -> TrailState:
    """As the scheduler's rounds and `verify` have left it."""
    part = cycle_parts(tx).get(_TRAIL_PART)
    facts: Mapping[str, Any] = {} if part is None else part.facts
    found = Counter[str](facts.get("found")) | Counter[str](facts.get("found_before"))
    return TrailState(
        number=facts.get("number", 0),
        at=None if part is None else part.at,
        whole_at=_time(facts.get("whole_at")),
        found=found.total(),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def verify_trail(services: Services, *, anchors: Sequence[Anchor] = ()) -> Verdict:
    """All lines are checked; the verdict is noted for the console, and raises an alarm if anything was found."""
    began_at = services.real.now()
    with services.store.begin() as tx:
        verdict = check_trail(tx, anchors=anchors)
    _note(services, verdict, verdict.counts, began_at=began_at, known={})
    return verdict


def check_new_lines(services: Services, *, most: int = _ROUND_LINES) -> Verdict:
    """The next lines after those that the last round checked, `most` at a time. Once a day the rounds begin again at
    the first line. The verdict is noted, and raises an alarm if anything was found.
    """
    real_now = services.real.now()
    with services.store.begin() as tx:
        part = cycle_parts(tx).get(_TRAIL_PART)
    known: Mapping[str, Any] = {} if part is None else part.facts
    after, began_at, found = None, real_now, Counter[str]()
    if part is not None and not (known["is_done"] and real_now - part.began_at >= _WHOLE_EVERY):
        after = Place(number=known["number"], chain=bytes.fromhex(known["chain"]))
        began_at, found = part.began_at, Counter(known["found"])
    elif part is not None:
        # What was found stands until these rounds are over.
        known = {**known, "found_before": known["found"], "is_done": False}
    with services.store.begin() as tx:
        verdict = check_trail(tx, after=after, limit=most)
    # The end is looked at in every round: what is wrong with it is counted once.
    found = found | Counter(verdict.counts) if verdict.end == after else found + Counter(verdict.counts)
    _note(services, verdict, found, began_at=began_at, known=known)
    return verdict


def _note(
    services: Services,
    verdict: Verdict,
    found: Mapping[str, int],
    *,
    began_at: datetime,
    known: Mapping[str, Any],
) -> None:
    real_now = services.real.now()
    is_done = verdict.is_complete or known.get("is_done", False)
    facts: dict[str, object] = {
        "number": verdict.end.number,
        "chain": verdict.end.chain.hex(),
        "is_done": is_done,
        "whole_at": known.get("whole_at"),
        "found": dict(found),
        "found_before": {} if is_done else known.get("found_before", {}),
    }
    if is_done and not known.get("is_done"):
        facts["whole_at"] = real_now.isoformat()
    with services.store.begin() as tx:
        note_cycle_part(tx, _TRAIL_PART, began_at=began_at, real_now=real_now, facts=facts)
        if found:
            raise_alarm_once(tx, AlarmCode.AUDIT_BROKEN, now=services.clock.now(), facts=dict(found))


def write_checkpoint(services: Services, *, through: int, by: str, why: str) -> Place:
    """A line of the audit permits the owner of the database to delete the lines up to `through`: a check then begins
    after it. Raises `Invalid` without a reason or where the lines are not whole, `NotFound` for a missing line.
    """
    who, reason = actor_name(by), said("why", why, mend="every checkpoint says what it is for")
    with services.store.begin() as tx:
        if check_trail(tx).findings:
            raise Invalid(field="through", problem="the audit is not whole", mend="see dialer audit verify")
    with services.store.begin() as tx:
        chain = tx.scalar(sa.select(t.audit.c.chain).where(t.audit.c.number == through))
        if chain is None:
            raise NotFound(kind="line of the audit", key=through)
        facts = {"through": through, "chain": chain.hex()}
        now = services.clock.now()
        write_audit(tx, who=who, act=CHECKPOINT_ACT, subject="audit", why=reason, now=now, facts=facts)
    return Place(number=through, chain=chain)


def read_anchors(vault: Vault, text: str) -> tuple[list[Anchor], int]:
    """The anchors in an anchor file or in the log of a syslog server, and how many lines look like an anchor and are
    none of ours.
    """
    anchors, foreign = [], 0
    for line in text.splitlines():
        found = _PREFIX.search(line)
        if found is None:
            continue
        anchor = _anchor(found[0])
        if anchor is None or not vault.fits(anchor.seal, _anchored(anchor), purpose=_ANCHOR):
            foreign += 1
        else:
            anchors.append(anchor)
    return anchors, foreign


def _anchor(text: str) -> Anchor | None:
    try:
        known = json.loads(text)["audit_anchor"]
        return Anchor(
            number=int(known["number"]),
            chain=bytes.fromhex(known["chain"]),
            at=datetime.fromisoformat(known["at"]),
            seal=bytes.fromhex(known["seal"]),
            stamp=base64.b64decode(known.get("stamp", ""), validate=True),
        )
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return None


def _anchored(anchor: Anchor) -> bytes:
    return f"{anchor.number}\0{anchor.chain.hex()}\0{anchor.at.astimezone(UTC).isoformat()}".encode()


def anchor_trail(
    services: Services, settings: AuditSettings, *, always: bool = False
) -> tuple[Anchor | None, dict[str, str]]:
    """The head is written to every place that the settings name; no anchor where there is none, or where the last one
    names the same line and not `always`. Also what went wrong, by place: it raises an alarm, and the next round tries
    again.
    """
    if not settings.has_anchors():
        return None, {}
    began_at = services.real.now()
    with services.store.begin() as tx:
        head, part = read_head(tx), cycle_parts(tx).get(_ANCHOR_PART)
        known = part.facts if part is not None else {}
    if not always and known.get("number") == head.number and not known.get("faults"):
        return None, {}
    anchor = Anchor(number=head.number, chain=head.chain, at=began_at, seal=b"")
    anchor = replace(anchor, seal=services.store.vault.sign(_anchored(anchor), purpose=_ANCHOR))
    faults: dict[str, str] = {}
    if settings.anchor_tsa_url is not None:
        stamps: list[bytes] = []
        _within("tsa", lambda: stamps.append(_stamp(settings, anchor.seal)), faults)
        anchor = replace(anchor, stamp=b"".join(stamps))
    file, syslog = settings.anchor_file, settings.anchor_syslog
    if file is not None:
        _within("file", lambda: _append_to(file, anchor), faults)
    if syslog is not None:
        _within("syslog", lambda: _send_to_syslog(syslog, anchor), faults)
    facts: dict[str, object] = {"number": head.number, "faults": faults}
    with services.store.begin() as tx:
        note_cycle_part(tx, _ANCHOR_PART, began_at=began_at, real_now=services.real.now(), facts=facts)
        if faults:
            raise_alarm_once(tx, AlarmCode.ANCHOR_FAILED, now=services.clock.now(), facts=faults)
    return anchor, faults


def _within(place: str, write: Callable[[], None], faults: dict[str, str]) -> None:
    """Writes on a thread of its own: storage or a server that hangs delays the other places for a while, once."""

    def run() -> None:
        try:
            write()
        except (OSError, ValueError, HTTPException) as fault:
            problems.append(_short(fault))

    problems: list[str] = []
    last = _writing.get(place)
    if last is not None and last.is_alive():
        problems.append("the last write has not ended")
    else:
        _writing[place] = thread = threading.Thread(target=run, name=f"anchor-{place}", daemon=True)
        thread.start()
        thread.join(_PLACE_SECONDS)
        if thread.is_alive():
            problems.append("no answer")
    if problems:
        faults[place] = problems[0]


def _short(fault: Exception) -> str:
    """What went wrong, without an address that may hold a password."""
    if isinstance(fault, urllib.error.HTTPError):
        return f"HTTP {fault.code}"
    return (fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault))[:200]


def _append_to(path: Path, anchor: Anchor) -> None:
    """Whole lines only, and on the disk when this returns."""
    is_new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        line = f"{anchor.text()}\n".encode()
        if os.write(descriptor, line) != len(line):
            raise OSError(None, "the line was not written whole")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _send_to_syslog(address: str, anchor: Anchor) -> None:
    """One message as RFC 5424 has it: facility 13 (log audit), severity 5; over TCP with its length (RFC 6587)."""
    at = anchor.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    # A stamp is longer than what a UDP message may be.
    text = replace(anchor, stamp=b"").text()
    message = f"<109>1 {at} {socket.gethostname() or '-'} dialer - audit-anchor - {text}".encode()
    place = urlsplit(address)
    if place.scheme == "unix":
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(_NET_SECONDS)
            sender.connect(place.path)
            sender.sendall(message)
        return
    host, port = place.hostname or "", place.port or 0
    if place.scheme == "tcp":
        with socket.create_connection((host, port), timeout=_NET_SECONDS) as sender:
            sender.sendall(b"%d %b" % (len(message), message))
        return
    family, kind, protocol, _, to = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as sender:
        sender.settimeout(_NET_SECONDS)
        sender.sendto(message, to)


def _stamp(settings: AuditSettings, content: bytes) -> bytes:
    """A time stamp of the content (RFC 3161), as DER. Raises `OSError`, `ValueError`."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415  # only where it is used

    asked = (
        TimestampRequestBuilder()
        .data(content)
        .hash_algorithm(HashAlgorithm.SHA256)
        .nonce(nonce=True)
        .cert_request(cert_request=True)
        .build()
    )
    request = urllib.request.Request(  # noqa: S310  # the setting is an http or https address
        str(settings.anchor_tsa_url),
        data=asked.as_bytes(),
        headers={"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"},
    )
    with urllib.request.urlopen(request, timeout=_NET_SECONDS) as answer:  # noqa: S310  # as above
        stamp: bytes = answer.read(_MOST_ANSWER)
    stamped_at(stamp, content, certificate=settings.anchor_tsa_certificate, nonce=asked.nonce)
    return stamp


def stamped_at(
    stamp: bytes, content: bytes, *, certificate: Path | None, nonce: int | None = None
) -> datetime:
    """When the authority stamped this content. With the authority's root `certificate` (PEM) its signature is checked
    too. Raises `ValueError` for another content, nonce or signature, `OSError` for a certificate that cannot be read.
    """
    import hashlib  # noqa: PLC0415  # as below

    from cryptography import x509  # noqa: PLC0415  # only where stamps are used
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response  # noqa: PLC0415

    response = decode_timestamp_response(stamp)
    if response.status not in {0, 1}:
        raise ValueError(f"the time-stamping authority refused (status {response.status})")
    info = response.tst_info
    if info.message_imprint.message != hashlib.sha256(content).digest():
        raise ValueError("the stamp is of another content")
    if nonce is not None and info.nonce != nonce:
        raise ValueError("the stamp answers another request")
    if certificate is not None:
        builder = VerifierBuilder()
        for root in x509.load_pem_x509_certificates(certificate.read_bytes()):
            builder = builder.add_root_certificate(root)
        try:
            builder.build().verify_message(response, content)
        except VerificationError as fault:
            raise ValueError(f"the stamp's signature does not fit: {fault}") from fault
    return info.gen_time
