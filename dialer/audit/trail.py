"""The audit trail: search of its lines, checks of its chain, and anchors of its head outside the database.

`check_trail` (`dialer/db/audit.py`) is the only check: `dialer audit verify` and the scheduler's rounds use it, and the
console shows what they found. An anchor records which line was the last at some time; it is written where the
administrator of the database cannot change it, so that lines cut off at the end are noticed.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
import re
import socket
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import sqlalchemy as sa

from dialer.core.access import Actor, Permission, required_text
from dialer.core.errors import Invalid, NotFound
from dialer.core.events import AlarmCode
from dialer.core.rates import Period
from dialer.db import tables as t
from dialer.db.alarms import raise_alarm_once
from dialer.db.audit import (
    CHECKPOINT_ACT,
    AuditFlaw,
    ChainPosition,
    Seal,
    TrailCheck,
    audit_reason,
    check_trail,
    follows,
    is_line,
    read_head,
    start_of,
)
from dialer.db.system_state import cycle_parts, note_cycle_part
from dialer.db.unit_of_work import Row, Tx
from dialer.db.units import is_within_unit
from dialer.db.vault import Vault
from dialer.runtime.appending import append_whole, open_locked
from dialer.runtime.sections import AuditSettings
from dialer.runtime.services import Services

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Filters of a search; a line must fit all that are set. `before` is where the previous page ended."""

    who: str = ""
    """A login or the whole display name of an account."""
    act: str = ""
    subject: str = ""
    """The complete subject, such as case/7."""
    period: Period = field(default_factory=Period)
    visible_to: int | None = None
    """Only acts of the staff of this unit and of units below it; None: of everybody."""
    before: tuple[datetime, int] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """A line of the audit with its reason unsealed."""

    id: int
    number: int | None
    """None for a line from before the chain."""
    at: datetime
    who: str
    who_name: str
    """The display name of the account; what does the act itself is named by `who`."""
    act: str
    subject: str
    why: str
    seal: Seal
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """Lines of the audit, newest first."""

    lines: tuple[AuditLine, ...]
    next_before: tuple[datetime, int] | None
    """Where the next page begins; None when this is the last."""


