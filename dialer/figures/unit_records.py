"""The record of a unit by month 督办: what it was given, what came late, and what became of its cases. Every count is
one of the reader; docs/metrics.md defines each. A share is compared with the same share of the other units, adjusted
for the mix of grades and fraud types as success rates are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from dialer.core.intervals import Adjusted, HitCount, Interval, Places, adjust_each, places_of, wilson
from dialer.core.periods import BulletinKind, add_months, bulletin_days, days_around
from dialer.core.rates import Period
from dialer.core.text import gettext_noop
from dialer.db.units import list_units_of_tree
from dialer.figures.reader import read_months
from dialer.figures.report import RatesQuery, open_figures, query_window
from dialer.runtime.services import Services

GIVEN: Final = "given"
"""The count of tasks that a unit was given."""
MISSING: Final = ("entries_missing", "cases_ours")
"""The counts of cases whose entries are missing, and of all our cases."""
MOST_MISSING: Final = 0.2
"""A unit of which more entries are missing has no place."""
MONTHS: Final = 6
"""So many months the course of a unit has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordShare:
    """A share of a unit's record, the smaller the better: `hits` among `people`, counts of the reader."""

    name: str
    title: str
    says: str
    hits: str
    people: str


SHARES: Final = (
    RecordShare(
        name="signed_late",
        title=gettext_noop("Signed for late"),
        says=gettext_noop(
            "Of the human calls and visits that somebody signed for, or should have by now, those signed for late or"
            " not at all."
        ),
        hits="signed_late",
        people="sign_counted",
    ),
    RecordShare(
        name="feedback_late",
        title=gettext_noop("Fed back late"),
        says=gettext_noop(
            "Of the human calls and visits that were reported, or should have been by now, those reported late or not"
            " at all."
        ),
        hits="feedback_late",
        people="feedback_counted",
    ),
    RecordShare(
        name="ineffective",
        title=gettext_noop("Ineffective"),
        says=gettext_noop(
            "Of the successes that no follow-up has undone, those that a filed case has reversed: dissuaded, and"
            " defrauded all the same."
        ),
        hits="cases_reversed",
        people="succeeded",
    ),
    RecordShare(
        name="defrauded_after_warning",
        title=gettext_noop("Defrauded after warning"),
        says=gettext_noop(
            "Of all cases, reached or not, those whose person filed a case with the police after the warning."
        ),
        hits="defrauded_after_warning",
        people="cases",
    ),
    RecordShare(
        name="never_dissuaded",
        title=gettext_noop("Never dissuaded"),
        says=gettext_noop(
            "Of our cases that are no longer open, those in which nobody ever spoke to the right person."
        ),
        hits="never_dissuaded",
        people="cases_ended",
    ),
)
_COUNTS: Final = tuple(
    dict.fromkeys((GIVEN, *MISSING, *(name for share in SHARES for name in (share.hits, share.people))))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsQuery:
    """A month by its first day, and the unit below which units are compared; None: all that the reader sees."""

    month: date
    unit_id: int | None = None

    def period(self, timezone: str, *, months: int = 1) -> Period:
        """The month, or so many months up to its end."""
        first = add_months(self.month, 1 - months)
        start = days_around(BulletinKind.MONTH, first).period(timezone).start
        return Period(start=start, end=days_around(BulletinKind.MONTH, self.month).period(timezone).end)


def typed_month(text: str, today: date) -> date:
    """The first day of a month such as 2026-11; of this month for ''. Raises `Invalid`."""
    if not text.strip():
        return today.replace(day=1)
    return bulletin_days(BulletinKind.MONTH, text.strip()).first


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareFigure:
    """A share of one unit or of all, with how it compares with the other units and the places it may have."""

    count: HitCount
    adjusted: Adjusted | None = None
    places: Places | None = None
    """None where there is no interval, or entries are missing."""

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the share itself (Wilson)."""
        return wilson(self.count.hits, self.count.people)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLine:
    """The record of one unit, of all together, or of all in one month."""

    given: int
    missing: HitCount
    shares: Mapping[str, ShareFigure]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRecords:
    """The records of the units below one, of a month; all of one moment."""

    generated_at: datetime
    period: Period
    units: Mapping[str, RecordLine]
    """By the unit's id as text; "" is what has no unit yet, which is not compared."""
    whole: RecordLine
    course: Mapping[date, RecordLine]
    """All together by month, the newest last, of the months that have records."""
    unit_names: Mapping[str, str]

    @property
    def ranked(self) -> int:
        """How many units are compared."""
        return sum(bool(value) for value in self.units)


def read_unit_records(services: Services, asked: RecordsQuery, *, reader_unit_id: int | None) -> UnitRecords:
    """The records of the units right below the query's unit. Raises `NotFound` for a unit that the reader does not see.

    If all units are below a single top unit, and nothing is asked for, the units right below it are compared.
    """
    timezone = services.centre.timezone
    months = asked.period(timezone, months=MONTHS)
    with open_figures(services) as source:
        query = RatesQuery(period=months, unit_id=asked.unit_id)
        window = query_window(source.tx, services, query, reader_unit_id)
        tree = list_units_of_tree(source.tx)
        if window.cut.unit_ids is None and sum(len(unit.path) == 1 for unit in tree) == 1:
            window = replace(window, depth=1)
        found = read_months(source, window, _COUNTS)
    return UnitRecords(
        generated_at=window.now,
        period=asked.period(timezone),
        units=_compared(found.get(asked.month, {})),
        whole=_whole(found.get(asked.month, {})),
        course={month: _whole(units) for month, units in sorted(found.items())},
        unit_names={str(unit.id): unit.name for unit in tree},
    )


_Kinds = Mapping[str, Mapping[str, int]]
"""Counts by name, by grade and fraud type."""


def _sum(kinds: _Kinds, name: str) -> int:
    return sum(counts.get(name, 0) for counts in kinds.values())


def _pair(counts: Mapping[str, int], hits: str, people: str) -> HitCount:
    return HitCount(hits=counts.get(hits, 0), people=counts.get(people, 0))


def _line(kinds: _Kinds, shares: Mapping[str, ShareFigure]) -> RecordLine:
    hits, people = MISSING
    return RecordLine(
        given=_sum(kinds, GIVEN),
        missing=HitCount(hits=_sum(kinds, hits), people=_sum(kinds, people)),
        shares=shares,
    )


def _plain(kinds: _Kinds) -> dict[str, HitCount]:
    return {
        share.name: HitCount(hits=_sum(kinds, share.hits), people=_sum(kinds, share.people))
        for share in SHARES
    }


def _whole(units: Mapping[str, _Kinds]) -> RecordLine:
    kinds = {f"{unit} {kind}": counts for unit, parts in units.items() for kind, counts in parts.items()}
    return _line(kinds, {name: ShareFigure(count=count) for name, count in _plain(kinds).items()})


def _compared(units: Mapping[str, _Kinds]) -> dict[str, RecordLine]:
    named = {unit: kinds for unit, kinds in units.items() if unit}
    figures: dict[str, dict[str, ShareFigure]] = {
        unit: {name: ShareFigure(count=count) for name, count in _plain(kinds).items()}
        for unit, kinds in units.items()
    }
    whole = {unit: _line(kinds, {}).missing for unit, kinds in units.items()}
    for share in SHARES:
        strata = {
            unit: {kind: _pair(counts, share.hits, share.people) for kind, counts in kinds.items()}
            for unit, kinds in named.items()
        }
        adjusted = adjust_each(strata) if len(strata) > 1 else {}
        places = places_of(
            {
                unit: one.interval
                for unit, one in adjusted.items()
                if one.interval is not None and (whole[unit].share or 0.0) <= MOST_MISSING
            }
        )
        for unit, one in adjusted.items():
            count = figures[unit][share.name].count
            figures[unit][share.name] = ShareFigure(count=count, adjusted=one, places=places.get(unit))
    return {unit: _line(kinds, figures[unit]) for unit, kinds in units.items()}
