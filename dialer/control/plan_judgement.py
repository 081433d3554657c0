"""What a plan would have changed in the days before: calls, tasks and warnings as they were, counted by the limits of
two plans. Pure. What people would have done otherwise nobody can know, so only what the limits say by themselves is
counted.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from dialer.core.policy import GradePolicy, Policy
from dialer.core.sources import Asked, Sent, SourceLimits, StoredCounts, reasons_to_wait, with_sent
from dialer.core.text import gettext_noop
from dialer.core.values import Grade, Track
from dialer.runtime.plans import Plan

_LATE: Final = timedelta(seconds=10)
"""A call that leaves so much later has been held back by the pace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """A case of the week."""

    grade: Grade
    opened_at: datetime
    first_attempt_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """A robot call of the week. `n` counts the tries of a case of the week, 0 for other calls; `posted_at` is real, the
    others are service time.
    """

    grade: Grade
    n: int
    posted_at: datetime
    sent_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """A call by a person or a visit that was opened in the week."""

    grade: Grade
    kind: Track
    opened_at: datetime
    signed_at: datetime | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningRow:
    """A warning that came by the API in the week."""

    source: str
    at: datetime
    asked: Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekSource:
    """What holds for a source beside the plan."""

    on_probation: bool
    own_limits: SourceLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekRows:
    """What has happened from `start` until `now`, each in the order of its time."""

    start: datetime
    now: datetime
    cases: Sequence[CaseRow] = ()
    calls: Sequence[CallRow] = ()
    tasks: Sequence[TaskRow] = ()
    warnings: Sequence[WarningRow] = ()
    sources: Mapping[str, WeekSource]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A figure under the plan in force and under the draft. `about`: a grade or a source."""

    what: str
    about: str = ""
    grade: Grade | None = None
    of: int
    live: int
    draft: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWeek:
    """The figures that differ, and how many rows were counted since `start`."""

    start: datetime
    counted: int
    different: Sequence[Count]


def judge_week(rows: WeekRows, live: Plan, draft: Plan, *, zone: str) -> PlanWeek:
    """The figures of the week that differ between the two plans."""
    both = (live.policy.policy(zone=zone), draft.policy.policy(zone=zone))
    found = [
        *(count for grade in Grade for count in _of_grade(rows, grade, *both)),
        *_of_pace(rows, live, draft),
        *_of_sources(rows, live, draft),
    ]
    return PlanWeek(
        start=rows.start,
        counted=len(rows.cases) + len(rows.calls) + len(rows.tasks) + len(rows.warnings),
        different=[count for count in found if count.live != count.draft],
    )


def _of_grade(rows: WeekRows, grade: Grade, live: Policy, draft: Policy) -> list[Count]:
    cases = [row for row in rows.cases if row.grade is grade]
    calls = [row for row in rows.calls if row.grade is grade]
    tasks = [row for row in rows.tasks if row.grade is grade]
    by_kind = {kind: [row for row in tasks if row.kind is kind] for kind in (Track.HUMAN, Track.VISIT)}

    def late(until: datetime | None, since: datetime, seconds: int) -> bool:
        return (until or rows.now) - since > timedelta(seconds=seconds)

    def count(what: str, of: int, figure: Callable[[Policy, GradePolicy], int]) -> Count:
        before, after = (figure(policy, policy.of(grade)) for policy in (live, draft))
        return Count(what=what, grade=grade, of=of, live=before, draft=after)

    def overdue(kind: Track) -> Callable[[Policy, GradePolicy], int]:
        return lambda _, own: sum(
            late(row.done_at, row.opened_at, own.due_seconds(kind)) for row in by_kind[kind]
        )

    return [
        count(
            FIRST_LATE,
            len(cases),
            lambda _, own: sum(
                late(row.first_attempt_at, row.opened_at, own.first_attempt_seconds) for row in cases
            ),
        ),
        count(BEYOND_TRIES, len(calls), lambda _, own: sum(row.n > own.robot_tries for row in calls)),
        count(
            OUTSIDE,
            len(calls),
            lambda policy, own: sum(own.windowed and not policy.window.is_open(row.sent_at) for row in calls),
        ),
        count(CALL_OVERDUE, len(by_kind[Track.HUMAN]), overdue(Track.HUMAN)),
        count(VISIT_OVERDUE, len(by_kind[Track.VISIT]), overdue(Track.VISIT)),
        count(
            NOT_SIGNED,
            len(tasks),
            lambda _, own: sum(late(row.signed_at, row.opened_at, own.sign_seconds) for row in tasks),
        ),
        count(
            NOT_REPORTED,
            len(tasks),
            lambda _, own: sum(late(row.done_at, row.opened_at, own.feedback_seconds) for row in tasks),
        ),
    ]


def _of_pace(rows: WeekRows, live: Plan, draft: Plan) -> list[Count]:
    posted = sorted(row.posted_at for row in rows.calls)
    spans = sorted((row.sent_at, row.ended_at) for row in rows.calls)
    paces = [plan.pace for plan in (live, draft)]
    held = [_held_back(posted, gap=timedelta(seconds=1 / pace.calls_per_second)) for pace in paces]
    crowded = [_without_line(spans, lines=pace.lines) for pace in paces]
    return [
        Count(what=HELD_BACK, of=len(posted), live=held[0], draft=held[1]),
        Count(what=NO_LINE, of=len(posted), live=crowded[0], draft=crowded[1]),
    ]


def _held_back(posted: Sequence[datetime], *, gap: timedelta) -> int:
    """How many calls would have left later by more than `_LATE`, one leaving each `gap`."""
    free_at, late = None, 0
    for at in posted:
        leaves = at if free_at is None else max(at, free_at)
        late += leaves - at > _LATE
        free_at = leaves + gap
    return late


def _without_line(spans: Sequence[tuple[datetime, datetime]], *, lines: int) -> int:
    """How many calls began while so many others went on already."""
    going: list[datetime] = []
    found = 0
    for begun, ended in spans:
        while going and going[0] <= begun:
            heapq.heappop(going)
        found += len(going) >= lines
        heapq.heappush(going, ended)
    return found


def _of_sources(rows: WeekRows, live: Plan, draft: Plan) -> list[Count]:
    by_source: dict[str, list[WarningRow]] = {}
    for row in rows.warnings:
        by_source.setdefault(row.source, []).append(row)
    found = []
    for source, sent in sorted(by_source.items()):
        before, after = (_waiting(sent, _limits(rows.sources.get(source), plan)) for plan in (live, draft))
        found.append(Count(what=WOULD_WAIT, about=source, of=len(sent), live=before, draft=after))
    return found


def _limits(source: WeekSource | None, plan: Plan) -> SourceLimits:
    general = plan.sources.general_limits()
    if source is None:
        return general.probation
    return source.own_limits.or_else(general.probation if source.on_probation else general.regular)


def _waiting(sent: Sequence[WarningRow], limits: SourceLimits) -> int:
    """How many of these warnings of one source would have waited for a person."""
    counts: StoredCounts = {}
    waits = 0
    for row in sent:
        (reason,) = reasons_to_wait(limits, Sent.at(counts, row.at), [row.asked])
        if reason is not None:
            waits += 1
            continue
        is_urgent = row.asked.grade is Grade.EXTRA_HIGH
        counts = with_sent(counts, row.at, warnings=not is_urgent, extra_high=is_urgent)
    return waits


FIRST_LATE: Final = gettext_noop("first call too late")
BEYOND_TRIES: Final = gettext_noop("robot calls beyond the tries, which would not have been made")
OUTSIDE: Final = gettext_noop("robot calls outside the dialling window, which would have waited")
CALL_OVERDUE: Final = gettext_noop("calls by callers overdue")
VISIT_OVERDUE: Final = gettext_noop("visits overdue")
NOT_SIGNED: Final = gettext_noop("tasks signed for too late")
NOT_REPORTED: Final = gettext_noop("tasks reported too late")
HELD_BACK: Final = gettext_noop("robot calls that would have left more than 10 s later")
NO_LINE: Final = gettext_noop("robot calls that would have waited for a line")
WOULD_WAIT: Final = gettext_noop("warnings by the API that would have waited for release")
