"""Webhooks in Twilio's words become progress in ours; what is missing or odd is left out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dialer.core.errors import Invalid
from dialer.core.values import TelephonyResult
from dialer.scripts.answers import Heard
from dialer.telephony.callbacks import (
    CallProgress,
    Stage,
    hand_over_taken,
    machine_verdict,
    read_gather,
    status_event,
)

SID = "CA" + "1" * 32
EVENT = {"CallSid": SID, "AccountSid": "AC1", "From": "96110", "To": "+8613800138000"}


def event(status: str, **more: str) -> CallProgress:
    return status_event(EVENT | {"CallStatus": status} | more)


def test_a_whole_final_event():
    progress = event(
        "completed",
        SequenceNumber="3",
        CallDuration="42",
        SipResponseCode="200",
        AnsweredBy="human",
        Timestamp="Wed, 25 Nov 2026 09:00:00 +0000",
    )
    assert progress == CallProgress(
        stage=Stage.ENDED,
        sid=SID,
        sequence=3,
        result=TelephonyResult.ANSWERED,
        duration_seconds=42,
        answered_by="human",
        sip_code=200,
        at=datetime(2026, 11, 25, 9, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        ("queued", Stage.INITIATED),
        ("initiated", Stage.INITIATED),
        ("ringing", Stage.RINGING),
        ("in-progress", Stage.ANSWERED),
    ],
)
def test_an_event_on_the_way_has_a_stage_and_no_result(status: str, stage: Stage):
    progress = event(status, SequenceNumber="0")
    assert (progress.stage, progress.result, progress.sequence) == (stage, None, 0)


@pytest.mark.parametrize(
    ("status", "code", "result"),
    [
        ("busy", "486", TelephonyResult.BUSY),
        ("busy", "603", TelephonyResult.REJECTED),
        ("no-answer", "487", TelephonyResult.NO_ANSWER),
        ("failed", "404", TelephonyResult.INVALID_NUMBER),
        ("failed", "503", TelephonyResult.BLOCKED),
        ("canceled", "487", TelephonyResult.CANCELED),
    ],
)
def test_every_final_status_has_its_result(status: str, code: str, result: TelephonyResult):
    progress = event(status, SipResponseCode=code)
    assert (progress.stage, progress.result, progress.sip_code) == (Stage.ENDED, result, int(code))


def test_the_result_of_our_own_line_is_used():
    assert event("completed", **{"X-LineResult": "forwarded"}).result is TelephonyResult.FORWARDED
    assert event("completed", **{"X-Unplayed": "true"}).unplayed
    assert not event("completed").unplayed
    assert event("completed", **{"X-LineResult": "lost"}).is_cut_off
    assert event("completed", **{"X-LineResult": "lost"}).result is TelephonyResult.ANSWERED
    assert not event("failed", **{"X-LineResult": "lost"}).is_cut_off
    assert event("no-answer", **{"X-LineResult": "answered"}).result is TelephonyResult.NO_ANSWER


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "９", "1e3", "99999999999", "NaN"])
def test_an_odd_number_is_left_out(text: str):
    progress = event("completed", SequenceNumber=text, CallDuration=text, SipResponseCode=text)
    assert (progress.sequence, progress.duration_seconds, progress.sip_code) == (None, None, None)
    assert progress.result is TelephonyResult.ANSWERED


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Wed, 25 Nov 2026 17:00:00 +0800", datetime(2026, 11, 25, 9, tzinfo=UTC)),
        ("Wed, 25 Nov 2026 09:00:00", datetime(2026, 11, 25, 9, tzinfo=UTC)),
        ("Wed, 25 Nov 2026 09:00:00 -0000", datetime(2026, 11, 25, 9, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
        ("Wed, 35 Nov 2026 09:00:00 +0000", None),
        ("Fri, 31 Dec 9999 23:00:00 -2300", None),
    ],
)
def test_the_moment_is_utc_or_left_out(text: str, at: datetime | None):
    assert event("ringing", Timestamp=text).at == at


@pytest.mark.parametrize("status", ["", "on-hold", "COMPLETED"])
def test_an_unknown_status_is_refused(status: str):
    with pytest.raises(Invalid, match="CallStatus"):
        event(status)


def test_an_event_of_no_call_is_refused():
    with pytest.raises(Invalid, match="CallSid"):
        status_event({"CallStatus": "completed"})
    with pytest.raises(Invalid, match="CallSid"):
        machine_verdict({"AnsweredBy": "human"})


def test_machine_detection_means_that_the_call_was_answered():
    progress = machine_verdict(
        {"CallSid": SID, "AnsweredBy": "machine_start", "MachineDetectionDuration": "1"}
    )
    assert progress == CallProgress(stage=Stage.ANSWERED, sid=SID, answered_by="machine_start")


def test_machine_detection_without_a_result_is_refused():
    with pytest.raises(Invalid, match="AnsweredBy"):
        machine_verdict({"CallSid": SID})


@pytest.mark.parametrize(
    ("status", "taken"),
    [
        ("completed", True),
        ("answered", True),
        ("busy", False),
        ("no-answer", False),
        ("failed", False),
        ("canceled", False),
        ("", False),
    ],
)
def test_whether_an_officer_took_the_call(status: str, taken: bool):
    assert hand_over_taken({"DialCallStatus": status}) is taken
    assert hand_over_taken({}) is False


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"Digits": "1"}, Heard.keys("1")),
        ({"Digits": "0*#9"}, Heard.keys("0*#9")),
        ({"Digits": "12", "FinishedOnKey": "#"}, Heard.keys("12")),
        ({"SpeechResult": "我明白了", "Confidence": "0.83"}, Heard.said("我明白了", 0.83)),
        ({"Digits": ""}, Heard.silence()),
        ({}, Heard.silence()),
        ({"SpeechResult": "十" * 20_000, "Confidence": "0.9"}, Heard.said("十" * 500, 0.9)),
        ({"SpeechResult": "  "}, Heard.silence()),
        ({"Digits": "1", "SpeechResult": "不是", "Confidence": "0.9"}, Heard.keys("1")),
    ],
)
def test_what_was_heard(params: dict[str, str], expected: Heard):
    assert read_gather(EVENT | params) == expected


@pytest.mark.parametrize("digits", ["x", "1x", "１", "1" * 65, "1 2", "-1"])
def test_keys_that_no_telephone_has_are_silence(digits: str):
    assert read_gather({"Digits": digits}) == Heard.silence()


@pytest.mark.parametrize("confidence", ["", "high", "nan", "inf", "-1", "2"])
def test_speech_without_a_proper_confidence_counts_as_guessed(confidence: str):
    assert read_gather({"SpeechResult": "是", "Confidence": confidence}) == Heard.said("是", 0.0)
    assert read_gather({"SpeechResult": "是"}).confidence == 0.0
