"""What if: a question about a period, its answer with intervals, and the assumptions that it rests on. Pure, but for
the processes that replay seeds side by side.

Honest first: where figures of the period were seen, the replay under what was in force must give them back; where it
does not, the answer says which, and nothing is predicted.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from dialer.core.text import gettext_noop
from dialer.core.values import Track
from dialer.whatif.engine import replay
from dialer.whatif.figures import Change, Check, Figures, changes, checked, figures_of_replay, quarters
from dialer.whatif.hazard import DEFAULT
from dialer.whatif.model import Centre, Order, People, WarnedCase

SEEDS: Final = 10
PROMISE_SECONDS: Final = 600
_COPY_SECONDS: Final = 1_800
"""A case that is repeated for a larger load opens within so long of the first."""


MOST_LEFT_OUT: Final = 0.1
"""Of a period in which people changed a larger share of the cases by hand, nothing is predicted."""


class HoursFrom(StrEnum):
    """Where it is known from who was at work when."""

    ROTA = "rota"
    PRESENCE = "presence"
    WORK = "work"
    """The hours in which people took and reported tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A period to replay. `cases` in the order of their opening; those before `start` only fill the queues."""

    cases: Sequence[WarnedCase]
    people: People
    centre: Centre
    zone: ZoneInfo
    start: datetime
    end: datetime
    seen: Sequence[Figures] = ()
    """The figures of the whole period and of its quarters; none of a generated load."""
    left_out: int = 0
    """Cases of the period that people changed by hand: they are neither replayed nor counted."""
    hours_from: HoursFrom = HoursFrom.ROTA


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be otherwise than it was."""

    callers: int = 0
    """So many more on every shift; below zero fewer."""
    officers: int = 0
    lines: int | None = None
    load: float = 1.0
    """So many times the cases."""
    order: Order = Order.OURS
    outage: tuple[datetime, datetime] | None = None
    """No robot call leaves meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The replay compared with what was seen, and, where it gave that back, what the question would have changed."""

    start: datetime
    end: datetime
    cases: int
    left_out: int
    """Cases that people changed by hand, beside the others."""
    seeds: int
    promise_seconds: float
    checks: tuple[Check, ...]
    changes: tuple[Change, ...]
    assumptions: tuple[str, ...]

    @property
    def is_honest(self) -> bool:
        """Whether the replay gives back every figure that was seen, of nearly all cases; True where none was."""
        return not self.has_too_many_left_out and all(check.holds for check in self.checks)

    @property
    def has_too_many_left_out(self) -> bool:
        """Whether people changed so many cases by hand that the others are not the period."""
        return self.left_out > MOST_LEFT_OUT * (self.cases + self.left_out)


ASSUMPTIONS: Final = (
    gettext_noop("Callers work as one team, and officers as another: the borders of units are left out."),
    gettext_noop("No two cases share a person or a telephone."),
    gettext_noop("Nobody changes a case by hand, and no second warning joins one."),
    gettext_noop("The carrier takes every call; nothing fails on our side beyond what the calls show."),
    gettext_noop("A caller or an officer takes at once what waits, and works until it is reported."),
    gettext_noop(
        "Whether and when people would pay is our own assumption, by fraud type and grade, and no filed case is used."
    ),
    gettext_noop("The people of a grade answer alike in the same hour, at the first call as at the third."),
)
_OF_LOAD: Final = gettext_noop("A larger load has the same mix: its cases repeat those of the period.")
_OF_STAFF: Final = gettext_noop("More staff work as those who are there: as fast, and on the same shifts.")
_OF_SEEN: Final = gettext_noop("People, talks and ways are drawn from those of the same period.")
_OF_GAPS: Final = gettext_noop("In spans in which no call left although calls waited, none leaves now.")
_OF_LINES: Final = gettext_noop("Lines and pace are those of today.")
_OF_HOURS: Final = {
    HoursFrom.ROTA: gettext_noop("People were on duty as the rota says, with its swaps, changes and leave."),
    HoursFrom.PRESENCE: gettext_noop(
        "People were on duty while they were present, to the quarter of an hour."
    ),
    HoursFrom.WORK: gettext_noop(
        "No rota and no presence is known: people were on duty in the hours in which they took or reported tasks."
    ),
}
_OF_CITY: Final = gettext_noop("The city is invented: its figures say nothing about a real one.")


