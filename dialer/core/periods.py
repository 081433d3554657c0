"""Periods for comparison: the period before 环比 and the same period a year before 同比; and the days, weeks and months
of bulletins. Pure; days are in the centre's time zone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from dialer.core.errors import Invalid
from dialer.core.rates import Period, is_in_range
from dialer.core.second_person import RequestState
from dialer.core.text import gettext_noop

_DAY, _WEEK_DAYS, _YEAR_OF_WEEKS, _MONTHS = timedelta(days=1), 7, 364, 12


def add_months(day: date, months: int) -> date:
    """The same day of another month; the last day of that month if it has no such day."""
    index = day.year * _MONTHS + day.month - 1 + months
    year, month = divmod(index, _MONTHS)
    following = date(year + (month + 1) // _MONTHS, (month + 1) % _MONTHS + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), following - _DAY)


def midnight(day: date, timezone: str) -> datetime:
    """When the day begins in the zone; aware UTC."""
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def period_before(period: Period, *, timezone: str, now: datetime) -> Period | None:
    """The period of the same length that ends where this one begins; for whole months, the months before. None for a
    period without a beginning or an end. The part after `now` is left out: this month until the 20th is compared with
    the month before until the 20th.
    """
    days = _days_of(period, timezone)
    if days is None:
        return None
    first, last = days
    months = (last.year - first.year) * _MONTHS + last.month - first.month
    if first.day == last.day == 1 and months > 0:
        return _moved_period(period, timezone, now, lambda day: add_months(day, -months))
    return _moved_period(period, timezone, now, lambda day: day - (last - first))


def period_year_before(period: Period, *, timezone: str, now: datetime) -> Period | None:
    """The same days a year before; for a whole week from Monday, the week 52 weeks before, which has the same days of
    the week. Otherwise as `period_before`.
    """
    days = _days_of(period, timezone)
    if days is None:
        return None
    first, last = days
    if first.weekday() == 0 and (last - first).days == _WEEK_DAYS:
        return _moved_period(period, timezone, now, lambda day: day - timedelta(days=_YEAR_OF_WEEKS))
    return _moved_period(period, timezone, now, lambda day: add_months(day, -_MONTHS))


def day_of(moment: datetime, *, timezone: str) -> Period:
    """The centre's day that contains the moment, from midnight to midnight."""
    day = moment.astimezone(ZoneInfo(timezone)).date()
    return Period(start=midnight(day, timezone), end=midnight(day + _DAY, timezone))


def _days_of(period: Period, timezone: str) -> tuple[date, date] | None:
    """The first day, and the day after the last; a part of a day counts as the whole."""
    if period.start is None or period.end is None:
        return None
    zone = ZoneInfo(timezone)
    end = period.end.astimezone(zone)
    last = end.date() if end.time() == time.min else end.date() + _DAY
    return period.start.astimezone(zone).date(), last


def _moved_period(period: Period, timezone: str, now: datetime, move: Callable[[date], date]) -> Period:
    assert period.start is not None
    assert period.end is not None
    zone = ZoneInfo(timezone)

    def moved(moment: datetime) -> datetime:
        local = moment.astimezone(zone)
        return datetime.combine(move(local.date()), local.time(), tzinfo=zone).astimezone(UTC)

    start = moved(period.start)
    end = moved(period.end)
    if period.start < now < period.end:
        end = min(end, start + (now - period.start))
    return Period(start=start, end=end)


class BulletinKind(StrEnum):
    """Whether a bulletin covers a day, a week or a month."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class BulletinState(StrEnum):
    """The state of a bulletin: a second person decides whether it may leave the centre."""

    DRAFT = "draft"
    APPROVED = "approved"
    REFUSED = "refused"


BULLETIN_WORDS: Final = {
    RequestState.WAITING: BulletinState.DRAFT,
    RequestState.APPROVED: BulletinState.APPROVED,
    RequestState.REFUSED: BulletinState.REFUSED,
}
"""A draft never expires: it can be drafted anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulletinDays:
    """The days that a bulletin covers, from the first to the last, both included."""

    kind: BulletinKind
    first: date
    last: date

    def period(self, timezone: str) -> Period:
        """From the first midnight to the one after the last day."""
        return Period(start=midnight(self.first, timezone), end=midnight(self.last + _DAY, timezone))

    @property
    def name(self) -> str:
        """The name as it is typed: 2026-11-25, 2026-W48, 2026-11."""
        match self.kind:
            case BulletinKind.DAY:
                return self.first.isoformat()
            case BulletinKind.WEEK:
                year, week, _ = self.first.isocalendar()
                return f"{year:04}-W{week:02}"
            case BulletinKind.MONTH:
                return f"{self.first:%Y-%m}"


def bulletin_days(kind: BulletinKind, text: str) -> BulletinDays:
    """The days of a bulletin by their typed name; a week can be named by any of its days. Raises `Invalid`."""
    fixes = {
        BulletinKind.DAY: gettext_noop("a day such as 2026-11-25"),
        BulletinKind.WEEK: gettext_noop("a week such as 2026-W48, or one of its days"),
        BulletinKind.MONTH: gettext_noop("a month such as 2026-11"),
    }
    try:
        day = date.fromisoformat(f"{text}-01" if kind is BulletinKind.MONTH else text)
    except ValueError:
        problem = gettext_noop("is not in the calendar")
        raise Invalid(field=kind.value, problem=problem, fix=fixes[kind]) from None
    if not is_in_range(day):
        raise Invalid(field=kind.value, problem="is out of range", fix=fixes[kind])
    return days_around(kind, day)


def days_around(kind: BulletinKind, day: date) -> BulletinDays:
    """The day itself, its week from Monday on, or its month."""
    match kind:
        case BulletinKind.DAY:
            first = last = day
        case BulletinKind.WEEK:
            first = day - timedelta(days=day.weekday())
            last = first + timedelta(days=_WEEK_DAYS - 1)
        case BulletinKind.MONTH:
            first = day.replace(day=1)
            last = add_months(first, 1) - _DAY
    return BulletinDays(kind=kind, first=first, last=last)
