"""Checks of the robot's rules and sources, each of which raises an alarm: a rule that runs away and is stopped, a
source that has fallen silent, a rule that is right less often than before, and figures whose spread has changed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from dialer.core.access import ROBOT
from dialer.core.events import AlarmCode
from dialer.db.alarms import raise_alarm, raise_alarm_once
from dialer.db.unit_of_work import Tx
from dialer.signals.budget import doubtful_source, is_runaway, psi
from dialer.signals.label_store import figures_of_rules, worse_rules
from dialer.signals.verdict_store import (
    firings_by_hour,
    first_minute,
    held_since,
    rule_stops,
    rules_resumed_since,
    silent_sources,
    stop_rule_row,
)

_USUAL_HOURS: Final = 25
_TODAY, _WEEK = timedelta(days=1), timedelta(days=8)
DRIFTED: Final = 0.25
_LEAST_FIGURES: Final = 200
_BINS: Final = 10
_SHOWN: Final = 20
HELD_MINUTES: Final = 5
"""What is held for longer than this is told to who is on duty."""
_TOLD_AGAIN: Final = timedelta(hours=1)


def check_health(tx: Tx, *, now: datetime) -> None:
    """Stops rules that fire far more often than usual, and finds sources that no longer send; raises an alarm for both,
    and one for verdicts that are held for minutes. If one source alone makes a rule fire so, only what depends on this
    source is stopped. A rule that a person has resumed is left alone for an hour, because the counts of that hour
    contain what stopped it. Hours before the first signal do not count as usual, so nothing is stopped in the very
    first hour.
    """
    first = first_minute(tx, since=now - timedelta(hours=_USUAL_HOURS))
    past = 0 if first is None else (now - first) // timedelta(hours=1)
    resumed = rules_resumed_since(tx, now - timedelta(hours=1))
    stopped = {(stop.rule, stop.source) for stop in rule_stops(tx)}
    for rule, by_sources in firings_by_hour(tx, now=now, hours=_USUAL_HOURS).items():
        going_on = {
            sources: by_hour[: past + 1]
            for sources, by_hour in by_sources.items()
            if not any((rule, source) in stopped for source in ("", *sources))
        }
        count, *usual = [sum(hour) for hour in zip(*going_on.values(), strict=True)] or [0]
        if usual and rule not in resumed and is_runaway(count, usual):
            source = doubtful_source(going_on) or ""
            facts = {"rule": rule, "count": count, "usual_per_hour": round(sum(usual) / len(usual), 1)}
            if stop_rule_row(tx, rule, by=ROBOT, facts=facts, now=now, source=source):
                stopped.add((rule, source))
                facts["names"] = sorted({name for _, name in stopped if name})
                raise_alarm(tx, AlarmCode.RULE_STOPPED, now=now, facts=facts)
    _tell_of_held(tx, now=now)
    if silent := silent_sources(tx, now=now):
        raise_alarm_once(tx, AlarmCode.SIGNALS_SILENT, now=now, names=silent[:_SHOWN])


def _tell_of_held(tx: Tx, *, now: datetime) -> None:
    """Raises an alarm while verdicts have been held for minutes, and again an hour after somebody acknowledged it."""
    held = held_since(tx, now - timedelta(minutes=HELD_MINUTES))
    if held:
        facts = {"verdicts": sum(held.values()), "grades": {grade.value: n for grade, n in held.items()}}
        raise_alarm_once(tx, AlarmCode.VERDICTS_HELD, now=now, facts=facts, again_after=_TOLD_AGAIN)


def check_quality(tx: Tx, *, now: datetime) -> None:
    """Raises an alarm for rules that are right less often than before, and one for figures that have drifted. Reads
    months of verdicts: once an hour is enough.
    """
    worse = worse_rules(tx, now=now)[:_SHOWN]
    if worse:
        facts: dict[str, object] = {
            "rules": [
                {"rule": rule, "before": list(before), "now": list(recent)} for rule, before, recent in worse
            ]
        }
        names = [rule for rule, _, _ in worse]
        raise_alarm_once(tx, AlarmCode.RULE_WORSE, now=now, facts=facts, names=names)
    drifted = drifted_figures(tx, now=now)
    if drifted:
        figures = {name: round(value, 2) for name, value in drifted[:_SHOWN]}
        facts = {"figures": figures}
        raise_alarm_once(tx, AlarmCode.SIGNALS_DRIFTED, now=now, facts=facts, names=list(figures))


def drifted_figures(tx: Tx, *, now: datetime) -> list[tuple[str, float]]:
    """Figures of rules, as `rule.feature`, whose population stability index of the last day against the week before is
    `DRIFTED` or more, the largest first.
    """
    today = figures_of_rules(tx, start=now - _TODAY, end=now)
    before = figures_of_rules(tx, start=now - _WEEK, end=now - _TODAY)
    found = []
    for name, values in today.items():
        usual = before.get(name, [])
        if min(len(values), len(usual)) >= _LEAST_FIGURES:
            value = psi(*_histograms(usual, values))
            if value >= DRIFTED:
                found.append((name, value))
    return sorted(found, key=lambda drift: (-drift[1], drift[0]))


def _histograms(usual: Sequence[int], values: Sequence[int]) -> tuple[list[int], list[int]]:
    """Histograms of both over the tenths of the usual values."""
    ordered = sorted(usual)
    edges = sorted({ordered[len(ordered) * n // _BINS] for n in range(1, _BINS)})

    def counts(of: Sequence[int]) -> list[int]:
        bins = [0] * (len(edges) + 1)
        for figure in of:
            bins[bisect_right(edges, figure)] += 1
        return bins

    return counts(usual), counts(values)
