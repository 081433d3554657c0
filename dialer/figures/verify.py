"""Compares the fact rows with a recount of the records themselves, day by day, and lists every difference.

For each day it compares everything that a report of the day reads: the whole, by grade and by fraud type, by unit,
source, script, version, hour and person, and the counts by day. Each day is one short transaction with one snapshot,
so memory and the age of a snapshot stay bounded however many years there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from pydantic import Field

from dialer.core.errors import Unavailable
from dialer.core.rates import COUNT_NAMES, TREND, Dimension, Figures, Period, Slice, period_of
from dialer.core.text import gettext_noop
from dialer.figures.facts import EVERY_CASE, FactSource, open_source
from dialer.figures.reader import CutWindow, RecordSource, read_cut, read_days, read_figures, slice_of
from dialer.figures.records import KINDS
from dialer.figures.report import fact_file
from dialer.runtime.services import JsonResource, Services

MOST_NAMED = 1_000
"""At most this many differences are listed; further ones are only counted."""

_DAYS = sa.text("""
SELECT CAST(loaded_at AT TIME ZONE :zone AS date) AS day FROM warning
UNION SELECT CAST(opened_at AT TIME ZONE :zone AS date) FROM "case"
UNION SELECT CAST(sent_at AT TIME ZONE :zone AS date) FROM attempt WHERE sent_at IS NOT NULL
UNION SELECT CAST(opened_at AT TIME ZONE :zone AS date) FROM assignment
UNION SELECT CAST(at AT TIME ZONE :zone AS date) FROM outcome
""")

Number = int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureDifference:
    """One figure that the fact rows and the recount do not agree about."""

    day: date | None
    """A day in the centre's time zone; None for all days together."""
    part: str
    """all, grade, fraud_type, a dimension, day, or left_out: drill records that are in no figure."""
    value: str
    """The grade, the fraud type, the id of the unit and so on; '' for none, and for all and left_out."""
    name: str
    """A count, `first_attempt.p50_seconds`, `intended.approved_fen`, or the kind of record left out; prefixed with
    `trend.` from the counts by day.
    """
    facts: Number
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
    """From the fact rows; the name of the field is older than they are."""
    recount: Number


class VerificationOut(JsonResource):
    """核对结果 · The fact rows compared with a recount."""

    begun_at: datetime
    timezone: str
    days: int
    figures: int
    not_summed: list[str] = Field(default_factory=list)
    """Always empty: no day is left out any more."""
    different: int
    differences: list[DifferenceOut]


def verify_figures(services: Services) -> Verification:
    """Compares all days, and everything together. Raises `Unavailable` if this machine has no fact rows, or another
    process has them for long.
    """
    begun_at = services.clock.now()
    with _open_facts(services) as source:
        days = _days(source, services.centre.timezone)
    found: list[FigureDifference] = []
    compared = different = 0
    for day in (*days, None):
        for difference in _differences(services, day):
            compared += 1
            if difference.facts != difference.recount:
                different += 1
                if len(found) < MOST_NAMED:
                    found.append(difference)
    return Verification(
        begun_at=begun_at,
        timezone=services.centre.timezone,
        days=len(days),
        figures=compared,
        differences=tuple(found),
        different=different,
    )


@contextmanager
def _open_facts(services: Services) -> Iterator[FactSource]:
    with open_source(services.store, fact_file(services), most_behind=EVERY_CASE) as source:
        if not isinstance(source, FactSource):
            raise Unavailable(
                part=gettext_noop("fact rows"),
                problem=gettext_noop("another process of this machine reads them; try again in a minute"),
            )
        yield source


def _days(source: FactSource, timezone: str) -> list[date]:
    """Every day that has a record or a fact row."""
    days = {row["day"] for row in source.tx.rows(_DAYS, {"zone": timezone})}
    for kind in KINDS:
        days.update(row["day"] for row in source.rows(f"SELECT DISTINCT day FROM {kind.name}", {}))  # noqa: S608
    return sorted(days)


