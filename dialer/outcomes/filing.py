"""Which of a person's cases a filed police case speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from dialer.domain.case import Case, CaseStatus
from dialer.domain.incident import same_incident
from dialer.domain.values import FraudType

LOOK_BACK = timedelta(days=180)
"""A case opened longer ago is not taken for the cause of what is filed now, unless it is open or watched still."""

_RUNNING = frozenset({CaseStatus.OPEN, CaseStatus.WATCHING})


def concerned(cases: Sequence[Case], *, fraud_type: FraudType, now: datetime) -> tuple[Case, ...]:
    """All that are open or watched; without any, the newest of the last `LOOK_BACK`. A known fraud type leaves out
    cases of another known one. In doubt it counts against us, never for us.
    """
    alike = [case for case in cases if same_incident(case.fraud_type, fraud_type)]
    running = tuple(case for case in alike if case.status in _RUNNING)
    if running:
        return running
    recent = [case for case in alike if case.opened_at > now - LOOK_BACK]
    return tuple(sorted(recent, key=lambda case: (case.opened_at, case.id))[-1:])
