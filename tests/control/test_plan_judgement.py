"""What a plan would have changed last week, counted from rows by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dialer.control.plan_judgement import (
    BEYOND_TRIES,
    CALL_OVERDUE,
    FIRST_LATE,
    HELD_BACK,
    NO_LINE,
    NOT_REPORTED,
    NOT_SIGNED,
    OUTSIDE,
    VISIT_OVERDUE,
    WOULD_WAIT,
    CallRow,
    CaseRow,
    Count,
    TaskRow,
    WarningRow,
    WeekRows,
    WeekSource,
    judge_week,
)
from dialer.core.sources import Asked, SourceLimits
from dialer.core.values import Grade, Track
from dialer.runtime.plans import Plan, plan_of_settings, plan_values, with_values
from dialer.runtime.settings import load_settings
from tests.outcomes.town import MORNING

ZONE = "Asia/Shanghai"


def changed(**values: str) -> Plan:
    given = {one.key: one.text for one in plan_values(plan_of_settings(load_settings({})))}
    return with_values(given | {key.replace("__", "."): text for key, text in values.items()})


def after(seconds: float) -> datetime:
    return MORNING + timedelta(seconds=seconds)


def judged(draft: Plan, **rows: object) -> dict[str, Count]:
    week = WeekRows(start=MORNING, now=after(90_000), **{"sources": {}, **rows})  # type: ignore[arg-type]
    return {one.what: one for one in judge_week(week, changed(), draft, zone=ZONE).different}


def call(*, n: int = 1, at: float = 0, lasts: float = 30) -> CallRow:
    return CallRow(
        grade=Grade.MEDIUM, n=n, posted_at=after(at), sent_at=after(at), ended_at=after(at + lasts)
    )


def test_a_first_call_is_late_only_beyond_the_limit_also_while_there_was_none():
    cases = [
        CaseRow(grade=Grade.MEDIUM, opened_at=MORNING, first_attempt_at=at)
        for at in (after(60), after(61), None)
    ]
    found = judged(changed(policy__medium__first_attempt_seconds="60"), cases=cases)
    assert set(found) == {FIRST_LATE}
    late = found[FIRST_LATE]
    assert (late.grade, late.of, late.live, late.draft) == (Grade.MEDIUM, 3, 1, 2)


def test_calls_beyond_the_tries_and_outside_the_window_are_counted():
    night = 14 * 3600  # MORNING is ten o'clock
    calls = [call(n=1), call(n=2, at=3600), call(n=3, at=7200), call(n=0, at=night)]
    assert judged(changed(policy__medium__robot_tries="2"), calls=calls)[BEYOND_TRIES].draft == 1
    assert judged(changed(policy__medium__robot_tries="2"), calls=calls)[BEYOND_TRIES].live == 0
    outside = judged(changed(policy__window__opens="11:00", policy__window__closes="22:00"), calls=calls)[
        OUTSIDE
    ]
    assert (outside.live, outside.draft) == (1, 2)


def test_tasks_are_late_by_the_limit_of_their_kind():
    def task(kind: Track, signed: float | None, done: float | None) -> TaskRow:
        moments = [None if at is None else after(at) for at in (signed, done)]
        return TaskRow(
            grade=Grade.MEDIUM, kind=kind, opened_at=MORNING, signed_at=moments[0], done_at=moments[1]
        )

    tasks = [task(Track.HUMAN, 30, 600), task(Track.VISIT, 120, 600)]
    found = judged(
        changed(
            policy__medium__human_due_seconds="300",
            policy__medium__visit_due_seconds="600",
            policy__medium__sign_seconds="60",
            policy__medium__feedback_seconds="599",
        ),
        tasks=tasks,
    )
    assert {what: (one.of, one.live, one.draft) for what, one in found.items()} == {
        CALL_OVERDUE: (1, 0, 1),
        NOT_SIGNED: (2, 0, 1),
        NOT_REPORTED: (2, 0, 2),
    }
    assert VISIT_OVERDUE in judged(changed(policy__medium__visit_due_seconds="300"), tasks=tasks)


def test_a_slower_pace_holds_calls_back_and_fewer_lines_make_them_wait():
    calls = [call(at=place) for place in range(5)]
    slower = judged(changed(pace__calls_per_second="0.2"), calls=calls)[HELD_BACK]
    assert (slower.of, slower.live, slower.draft) == (5, 0, 2)  # 0, 4, 8, 12 and 16 s later
    just = judged(changed(pace__calls_per_second="0.1"), calls=[call(at=0), call(at=0)])
    assert HELD_BACK not in just, "10 s later is not late"
    fewer = judged(changed(pace__lines="2"), calls=[*calls, call(at=31.5)])[NO_LINE]
    assert (fewer.live, fewer.draft) == (0, 4)


@pytest.mark.parametrize(
    ("source", "waits"),
    [
        (None, 4),
        (WeekSource(on_probation=True, own_limits=SourceLimits(per_minute=4)), 3),
        (WeekSource(on_probation=False, own_limits=SourceLimits()), 0),
    ],
)
def test_warnings_wait_by_the_limits_of_their_source(source: WeekSource | None, waits: int):
    warnings = [
        WarningRow(source="bank", at=after(place), asked=Asked(grade=Grade.LOW, amount_fen=0))
        for place in range(7)
    ]
    warnings.append(WarningRow(source="bank", at=after(8), asked=Asked(grade=Grade.EXTRA_HIGH, amount_fen=0)))
    found = judged(
        changed(sources__probation__per_minute="3"),
        warnings=warnings,
        sources={} if source is None else {"bank": source},
    )
    if source is None:
        assert (found[WOULD_WAIT].about, found[WOULD_WAIT].of) == ("bank", 8)
        assert (found[WOULD_WAIT].live, found[WOULD_WAIT].draft) == (0, waits)
    else:
        assert found == {}  # its own limit, or that of other sources, counts before and after


def test_what_is_the_same_under_both_is_left_out():
    week = WeekRows(start=MORNING, now=after(9), calls=[call()], sources={})
    done = judge_week(week, changed(), changed(), zone=ZONE)
    assert (done.different, done.counted) == ([], 1)
