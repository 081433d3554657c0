"""Checks of the robot's rules and sources, each of which raises an alarm: a rule that runs away and is stopped, a
source that has fallen silent, a rule that is right less often than before, and figures whose spread has changed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from dialer.cases.alarms import raise_alarm, raise_alarm_once
from dialer.core.access import ROBOT
from dialer.core.events import AlarmCode
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx
from dialer.signals.budget import has_fallen, is_runaway, psi, silent_after
from dialer.signals.learning import case_labels
from dialer.signals.verdict_store import firings_by_hour, source_rates, stop_rule_row

_USUAL_HOURS: Final = 25
_RECENT, _REFERENCE = timedelta(days=14), timedelta(days=90)
_TODAY, _WEEK = timedelta(days=1), timedelta(days=8)
DRIFTED: Final = 0.25
_LEAST_FIGURES: Final = 200
_MOST_REASONS: Final = 4_000
_BINS: Final = 10
_SHOWN: Final = 20


def check_health(tx: Tx, *, now: datetime) -> None:
    """A rule that fires far more often than it used to is stopped; a source that sends nothing any more is named. Both
    raise an alarm.
    """
    for rule, by_hour in firings_by_hour(tx, now=now, hours=_USUAL_HOURS).items():
        count, usual = by_hour[0], by_hour[1:]
        if is_runaway(count, usual):
            facts = {"rule": rule, "count": count, "usual_per_hour": round(sum(usual) / len(usual), 1)}
            if stop_rule_row(tx, rule, by=ROBOT, facts=facts, now=now):
                raise_alarm(tx, AlarmCode.RULE_STOPPED, now=now, facts=facts)
    silent = [
        one.source
        for one in source_rates(tx, now=now)
        if now - one.last_at > silent_after(one.per_hour) + timedelta(minutes=1)
    ]
    if silent:
        raise_alarm_once(tx, AlarmCode.SIGNALS_SILENT, now=now, facts={"sources": silent[:_SHOWN]})


def check_quality(tx: Tx, *, now: datetime) -> None:
    """Rules that are right less often than before, and figures that have drifted, raise an alarm each. Reads months of
    verdicts: once an hour is enough.
    """
    worse = [
        {"rule": rule, "before": list(before), "now": list(recent)}
        for rule, before, recent in _precision(tx, now=now)
        if has_fallen(before, recent)
    ]
    if worse:
        raise_alarm_once(tx, AlarmCode.RULE_WORSE, now=now, facts={"rules": worse[:_SHOWN]})
    drifted = drifts(tx, now=now)
    if drifted:
        facts = {"figures": {name: round(value, 2) for name, value in drifted[:_SHOWN]}}
        raise_alarm_once(tx, AlarmCode.SIGNALS_DRIFTED, now=now, facts=facts)


Counts = tuple[int, int]


def _precision(tx: Tx, *, now: datetime) -> list[tuple[str, Counts, Counts]]:
    """By rule, (right, labelled) before and in the last two weeks."""
    v, r, labels = t.verdict.c, t.verdict_reason.c, case_labels()
    is_recent = v.opened_at > now - _RECENT

    def counted(which: sa.ColumnElement[bool], name: str) -> list[sa.ColumnElement[int]]:
        right = sa.func.coalesce(sa.func.sum(labels.c.right).filter(which), 0)
        return [right.label(f"right_{name}"), sa.func.count().filter(which).label(f"all_{name}")]

    rows = tx.rows(
        sa.select(r.rule, *counted(~is_recent, "before"), *counted(is_recent, "now"))
        .select_from(
            t.verdict_reason.join(t.verdict, v.id == r.verdict_id).join(labels, labels.c.case_id == v.case_id)
        )
        .where(v.opened_at > now - _REFERENCE, v.opened_at <= now, r.points > 0)
        .group_by(r.rule)
        .order_by(r.rule)
    )
    return [
        (row["rule"], (int(row["right_before"]), row["all_before"]), (int(row["right_now"]), row["all_now"]))
        for row in rows
    ]


def drifts(tx: Tx, *, now: datetime) -> list[tuple[str, float]]:
    """Figures of rules, as `rule.figure`, whose population stability index of the last day against the week before is
    `DRIFTED` or more, the largest first. Of each time `_MOST_REASONS` at most are read, spread evenly.
    """
    today = _figures(tx, start=now - _TODAY, end=now)
    before = _figures(tx, start=now - _WEEK, end=now - _TODAY)
    found = []
    for name, values in today.items():
        usual = before.get(name, [])
        if min(len(values), len(usual)) >= _LEAST_FIGURES:
            value = psi(*_histograms(usual, values))
            if value >= DRIFTED:
                found.append((name, value))
    return sorted(found, key=lambda one: (-one[1], one[0]))


def _figures(tx: Tx, *, start: datetime, end: datetime) -> dict[str, list[int]]:
    r = t.verdict_reason.c
    within = (r.at > start, r.at <= end)
    count = tx.scalar(sa.select(sa.func.count()).select_from(t.verdict_reason).where(*within)) or 0
    every = max(1, count // _MOST_REASONS)
    rows = tx.rows(
        sa.select(t.verdict_reason)
        .where(*within, r.verdict_id % every == 0)
        .order_by(r.verdict_id, r.rule)
        .limit(_MOST_REASONS)
    )
    found: dict[str, list[int]] = {}
    for row in rows:
        place = f"{row['verdict_id']}/{row['rule']}"
        told = tx.vault.open_record(row["sealed"], table="verdict_reason", column="sealed", row=place)
        for name, value in told.get("values", {}).items():
            found.setdefault(f"{row['rule']}.{name}", []).append(int(value))
    return found


def _histograms(usual: Sequence[int], values: Sequence[int]) -> tuple[list[int], list[int]]:
    """Over the tenths of the usual ones."""
    ordered = sorted(usual)
    edges = sorted({ordered[len(ordered) * n // _BINS] for n in range(1, _BINS)})

    def counts(of: Sequence[int]) -> list[int]:
        bins = [0] * (len(edges) + 1)
        for one in of:
            bins[bisect_right(edges, one)] += 1
        return bins

    return counts(usual), counts(values)
