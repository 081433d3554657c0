"""How new cases begin, many at one moment: decided once for all that are alike.

What `decide` makes of an opened case depends on its grade, on whether it came expired and on whether somebody is under
age; the rest is copied, and the place in the queue is reckoned for each.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from dialer.domain.case import Case
from dialer.domain.effects import Effect, OpenErrand, PlanAttempt
from dialer.domain.events import CaseOpened
from dialer.domain.machine import Decision, decide
from dialer.domain.policy import Policy
from dialer.domain.urgency import urgency
from dialer.domain.values import Grade, Tag


class Openings:
    """Decisions at one moment under one policy; each is what `decide` would give."""

    def __init__(self, *, now: datetime, policy: Policy) -> None:
        self._now = now
        self._policy = policy
        self._known: dict[tuple[Grade, bool, bool], Decision] = {}

    def decide(self, case: Case) -> Decision:
        """The decision of a case that has just been made: nothing has happened to it yet."""
        kind = (case.grade, case.missed, Tag.MINOR in case.tags)
        known = self._known.get(kind)
        if known is None:
            known = self._known[kind] = decide(case, CaseOpened(), self._now, self._policy)
            return known
        at = urgency(
            grade=case.grade,
            opened_at=case.opened_at,
            expires_at=case.expires_at,
            amount_at_risk_fen=case.amount_at_risk_fen,
            policy=self._policy.urgency,
        ).at
        like = known.case
        opened = Case(
            id=case.id,
            grade=case.grade,
            fraud_type=case.fraud_type,
            opened_at=case.opened_at,
            policy_version=case.policy_version,
            numbers=case.numbers,
            expires_at=case.expires_at,
            amount_at_risk_fen=case.amount_at_risk_fen,
            missed=case.missed,
            tags=case.tags,
            robot=like.robot,
            human=like.human,
            visit=like.visit,
        )
        return Decision(case=opened, effects=tuple([_placed(effect, at) for effect in known.effects]))


def _placed(effect: Effect, at: datetime) -> Effect:
    """The effect at its own place in the queue."""
    match effect:
        case PlanAttempt():
            return PlanAttempt(
                n=effect.n,
                number=effect.number,
                not_before=effect.not_before,
                urgency_at=at,
                windowed=effect.windowed,
                reason=effect.reason,
            )
        case OpenErrand():
            return replace(effect, urgency_at=at)
        case _:
            return effect
