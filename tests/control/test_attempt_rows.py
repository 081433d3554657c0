"""What the rows of attempts keep of a POST, and how many of them one sweep takes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dialer.calls.claims import (
    Claimed,
    Sending,
    accept_attempts,
    mark_attempts_sending,
    promote_planned,
    ready_outside_window,
)
from dialer.calls.store import calls_asked_to_end
from dialer.cases.attempts import requeue_attempts
from dialer.core.attempt import AttemptState
from dialer.core.values import Grade
from tests.control.scene import Scene


def posted(scene: Scene) -> Claimed:
    """One attempt whose POST has left."""
    (claimed,) = scene.claim(at_most=1)
    sending = Sending(
        attempt_id=claimed.attempt_id, token=claimed.token, script_id="loan", script_hash="", language="zh"
    )
    now = scene.services.real.now()
    with scene.tx() as tx:
        assert mark_attempts_sending(tx, [sending], now=scene.clock.now(), real_now=now, poll_at=now)
    return claimed


def accept(scene: Scene, claimed: Claimed, sid: str) -> None:
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
        requeue_attempts(tx, [(first.attempt_id, first.token)], not_before=now - timedelta(hours=1))
    second = posted(scene)
    scene.change_attempt(second.attempt_id, state="unknown")
    with scene.tx() as tx:
        requeue_attempts(tx, [(first.attempt_id, first.token)], not_before=now)
    assert scene.attempt_of(case_id)["state"] == "unknown"
    with scene.tx() as tx:
        requeue_attempts(tx, [(second.attempt_id, second.token)], not_before=now)
    assert scene.attempt_of(case_id)["state"] == "planned"


def test_one_sweep_outside_the_window_takes_so_many_of_the_most_urgent(scene: Scene):
    opened = []
    for _ in range(3):
        opened.append(scene.open_case(grade=Grade.EXTRA_HIGH))
        scene.later(seconds=1)
    scene.open_case(grade=Grade.LOW)
    with scene.tx() as tx:
        promote_planned(tx, now=scene.later(minutes=10))
        assert [turn.case_id for turn in ready_outside_window(tx, limit=2)] == opened[:2]
        assert [turn.case_id for turn in ready_outside_window(tx, limit=9)] == opened
