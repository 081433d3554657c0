"""The window of a report: half open, in the centre's own days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dialer.errors import Invalid
from dialer.language import mark

_DAY = timedelta(days=1)
_MEND = mark("a day such as 2026-11-25, or a moment such as 2026-11-25T09:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `start` (included) to `end` (excluded), aware UTC; None is without limit on that side."""

    start: datetime | None = None
    end: datetime | None = None


def period_of(start: str | None, end: str | None, *, timezone: str) -> Period:
    """What was typed, in the centre's zone. A day given as the end is included whole. Raises `Invalid`."""
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
