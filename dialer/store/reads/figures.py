"""Every number of a report, set by set: one statement a kind of record, each giving the whole, every grade and every
fraud type at once. Read in one snapshot, so that the numbers agree. Always exact, and slow over millions: `rolled`
gives the same from sums of days, and is held to this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from dialer.domain.values import AmountKind, FraudType, Grade, TelephonyResult
from dialer.outcomes.counts import COUNTED, Counts
from dialer.outcomes.figures import Figures, FirstAttempt, Money, Slice
from dialer.outcomes.period import Period
from dialer.store.reads.figures_sql import LEFT_OUT, STATEMENTS
from dialer.store.unit_of_work import Tx

Key = tuple[str | None, str | None]
"""(grade, fraud type) of a slice; two Nones are the whole."""

WHOLE: Key = (None, None)

Numbers = dict[Key, dict[str, Any]]
"""The numbers of each slice by the names of `figures_sql`; what is missing is none."""


def figures(tx: Tx, period: Period, *, drill: bool, now: datetime) -> Figures:
    """The figures of a window, as things stand at `now`; of drill records when `drill`, else of the others."""
    numbers = gather(tx, STATEMENTS, period, drill=drill, now=now)
    return told(numbers, left_out=left_out(tx, LEFT_OUT, period, drill=drill))


def gather(tx: Tx, kinds: Iterable[str], period: Period, *, drill: bool, now: datetime) -> Numbers:
    """The numbers of these kinds of record, counted from the records themselves."""
    given = {"start": period.start, "end": period.end, "drill": drill, "now": now}
    gathered: Numbers = {WHOLE: {}}
    for kind in kinds:
        for row in tx.rows(STATEMENTS[kind], given):
            gathered.setdefault((row["grade"], row["fraud_type"]), {}).update(row)
    return gathered


def left_out(tx: Tx, kinds: Iterable[str], period: Period, *, drill: bool) -> dict[str, int]:
    """Drill records of these kinds; in a drill nothing is left out."""
    given = {"start": period.start, "end": period.end}
    return {kind: 0 if drill else int(tx.scalar(LEFT_OUT[kind], given)) for kind in kinds}


def told(numbers: Numbers, *, left_out: Mapping[str, int]) -> Figures:
    return Figures(
        total=slice_of(numbers[WHOLE]),
        by_grade={g: slice_of(numbers.get((g.value, None), {})) for g in Grade},
        by_fraud_type={f: slice_of(numbers.get((None, f.value), {})) for f in FraudType},
        left_out=dict(left_out),
    )


def slice_of(numbers: Mapping[str, Any]) -> Slice:
    """One slice of numbers named as in `figures_sql`."""
    return Slice(
        counts=Counts(
            **{name: numbers.get(name, 0) for name in COUNTED},
            results={result: numbers.get(f"result_{result.value}", 0) for result in TelephonyResult},
        ),
        first_attempt=FirstAttempt(
            cases=numbers.get("first_cases", 0),
            p50_seconds=numbers.get("p50_seconds"),
            p90_seconds=numbers.get("p90_seconds"),
        ),
        amounts={kind: _money(numbers, kind) for kind in AmountKind},
    )


def _money(numbers: Mapping[str, Any], kind: AmountKind) -> Money:
    return Money(
        approved_fen=int(numbers.get(f"{kind.value}_approved_fen", 0)),
        unapproved_fen=int(numbers.get(f"{kind.value}_unapproved_fen", 0)),
        reversed_fen=int(numbers.get(f"{kind.value}_reversed_fen", 0)),
    )
