"""What the rows of attempts keep of a POST, and how many of them one sweep takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
import sqlalchemy as sa

from dialer.calls import reconcile
from dialer.calls.apply import CallNews
from dialer.calls.claims import (
    ClaimedAttempt,
    Sending,
    accept_attempts,
    mark_attempts_sending,
    promote_planned,
    ready_outside_window,
)
from dialer.calls.events import apply_call_events
from dialer.calls.store import calls_asked_to_end
from dialer.cases.attempts import requeue_attempts
from dialer.cases.effects import Move, move_cases
from dialer.cases.store import lock_cases
from dialer.core.attempt import AttemptState
from dialer.core.events import CaseClosed
from dialer.core.policy import to_plain
from dialer.core.values import Grade, OutcomeKind
from dialer.db import tables as t
from dialer.db.policies import Policies, ensure_policy_version
from dialer.telephony.callbacks import CallProgress, CallState, Stage
from tests.control.scene import Scene
from tests.core.samples import POLICY, SHANGHAI
from tests.outcomes.town import MORNING


def posted(scene: Scene) -> ClaimedAttempt:
    """One attempt whose POST has left."""
    (claimed,) = scene.claim(at_most=1)
    sending = Sending(
        attempt_id=claimed.attempt_id, token=claimed.token, script_id="loan", script_hash="", language="zh"
    )
    now = scene.services.real.now()
    with scene.tx() as tx:
        assert mark_attempts_sending(tx, [sending], now=scene.clock.now(), real_now=now, poll_at=now)
    return claimed


def accept(scene: Scene, claimed: ClaimedAttempt, sid: str) -> None:
    now = scene.clock.now()
    with scene.tx() as tx:
        accept_attempts(tx, [(claimed.attempt_id, sid)], now=now, poll_at=scene.services.real.now())


def test_the_sid_of_the_post_is_kept_so_that_the_call_can_be_ended_before_any_webhook(scene: Scene):
    case_id = scene.open_case()
    claimed = posted(scene)
    accept(scene, claimed, "CA1")
    scene.change_attempt(claimed.attempt_id, cancel_asked=True)
    with scene.tx() as tx:
        assert calls_asked_to_end(tx, limit=10) == [(claimed.attempt_id, "CA1", AttemptState.ACCEPTED)]
    assert scene.attempt_of(case_id)["accepted_at"] == scene.clock.now()


@pytest.mark.parametrize("state", ["ringing", "answered"])
def test_an_answer_to_the_post_after_its_webhooks_leaves_what_they_said(scene: Scene, state: str):
    case_id = scene.open_case()
    claimed = posted(scene)
    scene.change_attempt(claimed.attempt_id, state=state, sid="CA1")
    accept(scene, claimed, "CA2")
    row = scene.attempt_of(case_id)
    assert (row["state"], row["sid"]) == (state, "CA1")


def test_absent_is_said_of_one_post_and_not_of_the_next_of_the_same_attempt(scene: Scene):
    """Between the listing and what is made of it another worker may have posted the attempt again."""
    case_id = scene.open_case()
    first = posted(scene)
    now = scene.clock.now()
    with scene.tx() as tx:
        requeue_attempts(tx, [(first.attempt_id, first.token)], now=now, not_before=now - timedelta(hours=1))
    second = posted(scene)
    scene.change_attempt(second.attempt_id, state="unknown")
    with scene.tx() as tx:
        requeue_attempts(tx, [(first.attempt_id, first.token)], now=now, not_before=now)
    assert scene.attempt_of(case_id)["state"] == "unknown"
    with scene.tx() as tx:
        requeue_attempts(tx, [(second.attempt_id, second.token)], now=now, not_before=now)
    assert scene.attempt_of(case_id)["state"] == "planned"


def hand_back(scene: Scene, claimed: ClaimedAttempt) -> None:
    now = scene.clock.now()
    with scene.tx() as tx:
        requeue_attempts(tx, [(claimed.attempt_id, claimed.token)], now=now, not_before=now)


@pytest.mark.parametrize("withdrawn", [False, True])
def test_what_the_carrier_did_not_take_was_never_sent(scene: Scene, withdrawn: bool):
    case_id = scene.open_case()
    claimed = posted(scene)
    assert scene.attempt_of(case_id)["sent_at"] == scene.clock.now()
    scene.change_attempt(claimed.attempt_id, cancel_asked=withdrawn)
    hand_back(scene, claimed)
    row = scene.attempt_of(case_id)
    assert (row["state"], row["sent_at"]) == ("ended" if withdrawn else "planned", None)


def test_a_case_that_is_closed_after_a_refusal_has_no_call_that_was_sent(scene: Scene):
    case_id = scene.open_case()
    hand_back(scene, posted(scene))
    with scene.tx() as tx:
        locked = lock_cases(tx, [case_id])
        closed = Move(case_id=case_id, event=CaseClosed(outcome=OutcomeKind.MISMATCH))
        move_cases(tx, locked, [closed], policies=scene.services.policies, now=scene.clock.now())
    row = scene.attempt_of(case_id)
    assert (row["state"], row["result"], row["sent_at"]) == ("ended", "canceled", None)


@pytest.mark.parametrize("by_webhook", [False, True])
def test_what_was_handed_back_and_is_at_the_carrier_all_the_same_was_sent(scene: Scene, by_webhook: bool):
    case_id = scene.open_case()
    claimed = posted(scene)
    hand_back(scene, claimed)
    now = scene.later(seconds=4)
    if by_webhook:
        progress = CallProgress(stage=Stage.RINGING, sid="CA1")
        apply_call_events(
            scene.services, [CallNews(attempt_id=claimed.attempt_id, step="status.1", progress=progress)]
        )
        [case] = scene.rows(sa.select(t.case.c.first_attempt_at).where(t.case.c.id == case_id))
        assert case["first_attempt_at"] == now
    else:
        accept(scene, claimed, "CA1")
    row = scene.attempt_of(case_id)
    assert (row["sid"], row["sent_at"]) == ("CA1", now)


def test_one_sweep_outside_the_window_takes_so_many_of_the_most_urgent(scene: Scene):
    opened = []
    for _ in range(3):
        opened.append(scene.open_case(grade=Grade.EXTRA_HIGH))
        scene.later(seconds=1)
    scene.open_case(grade=Grade.LOW)
    with scene.tx() as tx:
        promote_planned(tx, now=scene.later(minutes=10))
        first = ready_outside_window(tx, after=None, limit=2)
        assert [turn.case_id for turn in first] == opened[:2]
        rest = ready_outside_window(tx, after=first[-1], limit=9)
        assert [turn.case_id for turn in first + rest] == opened


def test_a_sweep_ends_though_the_cases_own_window_is_still_open(scene: Scene):
    """The newest policy closes at half past nine; these cases opened under one that closes at nine in the evening."""
    cases = [scene.open_case(grade=Grade.HIGH) for _ in range(5)]
    shorter = replace(POLICY, window=replace(SHANGHAI, closes=time(9, 30)))
    with scene.tx() as tx:
        newest = ensure_policy_version(tx, to_plain(shorter), now=scene.clock.now())
    services = replace(scene.services, policies=Policies(scene.store, current=newest))
    before = [scene.case_of(case_id) for case_id in cases]
    reconcile.sweep_attempts(services, at_once=2)
    assert [scene.attempt_of(case_id)["state"] for case_id in cases] == ["ready"] * 5
    assert [scene.case_of(case_id) for case_id in cases] == before
    scene.later(minutes=10)
    reconcile.sweep_cases(services)
    assert all(scene.case_of(case_id).human.is_pending for case_id in cases), "a person calls instead"


class Carrier:
    """Knows the call of every attempt, and says that it rings."""

    def __init__(self, at: datetime) -> None:
        self.call = CallState(sid="CA1", status="ringing", date_created=at)

    async def state(self, sid: str) -> CallState:
        assert sid == self.call.sid
        return self.call

    async def find(self, *_order: object, **_between: object) -> list[CallState]:
        return [self.call]


class TestTheFirstCallIsNotedWhenTheAnswerToItsOrderIsLost:
    def test_by_the_first_news(self, scene: Scene):
        case_id = scene.open_case()
        claimed = posted(scene)
        sent_at = scene.clock.now()
        scene.later(seconds=20)
        ringing = CallProgress(stage=Stage.RINGING, sid="CA1", sequence=1)
        apply_call_events(
            scene.services, [CallNews(attempt_id=claimed.attempt_id, step="status.1", progress=ringing)]
        )
        assert first_attempt_at(scene, case_id) == sent_at

    async def test_by_asking_the_carrier(self, scene: Scene):
        case_id = scene.open_case()
        posted(scene)
        sent_at, posted_at = scene.clock.now(), scene.attempt_of(case_id)["posted_at"]
        scene.later(seconds=60)
        assert await reconcile.reconcile(scene.services, Carrier(posted_at)) == 1
        assert scene.attempt_of(case_id)["state"] == "ringing"
        assert first_attempt_at(scene, case_id) == sent_at

    def test_unless_it_is_a_follow_up_or_an_earlier_one_is_noted(self, scene: Scene):
        followed, earlier = scene.open_case(), scene.open_case()
        scene.change_attempt(scene.attempt_of(followed)["id"], reason="follow_up")
        scene.change_case(earlier, first_attempt_at=MORNING - timedelta(hours=1))
        for sid in ("CA1", "CA2"):
            ringing = CallProgress(stage=Stage.RINGING, sid=sid, sequence=1)
            news = CallNews(attempt_id=posted(scene).attempt_id, step="status.1", progress=ringing)
            apply_call_events(scene.services, [news])
        assert first_attempt_at(scene, followed) is None
        assert first_attempt_at(scene, earlier) == MORNING - timedelta(hours=1)


def first_attempt_at(scene: Scene, case_id: int) -> datetime | None:
    [row] = scene.rows(sa.select(t.case.c.first_attempt_at).where(t.case.c.id == case_id))
    return row["first_attempt_at"]
