"""Which warnings of a source go on and which wait, by its limits and what it has sent before."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.sources import Asked, HoldReason, Sent, SourceLimits, Spans, reasons_to_wait
from dialer.core.values import Grade

LOW, HIGH, EXTRA = (Asked(grade=grade, amount_fen=0) for grade in (Grade.LOW, Grade.HIGH, Grade.EXTRA_HIGH))


def test_a_source_without_limits_sends_what_it_wants():
    asked = [LOW, Asked(grade=Grade.EXTRA_HIGH, amount_fen=10**13)] * 500
    assert reasons_to_wait(SourceLimits(), Sent(in_day=10**6), asked) == [None] * 1000


@pytest.mark.parametrize(
    ("limit", "before", "reason"),
    [
        ({"per_minute": 5}, {"in_minute": 4}, HoldReason.PER_MINUTE),
        ({"per_hour": 5}, {"in_hour": 4}, HoldReason.PER_HOUR),
        ({"per_day": 5}, {"in_day": 4}, HoldReason.PER_DAY),
    ],
)
def test_warnings_above_a_count_wait(limit: dict[str, int], before: dict[str, int], reason: HoldReason):
    asked = [LOW, EXTRA, LOW]
    assert reasons_to_wait(SourceLimits(**limit), Sent(**before), asked) == [None, None, reason]


@pytest.mark.parametrize(
    ("limit", "before", "reason"),
    [
        ({"extra_high_per_minute": 5}, {"extra_high_in_minute": 4}, HoldReason.EXTRA_HIGH_PER_MINUTE),
        ({"extra_high_per_hour": 5}, {"extra_high_in_hour": 4}, HoldReason.EXTRA_HIGH_PER_HOUR),
        ({"extra_high_per_day": 5}, {"extra_high_in_day": 4}, HoldReason.EXTRA_HIGH_PER_DAY),
    ],
)
def test_extra_high_ones_are_counted_apart(limit: dict[str, int], before: dict[str, int], reason: HoldReason):
    asked = [EXTRA, LOW, EXTRA, HIGH]
    assert reasons_to_wait(SourceLimits(**limit), Sent(**before), asked) == [None, None, reason, None]


def test_the_longest_span_is_the_reason():
    limits = SourceLimits(per_minute=0, per_hour=0, per_day=0)
    assert reasons_to_wait(limits, Sent(), [LOW]) == [HoldReason.PER_DAY]
    limits = SourceLimits(per_minute=0, per_hour=0)
    assert reasons_to_wait(limits, Sent(), [LOW]) == [HoldReason.PER_HOUR]


def test_a_higher_grade_and_a_larger_amount_and_another_unit_wait():
    limits = SourceLimits(most_grade=Grade.HIGH, most_amount_fen=100, units=("one",))
    asked = [
        HIGH,
        EXTRA,
        Asked(grade=Grade.LOW, amount_fen=100),
        Asked(grade=Grade.LOW, amount_fen=101),
        Asked(grade=Grade.LOW, amount_fen=None),
        Asked(grade=Grade.LOW, amount_fen=None, is_in_units=False),
    ]
    wait = [None, HoldReason.GRADE, None, HoldReason.AMOUNT, None, HoldReason.UNIT]
    assert reasons_to_wait(limits, Sent(), asked) == wait


def test_the_highest_grades_go_first():
    assert reasons_to_wait(SourceLimits(per_minute=1), Sent(), [LOW, HIGH]) == [HoldReason.PER_MINUTE, None]


def test_what_waits_counts_as_sent():
    limits = SourceLimits(per_minute=1, most_amount_fen=100)
    asked = [Asked(grade=Grade.HIGH, amount_fen=101), LOW]
    assert reasons_to_wait(limits, Sent(), asked) == [HoldReason.AMOUNT, HoldReason.PER_MINUTE]


def test_own_limits_stand_before_general_ones():
    general = SourceLimits(per_minute=60, units=("a",), bank_reports=False, most_grade=Grade.HIGH)
    own = SourceLimits(per_minute=0, units=("b",), bank_reports=True, per_day=7)
    assert own.or_else(general) == SourceLimits(
        per_minute=0, units=("b",), bank_reports=True, per_day=7, most_grade=Grade.HIGH
    )
    assert SourceLimits().or_else(general) == general


def test_kinds_of_signals():
    assert SourceLimits().may_send_kind("call")
    limits = SourceLimits(signal_kinds=("call", "sms"))
    assert [limits.may_send_kind(kind) for kind in ("sms", "report")] == [True, False]


def test_spans_begin_in_the_zone_of_the_centre():
    spans = Spans.of(datetime(2026, 11, 30, 16, 30, 59, 7, tzinfo=UTC), ZoneInfo("Asia/Shanghai"))
    assert spans == Spans(
        minute_at=datetime(2026, 11, 30, 16, 30, tzinfo=UTC),
        hour_at=datetime(2026, 11, 30, 16, 0, tzinfo=UTC),
        day_at=datetime(2026, 11, 30, 16, 0, tzinfo=UTC),
    )


_ASKED = st.lists(
    st.builds(Asked, grade=st.sampled_from(Grade), amount_fen=st.none() | st.integers(0, 200)), max_size=30
)
_MOST = st.none() | st.integers(0, 20)


@given(asked=_ASKED, per_minute=_MOST, extra=_MOST, cut=st.integers(0, 30))
def test_never_more_go_on_than_a_limit_allows_however_they_are_split(
    asked: list[Asked], per_minute: int | None, extra: int | None, cut: int
):
    limits = SourceLimits(per_minute=per_minute, extra_high_per_minute=extra, most_amount_fen=100)
    first, second = asked[:cut], asked[cut:]
    urgent = sum(one.grade is Grade.EXTRA_HIGH for one in first)
    reasons = reasons_to_wait(limits, Sent(), first) + reasons_to_wait(
        limits, Sent(in_minute=len(first) - urgent, extra_high_in_minute=urgent), second
    )
    for is_urgent, most in ((False, per_minute), (True, extra)):
        own = [
            reason
            for one, reason in zip(asked, reasons, strict=True)
            if (one.grade is Grade.EXTRA_HIGH) is is_urgent
        ]
        went_on = own.count(None)
        assert most is None or went_on <= most
        if most is None or len(own) <= most:
            assert set(own) <= {None, HoldReason.AMOUNT}
