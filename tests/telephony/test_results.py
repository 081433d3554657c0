"""The one table of results, row by row; and that the carrier's extra field never makes a result better."""

from __future__ import annotations

from itertools import product

import pytest

from dialer.core.values import TelephonyResult
from dialer.telephony.callbacks import CallState, Stage, progress_of, result_of

FINISHED = ["completed", "busy", "no-answer", "failed", "canceled"]
UNFINISHED = ["queued", "initiated", "ringing", "in-progress", "answered", "", "paused"]
CONTACT = {TelephonyResult.ANSWERED}
NOT_A_PERSON = {TelephonyResult.MACHINE, TelephonyResult.FORWARDED}


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("completed", TelephonyResult.ANSWERED),
        ("busy", TelephonyResult.BUSY),
        ("no-answer", TelephonyResult.NO_ANSWER),
        ("failed", TelephonyResult.FAILED),
        ("canceled", TelephonyResult.CANCELED),
    ],
)
def test_a_status_alone(status: str, result: TelephonyResult):
    assert result_of(status=status) is result


@pytest.mark.parametrize("status", UNFINISHED)
def test_a_call_that_is_not_finished_has_no_result(status: str):
    assert result_of(status=status, sip_code=486, answered_by="human", line_result="forwarded") is None


@pytest.mark.parametrize(
    ("status", "code", "result"),
    [
        ("busy", 486, TelephonyResult.BUSY),
        ("busy", 600, TelephonyResult.BUSY),
        ("busy", 603, TelephonyResult.REJECTED),
        ("busy", 607, TelephonyResult.REJECTED),
        ("no-answer", 480, TelephonyResult.NO_ANSWER),
        ("no-answer", 487, TelephonyResult.NO_ANSWER),
        ("no-answer", 603, TelephonyResult.REJECTED),
        ("failed", 404, TelephonyResult.INVALID_NUMBER),
        ("failed", 410, TelephonyResult.INVALID_NUMBER),
        ("failed", 484, TelephonyResult.INVALID_NUMBER),
        ("failed", 485, TelephonyResult.INVALID_NUMBER),
        ("failed", 604, TelephonyResult.INVALID_NUMBER),
        ("failed", 408, TelephonyResult.NO_ANSWER),
        ("failed", 480, TelephonyResult.NO_ANSWER),
        ("failed", 487, TelephonyResult.NO_ANSWER),
        ("failed", 486, TelephonyResult.BUSY),
        ("failed", 600, TelephonyResult.BUSY),
        ("failed", 603, TelephonyResult.REJECTED),
        ("failed", 403, TelephonyResult.BLOCKED),
        ("failed", 402, TelephonyResult.BLOCKED),
        ("failed", 488, TelephonyResult.BLOCKED),
        ("failed", 608, TelephonyResult.BLOCKED),
        ("failed", 500, TelephonyResult.BLOCKED),
        ("failed", 503, TelephonyResult.BLOCKED),
        ("failed", 200, TelephonyResult.FAILED),
        ("failed", 499, TelephonyResult.FAILED),
        ("completed", 200, TelephonyResult.ANSWERED),
        ("completed", 404, TelephonyResult.ANSWERED),
        ("canceled", 487, TelephonyResult.CANCELED),
    ],
)
def test_the_sip_code_says_more(status: str, code: int, result: TelephonyResult):
    assert result_of(status=status, sip_code=code) is result


@pytest.mark.parametrize(
    ("answered_by", "result"),
    [
        ("human", TelephonyResult.ANSWERED),
        ("unknown", TelephonyResult.ANSWERED),
        ("", TelephonyResult.ANSWERED),
        ("machine_start", TelephonyResult.MACHINE),
        ("machine_end_beep", TelephonyResult.MACHINE),
        ("machine_end_silence", TelephonyResult.MACHINE),
        ("machine_end_other", TelephonyResult.MACHINE),
        ("fax", TelephonyResult.MACHINE),
    ],
)
def test_who_answered(answered_by: str, result: TelephonyResult):
    assert result_of(status="completed", answered_by=answered_by) is result
    assert result_of(status="completed", answered_by=answered_by, sip_code=200) is result


