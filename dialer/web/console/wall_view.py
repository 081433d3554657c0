"""The wall as it is drawn: a reading put into the words and the few figures that are read from far away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dialer.domain.effects import AlarmCode
from dialer.domain.errand import VisitStage
from dialer.domain.pause import PauseScope
from dialer.domain.values import AmountKind, Grade, Track
from dialer.language import Lang, mark, say
from dialer.outcomes.counts import Counts
from dialer.store.reads.wall import PeoplesWork
from dialer.usecases.engine import Engine
from dialer.usecases.watch_cycle import AUDIT, WORK
from dialer.web.console.formats import span
from dialer.web.console.rendering import Pages, static
from dialer.web.console.wall_feed import Wall
from dialer.words import word

TEMPLATE = "console/wall.html"
_LAG_SECONDS = 5.0
"""What was counted longer ago than this beside the rest says when."""
_ALARM_KINDS = 3
_EXACT_BELOW = 100_000
_MYRIAD = 10_000
_WITHOUT = ((172_800, 86_400), (36_000, 3_600), (600, 60))
"""From so many seconds on, what is less than so many is left out."""
_THOUSAND, _MILLION = 1_000, 1_000_000
FUNNEL: Mapping[str, str] = {
    "warnings": mark("Warnings"),
    "cases_rung": mark("Called"),
    "verified_contact": mark("Reached"),
    "dissuaded": mark("Dissuaded"),
}
PARTS: Mapping[str, str] = {
    "tick": mark("tick"),
    "sweep": mark("due cases checked"),
    "dial": mark("dialled"),
    "reconcile": mark("calls reconciled"),
    AUDIT: mark("consistency check"),
    "schema": mark("database migrated"),
}


def short(value: int, lang: Lang) -> str:
    """Exact below a hundred thousand; above, as many digits as can be read from a distance."""
    if value < _EXACT_BELOW:
        return f"{value:,}"
    if lang is Lang.ZH:
        return f"{value / _MYRIAD:,.1f}万"
    return f"{value / _MILLION:,.2f}M" if value >= _MILLION else f"{value / _THOUSAND:,.1f}k"


def brief(seconds: float | None, lang: Lang) -> str:
    """As `span`, without what nobody asks for after so long: 4 min 20 s, but 23 min and 2 days."""
    if seconds is None:
        return "—"
    for limit, unit in _WITHOUT:
        if seconds >= limit:
            return span(seconds // unit * unit, lang)
    return span(seconds, lang)


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeTile:
    """One grade: who waits, and how long people waited today for their first ring."""

    grade: Grade
    due: int
    """Waiting for a line."""
    calling: int
    later: int
    oldest_seconds: float | None
    is_late: bool
    """The oldest has waited longer than the policy wants."""
    limit_seconds: int
    p50_seconds: float | None
    p90_seconds: float | None
    is_slow: bool

    @property
    def under_way(self) -> int:
        return self.due + self.calling


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """For whom a piece is drawn: everybody of one language."""

    lang: Lang
    now: datetime
    csrf: str = ""


def facts(engine: Engine, wall: Wall, lang: Lang) -> dict[str, Any]:
    """What the board is drawn with."""
    total = wall.today.figures.total if wall.today is not None else None
    return {
        "wall": wall,
        "queue_lags": (wall.at - wall.queue.at).total_seconds() > _LAG_SECONDS,
        "tiles": [_tile(engine, wall, grade) for grade in Grade],
        "short": lambda value: short(value, lang),
        "counts": total.counts if total is not None else None,
        "funnel": _funnel(total.counts) if total is not None else [],
        "answered_share": _share(total.counts.cases_answered, total.counts.cases_rung) if total else None,
        "brief": lambda seconds: brief(seconds, lang),
        "amounts": [
            (kind, total.amounts[kind].approved_fen + total.amounts[kind].unapproved_fen)
            for kind in (AmountKind.STOPPED, AmountKind.INTENDED)
            if total is not None and kind in total.amounts
        ],
        "human": wall.now.work[Track.HUMAN],
        "visit_work": wall.now.work[Track.VISIT],
        "stages": _stages(wall.now.work[Track.VISIT]),
        "alarms": sum(one.count for one in wall.now.alarms),
        "alarm_kinds": wall.now.alarms[:_ALARM_KINDS],
        "other_alarms": sum(one.count for one in wall.now.alarms[_ALARM_KINDS:]),
        "alarm_word": lambda code: _alarm(code, lang),
        "all_paused": next((hold for hold in wall.now.pauses if hold.scope is PauseScope.ALL), None),
        "parts": [(say(lang, PARTS[name]), wall.now.engine.parts_seconds.get(name)) for name in WORK],
        "minutes": _minutes(wall),
        "chart": {"sent": list(wall.hour.calls.sent), "answered": list(wall.hour.calls.answered)},
        "late_parts": ("、" if lang is Lang.ZH else ", ").join(
            say(lang, PARTS.get(name, name)) for name in wall.now.engine.late
        ),
    }


def draw(pages: Pages, engine: Engine, wall: Wall, lang: Lang) -> Mapping[str, object]:
    """What an open page is sent."""
    reader = _Reader(lang=lang, now=wall.at)
    given = facts(engine, wall, lang)
    return {
        "board": pages.render(reader, TEMPLATE, given, block="board"),
        "minutes": given["chart"],
        "clock": pages.render(reader, TEMPLATE, given, block="clock"),
        "look": look(),
    }


def look() -> str:
    """Changes when a newer version of the page's own files is served: an open page then loads itself anew."""
    return static("console/wall.css")[-12:] + static("console/wall.js")[-12:]


