"""Retention: what is older than its period is erased or deleted, kind by kind, in batches beside the running service.

Each batch is one transaction with its line of the audit. It finds what is past its period from the rows themselves, so
a round that is cut short loses nothing: the next one goes on. One process works at a time. Figures stay: cases, call
attempts, outcomes and counts of lists are never deleted.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from dialer.audit.trail import read_trail_state
from dialer.core.access import ROBOT, SERVICE, Actor, Permission
from dialer.core.case import NO_CALL, SETTLED_STATUSES
from dialer.core.text import gettext_noop
from dialer.core.values import FINISHED_LOADS, DeletedFor, FiledMatchState, FiledState, RecordingState
from dialer.db import tables as t
from dialer.db.acts import OpenAct
from dialer.db.audit import CHECKPOINT_ACT
from dialer.db.bulk import in_words
from dialer.db.system_state import CyclePart, cycle_parts, note_cycle_part
from dialer.db.unit_of_work import Tx
from dialer.retention.erasing import (
    BLANK_DETERMINATION_BYTES,
    BLANK_FILED_BYTES,
    delete_recordings,
    erase_conversations,
    erase_determinations,
    erase_filed_records,
    erase_openings,
    erase_people,
    names_person,
    open_people,
    opening_persons,
    work_of,
)
from dialer.runtime.sections import RetentionSettings
from dialer.runtime.services import Services
from dialer.staff.store import delete_expired_sessions
from dialer.warnings.warning_store import lock_arrivals

RETENTION_PART: Final = "retention"
ROUND_SECONDS: Final = 3600.0
"""How long after its last round a kind gets the next one."""
_LOCK: Final = 0x7265746E
_REJECT_FILE: Final = re.compile(r"(?:load-([0-9]+)|filed-.+)\.xlsx")


class RetentionKind(StrEnum):
    """The kinds of data that have a period of their own, in the order in which they are processed."""

    SESSIONS = "sessions"
    KEPT_REPORTS = "kept_reports"
    REJECTED_ROWS = "rejected_rows"
    RECORDINGS = "recordings"
    PHOTOS = "photos"
    EVIDENCE_FILES = "evidence_files"
    CONVERSATIONS = "conversations"
    FILED_RECORDS = "filed_records"
    PERSONS = "persons"
    OPENINGS = "openings"
    INBOUND_CALLS = "inbound_calls"
    AUDIT = "audit"


KIND_WORDS: Final[Mapping[RetentionKind, str]] = {
    RetentionKind.SESSIONS: gettext_noop("expired sessions"),
    RetentionKind.KEPT_REPORTS: gettext_noop("kept reports"),
    RetentionKind.REJECTED_ROWS: gettext_noop("rejected rows"),
    RetentionKind.RECORDINGS: gettext_noop("recordings of calls"),
    RetentionKind.PHOTOS: gettext_noop("photos of visits"),
    RetentionKind.EVIDENCE_FILES: gettext_noop("files that prove amounts"),
    RetentionKind.CONVERSATIONS: gettext_noop("conversations"),
    RetentionKind.FILED_RECORDS: gettext_noop("persons of filed cases"),
    RetentionKind.PERSONS: gettext_noop("persons"),
    RetentionKind.OPENINGS: gettext_noop("persons of openings and restrictions"),
    RetentionKind.INBOUND_CALLS: gettext_noop("inbound calls without a case"),
    RetentionKind.AUDIT: gettext_noop("lines of the audit"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """The service clock and real time at one moment."""

    now: datetime
    real_now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What a batch deleted or erased. `after`: where the next batch begins; None: nothing is left."""

    count: int
    after: int | None = None
    facts: Mapping[str, object] | None = None


