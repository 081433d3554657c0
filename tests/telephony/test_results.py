"""The one table of results, row by row; and that the carrier's extra field never makes a result better."""

from __future__ import annotations

from itertools import product

import pytest

from dialer.domain.values import TelephonyResult as Result
from dialer.telephony.progress import CallState, Stage
from dialer.telephony.results import progress_of, result_of

FINISHED = ["completed", "busy", "no-answer", "failed", "canceled"]
UNFINISHED = ["queued", "initiated", "ringing", "in-progress", "answered", "", "paused"]
CONTACT = {Result.ANSWERED}
NOT_A_PERSON = {Result.MACHINE, Result.FORWARDED}


@pytest.mark.parametrize(
    ("status", "result"),
    [
        ("completed", Result.ANSWERED),
        ("busy", Result.BUSY),
        ("no-answer", Result.NO_ANSWER),
        ("failed", Result.FAILED),
        ("canceled", Result.CANCELED),
    ],
)
def test_a_status_alone(status: str, result: Result):
    assert result_of(status=status) is result


@pytest.mark.parametrize("status", UNFINISHED)
def test_a_call_that_is_not_finished_has_no_result(status: str):
    assert result_of(status=status, sip_code=486, answered_by="human", line_result="forwarded") is None


@pytest.mark.parametrize(
    ("status", "code", "result"),
    [
        ("busy", 486, Result.BUSY),
        ("busy", 600, Result.BUSY),
        ("busy", 603, Result.REJECTED),
        ("busy", 607, Result.REJECTED),
        ("no-answer", 480, Result.NO_ANSWER),
        ("no-answer", 487, Result.NO_ANSWER),
        ("no-answer", 603, Result.REJECTED),
        ("failed", 404, Result.INVALID_NUMBER),
        ("failed", 410, Result.INVALID_NUMBER),
        ("failed", 484, Result.INVALID_NUMBER),
        ("failed", 485, Result.INVALID_NUMBER),
        ("failed", 604, Result.INVALID_NUMBER),
        ("failed", 408, Result.NO_ANSWER),
        ("failed", 480, Result.NO_ANSWER),
        ("failed", 487, Result.NO_ANSWER),
        ("failed", 486, Result.BUSY),
        ("failed", 600, Result.BUSY),
        ("failed", 603, Result.REJECTED),
        ("failed", 403, Result.BLOCKED),
        ("failed", 402, Result.BLOCKED),
        ("failed", 488, Result.BLOCKED),
        ("failed", 608, Result.BLOCKED),
        ("failed", 500, Result.BLOCKED),
        ("failed", 503, Result.BLOCKED),
        ("failed", 200, Result.FAILED),
        ("failed", 499, Result.FAILED),
        ("completed", 200, Result.ANSWERED),
        ("completed", 404, Result.ANSWERED),
        ("canceled", 487, Result.CANCELED),
    ],
)
def test_the_sip_code_says_more(status: str, code: int, result: Result):
    assert result_of(status=status, sip_code=code) is result


@pytest.mark.parametrize(
    ("answered_by", "result"),
    [
        ("human", Result.ANSWERED),
        ("unknown", Result.ANSWERED),
        ("", Result.ANSWERED),
        ("machine_start", Result.MACHINE),
        ("machine_end_beep", Result.MACHINE),
        ("machine_end_silence", Result.MACHINE),
        ("machine_end_other", Result.MACHINE),
        ("fax", Result.MACHINE),
    ],
)
def test_who_answered(answered_by: str, result: Result):
    assert result_of(status="completed", answered_by=answered_by) is result
    assert result_of(status="completed", answered_by=answered_by, sip_code=200) is result


def test_a_verdict_about_a_call_that_was_not_answered_changes_nothing():
    assert result_of(status="busy", answered_by="machine_start") is Result.BUSY


@pytest.mark.parametrize(
    ("status", "said", "result"),
    [
        ("completed", "forwarded", Result.FORWARDED),
        ("completed", "machine", Result.MACHINE),
        ("completed", "voicemail", Result.MACHINE),
        ("no-answer", "powered_off", Result.POWERED_OFF),
        ("no-answer", "forwarded", Result.FORWARDED),
        ("busy", "rejected", Result.REJECTED),
        ("failed", "invalid_number", Result.INVALID_NUMBER),
        ("failed", "blocked", Result.BLOCKED),
        ("failed", "powered_off", Result.POWERED_OFF),
    ],
)
def test_our_own_carrier_may_be_more_exact(status: str, said: str, result: Result):
    assert result_of(status=status, line_result=said) is result


@pytest.mark.parametrize(
    ("status", "said"), list(product(FINISHED, [*Result, "voicemail", "nonsense", "ANSWERED"]))
)
def test_the_extra_field_never_makes_a_call_answered_or_a_machine_a_person(status: str, said: str):
    plain = result_of(status=status)
    told = result_of(status=status, line_result=said)
    assert told is plain or told is not Result.ANSWERED
    machine = result_of(status=status, answered_by="machine_start", line_result=said)
    assert machine is not Result.ANSWERED


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
        ("completed", Stage.ENDED, Result.ANSWERED),
        ("busy", Stage.ENDED, Result.BUSY),
        ("no-answer", Stage.ENDED, Result.NO_ANSWER),
        ("failed", Stage.ENDED, Result.FAILED),
        ("canceled", Stage.ENDED, Result.CANCELED),
        ("something-new", Stage.INITIATED, None),
    ],
)
def test_asking_tells_what_a_webhook_would_have(status: str, stage: Stage, result: Result | None):
    progress = progress_of(CallState(sid="CA1", status=status, date_created=None, duration_seconds=4))
    assert (progress.stage, progress.result) == (stage, result)
    assert (progress.sid, progress.duration_seconds, progress.sequence) == ("CA1", 4, None)


def test_asking_hears_of_machines_too():
    state = CallState(sid="CA1", status="completed", date_created=None, answered_by="machine_end_beep")
    assert progress_of(state).result is Result.MACHINE
    assert progress_of(state).answered_by == "machine_end_beep"
