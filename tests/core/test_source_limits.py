"""Which warnings of a source go on and which wait, by its limits and what it has sent before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.sources import (
    Asked,
    HoldReason,
    Sent,
    SourceLimits,
    StoredCounts,
    reasons_to_wait,
    wait_for_signals,
    with_sent,
)
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


def test_what_waits_is_not_counted():
    limits = SourceLimits(per_minute=1, most_amount_fen=100)
    asked = [Asked(grade=Grade.HIGH, amount_fen=101), LOW, LOW]
    assert reasons_to_wait(limits, Sent(), asked) == [HoldReason.AMOUNT, None, HoldReason.PER_MINUTE]


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


def test_lists():
    assert SourceLimits().may_list_as("fraud")
    limits = SourceLimits(list_kinds=("suspected",))
    assert [limits.may_list_as(kind) for kind in ("suspected", "fraud")] == [True, False]


BEGIN = datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC)


def test_what_went_on_counts_for_its_span_and_a_sixth_longer_at_most():
    counts = with_sent({}, BEGIN, warnings=2, extra_high=1)
    assert Sent.at(counts, BEGIN) == Sent(
        in_minute=2, in_hour=2, in_day=2, extra_high_in_minute=1, extra_high_in_hour=1, extra_high_in_day=1
    )
    for name, seconds in (("in_minute", 60), ("in_hour", 3600), ("extra_high_in_day", 86_400)):
        for still, count in ((seconds - 1, True), (seconds * 7 / 6, False)):
            assert bool(getattr(Sent.at(counts, BEGIN + timedelta(seconds=still)), name)) is count


def test_what_counts_no_longer_is_not_kept():
    counts: StoredCounts = {}
    for hour in range(100):
        counts = with_sent(counts, BEGIN + timedelta(hours=hour), warnings=1)
    assert {name: len(parts) for name, parts in counts.items()} == {"in_minute": 1, "in_hour": 2, "in_day": 7}
    assert with_sent(counts, BEGIN + timedelta(days=9)) == {}


def test_a_clock_that_is_set_back_forgets_nothing():
    counts = with_sent({}, BEGIN, warnings=3)
    assert Sent.at(counts, BEGIN - timedelta(hours=2)) == Sent(in_minute=3, in_hour=3, in_day=3)


_TIMES = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), min_size=1, max_size=40)


@given(
    times=_TIMES, most=st.integers(0, 20), scale=st.sampled_from([1, 60, 1440]), offset=st.integers(0, 10**5)
)
def test_within_any_span_never_more_go_on_than_the_limit(
    times: Sequence[tuple[int, int]], most: int, scale: int, offset: int
):
    name = {1: "per_minute", 60: "per_hour", 1440: "per_day"}[scale]
    limits = SourceLimits(**{name: most, f"extra_high_{name}": most})
    moments = accumulate(wait * scale for wait, _ in times)
    for one in (LOW, EXTRA):
        counts: StoredCounts = {}
        went: list[tuple[int, int]] = []
        for second, (_, sent) in zip(moments, times, strict=False):
            now = BEGIN + timedelta(seconds=offset + second)
            go_on = reasons_to_wait(limits, Sent.at(counts, now), [one] * sent).count(None)
            counts = with_sent(counts, now, **{"extra_high" if one is EXTRA else "warnings": go_on})
            went.append((second, go_on))
        for end, _ in went:
            within = sum(count for second, count in went if end - 60 * scale < second <= end)
            assert within <= most


@given(most=st.integers(1, 20), every=st.integers(1, 30))
def test_a_source_that_sends_too_much_all_the_time_has_most_of_its_limit_go_on(most: int, every: int):
    counts: StoredCounts = {}
    went_on = 0
    for second in range(0, 700, every):
        now = BEGIN + timedelta(seconds=second)
        limits = SourceLimits(per_minute=most)
        go_on = reasons_to_wait(limits, Sent.at(counts, now), [LOW] * 40).count(None)
        counts = with_sent(counts, now, warnings=go_on)
        went_on += go_on
    assert went_on >= most * 7


@given(times=_TIMES, most=st.integers(1, 20), span=st.sampled_from(["minute", "hour", "day"]))
def test_signals_wait_exactly_until_they_may_be_taken(times: Sequence[tuple[int, int]], most: int, span: str):
    limits = SourceLimits(**{f"signals_per_{span}": most})
    counts: StoredCounts = {}
    now = BEGIN
    for wait, sent in times:
        now += timedelta(seconds=wait * {"minute": 1, "hour": 60, "day": 1440}[span])
        above = wait_for_signals(limits, counts, now, sent)
        if above is not None and sent <= most:
            assert above[0] == f"signals_per_{span}"
            before = now + timedelta(seconds=above[1] - 1)
            assert wait_for_signals(limits, counts, before, sent) is not None or above[1] <= 1
            now += timedelta(seconds=above[1])
            assert wait_for_signals(limits, counts, now, sent) is None
        elif above is not None:
            continue
        counts = with_sent(counts, now, signals=sent)


def test_the_longest_wait_is_told():
    limits = SourceLimits(signals_per_minute=0, signals_per_hour=5, signals_per_day=9)
    assert wait_for_signals(limits, {}, BEGIN, 1) == ("signals_per_minute", 60.0)
    assert wait_for_signals(limits, {}, BEGIN, 6) == ("signals_per_hour", 3600.0)
    assert wait_for_signals(SourceLimits(), {}, BEGIN, 10**9) is None


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
    reasons = reasons_to_wait(limits, Sent(), first)
    went_on = [one.grade for one, reason in zip(first, reasons, strict=True) if reason is None]
    urgent = went_on.count(Grade.EXTRA_HIGH)
    before = Sent(in_minute=len(went_on) - urgent, extra_high_in_minute=urgent)
    reasons += reasons_to_wait(limits, before, second)
    for is_urgent, most in ((False, per_minute), (True, extra)):
        own = [
            reason
            for one, reason in zip(asked, reasons, strict=True)
            if (one.grade is Grade.EXTRA_HIGH) is is_urgent
        ]
        assert most is None or own.count(None) <= most
        if most is None or len(own) <= most:
            assert set(own) <= {None, HoldReason.AMOUNT}