def test_machine_detection_of_an_unanswered_call_needs_no_record():
    assert result_of(status="busy", answered_by="machine_start") is TelephonyResult.BUSY


@pytest.mark.parametrize(
    ("status", "said", "result"),
    [
        ("completed", "forwarded", TelephonyResult.FORWARDED),
        ("completed", "machine", TelephonyResult.MACHINE),
        ("completed", "voicemail", TelephonyResult.MACHINE),
        ("no-answer", "powered_off", TelephonyResult.POWERED_OFF),
        ("no-answer", "forwarded", TelephonyResult.FORWARDED),
        ("busy", "rejected", TelephonyResult.REJECTED),
        ("failed", "invalid_number", TelephonyResult.INVALID_NUMBER),
        ("failed", "blocked", TelephonyResult.BLOCKED),
        ("failed", "powered_off", TelephonyResult.POWERED_OFF),
    ],
)
def test_our_own_carrier_may_be_more_exact(status: str, said: str, result: TelephonyResult):
    assert result_of(status=status, line_result=said) is result


@pytest.mark.parametrize(
    ("status", "said"), list(product(FINISHED, [*TelephonyResult, "voicemail", "nonsense", "ANSWERED"]))
)
def test_the_extra_field_never_makes_a_call_answered_or_a_machine_a_person(status: str, said: str):
    plain = result_of(status=status)
    told = result_of(status=status, line_result=said)
    assert told is plain or told is not TelephonyResult.ANSWERED
    machine = result_of(status=status, answered_by="machine_start", line_result=said)
    assert machine is not TelephonyResult.ANSWERED


@pytest.mark.parametrize(
    ("status", "code", "answered_by"),
    list(
        product(
            [*FINISHED, *UNFINISHED], [None, 200, 404, 486, 503], ["", "human", "machine_start", "unknown"]
        )
    ),
)
def test_only_a_completed_call_was_ever_answered(status: str, code: int | None, answered_by: str):
    result = result_of(status=status, sip_code=code, answered_by=answered_by)
    if status != "completed":
        assert result not in CONTACT | NOT_A_PERSON


@pytest.mark.parametrize(
    ("status", "stage", "result"),
    [
        ("queued", Stage.INITIATED, None),
        ("ringing", Stage.RINGING, None),
        ("in-progress", Stage.ANSWERED, None),
        ("completed", Stage.ENDED, TelephonyResult.ANSWERED),
        ("busy", Stage.ENDED, TelephonyResult.BUSY),
        ("no-answer", Stage.ENDED, TelephonyResult.NO_ANSWER),
        ("failed", Stage.ENDED, TelephonyResult.FAILED),
        ("canceled", Stage.ENDED, TelephonyResult.CANCELED),
        ("something-new", Stage.INITIATED, None),
    ],
)
def test_a_poll_reports_what_a_webhook_would_have(status: str, stage: Stage, result: TelephonyResult | None):
    progress = progress_of(CallState(sid="CA1", status=status, date_created=None, duration_seconds=4))
    assert (progress.stage, progress.result) == (stage, result)
    assert (progress.sid, progress.duration_seconds, progress.sequence) == ("CA1", 4, None)


def test_a_poll_reports_machines_too():
    state = CallState(sid="CA1", status="completed", date_created=None, answered_by="machine_end_beep")
    assert progress_of(state).result is TelephonyResult.MACHINE
    assert progress_of(state).answered_by == "machine_end_beep"


@pytest.mark.parametrize(
    ("status", "seconds", "is_cut_off"),
    [("completed", None, True), ("completed", 0, False), ("failed", None, False)],
)
def test_a_call_that_was_up_when_its_carrier_was_killed_has_no_length(
    status: str, seconds: int | None, is_cut_off: bool
):
    state = CallState(sid="CA1", status=status, date_created=None, duration_seconds=seconds)
    assert progress_of(state).is_cut_off is is_cut_off
