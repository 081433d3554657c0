"""Every fact and every step can be told in both languages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from dialer.core.case import Reason
from dialer.core.text import Lang
from dialer.core.timeline import (
    AHEAD_AT_MOST,
    Entry,
    EntryKind,
    Fact,
    NextStep,
    Obstacle,
    StepKind,
    Wait,
    WaitReason,
)
from dialer.core.values import Track
from dialer.language.sentences import (
    entry_sentence,
    moment_words,
    step_sentence,
    wait_words,
    waiting_sentence,
    why_words,
)

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
HAN = re.compile(r"[\u4e00-\u9fff]")
OUTCOME: dict[str, Fact] = {
    "outcome_id": 4,
    "outcome": "dissuaded_by_phone",
    "contact": "verified",
    "reverses": 3,
    "intended_fen": 1_234_56,
    "stopped_fen": 0,
    "returned_fen": 7,
}
FACTS: dict[EntryKind, dict[str, Fact]] = {
    EntryKind.WARNING: {
        "instruction_no": "Z1",
        "source": "bureau",
        "grade": "high",
        "fraud_type": "loan",
        "amount_at_risk_fen": 5_000_000,
    },
    EntryKind.ATTEMPT_PLANNED: {"n": 1, "number": 2, "reason": "retry"},
    EntryKind.ATTEMPT_SENT: {"n": 1},
    EntryKind.RINGING: {"n": 1},
    EntryKind.ANSWERED: {"n": 1},
    EntryKind.SPOKEN: {"n": 1, "heard_at": "identity", "key": "1", "then": "scene", "end": True},
    EntryKind.ATTEMPT_ENDED: {"n": 1, "result": "answered", "contact": "verified", "answer": "acknowledged"},
    EntryKind.MESSAGE: {"channel": "sms", "purpose": "unreachable", "state": "delivered"},
    EntryKind.ASSIGNMENT_OPENED: {"track": "human", "reason": "not_verified"},
    EntryKind.ASSIGNMENT_SIGNED: {"track": "human", "in_time": True},
    EntryKind.ASSIGNMENT_REPORTED: {"track": "visit", "outcome": "refuses", "in_time": False},
    EntryKind.ASSIGNMENT_WITHDRAWN: {"track": "visit", "reason": "verified_success"},
    EntryKind.OUTCOME: OUTCOME,
    EntryKind.REVERSAL: OUTCOME,
    EntryKind.APPROVAL: {"outcome_id": 4},
    EntryKind.STOP_OPENED: {},
    EntryKind.STOP_ASKED: {"bank": "ICBC", "amount_fen": 1},
    EntryKind.STOP_ANSWERED: {"bank": "ICBC", "result": "stopped", "stopped_fen": 1},
    EntryKind.STOP_ENDED: {"result": "too_late"},
    EntryKind.AUDITED: {"act": "delete_recording"},
    EntryKind.FILED: {"case_number": "A1"},
    EntryKind.FILING_UNDONE: {"case_number": "A1"},
    EntryKind.ALARM: {"code": "missed_warning"},
    EntryKind.ALARM_SEEN: {"code": "missed_warning"},
    EntryKind.ALARM_ENDED: {"code": "human_overdue"},
    EntryKind.ALARM_TAKEN: {"code": "human_overdue", "why": "1"},
    EntryKind.RELEASED: {"held_for": "per_minute"},
    EntryKind.DUPLICATE_KEPT: {"case_id": 5},
    EntryKind.HOLD_PLACED: {},
    EntryKind.HOLD_LIFTED: {},
    EntryKind.ACT: {"act": "grade_lowered"},
    EntryKind.VIEWED: {"act": "reveal", "why": "calls the family"},
}


def told(kind: EntryKind, lang: Lang) -> str:
    return entry_sentence(Entry(at=NOW, kind=kind, id="x", facts=FACTS[kind]), lang)


@pytest.mark.parametrize("kind", EntryKind)
def test_every_entry_is_told_in_both_languages(kind: EntryKind):
    assert HAN.search(told(kind, Lang.ZH))
    english = told(kind, Lang.EN)
    assert english
    assert not HAN.search(english)
    assert "_" not in english.replace("grade_lowered", "")


def test_money_is_told_in_yuan_and_nothing_is_told_of_nothing():
    assert told(EntryKind.OUTCOME, Lang.EN) == (
        "outcome 4: dissuaded by phone, the right person, verified, intended 1,234.56 yuan, returned 0.07 yuan"
    )


def test_late_is_said():
    assert told(EntryKind.ASSIGNMENT_REPORTED, Lang.EN).endswith("(late)")
    assert "late" not in told(EntryKind.ASSIGNMENT_SIGNED, Lang.EN)


def test_a_value_of_a_later_version_is_told_as_it_stands():
    entry = Entry(at=NOW, kind=EntryKind.ALARM, id="x", facts={"code": "something_new"})
    assert entry_sentence(entry, Lang.EN) == "alarm: something_new"


@pytest.mark.parametrize("kind", StepKind)
@pytest.mark.parametrize("track", Track)
def test_every_step_says_what_and_why(kind: StepKind, track: Track):
    closed = Obstacle(reason=WaitReason.WINDOW_CLOSED, since=NOW, facts={"opens": "09:00", "closes": "21:00"})
    waits = {"waits": (Wait.WINDOW, Wait.QUEUE), "waiting": closed}
    step = NextStep(kind=kind, track=track, reason=Reason.RETRY, at=NOW, **waits)  # type: ignore[arg-type]
    zh, en = step_sentence(step, Lang.ZH), step_sentence(step, Lang.EN)
    assert HAN.search(zh)
    assert not HAN.search(en)
    if kind is StepKind.ATTEMPT:
        assert en.endswith("; waiting: the dialling window is closed")


WAITS: dict[WaitReason, list[tuple[dict[str, str | int], str, str]]] = {
    WaitReason.UNDER_WAY: [({"state": "ringing"}, "the call is under way", ": ringing")],
    WaitReason.PAUSED: [
        (
            {"scope": "grade", "subject": "high", "by": "zhao", "why": "x"},
            "dialling is paused (a grade high)",
            " by zhao: x",
        )
    ],
    WaitReason.HELD: [({}, "its pause is over: it is being released", "")],
    WaitReason.NUMBER_BUSY: [
        ({}, "the same number is being called for another case", ""),
        ({"rests": 1}, "the number rests after a call", ""),
    ],
    WaitReason.PLANNED_FOR_LATER: [
        ({"reason": "called_in"}, "its time has not come", ": the person called us")
    ],
    WaitReason.WINDOW_CLOSED: [
        (
            {"opens": "09:00", "closes": "21:00"},
            "the dialling window is closed",
            ": the robot calls from 09:00 to 21:00",
        )
    ],
    WaitReason.CARRIER_TROUBLE: [
        ({"troubles": 0}, "the telephone network asked for a rest", ""),
        (
            {"troubles": 7},
            "there is trouble with the telephone network",
            ": 7 failures in a row, only a trial call leaves now and then",
        ),
    ],
    WaitReason.LINES_FULL: [
        ({}, "no line is set up", ""),
        ({"in_use": 3, "lines": 3, "ahead": 0}, "every line is in use", ": 3 of 3"),
        (
            {"in_use": 3, "lines": 3, "ahead": 2},
            "every line is in use",
            ": 3 of 3, and 2 more urgent ones go first",
        ),
    ],
    WaitReason.QUEUE: [
        ({"ahead": 3}, "more urgent ones go first", ": 3"),
        ({"ahead": AHEAD_AT_MOST}, "more urgent ones go first", ": at least 10,000"),
    ],
    WaitReason.PACING: [({"pace": "2"}, "it is next, at the permitted pace", ": 2 calls a second")],
}


@pytest.mark.parametrize("reason", WaitReason)
def test_every_wait_is_told_in_short_and_whole_by_the_same_words(reason: WaitReason):
    for facts, short, more in WAITS[reason]:
        waiting = Obstacle(reason=reason, since=NOW, facts=facts)
        assert wait_words(waiting, Lang.EN) == short
        assert waiting_sentence(waiting, Lang.EN) == short + more
        assert HAN.search(wait_words(waiting, Lang.ZH))
        assert waiting_sentence(waiting, Lang.ZH).startswith(wait_words(waiting, Lang.ZH))


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (0, "0秒后", "in 0s"),
        (59, "59秒后", "in 59s"),
        (60, "1分钟后", "in 1m"),
        (7_300, "2小时后", "in 2h"),
        (200_000, "2天后", "in 2d"),
        (-61, "1分钟前", "1m ago"),
    ],
)
def test_how_far_away(seconds: int, zh: str, en: str):
    at = NOW + timedelta(seconds=seconds)
    assert (moment_words(at, NOW, Lang.ZH), moment_words(at, NOW, Lang.EN)) == (zh, en)
    assert moment_words(None, NOW, Lang.ZH) == ""


def test_what_was_said_is_told_apart_from_what_was_pressed():
    facts = {"n": 1, "heard_at": "identity", "key": "", "spoke": True, "then": "identity", "end": False}
    spoken = Entry(at=NOW, kind=EntryKind.SPOKEN, id="x", facts=facts)
    assert "口头回答" in entry_sentence(spoken, Lang.ZH)
    assert "spoke at" in entry_sentence(spoken, Lang.EN)


@pytest.mark.parametrize(
    ("act", "is_typed", "told"),
    [
        ("reveal", False, "at the desk"),
        ("reveal", True, "desk"),
        ("pause.all", False, "desk"),
        ("export", False, "desk"),
    ],
)
def test_a_reason_that_somebody_typed_stays_as_it_is(act: str, is_typed: bool, told: str):
    assert why_words("desk", Lang.EN, act=act, is_typed=is_typed) == told
    viewed = {"act": act, "why": "desk"} | ({"is_typed": True} if is_typed else {})
    assert entry_sentence(Entry(at=NOW, kind=EntryKind.VIEWED, id="x", facts=viewed), Lang.EN).endswith(told)
