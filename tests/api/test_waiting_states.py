"""Warnings of a source, whatever it sends and people decide: each waits, is refused, or is stored once."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import ClassVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from dialer.core.access import unrestricted
from dialer.core.errors import Conflict
from dialer.core.sources import SourceLimits
from dialer.db import tables as t
from dialer.intake.records import Field
from dialer.runtime.services import Services
from dialer.staff.sign_in import add_token
from dialer.warnings.deliveries import WarningStatus, read_warnings, take_deliveries
from dialer.warnings.held_store import HeldList
from dialer.warnings.lists import load_list
from dialer.warnings.source_limits import (
    change_source,
    read_source,
    refuse_waiting,
    release_waiting,
    waiting_warnings,
)
from tests.api.office import Opener
from tests.clock import FrozenClock
from tests.outcomes.town import MORNING

CHIEF = unrestricted("chief")
MOST, MOST_URGENT = 3, 2
NAMES = itertools.count(1)


@pytest.fixture
def services(environment: dict[str, str], opened: Opener) -> Services:
    clock = FrozenClock(MORNING)
    return replace(opened(environment).services, clock=clock, real=clock, enqueue=lambda *_: None)


class Warnings(RuleBasedStateMachine):
    services: ClassVar[Services]

    @initialize()
    def begin(self) -> None:
        self.name = f"source{next(NAMES)}"
        self.token = add_token(
            self.services, CHIEF, name=self.name, scopes=["warnings:write"], days=9, unit=""
        ).token
        limits = SourceLimits(per_hour=MOST, extra_high_per_hour=MOST_URGENT, most_amount_fen=100)
        change_source(self.services, CHIEF, self.name, limits, on_probation=False, why="test")
        self.sent: set[str] = set()
        self.refused = 0
        self.loading: set[int] = set()
        self.ended: set[int] = set()

    @rule(
        grades=st.lists(st.sampled_from(["低危", "高危", "特高危"]), min_size=1, max_size=4),
        amount=st.sampled_from(["", "1", "2"]),
    )
    def send(self, grades: list[str], amount: str) -> None:
        sent = [
            {
                Field.INSTRUCTION_NO: f"N{n}",
                Field.PHONE: f"138{self.token.id:04d}{n:04d}",
                Field.GRADE: grade,
                Field.AMOUNT_AT_RISK: amount,
            }
            for n, grade in enumerate(grades, len(self.sent))
        ]
        [told] = take_deliveries(self.services, [read_warnings(self.services, sent, token=self.token)])
        assert {one.status for one in told} == {WarningStatus.ACCEPTED}
        self.sent |= {one.instruction_no for one in told}

    @rule(which=st.integers(0, 9))
    def release(self, which: int) -> None:
        waiting = self.waiting()
        if waiting:
            chosen = waiting[which % len(waiting)].id
            release_waiting(self.services, CHIEF, [chosen])
            self.loading.add(chosen)

    @rule()
    def load(self) -> None:
        for load_id in self.loading:
            assert load_list(self.services, load_id)
        self.ended |= self.loading
        self.loading = set()

    @rule(which=st.integers(0, 9))
    def refuse(self, which: int) -> None:
        waiting = self.waiting()
        if waiting:
            chosen = waiting[which % len(waiting)]
            self.refused += refuse_waiting(self.services, CHIEF, [chosen.id], why="test")
            self.ended.add(chosen.id)

    @rule()
    def decide_again(self) -> None:
        for load_id in self.ended | self.loading:
            with pytest.raises(Conflict):
                release_waiting(self.services, CHIEF, [load_id])
            with pytest.raises(Conflict):
                refuse_waiting(self.services, CHIEF, [load_id], why="test")

    @rule(seconds=st.sampled_from([1, 60, 3600]))
    def wait(self, seconds: int) -> None:
        assert isinstance(self.services.clock, FrozenClock)
        self.services.clock.advance(seconds)

    def waiting(self) -> list[HeldList]:
        return waiting_warnings(self.services, source=self.name)

    @invariant()
    def none_is_lost_and_none_is_stored_twice(self) -> None:
        w, c = t.warning.c, t.list_load.c
        with self.services.store.begin() as tx:
            stored = [
                row["instruction_no"]
                for row in tx.rows(sa.select(w.instruction_no).where(w.source == self.name))
            ]
            released = tx.scalar(
                sa.select(sa.func.coalesce(sa.func.sum(c.total), 0)).where(c.id.in_(self.loading))
            )
        waits = sum(one.total for one in waiting_warnings(self.services, source=self.name))
        assert len(stored) == len(set(stored))
        assert set(stored) <= self.sent
        assert len(stored) + int(released) + waits + self.refused == len(self.sent)

    @invariant()
    def what_goes_on_without_a_person_is_within_the_limits(self) -> None:
        w = t.warning.c
        sent = read_source(self.services, self.name).sent
        hour_at = self.services.clock.now().replace(minute=0, second=0, microsecond=0)
        with self.services.store.begin() as tx:
            went_on = [
                (row["grade"], row["amount_at_risk_fen"] or 0)
                for row in tx.rows(
                    sa.select(w.grade, w.amount_at_risk_fen).where(
                        w.source == self.name, w.load_id.is_(None), w.loaded_at >= hour_at
                    )
                )
            ]
        urgent = [grade for grade, _ in went_on if grade == "extra_high"]
        assert len(urgent) <= min(MOST_URGENT, sent.extra_high_in_hour)
        assert len(went_on) - len(urgent) <= min(MOST, sent.in_hour)
        assert all(amount <= 100 for _, amount in went_on)


def test_whatever_is_sent_and_decided_no_warning_is_lost(services: Services):
    machine = type("WarningsOfOne", (Warnings,), {"services": services})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=6,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
