"""Calls that the carrier took and that bring no webhook: dialling stops, one trial at a time, and nobody is blamed."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from dialer.calls.apply import CallNews
from dialer.calls.events import apply_replies
from dialer.calls.messages import apply_message_event
from dialer.calls.reconcile import trials_without_webhooks
from dialer.cases.effects import insert_messages, message_row
from dialer.cases.store import lock_cases
from dialer.control.health import check_system
from dialer.core.case import RobotState
from dialer.core.events import AlarmCode, SendMessage
from dialer.core.values import MessageChannel, MessagePurpose, MessageState, TelephonyResult
from dialer.db import tables as t
from dialer.db.system_state import note_heartbeat
from dialer.telephony.callbacks import CallProgress, Stage
from dialer.telephony.channels import MessageProgress
from tests.calls.conversation import PhoneCall
from tests.control.scene import Scene


class Taken(PhoneCall):
    """A call that the carrier has taken, some seconds ago."""

    def __init__(self, scene: Scene, *, seconds: float) -> None:
        super().__init__(scene)
        ago = timedelta(seconds=seconds)
        scene.change_attempt(
            self.attempt_id,
            state="accepted",
            ringing_at=None,
            accepted_at=scene.clock.now() - ago,
            sent_at=scene.clock.now() - ago,
            posted_at=scene.services.real.now() - ago,
            poll_at=scene.services.real.now() + timedelta(seconds=60),
        )

    def brings_a_webhook(self) -> None:
        progress = CallProgress(stage=Stage.INITIATED, sid=self.sid)
        with self.scene.tx() as tx:
            apply_replies(
                tx,
                self.scene.services,
                [CallNews(attempt_id=self.attempt_id, step="status.0", progress=progress)],
            )

    def is_polled(self, stage: Stage = Stage.INITIATED, **said: TelephonyResult) -> None:
        progress = CallProgress(stage=stage, sid=self.sid, **said)
        with self.scene.tx() as tx:
            apply_replies(
                tx,
                self.scene.services,
                [CallNews(attempt_id=self.attempt_id, step="poll.1", progress=progress)],
            )


def allowed(scene: Scene) -> int | None:
    with scene.tx() as tx:
        return trials_without_webhooks(tx, scene.services)


def alarms(scene: Scene) -> set[str]:
    return set(scene.alarms_of(None))


def test_calls_leave_while_their_webhooks_arrive(scene: Scene):
    assert allowed(scene) is None
    Taken(scene, seconds=20).brings_a_webhook()
    assert allowed(scene) is None
    Taken(scene, seconds=2)
    assert allowed(scene) is None
    assert alarms(scene) == set()


def test_a_call_without_a_webhook_stops_dialling_and_is_asked_about_at_once(scene: Scene):
    assert check_system(scene.services, late_seconds=1).stopped == ()
    silent = Taken(scene, seconds=7)
    assert check_system(scene.services, late_seconds=1).stopped == ("webhooks",)
    assert allowed(scene) == 0
    assert alarms(scene) == {AlarmCode.WEBHOOKS_MISSING}
    assert silent.row()["poll_at"] <= scene.services.real.now()


def test_while_a_host_seems_to_fall_silent_dialling_stops_and_the_alarm_waits(scene: Scene):
    """The host that took the webhooks has stopped: its own alarm comes nine seconds later, and is the only one."""

    def beats(host: str, *, ago: float) -> None:
        at = scene.services.real.now() - timedelta(seconds=ago)
        with scene.tx() as tx:
            note_heartbeat(tx, process=f"web:{host}:7", kind="web", real_now=at, facts={})

    beats("a", ago=0)
    beats("b", ago=7)
    Taken(scene, seconds=6.5)
    assert allowed(scene) == 0
    assert alarms(scene) == set()
    scene.clock.advance(9)
    beats("a", ago=0)
    allowed(scene)
    assert alarms(scene) == {AlarmCode.HOST_SILENT}


def test_a_host_that_only_seems_silent_hides_missing_webhooks_for_a_moment(scene: Scene):
    at = scene.services.real.now()
    with scene.tx() as tx:
        note_heartbeat(tx, process="web:a:7", kind="web", real_now=at, facts={})
        note_heartbeat(tx, process="web:b:7", kind="web", real_now=at - timedelta(seconds=8), facts={})
    Taken(scene, seconds=21)
    allowed(scene)
    assert alarms(scene) == {AlarmCode.WEBHOOKS_MISSING}


def test_what_the_carrier_says_when_it_is_asked_is_no_webhook_and_it_is_asked_once(scene: Scene):
    silent = Taken(scene, seconds=20)
    silent.is_polled()
    next_poll = silent.row()["poll_at"]
    assert allowed(scene) == 1
    assert silent.row()["poll_at"] == next_poll > scene.services.real.now()


def test_news_of_a_message_is_no_webhook_of_a_call(scene: Scene):
    """It comes when its provider is asked, and webhooks of another provider say nothing about those of the carrier."""
    silent = Taken(scene, seconds=20)
    with scene.tx() as tx:
        stored = lock_cases(tx, [silent.case_id])[silent.case_id]
        effect = SendMessage(purpose=MessagePurpose.UNREACHABLE, number=0, channel=MessageChannel.SMS)
        insert_messages(tx, [message_row(stored, effect, at=scene.clock.now())])
    [message_id] = [row["id"] for row in scene.rows(sa.select(t.message.c.id))]
    for state in (MessageState.SENT, MessageState.DELIVERED):
        apply_message_event(scene.services, message_id, MessageProgress(sid="SM1", state=state))
    assert allowed(scene) == 1
    assert alarms(scene) == {AlarmCode.WEBHOOKS_MISSING}


@pytest.mark.parametrize("stage", [Stage.RINGING, Stage.ANSWERED])
def test_what_a_poll_says_of_a_call_does_not_resume_dialling(scene: Scene, stage: Stage):
    silent = Taken(scene, seconds=20)
    silent.is_polled(stage)
    assert allowed(scene) == 1


def test_a_call_that_ended_without_a_webhook_is_still_one_and_the_next_trial_waits(scene: Scene):
    silent = Taken(scene, seconds=10)
    silent.is_polled(Stage.ENDED, result=TelephonyResult.ANSWERED)
    assert silent.row()["result"] == "dead_air"
    assert allowed(scene) == 0
    scene.clock.advance(6)
    assert allowed(scene) == 1
    assert alarms(scene) == {AlarmCode.WEBHOOKS_MISSING}
    scene.clock.advance(3600)
    assert allowed(scene) is None


def test_one_trial_leaves_at_a_time_and_its_webhook_ends_the_stop(scene: Scene):
    Taken(scene, seconds=40)
    assert allowed(scene) == 1
    trial = Taken(scene, seconds=1)
    assert allowed(scene) == 0
    trial.brings_a_webhook()
    assert allowed(scene) is None


def test_a_webhook_from_before_the_fault_does_not_hide_it(scene: Scene):
    Taken(scene, seconds=30).brings_a_webhook()
    scene.clock.advance(7)
    silent = Taken(scene, seconds=0)
    scene.change_attempt(silent.attempt_id, posted_at=scene.services.real.now() - timedelta(seconds=7))
    assert allowed(scene) == 0


@pytest.mark.parametrize(("seconds", "result"), [(2, "answered"), (3, "dead_air"), (None, "dead_air")])
def test_an_answered_call_of_which_no_turn_was_asked_for_is_our_fault(
    scene: Scene, seconds: int | None, result: str
):
    call = Taken(scene, seconds=20)
    row = call.ends(TelephonyResult.ANSWERED, seconds=seconds)
    assert (row["result"], row["contact"]) == (result, "none")
    assert row["ringing_at"] is not None
    robot = scene.case_of(call.case_id).robot
    assert robot.state is RobotState.PENDING
    assert robot.tries == (1 if result == "answered" else 0)


def test_a_call_that_nobody_answered_keeps_its_result(scene: Scene):
    assert Taken(scene, seconds=40).ends(TelephonyResult.NO_ANSWER)["result"] == "no_answer"


def test_with_all_lines_taken_calls_that_ring_for_too_long_stop_dialling(scene: Scene):
    """No call is younger than the newest webhook, since none could leave."""
    ringing = [Taken(scene, seconds=45) for _ in range(3)]
    for call in ringing:
        call.brings_a_webhook()
        rang_at = scene.clock.now() - timedelta(seconds=42)
        scene.change_attempt(call.attempt_id, state="ringing", ringing_at=rang_at)
    assert allowed(scene) is None
    scene.clock.advance(41)
    assert check_system(scene.services, late_seconds=1).stopped == ("webhooks",)
    assert allowed(scene) == 1
    assert alarms(scene) == {AlarmCode.WEBHOOKS_MISSING}
    Taken(scene, seconds=1).brings_a_webhook()
    assert allowed(scene) is None


def test_one_call_whose_end_got_lost_stops_nothing(scene: Scene):
    for _ in range(2):
        call = Taken(scene, seconds=45)
        call.brings_a_webhook()
        rang_at = scene.clock.now() - timedelta(seconds=42)
        scene.change_attempt(call.attempt_id, state="ringing", ringing_at=rang_at)
    scene.clock.advance(41)
    assert allowed(scene) is None
