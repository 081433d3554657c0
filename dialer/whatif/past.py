"""A past period as its records tell it: the cases as they came, how people answered, and who worked when. Pure.

What only people decided is left out, since no replay can give it back: cases that somebody closed, raised or withdrew.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from statistics import median
from typing import Final
from zoneinfo import ZoneInfo

from dialer.core.case import Case
from dialer.core.policy import Window
from dialer.core.rota import DutyChange, Roster
from dialer.core.values import Contact, OutcomeKind, TelephonyResult, Track
from dialer.whatif.engine import Life, Task
from dialer.whatif.figures import Figures, figures_of, quarters
from dialer.whatif.model import People, RobotCall, Seen, StaffReport, WarnedCase

STAFF: Final = (Track.HUMAN, Track.VISIT)
_OUTAGE: Final = timedelta(minutes=5)
"""No call leaves for so long although calls wait: something held them back."""
_LEAST_WAITING: Final = 3
"""Fewer may wait for reasons of their own, such as an engaged number."""
_CENSORED: Final = frozenset({TelephonyResult.CANCELED, TelephonyResult.UNKNOWN})
"""Ends that say nothing about how a person answers."""
_BRIDGED: Final = timedelta(hours=2)
"""Somebody who had nothing to do for so long was there."""
SLOT: Final = timedelta(minutes=15)
"""Who was present is counted at the middle of each."""

Span = tuple[datetime, datetime]
"""From (included) until (not), in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCase:
    """A case as it came, and the outcome that dissuaded the person first, if one did until the period was over."""

    id: int
    warned: WarnedCase
    success: OutcomeKind | None
    is_changed: bool
    """Somebody changed its course by hand, or a second warning raised it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCall:
    """A robot call that left. `ready_at`: from when on it might have."""

    case_id: int
    ready_at: datetime
    sent_at: datetime
    ended_at: datetime | None
    brought: RobotCall | None
    """None: it was not over when the period was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTask:
    """An assignment. `by` is None while nobody has taken it."""

    case_id: int
    track: Track
    opened_at: datetime
    urgency_at: datetime
    due_at: datetime
    is_withdrawn: bool
    taken_at: datetime | None = None
    by: str | None = None
    done_at: datetime | None = None
    outcome: OutcomeKind | None = None
    contact: Contact = Contact.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What happened to the cases opened before `end`, until then; each list by time."""

    cases: Sequence[PastCase]
    calls: Sequence[PastCall]
    tasks: Sequence[PastTask]
    end: datetime

    @property
    def lives(self) -> list[Life]:
        """What became of each case that nobody changed by hand, in their order."""
        calls, tasks = defaultdict(list), defaultdict(list)
        for call in self.calls:
            calls[call.case_id].append(call)
        for task in self.tasks:
            tasks[task.case_id].append(task)
        return [_life(case, calls[case.id], tasks[case.id]) for case in self.cases if not case.is_changed]

    def people(self, start: datetime, zone: ZoneInfo) -> People:
        """How those who were called and those who called behaved from `start` on."""
        grades = {case.id: case.warned.grade for case in self.cases}
        return People(
            robot=Seen(
                (grades[call.case_id], call.sent_at.astimezone(zone).hour, call.brought)
                for call in self.calls
                if call.sent_at >= start and call.brought is not None and call.brought.result not in _CENSORED
            ),
            reports={
                track: Seen(
                    (grades[task.case_id], task.taken_at.astimezone(zone).hour, report)
                    for task in self.tasks
                    if task.track is track
                    and task.taken_at is not None
                    and task.taken_at >= start
                    and (report := _report(task)) is not None
                )
                for track in STAFF
            },
            between_seconds={track: self._between_seconds(track) for track in STAFF},
        )

    def _between_seconds(self, track: Track) -> float:
        """From a report until the same person took what had waited at that moment, at the middle."""
        of_person: dict[str, list[PastTask]] = defaultdict(list)
        for task in self.tasks:
            if task.track is track and task.by is not None and task.taken_at is not None:
                of_person[task.by].append(task)
        gaps = []
        for tasks in of_person.values():
            tasks.sort(key=lambda task: task.taken_at or task.opened_at)
            for before, after in pairwise(tasks):
                assert after.taken_at is not None
                if before.done_at is not None and after.opened_at <= before.done_at <= after.taken_at:
                    gaps.append((after.taken_at - before.done_at).total_seconds())
        return median(gaps) if gaps else 0.0

    def work_hours(self, track: Track) -> list[Span]:
        """The quarters of an hour in which each person took or reported something, and those between that were idle."""
        spans: list[Span] = []
        of_person: dict[str, list[Span]] = defaultdict(list)
        for task in self.tasks:
            if task.track is track and task.by is not None and task.taken_at is not None:
                last = task.done_at or task.taken_at
                of_person[task.by].append((_quarter(task.taken_at), _quarter(last) + SLOT))
        for worked in of_person.values():
            spans += joined(worked, bridged=_BRIDGED)
        return spans

    def outages(self, start: datetime, window: Window) -> tuple[Span, ...]:
        """Spans from `start` on in which no call left although some were ready and the window was open."""
        ready = sorted(
            (
                call.ready_at if window.is_open(call.ready_at) else window.next_open(call.ready_at),
                call.sent_at,
            )
            for call in self.calls
            if call.sent_at >= start
        )
        sent = [start, *sorted(left for _, left in ready), self.end]
        moments = [at for at, _ in ready]
        found = []
        for before, after in pairwise(sent):
            if after - before <= _OUTAGE:
                continue
            known = bisect_right(moments, after)
            waiting = [max(at, before) for at, left in ready[:known] if left >= after and at < after]
            if len(waiting) >= _LEAST_WAITING:
                held = sorted(waiting)[_LEAST_WAITING - 1]
                if after - held > _OUTAGE:
                    found.append((held, after))
        return tuple(found)

    def seen(self, start: datetime, *, promise_seconds: float) -> list[Figures]:
        """The figures of the period from `start` and of its quarters."""
        lives = self.lives
        return [
            figures_of(lives, start=first, end=last, promise_seconds=promise_seconds)
            for first, last in quarters(start, self.end)
        ]


def _quarter(at: datetime) -> datetime:
    """The beginning of its quarter of an hour."""
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)


def _report(task: PastTask) -> StaffReport | None:
    if task.taken_at is None or task.done_at is None or task.outcome is None:
        return None
    seconds = max(0.0, (task.done_at - task.taken_at).total_seconds())
    return StaffReport(outcome=task.outcome, contact=task.contact, seconds=seconds)


def _life(past: PastCase, calls: Sequence[PastCall], tasks: Sequence[PastTask]) -> Life:
    warned = past.warned
    case = Case(
        id=past.id,
        grade=warned.grade,
        fraud_type=warned.fraud_type,
        opened_at=warned.opened_at,
        policy_version=warned.policy_version,
        numbers=warned.numbers,
    )
    brought = [(call.ended_at, call.brought) for call in calls if call.brought is not None]
    spoken = [at for at, one in brought if at is not None and one.contact is Contact.VERIFIED]
    spoken += [
        task.done_at for task in tasks if task.done_at is not None and task.contact is Contact.VERIFIED
    ]
    return Life(
        warned,
        case,
        robot_calls=len(calls),
        answered=sum(one.result is TelephonyResult.ANSWERED for _, one in brought),
        first_call_at=min((call.sent_at for call in calls), default=None),
        spoken_at=min(spoken, default=None),
        success=past.success,
        tasks=[
            Task(
                case=past.id,
                track=task.track,
                opened_at=task.opened_at,
                urgency_at=task.urgency_at,
                due_at=task.due_at,
                taken_at=task.taken_at,
                done_at=task.done_at,
                outcome=task.outcome,
                withdrawn=task.is_withdrawn,
            )
            for task in tasks
        ],
    )


def joined(spans: Iterable[Span], *, bridged: timedelta = timedelta()) -> list[Span]:
    """The spans of one person, those joined that overlap or have no more than `bridged` between."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start - found[-1][1] <= bridged:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def counted_roster(spans: Iterable[Span], zone: ZoneInfo, *, slot: timedelta) -> Roster:
    """A roster with as many persons as these spans have at the middle of each slot: who they were is forgotten, and one
    more person on each span is one more at each moment.
    """
    steps: Counter[datetime] = Counter()
    for start, end in spans:
        first, last = _slot_of(start, slot), _slot_of(end, slot)
        steps[first] += 1
        steps[last] -= 1
    moments = sorted(steps)
    levels = accumulate(steps[at] for at in moments)
    return Roster(
        zone=zone,
        shifts=(),
        changes=tuple(
            DutyChange(start=start, end=end, on=n)
            for (start, end), level in zip(pairwise(moments), levels, strict=False)
            for n in range(1, level + 1)
        ),
    )


def _slot_of(at: datetime, slot: timedelta) -> datetime:
    """The first slot whose middle is not before this moment."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + slot * -(-(at - midnight - slot / 2) // slot)


def without_changed(records: Records, start: datetime) -> tuple[Sequence[WarnedCase], int]:
    """The cases to replay, and how many of those opened from `start` on are left out since people changed them."""
    kept = [case.warned for case in records.cases if not case.is_changed]
    left_out = sum(case.is_changed and case.warned.opened_at >= start for case in records.cases)
    return kept, left_out


def without_unseen(
    rosters: Mapping[Track, Sequence[Roster]], people: People
) -> dict[Track, Sequence[Roster]]:
    """The rosters of those kinds of work of which a report was seen: of the others nobody knows how they go."""
    return {track: found for track, found in rosters.items() if len(people.reports[track])}
