"""Compares the rollup with a recount of the records themselves, day by day and month by month, and lists every
difference.

For each day it compares everything that a report of the day reads: the whole, by grade and by fraud type, and by unit,
source, script version, hour and person; for each month, the sums of these for the whole month.

Each comparison is one short transaction with one snapshot, so memory and the age of a snapshot stay bounded however
many years there are. Both sides count cases that changed since the last refresh as they are now, so these are no
difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from dialer.core.errors import Unavailable
from dialer.core.periods import add_months
from dialer.core.rates import (
    COUNT_NAMES,
    TREND,
    CaseFilter,
    Dimension,
    Figures,
    Period,
    Slice,
    period_of,
    spans_of,
)
from dialer.core.text import gettext_noop
from dialer.db.unit_of_work import Tx, hold_snapshot
from dialer.figures.breakdown import CutWindow, read_breakdown
from dialer.figures.cuts import rollup_cut_figures, trends_of_day
from dialer.figures.measures import figures, slice_of
from dialer.figures.rollup import changed_cases, read_fact_state, rollup_figures
from dialer.runtime.services import JsonResource, Services

MOST_NAMED = 1_000
"""At most this many differences are listed; further ones are only counted."""

_DAYS = sa.text("""
SELECT day FROM day_figure
UNION SELECT CAST(loaded_at AT TIME ZONE :zone AS date) FROM warning
UNION SELECT CAST(opened_at AT TIME ZONE :zone AS date) FROM "case"
UNION SELECT CAST(sent_at AT TIME ZONE :zone AS date) FROM attempt WHERE sent_at IS NOT NULL
UNION SELECT CAST(opened_at AT TIME ZONE :zone AS date) FROM assignment
UNION SELECT CAST(at AT TIME ZONE :zone AS date) FROM outcome
ORDER BY day
""")

Number = int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureDifference:
    """One figure that the rollup and the recount do not agree about."""

    day: date | None
    """A day in the centre's time zone; for sums of a month its first day; None for the sum of all days."""
    part: str
    """all, grade, fraud_type, unit, source, version, hour, person, or left_out: drill records that are in no figure."""
    value: str
    """The grade, the fraud type, the id of the unit and so on; '' for none, and for all and left_out."""
    name: str
    """A count, `first_attempt.p50_seconds`, `intended.approved_fen`, or the kind of record left out; prefixed with
    `trend.` from the sums by day of a cut, with `month.` from the sums by month.
    """
    rollup: Number
    recount: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was compared, and what differs."""

    begun_at: datetime
    timezone: str
    days: int
    """Days that were compared."""
    figures: int
    """Figures that were compared."""
    not_summed: tuple[date, ...]
    """Days that begin or end at a change of the clocks: reports count their records, so they are not in the
    comparison.
    """
    differences: tuple[FigureDifference, ...]
    """The differences that are listed, at most `MOST_NAMED`."""
    different: int
    """The number of all figures that differ, listed or not."""


class DifferenceOut(JsonResource):
    """不一致的一项 · One figure that differs."""

    day: str | None
    part: str
    value: str
    name: str
    rollup: Number
    recount: Number


class VerificationOut(JsonResource):
    """核对结果 · The rollup compared with a recount."""

    begun_at: datetime
    timezone: str
    days: int
    figures: int
    not_summed: list[str]
    different: int
    differences: list[DifferenceOut]


def verify_rollup(services: Services) -> Verification:
    """Compares all days and months. Raises `Unavailable` if there is no rollup to compare: none yet, one of another
    time zone or of older definitions, or too many cases that wait for a refresh.
    """
    zone = services.centre.timezone
    begun_at = services.clock.now()
    with services.store.begin() as tx:
        days: list[date] = [row["day"] for row in tx.rows(_DAYS, {"zone": zone})]
    found: list[FigureDifference] = []
    compared = different = 0
    not_summed: list[date] = []
    months = sorted({day.replace(day=1) for day in days})
    for day, is_month in (*((day, False) for day in (*days, None)), *((month, True) for month in months)):
        period = _period(day, zone, is_month=is_month)
        spans = spans_of(period, timezone=zone)
        if day is not None and (spans is None or spans.edges):
            not_summed += [] if is_month else [day]
            continue
        for one in _differences(services, day, period, is_month=is_month):
            compared += 1
            if one.rollup != one.recount:
                different += 1
                if len(found) < MOST_NAMED:
                    found.append(one)
    return Verification(
        begun_at=begun_at,
        timezone=zone,
        days=len(days) - len(not_summed),
        figures=compared,
        not_summed=tuple(not_summed),
        differences=tuple(found),
        different=different,
    )


_CUT_BY = (Dimension.UNIT, Dimension.SOURCE, Dimension.VERSION, Dimension.HOUR, Dimension.PERSON)
_OWN_UNIT = 1_000
"""A depth below that of every tree of units: every unit counts by itself."""


def _differences(
    services: Services, day: date | None, period: Period, *, is_month: bool
) -> Iterator[FigureDifference]:
    zone = services.centre.timezone
    if not is_month:
        with services.store.begin() as tx:
            now = _snapshot(tx, services)
            summed = rollup_figures(tx, period, drill=services.drill, now=now, timezone=zone)
            recounted = figures(tx, period, drill=services.drill, now=now)
        yield from _compare(day, summed, recounted)
    if day is None:
        return
    for dimension in _CUT_BY:
        with services.store.begin() as tx:
            window = CutWindow(
                cut=CaseFilter(),
                period=period,
                drill=services.drill,
                now=_snapshot(tx, services),
                timezone=zone,
                depth=_OWN_UNIT,
            )
            cut = rollup_cut_figures(tx, dimension, window)
            trends = {} if is_month else trends_of_day(tx, window, dimension)
            recount = read_breakdown(tx, dimension, window).slices
        assert cut is not None
        assert trends is not None
        yield from _compare_cut(day, dimension, cut.breakdown.slices, recount, "month." if is_month else "")
        if not is_month:
            yield from _compare_trends(day, dimension, trends, recount)


def _snapshot(tx: Tx, services: Services) -> datetime:
    hold_snapshot(tx)
    now = services.clock.now()
    _check_rollup(tx, timezone=services.centre.timezone, now=now)
    return now


def _compare_cut(
    day: date, dimension: Dimension, summed: Mapping[str, Slice], recounted: Mapping[str, Slice], prefix: str
) -> Iterator[FigureDifference]:
    for value in sorted({*summed, *recounted}):
        numbers = dict(numbers_of(recounted.get(value, slice_of({}))))
        for name, number in numbers_of(summed.get(value, slice_of({}))):
            yield FigureDifference(
                day=day,
                part=dimension.value,
                value=value,
                name=f"{prefix}{name}",
                rollup=number,
                recount=numbers[name],
            )


def _compare_trends(
    day: date, dimension: Dimension, trends: Mapping[str, Mapping[str, int]], recounted: Mapping[str, Slice]
) -> Iterator[FigureDifference]:
    for value in sorted({*trends, *recounted}):
        counts = recounted.get(value, slice_of({})).counts
        for name in TREND:
            yield FigureDifference(
                day=day,
                part=dimension.value,
                value=value,
                name=f"trend.{name}",
                rollup=trends.get(value, {}).get(name, 0),
                recount=getattr(counts, name),
            )


def verification_out(found: Verification) -> VerificationOut:
    """What `dialer report --verify --json` prints."""
    return VerificationOut(
        begun_at=found.begun_at,
        timezone=found.timezone,
        days=found.days,
        figures=found.figures,
        not_summed=[day.isoformat() for day in found.not_summed],
        different=found.different,
        differences=[
            DifferenceOut(
                day=one.day.isoformat() if one.day else None,
                part=one.part,
                value=one.value,
                name=one.name,
                rollup=one.rollup,
                recount=one.recount,
            )
            for one in found.differences
        ],
    )


def _period(day: date | None, zone: str, *, is_month: bool) -> Period:
    if day is None:
        return Period()
    if is_month:
        last = add_months(day.replace(day=1), 1) - timedelta(days=1)
        return period_of(day.isoformat(), last.isoformat(), timezone=zone)
    return period_of(day.isoformat(), day.isoformat(), timezone=zone)


def _check_rollup(tx: Tx, *, timezone: str, now: datetime) -> None:
    """Raises `Unavailable` if the rollup cannot be used: both sides would be the recount."""
    state = read_fact_state(tx)
    if state is None or state.timezone != timezone or now < state.as_of:
        raise Unavailable(
            part=gettext_noop("rollup"),
            problem=gettext_noop(
                "not built yet for these definitions and this time zone; try again in some minutes"
            ),
        )
    if changed_cases(tx, now=now) is None:
        raise Unavailable(
            part=gettext_noop("rollup"),
            problem=gettext_noop("too many changed cases wait for a refresh; try again in some minutes"),
        )


def _compare(day: date | None, summed: Figures, recounted: Figures) -> Iterator[FigureDifference]:
    parts = [("all", "", summed.total, recounted.total)]
    parts += [("grade", key.value, one, recounted.by_grade[key]) for key, one in summed.by_grade.items()]
    parts += [
        ("fraud_type", key.value, one, recounted.by_fraud_type[key])
        for key, one in summed.by_fraud_type.items()
    ]
    for part, value, one, other in parts:
        numbers = dict(numbers_of(other))
        for name, number in numbers_of(one):
            yield FigureDifference(
                day=day, part=part, value=value, name=name, rollup=number, recount=numbers[name]
            )
    for kind, count in summed.left_out.items():
        yield FigureDifference(
            day=day, part="left_out", value="", name=kind, rollup=count, recount=recounted.left_out[kind]
        )


def numbers_of(one: Slice) -> Iterator[tuple[str, Number]]:
    """Every number of a slice with its name, as in `dialer report --json`."""
    for name in COUNT_NAMES:
        yield name, getattr(one.counts, name)
    for result, count in one.counts.results.items():
        yield f"results.{result.value}", count
    for name in ("cases", "p50_seconds", "p90_seconds"):
        yield f"first_attempt.{name}", getattr(one.first_attempt, name)
    for kind, money in one.amounts.items():
        for state in ("approved_fen", "unapproved_fen", "reversed_fen"):
            yield f"{kind.value}.{state}", getattr(money, state)