def answered(
    period: Period,
    question: Question,
    *,
    seeds: int = SEEDS,
    promise_seconds: float = PROMISE_SECONDS,
    processes: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Answer:
    """Replays the period `seeds` times as it was and as asked, each time with the same people. `progress` is told how
    many replays of how many are over.
    """
    spans = quarters(period.start, period.end)
    as_it_was = partial(_figures, period, spans, promise_seconds)
    asked = partial(_figures, changed(period, question), spans[:1], promise_seconds)
    is_asked = question != Question()
    of = seeds * (2 if is_asked else 1)
    before = _each(as_it_was, seeds, processes, partial(_told, progress, 0, of))
    checks = checked(period.seen, before)
    cases = sum(case.opened_at >= period.start for case in period.cases)
    answer = Answer(
        start=period.start,
        end=period.end,
        cases=cases,
        left_out=period.left_out,
        seeds=seeds,
        promise_seconds=promise_seconds,
        checks=checks,
        changes=(),
        assumptions=_assumptions(period, question),
    )
    whole = [figures[0] for figures in before]
    if not answer.is_honest:
        return answer
    after = whole
    if is_asked:
        after = [
            figures[0] for figures in _each(asked, seeds, processes, partial(_told, progress, seeds, of))
        ]
    return replace(answer, changes=changes(whole, after))


def _told(progress: Callable[[int, int], None], before: int, of: int, done: int) -> None:
    progress(before + done, of)


def _figures(
    period: Period, spans: Sequence[tuple[datetime, datetime]], promise_seconds: float, seed: int
) -> list[dict[str, float]]:
    replayed = replay(
        period.cases,
        period.people,
        period.centre,
        zone=period.zone,
        until=period.end,
        seed=seed,
        pays_at=partial(DEFAULT.pays_at, seed),
    )
    return [
        figures_of_replay(replayed, start=start, end=end, promise_seconds=promise_seconds)
        for start, end in spans
    ]


def _each(
    of_seed: Callable[[int], list[dict[str, float]]], seeds: int, processes: int, told: Callable[[int], None]
) -> list[list[dict[str, float]]]:
    found: list[Any] = []
    if processes == 1:
        for seed in range(seeds):
            found.append(of_seed(seed))
            told(len(found))
        return found
    with ProcessPoolExecutor(processes) as pool:
        for figures in pool.map(of_seed, range(seeds)):
            found.append(figures)
            told(len(found))
    return found


def changed(period: Period, question: Question) -> Period:
    """The period as asked."""
    centre = period.centre.with_staff(Track.HUMAN, question.callers)
    centre = replace(centre.with_staff(Track.VISIT, question.officers), order=question.order)
    if question.lines is not None:
        centre = replace(centre, lines=question.lines)
    if question.outage is not None:
        centre = replace(centre, outages=(*centre.outages, question.outage))
    return replace(period, centre=centre, cases=_repeated(period.cases, question.load))


def _repeated(cases: Sequence[WarnedCase], load: float) -> Sequence[WarnedCase]:
    """`load` times the cases, in the order of their opening; the same ones each time."""
    if load == 1:
        return cases
    chance = random.Random(0)  # noqa: S311 - a load, no secret
    found: list[WarnedCase] = []
    for case in cases:
        copies = int(load) + (chance.random() < load % 1)
        later = [timedelta(seconds=int(chance.uniform(0, _COPY_SECONDS))) for _ in range(copies - 1)]
        found += [replace(case, opened_at=case.opened_at + by) for by in [timedelta(), *later][:copies]]
    return sorted(found, key=lambda case: case.opened_at)


def _assumptions(period: Period, question: Question) -> tuple[str, ...]:
    more = [_OF_SEEN, _OF_HOURS[period.hours_from], _OF_GAPS, _OF_LINES] if period.seen else [_OF_CITY]
    if question.load != 1:
        more.append(_OF_LOAD)
    if question.callers > 0 or question.officers > 0:
        more.append(_OF_STAFF)
    return (*ASSUMPTIONS, *more)
