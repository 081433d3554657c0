"""The figures of the robot's page: signals by source, warnings by rule with the precision of each rule, verdicts by
state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from dialer.core.intervals import Interval, wilson
from dialer.core.values import FraudType, Grade, VerdictState
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx, record_of
from dialer.db.units import is_within_unit
from dialer.signals.budget import NumberEstimate, missed_fraud
from dialer.signals.label_store import case_labels, worse_rules
from dialer.signals.model import MOST_CLOCK_AHEAD, SignalKind
from dialer.signals.shadow import (
    ShadowStatus,
    Side,
    VerdictDifference,
    persons_warned,
    persons_with,
    read_shadow,
)
from dialer.signals.verdict_store import RuleStop, rule_stops, silent_sources

_v, _r = t.verdict.c, t.verdict_reason.c
CALIBRATION_DAYS: Final = 90
_BINS: Final = 5
_LEAST_IN_A_BIN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """The signals of a source: per minute in the last hour, in the last day, and when the last one arrived.
    `is_silent`: it has sent none for longer than chance explains. `is_stopped`: what rests on it alone is held.
    """

    source: str
    per_minute: float
    day: int
    last_at: datetime
    is_silent: bool
    is_stopped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """A rule: the verdicts for which it fired, how many of them were sent, and how many of those with a label were
    right.

    `is_worse`: it was right less often in the last two weeks than before.
    """

    rule: str
    verdicts: int
    warnings: int
    right: int
    labelled: int
    precision: Interval | None
    """None if nothing has a label."""
    stops: tuple[RuleStop, ...]
    is_worse: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationBin:
    """Warnings with a label whose probability lay between `low` and `high`: `said` is the mean probability, `seen` the
    share that was right.
    """

    low: float
    high: float
    said: float
    right: int
    labelled: int
    seen: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotStatus:
    """The state of the robot. States and rules count the verdicts opened since `since`, the calibration those of the
    last `CALIBRATION_DAYS`, because labels are few. `behind`: signals that are not evaluated yet.
    """

    since: datetime
    behind: int
    sources: Sequence[SourceLine]
    states: Mapping[VerdictState, int]
    rules: Sequence[RuleLine]
    calibration: Sequence[CalibrationBin]
    shadow: ShadowStatus | None
    missed: NumberEstimate
    fingerprint: str
    persons: int
    too_late: int


def read_status(tx: Tx, *, since: datetime, now: datetime) -> RobotStatus:
    """The status as of `now`."""
    shard = t.robot_shard.c
    shards = tx.rows(sa.select(shard.fingerprint, shard.persons, shard.too_late))
    total = sum(int(row["fingerprint"] or "0", 16) for row in shards) % (1 << 128)
    states = tx.rows(
        sa.select(_v.state, sa.func.count().label("n")).where(_v.opened_at >= since).group_by(_v.state)
    )
    return RobotStatus(
        since=since,
        behind=int(tx.scalar(sa.select(sa.func.count()).select_from(_WITH_SHARD).where(*_waiting(tx)))),
        sources=_sources(tx, now=now),
        states={VerdictState(row["state"]): row["n"] for row in states},
        rules=rule_lines(tx, since=since, now=now),
        calibration=_calibration(tx, since=min(since, now - timedelta(days=CALIBRATION_DAYS))),
        shadow=read_shadow(tx),
        missed=missed_fraud(_drawn(tx, since=since)),
        fingerprint=f"{total:032x}",
        persons=sum(row["persons"] for row in shards),
        too_late=sum(row["too_late"] for row in shards),
    )


_WITH_SHARD: Final = t.signal.outerjoin(t.robot_shard, t.robot_shard.c.shard == t.signal.c.shard)


def _waiting(tx: Tx) -> tuple[sa.ColumnElement[bool], ...]:
    """The conditions on `_WITH_SHARD` of signals that wait: those that their shard has not evaluated, and changes of
    lists that any shard has not evaluated.
    """
    done = tx.scalar(sa.select(sa.func.min(t.robot_shard.c.seq))) or 0
    return t.signal.c.seq > done, t.signal.c.seq > sa.func.coalesce(t.robot_shard.c.seq, done)


def _sources(tx: Tx, *, now: datetime) -> list[SourceLine]:
    m = t.signal_minute.c
    hour = sa.func.sum(m.n).filter(m.at > now - timedelta(hours=1))
    day = sa.func.sum(m.n).filter(m.at > now - timedelta(days=1))
    silent = silent_sources(tx, now=now)
    stopped = {stop.source for stop in rule_stops(tx) if not stop.rule}
    rows = tx.rows(
        sa.select(
            m.source,
            sa.func.coalesce(hour, 0).label("hour"),
            sa.func.coalesce(day, 0).label("day"),
            sa.func.max(m.at).label("last_at"),
        )
        .where(m.at > now - timedelta(days=2))
        .group_by(m.source)
        .order_by(m.source)
    )
    return [
        SourceLine(
            source=row["source"],
            per_minute=float(row["hour"]) / 60,
            day=int(row["day"]),
            last_at=row["last_at"],
            is_silent=row["source"] in silent,
            is_stopped=row["source"] in stopped,
        )
        for row in rows
    ]


def rule_lines(tx: Tx, *, since: datetime, now: datetime) -> list[RuleLine]:
    """The rules that fired for verdicts opened since `since`, and those that are stopped or have got worse."""
    labels = case_labels()
    has_warning = _v.sent_at.is_not(None)
    rows = tx.rows(
        sa.select(
            _r.rule,
            sa.func.count().label("verdicts"),
            sa.func.count().filter(has_warning).label("warnings"),
            sa.func.count(labels.c.right).label("labelled"),
            sa.func.coalesce(sa.func.sum(labels.c.right), 0).label("right"),
        )
        .select_from(
            t.verdict_reason.join(t.verdict, _v.id == _r.verdict_id).outerjoin(
                labels, labels.c.case_id == _v.case_id
            )
        )
        .where(_v.opened_at >= since, _r.points > 0)
        .group_by(_r.rule)
        .order_by(sa.desc("warnings"), _r.rule)
    )
    stops = [stop for stop in rule_stops(tx) if stop.rule]
    worse = {rule for rule, _, _ in worse_rules(tx, now=now)}
    known = {row["rule"] for row in rows}
    nothing = {"verdicts": 0, "warnings": 0, "labelled": 0, "right": 0}
    # A stopped rule may not have fired for days, and it is resumed on this page.
    rows += [{"rule": rule, **nothing} for rule in sorted(({stop.rule for stop in stops} | worse) - known)]
    return [
        RuleLine(
            **{name: row[name] for name in ("rule", "verdicts", "warnings", "labelled")},
            right=int(row["right"]),
            precision=wilson(int(row["right"]), row["labelled"]) if row["labelled"] else None,
            stops=tuple(stop for stop in stops if stop.rule == row["rule"]),
            is_worse=row["rule"] in worse,
        )
        for row in rows
    ]


def _calibration(tx: Tx, *, since: datetime) -> list[CalibrationBin]:
    """Up to five bins with equal numbers of labels. Verdicts that were drawn at random count like the others."""
    labels = case_labels()
    rows = tx.rows(
        sa.select(_v.probability, labels.c.right)
        .join(labels, labels.c.case_id == _v.case_id)
        .where(_v.opened_at >= since, _v.sent_at.is_not(None))
        .order_by(_v.probability, _v.id)
    )
    count = min(_BINS, len(rows) // _LEAST_IN_A_BIN) or min(1, len(rows))
    bins = []
    for n in range(count):
        part = rows[len(rows) * n // count : len(rows) * (n + 1) // count]
        right = sum(row["right"] for row in part)
        seen = wilson(right, len(part))
        assert seen is not None
        bins.append(
            CalibrationBin(
                low=part[0]["probability"],
                high=part[-1]["probability"],
                said=sum(row["probability"] for row in part) / len(part),
                right=right,
                labelled=len(part),
                seen=seen,
            )
        )
    return bins


def _drawn(tx: Tx, *, since: datetime) -> list[tuple[float, bool]]:
    labels = case_labels()
    rows = tx.rows(
        sa.select(_v.draw_share, labels.c.right)
        .join(labels, labels.c.case_id == _v.case_id)
        .where(_v.state == VerdictState.DRAWN.value, _v.opened_at >= since)
    )
    return [(row["draw_share"], bool(row["right"])) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictLine:
    """A verdict in a list, without personal data."""

    id: int
    state: VerdictState
    grade: Grade | None
    fraud_type: FraudType
    score: int
    probability: float
    money_fen: int
    case_id: int | None
    opened_at: datetime
    held_at: datetime | None
    draw_share: float | None
    right: int | None
    """The label from its call or a filed case: 1 right, 0 wrong, None without a label."""


class LabelFilter(StrEnum):
    """Which verdicts are listed: those that were right, or all that have a label."""

    RIGHT = "right"
    ANY = "any"


MOST_LINES: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictFilter:
    """Selects the verdicts that a figure of the page counts: opened since `since`, and matching each other field that
    is given. `rule`: it fired with points; `warned`: a warning was sent; `side`: of persons whom the live rules, or the
    draft beside them, warn.
    """

    since: datetime
    state: VerdictState | None = None
    rule: str = ""
    warned: bool = False
    answer: LabelFilter | None = None
    between: tuple[float, float] | None = None
    difference: VerdictDifference | None = None
    side: Side | None = None


def list_verdicts(
    tx: Tx, chosen: VerdictFilter, *, visible_to: int | None = None
) -> tuple[list[VerdictLine], int]:
    """The verdicts, highest score first, at most `MOST_LINES`, and how many there are in all. `visible_to`: a unit,
    which sees only the verdicts without a case and those of its own cases.
    """
    labels = case_labels()
    source = t.verdict.outerjoin(labels, labels.c.case_id == _v.case_id)
    names = [name for name in VerdictLine.__dataclass_fields__ if name != "right"]
    wanted = [_v.opened_at >= chosen.since]
    if visible_to is not None:
        own = sa.select(t.case.c.id).where(
            t.case.c.id == _v.case_id, is_within_unit(t.case.c.unit_id, visible_to)
        )
        wanted.append(sa.or_(_v.case_id.is_(None), own.exists()))
    if chosen.state is not None:
        wanted.append(_v.state == chosen.state.value)
    if chosen.rule:
        wanted.append(sa.exists().where(_r.verdict_id == _v.id, _r.rule == chosen.rule, _r.points > 0))
    if chosen.warned:
        wanted.append(_v.sent_at.is_not(None))
    if chosen.answer is not None:
        wanted.append(
            labels.c.right == 1 if chosen.answer is LabelFilter.RIGHT else labels.c.right.is_not(None)
        )
    if chosen.between is not None:
        wanted.append(_v.probability.between(*chosen.between))
    if chosen.difference is not None:
        wanted.append(_v.person_hash.in_(persons_with(chosen.difference)))
    if chosen.side is not None:
        wanted.append(_v.person_hash.in_(persons_warned(chosen.side)))
    rows = tx.rows(
        sa.select(*(_v[name] for name in names), labels.c.right)
        .select_from(source)
        .where(*wanted)
        .order_by(_v.score.desc(), _v.id.desc())
        .limit(MOST_LINES)
    )
    count = len(rows)
    if count == MOST_LINES:
        count = tx.scalar(sa.select(sa.func.count()).select_from(source).where(*wanted)) or 0
    return [record_of(VerdictLine, row) for row in rows], count


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalLine:
    """A stored signal without personal data."""

    source: str
    signal_no: str
    kind: SignalKind
    event_at: datetime
    received_at: datetime


class UnevaluatedReason(StrEnum):
    """Why a signal changed no verdict: it is `waiting` to be evaluated, or came `late`, after the time allowed."""

    WAITING = "waiting"
    LATE = "late"


SEARCHED: Final = 200_000
"""How many of the newest signals are searched for those that came too late."""
_LINE: Final = tuple(t.signal.c[name] for name in SignalLine.__dataclass_fields__)


def list_unevaluated_signals(
    tx: Tx, lack: UnevaluatedReason, *, allowed_lateness: timedelta
) -> list[SignalLine]:
    """At most `MOST_LINES` signals: those that wait, the longest first; or those that came too late, the newest first,
    among the newest `SEARCHED`. A signal is too late if one that arrived before it for the same person has an event
    time more than `allowed_lateness` later.
    """
    s, earlier = t.signal.c, t.signal.alias("earlier")
    if lack is UnevaluatedReason.WAITING:
        statement = sa.select(*_LINE).select_from(_WITH_SHARD).where(*_waiting(tx)).order_by(s.seq)
    else:
        newest = tx.scalar(sa.select(sa.func.max(s.seq))) or 0
        before = earlier.c
        statement = (
            sa.select(*_LINE)
            .where(
                s.seq > newest - SEARCHED,
                s.event_at < s.received_at - allowed_lateness + MOST_CLOCK_AHEAD,
                sa.exists().where(
                    before.person_hash == s.person_hash,
                    before.seq < s.seq,
                    before.event_at > s.event_at + allowed_lateness,
                ),
            )
            .order_by(s.seq.desc())
        )
    return [record_of(SignalLine, row) for row in tx.rows(statement.limit(MOST_LINES))]


_MOST_MINUTES: Final = 30


def list_signals(tx: Tx, source: str, *, now: datetime) -> list[SignalLine]:
    """The newest signals of a source in the last day, at most `MOST_LINES`, from the last `_MOST_MINUTES` minutes with
    signals.
    """
    m, s = t.signal_minute.c, t.signal.c
    minutes = tx.rows(
        sa.select(m.at, m.n)
        .where(m.source == source, m.at > now - timedelta(days=1))
        .order_by(m.at.desc())
        .limit(_MOST_MINUTES)
    )
    found: list[SignalLine] = []
    for minute in minutes:
        rows = tx.rows(
            sa.select(*_LINE)
            .where(
                s.source == source,
                s.received_at >= minute["at"],
                s.received_at < minute["at"] + timedelta(minutes=1),
            )
            .order_by(s.received_at.desc(), s.seq.desc())
            .limit(MOST_LINES - len(found))
        )
        found += [record_of(SignalLine, row) for row in rows]
        if len(found) >= MOST_LINES:
            break
    return found
