"""Every number of a report, set by set: one statement a kind of record, each giving the whole, every grade and every
fraud type at once. Read in one snapshot, so that the numbers agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dialer.domain.values import AmountKind, FraudType, Grade, TelephonyResult
from dialer.outcomes.counts import COUNTED, Counts
from dialer.outcomes.figures import Figures, FirstAttempt, Money, Slice
from dialer.outcomes.period import Period
from dialer.store.reads.figures_sql import LEFT_OUT, STATEMENTS
from dialer.store.unit_of_work import Row, Tx

_COUNTED = frozenset(COUNTED)

_Key = tuple[str | None, str | None]
"""(grade, fraud type) of a slice; two Nones are the whole."""


@dataclass(slots=True)
class _Gathered:
    counts: dict[str, Any] = field(default_factory=dict)
    first: FirstAttempt = field(default_factory=FirstAttempt)
    amounts: dict[AmountKind, Money] = field(default_factory=dict)
    results: dict[TelephonyResult, int] = field(default_factory=dict)

    def slice(self) -> Slice:
        return Slice(
            counts=Counts(**self.counts, results={r: self.results.get(r, 0) for r in TelephonyResult}),
            first_attempt=self.first,
            amounts={kind: self.amounts.get(kind, Money()) for kind in AmountKind},
        )


def figures(tx: Tx, period: Period, *, drill: bool, now: datetime) -> Figures:
    """The figures of a window, as things stand at `now`; of drill records when `drill`, else of the others."""
    given = {"start": period.start, "end": period.end, "drill": drill, "now": now}
    gathered: dict[_Key, _Gathered] = {(None, None): _Gathered()}
    left_out: dict[str, int] = {}
    for name, statement in STATEMENTS.items():
        for row in tx.rows(statement, given):
            key = (row["grade"], row["fraud_type"])
            _add(gathered.setdefault(key, _Gathered()), row)
        left_out[name] = 0 if drill else int(tx.scalar(LEFT_OUT[name], given))
    return Figures(
        total=gathered[None, None].slice(),
        by_grade={g: gathered.get((g.value, None), _Gathered()).slice() for g in Grade},
        by_fraud_type={f: gathered.get((None, f.value), _Gathered()).slice() for f in FraudType},
        left_out=left_out,
    )


def _add(into: _Gathered, row: Row) -> None:
    for name, value in row.items():
        if name in _COUNTED:
            into.counts[name] = value
        elif name.startswith("result_"):
            into.results[TelephonyResult(name.removeprefix("result_"))] = value
    if "p50_seconds" in row:
        into.first = FirstAttempt(
            cases=row["first_cases"], p50_seconds=row["p50_seconds"], p90_seconds=row["p90_seconds"]
        )
    if "intended_approved_fen" in row:
        for kind in AmountKind:
            into.amounts[kind] = Money(
                approved_fen=int(row[f"{kind.value}_approved_fen"]),
                unapproved_fen=int(row[f"{kind.value}_unapproved_fen"]),
                reversed_fen=int(row[f"{kind.value}_reversed_fen"]),
            )
