"""Evaluates stored signals again, by the live rules and, beside them, by a draft: nothing is stored and nobody is
warned.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dialer.core.values import Grade
from dialer.runtime.services import Services
from dialer.signals.budget import BudgetPolicy, needed_hours
from dialer.signals.evaluation import Evaluator
from dialer.signals.rule_store import rule_version_by_number
from dialer.signals.store import SignalCodec, read_period, start_of_newest
from dialer.signals.versions import EvaluatorRules, live_rules, parse_version

_AT_ONCE: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """A draft beside the live rules: how many persons it warns, how many only it warns (`new`), only the live rules
    warn (`lost`) and both warn with another grade (`regraded`), and the hours of lines and desks that its warnings
    need.
    """

    version: int
    fingerprint: str
    warnings: int
    new: int
    lost: int
    regraded: int
    line_hours: float
    desk_hours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The result of a replay. `fingerprint` is that of the verdicts: the same signals and rules give the same one."""

    start: datetime
    signals: int
    seconds: float
    fingerprint: str
    warnings: int
    line_hours: float
    desk_hours: float
    shadow: Shadow | None


class _Run:
    def __init__(self, rules: EvaluatorRules, late_seconds: int) -> None:
        self.evaluator = Evaluator(
            rules.rules, rules.scorecard, allowed_lateness=timedelta(seconds=late_seconds)
        )
        self.grades: dict[bytes, Grade] = {}

    def hours(self) -> tuple[float, float]:
        return needed_hours(Counter(self.grades.values()), BudgetPolicy())


def replay(
    services: Services, *, start: datetime, end: datetime, draft: int | None = None, most: int | None = None
) -> Replay:
    """Evaluates all signals that arrived from `start` to before `end`, by the live rules and, if given, by version
    `draft`. With `most` it begins later, if that many have arrived since. Raises `NotFound`.
    """
    began = time.monotonic()
    codec, late = SignalCodec(services.store.vault), services.signals.late_seconds
    with services.store.begin() as tx:
        if most is not None:
            start = start_of_newest(tx, most, since=start, until=end)
        live = _Run(live_rules(tx), late)
        other = None if draft is None else _Run(parse_version(rule_version_by_number(tx, draft)), late)
    runs = [live] if other is None else [live, other]
    after = count = 0
    while True:
        with services.store.begin() as tx:
            rows = read_period(tx, after=after, start=start, end=end, limit=_AT_ONCE)
        if not rows:
            break
        after, count = rows[-1]["seq"], count + len(rows)
        signals = [codec.open(row).signal for row in rows]
        for run in runs:
            for _, verdict in run.evaluator.apply_all(signals):
                if verdict.grade is None:
                    run.grades.pop(verdict.person, None)
                else:
                    run.grades[verdict.person] = verdict.grade
    lines, desks = live.hours()
    return Replay(
        start=start,
        signals=count,
        seconds=round(time.monotonic() - began, 2),
        fingerprint=live.evaluator.fingerprint(),
        warnings=len(live.grades),
        line_hours=lines,
        desk_hours=desks,
        shadow=None if other is None or draft is None else _shadow(live, other, draft),
    )


def _shadow(live: _Run, other: _Run, version: int) -> Shadow:
    both = live.grades.keys() & other.grades.keys()
    lines, desks = other.hours()
    return Shadow(
        version=version,
        fingerprint=other.evaluator.fingerprint(),
        warnings=len(other.grades),
        new=len(other.grades.keys() - both),
        lost=len(live.grades.keys() - both),
        regraded=sum(live.grades[person] is not other.grades[person] for person in both),
        line_hours=lines,
        desk_hours=desks,
    )