def search_audit(tx: Tx, query: AuditQuery) -> AuditPage:
    """The lines that fit a query, newest first; checks the seal of each, and whether it follows the line before."""
    a, before = t.audit.c, t.audit.alias("line_before")
    rows = tx.rows(
        sa.select(t.audit, before.c.chain.label("chain_before"), t.staff.c.display_name.label("who_name"))
        .outerjoin(before, before.c.number == a.number - 1)
        .outerjoin(t.staff, t.staff.c.login == a.who)
        .where(*_asked(tx, query))
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
    return AuditLine(who_name=row["who_name"] or row["who"], why=reason.why, seal=seal, **plain)


def _is_linked(tx: Tx, row: Row) -> bool:
    before = row["chain_before"]
    if before is None:
        start = ChainPosition() if row["number"] == 1 else start_of(tx, row["number"])
        before = None if start is None else start.chain
    return before is not None and follows(tx.vault, row, before)


def _asked(tx: Tx, query: AuditQuery) -> Iterator[sa.ColumnElement[bool]]:
    a = t.audit.c
    if query.who:
        # Read first: with one name the index of who and when is used, with a subquery all lines were read.
        named = tx.rows(sa.select(t.staff.c.login).where(t.staff.c.display_name == query.who))
        logins = {query.who, *(row["login"] for row in named)}
        yield a.who == query.who if len(logins) == 1 else a.who.in_(sorted(logins))
    for column, text in ((a.act, query.act), (a.subject, query.subject)):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LookQuery:
    """Looks at persons: the acts that count as each kind, and the hours outside which they stand out."""

    period: Period
    looks: frozenset[str]
    """Acts by which somebody saw hidden data."""
    exports: frozenset[str]
    timezone: str
    opens: time
    closes: time
    """The usual hours of the day in that zone; equal times: every hour is usual."""
    first: str = "looks"
    """The count by which the largest stands first: a field of `PersonSummary`."""
    visible_to: int | None = None
    """Only staff of this unit and of units below it; None: everybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonSummary:
    """What one account looked at about persons within the period."""

    who: str
    who_name: str
    """The display name of the account; what does the act itself is named by `who`."""
    looks: int
    searches: int
    exports: int
    outside: int
    """Those of all three that were outside the usual hours."""
    last_at: datetime


SEARCH: Final = "search"
MOST_PEOPLE: Final = 200


def sum_by_person(tx: Tx, query: LookQuery) -> list[PersonSummary]:
    """A line for each account that looked at, searched for or exported persons, at most `MOST_PEOPLE`. It reads the
    lines of these acts within the period, by the index of act and time.
    """
    a = t.audit.c
    local = sa.cast(sa.func.timezone(query.timezone, a.at), sa.Time)
    within = sa.and_(local >= query.opens, local < query.closes)
    if query.opens > query.closes:
        within = sa.or_(local >= query.opens, local < query.closes)
    usual = sa.true() if query.opens == query.closes else within

    def number(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.count().filter(condition)

    columns = {
        "looks": number(a.act.in_(sorted(query.looks))),
        "searches": number(a.act == SEARCH),
        "exports": number(a.act.in_(sorted(query.exports))),
        "outside": number(sa.not_(usual)),
        "last_at": sa.func.max(a.at),
    }
    asked = AuditQuery(period=query.period, visible_to=query.visible_to)
    counted = (
        sa.select(a.who, *(column.label(name) for name, column in columns.items()))
        .where(a.act.in_(sorted(query.looks | query.exports | {SEARCH})), *_asked(tx, asked))
        .group_by(a.who)
        .subquery()
    )
    rows = tx.rows(
        sa.select(counted, t.staff.c.display_name.label("who_name"))
        .outerjoin(t.staff, t.staff.c.login == counted.c.who)
        .order_by(counted.c[query.first].desc(), counted.c.last_at.desc())
        .limit(MOST_PEOPLE)
    )
    return [PersonSummary(**row | {"who_name": row["who_name"] or row["who"]}) for row in map(dict, rows)]


def audited_act_names(tx: Tx) -> list[str]:
    """Every act in the audit, each once; read by a loose scan of the index."""
    a = t.audit.c
    first = sa.select(sa.func.min(a.act).label("act")).cte("each", recursive=True)
    following = sa.select(sa.func.min(a.act)).where(a.act > first.c.act).scalar_subquery()
    each = first.union_all(sa.select(following).where(first.c.act.is_not(None)))
    return [row["act"] for row in tx.rows(sa.select(each.c.act).where(each.c.act.is_not(None)))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor(ChainPosition):
    """The last line of the audit at a time. `seal` is made with our key; `stamp` is a time stamp of the seal (RFC
    3161).
    """

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


_TRAIL_PART: Final = "trail"
_ANCHOR_PART: Final = "anchor"
_ANCHOR: Final = "audit anchor"
_RESTORE_ACT: Final = "restore"
_ROUND_LINES, _ROUNDS = 5_000, 4
_MOST_NAMES: Final = 20
_WHOLE_EVERY: Final = timedelta(days=1)
_EVERY_ROUND: Final = (AuditFlaw.HEAD, AuditFlaw.ANCHOR)
_RECENT_BYTES: Final = 1 << 16
_NET_SECONDS: Final = 10.0
_PLACE_SECONDS: Final = 30.0
_writing: Final[dict[str, threading.Thread]] = {}
"""The last write to each place; while one hangs, no other is started."""
_MOST_ANSWER: Final = 1 << 20
_PREFIX: Final = re.compile(r"\{\"audit_anchor\":.*\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailState:
    """The results of the last checks, for the console."""

    number: int
    """The last line that was checked."""
    at: datetime | None
    """Real time of the last check; None: never."""
    whole_at: datetime | None
    """Real time at which the last check of all lines ended."""
    found: int
    """The number of lines with findings."""


def read_trail_state(tx: Tx) -> TrailState:
    """The state that the scheduler's rounds and `verify_trail` have recorded."""
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


def verify_trail(services: Services, *, anchors: Sequence[Anchor] = ()) -> TrailCheck:
    """Checks all lines; records the result for the console, and raises an alarm if anything was found."""
    began_at = services.real.now()
    with services.store.begin() as tx:
        in_force = _anchors_in_force(tx, anchors)
    with services.store.begin() as tx:
        verdict = check_trail(tx, anchors=in_force)
    _note(services, verdict, verdict.counts, began_at=began_at, known={})
    return verdict


def check_new_lines(
    services: Services, *, anchors: Sequence[Anchor] = (), most: int = _ROUND_LINES
) -> TrailCheck:
    """Checks the next lines after those that the last round checked, `most` at a time, and the lines of the anchors.
    Once a day the rounds begin again at the first line. Records the result, and raises an alarm if anything was found.
    """
    real_now = services.real.now()
    with services.store.begin() as tx:
        part = cycle_parts(tx).get(_TRAIL_PART)
        anchors = _anchors_in_force(tx, anchors)
    known: Mapping[str, Any] = {} if part is None else part.facts
    after, began_at, found = None, real_now, Counter[str]()
    if part is not None and not (known["is_done"] and real_now - part.began_at >= _WHOLE_EVERY):
        after = ChainPosition(number=known["number"], chain=bytes.fromhex(known["chain"]))
        began_at, found = part.began_at, Counter(known["found"])
    elif part is not None:
        # What was found before is shown until these rounds are over.
        known = {**known, "found_before": known["found"], "is_done": False}
    with services.store.begin() as tx:
        verdict = check_trail(tx, after=after, anchors=anchors, limit=most)
    # End and anchors are checked in every round: a fault of theirs is counted once.
    new = Counter(verdict.counts)
    again = new if verdict.end == after else Counter({flaw.value: new.pop(flaw, 0) for flaw in _EVERY_ROUND})
    found = (found | again) + (Counter() if verdict.end == after else new)
    _note(services, verdict, found, began_at=began_at, known=known)
    return verdict


def check_in_rounds(
    services: Services,
    *,
    anchors: Sequence[Anchor] = (),
    most: int = _ROUND_LINES,
    rounds: int = _ROUNDS,
) -> TrailCheck:
    """Up to so many rounds of `check_new_lines`, each in transactions of its own, until no line is left. Returns the
    result of the last one.
    """
    verdict = check_new_lines(services, anchors=anchors, most=most)
    for _ in range(rounds - 1):
        if verdict.is_complete:
            break
        verdict = check_new_lines(services, anchors=anchors, most=most)
    return verdict


def _note(
    services: Services,
    verdict: TrailCheck,
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
            # By name: a finding that an open alarm does not name yet raises it again.
            names = [finding.name() for finding in verdict.findings[:_MOST_NAMES]]
            raise_alarm_once(
                tx, AlarmCode.AUDIT_BROKEN, now=services.clock.now(), facts=dict(found), names=names
            )


def _anchors_in_force(tx: Tx, anchors: Sequence[Anchor]) -> list[Anchor]:
    """The anchors without those of lines that a restore has taken back: a sealed line of the audit says when, and which
    line was the last one then. Whoever has the database alone cannot write such a line.
    """
    a = t.audit.c
    cuts = [
        (datetime.fromisoformat(row["facts"]["restored_at"]), int(row["facts"]["audit_number"]))
        for row in tx.rows(sa.select(t.audit).where(a.act == _RESTORE_ACT, a.number.is_not(None)))
        if "audit_number" in row["facts"] and is_line(tx.vault, row, row["number"])
    ]
    return [
        anchor
        for anchor in anchors
        if not any(anchor.at <= restored_at and anchor.number > last for restored_at, last in cuts)
    ]


def note_restore(services: Services, actor: Actor, *, why: str) -> int:
    """Writes a line of the audit that says that the database was set back by other means than `dialer restore`: by
    PostgreSQL's own, or by a standby that lacked the last transactions. Anchors of later lines count no more. Returns
    the number of the last line before. Raises `Invalid` without a reason.
    """
    reason = required_text("why", why, fix="every restore says what it is for")
    with services.act(actor, Permission.CONTROL, Permission.SEE_AUDIT) as act:
        last = read_head(act.tx).number
        facts = {"restored_at": services.real.now().isoformat(), "audit_number": last}
        act.audit(_RESTORE_ACT, "database", why=reason, facts=facts)
    return last


def write_checkpoint(services: Services, actor: Actor, *, through: int, why: str) -> ChainPosition:
    """Writes a line of the audit that permits the owner of the database to delete the lines up to `through`: a check
    then begins after it. Raises `Invalid` without a reason and if lines are missing or altered, and `NotFound` for a
    missing line.
    """
    reason = required_text("why", why, fix="every checkpoint says what it is for")
    actor.check_may(Permission.CONTROL, Permission.SEE_AUDIT)
    with services.store.begin() as tx:
        if check_trail(tx).findings:
            raise Invalid(field="through", problem="the audit is not whole", fix="see dialer audit verify")
    with services.act(actor, Permission.CONTROL, Permission.SEE_AUDIT) as act:
        chain = act.tx.scalar(sa.select(t.audit.c.chain).where(t.audit.c.number == through))
        if chain is None:
            raise NotFound(kind="line of the audit", key=through)
        facts = {"through": through, "chain": chain.hex()}
        act.audit(CHECKPOINT_ACT, "audit", why=reason, facts=facts)
    return ChainPosition(number=through, chain=chain)


def read_anchors(vault: Vault, text: str) -> tuple[list[Anchor], int]:
    """The anchors in an anchor file or in the log of a syslog server, and the number of lines that look like an anchor
    but are not ours.
    """
    anchors, foreign = [], 0
    for line in text.splitlines():
        found = _PREFIX.search(line)
        if found is None:
            continue
        anchor = _anchor(found[0])
        if anchor is None or not vault.verify_seal(anchor.seal, _anchored(anchor), purpose=_ANCHOR):
            foreign += 1
        else:
            anchors.append(anchor)
    return anchors, foreign


def recent_anchors(vault: Vault, file: Path | None) -> list[Anchor]:
    """The last anchors of the file; none if it is missing or its storage does not answer."""
    found: list[Anchor] = []

    def read() -> None:
        assert file is not None
        with file.open("rb") as anchors:
            anchors.seek(max(0, anchors.seek(0, os.SEEK_END) - _RECENT_BYTES))
            found.extend(read_anchors(vault, anchors.read().decode(errors="replace"))[0])

    if file is not None:
        _within("reading", read, {})
    return found


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
    """Writes the head of the audit to every place that the settings name. Returns the anchor, or None if there is no
    place, or if the last anchor names the same line and not `always`; and what went wrong, by place. A fault raises an
    alarm, and the next round tries again.
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
    """Reads or writes a place on a thread of its own: storage or a server that hangs delays the other places for a
    while, once.
    """

    def run() -> None:
        try:
            write()
        except (OSError, ValueError, HTTPException) as fault:
            problems.append(_short(fault))
        except Exception as fault:  # noqa: BLE001  # reported as a fault
            # Otherwise a place that was not written would count as written.
            _log.exception("the anchor cannot be written: %s", place)
            problems.append(type(fault).__name__)

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
    """What went wrong, without an address that may contain a password."""
    if isinstance(fault, urllib.error.HTTPError):
        return f"HTTP {fault.code}"
    return (fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault))[:200]


def _append_to(path: Path, anchor: Anchor) -> None:
    """Appends a whole line, which is on the disk when this returns."""
    is_new = not path.exists()
    with open_locked(path) as file:
        append_whole(file, f"{anchor.text()}\n".encode())
    if is_new:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _send_to_syslog(address: str, anchor: Anchor) -> None:
    """Sends one message in the form of RFC 5424: facility 13 (log audit), severity 5; over TCP with its length (RFC
    6587).
    """
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
    """The time at which the authority stamped this content. With the authority's root `certificate` (PEM), its
    signature is checked too. Raises `ValueError` if the content, the nonce or the signature is not that of the stamp,
    and `OSError` for a certificate that cannot be read.
    """
    import hashlib  # noqa: PLC0415  # only where stamps are checked

    from cryptography import x509  # noqa: PLC0415  # only where stamps are used
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response  # noqa: PLC0415 - only where stamps are checked

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