_CUT_BY = tuple(by for by in Dimension if by not in {Dimension.GRADE, Dimension.FRAUD_TYPE})
_OWN_UNIT = 1_000
"""A depth below that of every tree of units: every unit counts by itself."""


def _differences(services: Services, day: date | None) -> Iterator[FigureDifference]:
    with _open_facts(services) as source:
        window = CutWindow(
            period=_period(day, services.centre.timezone),
            drill=services.drill,
            now=services.clock.now(),
            timezone=services.centre.timezone,
            depth=_OWN_UNIT,
        )
        records = RecordSource(source.tx)
        yield from _compare(day, read_figures(source, window), read_figures(records, window))
        yield from _compare_days(day, read_days(source, window), read_days(records, window))
        if day is None:
            return
        for dimension in _CUT_BY:
            slices = read_cut(source, dimension, window).breakdown.slices
            yield from _compare_cut(
                day, dimension, slices, read_cut(records, dimension, window).breakdown.slices
            )


def _compare_days(
    day: date | None, facts: Mapping[date, Mapping[str, int]], recounted: Mapping[date, Mapping[str, int]]
) -> Iterator[FigureDifference]:
    for each in sorted({*facts, *recounted}):
        for name in TREND:
            yield FigureDifference(
                day=each,
                part="all" if day is None else "day",
                value="",
                name=f"trend.{name}",
                facts=facts.get(each, {}).get(name, 0),
                recount=recounted.get(each, {}).get(name, 0),
            )


def _compare_cut(
    day: date, dimension: Dimension, facts: Mapping[str, Slice], recounted: Mapping[str, Slice]
) -> Iterator[FigureDifference]:
    for value in sorted({*facts, *recounted}):
        numbers = dict(numbers_of(recounted.get(value, slice_of({}))))
        for name, number in numbers_of(facts.get(value, slice_of({}))):
            yield FigureDifference(
                day=day, part=dimension.value, value=value, name=name, facts=number, recount=numbers[name]
            )


def verification_out(found: Verification) -> VerificationOut:
    """What `dialer report --verify --json` prints."""
    return VerificationOut(
        begun_at=found.begun_at,
        timezone=found.timezone,
        days=found.days,
        figures=found.figures,
        different=found.different,
        differences=[
            DifferenceOut(
                day=difference.day.isoformat() if difference.day else None,
                part=difference.part,
                value=difference.value,
                name=difference.name,
                rollup=difference.facts,
                recount=difference.recount,
            )
            for difference in found.differences
        ],
    )


def _period(day: date | None, zone: str) -> Period:
    return Period() if day is None else period_of(day.isoformat(), day.isoformat(), timezone=zone)


def _compare(day: date | None, summed: Figures, recounted: Figures) -> Iterator[FigureDifference]:
    parts = [("all", "", summed.total, recounted.total)]
    parts += [
        ("grade", key.value, counted, recounted.by_grade[key]) for key, counted in summed.by_grade.items()
    ]
    parts += [
        ("fraud_type", key.value, counted, recounted.by_fraud_type[key])
        for key, counted in summed.by_fraud_type.items()
    ]
    for part, value, counted, other in parts:
        numbers = dict(numbers_of(other))
        for name, number in numbers_of(counted):
            yield FigureDifference(
                day=day, part=part, value=value, name=name, facts=number, recount=numbers[name]
            )
    for kind, count in summed.left_out.items():
        yield FigureDifference(
            day=day, part="left_out", value="", name=kind, facts=count, recount=recounted.left_out[kind]
        )


def numbers_of(part: Slice) -> Iterator[tuple[str, Number]]:
    """Every number of a slice with its name, as in `dialer report --json`."""
    for name in COUNT_NAMES:
        yield name, getattr(part.counts, name)
    for result, count in part.counts.results.items():
        yield f"results.{result.value}", count
    for name in ("cases", "p50_seconds", "p90_seconds"):
        yield f"first_attempt.{name}", getattr(part.first_attempt, name)
    for kind, money in part.amounts.items():
        for state in ("approved_fen", "unapproved_fen", "reversed_fen"):
            yield f"{kind.value}.{state}", getattr(money, state)