_SelectPast = Callable[[datetime, bool], sa.Select[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """How a kind is found and deleted. `past(cutoff, held)` selects `id` and `at` of the rows older than the cutoff:
    with `held` those of persons under a legal hold, else those of the others. `is_real`: the times of this kind are
    real time.
    """

    past: _SelectPast
    expire: Callable[[OpenAct, datetime, int, int], Gone]
    """Takes the act, the cutoff, where to begin, and how many rows at once."""
    at_once: int
    is_real: bool = False


def _under_hold(person_id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    h = t.legal_hold.c
    return sa.exists().where(h.person_id == person_id, h.lifted_at.is_(None))


def _if_held(held: bool, condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return condition if held else sa.not_(condition)


def _past_sessions(cutoff: datetime, held: bool) -> sa.Select[Any]:
    s = t.staff_session.c
    return sa.select(s.id, s.expires_at.label("at")).where(
        s.expires_at < cutoff, sa.false() if held else sa.true()
    )


def _expire_sessions(act: OpenAct, cutoff: datetime, _after: int, _at_once: int) -> Gone:
    return Gone(count=delete_expired_sessions(act.tx, before=cutoff))


def _past_reports(cutoff: datetime, held: bool) -> sa.Select[Any]:
    k = t.kept_report.c
    return sa.select(k.id, k.at).where(k.at < cutoff, sa.false() if held else sa.true())


def _expire_reports(act: OpenAct, cutoff: datetime, _after: int, _at_once: int) -> Gone:
    return Gone(count=act.tx.execute(sa.delete(t.kept_report).where(t.kept_report.c.at < cutoff)).rowcount)


def _past_rejects(cutoff: datetime, held: bool) -> sa.Select[Any]:
    """A row does not name its person: rows of persons under a legal hold are found when each is opened."""
    r, load = t.list_reject.c, t.list_load.c
    ended = sa.func.coalesce(load.finished_at, load.created_at)
    some = sa.exists().where(r.load_id == load.id)
    loads = sa.select(load.id, ended.label("at")).where(
        in_words(load.state, FINISHED_LOADS), ended < cutoff, some
    )
    old = loads.subquery()
    return sa.select(r.id, old.c.at).join(old, old.c.id == r.load_id).where(sa.false() if held else sa.true())


def _expire_rejects(act: OpenAct, cutoff: datetime, after: int, at_once: int) -> Gone:
    r = t.list_reject.c
    past = _past_rejects(cutoff, held=False).where(r.id > after).order_by(r.id).limit(at_once)
    ids = [row["id"] for row in act.tx.rows(past)]
    held_ids = act.tx.rows(sa.select(t.legal_hold.c.person_id).where(t.legal_hold.c.lifted_at.is_(None)))
    held = open_people(act.tx, [row["person_id"] for row in held_ids]).values()
    kept = set()
    for row in act.tx.rows(sa.select(t.list_reject).where(r.id.in_(ids))) if held else ():
        place = f"{row['load_id']}/{row['sheet']}/{row['line']}"
        cells = act.tx.vault.open_record(row["sealed"], table="list_reject", column="sealed", row=place)[
            "raw"
        ]
        if any(names_person(cells, person) for person in held):
            kept.add(row["id"])
    gone = [row_id for row_id in ids if row_id not in kept]
    act.tx.execute(sa.delete(t.list_reject).where(r.id.in_(gone)))
    return Gone(count=len(gone), after=ids[-1] if len(ids) == at_once else None)


def _past_recordings(cutoff: datetime, held: bool) -> sa.Select[Any]:
    """Recordings of calls that were made before `cutoff`, in cases that are over."""
    r, c = t.recording.c, t.case.c
    return (
        sa.select(r.id, r.called_at.label("at"))
        .join(t.case, c.id == r.case_id)
        .where(
            r.state == RecordingState.KEPT.value,
            r.called_at < cutoff,
            in_words(c.status, SETTLED_STATUSES),
            _if_held(held, _under_hold(c.person_id)),
        )
    )


def _expire_recordings(act: OpenAct, cutoff: datetime, _after: int, at_once: int) -> Gone:
    past = _past_recordings(cutoff, held=False).order_by(t.recording.c.id).limit(at_once)
    ids = [row["id"] for row in act.tx.rows(past.with_for_update(of=t.recording, skip_locked=True))]
    proofs = delete_recordings(act, t.recording.c.id.in_(ids), why=DeletedFor.RETENTION)
    facts = {"recordings": [proof["recording"] for proof in proofs]}
    return Gone(count=len(proofs), after=0 if len(ids) == at_once else None, facts=facts)


def _files_rule(table: sa.Table, key: str) -> _Rule:
    """The rule for files of cases, each sealed in a row of `table`: deleted when their case ended before the cutoff."""
    own, c = table.c, t.case.c

    def past(cutoff: datetime, held: bool) -> sa.Select[Any]:  # as `_SelectPast` calls it
        return (
            sa.select(own[key].label("id"), c.settled_at.label("at"))
            .join(t.case, c.id == own.case_id)
            .where(
                in_words(c.status, SETTLED_STATUSES),
                c.settled_at < cutoff,
                _if_held(held, _under_hold(c.person_id)),
            )
        )

    def expire(act: OpenAct, cutoff: datetime, _after: int, at_once: int) -> Gone:
        ids = [row["id"] for row in act.tx.rows(past(cutoff, held=False).limit(at_once))]
        act.tx.execute(sa.delete(table).where(own[key].in_(ids)))
        return Gone(count=len(ids), after=0 if len(ids) == at_once else None)

    return _Rule(past=past, expire=expire, at_once=500)


def _past_conversations(cutoff: datetime, held: bool) -> sa.Select[Any]:
    c = t.case.c
    return sa.select(c.id, c.settled_at.label("at")).where(
        c.settled_at < cutoff,
        c.conversation_erased_at.is_(None),
        in_words(c.status, SETTLED_STATUSES),
        _if_held(held, _under_hold(c.person_id)),
    )


def _expire_conversations(act: OpenAct, cutoff: datetime, _after: int, at_once: int) -> Gone:
    past = _past_conversations(cutoff, held=False).order_by(t.case.c.settled_at).limit(at_once)
    ids = [row["id"] for row in act.tx.rows(past.with_for_update(of=t.case, skip_locked=True))]
    erase_conversations(act.tx, ids, now=act.now)
    return Gone(count=len(ids), after=0 if len(ids) == at_once else None)


def _past_filed(cutoff: datetime, held: bool) -> sa.Select[Any]:
    """Filed records past their period, unless their match is undecided or a case of the person is not over."""
    r, m, c = t.filed_record.c, t.filed_match.c, t.case.c
    same = sa.and_(m.record_id == r.id, m.state != FiledMatchState.REJECTED.value)
    is_not_over = sa.exists().where(same, c.person_id == m.person_id, ~in_words(c.status, SETTLED_STATUSES))
    return sa.select(r.id, r.at).where(
        r.at < cutoff,
        r.state != FiledState.DOUBTFUL.value,
        sa.func.octet_length(r.sealed) > BLANK_FILED_BYTES,
        ~is_not_over,
        _if_held(held, sa.exists().where(same, _under_hold(m.person_id))),
    )


def _expire_filed(act: OpenAct, cutoff: datetime, _after: int, at_once: int) -> Gone:
    r = t.filed_record.c
    past = _past_filed(cutoff, held=False).order_by(r.id).limit(at_once)
    ids = [row["id"] for row in act.tx.rows(past.with_for_update(of=t.filed_record, skip_locked=True))]
    erase_filed_records(act.tx, r.id.in_(ids))
    return Gone(count=len(ids), after=0 if len(ids) == at_once else None)


def _past_persons(cutoff: datetime, held: bool) -> sa.Select[Any]:
    """Persons whose cases were all over before `cutoff` and whom nothing else needs: no work, no amounts that wait for
    a second person, no filed case that may be theirs. A success without a call waits while its task is open, and that
    task counts as work.
    """
    p, c, m = t.person.c, t.case.c, t.filed_match.c
    theirs = c.person_id == p.id
    ended = sa.select(sa.func.max(c.settled_at)).where(theirs).scalar_subquery()
    younger = sa.exists().where(theirs, sa.or_(c.settled_at.is_(None), c.settled_at >= cutoff))
    needed = [found.exists() for found in work_of(p.id).values()]
    amounts = sa.exists().where(
        t.outcome_waiting.c.outcome_id == t.outcome.c.id,
        t.outcome.c.reason != NO_CALL,
        t.outcome.c.case_id == c.id,
        theirs,
    )
    doubtful = sa.exists().where(m.person_id == p.id, m.state == FiledMatchState.DOUBTFUL.value)
    return sa.select(p.id, sa.func.coalesce(ended, p.created_at).label("at")).where(
        p.erased_at.is_(None),
        p.created_at < cutoff,
        sa.not_(sa.or_(younger, amounts, doubtful, *needed)),
        _if_held(held, _under_hold(p.id)),
    )


def _expire_persons(act: OpenAct, cutoff: datetime, _after: int, at_once: int) -> Gone:
    """Locks the cases before it checks again whether the persons are needed, and before it locks the persons."""
    lock_arrivals(act.tx)
    past = _past_persons(cutoff, held=False)
    first = [row["id"] for row in act.tx.rows(past.order_by(t.person.c.created_at).limit(at_once))]
    c = t.case.c
    act.tx.execute(sa.select(c.id).where(c.person_id.in_(first)).order_by(c.id).with_for_update())
    again = past.where(t.person.c.id.in_(first)).order_by(t.person.c.id)
    ids = [row["id"] for row in act.tx.rows(again.with_for_update(of=t.person))]
    if not ids:
        return Gone(count=0)
    counts = erase_people(act, ids)
    return Gone(
        count=len(ids),
        after=0 if len(first) == at_once else None,
        facts={"persons": ids, "values": counts},
    )


def _past_openings(cutoff: datetime, held: bool) -> sa.Select[Any]:
    """An opening does not name its person: openings of persons under a legal hold are found by their blind index in
    each batch. Restrictions that were over before the cutoff are erased with them.
    """
    o = t.opening.c
    return sa.select(o.id, o.asked_at.label("at")).where(
        o.asked_at < cutoff, o.erased_at.is_(None), sa.false() if held else sa.true()
    )


def _expire_openings(act: OpenAct, cutoff: datetime, after: int, at_once: int) -> Gone:
    o, d, h = t.opening.c, t.card_determination.c, t.legal_hold.c
    held = [row["person_id"] for row in act.tx.rows(sa.select(h.person_id).where(h.lifted_at.is_(None)))]
    kept = opening_persons(act.tx, open_people(act.tx, held).values()) if held else []
    rows = act.tx.rows(
        _past_openings(cutoff, held=False)
        .with_only_columns(o.id, o.person_blind)
        .where(o.id > after)
        .order_by(o.id)
        .limit(at_once)
        .with_for_update(of=t.opening, skip_locked=True)
    )
    ids = [row["id"] for row in rows if bytes(row["person_blind"]) not in kept]
    counts = erase_openings(act.tx, ids, now=act.now)
    if not after:
        over = sa.select(d.id).where(
            d.until_on < cutoff.date(),
            d.person_blind.not_in(kept),
            sa.func.octet_length(d.sealed) > BLANK_DETERMINATION_BYTES,
        )
        counts |= erase_determinations(act.tx, [row["id"] for row in act.tx.rows(over)])
    done = len(ids) + counts.get("card_determination.sealed", 0)
    facts = {"values": {name: count for name, count in counts.items() if count}}
    return Gone(count=done, after=rows[-1]["id"] if len(rows) == at_once else None, facts=facts)


def _past_inbound_calls(cutoff: datetime, held: bool) -> sa.Select[Any]:
    """Inbound calls without a case. The calls of a case are never deleted: they are part of what was done."""
    i = t.inbound_call.c
    return sa.select(i.id, i.ended_at.label("at")).where(
        i.case_id.is_(None), i.ended_at < cutoff, sa.false() if held else sa.true()
    )


def _expire_inbound_calls(act: OpenAct, cutoff: datetime, _after: int, at_once: int) -> Gone:
    ids = [row["id"] for row in act.tx.rows(_past_inbound_calls(cutoff, held=False).limit(at_once))]
    act.tx.execute(sa.delete(t.inbound_call).where(t.inbound_call.c.id.in_(ids)))
    return Gone(count=len(ids), after=0 if len(ids) == at_once else None)


def _past_audit(cutoff: datetime, held: bool) -> sa.Select[Any]:
    """The lines of the audit before the first one that is younger than the cutoff or about a person under a legal hold:
    an audit can lose only its beginning.
    """
    a, other = t.audit.c, t.audit.alias("other").c
    young = sa.select(sa.func.min(other.number)).where(other.at >= cutoff).scalar_subquery()
    last = sa.select(t.audit_head.c.number + 1).scalar_subquery()
    held_from = (
        sa.select(sa.func.min(sa.func.coalesce(other.number, 0)))
        .where(_of_held_person(other.subject))
        .scalar_subquery()
    )
    number = sa.func.coalesce(a.number, 0)
    before = sa.func.coalesce(young, last)
    kept_from = sa.func.least(before, sa.func.coalesce(held_from, before))
    span = sa.and_(number >= kept_from, number < before) if held else number < kept_from
    return sa.select(a.id, a.at).where(a.at < cutoff, span)


def _of_held_person(subject: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    h, c = t.legal_hold.c, t.case.c
    held = sa.select(h.person_id).where(h.lifted_at.is_(None))
    persons = held.with_only_columns(sa.func.concat("person/", h.person_id))
    cases = sa.select(sa.func.concat("case/", c.id)).where(c.person_id.in_(held))
    return subject.in_(persons.union_all(cases))


def _expire_audit(act: OpenAct, cutoff: datetime, _after: int, at_once: int) -> Gone:
    """First writes a checkpoint that permits the deletion, in a transaction of its own; this one deletes the lines that
    an earlier checkpoint permits. So a check of the audit always finds the checkpoint for what is missing. An audit
    that a check found damaged stays as it is.
    """
    a = t.audit.c
    if read_trail_state(act.tx).found:
        return Gone(count=0)
    past = _past_audit(cutoff, held=False)
    first = act.tx.scalar(sa.select(sa.func.min(a.number)).where(a.number > 0)) or 0
    checkpoints = sa.select(a.facts).where(a.act == CHECKPOINT_ACT, a.who == ROBOT)
    newest = act.tx.one(checkpoints.order_by(a.number.desc()).limit(1))
    through = 0 if newest is None else int(newest["facts"]["through"])
    permitted = past.where(a.number <= through).subquery()
    if 0 < first <= through and _counted(act.tx, sa.select(permitted))[0] == through - first + 1:
        gone = act.tx.execute(sa.delete(t.audit).where(a.id.in_(sa.select(permitted.c.id)))).rowcount
        return Gone(count=gone, after=0)
    if through and first > 1:
        unnumbered = past.where(a.number.is_(None)).order_by(a.id).limit(at_once).subquery()
        gone = act.tx.execute(sa.delete(t.audit).where(a.id.in_(sa.select(unnumbered.c.id)))).rowcount
        if gone:
            return Gone(count=gone, after=0)
    span = past.where(a.number.is_not(None)).order_by(a.number).limit(at_once).subquery()
    last = act.tx.one(
        sa.select(a.number, a.chain).where(a.id.in_(sa.select(span.c.id))).order_by(a.number.desc()).limit(1)
    )
    if last is None or last["number"] == through:
        return Gone(count=0)
    facts = {"through": last["number"], "chain": bytes(last["chain"]).hex()}
    OpenAct(act.tx, SERVICE, lambda: act.now).audit(CHECKPOINT_ACT, "audit", facts=facts)
    return Gone(count=0, after=0)


_RULES: Final[Mapping[RetentionKind, _Rule]] = {
    RetentionKind.SESSIONS: _Rule(past=_past_sessions, expire=_expire_sessions, at_once=1, is_real=True),
    RetentionKind.KEPT_REPORTS: _Rule(past=_past_reports, expire=_expire_reports, at_once=1),
    RetentionKind.REJECTED_ROWS: _Rule(past=_past_rejects, expire=_expire_rejects, at_once=2000),
    RetentionKind.RECORDINGS: _Rule(past=_past_recordings, expire=_expire_recordings, at_once=100),
    RetentionKind.PHOTOS: _files_rule(t.visit_photo, "client_id"),
    RetentionKind.EVIDENCE_FILES: _files_rule(t.evidence_file, "id"),
    RetentionKind.CONVERSATIONS: _Rule(past=_past_conversations, expire=_expire_conversations, at_once=200),
    RetentionKind.FILED_RECORDS: _Rule(past=_past_filed, expire=_expire_filed, at_once=500),
    RetentionKind.PERSONS: _Rule(past=_past_persons, expire=_expire_persons, at_once=50),
    RetentionKind.OPENINGS: _Rule(past=_past_openings, expire=_expire_openings, at_once=500),
    RetentionKind.INBOUND_CALLS: _Rule(past=_past_inbound_calls, expire=_expire_inbound_calls, at_once=2000),
    RetentionKind.AUDIT: _Rule(past=_past_audit, expire=_expire_audit, at_once=5000),
}
"""A new kind needs a rule here, its words above and a setting `<kind>_days`."""


def days_of(periods: RetentionSettings, kind: RetentionKind) -> int:
    """How many days this kind is kept; 0: for ever."""
    return int(getattr(periods, f"{kind.value}_days"))


def _cutoff(periods: RetentionSettings, kind: RetentionKind, clocks: Clocks) -> datetime | None:
    days = days_of(periods, kind)
    now = clocks.real_now if _RULES[kind].is_real else clocks.now
    return now - timedelta(days=days) if days else None


def _batch(act: OpenAct, kind: RetentionKind, cutoff: datetime, *, after: int) -> Gone:
    rule = _RULES[kind]
    gone = rule.expire(act, cutoff, after, rule.at_once)
    if gone.count:
        facts = {"kind": kind.value, "before": cutoff.isoformat(), "count": gone.count, **(gone.facts or {})}
        act.audit("retention", "retention", facts=facts)
    else:
        act.needs_no_record()
    return gone


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRound:
    """The last round of a kind. `at`: real time of its last batch; `is_over`: nothing was left."""

    at: datetime
    count: int
    is_over: bool


def read_rounds(tx: Tx) -> dict[RetentionKind, LastRound]:
    """The last round of each kind that has had one."""
    return rounds_of(cycle_parts(tx))


def rounds_of(parts: Mapping[str, CyclePart]) -> dict[RetentionKind, LastRound]:
    """As `read_rounds`, from the recorded parts of the cycle."""
    part = parts.get(RETENTION_PART)
    found: Any = {} if part is None else part.facts.get("kinds", {})
    return {
        kind: LastRound(at=datetime.fromisoformat(last["at"]), count=last["count"], is_over=last["over"])
        for kind in RetentionKind
        if (last := found.get(kind.value)) is not None
    }


def _note(tx: Tx, rounds: Mapping[RetentionKind, LastRound], *, real_now: datetime) -> None:
    kinds = {
        kind.value: {"at": round_.at.isoformat(), "count": round_.count, "over": round_.is_over}
        for kind, round_ in rounds.items()
    }
    note_cycle_part(tx, RETENTION_PART, began_at=real_now, real_now=real_now, facts={"kinds": kinds})


def _is_due(last: LastRound | None, real_now: datetime) -> bool:
    return last is None or not last.is_over or (real_now - last.at).total_seconds() >= ROUND_SECONDS


def is_retention_due(services: Services, periods: RetentionSettings) -> bool:
    """Whether some kind had no round for an hour, or did not finish its last one."""
    with services.store.begin() as tx:
        rounds = read_rounds(tx)
    real_now = services.real.now()
    return any(_is_due(rounds.get(kind), real_now) for kind in RetentionKind if days_of(periods, kind))


def apply_retention(
    services: Services,
    periods: RetentionSettings,
    actor: Actor = SERVICE,
    *,
    pause: Callable[[float], bool] = lambda _seconds: False,
    for_seconds: float | None = None,
    at_once: bool = False,
) -> dict[RetentionKind, int]:
    """Deletes or erases what is past its period, batch after batch, for at most `for_seconds`; returns how many of each
    kind. `at_once`: also kinds that had a round within the hour. After each batch `pause` gets the seconds that it
    took, waits as long, and returns whether to stop. Does nothing while another process does this.
    """
    began = time.monotonic()
    done: dict[RetentionKind, int] = {}
    for kind in RetentionKind:
        with services.store.begin() as tx:
            last = read_rounds(tx).get(kind)
        clocks = Clocks(now=services.clock.now(), real_now=services.real.now())
        cutoff = _cutoff(periods, kind, clocks)
        if cutoff is None or not (at_once or _is_due(last, clocks.real_now)):
            continue
        before = last.count if last is not None and not last.is_over else 0
        after: int | None = 0
        while after is not None:
            batch_began = time.monotonic()
            with services.act(actor, Permission.CONTROL) as act:
                if not act.tx.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))):
                    act.needs_no_record()
                    return done
                gone = _batch(act, kind, cutoff, after=after)
                after = gone.after
                done[kind] = done.get(kind, 0) + gone.count
                round_ = LastRound(at=services.real.now(), count=before + done[kind], is_over=after is None)
                _note(act.tx, read_rounds(act.tx) | {kind: round_}, real_now=round_.at)
            now = time.monotonic()
            if pause(now - batch_began) or (for_seconds is not None and now - began >= for_seconds):
                return done
    return done


def expire_restored(
    act: OpenAct, periods: RetentionSettings, *, real_now: datetime
) -> dict[RetentionKind, int]:
    """Deletes or erases all that is past its period, as part of a restore, when no other process runs;
    returns how many of each kind. The audit is left to the first round: its checkpoints are committed before its lines
    are deleted.
    """
    done: dict[RetentionKind, int] = {}
    clocks = Clocks(now=act.now, real_now=real_now)
    for kind in RetentionKind:
        cutoff = _cutoff(periods, kind, clocks)
        if cutoff is None or kind is RetentionKind.AUDIT:
            continue
        after: int | None = 0
        while after is not None:
            gone = _batch(act, kind, cutoff, after=after)
            after = gone.after
            done[kind] = done.get(kind, 0) + gone.count
    return {kind: count for kind, count in done.items() if count}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionState:
    """The state of a kind. `past`: how many are older than its period and not under a legal hold; `oldest_at`: the time
    from which the age of the oldest of them counts; `held`: how many are older and kept by a legal hold.
    """

    kind: RetentionKind
    days: int
    past: int
    oldest_at: datetime | None
    held: int
    last: LastRound | None

    def plain(self) -> dict[str, Any]:
        """What `--json` prints."""
        last = self.last
        return {
            "kind": self.kind.value,
            "days": self.days or None,
            "past": self.past,
            "oldest_at": self.oldest_at.isoformat() if self.oldest_at else None,
            "held": self.held,
            "last_at": last.at.isoformat() if last else None,
            "last_count": last.count if last else None,
            "last_ended": last.is_over if last else None,
        }


def read_retention_states(services: Services, periods: RetentionSettings) -> list[RetentionState]:
    """The state of every kind; counts all rows that are past their period."""
    clocks = Clocks(now=services.clock.now(), real_now=services.real.now())
    with services.store.begin() as tx:
        rounds = read_rounds(tx)
        found = []
        for kind in RetentionKind:
            cutoff = _cutoff(periods, kind, clocks)
            past, oldest, held = 0, None, 0
            if cutoff is not None:
                past, oldest = _counted(tx, _RULES[kind].past(cutoff, False))
                held, _ = _counted(tx, _RULES[kind].past(cutoff, True))
            days = days_of(periods, kind)
            state = RetentionState(
                kind=kind, days=days, past=past, oldest_at=oldest, held=held, last=rounds.get(kind)
            )
            found.append(state)
    return found


def _counted(tx: Tx, past: sa.Select[Any]) -> tuple[int, datetime | None]:
    rows = past.subquery()
    row = tx.one(sa.select(sa.func.count().label("n"), sa.func.min(rows.c.at).label("at")).select_from(rows))
    assert row is not None
    return int(row["n"]), row["at"]


def delete_reject_files(services: Services, periods: RetentionSettings, folder: Path) -> int:
    """Deletes the spreadsheets of rejected rows on this machine that are past the period of the rows; returns how many.
    The spreadsheet of a list with rows that are still kept stays.
    """
    days = periods.rejected_rows_days
    cutoff = (services.real.now() - timedelta(days=days)).timestamp()
    old = {
        path: found[1]
        for path in sorted(folder.glob("*.xlsx"))
        if days and (found := _REJECT_FILE.fullmatch(path.name)) and path.stat().st_mtime < cutoff
    }
    with services.store.begin() as tx:
        wanted = [int(load) for load in old.values() if load]
        r = t.list_reject.c
        kept = {
            row["load_id"] for row in tx.rows(sa.select(r.load_id).distinct().where(r.load_id.in_(wanted)))
        }
    gone = [path for path, load in old.items() if not load or int(load) not in kept]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)
