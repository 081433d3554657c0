"""Calls whose words or sound the carrier cannot get: nobody is blamed, dialling stops, and goes on after a probe."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest
import sqlalchemy as sa

from dialer.calls.sound import FellBack, probe_sound, stop_for_fallback, stop_if_unplayed
from dialer.control.health import check_system
from dialer.core.case import RobotState
from dialer.core.events import AlarmCode
from dialer.core.text import Text
from dialer.core.values import TelephonyResult
from dialer.db import tables as t
from tests.calls.conversation import PhoneCall, apply_call_event
from tests.control.scene import Scene
from tests.server.switchboard import CONFIG
from tests.telephony.test_public_address import answering, at

SOUND = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nRIFFxxxx"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
ADDRESS = "https://calls.example.cn/audio/opening.wav"


def falls_back(call: PhoneCall) -> PhoneCall:
    apply_call_event(call.scene.services, FellBack(attempt_id=call.attempt_id, error_code="11200"))
    return call


def stop(scene: Scene) -> None:
    stop_for_fallback(scene.services, address=ADDRESS, error_code="11200")


def probe(scene: Scene, answer: bytes) -> None:
    async def run() -> None:
        async with answering(answer) as port:
            await probe_sound(scene.services, at(port))

    asyncio.run(run())


def waits(scene: Scene) -> float:
    """Seconds until the next probe."""
    wait_until = scene.group().sound.wait_until
    assert wait_until is not None
    return (wait_until - scene.services.real.now()).total_seconds()


def problem(scene: Scene) -> str:
    [alarm] = scene.rows(sa.select(t.alarm).where(t.alarm.c.code == AlarmCode.PROMPTS_MISSING))
    return str(Text.of_plain(alarm["facts"]["problem"]))


def test_a_call_that_heard_the_safe_sentence_in_place_of_the_warning_uses_up_no_try(scene: Scene):
    call = falls_back(PhoneCall(scene).answered()).after(20)
    row = call.ends(seconds=20)
    assert (row["result"], row["contact"], row["heard_seconds"]) == ("dead_air", "none", 0)
    robot = scene.case_of(call.case_id).robot
    assert (robot.state, robot.tries, robot.own_faults) == (RobotState.PENDING, 0, 1)


def test_a_fallback_before_any_turn_was_sent_is_dead_air_too(scene: Scene):
    assert falls_back(PhoneCall(scene)).after(20).ends(seconds=20)["result"] == "dead_air"


def test_what_was_heard_before_the_fallback_counts(scene: Scene):
    call = falls_back(PhoneCall(scene).answered().presses("1").presses("1")).after(5)
    assert call.ends(seconds=60)["result"] == "answered"


@pytest.mark.parametrize("at_end", [False, True])
def test_a_call_of_which_the_carrier_could_play_nothing_is_dead_air_and_stops_dialling(
    scene: Scene, at_end: bool
):
    call = PhoneCall(scene).answered().after(8)
    call.unplayed = call.is_unfetched = True
    if not at_end:
        call.presses("", at_once=True)
        stop_if_unplayed(scene.services, call.attempt_id, address=ADDRESS)
        assert scene.group().sound.is_open
    assert call.ends(seconds=20)["result"] == "dead_air"
    stop_if_unplayed(scene.services, call.attempt_id, address=ADDRESS)
    assert scene.group().sound.is_open
    assert problem(scene).startswith(ADDRESS)


def test_one_turn_of_several_that_was_not_played_stops_nothing(scene: Scene):
    call = PhoneCall(scene).answered().presses("1")
    call.unplayed = call.is_unfetched = True
    call.after(9).ends(seconds=40)
    stop_if_unplayed(scene.services, call.attempt_id, address=ADDRESS)
    assert not scene.group().sound.is_open


def test_no_call_leaves_while_it_is_stopped_and_the_alarm_names_address_and_error(scene: Scene):
    scene.open_case()
    assert check_system(scene.services, late_seconds=1).stopped == ()
    stop(scene)
    assert check_system(scene.services, late_seconds=1).stopped == ("sound",)
    assert scene.claim() == []
    assert problem(scene) == f"{ADDRESS}: the carrier reports error 11200"
    scene.later(seconds=3600)
    assert scene.claim() == [], "only a probe lets calls leave again"


def test_calls_that_were_under_way_do_not_make_it_longer(scene: Scene):
    stop(scene)
    first = waits(scene)
    scene.later(seconds=2)
    stop(scene)
    assert waits(scene) == first - 2
    assert scene.alarms_of(None) == {AlarmCode.PROMPTS_MISSING: 2}


def test_a_prompt_that_a_probe_can_fetch_lets_calls_leave(scene: Scene):
    case_id = scene.open_case()
    stop(scene)
    scene.later(seconds=6)
    probe(scene, SOUND)
    assert not scene.group().sound.is_open
    assert scene.claimed_cases() == [case_id]


def test_a_probe_that_fails_names_the_status_and_the_next_one_waits_longer(scene: Scene):
    scene.open_case()
    stop(scene)
    first = waits(scene)
    scene.later(seconds=6)
    probe(scene, NOT_FOUND)
    assert waits(scene) == 2 * first
    assert "/audio/" in problem(scene)
    assert "status 404" in problem(scene)
    assert scene.claim() == []


def test_sound_that_only_the_carrier_cannot_get_is_tried_less_and_less_often(scene: Scene):
    stop(scene)
    first = waits(scene)
    probe(scene, SOUND)
    scene.later(seconds=30)
    stop(scene)
    assert waits(scene) == 2 * first
    probe(scene, SOUND)
    scene.later(seconds=601)
    stop(scene)
    assert waits(scene) == first, "an old fault is forgotten"


def test_where_our_own_address_cannot_be_reached_from_here_the_time_alone_counts(scene: Scene):
    stop(scene)
    asyncio.run(probe_sound(scene.services, CONFIG, through_proxy=False))
    assert not scene.group().sound.is_open


def test_without_any_sound_there_is_nothing_to_fetch(scene: Scene):
    stop(scene)
    silent = dataclasses.replace(scene.services, rendered_scripts=_Silent())
    asyncio.run(probe_sound(silent, CONFIG))
    assert not scene.group().sound.is_open


def test_news_of_a_call_that_nobody_knows_stops_nothing(scene: Scene):
    call = PhoneCall(scene)
    stop_if_unplayed(scene.services, call.attempt_id, address=ADDRESS)
    assert not scene.group().sound.is_open, "nothing was sent yet"
    assert call.ends(TelephonyResult.NO_ANSWER)["result"] == "no_answer"


class _Silent:
    live: dict[str, object] = {}  # noqa: RUF012  # never changed

    def now(self, _real_now: object) -> _Silent:
        return self
