"""What is decided when a row is claimed, against real PostgreSQL: random plans, claims, losses and ends.

One live call a number, never more lines than set, evenly spaced slots, the urgent first, nothing while paused or
before its time, one valid token an attempt.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dialer.calls.claims import (
    ClaimedAttempt,
    Sending,
    claim_attempts,
    mark_attempts_sending,
    promote_planned,
)
from dialer.calls.pacing import configure_line_group, lock_line_group, pause_line_group
from dialer.cases.attempts import release_lapsed_claims, release_numbers
from dialer.cases.persons import KnownPerson, Person, write_people
from dialer.cases.store import NewCases, StoredCase, insert_cases
from dialer.core.attempt import LIVE_STATES
from dialer.core.case import Case
from dialer.core.values import FraudType, Grade
from dialer.db import tables as t
from dialer.db.keys import Keys
from dialer.db.unit_of_work import Row, Store
from dialer.db.vault import Vault

NOON = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
PHONES = tuple(f"+861990000000{n}" for n in range(4))
PEOPLE = 8
LINES = 2
PER_SECOND = 2.0
HORIZON = 1.0
LEASE = 20.0
SPACING = 60


@pytest.fixture(scope="module")
def store(module_database: str) -> Iterator[Store]:
    keys = Keys.of(encryption={1: bytes([1]) * 32}, index=bytes([9]) * 32, current=1)
    made = Store(module_database, Vault(keys), pool_size=2)
    with made.begin() as tx:
        tx.execute(
            sa.insert(t.policy_version).values(version=1, content={}, content_hash=b"1", created_at=NOON)
        )
        known = [
            KnownPerson(
                id=n,
                id_number=None,
                person=Person(
                    name=f"甲{n}", phones=(PHONES[n % 4],), id_number="", address="", family_contact=""
                ),
                is_new=True,
            )
            for n in range(1, PEOPLE + 1)
        ]
        write_people(tx, known, [], now=NOON)
        for n in range(1, PEOPLE + 1):
            case = Case(
                id=n,
                grade=Grade.MEDIUM,
                fraud_type=FraudType.LOAN,
                opened_at=NOON,
                policy_version=1,
                numbers=1,
                expires_at=NOON + timedelta(days=300),
            )
            stored = StoredCase(
                case=case, person_id=n, source="s", unit="", drill=False, first_attempt_at=None
            )
            insert_cases(tx, [NewCases(None).row(stored)])
    yield made
    made.dispose()


class ClaimStory(RuleBasedStateMachine):
    store: Store

    @initialize()
    def begin(self) -> None:
        self.now = NOON
        self.n = dict.fromkeys(range(1, PEOPLE + 1), 0)
        self.open: dict[uuid.UUID, int] = {}
        self.tokens: dict[uuid.UUID, int] = {}
        self.stale: list[ClaimedAttempt] = []
        self.held: list[ClaimedAttempt] = []
        self.left: list[datetime] = []
        self.resting: dict[str, datetime] = {}
        self.paused = False
        with self.store.begin() as tx:
            tx.execute(sa.text("DELETE FROM live_number"))
            tx.execute(sa.text("DELETE FROM attempt"))
            tx.execute(sa.text("DELETE FROM line_group"))
            configure_line_group(tx, calls_per_second=PER_SECOND, lines=LINES, real_now=self.now)

    @rule(
        who=st.integers(1, PEOPLE),
        urgency=st.integers(0, 50),
        later=st.sampled_from([0, 0, 30, 300]),
        windowed=st.booleans(),
        order=st.integers(0, 99),
    )
    def plan(self, who: int, urgency: int, later: int, order: int, *, windowed: bool) -> None:
        if who in self.open.values():
            return
        self.n[who] += 1
        attempt_id = uuid.UUID(int=(order << 64) + sum(self.n.values()))
        with self.store.begin() as tx:
            tx.execute(
                sa.insert(t.attempt).values(
                    id=attempt_id,
                    case_id=who,
                    person_id=who,
                    n=self.n[who],
                    number=0,
                    state="planned" if later else "ready",
                    reason="retry",
                    windowed=windowed,
                    urgency_at=NOON + timedelta(seconds=urgency),
                    not_before=self.now + timedelta(seconds=later),
                    planned_at=self.now,
                    contact="none",
                    answer="none",
                    drill=False,
                )
            )
        self.open[attempt_id] = who

    @rule(seconds=st.sampled_from([0.2, 1, 5, 25, 70, 400]))
    def time_goes_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def pause_or_resume(self) -> None:
        self.paused = not self.paused
        until = self.now + timedelta(days=1) if self.paused else None
        with self.store.begin() as tx:
            pause_line_group(tx, until=until, why="test")

    @rule()
    def claim(self) -> None:
        with self.store.begin() as tx:
            promote_planned(tx, now=self.now)
            ready = tx.rows(
                sa.select(t.attempt).where(t.attempt.c.state == "ready").order_by(t.attempt.c.urgency_at)
            )
            group = lock_line_group(tx)
            assert group is not None
            claimed = claim_attempts(
                tx,
                group,
                now=self.now,
                real_now=self.now,
                horizon_seconds=HORIZON,
                lease_seconds=LEASE,
                at_most=100,
                number_retry_seconds=SPACING,
                closed_until=lambda _number: None,
            ).attempts
        assert not (self.paused and claimed)
        chosen = {one.attempt_id for one in claimed}
        by_id = {row["id"]: row for row in ready}
        for one in claimed:
            row = by_id[one.attempt_id]
            assert row["not_before"] <= self.now
            assert self.resting.get(one.to, self.now) <= self.now
            assert one.token == row["token"] + 1
            assert self.now <= one.send_at < self.now + timedelta(seconds=HORIZON)
        taken = {one.to for one in claimed} | {one.to for one in self.held}
        if claimed:
            last = max(by_id[one.attempt_id]["urgency_at"] for one in claimed)
            for row in ready:
                number = PHONES[row["person_id"] % 4]
                if row["id"] not in chosen and row["urgency_at"] < last:
                    # More urgent and passed over: only since its number rings or rests.
                    assert number in taken or self.resting.get(number, self.now) > self.now
        self.left += [one.send_at for one in claimed]
        self.stale += [one for one in self.held if one.attempt_id in chosen]
        self.held += claimed

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def send(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.held))
        alive = self.now < one.send_at + timedelta(seconds=LEASE / 2)
        before = self._row(one.attempt_id)
        allowed = self._mark(one)
        if allowed:
            assert before["state"] == "claimed"
            assert before["token"] == one.token
            assert before["lease_until"] > self.now
        elif alive and before["state"] == "claimed" and before["token"] == one.token:
            raise AssertionError("a valid claim was refused")

    @precondition(lambda self: self.stale)
    @rule(data=st.data())
    def a_stale_token_never_sends(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.stale))
        if self._row(one.attempt_id)["token"] != one.token:
            assert not self._mark(one)

    @rule()
    def leases_lapse(self) -> None:
        with self.store.begin() as tx:
            release_lapsed_claims(tx, real_now=self.now, now=self.now)
        for one in list(self.held):
            row = self._row(one.attempt_id)
            if row["state"] in {"planned", "ready"}:
                assert row["token"] > one.token
                self.held.remove(one)
                self.stale.append(one)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.held))
        free_at = self.now + timedelta(seconds=SPACING)
        with self.store.begin() as tx:
            tx.execute(
                sa.update(t.attempt)
                .where(t.attempt.c.id == one.attempt_id)
                .values(state="ended", result="no_answer", ended_at=self.now)
            )
            release_numbers(tx, [one.attempt_id], free_at=free_at)
        self.resting[one.to] = free_at
        self.held.remove(one)
        self.open.pop(one.attempt_id, None)

    def _mark(self, one: ClaimedAttempt) -> bool:
        sending = Sending(
            attempt_id=one.attempt_id, token=one.token, script_id="s", script_hash="h", language="zh"
        )
        with self.store.begin() as tx:
            return bool(
                mark_attempts_sending(tx, [sending], now=self.now, real_now=self.now, poll_at=self.now)
            )

    def _row(self, attempt_id: uuid.UUID) -> Row:
        with self.store.begin() as tx:
            row = tx.one(sa.select(t.attempt).where(t.attempt.c.id == attempt_id))
        assert row is not None
        return row

    @invariant()
    def one_live_call_a_number_and_no_line_too_many(self) -> None:
        if not hasattr(self, "held"):
            return
        with self.store.begin() as tx:
            live = tx.rows(
                sa.select(t.attempt.c.id, t.attempt.c.person_id).where(t.attempt.c.state.in_(LIVE_STATES))
            )
            holding = tx.rows(
                sa.select(t.live_number.c.attempt_id).where(t.live_number.c.attempt_id.is_not(None))
            )
        assert {row["id"] for row in live} == {row["attempt_id"] for row in holding}
        numbers = [PHONES[row["person_id"] % 4] for row in live]
        assert len(numbers) == len(set(numbers))
        assert len(live) <= LINES

    @invariant()
    def calls_leave_evenly(self) -> None:
        left = getattr(self, "left", [])
        for earlier, later in pairwise(left):
            assert (later - earlier).total_seconds() >= 1 / PER_SECOND


@pytest.mark.hypothesis
def test_the_claim_keeps_its_promises(store: Store):
    story = type("Story", (ClaimStory,), {"store": store})
    run_state_machine_as_test(
        story,
        settings=settings(
            stateful_step_count=40,
            # Each step is a transaction: a story is told as it failed, not shortened for minutes.
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("turn", range(6))
def test_the_two_most_urgent_of_both_kinds_get_the_two_lines_in_order(store: Store, turn: int):
    """Rings that wait for the window and rings that do not are one queue, whatever their ids are."""
    with store.begin() as tx:
        for table in ("live_number", "attempt", "line_group"):
            tx.execute(sa.text(f"DELETE FROM {table}"))
        configure_line_group(tx, calls_per_second=50, lines=LINES, real_now=NOON)
        ids = [uuid.UUID(int=(place + turn) % 4 + 1) for place in range(4)]
        for place, attempt_id in enumerate(ids):
            tx.execute(
                sa.insert(t.attempt).values(
                    id=attempt_id,
                    case_id=place + 1,
                    person_id=place + 1,
                    n=1,
                    number=0,
                    state="ready",
                    reason="retry",
                    windowed=(place + turn) % 2 == 0,
                    urgency_at=NOON + timedelta(seconds=place),
                    not_before=NOON,
                    planned_at=NOON,
                    contact="none",
                    answer="none",
                    drill=False,
                )
            )
        group = lock_line_group(tx)
        assert group is not None
        claimed = claim_attempts(
            tx,
            group,
            now=NOON,
            real_now=NOON,
            horizon_seconds=HORIZON,
            lease_seconds=LEASE,
            at_most=100,
            number_retry_seconds=SPACING,
        ).attempts
    assert [one.attempt_id for one in claimed] == ids[:2]
    assert claimed[0].send_at < claimed[1].send_at
