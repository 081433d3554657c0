"""Attempts from their plan to their order: what is taken, what is put off until when, and what their rows say then."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.calls.claims import (
    AttemptOutsideWindow,
    ClaimedAttempt,
    Sending,
    accept_attempts,
    cases_at_carrier,
    claim_attempts,
    is_any_ready,
    mark_attempts_sending,
    promote_planned,
    ready_outside_window,
)
from dialer.calls.pacing import lock_line_group
from dialer.calls.pauses import pause_calls
from dialer.cases.attempts import (
    doubt_attempts,
    lock_attempt_rows,
    lock_live_numbers,
    most_urgent_ready,
    release_lapsed_claims,
    release_numbers,
    release_uncalled_numbers,
    requeue_attempts,
)
from dialer.core.access import unrestricted
from dialer.core.case import Reason
from dialer.core.values import FraudType, Grade, PauseScope, Tag
from dialer.db import tables as t
from dialer.db.unit_of_work import Tx
from tests.control.scene import Scene
from tests.outcomes.town import MORNING

MOMENT = timedelta(microseconds=1)


@pytest.fixture
def scene(shared: Scene) -> Scene:
    shared.do(sa.delete(t.live_number))
    shared.do(sa.delete(t.attempt))
    shared.clock.set(MORNING)
    shared.do(sa.update(t.line_group).values(next_slot_at=MORNING, paused_until=None))
    return shared


def waiting(scene: Scene, state: str = "ready", *, after: float = 0.0, **columns: object) -> uuid.UUID:
    """An attempt in this state, due `after` seconds."""
    fields = {name: columns.pop(name) for name in ("grade", "person_id", "fraud_type") if name in columns}
    attempt_id: uuid.UUID = scene.attempt_of(scene.open_case(**fields))["id"]
    at = MORNING + timedelta(seconds=after)
    scene.change_attempt(attempt_id, state=state, **{"not_before": at, "urgency_at": at} | columns)
    return attempt_id


def row(scene: Scene, attempt_id: uuid.UUID) -> dict[str, Any]:
    [found] = scene.rows(sa.select(t.attempt).where(t.attempt.c.id == attempt_id))
    return found


def numbers(scene: Scene) -> dict[uuid.UUID | None, datetime | None]:
    """By the attempt that holds it, until when each number rests."""
    return {one["attempt_id"]: one["free_at"] for one in scene.rows(sa.select(t.live_number))}


def claim(
    scene: Scene,
    *,
    at_most: int = 100,
    closed_until: Callable[[str], datetime | None] = lambda _number: None,
) -> list[ClaimedAttempt]:
    """Within four tenths of a second of a hundred calls a second, under a lease of thirty."""
    with scene.tx() as tx:
        group = lock_line_group(tx)
        assert group is not None
        claimed = claim_attempts(
            tx,
            group,
            now=scene.clock.now(),
            real_now=scene.clock.now(),
            horizon_seconds=0.4,
            lease_seconds=30.0,
            at_most=at_most,
            number_retry_seconds=60.0,
            closed_until=closed_until,
        )
        return list(claimed.attempts)


@contextmanager
def held_by_another(scene: Scene, *ids: uuid.UUID) -> Iterator[Tx]:
    """A transaction beside one that has locked these attempts; it waits for nobody."""
    with scene.tx() as other, scene.tx() as tx:
        lock_attempt_rows(other, list(ids))
        tx.execute(sa.text("SET LOCAL lock_timeout = '100ms'"))
        yield tx


def free_rows(tx: Tx, table: sa.Table) -> int:
    """How many rows of a table nobody has locked."""
    return len(tx.rows(sa.select(sa.literal(1)).select_from(table).with_for_update(skip_locked=True)))


class TestWhatIsDue:
    def test_is_ready_from_its_very_moment_on(self, scene: Scene):
        due, later = waiting(scene, "planned"), waiting(scene, "planned", after=1e-6)
        for state in ("claimed", "sending", "ringing"):
            waiting(scene, state)
        with scene.tx() as tx:
            assert promote_planned(tx, now=MORNING) == 1
        assert (row(scene, due)["state"], row(scene, later)["state"]) == ("ready", "planned")

    def test_does_not_wait_for_one_that_somebody_holds(self, scene: Scene):
        held, due = waiting(scene, "planned"), waiting(scene, "planned")
        with held_by_another(scene, held) as tx:
            assert promote_planned(tx, now=MORNING) == 1
        assert (row(scene, held)["state"], row(scene, due)["state"]) == ("planned", "ready")

    def test_waits_for_a_line_unless_it_is_withheld(self, scene: Scene):
        def is_any() -> bool:
            with scene.tx() as tx:
                return is_any_ready(tx)

        waiting(scene, "planned")
        attempt_id = waiting(scene, held=True)
        assert is_any() is False
        scene.change_attempt(attempt_id, held=False)
        assert is_any() is True
        scene.change_attempt(attempt_id, state="claimed")
        assert is_any() is False

    def test_outside_the_window_is_told_in_order_past_the_last(self, scene: Scene):
        same = {"windowed": False, "urgency_at": MORNING}
        both = sorted(waiting(scene, **same) for _ in range(2))
        later = waiting(scene, after=1, windowed=False)
        waiting(scene, windowed=True)
        waiting(scene, windowed=False, held=True)
        waiting(scene, "planned", windowed=False)
        with scene.tx() as tx:
            turns = ready_outside_window(tx, after=None, limit=9)
            assert [turn.id for turn in turns] == [*both, later]
            assert ready_outside_window(tx, after=turns[0], limit=9) == turns[1:]
            assert ready_outside_window(tx, after=turns[2], limit=9) == []
        first = row(scene, both[0])
        assert turns[0] == AttemptOutsideWindow(
            id=both[0],
            case_id=first["case_id"],
            n=1,
            urgency_at=MORNING,
            policy_version=scene.policy_version,
        )

    def test_the_most_urgent_of_both_kinds_are_looked_at(self, scene: Scene):
        found = [waiting(scene, after=n, windowed=n % 2 == 0) for n in range(6)]
        waiting(scene, held=True)
        with scene.tx() as tx:
            heads = {one["id"] for one in tx.rows(most_urgent_ready(limit=2))}
            low = {one["id"] for one in tx.rows(most_urgent_ready(t.attempt.c.urgency_at > MORNING, limit=1))}
        assert heads == set(found[:4])
        assert low == set(found[1:3])


class TestAClaim:
    def test_has_all_that_its_call_needs(self, scene: Scene):
        person = scene.person(phones=("+8613900001111", "+8613900002222"))
        case_id = scene.open_case(
            grade=Grade.HIGH,
            person_id=person,
            fraud_type=FraudType.POLICE_IMPERSONATION,
            tags=frozenset({Tag.ELDERLY}),
        )
        attempt_id = scene.attempt_of(case_id)["id"]
        scene.change_attempt(attempt_id, state="ready", number=1, token=6, reason="retry")
        [claimed] = claim(scene)
        assert claimed == ClaimedAttempt(
            attempt_id=attempt_id,
            token=7,
            case_id=case_id,
            person_id=person,
            n=1,
            to="+8613900002222",
            send_at=MORNING,
            grade=Grade.HIGH,
            fraud_type=FraudType.POLICE_IMPERSONATION,
            tags=frozenset({Tag.ELDERLY}),
            reason=Reason.RETRY,
            policy_version=scene.policy_version,
        )
        found = row(scene, attempt_id)
        assert (found["state"], found["token"], found["send_at"]) == ("claimed", 7, MORNING)
        assert found["lease_until"] == MORNING + timedelta(seconds=30.4)
        assert numbers(scene) == {attempt_id: None}

    def test_takes_the_most_urgent_one_after_the_other(self, scene: Scene):
        ids = [waiting(scene, after=-n) for n in range(3)]
        claimed = claim(scene, at_most=2)
        assert [one.attempt_id for one in claimed] == [ids[2], ids[1]]
        assert [row(scene, one.attempt_id)["send_at"] for one in claimed] == [one.send_at for one in claimed]
        group = scene.group()
        gap = claimed[1].send_at - claimed[0].send_at
        assert group.next_slot_at == claimed[1].send_at + gap
        assert group.in_use == 2

    def test_of_nothing_uses_no_slot(self, scene: Scene):
        assert claim(scene) == []
        attempt_id = waiting(scene)
        assert claim(scene, at_most=0) == []
        assert claim(scene, closed_until=lambda _number: MORNING + timedelta(hours=9)) == []
        assert row(scene, attempt_id)["state"] == "planned"
        assert scene.group().next_slot_at == MORNING

    def test_passes_over_one_that_somebody_holds(self, scene: Scene):
        held, free = waiting(scene), waiting(scene, after=1)
        with held_by_another(scene, held) as tx:
            group = lock_line_group(tx)
            assert group is not None
            limits = {
                "horizon_seconds": 0.4,
                "lease_seconds": 30.0,
                "at_most": 9,
                "number_retry_seconds": 60.0,
            }
            claimed = claim_attempts(tx, group, now=MORNING, real_now=MORNING, **limits)
        assert [attempt.attempt_id for attempt in claimed.attempts] == [free]

    def test_of_a_paused_group_waits_for_the_end_of_the_pause(self, scene: Scene):
        waiting(scene)
        scene.do(sa.update(t.line_group).values(paused_until=MORNING + MOMENT))
        assert claim(scene) == []
        scene.do(sa.update(t.line_group).values(paused_until=MORNING))
        assert len(claim(scene)) == 1

    def test_of_a_group_that_does_not_know_of_a_pause_of_everything_withholds_nothing(self, scene: Scene):
        attempt_id = waiting(scene)
        pause_calls(scene.services, unrestricted("zhao"), scope=PauseScope.ALL, minutes=5, why="x")
        scene.do(sa.update(t.line_group).values(paused_until=None))
        assert claim(scene) == []
        assert (row(scene, attempt_id)["state"], row(scene, attempt_id)["held"]) == ("ready", False)
        scene.do(sa.delete(t.hold))

    def test_puts_off_the_second_of_one_number(self, scene: Scene):
        person = scene.person()
        first = waiting(scene, person_id=person)
        second = waiting(scene, after=1, person_id=person, fraud_type=FraudType.CREDIT)
        other = waiting(scene, after=2)
        claimed = claim(scene)
        assert [one.attempt_id for one in claimed] == [first, other]
        found = row(scene, second)
        assert (found["state"], found["not_before"]) == ("planned", MORNING + timedelta(seconds=60))
        assert (found["token"], found["lease_until"]) == (0, None)
        assert numbers(scene) == {first: None, other: None}

    def test_puts_off_a_number_that_rests_and_takes_it_at_the_moment_of_its_end(self, scene: Scene):
        person = scene.person()
        first = waiting(scene, person_id=person)
        [claimed] = claim(scene)
        scene.change_attempt(first, state="ended", result="busy")
        with scene.tx() as tx:
            release_numbers(tx, [claimed.attempt_id], free_at=MORNING + MOMENT)
        assert numbers(scene) == {None: MORNING + MOMENT}
        second = waiting(scene, person_id=person, fraud_type=FraudType.CREDIT)
        assert claim(scene) == []
        assert row(scene, second)["state"] == "planned"
        scene.change_attempt(second, state="ready")
        scene.clock.set(MORNING + MOMENT)
        scene.do(sa.update(t.line_group).values(next_slot_at=MORNING))
        assert [one.attempt_id for one in claim(scene)] == [second]
        assert numbers(scene) == {second: None}

    def test_puts_off_a_number_where_it_is_night_until_its_morning(self, scene: Scene):
        opening = MORNING + timedelta(hours=3)
        abroad = waiting(scene, person_id=scene.person(phones=("+16265550100",)))
        here = waiting(scene, after=1)
        claimed = claim(scene, closed_until=lambda number: opening if number.startswith("+1") else None)
        assert [one.attempt_id for one in claimed] == [here]
        found = row(scene, abroad)
        assert (found["state"], found["not_before"]) == ("planned", opening)
        assert row(scene, here)["not_before"] == MORNING + timedelta(seconds=1)


class TestTheOrder:
    def claimed(self, scene: Scene, **columns: object) -> uuid.UUID:
        return waiting(scene, "claimed", **{"token": 3, "lease_until": MORNING + MOMENT} | columns)

    def mark(self, scene: Scene, *sendings: Sending) -> set[uuid.UUID]:
        with scene.tx() as tx:
            return mark_attempts_sending(
                tx,
                sendings,
                now=MORNING + timedelta(hours=1),
                real_now=MORNING,
                poll_at=MORNING + timedelta(seconds=12),
            )

    def of(self, attempt_id: uuid.UUID, token: int = 3, **fields: Any) -> Sending:  # noqa: ANN401  # fields of `Sending`
        return Sending(
            attempt_id=attempt_id, token=token, script_id="loan", script_hash="h", language="zh", **fields
        )

    def test_leaves_with_its_script_and_its_times(self, scene: Scene):
        attempt_id = self.claimed(scene)
        full = self.of(attempt_id, script_version_id=5, audio_hash="a", records=True)
        assert self.mark(scene, full) == {attempt_id}
        found = row(scene, attempt_id)
        names = ("script_id", "script_hash", "language", "script_version_id", "audio_hash", "records")
        assert [found[name] for name in names] == ["loan", "h", "zh", 5, "a", True]
        assert (found["state"], found["token"]) == ("sending", 3)
        assert (found["posted_at"], found["sent_at"]) == (MORNING, MORNING + timedelta(hours=1))
        assert found["poll_at"] == MORNING + timedelta(seconds=12)

    def test_is_not_recorded_unless_it_says_so(self, scene: Scene):
        attempt_id = self.claimed(scene)
        assert self.mark(scene, self.of(attempt_id)) == {attempt_id}
        found = row(scene, attempt_id)
        assert (found["records"], found["audio_hash"], found["script_version_id"]) == (False, "", None)

    def test_leaves_only_under_its_token_while_its_lease_runs(self, scene: Scene):
        assert self.mark(scene) == set()
        good, stale, lapsed, ready = (
            self.claimed(scene),
            self.claimed(scene),
            self.claimed(scene, lease_until=MORNING),
            waiting(scene, token=3, lease_until=MORNING + MOMENT),
        )
        wanted = [self.of(good), self.of(stale, 2), self.of(lapsed), self.of(ready)]
        assert self.mark(scene, *wanted) == {good}
        assert [row(scene, one)["state"] for one in (stale, lapsed, ready)] == ["claimed", "claimed", "ready"]

    def test_that_was_taken_has_its_sid_and_the_first_time_stands(self, scene: Scene):
        attempt_id = waiting(scene, "sending")
        for sid, after in (("CA1", 1), ("CA2", 2)):
            with scene.tx() as tx:
                accept_attempts(tx, [], now=MORNING, poll_at=MORNING)
                at = MORNING + timedelta(seconds=after)
                accept_attempts(tx, [(attempt_id, sid)], now=at, poll_at=at)
        found = row(scene, attempt_id)
        assert (found["state"], found["sid"]) == ("accepted", "CA1")
        assert (found["accepted_at"], found["poll_at"]) == (
            MORNING + timedelta(seconds=1),
            MORNING + timedelta(seconds=2),
        )

    def test_in_doubt_is_asked_about_later_under_its_token(self, scene: Scene):
        good, stale = (waiting(scene, "sending", token=3) for _ in range(2))
        with scene.tx() as tx:
            doubt_attempts(tx, [], poll_at=MORNING)
            doubt_attempts(tx, [(good, 3), (stale, 2)], poll_at=MORNING)
        assert (row(scene, good)["state"], row(scene, good)["poll_at"]) == ("unknown", MORNING)
        assert (row(scene, stale)["state"], row(scene, stale)["poll_at"]) == ("sending", None)

    def test_of_a_case_is_at_the_carrier_from_its_order_to_its_end(self, scene: Scene):
        def at_carrier(*case_ids: int) -> set[int]:
            with scene.tx() as tx:
                return cases_at_carrier(tx, case_ids)

        states = ("ready", "claimed", "sending", "unknown", "accepted", "ringing", "answered", "planned")
        by_state = {state: row(scene, waiting(scene, state))["case_id"] for state in states}
        sent = {by_state[state] for state in states[2:7]}
        assert at_carrier(*by_state.values()) == sent
        assert at_carrier(by_state["sending"], by_state["ready"]) == {by_state["sending"]}
        assert at_carrier() == set()


class TestHandedBack:
    NOW = MORNING + timedelta(seconds=3)
    LATER = MORNING + timedelta(seconds=5)

    def back(self, scene: Scene, *held: tuple[uuid.UUID, int]) -> None:
        with scene.tx() as tx:
            requeue_attempts(tx, list(held), now=self.NOW, not_before=self.LATER)

    def live(self, scene: Scene, state: str, **columns: object) -> uuid.UUID:
        attempt_id = waiting(scene, state, token=3, polls=2, lease_until=MORNING, **columns)
        scene.put_live_number(attempt_id.bytes, attempt_id)
        return attempt_id

    @pytest.mark.parametrize("state", ["claimed", "sending", "unknown"])
    def test_it_uses_nothing_up_and_its_number_rests_as_long_as_it_waits(self, scene: Scene, state: str):
        attempt_id = self.live(scene, state)
        self.back(scene, (attempt_id, 3))
        found = row(scene, attempt_id)
        assert (found["state"], found["not_before"], found["token"]) == ("planned", self.LATER, 4)
        assert (found["lease_until"], found["polls"]) == (None, 0)
        assert (found["result"], found["ended_at"]) == (None, None)
        assert numbers(scene) == {None: self.LATER}

    def test_it_ends_where_its_case_has_withdrawn_it(self, scene: Scene):
        attempt_id = self.live(scene, "sending", cancel_asked=True)
        self.back(scene, (attempt_id, 3))
        found = row(scene, attempt_id)
        assert (found["state"], found["result"], found["token"]) == ("ended", "canceled", 4)
        assert found["ended_at"] == self.NOW > found["planned_at"]

    def test_it_is_left_alone_under_another_token_or_with_a_sid(self, scene: Scene):
        stale, bound = self.live(scene, "sending"), self.live(scene, "unknown", sid="CA1")
        self.back(scene)
        self.back(scene, (stale, 2), (bound, 3))
        assert (row(scene, stale)["state"], row(scene, bound)["state"]) == ("sending", "unknown")
        assert numbers(scene) == {stale: None, bound: None}

    def test_a_lapsed_claim_is_and_one_that_somebody_holds_is_not_waited_for(self, scene: Scene):
        lapsed, held, running = (
            self.live(scene, "claimed"),
            self.live(scene, "claimed"),
            self.live(scene, "claimed"),
        )
        self.live(scene, "sending")
        scene.change_attempt(running, lease_until=MORNING + MOMENT)
        with held_by_another(scene, held) as tx:
            assert release_lapsed_claims(tx, real_now=MORNING, now=self.LATER) == 1
        assert row(scene, lapsed)["state"] == "planned"
        assert row(scene, lapsed)["not_before"] == self.LATER
        assert [row(scene, one)["state"] for one in (held, running)] == ["claimed", "claimed"]

    def test_a_number_that_was_never_called_is_free_at_once(self, scene: Scene):
        one, other = self.live(scene, "claimed"), self.live(scene, "claimed")
        with scene.tx() as tx:
            release_numbers(tx, [], free_at=MORNING)
            release_uncalled_numbers(tx, [])
            release_uncalled_numbers(tx, [one])
        assert numbers(scene) == {other: None}

    def test_numbers_that_are_to_be_freed_are_held(self, scene: Scene):
        one = self.live(scene, "claimed")
        self.live(scene, "claimed")
        with scene.tx() as tx, scene.tx() as other:
            lock_live_numbers(tx, [one])
            lock_attempt_rows(tx, [one])
            assert free_rows(other, t.live_number) == 1
            assert free_rows(other, t.attempt) == 1
