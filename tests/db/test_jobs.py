"""Jobs against real PostgreSQL: never two holders, a stale claim changes nothing, gaps grow, given up once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dialer.db.jobs import DATABASE_CLOCK, JobClaim, JobTable, Retries
from dialer.db.keys import Keys
from dialer.db.unit_of_work import Row, Store, Tx
from dialer.db.vault import Vault

NOON = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
SERVICE_NOW = datetime(2027, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=60)
RETRIES = Retries(most=3, first=timedelta(seconds=10), longest=timedelta(seconds=35))
MOMENT = timedelta(microseconds=1)

work = sa.Table(
    "work_of_a_test",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
    sa.Column("due_at", sa.DateTime(timezone=True)),
    sa.Column("token", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
)


class Ends:
    """Ends the jobs that are given up, and remembers each call."""

    def __init__(self) -> None:
        self.given_up: list[int] = []

    def __call__(self, tx: Tx, keys: Sequence[int], now: datetime) -> None:
        assert now == SERVICE_NOW
        self.given_up += keys
        tx.execute(sa.update(work).where(work.c.id.in_(keys)).values(state="dead"))


def jobs_of(ends: Ends) -> JobTable:
    return JobTable(
        kind="test",
        waits=work.c.state == "waiting",
        due=work.c.due_at,
        tries=work.c.tries,
        retries=RETRIES,
        give_up=ends,
    )


@pytest.fixture(scope="module")
def store(module_database: str) -> Iterator[Store]:
    keys = Keys.of(encryption={1: bytes([1]) * 32}, index=bytes([9]) * 32, current=1)
    made = Store(module_database, Vault(keys), pool_size=3)
    with made.begin() as tx:
        work.create(tx.connection)
    yield made
    made.dispose()


@pytest.fixture
def empty(store: Store) -> Store:
    with store.begin() as tx:
        tx.execute(sa.delete(work))
    return store


def add(tx: Tx, **values: object) -> int:
    return int(tx.scalar(sa.insert(work).values({"due_at": NOON} | values).returning(work.c.id)))


def row_of(store: Store, key: int) -> Row:
    with store.begin() as tx:
        found = tx.one(sa.select(work).where(work.c.id == key))
    assert found is not None
    return found


def take(tx: Tx, jobs: JobTable, *, at: datetime = NOON, **options: Any) -> list[JobClaim]:  # noqa: ANN401  # as `take`
    rows = jobs.take(tx, real_now=at, lease=LEASE, now=SERVICE_NOW, **options)
    return [jobs.claim_of(row) for row in rows]


class JobStory(RuleBasedStateMachine):
    """Processes take jobs, renew, finish, fail and hand them back, die, and come back late with what they held."""

    store: Store

    @initialize(count=st.integers(1, 3))
    def begin(self, count: int) -> None:
        self.ends = Ends()
        self.jobs = jobs_of(self.ends)
        self.now = NOON
        with self.store.begin() as tx:
            tx.execute(sa.delete(work))
            self.due = {add(tx): NOON for _ in range(count)}
        self.tries = dict.fromkeys(self.due, 0)
        self.held: dict[int, JobClaim] = {}
        self.stale: list[JobClaim] = []
        self.dead: list[int] = []

    @rule(seconds=st.sampled_from([1, 10, 34, 60, 61]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(limit=st.integers(1, 3))
    def take(self, limit: int) -> None:
        free = sorted((at, key) for key, at in self.due.items() if at <= self.now)[:limit]
        with self.store.begin() as tx:
            claims = take(tx, self.jobs, at=self.now, limit=limit)
        taken = {claim.key: claim for claim in claims}
        for _, key in free:
            if self.tries[key] == RETRIES.most:
                self.die(key)
            else:
                self.tries[key] += 1
                claim = taken.pop(key)
                assert claim.tries == self.tries[key]
                if key in self.held:
                    assert claim.token > self.held[key].token
                    self.stale.append(self.held[key])
                self.held[key] = claim
                self.due[key] = self.now + LEASE
        assert taken == {}, "nothing is taken that is not due"

    def die(self, key: int) -> None:
        self.dead.append(key)
        self.due.pop(key)
        if key in self.held:
            self.stale.append(self.held.pop(key))

    def one_held(self, data: st.DataObject) -> JobClaim:
        return data.draw(st.sampled_from(sorted(self.held.values(), key=lambda claim: claim.key)))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), forward=st.booleans())
    def renew(self, data: st.DataObject, forward: bool) -> None:
        claim, until = self.one_held(data), self.now + LEASE
        with self.store.begin() as tx:
            assert (self.jobs.advance if forward else self.jobs.renew)(tx, claim, until=until)
        self.due[claim.key] = until
        if forward:
            self.tries[claim.key] = 0
            self.held[claim.key] = replace(claim, tries=0)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        claim = self.one_held(data)
        with self.store.begin() as tx:
            assert self.jobs.finish(tx, claim, state="done")
        self.stale.append(self.held.pop(claim.key))
        self.due.pop(claim.key)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), seconds=st.sampled_from([0, 30]))
    def hand_back(self, data: st.DataObject, seconds: int) -> None:
        claim, due = self.one_held(data), self.now + timedelta(seconds=seconds)
        with self.store.begin() as tx:
            assert self.jobs.hand_back(tx, claim, due=due)
        self.stale.append(self.held.pop(claim.key))
        self.due[claim.key], self.tries[claim.key] = due, 0

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        claim = self.one_held(data)
        with self.store.begin() as tx:
            assert self.jobs.fail(tx, claim, now=SERVICE_NOW, real_now=self.now, note="fault")
        if claim.tries >= RETRIES.most:
            self.die(claim.key)
        else:
            self.stale.append(self.held.pop(claim.key))
            self.due[claim.key] = self.now + RETRIES.gap(claim.tries)

    @precondition(lambda self: self.stale)
    @rule(data=st.data())
    def a_stale_claim_changes_nothing(self, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from(self.stale))
        before = row_of(self.store, claim.key)
        with self.store.begin() as tx:
            assert not self.jobs.renew(tx, claim, until=self.now, note="late")
            assert not self.jobs.finish(tx, claim, state="done", note="late")
            assert not self.jobs.hand_back(tx, claim, due=self.now, note="late")
            assert not self.jobs.fail(tx, claim, now=SERVICE_NOW, real_now=self.now, note="late")
        assert row_of(self.store, claim.key) == before

    @invariant()
    def rows_are_as_expected(self) -> None:
        if not hasattr(self, "due"):
            return
        with self.store.begin() as tx:
            rows = {row["id"]: row for row in tx.rows(sa.select(work))}
        waiting = {key: row["due_at"] for key, row in rows.items() if row["state"] == "waiting"}
        assert waiting == self.due
        assert {key: rows[key]["tries"] for key in waiting} == {key: self.tries[key] for key in waiting}
        assert sorted(self.ends.given_up) == sorted(self.dead), "each is given up once"
        assert {key for key, row in rows.items() if row["state"] == "dead"} == set(self.dead)


def test_random_takings_losses_and_faults(store: Store):
    JobStory.store = store
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        JobStory, settings=settings(stateful_step_count=30, suppress_health_check=checks, deadline=None)
    )


def test_two_processes_at_once_take_different_jobs_and_neither_waits(empty: Store):
    jobs = jobs_of(Ends())
    with empty.begin() as tx:
        first, second = add(tx), add(tx)
    with empty.begin() as one, empty.begin() as other:
        assert [claim.key for claim in take(one, jobs)] == [first]
        other.execute(sa.text("SET LOCAL lock_timeout = '100ms'"))
        assert [claim.key for claim in take(other, jobs, limit=2)] == [second]


def test_what_has_been_due_for_longest_is_taken_first_unless_another_order_is_given(empty: Store):
    jobs = jobs_of(Ends())
    with empty.begin() as tx:
        late, early = add(tx, note="a"), add(tx, due_at=NOON - MOMENT, note="b")
        add(tx, due_at=NOON + MOMENT)
        add(tx, state="done")
        assert jobs.free_keys(tx, real_now=NOON) == [late, early]
        assert [claim.key for claim in take(tx, jobs)] == [early]
        assert [claim.key for claim in take(tx, jobs, order=work.c.note)] == [late]
        assert not jobs.is_any_free(tx, real_now=NOON)
        assert jobs.is_any_free(tx, real_now=NOON + MOMENT)


def test_a_claim_writes_values_and_returns_the_columns_that_were_wanted(empty: Store):
    jobs = jobs_of(Ends())
    with empty.begin() as tx:
        key = add(tx)
        add(tx)
        [found] = jobs.take(
            tx, work.c.id == key, real_now=NOON, lease=LEASE, limit=9, returning=[work.c.note], note="mine"
        )
    assert dict(found) == {"id": key, "token": 1, "tries": 1, "note": "mine"}
    assert row_of(empty, key)["due_at"] == NOON + LEASE


def test_a_row_without_a_time_is_due_only_where_that_is_said(empty: Store):
    jobs = jobs_of(Ends())
    with empty.begin() as tx:
        key = add(tx, due_at=None)
        assert take(tx, jobs) == []
        assert [claim.key for claim in take(tx, replace(jobs, unset_is_due=True))] == [key]


def test_a_held_job_is_taken_from_a_holder_that_is_known_to_be_gone_but_no_finished_one(empty: Store):
    jobs = jobs_of(Ends())
    with empty.begin() as tx:
        held, done = add(tx), add(tx, state="done")
        take(tx, jobs)
        assert take(tx, jobs) == []
        [claim] = take(tx, jobs, or_if=work.c.id.in_([held, done]), limit=9)
        assert (claim.key, claim.token) == (held, 2)


def test_gaps_double_up_to_the_longest(empty: Store):
    assert [RETRIES.gap(tries).total_seconds() for tries in (0, 1, 2, 3, 99)] == [10, 10, 20, 35, 35]
    jobs = jobs_of(Ends())
    with empty.begin() as tx:
        key = add(tx)
        [claim] = take(tx, jobs)
        jobs.fail(tx, claim, now=SERVICE_NOW, real_now=NOON, at_least=timedelta(seconds=25))
    assert row_of(empty, key)["due_at"] == NOON + timedelta(seconds=25)


def test_a_job_whose_process_dies_each_time_is_given_up_and_handed_to_nobody(empty: Store):
    ends = Ends()
    jobs = jobs_of(ends)
    with empty.begin() as tx:
        key = add(tx)
        for n in range(RETRIES.most):
            assert [claim.tries for claim in take(tx, jobs, at=NOON + n * LEASE)] == [n + 1]
            assert ends.given_up == []
        assert take(tx, jobs, at=NOON + RETRIES.most * LEASE) == []
    assert ends.given_up == [key]


def test_what_is_started_again_has_all_its_tries_and_no_holder(empty: Store):
    jobs = jobs_of(Ends())
    with empty.begin() as tx:
        key, other = add(tx, tries=2), add(tx, due_at=NOON + LEASE)
        [claim] = take(tx, jobs)
        assert jobs.start_again(tx, work.c.id == key, due=NOON, state="waiting") == 1
        assert not jobs.finish(tx, claim, state="done")
        assert [again.tries for again in take(tx, jobs)] == [1]
    assert row_of(empty, other)["token"] == 0


def test_work_that_nobody_takes_is_overdue(empty: Store):
    jobs = jobs_of(Ends())
    with empty.begin() as tx:
        add(tx)
        add(tx, state="done", due_at=NOON - LEASE)
        assert not jobs.is_any_overdue(tx, since=NOON - MOMENT)
        assert jobs.is_any_overdue(tx, since=NOON)
        take(tx, jobs)
        assert not jobs.is_any_overdue(tx, since=NOON)


def test_leases_can_end_by_the_clock_of_the_database(empty: Store):
    jobs = jobs_of(Ends())
    with empty.begin() as tx:
        key = add(tx, due_at=sa.func.clock_timestamp())
        rows = jobs.take(tx, real_now=DATABASE_CLOCK, lease=LEASE)
        assert jobs.take(tx, real_now=DATABASE_CLOCK, lease=LEASE) == []
        assert jobs.renew(tx, jobs.claim_of(rows[0]), until=DATABASE_CLOCK - LEASE)
        assert len(jobs.take(tx, real_now=DATABASE_CLOCK, lease=LEASE)) == 1
    assert row_of(empty, key)["tries"] == 2


def test_of_many_claims_those_that_are_still_held_are_renewed_together(empty: Store):
    jobs = jobs_of(Ends())
    with empty.begin() as tx:
        for _ in range(3):
            add(tx)
        first, second, third = take(tx, jobs, limit=3, order=work.c.id)
        jobs.hand_back(tx, second, due=NOON)
        until = NOON + 2 * LEASE
        kept = jobs.renew_all(tx, [third, second, first], work.c.id != third.key, until=until)
        assert jobs.renew_all(tx, [], until=until) == set()
    assert kept == {first.key}
    assert [row_of(empty, claim.key)["due_at"] for claim in (first, second, third)] == [
        until,
        NOON,
        NOON + LEASE,
    ]
