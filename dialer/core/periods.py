"""Periods of a report: half open, typed in the centre's time zone, and cut into whole days with what remains at either
end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dialer.core.errors import Invalid
from dialer.language import gettext_noop

_DAY = timedelta(days=1)
_MEND = gettext_noop("a day such as 2026-11-25, or a moment such as 2026-11-25T09:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `start` (included) to `end` (excluded), aware UTC; None is without limit on that side."""

    start: datetime | None = None
    end: datetime | None = None


def period_of(start: str | None, end: str | None, *, timezone: str) -> Period:
    """The period between two days or moments as typed, in the centre's zone. A day given as the end is included whole.
    Raises `Invalid`.
    """
    zone = ZoneInfo(timezone)
    period = Period(
        start=_moment(start, zone, field="from", is_end=False) if start else None,
        end=_moment(end, zone, field="to", is_end=True) if end else None,
    )
    if period.start is not None and period.end is not None and period.end <= period.start:
        raise Invalid(field="to", problem="is not after from")
    return period


def _moment(text: str, zone: ZoneInfo, *, field: str, is_end: bool) -> datetime:
    try:
        return _parsed(text.strip(), zone, is_end=is_end).astimezone(UTC)
    except ValueError:
        raise Invalid(field=field, problem="is no day and no moment", mend=_MEND) from None
    except OverflowError:
        raise Invalid(field=field, problem="is out of range", mend=_MEND) from None


def _parsed(text: str, zone: ZoneInfo, *, is_end: bool) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    return datetime.combine(day + _DAY if is_end else day, time.min, tzinfo=zone)


_NEAR = timedelta(hours=3)
_LOOK_DAYS = 4
_FIRST_YEAR, _LAST_YEAR = 1971, 2140


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """A period as whole days, `first` (included) to `last` (excluded), None without limit, and its `edges`,
    the rest.
    """

    first: date | None
    last: date | None
    edges: tuple[Period, ...]


def spans_of(period: Period, *, timezone: str) -> Spans | None:
    """None: the period has no whole day."""
    zone = ZoneInfo(timezone)
    first = _border(period.start, zone, _DAY) if period.start is not None else None
    last = _border(period.end, zone, -_DAY) if period.end is not None else None
    if (first is None and period.start is not None) or (last is None and period.end is not None):
        return None
    if first is not None and last is not None and first >= last:
        return None
    edges = []
    if first is not None and period.start is not None and first[0] > period.start:
        edges.append(Period(start=period.start, end=first[0]))
    if last is not None and period.end is not None and last[0] < period.end:
        edges.append(Period(start=last[0], end=period.end))
    return Spans(
        first=first[1] if first is not None else None,
        last=last[1] if last is not None else None,
        edges=tuple(edges),
    )


def _border(moment: datetime, zone: ZoneInfo, step: timedelta) -> tuple[datetime, date] | None:
    """The nearest midnight at or after `moment` (or before it, by the sign of the step), and the day it begins.

    A midnight near which the clocks change is none: that day may begin twice, or later.
    """
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        return None
    day = moment.astimezone(zone).date()
    if step > timedelta(0) and datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC) < moment:
        day += _DAY
    for _ in range(_LOOK_DAYS):
        midnight = datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
        around = {(midnight + shift).astimezone(zone).utcoffset() for shift in (-_NEAR, _NEAR)}
        passed = midnight >= moment if step > timedelta(0) else midnight <= moment
        if passed and len(around) == 1:
            return midnight, day
        day += step
    return None