def _minutes(wall: Wall) -> Sequence[tuple[datetime, int, int]]:
    """Newest first."""
    calls, at = wall.hour.calls, wall.hour.at
    rows = [
        (at - timedelta(minutes=len(calls.sent) - 1 - place), sent, calls.answered[place])
        for place, sent in enumerate(calls.sent)
    ]
    return rows[::-1]


def _tile(engine: Engine, wall: Wall, grade: Grade) -> GradeTile:
    found, limit = wall.queue.waiting[grade], engine.policies.newest.of(grade).first_attempt_seconds
    slice_ = wall.today.figures.slices.get(grade.value) if wall.today is not None else None
    first = slice_.first_attempt if slice_ is not None else None
    oldest = None if found.oldest_at is None else (wall.queue.at - found.oldest_at).total_seconds()
    p90 = first.p90_seconds if first is not None else None
    return GradeTile(
        grade=grade,
        due=found.due,
        calling=wall.now.calling[grade],
        later=found.later,
        oldest_seconds=oldest,
        is_late=oldest is not None and oldest > limit,
        limit_seconds=limit,
        p50_seconds=first.p50_seconds if first is not None else None,
        p90_seconds=p90,
        is_slow=p90 is not None and p90 > limit,
    )


def _stages(visits: PeoplesWork) -> list[tuple[VisitStage, int]]:
    """Who has been seen is still at the door, as far as anybody far away is concerned."""
    counts = visits.stages
    arrived = counts[VisitStage.ARRIVED] + counts[VisitStage.SEEN]
    return [
        (VisitStage.ACCEPTED, counts[VisitStage.ACCEPTED]),
        (VisitStage.ON_THE_WAY, counts[VisitStage.ON_THE_WAY]),
        (VisitStage.ARRIVED, arrived),
    ]


def _funnel(counts: Counts) -> list[tuple[str, int]]:
    return [(text, getattr(counts, name)) for name, text in FUNNEL.items()]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _alarm(code: str, lang: Lang) -> str:
    """A code of a later version is told as it stands."""
    known = next((one for one in AlarmCode if one.value == code), None)
    return code if known is None else word(known, lang)
