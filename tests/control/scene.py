"""Cases that go through the state machine, so that rows and cases agree until a test makes them differ."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from dialer.calls.claims import ClaimedAttempt, claim_attempts, promote_planned
from dialer.calls.pacing import LineGroup, configure_line_group, lock_line_group
from dialer.cases.effects import PendingWrites, write_effects
from dialer.cases.store import NewCases, StoredCase, insert_cases, lock_cases, take_next_ids
from dialer.core.case import Case
from dialer.core.decide import decide
from dialer.core.events import CaseOpened
from dialer.core.values import FraudType, Grade
from dialer.db import tables as t
from dialer.runtime.services import Application
from tests.outcomes.town import Scenario

Assemble = Callable[..., Application]
"""Makes an application as an entry point does, with variables of its environment."""


class Scene(Scenario):
    """As a town, with a line group of its own."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.lines(calls_per_second=100.0, lines=50)

    def lines(self, *, calls_per_second: float, lines: int) -> None:
        with self.tx() as tx:
            configure_line_group(
                tx,
                calls_per_second=calls_per_second,
                lines=lines,
                real_now=self.services.real.now(),
            )

    def open_case(
        self,
        *,
        grade: Grade = Grade.MEDIUM,
        unit: str = "",
        load_id: int | None = None,
        person_id: int | None = None,
        fraud_type: FraudType = FraudType.LOAN,
        **fields: Any,  # noqa: ANN401 - fields of a case
    ) -> int:
        """A case as the machine opens it, with all its rows."""
        owner = person_id if person_id is not None else self.person()
        now = self.clock.now()
        with self.tx() as tx:
            case_id = take_next_ids(tx, t.case, 1)[0]
            made = Case(
                id=case_id,
                grade=grade,
                fraud_type=fraud_type,
                opened_at=now,
                policy_version=self.policy_version,
                numbers=1,
                **fields,
            )
            decision = decide(made, CaseOpened(), now, self.services.policies.of(self.policy_version))
            stored = StoredCase(
                case=decision.case,
                person_id=owner,
                source="bureau",
                unit=unit,
                drill=self.drill,
                first_attempt_at=None,
            )
            insert_cases(tx, [NewCases(load_id).row(stored)])
            pending_writes = PendingWrites(now=now)
            pending_writes.enter(replace(stored, case=decision.case), decision.effects)
            write_effects(tx, pending_writes)
        return case_id

    def case_of(self, case_id: int) -> Case:
        with self.tx() as tx:
            return lock_cases(tx, [case_id])[case_id].case

    def attempts_of(self, case_id: int) -> list[dict[str, Any]]:
        return self.rows(sa.select(t.attempt).where(t.attempt.c.case_id == case_id).order_by(t.attempt.c.n))

    def attempt_of(self, case_id: int) -> dict[str, Any]:
        """The newest."""
        return self.attempts_of(case_id)[-1]

    def assignments_of(self, case_id: int) -> list[dict[str, Any]]:
        return self.rows(
            sa.select(t.assignment).where(t.assignment.c.case_id == case_id).order_by(t.assignment.c.id)
        )

    def alarms_of(self, case_id: int | None) -> dict[str, int]:
        """Unseen ones by code, and how often each was raised."""
        same = t.alarm.c.case_id.is_(None) if case_id is None else t.alarm.c.case_id == case_id
        found = self.rows(sa.select(t.alarm).where(same, t.alarm.c.seen_at.is_(None)))
        return {row["code"]: row["times"] for row in found}

    def rows(self, statement: sa.Executable) -> list[dict[str, Any]]:
        with self.tx() as tx:
            return [dict(row) for row in tx.rows(statement)]

    def do(self, statement: sa.Executable) -> None:
        with self.tx() as tx:
            tx.execute(statement)

    def change_attempt(self, attempt_id: uuid.UUID, **columns: object) -> None:
        self.do(sa.update(t.attempt).where(t.attempt.c.id == attempt_id).values(**columns))

    def change_case(self, case_id: int, **columns: object) -> None:
        self.do(sa.update(t.case).where(t.case.c.id == case_id).values(**columns))

    def put_live_number(self, blind: bytes, attempt_id: uuid.UUID) -> None:
        self.do(sa.insert(t.live_number).values(phone_blind=blind, attempt_id=attempt_id))

    def group(self) -> LineGroup:
        with self.tx() as tx:
            group = lock_line_group(tx)
        assert group is not None
        return group

    def claim(self, *, at_most: int = 100) -> list[ClaimedAttempt]:
        """What a worker would claim this very moment."""
        rules = self.services.lines
        with self.tx() as tx:
            now = self.clock.now()
            promote_planned(tx, now=now)
            group = lock_line_group(tx)
            assert group is not None
            claim = claim_attempts(
                tx,
                group,
                now=now,
                real_now=self.services.real.now(),
                horizon_seconds=rules.horizon_seconds,
                lease_seconds=rules.lease_seconds,
                at_most=at_most,
                number_retry_seconds=60.0,
            )
            return list(claim.attempts)

    def claimed_cases(self) -> list[int]:
        return [claimed.case_id for claimed in self.claim()]

    def later(self, **delta: float) -> datetime:
        return self.clock.advance(timedelta(**delta).total_seconds())
