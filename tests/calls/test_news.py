"""What one piece of news leaves in the rows: each thing that the carrier says, and what is made of all of them at the
end of a call.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from dialer.calls.apply import CallNews, end_attempts
from dialer.calls.events import apply_replies
from dialer.core.case import RobotState, StaffTrackState
from dialer.core.reach import Hearing
from dialer.core.values import Announcement, TelephonyResult
from dialer.db import tables as t
from dialer.telephony.callbacks import CallProgress, Stage
from tests.calls.conversation import PhoneCall
from tests.control.scene import Scene


@pytest.fixture(scope="module")
def scene(shared: Scene) -> Scene:
    """Its cases are each test's own; its clock only goes on."""
    return shared


def tell(call: PhoneCall, step: str, **said: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of news
    """The attempt's row after this news."""
    progress = CallProgress(**{"sid": call.sid} | said)
    with call.scene.tx() as tx:
        apply_replies(
            tx,
            call.scene.services,
            [CallNews(attempt_id=call.attempt_id, step=step, progress=progress, personal={"To": "+86139"})],
        )
    return call.row()


def posted(scene: Scene, **columns: object) -> PhoneCall:
    """A call of which nothing is known but that it was sent."""
    call = PhoneCall(scene)
    unknown = {"state": "sending", "sid": None, "ringing_at": None, "posted_at": scene.services.real.now()}
    scene.change_attempt(call.attempt_id, **unknown | columns)
    return call


def events(call: PhoneCall) -> list[dict[str, Any]]:
    return call.scene.rows(
        sa.select(t.event).where(t.event.c.attempt_id == call.attempt_id).order_by(t.event.c.id)
    )


class TestEachStage:
    def test_is_a_moment_of_its_own_and_the_first_time_stands(self, scene: Scene):
        call = posted(scene)
        began = scene.clock.now()
        row = tell(call, "1", stage=Stage.INITIATED)
        assert (row["state"], row["sid"], row["accepted_at"], row["ringing_at"]) == (
            "accepted",
            call.sid,
            began,
            None,
        )
        assert row["poll_at"] == began + timedelta(seconds=90)
        row = tell(call.after(1), "2", stage=Stage.RINGING)
        assert (row["state"], row["ringing_at"], row["answered_at"]) == (
            "ringing",
            began + timedelta(seconds=1),
            None,
        )
        row = tell(call.after(1), "3", stage=Stage.ANSWERED)
        assert (row["state"], row["answered_at"], row["ended_at"]) == (
            "answered",
            began + timedelta(seconds=2),
            None,
        )
        row = tell(call.after(1), "4", stage=Stage.RINGING)
        assert row["state"] == "answered", "late news"
        row = tell(call.after(1), "5", stage=Stage.ENDED, result=TelephonyResult.NO_ANSWER)
        assert (row["state"], row["ended_at"]) == ("ended", began + timedelta(seconds=4))
        times = [
            (row["accepted_at"] - began).seconds,
            (row["ringing_at"] - began).seconds,
            row["answered_at"],
        ]
        assert times == [0, 1, began + timedelta(seconds=2)]
        assert [event["kind"] for event in events(call)] == [
            "call.initiated", "call.ringing", "call.answered", "call.ringing", "call.ended",
        ]  # fmt: skip
        ended = call.row()
        assert tell(call.after(1), "6", stage=Stage.ENDED, result=TelephonyResult.BUSY) == ended
        assert len(events(call)) == 6, "it is kept all the same"

    def test_that_is_answered_has_rung(self, scene: Scene):
        row = tell(posted(scene), "1", stage=Stage.ANSWERED)
        assert row["ringing_at"] == row["answered_at"] == scene.clock.now()

    @pytest.mark.parametrize(
        ("result", "rang"),
        [
            (TelephonyResult.NO_ANSWER, True),
            (TelephonyResult.REJECTED, True),
            (TelephonyResult.FORWARDED, True),
            (TelephonyResult.MACHINE, True),
            (TelephonyResult.ANSWERED, True),
            (TelephonyResult.BUSY, False),
            (TelephonyResult.POWERED_OFF, False),
            (TelephonyResult.INVALID_NUMBER, False),
            (TelephonyResult.FAILED, False),
        ],
    )
    def test_only_some_results_say_that_it_rang(self, scene: Scene, result: TelephonyResult, rang: bool):
        row = tell(posted(scene), "1", stage=Stage.ENDED, result=result)
        assert row["ringing_at"] == (scene.clock.now() if rang else None)

    def test_an_end_without_a_result_is_not_known(self, scene: Scene):
        call = posted(scene)
        assert tell(call, "1", stage=Stage.ENDED)["result"] == "unknown"
        assert scene.case_of(call.case_id).human.state is StaffTrackState.OPEN

    def test_news_of_nothing_but_a_stage_leaves_what_is_known(self, scene: Scene):
        call = posted(scene, sid="CA" + "0" * 32, answered_by="human", sip_code=180)
        row = tell(call, "1", stage=Stage.INITIATED, sid="")
        assert (row["sid"], row["answered_by"], row["sip_code"]) == ("CA" + "0" * 32, "human", 180)
        assert (row["forwarded"], row["result"], row["heard_seconds"]) == (False, None, None)


class TestWhatTheCarrierSays:
    def test_is_kept_with_the_attempt_and_with_the_event(self, scene: Scene):
        call = PhoneCall(scene)
        row = tell(
            call,
            "status.3",
            stage=Stage.ENDED,
            result=TelephonyResult.POWERED_OFF,
            sequence=3,
            sip_code=480,
            answered_by="unknown",
            duration_seconds=7,
            announcement=Announcement.POWERED_OFF,
            announcement_score=0.75,
        )
        names = ("result", "sip_code", "answered_by", "talk_seconds", "announcement", "announcement_score")
        assert [row[name] for name in names] == ["powered_off", 480, "unknown", 7, "powered_off", 0.75]
        assert (row["reach"], row["contact"]) == ("nobody", "none")
        [event] = events(call)
        assert (event["step"], event["kind"], event["case_id"]) == ("status.3", "call.ended", call.case_id)
        assert event["facts"] == {
            "result": "powered_off",
            "sequence": 3,
            "sid": call.sid,
            "sip_code": 480,
            "answered_by": "unknown",
            "duration_seconds": 7,
            "announcement": "powered_off",
            "announcement_score": 0.75,
        }
        with scene.tx() as tx:
            sealed = tx.vault.open_record(
                event["sealed"], table="event", column="sealed", row=f"{call.attempt_id}/status.3"
            )
        assert sealed == {"To": "+86139"}

    def test_that_it_does_not_say_is_not_kept(self, scene: Scene):
        call = PhoneCall(scene)
        tell(call, "1", stage=Stage.RINGING)
        [event] = events(call)
        assert event["facts"] == {
            "result": None,
            "sequence": None,
            "sid": call.sid,
            "sip_code": None,
            "answered_by": "",
            "duration_seconds": None,
        }

    def test_a_telephone_that_is_forwarded_stays_so(self, scene: Scene):
        call = PhoneCall(scene)
        assert tell(call, "1", stage=Stage.ANSWERED, forwarded=True)["forwarded"] is True
        row = tell(call, "2", stage=Stage.ENDED, result=TelephonyResult.MACHINE)
        assert (row["forwarded"], row["result"], row["reach"]) == (True, "forwarded", "forwarded")

    def test_a_forwarded_telephone_that_nobody_answers_is_no_answer(self, scene: Scene):
        call = PhoneCall(scene)
        row = tell(call, "1", stage=Stage.ENDED, result=TelephonyResult.NO_ANSWER, forwarded=True)
        assert (row["forwarded"], row["result"]) == (True, "no_answer")


class TestWhoAnswered:
    @pytest.mark.parametrize("who", ["machine_start", "fax"])
    def test_a_machine_that_is_taken_for_an_answer_is_none(self, scene: Scene, who: str):
        call = PhoneCall(scene).answered().after(4)
        row = tell(call, "amd", stage=Stage.ANSWERED, answered_by=who)
        assert (row["answered_by"], row["heard_seconds"]) == (who, 4)
        row = call.after(30).ends(seconds=34)
        assert (row["result"], row["reach"], row["heard_seconds"]) == ("machine", "machine", 4)

    def test_a_person_who_is_recognised_needs_no_record_of_what_was_heard(self, scene: Scene):
        call = PhoneCall(scene).answered().after(4)
        row = tell(call, "amd", stage=Stage.ANSWERED, answered_by="human")
        assert (row["answered_by"], row["heard_seconds"]) == ("human", None)
        assert call.after(30).ends(seconds=34)["result"] == "answered"

    def test_a_machine_that_was_never_recognised_before_the_end_heard_all_of_it(self, scene: Scene):
        row = PhoneCall(scene).answered().after(6).ends(TelephonyResult.MACHINE, seconds=6)
        assert (row["result"], row["heard_seconds"]) == ("machine", 6)

    @pytest.mark.parametrize("result", [TelephonyResult.MACHINE, TelephonyResult.ANSWERED])
    def test_a_machine_that_pressed_the_right_keys_is_a_person(self, scene: Scene, result: TelephonyResult):
        call = PhoneCall(scene).answered().machine().presses("1", "1", "1").after(30)
        row = call.ends(result)
        assert (row["result"], row["reach"], row["contact"]) == ("answered", "verified", "verified")

    def test_an_answered_call_of_a_person_hears_until_its_end(self, scene: Scene):
        call = PhoneCall(scene).answered().after(4)
        scene.change_attempt(call.attempt_id, heard_seconds=2)
        assert call.ends(seconds=4)["heard_seconds"] == 4

    def test_nobody_has_heard_a_call_that_was_not_answered(self, scene: Scene):
        call = PhoneCall(scene)
        assert call.after(9).ends(TelephonyResult.NO_ANSWER)["heard_seconds"] is None
        assert call.row()["hearing"] is None


class TestASilentCall:
    """The carrier asked for no turn of ours."""

    @pytest.mark.parametrize(("seconds", "result"), [(2, "answered"), (3, "dead_air"), (None, "dead_air")])
    def test_is_our_fault_when_it_lasted_long_enough(self, scene: Scene, seconds: int | None, result: str):
        assert PhoneCall(scene).ends(seconds=seconds)["result"] == result

    def test_is_none_where_something_was_played(self, scene: Scene):
        call = PhoneCall(scene)
        scene.change_attempt(call.attempt_id, played_seconds=4.0)
        row = call.ends(seconds=30)
        assert (row["result"], row["heard_seconds"]) == ("answered", 4)


class TestTheCarriersSeconds:
    """They are rounded up: the last of them may not have been."""

    def opening(self, call: PhoneCall) -> int:
        """Whole seconds until the warning is said."""
        turn = Hearing.of(call.row()["hearing"]).turn
        assert not turn[-1].must_say
        return math.ceil(sum(one.seconds for one in turn if one.must_say))

    def test_the_last_second_but_one_was_heard(self, scene: Scene):
        call = PhoneCall(scene).answered()
        row = call.after(60).ends(seconds=self.opening(call) + 1)
        assert row["reach"] == "silent"
        heard = Hearing.of(row["hearing"])
        assert heard.whole == {prompt.id for prompt in heard.prompts if prompt.must_say}, (
            "and no more than the warning"
        )

    def test_the_last_second_was_not(self, scene: Scene):
        call = PhoneCall(scene).answered()
        assert call.after(60).ends(seconds=self.opening(call))["reach"] == "hung_up_early"

    @pytest.mark.parametrize("seconds", [0, 1])
    def test_of_one_second_nothing_was_heard(self, scene: Scene, seconds: int):
        row = PhoneCall(scene).answered().after(60).ends(seconds=seconds)
        assert {prompt.heard for prompt in Hearing.of(row["hearing"]).prompts} == {0.0}
        assert row["heard_seconds"] == seconds

    def test_news_that_comes_early_counts_before_the_carriers_seconds(self, scene: Scene):
        row = PhoneCall(scene).answered().after(2).ends(seconds=60)
        assert row["reach"] == "hung_up_early"


class TestAttemptsThatAreEndedByUs:
    def end(self, call: PhoneCall, result: TelephonyResult, code: int | None = None) -> dict[str, Any]:
        with call.scene.tx() as tx:
            end_attempts(tx, call.scene.services, {call.attempt_id: (result, code)})
        return call.row()

    def test_have_their_result_and_the_carriers_code_and_their_case_goes_on(self, scene: Scene):
        call = posted(scene)
        row = self.end(call, TelephonyResult.INVALID_NUMBER, 21211)
        assert (row["state"], row["result"], row["error_code"]) == ("ended", "invalid_number", 21211)
        assert (row["reach"], row["contact"], row["ended_at"]) == ("nobody", "none", scene.clock.now())
        robot = scene.case_of(call.case_id).robot
        assert (robot.state, robot.dead_numbers) == (RobotState.DONE, frozenset({0}))

    def test_free_their_number_after_its_rest(self, scene: Scene):
        call = posted(scene)
        blind = call.attempt_id.bytes
        scene.put_live_number(blind, call.attempt_id)
        self.end(call, TelephonyResult.UNKNOWN)
        [number] = scene.rows(sa.select(t.live_number).where(t.live_number.c.phone_blind == blind))
        assert (number["attempt_id"], number["free_at"]) == (None, scene.clock.now() + timedelta(seconds=60))

    def test_keep_the_end_that_they_have(self, scene: Scene):
        call = PhoneCall(scene)
        ended = call.ends(TelephonyResult.BUSY)
        assert self.end(call.after(5), TelephonyResult.UNKNOWN, 1) == ended

    @pytest.mark.parametrize(
        ("result", "records", "expected"),
        [
            (TelephonyResult.UNKNOWN, True, 1),
            (TelephonyResult.UNKNOWN, False, 0),
            (TelephonyResult.INVALID_NUMBER, True, 0),
        ],
    )
    def test_are_asked_for_their_recording_where_there_may_be_one(
        self, scene: Scene, result: TelephonyResult, records: bool, expected: int
    ):
        call = PhoneCall(scene)
        scene.change_attempt(call.attempt_id, records=records)
        self.end(call, result)
        found = scene.rows(sa.select(t.recording).where(t.recording.c.attempt_id == call.attempt_id))
        assert len(found) == expected

    def test_none_is_none(self, scene: Scene):
        with scene.tx() as tx:
            end_attempts(tx, scene.services, {})
