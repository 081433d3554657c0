"""The order of ringing as a virtual deadline: earlier goes first, an index can sort it, waiting ages by itself.

A ring's place is the moment its case opened, moved forward by what grade, amount and expiry are worth. Since
the moment itself is part of it, whoever waits longest gains, and nobody starves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.domain.policy import UrgencyPolicy
from dialer.domain.values import Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class Urgency:
    """`at` is the virtual deadline; the parts, in seconds of waiting each is worth, add up to it."""

    opened_at: datetime
    grade_seconds: int
    amount_seconds: int
    expiry_seconds: int

    @property
    def at(self) -> datetime:
        return self.opened_at - timedelta(
            seconds=self.grade_seconds + self.amount_seconds + self.expiry_seconds
        )


def urgency(
    *,
    grade: Grade,
    opened_at: datetime,
    expires_at: datetime | None,
    amount_at_risk_fen: int | None,
    policy: UrgencyPolicy,
) -> Urgency:
    """The virtual deadline of a case's next ring. Amount in fen; None where no list said one."""
    amount_seconds = 0
    if amount_at_risk_fen is not None and amount_at_risk_fen > policy.amount_floor_fen:
        tenfolds = math.log10(amount_at_risk_fen / policy.amount_floor_fen)
        amount_seconds = int(tenfolds * policy.amount_seconds_per_tenfold)
    expiry_seconds = 0
    if expires_at is not None:
        left = (expires_at - opened_at).total_seconds()
        expiry_seconds = int(max(0, policy.expiry_horizon_seconds - max(0, left)))
    return Urgency(
        opened_at=opened_at,
        grade_seconds=policy.grade_seconds[grade],
        amount_seconds=amount_seconds,
        expiry_seconds=expiry_seconds,
    )
