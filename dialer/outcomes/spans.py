"""A window cut into whole days of the centre's zone, and what is left of it at either end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dialer.outcomes.period import Period

_DAY = timedelta(days=1)
_NEAR = timedelta(hours=3)
_LOOK_DAYS = 4
_FIRST_YEAR, _LAST_YEAR = 1971, 2140


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """`first` (included) to `last` (excluded) are whole days, None without limit; `edges` are the rest of it."""

    first: date | None
    last: date | None
    edges: tuple[Period, ...]


def spans_of(period: Period, *, timezone: str) -> Spans | None:
    """None: the window has no whole day."""
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
